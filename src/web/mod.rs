//! The admin listener: metrics and health, without login, on loopback unless somebody decides otherwise.
//!
//! `serve` starts it. Promises: `/healthz` says that the process lives, `/readyz` that it accepts mail. Fails never once it
//! is bound.

use crate::metrics::Metrics;
use crate::store::Store;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::Arc;
use tokio::net::TcpListener;

/// What health is read from.
#[derive(Clone)]
pub struct Health {
    pub store: Store,
    pub metrics: Arc<Metrics>,
}

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
        .route("/readyz", get(move || async move { readiness(&ready) }));
    if let Err(error) = axum::serve(listener, app).await {
        tracing::error!(%error, "the admin listener ended");
    }
}

/// Mail is accepted when it can be kept; the policy is in force before anything listens.
fn readiness(health: &Health) -> impl IntoResponse + use<> {
    if health.store.is_writable() {
        (StatusCode::OK, "ready\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready: the store stopped after a failed write; look at the disk, then restart\n",
        )
    }
}
