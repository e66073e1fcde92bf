//! What of gateway.toml no person has accepted: a start takes the file as it stands, for who restarts may do anything, and says what that
//! lowered for as long as nobody has said that it is meant.
//!
//! Promises: what is compared is the file that was last in force by a person's word. Fails never: a file of another version that cannot be
//! read any more is said.

use super::kept::Kept;
use crate::config::{self, Config};

/// Sentences of what `config` lowers; where there are none, it is kept as accepted.
pub(super) fn look(kept: &mut Kept, config: &Config) -> Vec<String> {
    let lower = of(kept, config);
    if lower.is_empty() {
        accept(kept, config);
    }
    lower
}

/// A person's word, or a policy without guard.
pub(super) fn accept(kept: &mut Kept, config: &Config) {
    kept.gateway_toml = Some(config.text.0.to_string());
}

/// What `config` lowers of what was accepted.
fn of(kept: &Kept, config: &Config) -> Vec<String> {
    let Some(text) = &kept.gateway_toml else { return Vec::new() };
    match config::read_text(&config.file, text) {
        Ok(accepted) => config::lowered(&accepted, config),
        Err(wrong) => {
            let wrong = wrong.to_string().replace('\n', "; ");
            tracing::warn!(
                "the gateway.toml that was in force is none for this version, so what this one lowers is not known: {wrong}"
            );
            Vec::new()
        }
    }
}

/// At a start: loud, for nobody was asked.
pub(super) fn tell(lower: &[String]) {
    for sentence in lower {
        tracing::error!(
            "gateway.toml was changed and lowers what was accepted, in force since this start: {sentence}; hint: if it is meant: mailward reload --accept-lowering \"REASON\" --by NAME"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "hostname = \"gw.example\"\ndata = \"d\"\npolicies = \"p\"\n[site.s]\ndomains = [\"s.example\"]\n\
        exchange = [\"10.0.0.1\"]\nnetworks = [\"10.0.0.0/24\"]\n[listen.a]\naddress = \"127.0.0.1:25\"\nmail-from = \"sites\"\n";

    #[test]
    fn what_nobody_accepted_is_told_again_until_it_is_taken_back_or_accepted() {
        let config = |text: &str| config::read_text("/gateway.toml".as_ref(), text).unwrap();
        let (old, wider) = (config(OLD), config(&OLD.replace("/24", "/16")));
        let mut kept = Kept::default();
        assert!(look(&mut kept, &old).is_empty(), "nothing to compare with");
        for _ in 0..2 {
            assert_eq!(look(&mut kept, &wider), ["site `s` lets clients in 10.0.0.0/16 send as it"]);
        }
        assert!(look(&mut kept, &old).is_empty());
        accept(&mut kept, &wider);
        assert!(look(&mut kept, &wider).is_empty() && look(&mut kept, &old).is_empty());
        assert_eq!(look(&mut kept, &wider).len(), 1, "and what was narrowed is not widened by a start either");
        kept.gateway_toml = Some("sites = 1".to_owned());
        assert!(look(&mut kept, &wider).is_empty() && kept.gateway_toml.as_deref() == Some(&*wider.text.0));
    }
}
