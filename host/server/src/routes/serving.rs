//! `/predict` and `/predictions`.

use axum::Json;
use axum::extract::State;

use super::{Answer, page};
use crate::app::AppState;
use crate::extract::{JsonBody, NoParameters, QueryOf};
use crate::wire::serving::{LoggedPrediction, PredictRequest, PredictResponse, PredictionPage, PredictionQuery};

/// Answer a question, by endpoint, symbol or version.
///
/// When the answer is sent, it is in the prediction log on disk.
#[utoipa::path(
    post,
    path = "/predict",
    tag = "serving",
    request_body = PredictRequest,
    responses((status = 200, description = "The answers.", body = PredictResponse))
)]
pub(crate) async fn predict(
    State(app): State<AppState>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
    JsonBody(request): JsonBody<PredictRequest>,
) -> Answer<PredictResponse> {
    Ok(Json(app.host.predict(request.try_into()?).await?.into()))
}

/// List answered predictions, newest first.
#[utoipa::path(
    get,
    path = "/predictions",
    tag = "serving",
    params(PredictionQuery),
    responses((status = 200, description = "A page.", body = PredictionPage))
)]
pub(crate) async fn list_predictions(State(app): State<AppState>, QueryOf(query): QueryOf<PredictionQuery>) -> Answer<PredictionPage> {
    let PredictionQuery { model_id, limit, cursor } = query;
    let limit = page(limit, None).limit()?;
    let entries = app.host.predictions(model_id.as_deref(), cursor.as_deref(), limit).await?;
    let predictions: Vec<LoggedPrediction> = entries.into_iter().map(Into::into).collect();
    let next_cursor = predictions.last().filter(|_| predictions.len() == limit).map(|last| last.prediction_id.clone());
    Ok(Json(PredictionPage { predictions, next_cursor }))
}
