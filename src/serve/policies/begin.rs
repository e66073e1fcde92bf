//! The policy that a gateway begins with.
//!
//! Promises: files that are wrong anywhere are never in force; the last good policy outlives them; where there is none, the gateway
//! runs and takes nothing. Fails when nothing can stand in for a policy.

use super::kept::{Kept, Snapshot};
use super::look::{Looks, look};
use super::{accepted, load, not_comparable, sentences, summary};
use crate::clock::Now;
use crate::config::Config;
use crate::decide::{InForce, Judge, LoadError, Loaded};
use crate::policy::{Known, lowered};
use std::path::Path;

/// The policy that a gateway begins with, or none.
pub(in crate::serve) struct Beginning {
    pub in_force: InForce,
    pub begun: Begun,
}

/// How it came about.
pub(in crate::serve) struct Begun {
    pub(super) kept: Kept,
    /// The files in the folder are what is in force.
    pub(super) is_from_folder: bool,
    /// What gateway.toml lowers of what was accepted.
    pub(super) not_accepted: Vec<String>,
    /// How the files looked before they were read: what is written meanwhile is a change.
    pub(super) looked: Looks,
}

impl Beginning {
    fn with(judge: Judge, kept: Kept, is_from_folder: bool) -> Beginning {
        let begun = Begun { kept, is_from_folder, not_accepted: Vec::new(), looked: Looks::new() };
        Beginning { in_force: InForce::new(judge), begun }
    }
}

/// The policy in the folder; where it is wrong, or was rolled back, the last good one; where there is no other, none.
///
/// # Errors
/// When there is no such folder, or nothing can stand in for a policy.
pub(in crate::serve) fn begin(config: &Config) -> Result<Beginning, LoadError> {
    let looked = look(&config.policies);
    let Beginning { in_force, mut begun } = choose(&config.policies, &config.known(), &config.data)?;
    begun.looked = looked;
    if in_force.is_none() || in_force.now().policy.has_guard() {
        begun.not_accepted = accepted::look(&mut begun.kept, config);
        accepted::tell(&begun.not_accepted);
    } else {
        accepted::accept(&mut begun.kept, config);
    }
    Ok(Beginning { in_force, begun })
}

fn choose(folder: &Path, known: &Known, data: &Path) -> Result<Beginning, LoadError> {
    let mut kept = Kept::read(data);
    if let Some(unread) = kept.unread.clone() {
        let hint = "make it readable for the account that runs the gateway, or move it away; then mailward reload";
        return match load(folder, known) {
            Err(wrong) if !folder.is_dir() => Err(wrong),
            _ => without(kept, (&unread, hint)),
        };
    }
    let last = || kept.current.as_ref().and_then(|current| current.judge(known));
    match load(folder, known) {
        Ok(loaded) if kept.sets_aside(loaded.judge.policy.hash()) => match last() {
            Some(judge) => {
                tracing::error!(
                    policy = judge.policy.hash(),
                    "the policy in the folder was rolled back, or lowers and was not accepted: the one before it is in force; hint: mailward reload"
                );
                Ok(Beginning::with(judge, kept, false))
            }
            None => {
                let aside = not_comparable(loaded.judge.policy.hash());
                without(
                    kept,
                    (
                        &aside,
                        "mend gateway.toml and restart, or put the policy's files back; if the files are meant as they are: mailward reload --accept-lowering \"REASON\" --by NAME",
                    ),
                )
            }
        },
        Ok(loaded) => {
            if let Some(before) = last() {
                for sentence in lowered(&before.policy, &loaded.judge.policy, Now::read().wall) {
                    tracing::warn!(
                        policy = loaded.judge.policy.hash(),
                        "in force since this start, and lower: {sentence}"
                    );
                }
            }
            kept.turn(Snapshot::of(loaded.judge.policy.hash(), &loaded.files));
            Ok(from_folder(loaded, kept))
        }
        Err(wrong) => {
            let Some(judge) = last() else {
                // Not the policy is wrong then, but gateway.toml, which names it.
                if !folder.is_dir() {
                    return Err(wrong);
                }
                sentences(&wrong).iter().for_each(|sentence| tracing::error!("policy: {sentence}"));
                let why = format!("the policy in {} cannot be used and there is no last good one", folder.display());
                return without(kept, (&why, "mailward check shows the same; mend the files, then mailward reload"));
            };
            tracing::error!(
                policy = judge.policy.hash(),
                "the policy in {} cannot be used, and the last good one is in force: {}",
                folder.display(),
                summary(&wrong)
            );
            Ok(Beginning::with(judge, kept, false))
        }
    }
}

/// Mail is put off until a person has mended it: a gateway that did not start would tell nobody why.
fn without(kept: Kept, (why, hint): (&str, &str)) -> Result<Beginning, LoadError> {
    tracing::error!("{why}, so none is in force: MAIL gets 451 4.7.10, and what is queued waits; hint: {hint}");
    let in_force = InForce::none().map_err(|diagnostics| LoadError { diagnostics, ..LoadError::default() })?;
    Ok(Beginning {
        in_force,
        begun: Begun { kept, is_from_folder: false, not_accepted: Vec::new(), looked: Looks::new() },
    })
}

fn from_folder(loaded: Loaded, kept: Kept) -> Beginning {
    for warning in &loaded.warnings {
        tracing::warn!("policy: {}", warning.message);
    }
    Beginning::with(loaded.judge, kept, true)
}
