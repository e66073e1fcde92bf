//! What mail is: the material that every stage handles. No I/O, no clock, no async.

pub mod address;
pub mod attachment;
pub mod envelope;
pub mod link;
pub mod message;
pub mod status;
pub mod text;

pub use address::{AddressError, Domain, Mailbox, ReversePath};
pub use attachment::AttachmentType;
pub use envelope::{Body, Envelope, Notify, Recipient, Ret};
pub use link::{Link, TlsFacts, TlsVersion};
pub use message::{Header, HeaderField};
pub use status::{Enhanced, Severity, Status};
