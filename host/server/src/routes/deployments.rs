//! `/models/deploy`, `/deployments`, `/endpoints`: rollouts and what they lead to.

use axum::Json;
use axum::extract::{Path, State};
use bellwether_engine::rollout;
use http::StatusCode;

use super::{Answer, page};
use crate::app::AppState;
use crate::extract::{IdempotencyKey, JsonBody, NoParameters, OptionalJson, QueryOf};
use crate::problem::Problem;
use crate::wire::deployments::{AbortRequest, DeployRequest, Deployment, DeploymentPage, Endpoint, EndpointList, PageQuery};

/// Begin a rollout of a version.
///
/// It goes on by itself, through restarts too; look at it under `/deployments/{deployment_id}`.
#[utoipa::path(
    post,
    path = "/models/deploy",
    tag = "deployments",
    params(("idempotency-key" = Option<String>, Header, description = "The same key and request give the same rollout.")),
    request_body = DeployRequest,
    responses((status = 202, description = "The rollout, begun.", body = Deployment))
)]
pub(crate) async fn deploy_model(
    State(app): State<AppState>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
    IdempotencyKey(idempotency_key): IdempotencyKey,
    JsonBody(request): JsonBody<DeployRequest>,
) -> Result<(StatusCode, Json<Deployment>), Problem> {
    let DeployRequest { model_id, deployment_strategy: strategy, endpoint, config } = request;
    let wish = rollout::DeployRequest { model_id, strategy, endpoint, config, idempotency_key };
    Ok((StatusCode::ACCEPTED, Json(app.host.deploy(wish).await?.into())))
}

/// List rollouts, newest first.
#[utoipa::path(get, path = "/deployments", tag = "deployments", params(PageQuery), responses((status = 200, description = "A page.", body = DeploymentPage)))]
pub(crate) async fn list_deployments(State(app): State<AppState>, QueryOf(query): QueryOf<PageQuery>) -> Answer<DeploymentPage> {
    let listing = app.host.deployments(&page(query.limit, query.cursor)).await?;
    let deployments = listing.items.into_iter().map(Into::into).collect();
    Ok(Json(DeploymentPage { deployments, next_cursor: listing.next_cursor }))
}

/// Show one rollout: phase, steps with reasons, health check.
#[utoipa::path(
    get,
    path = "/deployments/{deployment_id}",
    tag = "deployments",
    params(("deployment_id" = String, Path, description = "The rollout's id.")),
    responses((status = 200, description = "The rollout.", body = Deployment))
)]
pub(crate) async fn show_deployment(
    State(app): State<AppState>,
    Path(deployment_id): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<Deployment> {
    Ok(Json(app.host.deployment(&deployment_id).await?.into()))
}

/// End a rollout; the stable version serves alone.
#[utoipa::path(
    post,
    path = "/deployments/{deployment_id}/abort",
    tag = "deployments",
    params(("deployment_id" = String, Path, description = "The rollout's id.")),
    request_body(content = Option<AbortRequest>, description = "May be absent."),
    responses((status = 200, description = "The rollout, aborted.", body = Deployment))
)]
pub(crate) async fn abort_deployment(
    State(app): State<AppState>,
    Path(deployment_id): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
    OptionalJson(request): OptionalJson<AbortRequest>,
) -> Answer<Deployment> {
    let reason = request.reason.unwrap_or_else(|| "aborted over REST".to_owned());
    Ok(Json(app.host.abort_deployment(&deployment_id, &reason).await?.into()))
}

/// End a pause that waits for a person.
#[utoipa::path(
    post,
    path = "/deployments/{deployment_id}/approve",
    tag = "deployments",
    params(("deployment_id" = String, Path, description = "The rollout's id.")),
    responses((status = 200, description = "The rollout, going on.", body = Deployment))
)]
pub(crate) async fn approve_deployment(
    State(app): State<AppState>,
    Path(deployment_id): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<Deployment> {
    Ok(Json(app.host.approve_deployment(&deployment_id).await?.into()))
}

/// List endpoints and who answers on them.
#[utoipa::path(get, path = "/endpoints", tag = "deployments", responses((status = 200, description = "All endpoints.", body = EndpointList)))]
pub(crate) async fn list_endpoints(State(app): State<AppState>, QueryOf(NoParameters {}): QueryOf<NoParameters>) -> Answer<EndpointList> {
    let endpoints = app.host.endpoints().await?.into_iter().map(Into::into).collect();
    Ok(Json(EndpointList { endpoints }))
}

/// Show one endpoint.
#[utoipa::path(
    get,
    path = "/endpoints/{name}",
    tag = "deployments",
    params(("name" = String, Path, description = "The endpoint's name, for example `BTC-USDT`.")),
    responses((status = 200, description = "The endpoint.", body = Endpoint))
)]
pub(crate) async fn show_endpoint(
    State(app): State<AppState>,
    Path(name): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<Endpoint> {
    Ok(Json(app.host.endpoint(&name).await?.into()))
}
