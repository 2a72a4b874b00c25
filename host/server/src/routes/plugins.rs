//! `/plugins`: what is loaded, what it may do, how it is doing; switched, configured, loaded anew.

use axum::Json;
use axum::extract::{Path, State};

use super::Answer;
use crate::app::AppState;
use crate::extract::{JsonBody, NoParameters, QueryOf};
use crate::wire::plugins::{Plugin, PluginConfig, PluginGrants, PluginList, PluginMetrics, PluginReload, PluginReloads, SetPluginConfig};

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

/// Put a plugin in service; it stays so through restarts.
#[utoipa::path(
    post,
    path = "/plugins/{name}/enable",
    tag = "plugins",
    params(("name" = String, Path, description = "The instance's name; `_` and `-` are the same.")),
    responses((status = 200, description = "The plugin.", body = Plugin))
)]
pub(crate) async fn enable_plugin(
    State(app): State<AppState>,
    Path(name): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<Plugin> {
    Ok(Json(app.host.enable_plugin(&name, true).await?.into()))
}

/// Take a plugin out of service; it stays so through restarts. Calls under way end as they began.
#[utoipa::path(
    post,
    path = "/plugins/{name}/disable",
    tag = "plugins",
    params(("name" = String, Path, description = "The instance's name; `_` and `-` are the same.")),
    responses((status = 200, description = "The plugin.", body = Plugin))
)]
pub(crate) async fn disable_plugin(
    State(app): State<AppState>,
    Path(name): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<Plugin> {
    Ok(Json(app.host.enable_plugin(&name, false).await?.into()))
}

/// Look at a plugin's folder again and take up what is new there.
///
/// The new component is compiled and tried beside the one that serves; calls under way end on the old one. One that is refused
/// changes nothing, and one that fails within its first calls gives way to the one before.
#[utoipa::path(
    post,
    path = "/plugins/{name}/reload",
    tag = "plugins",
    params(("name" = String, Path, description = "The instance's name; `_` and `-` are the same.")),
    responses((status = 200, description = "What came of it, and the plugin.", body = PluginReload))
)]
pub(crate) async fn reload_plugin(
    State(app): State<AppState>,
    Path(name): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<PluginReload> {
    let (outcome, plugin) = app.host.plugins().reload(&name).await?;
    Ok(Json(PluginReload::of(outcome, plugin)))
}

/// Look at every plugin's folder again, and take up what is new, gone or changed there.
///
/// What `/plugins/{name}/reload` does for one, for all at once.
#[utoipa::path(
    post,
    path = "/plugins/reload",
    tag = "plugins",
    responses((status = 200, description = "The instances that became others, or did not although they should.", body = PluginReloads))
)]
pub(crate) async fn reload_plugins(State(app): State<AppState>, QueryOf(NoParameters {}): QueryOf<NoParameters>) -> Answer<PluginReloads> {
    let changed = app.host.plugins().reload_all().await?;
    Ok(Json(PluginReloads { changed: changed.into_iter().map(|(outcome, plugin)| PluginReload::of(outcome, plugin)).collect() }))
}

/// Show a plugin's configuration, layer by layer.
#[utoipa::path(
    get,
    path = "/plugins/{name}/config",
    tag = "plugins",
    params(("name" = String, Path, description = "The instance's name; `_` and `-` are the same.")),
    responses((status = 200, description = "The configuration.", body = PluginConfig))
)]
pub(crate) async fn show_plugin_config(
    State(app): State<AppState>,
    Path(name): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<PluginConfig> {
    Ok(Json(app.host.plugin_config(&name).await?.into()))
}

/// Set what stands above the configuration in manifest and settings; it stays so through restarts.
///
/// It replaces what was set before and is checked against the plugin's schema.
#[utoipa::path(
    put,
    path = "/plugins/{name}/config",
    tag = "plugins",
    params(("name" = String, Path, description = "The instance's name; `_` and `-` are the same.")),
    request_body = SetPluginConfig,
    responses((status = 200, description = "The configuration, in force from the next call on.", body = PluginConfig))
)]
pub(crate) async fn set_plugin_config(
    State(app): State<AppState>,
    Path(name): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
    JsonBody(request): JsonBody<SetPluginConfig>,
) -> Answer<PluginConfig> {
    Ok(Json(app.host.set_plugin_config(&name, request.config, request.version).await?.into()))
}

/// Show what a plugin's calls came to, and its last errors.
#[utoipa::path(
    get,
    path = "/plugins/{name}/metrics",
    tag = "plugins",
    params(("name" = String, Path, description = "The instance's name; `_` and `-` are the same.")),
    responses((status = 200, description = "Since the host started, through reloads.", body = PluginMetrics))
)]
pub(crate) async fn show_plugin_metrics(
    State(app): State<AppState>,
    Path(name): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<PluginMetrics> {
    let metrics = app.host.plugins().metrics(&name)?;
    Ok(Json(PluginMetrics::of(app.host.plugins().inspect(&name)?.name, metrics)))
}

/// Show what a plugin asks for, what it was granted and how often it used it.
#[utoipa::path(
    get,
    path = "/plugins/{name}/grants",
    tag = "plugins",
    params(("name" = String, Path, description = "The instance's name; `_` and `-` are the same.")),
    responses((status = 200, description = "The grants.", body = PluginGrants))
)]
pub(crate) async fn show_plugin_grants(
    State(app): State<AppState>,
    Path(name): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<PluginGrants> {
    let (asked, granted) = app.host.plugins().grants(&name)?;
    let metrics = app.host.plugins().metrics(&name)?;
    Ok(Json(PluginGrants::of(app.host.plugins().inspect(&name)?, asked, granted, metrics)))
}
