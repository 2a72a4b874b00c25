//! `/livez`, `/readyz`, `/version`.

use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::app::AppState;
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

/// Which host this is.
#[utoipa::path(get, path = "/version", tag = "system", responses((status = 200, description = "Name and version.", body = Version)))]
pub(crate) async fn show_version(QueryOf(NoParameters {}): QueryOf<NoParameters>) -> Json<Version> {
    Json(Version { name: "bellwether".to_owned(), version: crate::VERSION.to_owned() })
}
