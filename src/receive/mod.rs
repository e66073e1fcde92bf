//! Stage 1: listeners, sessions, and the end of data, where a message is judged, kept, and only then answered with 250.
//!
//! `serve` starts it. Promises: sessions are bounded in all and per client, and some places are the sites' alone; nobody
//! relays who may not. Fails by refusing sessions with 421; never by losing what was answered with 250.

pub mod accept;
pub mod access;
pub mod budget;
mod buffers;
pub mod collect;
mod connection;
mod limits;
pub mod listener;
pub mod login;
pub mod logins;
mod received;
pub mod refusals;
mod socket;
pub mod standing;

pub use limits::SessionLimits;
