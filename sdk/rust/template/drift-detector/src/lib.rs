//! `{{name}}`: cumulative sums of standardised values, both ways (Page 1954).
//!
//! Mean and deviation are learned from the first values. From then on, with z = (value - mean) / deviation,
//! up = max(0, up + z - slack) and down = max(0, down - z - slack); the larger of both is the statistic.
//! After a drift everything begins anew. Missing values are passed over.
use bellwether_sdk::drift::{Advance, Event, Severity};
use bellwether_sdk::state::{Reader, Writer};
use bellwether_sdk::{DriftDetector, Error, Plugin, Result};
use serde::Deserialize;

/// What the operator may set. The schema has the ranges and the defaults, so every field is always there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    warm_up: u64,
    slack: f64,
    warning: f64,
    drift: f64,
}

/// The plugin. It has no fields: whatever must be remembered goes through the host as bytes.
pub struct {{Pascal}};

impl Plugin for {{Pascal}} {
    const NAME: &'static str = "{{name}}";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Cumulative sums of standardised values, both ways (Page 1954).";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;

    /// What a schema cannot say.
    fn check(config: &Config) -> Result<()> {
        if config.warning < config.drift {
            return Ok(());
        }
        let (warning, drift) = (config.warning, config.drift);
        Err(Error::invalid_config(format!(
            "`warning` is {warning}; it must be below `drift`, {drift}"
        )))
    }
}

impl DriftDetector for {{Pascal}} {
    fn start(_config: &Config) -> Result<Vec<u8>> {
        Ok(Sums::default().write())
    }

    fn update(state: &[u8], values: &[f64], config: &Config) -> Result<Advance> {
        let mut sums = Sums::read(state)?;
        let mut events = Vec::new();
        for (index, value) in (0..).zip(values).filter(|(_, value)| !value.is_nan()) {
            if let Some((severity, statistic)) = sums.take(*value, config)? {
                events.push(Event {
                    index,
                    severity,
                    statistic,
                });
            }
        }
        Ok(Advance {
            state: sums.write(),
            events,
        })
    }
}

bellwether_sdk::register!(drift_detector: {{Pascal}});

/// Everything the detector remembers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    /// Values learned from.
    count: u64,
    mean: f64,
    /// Sum of squared distances from the mean.
    squares: f64,
    up: f64,
    down: f64,
    warned: bool,
}

impl Sums {
    fn write(self) -> Vec<u8> {
        let mut writer = Writer::new({{Pascal}}::NAME, 1);
        writer.u64(self.count);
        writer.numbers(&[self.mean, self.squares, self.up, self.down]);
        writer.u64(u64::from(self.warned));
        writer.finish()
    }

    /// The state may be another plugin's or damaged: that is an error, not a panic.
    fn read(bytes: &[u8]) -> Result<Sums> {
        let mut reader = Reader::open(bytes, {{Pascal}}::NAME, 1)?;
        let (count, numbers, warned) = (reader.u64()?, reader.numbers()?, reader.u64()? != 0);
        reader.finish()?;
        match numbers[..] {
            [mean, squares, up, down] if numbers.iter().all(|number| number.is_finite()) => {
                Ok(Sums {
                    count,
                    mean,
                    squares,
                    up,
                    down,
                    warned,
                })
            }
            _ => Err(Error::invalid_input(
                "the state is damaged: it has not four finite numbers",
            )),
        }
    }

    /// Takes one value; says what it led to.
    fn take(&mut self, value: f64, config: &Config) -> Result<Option<(Severity, f64)>> {
        if self.count < config.warm_up {
            self.learn(value)?;
            return Ok(None);
        }
        let deviation = (self.squares / (self.count - 1) as f64).sqrt();
        // A constant has no deviation: any other value is as far off as can be.
        let z = match value - self.mean {
            0.0 => 0.0,
            distance if deviation == 0.0 => distance.signum() * 2.0 * (config.drift + config.slack),
            distance => distance / deviation,
        };
        self.up = (self.up + z - config.slack).max(0.0);
        self.down = (self.down - z - config.slack).max(0.0);
        let statistic = self.up.max(self.down);
        if !statistic.is_finite() {
            return Err(Error::invalid_input(format!(
                "{value} is too far off to be measured"
            )));
        }
        if statistic >= config.drift {
            *self = Sums::default();
            return Ok(Some((Severity::Drift, statistic)));
        }
        let warns = statistic >= config.warning && !self.warned;
        self.warned = statistic >= config.warning;
        Ok(warns.then_some((Severity::Warning, statistic)))
    }

    fn learn(&mut self, value: f64) -> Result<()> {
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
        if self.mean.is_finite() && self.squares.is_finite() {
            return Ok(());
        }
        Err(Error::invalid_input(format!(
            "{value} is too large to have a deviation"
        )))
    }
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::drift::Severity;
    use bellwether_sdk::serde_json::{Value, json};
    use bellwether_sdk::{DriftDetector, Error, Result, testing};

    use super::{{{Pascal}}, Sums};

    /// Between -1 and 1, and from the 40th value on higher by `shift`.
    fn values(shift: f64) -> Vec<f64> {
        let value = |place: usize| if place % 2 == 0 { -1.0 } else { 1.0 };
        (0..60)
            .map(|place| {
                if place < 40 {
                    value(place)
                } else {
                    value(place) + shift
                }
            })
            .collect()
    }

    fn run(values: &[f64], config: &Value) -> Result<Vec<(u32, Severity)>> {
        let config = testing::config::<{{Pascal}}>(config)?;
        let start = {{Pascal}}::start(&config)?;
        let whole = {{Pascal}}::update(&start, values, &config)?;
        // The same in two pieces.
        let (first, second) = values.split_at(values.len() / 3);
        let half = {{Pascal}}::update(&start, first, &config)?;
        let rest = {{Pascal}}::update(&half.state, second, &config)?;
        assert_eq!(whole.state, rest.state);
        Ok(whole
            .events
            .iter()
            .map(|event| (event.index, event.severity))
            .collect())
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<{{Pascal}}>(&json!({}));
    }

    #[test]
    fn a_shift_is_found_and_none_is_not() {
        assert_eq!(run(&values(0.0), &json!({})).unwrap(), []);
        let found = run(&values(2.2), &json!({})).unwrap();
        assert_eq!(found, [(42, Severity::Warning), (43, Severity::Drift)]);
        let found = run(&values(-3.0), &json!({})).unwrap();
        assert_eq!(found, [(41, Severity::Warning), (42, Severity::Drift)]);
    }

    #[test]
    fn a_constant_that_changes_has_drifted() {
        let mut values = [1.0; 60];
        assert_eq!(run(&values, &json!({})).unwrap(), []);
        values[50..].fill(2.0);
        assert_eq!(run(&values, &json!({})).unwrap(), [(50, Severity::Drift)]);
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        assert!(matches!(
            run(&[f64::INFINITY; 3], &json!({})),
            Err(Error::InvalidInput(_))
        ));
        assert!(matches!(
            run(&[1.0], &json!({"warning": 9.0})),
            Err(Error::InvalidConfig(_))
        ));
        assert!(matches!(
            Sums::read(b"foreign"),
            Err(Error::InvalidInput(_))
        ));
        let bytes = Sums::default().write();
        assert!(matches!(
            Sums::read(&bytes[..bytes.len() - 1]),
            Err(Error::InvalidInput(_))
        ));
    }
}
