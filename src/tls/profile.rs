//! Which versions, suites and key exchanges are offered and taken: `compat` or `strict`.
//!
//! Used by everything in `tls`; chosen by `[tls] profile`. Promises: both begin with the hybrid X25519MLKEM768, have authenticated encryption
//! and forward secrecy only, and nothing below TLS 1.2 (RFC 8997); `strict` is a part of `compat`. Never fails.

use rustls::SupportedProtocolVersion;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::version::{TLS12, TLS13};
use std::sync::Arc;

/// How much of TLS is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// TLS 1.3, and TLS 1.2 with the suites of RFC 9325 4.2.
    #[default]
    Compat,
    /// TLS 1.3. No part of TLS 1.2 has a hybrid key exchange, and none hides who talks to whom from whoever listens.
    Strict,
}

/// Hybrid first: what is recorded today stays closed as long as one of both halves holds.
const GROUPS: [&dyn SupportedKxGroup; 4] =
    [kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];

impl Profile {
    pub(super) fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        const COMPAT: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
        const STRICT: &[&SupportedProtocolVersion] = &[&TLS13];
        match self {
            Profile::Compat => COMPAT,
            Profile::Strict => STRICT,
        }
    }

    /// Named explicitly: a process-wide default would be whatever another crate installed.
    pub(super) fn provider(self) -> Arc<CryptoProvider> {
        let whole = aws_lc_rs::default_provider();
        let suites = whole.cipher_suites.iter().copied();
        let cipher_suites = suites.filter(|suite| self.versions().contains(&suite.version())).collect();
        Arc::new(CryptoProvider { cipher_suites, kx_groups: GROUPS.to_vec(), ..whole })
    }
}
