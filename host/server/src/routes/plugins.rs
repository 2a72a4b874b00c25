//! `/plugins`: what is loaded, what it may do, how it is doing.

use axum::Json;
use axum::extract::{Path, State};

use super::Answer;
use crate::app::AppState;
use crate::extract::{NoParameters, QueryOf};
use crate::wire::plugins::{Plugin, PluginList};

/// List plugins.
#[utoipa::path(get, path = "/plugins", tag = "plugins", responses((status = 200, description = "All instances, by name.", body = PluginList)))]
pub(crate) async fn list_plugins(State(app): State<AppState>, QueryOf(NoParameters {}): QueryOf<NoParameters>) -> Answer<PluginList> {
    let plugins = app.host.plugins().list().into_iter().map(Into::into).collect();
    Ok(Json(PluginList { plugins }))
}

/// Show one plugin.
#[utoipa::path(
    get,
    path = "/plugins/{name}",
    tag = "plugins",
    params(("name" = String, Path, description = "The instance's name; `_` and `-` are the same.")),
    responses((status = 200, description = "The plugin.", body = Plugin))
)]
pub(crate) async fn show_plugin(
    State(app): State<AppState>,
    Path(name): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<Plugin> {
    Ok(Json(app.host.plugins().inspect(&name)?.into()))
}
