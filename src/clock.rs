//! Time as an argument: `Now` carries the wall clock for what is kept and a monotonic clock for timers.
//!
//! Read by those who act (the stages, the queue's keeper and schedule, notices, commands), who pass it inwards; no room of layer 2 asks for the
//! time itself. Promises: a wall time is
//! milliseconds since 1970 and may jump; `mono` never runs backwards. Fails never.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Wall-clock time in milliseconds since 1970-01-01 UTC: the only time that is ever stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wall(pub i64);

impl Wall {
    #[must_use]
    pub fn plus(self, span: Duration) -> Wall {
        Wall(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Time from `earlier` to `self`; zero when the clock jumped back.
    #[must_use]
    pub fn since(self, earlier: Wall) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// The two clocks at one instant.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub wall: Wall,
    pub mono: Instant,
}

impl Now {
    /// Reads both clocks. Only stages and the composition root call it.
    #[must_use]
    pub fn read() -> Now {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { wall: Wall(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)), mono: Instant::now() }
    }
}

/// `Sun, 22 Nov 2026 11:54:31 +0000`, for Date and Received fields (RFC 5322 3.3).
#[must_use]
pub fn rfc5322_date(at: Wall) -> String {
    let stamp = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %-d %b %Y %H:%M:%S +0000").to_string()
}

/// When a day is half over where this machine stands: an end date ends then, while people are at work.
#[must_use]
pub fn noon_of(day: jiff::civil::Date) -> Wall {
    local(day.at(12, 0, 0, 0))
}

/// When a day begins where this machine stands.
#[must_use]
pub fn start_of(day: jiff::civil::Date) -> Wall {
    local(day.at(0, 0, 0, 0))
}

fn local(time: jiff::civil::DateTime) -> Wall {
    let zoned = time.to_zoned(jiff::tz::TimeZone::system());
    // What lies beyond all calendars has not come yet.
    Wall(zoned.map_or(i64::MAX, |zoned| zoned.timestamp().as_millisecond()))
}

/// `2026-11-22T11:54:31Z`, for JSON and logs.
#[must_use]
pub fn rfc3339(at: Wall) -> String {
    let stamp = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A duration as operators type it, in its largest exact unit: `15m`, `2d`, `90s`.
#[must_use]
pub fn duration_words(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 => "0s".to_owned(),
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3_600 == 0 => format!("{}h", s / 3_600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

/// Parses `"15m"`, `"2d"`, `"30s"`, `"4h"`, `"500ms"`.
///
/// # Errors
/// A sentence for the operator: which text, and what a duration looks like.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(format!("`{text}` is not a duration; write a number and ms, s, m, h or d, such as \"15m\"")),
    };
    count
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(unit_ms))
        .filter(|ms| *ms <= 3_650 * 86_400_000)
        .map(Duration::from_millis)
        .ok_or_else(|| format!("`{text}` is not a duration of ten years or less, such as \"15m\" or \"2d\""))
}

/// Parses `"50MB"`, `"128KB"`, `"2GB"`, `"100B"`: decimal units, as mail servers announce them.
///
/// # Errors
/// A sentence for the operator: which text, and what a size looks like.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    let factor: u64 = match unit {
        "B" => 1,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(format!("`{text}` is not a size; write a number and B, KB, MB or GB, such as \"35MB\"")),
    };
    count
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(factor))
        .ok_or_else(|| format!("`{text}` is not a size, such as \"35MB\""))
}

/// An entry's id: 63 bits of milliseconds, node and counter, printed in base32, the same in replies, logs and files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(i64);

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LETTERS: usize = 13;
const COUNTER_BITS: u32 = 15;
const NODE_BITS: u32 = 6;

impl EntryId {
    #[must_use]
    pub const fn from_row(id: i64) -> EntryId {
        EntryId(id)
    }

    #[must_use]
    pub const fn row(self) -> i64 {
        self.0
    }

    /// When it was given out.
    #[must_use]
    pub const fn time(self) -> Wall {
        Wall(self.0 >> (COUNTER_BITS + NODE_BITS))
    }

    /// The smallest id of that moment, for questions such as "since when".
    #[must_use]
    pub fn at(time: Wall) -> EntryId {
        EntryId(time.0.clamp(0, i64::MAX >> (COUNTER_BITS + NODE_BITS)) << (COUNTER_BITS + NODE_BITS))
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: String =
            (0..LETTERS).rev().map(|at| char::from(ALPHABET[((self.0 >> (5 * at)) & 31) as usize])).collect();
        f.pad(&letters)
    }
}

impl FromStr for EntryId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<EntryId, Self::Err> {
        const WRONG: &str = "an entry id has 13 letters and digits, as in the reply `queued as ...`";
        if text.len() != LETTERS {
            return Err(WRONG);
        }
        let digit = |b: u8| ALPHABET.iter().position(|a| *a == b.to_ascii_lowercase());
        let value = text.bytes().try_fold(0u128, |sum, b| Some(sum << 5 | digit(b)? as u128)).ok_or(WRONG)?;
        i64::try_from(value).map(EntryId).map_err(|_| WRONG)
    }
}

impl Serialize for EntryId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EntryId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<EntryId, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Gives out entry ids that never run backwards, whatever the clock does.
#[derive(Debug)]
pub struct Ids {
    last: AtomicI64,
    node: i64,
}

impl Ids {
    /// `newest`: the newest id that was ever given out here; `node`: 0 to 63.
    #[must_use]
    pub fn new(newest: Option<EntryId>, node: u8) -> Ids {
        Ids { last: AtomicI64::new(newest.map_or(0, EntryId::row)), node: i64::from(node) & ((1 << NODE_BITS) - 1) }
    }

    #[must_use]
    pub fn next(&self, now: Wall) -> EntryId {
        let fresh = EntryId::at(now).0 | (self.node << COUNTER_BITS);
        let step = |last: i64| Some(if fresh > last { fresh } else { last + 1 });
        match self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step) {
            Ok(last) | Err(last) => EntryId(step(last).unwrap_or(fresh)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_print_as_rfc_5322_wants() {
        assert_eq!(rfc5322_date(Wall(1_795_348_471_000)), "Sun, 22 Nov 2026 11:54:31 +0000");
        assert_eq!(rfc3339(Wall(1_795_348_471_000)), "2026-11-22T11:54:31Z");
    }

    #[test]
    fn a_clock_that_jumped_back_gives_no_negative_age() {
        assert_eq!(Wall(5).since(Wall(10)), Duration::ZERO);
    }

    #[test]
    fn durations_and_sizes_read_as_typed() {
        assert_eq!(parse_duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(parse_size("35MB"), Ok(35_000_000));
        for wrong in ["", "15", "m", "-1m", "99999999999999999999d", "1.5h"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(duration_words(Duration::from_secs(900)), "15m");
    }

    #[test]
    fn ids_never_run_backwards_and_parse_to_themselves() {
        let ids = Ids::new(None, 3);
        let first = ids.next(Wall(1_795_348_471_000));
        let second = ids.next(Wall(1_795_348_471_000));
        let after_the_clock_jumped_back = ids.next(Wall(1_000));
        assert!(first < second && second < after_the_clock_jumped_back);
        assert_eq!(first.to_string().parse(), Ok(first));
        assert!(Ids::new(Some(second), 0).next(Wall(0)) > second);
        for wrong in ["", "short", "uuuuuuuuuuuuu", "zzzzzzzzzzzzz"] {
            assert!(wrong.parse::<EntryId>().is_err(), "{wrong}");
        }
    }
}
