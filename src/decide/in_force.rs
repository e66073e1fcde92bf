//! The policy in force: one generation at a time, swapped whole; or none yet, after a start without any that is good.
//!
//! Shared by all stages. Promises: whoever asks gets a whole generation, and keeps it for as long as it is held: a transaction
//! is judged by one policy from MAIL to the dot, whatever is loaded meanwhile. Without a policy nothing is taken and nothing is
//! attempted; should anything be judged all the same, it is by the strictest there is. Fails never.

use super::{Judge, judge_of};
use crate::policy::{Diagnostic, Known, SourceFile};
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::sync::watch;

/// What judges while there is no policy: nobody asks it, for nothing is taken and nothing is attempted then.
const STAND_IN: &str = r#"
[policy]
empty = true
[rule.no-policy-outbound]
direction = "outbound"
require = "sealed"
otherwise = "hold"
[rule.no-policy-internal]
direction = "internal"
require = "sealed"
otherwise = "hold"
[rule.no-policy-inbound]
direction = "inbound"
refuse = "No policy is in force"
"#;

pub struct InForce {
    judge: ArcSwap<Judge>,
    is_any: watch::Sender<bool>,
}

impl InForce {
    #[must_use]
    pub fn new(judge: Judge) -> InForce {
        InForce { judge: ArcSwap::from_pointee(judge), is_any: watch::Sender::new(true) }
    }

    /// No policy is in force, until the first is.
    ///
    /// # Errors
    /// When the stand-in does not fit the language; a test says that it does.
    pub fn none() -> Result<InForce, Vec<Diagnostic>> {
        let file = SourceFile { name: "none.toml".to_owned(), text: STAND_IN.to_owned() };
        let judge = judge_of(&[file], &Known::default())?;
        Ok(InForce { judge: ArcSwap::from_pointee(judge), is_any: watch::Sender::new(false) })
    }

    /// Whether there is none: then nothing may be taken, and nothing attempted.
    #[must_use]
    pub fn is_none(&self) -> bool {
        !*self.is_any.borrow()
    }

    /// Waits until there is one.
    pub async fn wait(&self) {
        // The sender lives as long as we do.
        let _ = self.is_any.subscribe().wait_for(|is_any| *is_any).await;
    }

    /// The newest.
    #[must_use]
    pub fn now(&self) -> Arc<Judge> {
        self.judge.load_full()
    }

    /// Its hash; None where there is none.
    #[must_use]
    pub fn hash(&self) -> Option<String> {
        (!self.is_none()).then(|| self.now().policy.hash().to_owned())
    }

    /// From now on `judge` is in force.
    pub fn replace(&self, judge: Arc<Judge>) {
        // In this order: whoever finds that there is one finds this one.
        self.judge.store(judge);
        self.is_any.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clinical::Findings;
    use crate::clock::Wall;
    use crate::decide::Transaction;
    use crate::mail::Envelope;
    use crate::policy::Sites;
    use crate::vocabulary::{Direction, Fate, Level};

    #[tokio::test]
    async fn without_a_policy_whatever_is_judged_stays_here() {
        let in_force = InForce::none().unwrap();
        assert!(in_force.is_none() && in_force.hash().is_none());
        let envelope: Envelope = serde_json::from_str(
            r#"{"reverse_path":"a@b.example","recipients":[{"mailbox":"c@d.example"}],"body":"SevenBit","smtputf8":false}"#,
        )
        .unwrap();
        for direction in Direction::ALL {
            let transaction = Transaction {
                at: Wall(0),
                direction: *direction,
                sites: Sites { leaves: None, reaches: None },
                envelope: &envelope,
                message: b"Subject: a\r\n\r\n",
                size: 20,
                peer: Some(Level::Verified),
                can: &[],
            };
            let verdict = &in_force.now().at_accept(&transaction, &Findings::default()).recipients[0];
            assert!(verdict.fate == Fate::Refuse || verdict.require == Level::Sealed, "{direction}");
        }
        let judge = judge_of(
            &[SourceFile { name: "p.toml".into(), text: "[policy]\nempty = true\n".into() }],
            &Known::default(),
        );
        in_force.replace(Arc::new(judge.unwrap()));
        in_force.wait().await;
        assert!(!in_force.is_none() && in_force.hash().is_some());
    }
}
