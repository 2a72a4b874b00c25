//! The deployment strategy `blue-green`: all traffic moves to the candidate at once, between two health checks.
//!
//! check health -> (shadow and analyse) -> (wait for a person) -> all traffic -> check health -> (analyse) -> promote
//!
//! A failed check or analysis anywhere goes back to the stable version. A verdict the host could not reach for lack of
//! requests is no pass: it goes back too, unless `least_requests` is 0, by which the operator says that silence will do.
//! The state is the stage the rollout has come to, one word.
mod stage;

use bellwether_sdk::deploy::{Action, Analysis, AnalysisRequest, Decision, Health, Pause, Rollout, Weight};
use bellwether_sdk::{DeploymentStrategy, Plugin, Result};
use serde::Deserialize;

use stage::Stage;

/// The configuration; the schema states its ranges and defaults.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    shadow_seconds: u32,
    require_approval: bool,
    observe_seconds: u32,
    least_requests: u64,
    metrics: Vec<String>,
}

/// The plugin.
pub struct BlueGreen;

impl Plugin for BlueGreen {
    const NAME: &'static str = "blue-green";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Checks the candidate, moves all traffic to it at once, checks again, promotes.";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;
}

impl DeploymentStrategy for BlueGreen {
    fn next(rollout: &Rollout, config: &Config) -> Result<Decision> {
        let health = || failed_health(rollout.health.as_ref());
        let analysis = |during: &str| failed_analysis(rollout.analysis.as_ref(), config.least_requests, during);
        Ok(match Stage::read(&rollout.state)? {
            Stage::New => go(Stage::Checked, Action::CheckHealth, "check the candidate before it gets traffic"),
            Stage::Checked => match health() {
                Some(reason) => Decision::rollback(reason),
                None if config.shadow_seconds > 0 && rollout.stable.is_some() => {
                    go(Stage::Shadowing, traffic(0.0, 1.0), "the candidate is healthy: show it every prediction")
                }
                None => switch(rollout, config),
            },
            Stage::Shadowing => go(Stage::Shadowed, analyse(config, config.shadow_seconds), "measure the candidate as a shadow"),
            Stage::Shadowed => match analysis("as a shadow") {
                Some(reason) => Decision::rollback(reason),
                None => switch(rollout, config),
            },
            Stage::Waiting => switch(rollout, config),
            Stage::Switched => go(Stage::Rechecked, Action::CheckHealth, "check the candidate under all traffic"),
            Stage::Rechecked => match health() {
                Some(reason) => Decision::rollback(reason),
                None if config.observe_seconds > 0 => {
                    go(Stage::Observed, analyse(config, config.observe_seconds), "measure the candidate under all traffic")
                }
                None => Decision::new(Action::Promote, "the candidate is healthy under all traffic"),
            },
            Stage::Observed => match analysis("under all traffic") {
                Some(reason) => Decision::rollback(reason),
                None => Decision::new(Action::Promote, "the candidate held under all traffic"),
            },
        })
    }
}

bellwether_sdk::register!(deployment_strategy: BlueGreen);

fn go(stage: Stage, action: Action, reason: &str) -> Decision {
    Decision::new(action, reason).with_state(stage.write())
}

fn traffic(share: f64, shadow: f64) -> Action {
    Action::SetWeight(Weight { share, shadow })
}

fn analyse(config: &Config, seconds: u32) -> Action {
    Action::Analyse(AnalysisRequest { metrics: config.metrics.clone(), seconds, least_requests: config.least_requests })
}

/// All traffic to the candidate, once a person agrees where one is asked.
fn switch(rollout: &Rollout, config: &Config) -> Decision {
    let waited = Stage::read(&rollout.state).is_ok_and(|stage| stage == Stage::Waiting);
    if config.require_approval && !(waited && rollout.approved) {
        return go(Stage::Waiting, Action::Pause(Pause::UntilApproved), "a person must approve the switch");
    }
    go(Stage::Switched, traffic(1.0, 0.0), "move all traffic to the candidate")
}

/// Why the last health check is no pass; none when it is one.
fn failed_health(health: Option<&Health>) -> Option<String> {
    match health {
        None => Some("the health check gave no result".to_owned()),
        Some(health) if health.passed => None,
        Some(health) => Some(format!("the candidate failed its health check: {}", listed(&health.reasons))),
    }
}

/// Why the last analysis is no pass; none when it is one.
fn failed_analysis(analysis: Option<&Analysis>, least_requests: u64, during: &str) -> Option<String> {
    let Some(analysis) = analysis else { return Some(format!("the analysis {during} gave no result")) };
    match analysis.passed {
        Some(true) => None,
        Some(false) => Some(format!("the candidate did worse {during}: {}", listed(&analysis.reasons))),
        None if least_requests == 0 => None,
        None => Some(format!("too few requests {during} for a verdict ({least_requests} needed): {}", listed(&analysis.reasons))),
    }
}

fn listed(reasons: &[String]) -> String {
    if reasons.is_empty() { "no reason given".to_owned() } else { reasons.join("; ") }
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::deploy::{Action, Analysis, Health, Rollout};
    use bellwether_sdk::serde_json::{Value, json};
    use bellwether_sdk::{DeploymentStrategy, Error, testing};

    use super::{BlueGreen, Config};

    fn shown(action: &Action) -> String {
        match action {
            Action::SetWeight(weight) => format!("{} {}", weight.share, weight.shadow),
            Action::CheckHealth => "check".to_owned(),
            Action::Analyse(request) => format!("analyse {} {}", request.seconds, request.least_requests),
            Action::Pause(_) => "pause".to_owned(),
            Action::Promote => "promote".to_owned(),
            Action::Rollback(reason) => format!("back: {reason}"),
            Action::SetReplicas(_) => "replicas".to_owned(),
        }
    }

    /// Plays a rollout: after each action `answer` fills in what the host would.
    fn play(config: &Value, stable: Option<&str>, answer: impl Fn(&str, &mut Rollout)) -> Vec<String> {
        let config: Config = testing::config::<BlueGreen>(config).unwrap();
        let mut rollout = testing::rollout(stable, "lstm_BTC_2");
        let mut actions = Vec::new();
        for _ in 0..10 {
            let decision = BlueGreen::next(&rollout, &config).unwrap();
            assert!(!decision.reason.is_empty() && decision.state.len() < 64);
            let action = shown(&decision.action);
            rollout.state = decision.state;
            answer(&action, &mut rollout);
            actions.push(action);
            if matches!(decision.action, Action::Promote | Action::Rollback(_)) {
                return actions;
            }
        }
        panic!("no end: {actions:?}");
    }

    fn healthy(action: &str, rollout: &mut Rollout) {
        if action == "check" {
            rollout.health = Some(Health { passed: true, probes: 3, slowest_ms: 1.0, reasons: Vec::new() });
        }
        rollout.approved = action == "pause";
    }

    fn sick(_action: &str, rollout: &mut Rollout) {
        let reasons = vec!["probe 2 answered NaN".to_owned(), "probe 3 timed out".to_owned()];
        rollout.health = Some(Health { passed: false, probes: 3, slowest_ms: 1.0, reasons });
    }

    fn measured(passed: Option<bool>) -> impl Fn(&str, &mut Rollout) {
        move |action, rollout| {
            healthy(action, rollout);
            if action.starts_with("analyse") {
                rollout.analysis = Some(Analysis { passed, reasons: vec!["error rate 0.2 against 0.0".to_owned()] });
            }
        }
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<BlueGreen>(&json!({}));
    }

    #[test]
    fn by_default_it_checks_switches_checks_and_promotes() {
        assert_eq!(play(&json!({}), Some("lstm_BTC_1"), healthy), ["check", "1 0", "check", "promote"]);
        assert_eq!(play(&json!({"shadow_seconds": 60}), None, healthy), ["check", "1 0", "check", "promote"]);
    }

    #[test]
    fn an_unhealthy_candidate_goes_back_with_the_reasons() {
        let actions = play(&json!({}), Some("a"), sick);
        assert_eq!(actions, ["check", "back: the candidate failed its health check: probe 2 answered NaN; probe 3 timed out"]);
        let only_later = |action: &str, rollout: &mut Rollout| {
            healthy(action, rollout);
            if rollout.state == b"rechecked" {
                sick(action, rollout);
            }
        };
        assert!(play(&json!({}), Some("a"), only_later)[3].starts_with("back: the candidate failed"));
        assert_eq!(play(&json!({}), Some("a"), |_, _| {})[1], "back: the health check gave no result");
    }

    #[test]
    fn shadow_approval_and_observation_are_steps_between() {
        let config = json!({"shadow_seconds": 60, "require_approval": true, "observe_seconds": 30, "least_requests": 10});
        let expected = ["check", "0 1", "analyse 60 10", "pause", "1 0", "check", "analyse 30 10", "promote"];
        assert_eq!(play(&config, Some("a"), measured(Some(true))), expected);
        let back = play(&config, Some("a"), measured(Some(false)));
        assert_eq!(back[3], "back: the candidate did worse as a shadow: error rate 0.2 against 0.0");
    }

    #[test]
    fn no_data_is_no_pass_unless_none_is_asked_for() {
        let last = |config: &Value| play(config, Some("a"), measured(None)).pop().unwrap();
        assert!(last(&json!({"observe_seconds": 30, "least_requests": 5})).starts_with("back: too few requests under all traffic"));
        assert_eq!(last(&json!({"observe_seconds": 30})), "promote");
    }

    #[test]
    fn approval_is_waited_for() {
        let config = testing::config::<BlueGreen>(&json!({"require_approval": true})).unwrap();
        let mut rollout = testing::rollout(Some("a"), "b");
        rollout.state = b"waiting".to_vec();
        assert_eq!(shown(&BlueGreen::next(&rollout, &config).unwrap().action), "pause");
        rollout.approved = true;
        assert_eq!(shown(&BlueGreen::next(&rollout, &config).unwrap().action), "1 0");
    }

    #[test]
    fn a_foreign_state_is_refused() {
        let config = testing::config::<BlueGreen>(&json!({})).unwrap();
        let mut rollout = testing::rollout(Some("a"), "b");
        rollout.state = vec![0xFF];
        assert!(matches!(BlueGreen::next(&rollout, &config), Err(Error::InvalidInput(_))));
    }
}
