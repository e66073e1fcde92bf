//! Programmes that others wrote, before the gateway and behind it: what they say of it and what arrives.
//!
//! Each names its version on the error stream (`PEER name version`), which `tests/run` lists; one that is not installed
//! here is named as skipped.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod a_server_without_pipelining_gets_what_was_sent;
mod chains;
mod clients;
mod exchange;
#[path = "../lab/mod.rs"]
mod lab;
mod letter;
mod programme;
#[path = "../sessions/transcript.rs"]
mod transcript;
#[path = "../end_to_end/world.rs"]
mod world;

mod a_naive_server_gets_one_message_for_one;
mod clients_log_in;
mod clients_of_every_kind_are_served;
mod exchange_is_sent_to_as_it_speaks;
mod exchange_is_served_as_it_speaks;
mod mail_servers_behind_it_get_what_was_sent;
mod mail_servers_relay_through_it;
mod openssl_judges_published_keys_alike;
mod openssl_meets_what_the_profile_allows;
mod openssl_says_why_tls_fails;
mod postfix_agrees_on_published_keys;
