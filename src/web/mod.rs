//! The admin listener: metrics and health, without login, on loopback unless somebody decides otherwise.
//!
//! `serve` starts it. Promises: `/healthz` says that the process lives, `/readyz` that it accepts mail. Fails never once it
//! is bound.

use crate::decide::InForce;
use crate::dns::{MxAnswer, Resolver};
use crate::mail::Domain;
use crate::metrics::Metrics;
use crate::queue::CurrentRoutes;
use crate::store::Store;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

/// What health is read from.
#[derive(Clone)]
pub struct Health {
    pub store: Store,
    pub metrics: Arc<Metrics>,
    /// The resolver, and a name to ask for. Any answer will do.
    pub names: (Resolver, Domain),
    /// Behind a smarthost no route needs names.
    pub routes: Arc<CurrentRoutes>,
    /// Free octets in the data folder are below the mark: MAIL is put off.
    pub no_room: Arc<AtomicBool>,
    /// Without a policy MAIL is put off.
    pub in_force: Arc<InForce>,
}

/// How long a resolver may think before `/readyz` says that it does not answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Serves until the process ends; `refresh` is called before each scrape.
pub async fn serve(listener: TcpListener, health: Health, refresh: impl Fn() + Clone + Send + Sync + 'static) {
    let (ready, metrics) = (health.clone(), health.metrics);
    let scrape = move || async move {
        refresh();
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.scrape())
    };
    let app = Router::new()
        .route("/metrics", get(scrape))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || async move { readiness(&ready).await }));
    if let Err(error) = axum::serve(listener, app).await {
        tracing::error!(%error, "the admin listener ended");
    }
}

/// Mail is accepted when somebody says what must hold, it can be kept and its way can be found.
async fn readiness(health: &Health) -> impl IntoResponse + use<> {
    if health.in_force.is_none() {
        return not_ready(
            "no-policy: none is in force, and MAIL gets 451; mailward check says what is wrong, mailward reload takes it when mended",
        );
    }
    if !health.store.is_writable() {
        return not_ready("the store stopped after a failed write; look at the disk, then restart");
    }
    if health.no_room.load(Ordering::Relaxed) {
        return not_ready("no-room: free octets in the data folder are below min-free, and MAIL gets 452; make room");
    }
    if health.routes.now().smarthost.is_none() {
        let (resolver, name) = &health.names;
        match tokio::time::timeout(PATIENCE, resolver.mx(name)).await {
            Ok(MxAnswer::Tempfail(_)) | Err(_) => return not_ready("no name server answers; look at [dns] servers"),
            Ok(_) => {}
        }
    }
    (StatusCode::OK, "ready\n".to_owned())
}

fn not_ready(why: &str) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n"))
}
