//! Every route of the host, in one list, and what lies around all of them.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::routes::{alerts, data, deployments, imports, jobs, models, monitoring, plugins, serving, system};
use crate::{auth, openapi, problem, trace};

/// Where the product's own routes begin.
pub(crate) const API: &str = "/mlops/api";

/// The routes: each handler carries its method and path.
fn listed() -> OpenApiRouter<AppState> {
    let api = OpenApiRouter::new()
        .routes(routes!(models::register_model))
        .routes(routes!(imports::import_model))
        .routes(routes!(models::list_models))
        .routes(routes!(models::show_model))
        .routes(routes!(models::download_artifact))
        .routes(routes!(models::archive_model))
        .routes(routes!(deployments::deploy_model))
        .routes(routes!(deployments::list_deployments))
        .routes(routes!(deployments::show_deployment))
        .routes(routes!(deployments::abort_deployment))
        .routes(routes!(deployments::approve_deployment))
        .routes(routes!(deployments::list_endpoints))
        .routes(routes!(deployments::show_endpoint))
        .routes(routes!(jobs::create_job, jobs::list_jobs))
        .routes(routes!(jobs::show_job))
        .routes(routes!(jobs::cancel_job))
        .routes(routes!(jobs::read_job_log))
        .routes(routes!(jobs::show_job_losses))
        .routes(routes!(data::ingest_bars))
        .routes(routes!(data::list_series))
        .routes(routes!(data::describe_series))
        .routes(routes!(serving::predict))
        .routes(routes!(serving::list_predictions))
        .routes(routes!(monitoring::check_drift, monitoring::list_drift_reports))
        .routes(routes!(monitoring::check_drift_of_bars))
        .routes(routes!(monitoring::show_dashboard))
        .routes(routes!(alerts::list_alerts))
        .routes(routes!(alerts::show_alert))
        .routes(routes!(plugins::list_plugins))
        .routes(routes!(plugins::show_plugin))
        .routes(routes!(plugins::enable_plugin))
        .routes(routes!(plugins::disable_plugin))
        .routes(routes!(plugins::reload_plugin))
        .routes(routes!(plugins::reload_plugins))
        .routes(routes!(plugins::show_plugin_config, plugins::set_plugin_config))
        .routes(routes!(plugins::show_plugin_metrics))
        .routes(routes!(plugins::show_plugin_grants))
        .routes(routes!(system::show_version));
    OpenApiRouter::new()
        .nest(API, api)
        .routes(routes!(system::show_liveness))
        .routes(routes!(system::show_readiness))
        .routes(routes!(system::show_metrics))
}

/// The routes with everything around them, ready to be served or called in a test.
pub fn router(app: AppState) -> Router {
    let (routes, paths) = listed().split_for_parts();
    let document = openapi::finish(paths).to_pretty_json().expect("the document is plain data");
    let document = move || async move { ([(http::header::CONTENT_TYPE, "application/json")], document) };
    around(routes.route("/openapi.json", get(document)), app)
}

/// The OpenAPI document of the routes.
pub fn document() -> OpenApi {
    openapi::finish(listed().into_openapi())
}

/// What every request passes, from the outside in: id and log, the net for panics, the token, the time limit.
pub(crate) fn around(routes: Router<AppState>, app: AppState) -> Router {
    routes
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
        .layer(from_fn_with_state(app.clone(), trace::limit_time))
        .layer(from_fn_with_state(app.clone(), auth::require_token))
        .layer(CatchPanicLayer::custom(trace::panicked))
        .layer(from_fn(trace::follow))
        .with_state(app)
}

#[cfg(test)]
mod tests;
