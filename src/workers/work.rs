//! The worker's own life: confine, say so, then read message after message until the gateway closes the pipe.
//!
//! Called by `mailward worker`. Promises: nothing is read before it is confined; what goes out is findings, masked. A fault
//! ends the process: the gateway makes another.

use super::confine::confine;
use super::wire::{self, Order, Said};
use crate::clinical::{self, Findings, Limits, Rules, Told};
use std::io;
use std::os::fd::RawFd;
use std::process::ExitCode;

/// Exit code of a worker that could not have the memory for a message.
pub(super) const NO_MEMORY: u8 = 12;

/// Works until standard input ends.
#[must_use]
pub fn run() -> ExitCode {
    close_others();
    let (mut from, mut to) = (io::stdin().lock(), io::stdout().lock());
    let ready = match confine() {
        Ok(confined) => Said::Ready(confined),
        Err(why) => Said::Unfit(why),
    };
    let is_fit = matches!(ready, Said::Ready(_));
    if wire::say(&mut to, &ready).is_err() || !is_fit {
        return ExitCode::FAILURE;
    }
    match work(&mut from, &mut to) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::OutOfMemory => ExitCode::from(NO_MEMORY),
        Err(_) => ExitCode::FAILURE,
    }
}

fn work(from: &mut impl io::Read, to: &mut impl io::Write) -> io::Result<()> {
    let mut rules = None;
    while let Some((order, bytes)) = wire::next_order(from)? {
        match order {
            Order::Told => rules = serde_json::from_slice(&bytes).ok().map(|told: Told| Rules::told(&told)),
            Order::Message => wire::say(to, &answer(&bytes, rules.as_ref()))?,
            Order::One => wire::say(to, &one(&bytes, rules.as_ref()))?,
        }
    }
    Ok(())
}

fn answer(message: &[u8], rules: Option<&Rules>) -> Said {
    let inspect = |rules| -> Findings { clinical::inspect(message, rules, &Limits::default()) };
    rules.map_or(Said::Confused, |rules| Said::Found(inspect(rules)))
}

fn one(bytes: &[u8], rules: Option<&Rules>) -> Said {
    let (Some((number, message)), Some(rules)) = (wire::numbered(bytes), rules) else { return Said::Confused };
    Said::Found(clinical::inspect_one(message, rules, &Limits::default(), number))
}

/// What a gateway was started with and left open is nobody's here.
fn close_others() {
    let Ok(folder) = std::fs::read_dir("/proc/self/fd") else { return };
    let numbers = folder.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<RawFd>().ok());
    let others: Vec<RawFd> = numbers.filter(|number| *number > 2).collect();
    // The folder's own is among them, and closed by now.
    for number in others {
        let _ = nix::unistd::close(number);
    }
}
