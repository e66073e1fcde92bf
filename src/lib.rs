//! Mailward: an SMTP gateway that stands between an organisation's own Exchange and the internet.
//!
//! The rooms, in the order in which a message meets them:
//!
//! ```text
//! receive -> decide (clinical, policy) -> queue -> deliver -> permit -> the wire -> queue -> notice
//! ```
//!
//! Layers: a room uses rooms above its line only (`tests/layering.rs` holds this table).
//!
//! 1. `vocabulary`, `clock`, `mail`
//! 2. `smtp`, `policy`, `clinical`, `notice`: layer 1, and not one another
//! 3. `metrics`, `store`, `record`, `dns`, `tls`, `proof`, `queue`, `workers`: each may use those before it
//! 4. `decide`
//! 5. `receive`, `deliver`: never each other; they meet only in the queue
//! 6. `control`, `web`, `config`, `demo`, `serve`, `cli`

pub mod clock;
pub mod vocabulary;

pub mod mail;

pub mod clinical;
pub mod notice;
pub mod policy;
pub mod smtp;

pub mod metrics;

pub mod store;

pub mod record;

pub mod dns;
pub mod tls;

pub mod proof;

pub mod queue;

pub mod workers;

pub mod decide;

pub mod deliver;
pub mod receive;

pub mod config;
pub mod control;
pub mod demo;
pub mod serve;
pub mod web;

pub mod cli;
