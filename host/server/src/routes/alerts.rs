//! `/monitoring/alerts`: what fired, and where it was sent.

use axum::Json;
use axum::extract::{Path, State};

use super::{Answer, page};
use crate::app::AppState;
use crate::extract::{NoParameters, QueryOf};
use crate::wire::alerts::{Alert, AlertPage, AlertQuery};

/// List alerts, newest first.
#[utoipa::path(get, path = "/monitoring/alerts", tag = "monitoring", params(AlertQuery), responses((status = 200, description = "A page.", body = AlertPage)))]
pub(crate) async fn list_alerts(State(app): State<AppState>, QueryOf(query): QueryOf<AlertQuery>) -> Answer<AlertPage> {
    let listing = app.host.alerts(query.phase, &page(query.limit, query.cursor)).await?;
    let alerts = listing.items.into_iter().map(Into::into).collect();
    Ok(Json(AlertPage { alerts, next_cursor: listing.next_cursor }))
}

/// Show one alert and its deliveries.
#[utoipa::path(
    get,
    path = "/monitoring/alerts/{alert_id}",
    tag = "monitoring",
    params(("alert_id" = String, Path, description = "The alert's id.")),
    responses((status = 200, description = "The alert.", body = Alert))
)]
pub(crate) async fn show_alert(
    State(app): State<AppState>,
    Path(alert_id): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<Alert> {
    Ok(Json(app.host.alert(&alert_id).await?.into()))
}
