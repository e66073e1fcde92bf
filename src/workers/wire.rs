//! What goes between the gateway and a worker: frames, each with its kind and its length in front.
//!
//! Promises: a frame is no longer than its reader allows. Fails with the pipe's error, or with `InvalidData`.

use crate::clinical::Findings;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

/// What a frame from the gateway holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// What the policy says about recognition, as JSON: counts for all messages that follow.
    Told = 1,
    /// A message to read.
    Message = 2,
    /// The same, of whose documents one is to be read: its number in four octets, and the message.
    One = 3,
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Said {
    /// Once, before anything is read.
    Ready(super::Confined),
    /// It cannot confine itself, so it reads nothing.
    Unfit(String),
    Found(Findings),
    /// What it was told could not be understood.
    Confused,
}

/// Octets of an answer: findings are bounded, so this is far more than there can be.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// Octets of an order: the largest message that a gateway may be set to take, and more.
const LONGEST_ORDER: usize = 1024 * 1024 * 1024;

pub(super) fn send_order(to: &mut impl Write, order: Order, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&[order as u8])?;
    send(to, &[bytes])
}

pub(super) fn send_one(to: &mut impl Write, number: usize, message: &[u8]) -> io::Result<()> {
    let number = u32::try_from(number).map_err(|_| io::ErrorKind::InvalidData)?;
    to.write_all(&[Order::One as u8])?;
    send(to, &[&number.to_be_bytes(), message])
}

/// The number in front of a message, and the message.
pub(super) fn numbered(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, message) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number) as usize, message))
}

/// The next order; none when the gateway is done with this worker.
pub(super) fn next_order(from: &mut impl Read) -> io::Result<Option<(Order, Vec<u8>)>> {
    let mut kind = [0];
    if from.read(&mut kind)? == 0 {
        return Ok(None);
    }
    let order = match kind {
        [1] => Order::Told,
        [2] => Order::Message,
        [3] => Order::One,
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    Ok(Some((order, receive(from, LONGEST_ORDER)?)))
}

pub(super) fn say(to: &mut impl Write, said: &Said) -> io::Result<()> {
    send(to, &[&serde_json::to_vec(said)?])
}

pub(super) fn hear(from: &mut impl Read) -> io::Result<Said> {
    Ok(serde_json::from_slice(&receive(from, LONGEST_ANSWER)?)?)
}

fn send(to: &mut impl Write, pieces: &[&[u8]]) -> io::Result<()> {
    let length = pieces.iter().map(|piece| piece.len()).sum::<usize>();
    let length = u32::try_from(length).map_err(|_| io::ErrorKind::InvalidData)?;
    to.write_all(&length.to_be_bytes())?;
    pieces.iter().try_for_each(|piece| to.write_all(piece))?;
    to.flush()
}

fn receive(from: &mut impl Read, longest: usize) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > longest {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // Memory is taken as octets come: a length alone costs nothing.
    let mut bytes = Vec::new();
    from.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
}
