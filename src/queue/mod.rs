//! Keeps mail: what was accepted, where it waits, when it is tried again, how it leaves.
//!
//! `receive` admits, `deliver` takes and settles; they meet here and nowhere else. Promises: an admitted entry is on stable
//! storage before anybody is told; it leaves only delivered, or with its sender told; what is in memory is bounded and can
//! be read back from the store. `states` is the table of it all.

pub mod backlog;
pub mod counts;
pub mod entry;
pub mod instruction;
pub mod keeper;
pub mod lane;
mod places;
mod reading;
mod ready;
pub mod recover;
pub mod retry;
pub mod schedule;
pub mod states;
pub mod task;
pub mod tasks;
pub mod under_way;
pub mod warm;

pub use backlog::Backlog;
pub use counts::Counter;
pub use entry::{Destined, Entry, Progress};
pub use instruction::{Instruction, Route, Stop};
pub use keeper::Keeper;
pub use lane::{CurrentRoutes, Destination, Lane, Routes};
pub use retry::Retry;
pub use schedule::Schedule;
pub use states::State;
pub use task::Task;
pub use under_way::UnderWay;
pub use warm::{Room, Warm, WarmRoom};
