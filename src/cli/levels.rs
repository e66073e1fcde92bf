//! `mailward levels`: the four levels, and what each does with a peer's faults. Never fails.

use std::process::ExitCode;

/// Print what the four levels promise, and what each does with a peer's faults
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mailward levels")]
pub struct Args {}

const TABLE: &str = "\
any < encrypted < verified < sealed

level      the promise                                 expired           self-signed       wrong name        no STARTTLS
any        best TLS that the peer offers, clear text   sent, counted     sent, counted     sent, counted     in clear, counted
           if it offers none
encrypted  TLS 1.2 or later; the peer is not proved    sent, counted     sent, counted     sent, counted     not sent
verified   the peer proved itself: by a key that its   not sent, but by  not sent, but by  not sent, but by  not sent
           domain publishes (DANE), a certificate for  DANE-EE or pin    DANE or pin       DANE-EE or pin
           a host that its domain (MTA-STS) or the
           policy lists, or a pin
sealed     the message itself is encrypted to its      no link can give this: the message is rejected or held,
           reader                                      unless a rung of `upgrade` can serve the recipient

TLS below 1.2 is no TLS. Requirements hold on the leg between this gateway and the world. What a peer publishes is a floor for
all mail to it (the built-in rule `published`): keys in signed DNS ask for verified (for encrypted where none\ncan be used), and so does an MTA-STS policy in enforce.
";

#[must_use]
pub fn run(_args: Args) -> ExitCode {
    say_as_is!("{TABLE}");
    ExitCode::SUCCESS
}
