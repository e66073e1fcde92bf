//! The states of a recipient's mail, how it passes from one to the next, and what a crash in each leaves behind.
//!
//! Each row has cases in `tests/queue`: a data folder as a crash leaves it, and what the next start makes of it.
//!
//! | state | what is on storage | how it got there | leaves by | after a crash |
//! |---|---|---|---|---|
//! | arriving | at most a body file without a row | the dot has not been answered | 250 after the commit, or a refusal | the file is swept; the sender still has the message |
//! | active | entry (and body) rows, no progress row | admitted | an attempt | tried at once |
//! | active, outside memory | a `waiting` progress row without attempts | memory was full, or its lane's part of it | being read back | read back at its turn; a row that was not flushed: as active |
//! | deferred | a `waiting` progress row, and nothing in memory | an attempt that can be tried again | its next attempt | tried at its time; the row may be older than the last attempt: tried earlier, never later |
//! | held | a `waiting` progress row with `held` | `wait` is over and the rule says hold | an attempt that succeeds, or `hold-for` with a DSN | as deferred |
//! | held by an operator | an `instruction` row beside what was there; no attempt is made, and a progress row says `held` from its next date on | `queue hold` | its release, or `hold-for` with a DSN (`queue bounce`: at once) | not attempted; as before |
//! | final, others not | a `final` progress row | delivered, or failed with its DSN in the same batch | the last recipient | not tried again |
//! | gone | nothing, but decision and outcome records | the last recipient became final | | a body file that outlived its row is swept |
//! | delivered, mark riding | as active or deferred | the peer said 250, the mark is not flushed (50 ms at most) | the next flush | tried again: a duplicate, the only place where one can arise |

use std::fmt;

/// What `queue list` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Active,
    Deferred,
    Held,
}

impl State {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Deferred => "deferred",
            State::Held => "held",
        }
    }

    /// As it is printed.
    #[must_use]
    pub fn of_name(name: &str) -> Option<State> {
        [State::Active, State::Deferred, State::Held].into_iter().find(|state| state.name() == name)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
