//! Rollouts: what is asked for, and the records that answer. The work itself is in `controller`, the candidate's
//! examination in `health`.

use bellwether_domain::id;
use bellwether_domain::model::{ModelStatus, ModelVersion};
use bellwether_domain::rollout::{Rollout, RolloutPhase};
use bellwether_domain::{Error, Result};
use bellwether_store::Transaction;
use uuid::Uuid;

use crate::records::{Claim, Kept, UsedKey, digest_of, newest};
use crate::{Host, Listing, PageRequest};

mod controller;
mod health;

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

/// Adds a rollout's beginning to a transaction: its record, and the claim that keeps others off its endpoint.
pub(crate) fn begin(transaction: &mut Transaction, rollout: &Rollout) -> Result<()> {
    transaction.insert(&Claim { endpoint: rollout.endpoint.clone(), deployment_id: rollout.deployment_id.clone() })?;
    transaction.insert(&Kept(rollout.clone()))
}

impl Host {
    /// Begins a rollout; when this returns `Ok` it is on disk and goes on by itself, through restarts too.
    /// Errors: `NotFound` (model; strategy with the near match); `Conflict` when the version failed its gates, is not
    /// ready, serves the endpoint already, or the endpoint has a rollout under way.
    pub async fn deploy(&self, request: DeployRequest) -> Result<Rollout> {
        let digest = digest_of(&(&request.model_id, &request.strategy, &request.endpoint, &request.config))?;
        let key = request.idempotency_key.as_deref().map(|key| UsedKey::name("deployment", key)).transpose()?;
        // Taken before the key is looked up: of one request sent twice at once, the second finds what the first made.
        let _turn = self.inner.rollout_turn.lock().await;
        if let Some(id) = self.made_before(key.as_deref(), &digest).await? {
            return self.deployment(&id).await;
        }
        let model = self.model(&request.model_id).await?;
        let rollout = self.new_rollout(&request, &model)?;
        self.check_candidate(&model, &rollout).await?;
        self.ready().await?;
        let mut transaction = Transaction::new();
        begin(&mut transaction, &rollout)?;
        if let Some(key) = key {
            transaction.insert(&UsedKey { key, request: digest, id: rollout.deployment_id.clone() })?;
        }
        match self.inner.records.commit(transaction).await {
            Ok(()) => {}
            // Another host's rollout of this endpoint was faster by a moment.
            Err(Error::AlreadyExists { .. }) => {
                return Err(Error::Conflict(format!(
                    "endpoint `{}` got another rollout just now; look at it and try again",
                    rollout.endpoint
                )));
            }
            Err(other) => return Err(other),
        }
        tracing::info!(deployment.id = %rollout.deployment_id, model.id = %rollout.candidate, endpoint = %rollout.endpoint, "a rollout began");
        self.drive_rollout(rollout.deployment_id.clone());
        Ok(rollout)
    }

    /// The record of a rollout about to begin.
    pub(crate) fn new_rollout(&self, request: &DeployRequest, model: &ModelVersion) -> Result<Rollout> {
        let name = request.strategy.as_deref().unwrap_or(&self.config().deployment.default_strategy);
        let strategy = self.plugins().strategy(name)?;
        let config = self.plugins().configure(strategy.name(), &serde_json::Value::Object(request.config.clone()))?;
        let endpoint = match &request.endpoint {
            Some(endpoint) => {
                id::check_name("endpoint", endpoint)?;
                endpoint.clone()
            }
            None => model.symbol.slug(),
        };
        let now = self.clock().now();
        Ok(Rollout {
            deployment_id: format!("dep_{}", Uuid::now_v7().simple()),
            stable: self.stable_of(&endpoint),
            endpoint,
            candidate: model.model_id.clone(),
            strategy: strategy.name().to_owned(),
            config,
            phase: RolloutPhase::Progressing,
            reason: "it began".to_owned(),
            steps: Vec::new(),
            health: None,
            analysis: None,
            approved: false,
            state: Vec::new(),
            created_at: now,
            updated_at: now,
            finished_at: None,
            idempotency_key: request.idempotency_key.clone(),
        })
    }

    async fn check_candidate(&self, model: &ModelVersion, rollout: &Rollout) -> Result<()> {
        let id = &model.model_id;
        match model.status {
            ModelStatus::Registered | ModelStatus::Deployed | ModelStatus::Archived => {}
            ModelStatus::Rejected => {
                let failed: Vec<&str> = model.gates.iter().filter(|gate| !gate.passed).map(|gate| gate.reason.as_str()).collect();
                return Err(Error::Conflict(format!("model `{id}` failed its gates and is not deployed: {}", failed.join("; "))));
            }
            ModelStatus::Training | ModelStatus::Failed => {
                return Err(Error::Conflict(format!("model `{id}` is {} and cannot be deployed", model.status.name())));
            }
        }
        let endpoint = &rollout.endpoint;
        if rollout.stable.as_ref() == Some(id) {
            return Err(Error::Conflict(format!("model `{id}` serves endpoint `{endpoint}` already")));
        }
        match self.inner.records.of::<Claim>().get(endpoint).await? {
            Some(other) => {
                let other = &other.value.deployment_id;
                Err(Error::Conflict(format!("endpoint `{endpoint}` has rollout `{other}` under way; wait for it or abort it")))
            }
            None => Ok(()),
        }
    }

    /// True when an endpoint has a rollout under way.
    pub(crate) async fn is_claimed(&self, endpoint: &str) -> Result<bool> {
        Ok(self.inner.records.of::<Claim>().get(endpoint).await?.is_some())
    }

    /// One rollout. Errors: `NotFound`.
    pub async fn deployment(&self, deployment_id: &str) -> Result<Rollout> {
        let found = self.inner.records.of::<Kept<Rollout>>().get(deployment_id).await?;
        found.map(|record| record.value.0).ok_or_else(|| Error::not_found("deployment", deployment_id))
    }

    /// Rollouts, newest first.
    pub async fn deployments(&self, page: &PageRequest) -> Result<Listing<Rollout>> {
        newest(&self.inner.records.of::<Kept<Rollout>>(), None, page, |_| true, |kept| kept.0).await
    }

    /// Ends a rollout; the stable version serves alone. A finished one is a `Conflict`.
    pub async fn abort_deployment(&self, deployment_id: &str, reason: &str) -> Result<Rollout> {
        self.deployment(deployment_id).await?;
        let reason = if reason.is_empty() { "aborted by a person" } else { reason };
        loop {
            let record = self.inner.records.of::<Kept<Rollout>>().get(deployment_id).await?;
            let record = record.ok_or_else(|| Error::not_found("deployment", deployment_id))?;
            if record.value.0.phase.is_final() {
                return Err(Error::Conflict(format!("deployment `{deployment_id}` has ended already: {}", record.value.0.reason)));
            }
            match self.finish_rollout(record, RolloutPhase::Aborted, reason).await {
                Err(Error::Conflict(_)) => {}
                outcome => return outcome,
            }
        }
    }

    /// Ends a pause that waits for a person. `Conflict` when it does not.
    pub async fn approve_deployment(&self, deployment_id: &str) -> Result<Rollout> {
        self.deployment(deployment_id).await?;
        let rollouts = self.inner.records.of::<Kept<Rollout>>();
        let (_, rollout) = rollouts
            .modify(deployment_id, |rollout| {
                if rollout.0.phase != RolloutPhase::Paused {
                    return Err(Error::Conflict(format!("deployment `{}` does not wait for approval", rollout.0.deployment_id)));
                }
                rollout.0.approved = true;
                rollout.0.phase = RolloutPhase::Progressing;
                rollout.0.reason = "approved".to_owned();
                Ok(())
            })
            .await?;
        self.drive_rollout(deployment_id.to_owned());
        Ok(rollout.value.0)
    }
}
