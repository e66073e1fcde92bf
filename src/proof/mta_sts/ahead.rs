//! Policies of those to whom mail will go, before it goes: the first letter is held to one though the policy host is down that day.
//!
//! Started by `deliver`. Promises: a few domains at a time, none again within a day, one that failed within the hour no more than others
//! would ask it; without anybody in particular, nothing is asked. Never fails: what is not found now is found with the first letter.

use super::{MtaSts, lock};
use crate::mail::Domain;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two looks at whom to ask.
const LOOK: Duration = Duration::from_secs(10);
/// Domains that are asked at each look: two thousand take three quarters of an hour.
const FEW: usize = 8;
/// Until the same domain is asked again, and after it could not be answered.
const AGAIN: Duration = Duration::from_secs(24 * 60 * 60);
const AFTER_FAILURE: Duration = Duration::from_secs(60 * 60);

impl MtaSts {
    /// Asks what `partners` publish, whoever they are at that moment, for as long as the gateway runs.
    pub async fn look_ahead(self: Arc<Self>, partners: impl Fn() -> BTreeSet<Domain>) {
        let mut next = HashMap::new();
        loop {
            let mut asking = tokio::task::JoinSet::new();
            for domain in due(partners(), &mut next, Instant::now()) {
                let own = self.clone();
                asking.spawn(async move {
                    let answered = own.policy(&domain).await.is_ok() && !lock(&own.failed).contains_key(&domain);
                    (domain, answered)
                });
            }
            while let Some(asked) = asking.join_next().await {
                // Whoever was not answered is asked sooner; a task that ended badly leaves its day.
                let Ok((domain, false)) = asked else { continue };
                next.insert(domain, Instant::now() + AFTER_FAILURE);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Whom to ask now, a few: those that were never asked first. Whoever is no partner any more is forgotten.
fn due(partners: BTreeSet<Domain>, next: &mut HashMap<Domain, Instant>, now: Instant) -> Vec<Domain> {
    next.retain(|domain, _| partners.contains(domain));
    let mut due: Vec<Domain> =
        partners.into_iter().filter(|domain| next.get(domain).is_none_or(|at| *at <= now)).collect();
    due.sort_by_key(|domain| next.get(domain).copied());
    due.truncate(FEW);
    next.extend(due.iter().map(|domain| (domain.clone(), now + AGAIN)));
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_asked_in_turn_a_few_at_a_time_and_not_again_within_a_day() {
        let partners: BTreeSet<Domain> = (0..20).map(|n| format!("d{n}.example").parse().unwrap()).collect();
        let (mut next, now) = (HashMap::new(), Instant::now());
        let mut ask = |partners: &BTreeSet<Domain>, now| due(partners.clone(), &mut next, now);
        assert_eq!(ask(&BTreeSet::new(), now), Vec::<Domain>::new());
        let mut asked = Vec::new();
        for few in [FEW, FEW, 20 - 2 * FEW, 0] {
            let these = ask(&partners, now);
            assert_eq!(these.len(), few);
            asked.extend(these);
        }
        assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), 20);
        assert_eq!(ask(&partners, now + AGAIN - Duration::from_secs(1)).len(), 0);
        let mut more = partners.clone();
        more.insert("a-new-one.example".parse().unwrap());
        let these = ask(&more, now + AGAIN);
        assert_eq!((these.len(), these[0].as_str()), (FEW, "a-new-one.example"));
        // Gone for a while, and back: as if it were new.
        assert_eq!(ask(&BTreeSet::new(), now + AGAIN).len(), 0);
        assert_eq!(ask(&more, now + AGAIN).len(), FEW);
    }
}
