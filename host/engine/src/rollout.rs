//! Rollouts: the controller that asks a strategy what comes next, carries it out, stores it, waits.

use bellwether_domain::Result;
use bellwether_domain::rollout::Rollout;

use crate::{Host, Listing, PageRequest};

/// A wish to deploy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeployRequest {
    /// The candidate.
    pub model_id: String,
    /// The strategy; the host's default when absent.
    pub strategy: Option<String>,
    /// The endpoint; the symbol's own when absent.
    pub endpoint: Option<String>,
    /// Configuration of the strategy, laid over its instance's own.
    pub config: serde_json::Map<String, serde_json::Value>,
    /// The caller's key: the same key and request give the same rollout.
    pub idempotency_key: Option<String>,
}

impl Host {
    /// Begins a rollout; when this returns `Ok` it is on disk and goes on by itself, through restarts too.
    /// Errors: `NotFound` (model; strategy with the near match); `Conflict` when the version failed its gates, is not
    /// ready, serves the endpoint already, or the endpoint has a rollout under way.
    pub async fn deploy(&self, request: DeployRequest) -> Result<Rollout> {
        let _ = request;
        todo!()
    }

    /// One rollout. Errors: `NotFound`.
    pub async fn deployment(&self, deployment_id: &str) -> Result<Rollout> {
        let _ = deployment_id;
        todo!()
    }

    /// Rollouts, newest first.
    pub async fn deployments(&self, page: &PageRequest) -> Result<Listing<Rollout>> {
        let _ = page;
        todo!()
    }

    /// Ends a rollout; the stable version serves alone. A finished one is a `Conflict`.
    pub async fn abort_deployment(&self, deployment_id: &str, reason: &str) -> Result<Rollout> {
        let _ = (deployment_id, reason);
        todo!()
    }

    /// Ends a pause that waits for a person. `Conflict` when it does not.
    pub async fn approve_deployment(&self, deployment_id: &str) -> Result<Rollout> {
        let _ = deployment_id;
        todo!()
    }
}
