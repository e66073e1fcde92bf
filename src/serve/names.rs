//! Whether the resolver still validates: asked at the start and every minute. One alarm when it stops, one line when it is back.
//!
//! Started by `serve`. While it fails, what needs proof by signed names waits and the rest flows. Never fails.

use crate::dns::Resolver;
use crate::metrics::Metrics;
use std::sync::Arc;
use std::time::Duration;

/// Between two tests: people hear within minutes.
const EVERY: Duration = Duration::from_secs(60);
/// While it fails: a resolver that starts beside us is there in a moment.
const FAILING: Duration = Duration::from_secs(5);

pub(super) async fn test_oneself(resolver: Resolver, name: String, metrics: Arc<Metrics>) {
    let mut before = None;
    loop {
        let result = match resolver.self_test(&name).await {
            None => "off",
            Some(Ok(())) => "secure",
            Some(Err(cause)) => {
                if before != Some("failed") {
                    tracing::error!(
                        name,
                        cause,
                        "the resolver does not validate: what can only be proved by signed names waits; hint: look at the resolver (unbound), or say [dns] dnssec = \"off\""
                    );
                }
                "failed"
            }
        };
        if result == "secure" && before == Some("failed") {
            tracing::warn!(name, "the resolver validates again");
        }
        before = Some(result);
        metrics.self_tested(result);
        tokio::time::sleep(if result == "failed" { FAILING } else { EVERY }).await;
    }
}
