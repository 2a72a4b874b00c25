//! `{{name}}`: raises the candidate's share of the traffic step by step, measuring at each.
//!
//! check health -> (share -> analyse) for each share -> promote. A failed check or analysis, and one that came to no verdict,
//! goes back to the stable version. The state is the number of decisions taken.
use bellwether_sdk::deploy::{Action, AnalysisRequest, Decision, Rollout, Weight};
use bellwether_sdk::state::{Reader, Writer};
use bellwether_sdk::{DeploymentStrategy, Error, Plugin, Result};
use serde::Deserialize;

/// What the operator may set. The schema has the ranges and the defaults, so every field is always there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    shares: Vec<f64>,
    seconds: u32,
    least_requests: u64,
}

/// The plugin. It has no fields: whatever must be remembered goes through the host as bytes.
pub struct {{Pascal}};

impl Plugin for {{Pascal}} {
    const NAME: &'static str = "{{name}}";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Raises the candidate's share step by step, measuring at each.";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;

    /// What a schema cannot say.
    fn check(config: &Config) -> Result<()> {
        match config.shares.windows(2).find(|pair| pair[0] >= pair[1]) {
            None => Ok(()),
            Some(pair) => Err(Error::invalid_config(format!(
                "`shares` must rise, and {} follows {}",
                pair[1], pair[0]
            ))),
        }
    }
}

impl DeploymentStrategy for {{Pascal}} {
    fn next(rollout: &Rollout, config: &Config) -> Result<Decision> {
        let taken = taken(&rollout.state)?;
        let decision = match taken {
            0 => Decision::new(
                Action::CheckHealth,
                "check the candidate before it gets traffic",
            ),
            1 => match failed_check(rollout) {
                Some(reason) => Decision::rollback(reason),
                None => share(config, 0),
            },
            // A share was set: measure it.
            _ if taken % 2 == 0 => {
                let request = AnalysisRequest {
                    metrics: Vec::new(),
                    seconds: config.seconds,
                    least_requests: config.least_requests,
                };
                Decision::new(
                    Action::Analyse(request),
                    "measure the candidate at this share",
                )
            }
            _ => match failed_analysis(rollout) {
                Some(reason) => Decision::rollback(reason),
                None => share(config, (taken as usize - 1) / 2),
            },
        };
        let mut writer = Writer::new(Self::NAME, 1);
        writer.u64(taken + 1);
        Ok(decision.with_state(writer.finish()))
    }
}

bellwether_sdk::register!(deployment_strategy: {{Pascal}});

/// Decisions taken so far. The state may be another plugin's or damaged: that is an error, not a panic.
fn taken(state: &[u8]) -> Result<u64> {
    if state.is_empty() {
        return Ok(0);
    }
    let mut reader = Reader::open(state, {{Pascal}}::NAME, 1)?;
    let taken = reader.u64()?;
    reader.finish()?;
    // A rollout has a few dozen steps.
    if taken > 1_000 {
        return Err(Error::invalid_input(format!(
            "the state is damaged: it counts {taken} decisions"
        )));
    }
    Ok(taken)
}

/// The share at this place, or the end when there is none.
fn share(config: &Config, place: usize) -> Decision {
    match config.shares.get(place) {
        Some(share) => {
            let weight = Weight {
                share: *share,
                shadow: 0.0,
            };
            Decision::new(
                Action::SetWeight(weight),
                format!("raise the candidate's share to {share}"),
            )
        }
        None => Decision::new(Action::Promote, "the candidate held at every share"),
    }
}

/// Why the health check is no pass; none when it is one.
fn failed_check(rollout: &Rollout) -> Option<String> {
    match &rollout.health {
        Some(health) if health.passed => None,
        Some(health) => Some(format!(
            "the health check failed: {}",
            health.reasons.join("; ")
        )),
        None => Some("the health check gave no result".to_owned()),
    }
}

/// Why the analysis is no pass; none when it is one. No data is never a pass.
fn failed_analysis(rollout: &Rollout) -> Option<String> {
    let analysis = rollout.analysis.as_ref();
    match analysis.and_then(|analysis| analysis.passed) {
        Some(true) => None,
        Some(false) => {
            let reasons = analysis
                .map(|analysis| analysis.reasons.join("; "))
                .unwrap_or_default();
            Some(format!("the candidate did worse: {reasons}"))
        }
        None => Some("there was too little data for a verdict".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::deploy::{Action, Analysis, Health};
    use bellwether_sdk::serde_json::{Value, json};
    use bellwether_sdk::{DeploymentStrategy, Error, Plugin, testing};

    use super::{{Pascal}};

    /// Plays a rollout whose checks and analyses end so; the actions taken.
    fn play(config: &Value, healthy: bool, verdict: Option<bool>) -> Vec<String> {
        let config = testing::config::<{{Pascal}}>(config).unwrap();
        let mut rollout = testing::rollout(Some("lstm_1"), "lstm_2");
        let mut actions = Vec::new();
        for _ in 0..20 {
            let decision = {{Pascal}}::next(&rollout, &config).unwrap();
            let (name, ends) = match decision.action {
                Action::CheckHealth => ("check".to_owned(), false),
                Action::SetWeight(weight) => (weight.share.to_string(), false),
                Action::Analyse(_) => ("analyse".to_owned(), false),
                Action::Promote => ("promote".to_owned(), true),
                Action::Rollback(reason) => (reason, true),
                other => panic!("{other:?}"),
            };
            actions.push(name);
            if ends {
                return actions;
            }
            let reasons = vec!["12 % failed".to_owned()];
            rollout.state = decision.state;
            rollout.health = Some(Health {
                passed: healthy,
                probes: 3,
                slowest_ms: 1.0,
                reasons: reasons.clone(),
            });
            rollout.analysis = Some(Analysis {
                passed: verdict,
                reasons,
            });
        }
        panic!("no end: {actions:?}");
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<{{Pascal}}>(&json!({}));
    }

    #[test]
    fn a_good_candidate_is_promoted_step_by_step() {
        let expected = ["check", "0.1", "analyse", "0.5", "analyse", "promote"];
        assert_eq!(play(&json!({}), true, Some(true)), expected);
        let one = play(&json!({"shares": [1.0]}), true, Some(true));
        assert_eq!(one, ["check", "1", "analyse", "promote"]);
    }

    #[test]
    fn anything_else_goes_back() {
        assert_eq!(
            play(&json!({}), false, None)[1],
            "the health check failed: 12 % failed"
        );
        let worse = play(&json!({}), true, Some(false));
        assert_eq!(worse[3], "the candidate did worse: 12 % failed");
        assert_eq!(
            play(&json!({}), true, None)[3],
            "there was too little data for a verdict"
        );
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let config = testing::config::<{{Pascal}}>(&json!({})).unwrap();
        let mut rollout = testing::rollout(None, "lstm_2");
        rollout.state = b"foreign".to_vec();
        assert!(matches!(
            {{Pascal}}::next(&rollout, &config),
            Err(Error::InvalidInput(_))
        ));
        let falling = testing::config::<{{Pascal}}>(&json!({"shares": [0.5, 0.1]}));
        let falling = falling.and_then(|config| {{Pascal}}::check(&config));
        assert!(matches!(falling, Err(Error::InvalidConfig(_))));
    }
}
