//! A rollout and its decision in the words of each version of `bellwether:deploy`.
//!
//! To Rust the records of two versions are strangers, however alike they are. One macro writes the translation between the
//! house's own values and any version, so an old version costs one line; what a newer version tells more stands in its line.

use bellwether_domain::Result;
use bellwether_domain::error::PluginFault;
use bellwether_domain::rollout::{Action, Analysis, Decision, HealthReport, Measurement, RolloutView, Side};

use crate::call::bad;
use crate::text::cut;

/// Longest state, in bytes.
const STATE: usize = 64 << 10;

/// Longest reason, in bytes.
const REASON: usize = 4 << 10;

macro_rules! translate {
    ($(#[$doc:meta])* $version:ident: $bindings:ident, |$view:ident| { $($newer:ident: $value:expr),* }) => {
        $(#[$doc])*
        pub(super) mod $version {
            use super::*;
            use crate::bindings::$bindings::exports::bellwether::deploy::strategy as wit;

            pub(in crate::strategy) fn rollout($view: &RolloutView) -> wit::Rollout {
                let step = |(number, action, seconds_ago): &(u32, Action, f64)| wit::Step {
                    number: *number,
                    action: to_guest(action),
                    seconds_ago: *seconds_ago,
                };
                wit::Rollout {
                    id: $view.id.clone(),
                    endpoint: $view.endpoint.clone(),
                    stable: $view.stable.as_ref().map(side),
                    candidate: side(&$view.candidate),
                    steps: $view.steps.iter().map(step).collect(),
                    elapsed_seconds: $view.elapsed_seconds,
                    health: $view.health.as_ref().map(health),
                    analysis: $view.analysis.as_ref().map(analysis),
                    approved: $view.approved,
                    state: $view.state.clone(),
                    $($newer: $value,)*
                }
            }

            fn side(side: &Side) -> wit::Side {
                let Measurement { requests, errors, latency_p50_ms, latency_p99_ms, metrics } = side.measured.clone();
                let measured = wit::Measurement { requests, errors, latency_p50_ms, latency_p99_ms, metrics };
                wit::Side { model_id: side.model_id.clone(), share: side.share, shadow: side.shadow, measured }
            }

            fn health(report: &HealthReport) -> wit::Health {
                let HealthReport { passed, probes, slowest_ms, reasons } = report.clone();
                wit::Health { passed, probes, slowest_ms, reasons }
            }

            fn analysis(analysis: &Analysis) -> wit::Analysis {
                wit::Analysis { passed: analysis.passed, reasons: analysis.reasons.clone() }
            }

            fn to_guest(action: &Action) -> wit::Action {
                match action.clone() {
                    Action::SetWeight { share, shadow } => wit::Action::SetWeight(wit::Weight { share, shadow }),
                    Action::SetReplicas { updated, total } => wit::Action::SetReplicas(wit::Replicas { updated, total }),
                    Action::PauseFor { seconds } => wit::Action::Pause(wit::Pause::Seconds(seconds)),
                    Action::PauseUntilApproved => wit::Action::Pause(wit::Pause::UntilApproved),
                    Action::CheckHealth => wit::Action::CheckHealth,
                    Action::Analyse { metrics, seconds, least_requests } => {
                        wit::Action::Analyse(wit::AnalysisRequest { metrics, seconds, least_requests })
                    }
                    Action::Promote => wit::Action::Promote,
                    Action::Rollback { reason } => wit::Action::Rollback(reason),
                }
            }

            pub(in crate::strategy) fn decided(decision: wit::Decision) -> Result<Decision, PluginFault> {
                checked(Decision { action: from_guest(decision.action), reason: decision.reason, state: decision.state })
            }

            fn from_guest(action: wit::Action) -> Action {
                match action {
                    wit::Action::SetWeight(wit::Weight { share, shadow }) => Action::SetWeight { share, shadow },
                    wit::Action::SetReplicas(wit::Replicas { updated, total }) => Action::SetReplicas { updated, total },
                    wit::Action::Pause(wit::Pause::Seconds(seconds)) => Action::PauseFor { seconds },
                    wit::Action::Pause(wit::Pause::UntilApproved) => Action::PauseUntilApproved,
                    wit::Action::CheckHealth => Action::CheckHealth,
                    wit::Action::Analyse(wit::AnalysisRequest { metrics, seconds, least_requests }) => {
                        Action::Analyse { metrics, seconds, least_requests }
                    }
                    wit::Action::Promote => Action::Promote,
                    wit::Action::Rollback(reason) => Action::Rollback { reason },
                }
            }

            #[cfg(test)]
            #[test]
            fn actions_cross_both_ways() {
                for action in super::tests::actions() {
                    assert_eq!(from_guest(to_guest(&action)), action);
                }
            }
        }
    };
}

translate!(
    /// The newest.
    newest: deploy, |view| { now_ms: view.now.0 }
);
translate!(
    /// Without the time.
    v0_1: deploy_0_1, |view| {}
);

/// The decision, if it keeps the contract's bounds; long reasons are cut.
fn checked(decision: Decision) -> Result<Decision, PluginFault> {
    let share = |name: &str, value: f64| {
        if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(bad(format!("`{name}` is {value}; it must lie in 0 to 1"))) }
    };
    if decision.state.len() > STATE {
        return Err(bad(format!("`state` has {} bytes; at most {STATE}", decision.state.len())));
    }
    let action = match decision.action {
        Action::SetWeight { share: answered, shadow } => {
            share("share", answered).and_then(|()| share("shadow", shadow))?;
            decision.action
        }
        Action::SetReplicas { updated, total } if total == 0 || updated > total => {
            return Err(bad(format!("`set-replicas` asks for {updated} of {total} replicas")));
        }
        Action::Rollback { reason } => Action::Rollback { reason: cut(&reason, REASON) },
        action => action,
    };
    Ok(Decision { action, reason: cut(&decision.reason, REASON), state: decision.state })
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn actions() -> [Action; 8] {
        [
            Action::SetWeight { share: 0.25, shadow: 1.0 },
            Action::SetReplicas { updated: 1, total: 3 },
            Action::PauseFor { seconds: 60 },
            Action::PauseUntilApproved,
            Action::CheckHealth,
            Action::Analyse { metrics: vec!["mae".to_owned()], seconds: 5, least_requests: 100 },
            Action::Promote,
            Action::Rollback { reason: "worse".to_owned() },
        ]
    }

    #[test]
    fn shares_and_states_are_bounded() {
        let decision = |action, state: usize| Decision { action, reason: String::new(), state: vec![0; state] };
        let check = |action, state: usize, expected: &str| {
            let fault = checked(decision(action, state)).expect_err(expected).to_string();
            assert!(fault.contains(expected), "{fault}");
        };
        check(Action::SetWeight { share: 1.5, shadow: 0.0 }, 0, "`share` is 1.5");
        check(Action::SetWeight { share: 0.5, shadow: f64::NAN }, 0, "`shadow` is NaN");
        check(Action::SetReplicas { updated: 4, total: 3 }, 0, "4 of 3 replicas");
        check(Action::Promote, STATE + 1, "`state` has 65537 bytes");
        checked(decision(Action::Promote, STATE)).expect("64 KiB are allowed");
    }
}
