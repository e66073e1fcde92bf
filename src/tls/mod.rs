//! Both sides' TLS: what we show (`Identity`), taking it (`Acceptor`), starting it (`Connector`), and what a peer showed.
//!
//! Called by `receive` (accept), `deliver` (connect), `proof` (judges `PeerCertificates` against `Roots`) and the
//! composition root (identity and roots). Promises: TLS 1.2 or later only (a look at what is older, in `look`, carries nothing); no resumption in either direction, so every
//! link's certificate is seen; connecting reports what was achieved and judges nothing. Fails by `TlsError` (our own
//! files, with a hint) and by `TlsFailure` (a handshake: the public reason and the private cause).

mod accept;
mod connect;
mod error;
mod facts;
mod identity;
mod look;
mod profile;
mod roots;

#[cfg(test)]
mod tests;

pub use accept::Acceptor;
pub use connect::{Connection, Connector, PeerCertificates};
pub use error::{TlsError, TlsFailure};
pub use facts::spki_pin;
pub use identity::Identity;
pub use profile::Profile;
pub use roots::Roots;
