//! What must hold. Never acts, never sees a finding's text.

pub mod requirement;
