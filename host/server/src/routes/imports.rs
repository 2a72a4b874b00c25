//! `/models/import`: models exported as ONNX.

use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bellwether_domain::Error;
use bellwether_engine::import::Import;
use http::StatusCode;

use crate::app::AppState;
use crate::extract::{IdempotencyKey, JsonBody, NoParameters, QueryOf};
use crate::problem::Problem;
use crate::wire::imports::{ImportRequest, ImportedModel};

/// Import a model exported as ONNX.
///
/// The graph becomes a network description that this host serves natively; the first operator that has no counterpart is
/// named. With a sample, the outputs are compared before anything is stored. The gates then decide as for any upload.
#[utoipa::path(
    post,
    path = "/models/import",
    tag = "models",
    params(("idempotency-key" = Option<String>, Header, description = "The same key and content give the same version.")),
    request_body = ImportRequest,
    responses((status = 201, description = "The version.", body = ImportedModel))
)]
pub(crate) async fn import_model(
    State(app): State<AppState>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
    IdempotencyKey(idempotency_key): IdempotencyKey,
    JsonBody(request): JsonBody<ImportRequest>,
) -> Result<(StatusCode, Json<ImportedModel>), Problem> {
    let ImportRequest {
        model,
        model_type,
        symbol,
        interval,
        target,
        features,
        sequence_length,
        scaler,
        target_scaler,
        sample,
        metrics,
        metadata,
    } = request;
    let model = STANDARD
        .decode(model.as_bytes())
        .map_err(|error| Error::invalid("model", format!("is not base64 ({error}); send the ONNX file in standard base64 with padding")))?;
    let import = Import {
        model,
        model_type,
        symbol,
        interval,
        target: target.into(),
        features,
        sequence_length,
        scaler: scaler.map(Into::into),
        target_scaler: target_scaler.map(Into::into),
        sample: sample.map(Into::into),
        metrics: metrics.into(),
        metadata,
        idempotency_key,
    };
    Ok((StatusCode::CREATED, Json(app.host.import_model(import).await?.into())))
}
