//! `/models`: register, list, show, download, archive.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bellwether_domain::Error;
use bellwether_engine::registry::{ModelFilter, Registration};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ETAG};
use http::{HeaderName, StatusCode};

use super::{Answer, page};
use crate::app::AppState;
use crate::extract::{IdempotencyKey, JsonBody, NoParameters, QueryOf};
use crate::problem::Problem;
use crate::wire::models::{ArtifactFile, Model, ModelPage, ModelQuery, RegisterRequest};

/// Register a model version trained elsewhere.
///
/// The artifact is checked whole (digests, shapes, a trial run); the gates then decide between `registered` and `rejected`.
#[utoipa::path(
    post,
    path = "/models/register",
    tag = "models",
    params(("idempotency-key" = Option<String>, Header, description = "The same key and content give the same version.")),
    request_body = RegisterRequest,
    responses((status = 201, description = "The version.", body = Model))
)]
pub(crate) async fn register_model(
    State(app): State<AppState>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
    IdempotencyKey(idempotency_key): IdempotencyKey,
    JsonBody(request): JsonBody<RegisterRequest>,
) -> Result<(StatusCode, Json<Model>), Problem> {
    let artifact = STANDARD.decode(request.model_data.as_bytes()).map_err(|error| {
        Error::invalid("model_data", format!("is not base64 ({error}); send the artifact in standard base64 with padding"))
    })?;
    let RegisterRequest { model_type, symbol, model_data: _, metrics, metadata } = request;
    let registration = Registration { model_type, symbol, artifact, metrics: metrics.into(), metadata, idempotency_key };
    let model = app.host.register_model(registration).await?;
    Ok((StatusCode::CREATED, Json(model.into())))
}

/// List model versions, newest first.
#[utoipa::path(get, path = "/models", tag = "models", params(ModelQuery), responses((status = 200, description = "A page.", body = ModelPage)))]
pub(crate) async fn list_models(State(app): State<AppState>, QueryOf(query): QueryOf<ModelQuery>) -> Answer<ModelPage> {
    let ModelQuery { model_type, symbol, status, limit, cursor } = query;
    let listing = app.host.models(&ModelFilter { model_type, symbol, status }, &page(limit, cursor)).await?;
    let models = listing.items.into_iter().map(Into::into).collect();
    Ok(Json(ModelPage { models, next_cursor: listing.next_cursor }))
}

/// Show one model version.
#[utoipa::path(
    get,
    path = "/models/{model_id}",
    tag = "models",
    params(("model_id" = String, Path, description = "The version's id.")),
    responses((status = 200, description = "The version.", body = Model))
)]
pub(crate) async fn show_model(
    State(app): State<AppState>,
    Path(model_id): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<Model> {
    Ok(Json(app.host.model(&model_id).await?.into()))
}

/// Download the portable artifact of a version.
///
/// A tar file with everything needed to serve the version elsewhere: what `POST /models/register` takes in base64.
#[utoipa::path(
    get,
    path = "/models/{model_id}/artifact",
    tag = "models",
    params(("model_id" = String, Path, description = "The version's id.")),
    responses((
        status = 200,
        description = "The artifact.",
        body = ArtifactFile,
        content_type = "application/x-tar",
        headers(("etag" = String, description = "SHA-256 of the file, in hex and quotes."), ("content-disposition" = String, description = "A file name."))
    ))
)]
pub(crate) async fn download_artifact(
    State(app): State<AppState>,
    Path(model_id): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Result<Response, Problem> {
    let model = app.host.model(&model_id).await?;
    let bytes = app.host.model_artifact(&model_id).await?;
    let headers: [(HeaderName, String); 3] = [
        (CONTENT_TYPE, "application/x-tar".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{}.tar\"", model.model_id)),
        (ETAG, format!("\"{}\"", model.artifact_digest)),
    ];
    Ok((headers, bytes).into_response())
}

/// Put a version away; it can no longer be deployed.
#[utoipa::path(
    post,
    path = "/models/{model_id}/archive",
    tag = "models",
    params(("model_id" = String, Path, description = "The version's id.")),
    responses((status = 200, description = "The version, archived.", body = Model))
)]
pub(crate) async fn archive_model(
    State(app): State<AppState>,
    Path(model_id): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<Model> {
    Ok(Json(app.host.archive_model(&model_id).await?.into()))
}
