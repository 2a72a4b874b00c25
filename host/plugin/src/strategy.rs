//! Calls of the `deployment-strategy` world.

use std::sync::Arc;

use bellwether_domain::Result;
use bellwether_domain::error::PluginFault;
use bellwether_domain::rollout::{Action, Analysis, Decision, HealthReport, Measurement, RolloutView, Side};
use serde_json::Value;

use crate::bindings::deploy::DeploymentStrategyPre;
use crate::bindings::deploy::exports::bellwether::deploy::strategy as wit;
use crate::call::{Unit, answered, bad, cut};
use crate::load::Pre;
use crate::state::State;

/// Longest state, in bytes.
const STATE: usize = 64 << 10;

/// Longest reason, in bytes.
const REASON: usize = 4 << 10;

/// A deployment strategy. `config` is one made by [`crate::PluginHost::configure`].
#[derive(Debug)]
pub struct Strategy {
    unit: Arc<Unit>,
    pre: Pre<DeploymentStrategyPre<State>>,
}

impl Strategy {
    pub(crate) fn new(unit: Arc<Unit>, pre: DeploymentStrategyPre<State>) -> Strategy {
        Strategy { unit, pre: Pre(pre) }
    }

    /// The instance's name.
    pub fn name(&self) -> &str {
        self.unit.name()
    }

    /// What comes next. A share outside 0..=1 or a state above 64 KiB is `BadAnswer`.
    pub async fn next(&self, view: &RolloutView, config: &Value) -> Result<Decision> {
        let (pre, config, rollout) = (self.pre.0.clone(), config.to_string(), rollout(view));
        self.unit
            .call(self.unit.ordinary("next"), move |store| {
                Box::pin(async move {
                    let world = pre.instantiate_async(&mut *store).await?;
                    let decision = world.bellwether_deploy_strategy().call_next(&mut *store, &rollout, &config).await?;
                    Ok(decision.map_err(answered).and_then(decided))
                })
            })
            .await
    }
}

fn rollout(view: &RolloutView) -> wit::Rollout {
    wit::Rollout {
        id: view.id.clone(),
        endpoint: view.endpoint.clone(),
        stable: view.stable.as_ref().map(side),
        candidate: side(&view.candidate),
        steps: view
            .steps
            .iter()
            .map(|(number, action, seconds_ago)| wit::Step { number: *number, action: to_guest(action), seconds_ago: *seconds_ago })
            .collect(),
        elapsed_seconds: view.elapsed_seconds,
        health: view.health.as_ref().map(health),
        analysis: view.analysis.as_ref().map(analysis),
        approved: view.approved,
        state: view.state.clone(),
    }
}

fn side(side: &Side) -> wit::Side {
    wit::Side { model_id: side.model_id.clone(), share: side.share, shadow: side.shadow, measured: measurement(&side.measured) }
}

fn measurement(measured: &Measurement) -> wit::Measurement {
    wit::Measurement {
        requests: measured.requests,
        errors: measured.errors,
        latency_p50_ms: measured.latency_p50_ms,
        latency_p99_ms: measured.latency_p99_ms,
        metrics: measured.metrics.clone(),
    }
}

fn health(report: &HealthReport) -> wit::Health {
    wit::Health { passed: report.passed, probes: report.probes, slowest_ms: report.slowest_ms, reasons: report.reasons.clone() }
}

fn analysis(analysis: &Analysis) -> wit::Analysis {
    wit::Analysis { passed: analysis.passed, reasons: analysis.reasons.clone() }
}

fn to_guest(action: &Action) -> wit::Action {
    match action {
        Action::SetWeight { share, shadow } => wit::Action::SetWeight(wit::Weight { share: *share, shadow: *shadow }),
        Action::SetReplicas { updated, total } => wit::Action::SetReplicas(wit::Replicas { updated: *updated, total: *total }),
        Action::PauseFor { seconds } => wit::Action::Pause(wit::Pause::Seconds(*seconds)),
        Action::PauseUntilApproved => wit::Action::Pause(wit::Pause::UntilApproved),
        Action::CheckHealth => wit::Action::CheckHealth,
        Action::Analyse { metrics, seconds, least_requests } => {
            wit::Action::Analyse(wit::AnalysisRequest { metrics: metrics.clone(), seconds: *seconds, least_requests: *least_requests })
        }
        Action::Promote => wit::Action::Promote,
        Action::Rollback { reason } => wit::Action::Rollback(reason.clone()),
    }
}

fn decided(decision: wit::Decision) -> Result<Decision, PluginFault> {
    if decision.state.len() > STATE {
        return Err(bad(format!("`state` has {} bytes; at most {STATE}", decision.state.len())));
    }
    Ok(Decision { action: from_guest(decision.action)?, reason: cut(&decision.reason, REASON), state: decision.state })
}

fn from_guest(action: wit::Action) -> Result<Action, PluginFault> {
    Ok(match action {
        wit::Action::SetWeight(weight) => {
            Action::SetWeight { share: share("share", weight.share)?, shadow: share("shadow", weight.shadow)? }
        }
        wit::Action::SetReplicas(replicas) => {
            if replicas.total == 0 || replicas.updated > replicas.total {
                return Err(bad(format!("`set-replicas` asks for {} of {} replicas", replicas.updated, replicas.total)));
            }
            Action::SetReplicas { updated: replicas.updated, total: replicas.total }
        }
        wit::Action::Pause(wit::Pause::Seconds(seconds)) => Action::PauseFor { seconds },
        wit::Action::Pause(wit::Pause::UntilApproved) => Action::PauseUntilApproved,
        wit::Action::CheckHealth => Action::CheckHealth,
        wit::Action::Analyse(request) => {
            Action::Analyse { metrics: request.metrics, seconds: request.seconds, least_requests: request.least_requests }
        }
        wit::Action::Promote => Action::Promote,
        wit::Action::Rollback(reason) => Action::Rollback { reason: cut(&reason, REASON) },
    })
}

fn share(name: &str, value: f64) -> Result<f64, PluginFault> {
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err(bad(format!("`{name}` is {value}; it must lie in 0 to 1"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_cross_both_ways() {
        for action in [
            Action::SetWeight { share: 0.25, shadow: 1.0 },
            Action::SetReplicas { updated: 1, total: 3 },
            Action::PauseFor { seconds: 60 },
            Action::PauseUntilApproved,
            Action::CheckHealth,
            Action::Analyse { metrics: vec!["mae".to_owned()], seconds: 5, least_requests: 100 },
            Action::Promote,
            Action::Rollback { reason: "worse".to_owned() },
        ] {
            assert_eq!(from_guest(to_guest(&action)).expect("same"), action);
        }
    }

    #[test]
    fn shares_and_states_are_bounded() {
        let check = |action, state: usize, expected: &str| {
            let decision = wit::Decision { action, reason: String::new(), state: vec![0; state] };
            let fault = decided(decision).expect_err(expected).to_string();
            assert!(fault.contains(expected), "{fault}");
        };
        check(wit::Action::SetWeight(wit::Weight { share: 1.5, shadow: 0.0 }), 0, "`share` is 1.5");
        check(wit::Action::SetWeight(wit::Weight { share: 0.5, shadow: f64::NAN }), 0, "`shadow` is NaN");
        check(wit::Action::SetReplicas(wit::Replicas { updated: 4, total: 3 }), 0, "4 of 3 replicas");
        check(wit::Action::Promote, STATE + 1, "`state` has 65537 bytes");
        decided(wit::Decision { action: wit::Action::Promote, reason: String::new(), state: vec![0; STATE] }).expect("64 KiB are allowed");
    }
}
