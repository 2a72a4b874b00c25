//! A drift test that does whatever its configuration asks for, mostly wrong, so that the host's limits can be tried.
//!
//! `behave` is an honest test of means; everything else breaks one rule each. What each must come to is written where the
//! host's tests call it.

use std::cell::Cell;
use std::hint::black_box;

use bellwether_sdk::data::Frame;
use bellwether_sdk::drift::{Acceptance, Outcome};
use bellwether_sdk::state::{Reader, Writer};
use bellwether_sdk::{DriftTest, Error, Plugin, Result, log, stats};
use serde::Deserialize;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Misdeed {
    /// Nothing wrong.
    Behave,
    /// Never return.
    Loop,
    /// Ask for memory until there is none.
    Grow,
    /// Execute `unreachable`.
    Trap,
    /// Panic with a message.
    Panic,
    /// Call itself until the stack is full.
    DeepRecursion,
    /// Return a gigabyte.
    #[serde(rename = "return-1gb")]
    Return1Gb,
    /// Return detail that is no JSON.
    BadJson,
    /// Return NaN for every number.
    Nan,
    /// Return infinities.
    Infinite,
    /// Write a hundred thousand log lines.
    LogFlood,
    /// Write one log line of a megabyte.
    LongLogLine,
    /// Answer a baseline that is not its own as a panic would: by slicing past its end.
    ForeignBaseline,
    /// Read rows far past the end.
    ReadPastEnd,
    /// Open a million columns and keep them.
    HoardColumns,
    /// Answer `transient`.
    Transient,
    /// Count calls in a global and return the count: 1 on every call when each has a fresh instance.
    Remember,
}

/// When to do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// In `baseline`.
    Baseline,
    /// In `test`.
    Test,
    /// In both.
    Always,
}

/// The configuration.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What to do.
    #[serde(rename = "do")]
    pub misdeed: Misdeed,
    /// When to do it.
    pub when: When,
}

/// The plugin.
pub struct Misbehaving;

impl Plugin for Misbehaving {
    const NAME: &'static str = "misbehaving";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Misbehaves as its configuration says, to try the host's limits.";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;
}

impl DriftTest for Misbehaving {
    fn accepts() -> Acceptance {
        Acceptance::univariate(2)
    }

    fn baseline(reference: &Frame, config: &Config) -> Result<Vec<u8>> {
        let moments = reference.only_column()?.moments();
        let mut writer = Writer::new("misbehaving", 1);
        writer.u64(moments.count);
        writer.number(moments.mean);
        writer.number(moments.variance);
        let bytes = writer.finish();
        if config.when == When::Test {
            return Ok(bytes);
        }
        match config.misdeed {
            Misdeed::Return1Gb => Ok(vec![7; 1 << 30]),
            other => {
                provoke(other, reference)?;
                Ok(bytes)
            }
        }
    }

    fn test(baseline: &[u8], current: &Frame, config: &Config) -> Result<Outcome> {
        if config.when == When::Baseline {
            return honest(baseline, current);
        }
        match config.misdeed {
            Misdeed::ForeignBaseline => Ok(Outcome { statistic: f64::from(baseline[baseline.len()]), ..blank() }),
            Misdeed::BadJson => Ok(Outcome { detail: "{not json".to_owned(), ..honest(baseline, current)? }),
            Misdeed::Nan => Ok(Outcome {
                statistic: f64::NAN,
                p_value: Some(f64::NAN),
                score: f64::NAN,
                threshold: f64::NAN,
                ..honest(baseline, current)?
            }),
            Misdeed::Infinite => Ok(Outcome { statistic: f64::INFINITY, score: f64::NEG_INFINITY, ..honest(baseline, current)? }),
            Misdeed::Return1Gb => Ok(Outcome { detail: format!("\"{}\"", "x".repeat(1 << 30)), ..honest(baseline, current)? }),
            Misdeed::Remember => Ok(Outcome { statistic: f64::from(calls()), ..honest(baseline, current)? }),
            other => {
                provoke(other, current)?;
                honest(baseline, current)
            }
        }
    }
}

bellwether_sdk::register!(drift_test: Misbehaving);

/// The misdeeds that need no answer of their own.
fn provoke(misdeed: Misdeed, frame: &Frame) -> Result<()> {
    match misdeed {
        Misdeed::Loop => loop {
            black_box(());
        },
        Misdeed::Grow => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(vec![1_u8; 1 << 20]);
                black_box(&hoard);
            }
        }
        #[cfg(target_family = "wasm")]
        Misdeed::Trap => std::arch::wasm32::unreachable(),
        #[cfg(not(target_family = "wasm"))]
        Misdeed::Trap => panic!("a trap"),
        Misdeed::Panic => panic!("the plugin panics because its configuration says so"),
        Misdeed::DeepRecursion => {
            black_box(descend(black_box(0)));
        }
        Misdeed::LogFlood => (0..100_000).for_each(|line| log::info(&format!("line {line}"))),
        Misdeed::LongLogLine => log::info(&"x".repeat(1 << 20)),
        Misdeed::ReadPastEnd => {
            let column = frame.only_column()?;
            for offset in [column.len(), column.len() + 1, u64::from(u32::MAX), u64::MAX / 8, u64::MAX] {
                let rows = column.read(offset, u32::MAX);
                if !rows.is_empty() {
                    return Err(Error::internal(format!("{} rows past the end, from {offset}", rows.len())));
                }
            }
        }
        Misdeed::HoardColumns => {
            let hoard: Vec<_> = (0..1_000_000).map_while(|_| frame.column(0)).collect();
            black_box(hoard);
        }
        Misdeed::Transient => return Err(Error::transient("come back later")),
        Misdeed::Behave
        | Misdeed::Return1Gb
        | Misdeed::BadJson
        | Misdeed::Nan
        | Misdeed::Infinite
        | Misdeed::ForeignBaseline
        | Misdeed::Remember => {}
    }
    Ok(())
}

/// Fills the stack; the result depends on every frame, so that no compiler makes a loop of it.
#[expect(unconditional_recursion, reason = "running out of stack is the point")]
fn descend(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    descend(depth + 1) + frame[(depth % 64) as usize]
}

/// Calls of this instance.
fn calls() -> u32 {
    thread_local! {
        static CALLS: Cell<u32> = const { Cell::new(0) };
    }
    CALLS.set(CALLS.get() + 1);
    CALLS.get()
}

fn blank() -> Outcome {
    let detail = "{}".to_owned();
    Outcome { statistic: 0.0, p_value: None, score: 0.0, threshold: 0.0, drifted: false, reference_count: 0, current_count: 0, detail }
}

/// A z test of means.
fn honest(baseline: &[u8], current: &Frame) -> Result<Outcome> {
    let mut reader = Reader::open(baseline, "misbehaving", 1)?;
    let (count, mean, variance) = (reader.u64()?, reader.number()?, reader.number()?);
    reader.finish()?;
    let moments = current.only_column()?.moments();
    let error = (variance / count as f64 + moments.variance / moments.count as f64).sqrt().max(f64::MIN_POSITIVE);
    let statistic = (moments.mean - mean).abs() / error;
    let p_value = 2.0 * (1.0 - stats::normal_cdf(statistic));
    let (reference_count, current_count) = (count, moments.count);
    Ok(Outcome {
        statistic,
        p_value: Some(p_value),
        score: statistic,
        threshold: 3.0,
        drifted: statistic >= 3.0,
        reference_count,
        current_count,
        ..blank()
    })
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::serde_json::{Value, json};
    use bellwether_sdk::{DriftTest, Error, testing};

    use super::Misbehaving;

    fn run(config: &Value) -> bellwether_sdk::Result<bellwether_sdk::drift::Outcome> {
        let config = testing::config::<Misbehaving>(config)?;
        let baseline = Misbehaving::baseline(&testing::frame(&[("a", &[1.0, 2.0, 3.0])]), &config)?;
        Misbehaving::test(&baseline, &testing::frame(&[("a", &[11.0, 12.0, 13.0])]), &config)
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<Misbehaving>(&json!({}));
    }

    #[test]
    fn it_behaves_by_default_and_misbehaves_on_request() {
        assert!(run(&json!({})).unwrap().drifted);
        assert!(run(&json!({"do": "nan"})).unwrap().statistic.is_nan());
        assert_eq!(run(&json!({"do": "bad-json"})).unwrap().detail, "{not json");
        assert!(matches!(run(&json!({"do": "transient"})), Err(Error::Transient(_))));
        assert!(matches!(run(&json!({"do": "nonsense"})), Err(Error::InvalidConfig(_))));
    }
}
