//! `/training/jobs`: create, list, watch, cancel, read the log and the losses.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bellwether_engine::training::JobFilter;
use http::StatusCode;
use http::header::LOCATION;

use super::{Answer, page};
use crate::app::AppState;
use crate::extract::{IdempotencyKey, JsonBody, NoParameters, QueryOf};
use crate::problem::Problem;
use crate::wire::jobs::{JobLog, JobLosses, JobPage, JobQuery, LogQuery, TrainingJob, TrainingRequest};

/// Accept a training job.
///
/// Everything that can be checked is checked before it is accepted. It then waits for a slot and runs in a process of its own.
#[utoipa::path(
    post,
    path = "/training/jobs",
    tag = "training",
    params(("idempotency-key" = Option<String>, Header, description = "The same key and request give the same job.")),
    request_body = TrainingRequest,
    responses(
        (status = 201, description = "The job, accepted.", body = TrainingJob, headers(("location" = String, description = "Where to look at it."))),
        (status = 200, description = "The job that the same key created before.", body = TrainingJob)
    )
)]
pub(crate) async fn create_job(
    State(app): State<AppState>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(request): JsonBody<TrainingRequest>,
) -> Result<Response, Problem> {
    let (job, created) = app.host.create_job(request.into(), key).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let location = [(LOCATION, format!("{}/training/jobs/{}", crate::router::API, job.job_id))];
    Ok((status, location, Json(TrainingJob::from(job))).into_response())
}

/// List training jobs, newest first.
#[utoipa::path(get, path = "/training/jobs", tag = "training", params(JobQuery), responses((status = 200, description = "A page.", body = JobPage)))]
pub(crate) async fn list_jobs(State(app): State<AppState>, QueryOf(query): QueryOf<JobQuery>) -> Answer<JobPage> {
    let JobQuery { state, model_type, symbol, limit, cursor } = query;
    let listing = app.host.jobs(&JobFilter { state, model_type, symbol }, &page(limit, cursor)).await?;
    let jobs = listing.items.into_iter().map(Into::into).collect();
    Ok(Json(JobPage { jobs, next_cursor: listing.next_cursor }))
}

/// Show one training job with live progress.
#[utoipa::path(
    get,
    path = "/training/jobs/{job_id}",
    tag = "training",
    params(("job_id" = String, Path, description = "The job's id.")),
    responses((status = 200, description = "The job.", body = TrainingJob))
)]
pub(crate) async fn show_job(
    State(app): State<AppState>,
    Path(job_id): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<TrainingJob> {
    Ok(Json(app.host.job(&job_id).await?.into()))
}

/// Cancel a training job.
#[utoipa::path(
    post,
    path = "/training/jobs/{job_id}/cancel",
    tag = "training",
    params(("job_id" = String, Path, description = "The job's id.")),
    responses((status = 200, description = "The job, cancelled.", body = TrainingJob))
)]
pub(crate) async fn cancel_job(
    State(app): State<AppState>,
    Path(job_id): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<TrainingJob> {
    Ok(Json(app.host.cancel_job(&job_id).await?.into()))
}

/// Read a job's log.
#[utoipa::path(
    get,
    path = "/training/jobs/{job_id}/log",
    tag = "training",
    params(("job_id" = String, Path, description = "The job's id."), LogQuery),
    responses((status = 200, description = "Lines in order.", body = JobLog))
)]
pub(crate) async fn read_job_log(
    State(app): State<AppState>,
    Path(job_id): Path<String>,
    QueryOf(query): QueryOf<LogQuery>,
) -> Answer<JobLog> {
    let lines = app.host.job_log(&job_id, query.after).await?.into_iter().map(Into::into).collect();
    Ok(Json(JobLog { lines }))
}

/// Show how the losses of a job went, epoch by epoch.
#[utoipa::path(
    get,
    path = "/training/jobs/{job_id}/losses",
    tag = "training",
    params(("job_id" = String, Path, description = "The job's id.")),
    responses((status = 200, description = "The losses so far; at most 2000 epochs.", body = JobLosses))
)]
pub(crate) async fn show_job_losses(
    State(app): State<AppState>,
    Path(job_id): Path<String>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
) -> Answer<JobLosses> {
    Ok(Json(app.host.job_losses(&job_id).await?.into()))
}
