//! `/monitoring/drift` and `/monitoring/dashboard`.

use axum::Json;
use axum::extract::State;

use super::{Answer, page};
use crate::app::AppState;
use crate::extract::{JsonBody, NoParameters, QueryOf};
use crate::wire::monitoring::{Dashboard, DriftOfBarsRequest, DriftQuery, DriftReport, DriftReportPage, DriftRequest};

/// Check current features of a version's inputs for drift.
///
/// They are compared with the baselines stored in its artifact; the report is stored, its alert fired or resolved.
#[utoipa::path(
    post,
    path = "/monitoring/drift",
    tag = "monitoring",
    request_body = DriftRequest,
    responses((status = 200, description = "The report.", body = DriftReport))
)]
pub(crate) async fn check_drift(
    State(app): State<AppState>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
    JsonBody(request): JsonBody<DriftRequest>,
) -> Answer<DriftReport> {
    Ok(Json(app.host.check_drift(&request.model_id, request.data).await?.into()))
}

/// Check bars of a version's own series for drift; the host computes the features.
#[utoipa::path(
    post,
    path = "/monitoring/drift/bars",
    tag = "monitoring",
    request_body = DriftOfBarsRequest,
    responses((status = 200, description = "The report.", body = DriftReport))
)]
pub(crate) async fn check_drift_of_bars(
    State(app): State<AppState>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
    JsonBody(request): JsonBody<DriftOfBarsRequest>,
) -> Answer<DriftReport> {
    Ok(Json(app.host.check_drift_of_bars(&request.model_id, request.from, request.until).await?.into()))
}

/// List drift reports, newest first.
#[utoipa::path(
    get,
    path = "/monitoring/drift",
    tag = "monitoring",
    params(DriftQuery),
    responses((status = 200, description = "A page.", body = DriftReportPage))
)]
pub(crate) async fn list_drift_reports(State(app): State<AppState>, QueryOf(query): QueryOf<DriftQuery>) -> Answer<DriftReportPage> {
    let listing = app.host.drift_reports(query.model_id.as_deref(), &page(query.limit, query.cursor)).await?;
    let reports = listing.items.into_iter().map(Into::into).collect();
    Ok(Json(DriftReportPage { reports, next_cursor: listing.next_cursor }))
}

/// The dashboard's figures.
#[utoipa::path(get, path = "/monitoring/dashboard", tag = "monitoring", responses((status = 200, description = "The figures.", body = Dashboard)))]
pub(crate) async fn show_dashboard(State(app): State<AppState>, QueryOf(NoParameters {}): QueryOf<NoParameters>) -> Answer<Dashboard> {
    Ok(Json(app.host.dashboard().await?.into()))
}
