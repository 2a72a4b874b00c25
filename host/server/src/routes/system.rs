//! `/livez`, `/readyz`, `/metrics`, `/version`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bellwether_plugin::PluginInfo;
use http::header::CONTENT_TYPE;

use super::Answer;
use crate::app::AppState;
use crate::exposition;
use crate::extract::{NoParameters, QueryOf};
use crate::wire::system::{Health, Version};

/// The process is alive. Needs no token.
#[utoipa::path(get, path = "/livez", tag = "system", security(()), responses((status = 200, description = "It is.", body = Health)))]
pub(crate) async fn show_liveness() -> Json<Health> {
    Json(Health { status: "alive".to_owned() })
}

/// Predictions can be answered and jobs taken. Needs no token.
#[utoipa::path(get, path = "/readyz", tag = "system", security(()), responses((status = 200, description = "They can.", body = Health)))]
pub(crate) async fn show_readiness(State(app): State<AppState>) -> Answer<Health> {
    app.host.ready().await?;
    Ok(Json(Health { status: "ready".to_owned() }))
}

/// What plugins did, for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "system",
    responses((status = 200, description = "Text format 0.0.4.", body = String, content_type = "text/plain"))
)]
pub(crate) async fn show_metrics(State(app): State<AppState>, QueryOf(NoParameters {}): QueryOf<NoParameters>) -> Response {
    let plugins = app.host.plugins();
    // One that vanished between the two looks is left out.
    let with_metrics = |info: PluginInfo| plugins.metrics(&info.name).ok().map(|metrics| (info, metrics));
    let all: Vec<_> = plugins.list().into_iter().filter_map(with_metrics).collect();
    ([(CONTENT_TYPE, exposition::MEDIA_TYPE)], exposition::of_plugins(&all, plugins.counters())).into_response()
}

/// Which host this is.
#[utoipa::path(get, path = "/version", tag = "system", responses((status = 200, description = "Name and version.", body = Version)))]
pub(crate) async fn show_version(QueryOf(NoParameters {}): QueryOf<NoParameters>) -> Json<Version> {
    Json(Version { name: "bellwether".to_owned(), version: crate::VERSION.to_owned() })
}
