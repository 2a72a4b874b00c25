//! The rollout controller: ask the strategy what comes next, carry it out, store it, wait; until it is promoted or rolled back.
//!
//! Every step is one transaction over the rollout and what it changes (endpoint, versions), so that a crash leaves a
//! rollout before or after a step, never within. A strategy that fails changes nothing: the traffic stays as it is while
//! it is asked again, and after [`FAILURES_MAX`] failures in a row the rollout is rolled back.

use std::time::Duration;

use bellwether_domain::alert::Severity;
use bellwether_domain::model::{ModelStatus, ModelVersion};
use bellwether_domain::rollout::{Action, Analysis, Decision, Endpoint, Rollout, RolloutPhase, RolloutView, Side, Step, Variant};
use bellwether_domain::{Error, Result};
use bellwether_store::{Transaction, Versioned};

use crate::Host;
use crate::alerting::Condition;
use crate::records::{Claim, Kept, model_key};

/// Failures of a strategy in a row before the rollout is rolled back.
const FAILURES_MAX: u32 = 5;

/// A candidate may fail this much more often than the stable version before an analysis says no.
const ERROR_SHARE_MARGIN: f64 = 0.01;

/// A candidate's slowest percent may take this many times as long as the stable version's.
const LATENCY_RATIO_MAX: f64 = 2.0;

/// What the controller does after a step.
enum Next {
    Go,
    Wait(Duration),
    Stop,
}

impl Host {
    /// Takes up rollouts that were under way.
    pub(crate) async fn resume_rollouts(&self) -> Result<()> {
        for record in self.inner.records.of::<Kept<Rollout>>().all().await? {
            if !record.value.0.phase.is_final() {
                self.drive_rollout(record.value.0.deployment_id);
            }
        }
        Ok(())
    }

    /// Drives one rollout in the background.
    pub(crate) fn drive_rollout(&self, deployment_id: String) {
        let host = self.clone();
        self.inner.tasks.spawn("rollout", async move {
            let mut failures = 0;
            while !host.inner.tasks.is_stopping() {
                let wait = match host.step_rollout(&deployment_id).await {
                    Ok(Next::Go) => {
                        failures = 0;
                        continue;
                    }
                    Ok(Next::Stop) => return,
                    Ok(Next::Wait(time)) => time,
                    // Somebody else changed the rollout (an abort, an approval): look again.
                    Err(Error::Conflict(_)) => continue,
                    Err(error) => {
                        failures += 1;
                        tracing::warn!(deployment.id = %deployment_id, error = %error, failures, "a rollout step failed");
                        if failures >= FAILURES_MAX && host.give_up(&deployment_id, &error).await {
                            return;
                        }
                        Duration::from_millis(100 << failures.min(8))
                    }
                };
                if !host.inner.tasks.sleep(wait).await {
                    return;
                }
            }
        });
    }

    async fn give_up(&self, deployment_id: &str, error: &Error) -> bool {
        let reason = format!("the strategy failed {FAILURES_MAX} times in a row: {error}");
        let Ok(Some(record)) = self.inner.records.of::<Kept<Rollout>>().get(deployment_id).await else { return false };
        record.value.0.phase.is_final() || self.finish_rollout(record, RolloutPhase::RolledBack, &reason).await.is_ok()
    }

    /// One step of one rollout.
    async fn step_rollout(&self, deployment_id: &str) -> Result<Next> {
        let Some(record) = self.inner.records.of::<Kept<Rollout>>().get(deployment_id).await? else { return Ok(Next::Stop) };
        let rollout = &record.value.0;
        if rollout.phase.is_final() {
            return Ok(Next::Stop);
        }
        if let Some(wait) = self.pause_left(rollout) {
            return Ok(wait);
        }
        if rollout.steps.len() >= self.config().deployment.max_steps as usize {
            let reason = format!("the strategy took {} steps without an end", rollout.steps.len());
            return self.finish_rollout(record, RolloutPhase::RolledBack, &reason).await.map(|_| Next::Stop);
        }
        let strategy = self.plugins().strategy(&rollout.strategy)?;
        let decision = strategy.next(&self.view(rollout), &rollout.config).await?;
        self.apply(record, decision).await
    }

    /// How long the pause that was decided on last still lasts; none when there is none or it is over.
    fn pause_left(&self, rollout: &Rollout) -> Option<Next> {
        let last = rollout.steps.last()?;
        match last.action {
            Action::PauseFor { seconds } => {
                let left = i64::from(seconds) * 1000 - self.clock().now().since(last.at);
                (left > 0).then(|| Next::Wait(Duration::from_millis(left.unsigned_abs())))
            }
            // Approval starts the controller again.
            Action::PauseUntilApproved => (!rollout.approved).then_some(Next::Stop),
            _ => None,
        }
    }

    fn view(&self, rollout: &Rollout) -> RolloutView {
        let now = self.clock().now();
        let table = self.inner.serving.table();
        let weight = |model_id: &str| {
            let variants = table.endpoint(&rollout.endpoint).map(|endpoint| endpoint.variants.as_slice()).unwrap_or_default();
            variants.iter().find(|variant| variant.model_id == model_id).map_or((0.0, 0.0), |variant| (variant.share, variant.shadow))
        };
        let side = |model_id: &str| {
            let (share, shadow) = weight(model_id);
            let measured = self.inner.serving.measurement(&rollout.endpoint, model_id);
            Side { model_id: model_id.to_owned(), share, shadow, measured }
        };
        RolloutView {
            id: rollout.deployment_id.clone(),
            endpoint: rollout.endpoint.clone(),
            stable: rollout.stable.as_deref().map(side),
            candidate: side(&rollout.candidate),
            steps: rollout.steps.iter().map(|step| (step.number, step.action.clone(), now.since(step.at) as f64 / 1e3)).collect(),
            elapsed_seconds: now.since(rollout.created_at) as f64 / 1e3,
            now,
            health: rollout.health.clone(),
            analysis: rollout.analysis.clone(),
            approved: rollout.approved,
            state: rollout.state.clone(),
        }
    }

    async fn apply(&self, record: Versioned<Kept<Rollout>>, decision: Decision) -> Result<Next> {
        let Decision { action, reason, state } = decision;
        tracing::info!(deployment.id = %record.value.0.deployment_id, action = ?action, reason = %reason, "a rollout step");
        match &action {
            Action::Promote => return self.finish_rollout(record, RolloutPhase::Promoted, &reason).await.map(|_| Next::Stop),
            Action::Rollback { reason } => {
                let reason = reason.clone();
                return self.finish_rollout(record, RolloutPhase::RolledBack, &reason).await.map(|_| Next::Stop);
            }
            Action::SetWeight { .. }
            | Action::SetReplicas { .. }
            | Action::PauseFor { .. }
            | Action::PauseUntilApproved
            | Action::CheckHealth
            | Action::Analyse { .. } => {}
        }
        let mut rollout = record.value.0;
        let mut transaction = Transaction::new();
        let mut changed = None;
        match &action {
            Action::SetWeight { share, shadow } => changed = Some(self.reweight(&mut transaction, &rollout, *share, *shadow).await?),
            // A single host has one replica of each version, so k of n replicas means a share of k/n of the traffic.
            Action::SetReplicas { updated, total } => {
                let share = f64::from(*updated) / f64::from((*total).max(1));
                changed = Some(self.reweight(&mut transaction, &rollout, share.min(1.0), 0.0).await?);
            }
            Action::CheckHealth => rollout.health = Some(self.check_health(&rollout.candidate).await),
            Action::Analyse { seconds, least_requests, metrics } => {
                match self.analyse(&rollout, *seconds, *least_requests, metrics).await {
                    Some(analysis) => rollout.analysis = Some(analysis),
                    None => return Ok(Next::Stop),
                }
            }
            Action::PauseUntilApproved => rollout.phase = RolloutPhase::Paused,
            Action::PauseFor { .. } | Action::Promote | Action::Rollback { .. } => {}
        }
        let now = self.clock().now();
        rollout.approved = false;
        rollout.state = state;
        rollout.reason = reason.clone();
        rollout.updated_at = now;
        rollout.steps.push(Step { number: rollout.steps.len() as u32, action, reason, at: now });
        transaction.update(record.version, &Kept(rollout.clone()))?;
        self.inner.records.commit(transaction).await?;
        if let Some(endpoint) = changed {
            self.inner.serving.measure_anew(&endpoint.name);
            self.serve_endpoint(endpoint).await;
        }
        Ok(Next::Go)
    }

    /// Adds the endpoint with the candidate at a share to a transaction.
    async fn reweight(&self, transaction: &mut Transaction, rollout: &Rollout, share: f64, shadow: f64) -> Result<Endpoint> {
        let variant = |name: &str, model_id: &str, share: f64, shadow: f64| Variant {
            name: name.to_owned(),
            model_id: model_id.to_owned(),
            share,
            shadow,
        };
        let mut variants = Vec::new();
        if let Some(stable) = &rollout.stable {
            variants.push(variant("stable", stable, 1.0 - share, 0.0));
        }
        // The first version of an endpoint has nobody to share with: it answers as soon as it has any share.
        let share = if rollout.stable.is_none() && share > 0.0 { 1.0 } else { share };
        variants.push(variant("candidate", &rollout.candidate, share, shadow));
        self.write_endpoint(transaction, &rollout.endpoint, variants, |previous| previous).await
    }

    /// Adds an endpoint's new state to a transaction.
    async fn write_endpoint(
        &self,
        transaction: &mut Transaction,
        name: &str,
        variants: Vec<Variant>,
        previous: impl FnOnce(Option<String>) -> Option<String>,
    ) -> Result<Endpoint> {
        let known = self.inner.records.of::<Kept<Endpoint>>().get(name).await?;
        let before = known.as_ref().and_then(|record| record.value.0.previous.clone());
        let endpoint = Endpoint { name: name.to_owned(), variants, previous: previous(before), updated_at: self.clock().now() };
        match known {
            Some(record) => transaction.update(record.version, &Kept(endpoint.clone()))?,
            None => transaction.insert(&Kept(endpoint.clone()))?,
        }
        Ok(endpoint)
    }

    /// Ends a rollout: endpoint, both versions and the rollout itself change together; then the table is swapped.
    pub(super) async fn finish_rollout(&self, record: Versioned<Kept<Rollout>>, phase: RolloutPhase, reason: &str) -> Result<Rollout> {
        let turn = self.inner.rollout_turn.lock().await;
        let now = self.clock().now();
        let mut rollout = record.value.0;
        let promoted = phase == RolloutPhase::Promoted;
        let serves = if promoted { Some(rollout.candidate.clone()) } else { rollout.stable.clone() };
        let variants =
            serves.iter().map(|model_id| Variant { name: "stable".to_owned(), model_id: model_id.clone(), share: 1.0, shadow: 0.0 });
        let mut transaction = Transaction::new();
        let stable = rollout.stable.clone();
        let endpoint =
            self.write_endpoint(&mut transaction, &rollout.endpoint, variants.collect(), |previous| {
                if promoted { stable.or(previous) } else { previous }
            })
            .await?;
        if promoted {
            self.mark(&mut transaction, &rollout.candidate, ModelStatus::Deployed).await?;
            if let Some(old) = rollout.stable.as_deref().filter(|old| !self.serves_elsewhere(old, &rollout.endpoint)) {
                self.mark(&mut transaction, old, ModelStatus::Archived).await?;
            }
        }
        rollout.phase = phase;
        rollout.reason = reason.to_owned();
        rollout.updated_at = now;
        rollout.finished_at = Some(now);
        if !matches!(phase, RolloutPhase::Aborted) {
            let action = if promoted { Action::Promote } else { Action::Rollback { reason: reason.to_owned() } };
            rollout.steps.push(Step { number: rollout.steps.len() as u32, action, reason: reason.to_owned(), at: now });
        }
        transaction.update(record.version, &Kept(rollout.clone()))?;
        if let Some(claim) = self.inner.records.of::<Claim>().get(&rollout.endpoint).await? {
            transaction.delete::<Claim>(claim.version, &rollout.endpoint);
        }
        self.inner.records.commit(transaction).await?;
        self.serve_endpoint(endpoint).await;
        drop(turn);
        tracing::info!(deployment.id = %rollout.deployment_id, phase = ?phase, reason, "a rollout ended");
        if phase == RolloutPhase::RolledBack {
            self.fire_rolled_back(&rollout).await;
        }
        Ok(rollout)
    }

    async fn fire_rolled_back(&self, rollout: &Rollout) {
        let condition = Condition {
            name: "deployment-failed",
            severity: Severity::Critical,
            summary: format!("Deployment of {} on {} was rolled back: {}", rollout.candidate, rollout.endpoint, rollout.reason),
            model_id: Some(rollout.candidate.clone()),
            symbol: None,
            labels: [("deployment_id".to_owned(), rollout.deployment_id.clone()), ("endpoint".to_owned(), rollout.endpoint.clone())].into(),
            detail: serde_json::json!({ "health": rollout.health, "analysis": rollout.analysis }),
        };
        if let Err(error) = self.fire(condition).await {
            tracing::error!(deployment.id = %rollout.deployment_id, error = %error, "the alert of a rollback could not be stored");
        }
    }

    async fn mark(&self, transaction: &mut Transaction, model_id: &str, status: ModelStatus) -> Result<()> {
        let found = self.inner.records.of::<Kept<ModelVersion>>().get(&model_key(model_id)).await?;
        let Some(Versioned { version, value: Kept(mut model) }) = found else { return Ok(()) };
        model.status = status;
        model.updated_at = self.clock().now();
        transaction.update(version, &Kept(model))
    }

    fn serves_elsewhere(&self, model_id: &str, but: &str) -> bool {
        let endpoints = self.inner.serving.table().endpoints();
        endpoints.iter().any(|endpoint| endpoint.name != but && endpoint.variants.iter().any(|variant| variant.model_id == model_id))
    }

    /// Measures for a time and compares the candidate with the stable version; none when the host stops meanwhile.
    /// No data is no verdict.
    async fn analyse(&self, rollout: &Rollout, seconds: u32, least_requests: u64, metrics: &[String]) -> Option<Analysis> {
        self.inner.serving.measure_anew(&rollout.endpoint);
        if !self.inner.tasks.sleep(Duration::from_secs(u64::from(seconds))).await {
            return None;
        }
        let candidate = self.inner.serving.measurement(&rollout.endpoint, &rollout.candidate);
        let mut reasons: Vec<String> =
            metrics.iter().map(|metric| format!("there are no outcomes for `{metric}` on this host; it was not compared")).collect();
        if candidate.requests < least_requests.max(1) {
            reasons.push(format!(
                "the candidate answered {} predictions; {} are needed for a verdict",
                candidate.requests,
                least_requests.max(1)
            ));
            return Some(Analysis { passed: None, reasons });
        }
        let share = |errors: u64, requests: u64| errors as f64 / requests.max(1) as f64;
        let stable = rollout.stable.as_ref().map(|stable| self.inner.serving.measurement(&rollout.endpoint, stable));
        let allowed = stable.as_ref().map_or(0.0, |stable| share(stable.errors, stable.requests)) + ERROR_SHARE_MARGIN;
        let errors = share(candidate.errors, candidate.requests);
        let mut passed = errors <= allowed;
        reasons.push(format!("{:.2} % of the candidate's predictions failed; {:.2} % are allowed", errors * 100.0, allowed * 100.0));
        let limit = stable
            .and_then(|stable| stable.latency_p99_ms)
            .map_or(self.config().deployment.health_check_latency_ms, |p99| (p99 * LATENCY_RATIO_MAX).max(10.0));
        if let Some(p99) = candidate.latency_p99_ms {
            passed &= p99 <= limit;
            reasons.push(format!("the candidate's p99 latency is {p99:.1} ms; {limit:.1} ms are allowed"));
        }
        // A metric that was asked for and could not be compared leaves the question open, unless the rest said no.
        let passed = if passed && !metrics.is_empty() { None } else { Some(passed) };
        Some(Analysis { passed, reasons })
    }
}
