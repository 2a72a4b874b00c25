//! Input for trials: ordinary data from a fixed generator, and data that has broken tests before.

use std::collections::BTreeMap;

use bellwether_domain::alert::{Alert, AlertPhase, Severity};
use bellwether_domain::rollout::{Action, Analysis, HealthReport, Measurement, RolloutView, Side};
use bellwether_domain::time::Timestamp;
use rand::RngCore;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::{Acceptance, Column, ColumnKind, Frame, Windows};

/// Rows of ordinary data.
const ROWS: usize = 1_000;

/// Values that break arithmetic, by name.
pub(crate) fn hostile(rows: usize) -> Vec<(&'static str, Vec<f64>)> {
    vec![
        ("no rows", Vec::new()),
        ("one row", vec![1.0]),
        ("only missing values", vec![f64::NAN; rows]),
        ("a constant", vec![1.0; rows]),
        ("huge values", (0..rows).map(|row| if row % 2 == 0 { f64::MAX } else { -f64::MAX }).collect()),
        ("infinities", (0..rows).map(|row| if row % 2 == 0 { f64::INFINITY } else { f64::NEG_INFINITY }).collect()),
        ("tiny values", (0..rows).map(|row| row as f64 * f64::MIN_POSITIVE).collect()),
        ("half missing", (0..rows).map(|row| if row % 2 == 0 { f64::NAN } else { row as f64 }).collect()),
    ]
}

/// Sums of twelve uniforms, about normal, moved by `shift`.
pub(crate) fn numbers(seed: u64, shift: f64) -> Vec<f64> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = || f64::from(dice.next_u32()) / f64::from(u32::MAX);
    (0..ROWS).map(|_| (0..12).map(|_| uniform()).sum::<f64>() - 6.0 + shift).collect()
}

/// A frame such as a test accepts: one column, or three of them.
pub(crate) fn frame(accepts: &Acceptance, values: impl Fn(u64) -> Vec<f64>) -> Frame {
    let kind = accepts.kinds.first().copied().unwrap_or(ColumnKind::Numeric);
    let columns = if accepts.multivariate { 3 } else { 1 };
    let column = |place: u64| {
        let mut values = values(place);
        if kind == ColumnKind::Categorical {
            values.iter_mut().for_each(|value| *value = value.round());
        }
        Column { name: format!("column-{place}").into(), kind, values: values.into() }
    };
    Frame { columns: (0..columns).map(column).collect() }
}

/// Windows over ordinary rows whose target is the next row's first feature, or over one value throughout.
pub(crate) fn windows(features: &[String], steps: u32, value: Option<f64>, with_targets: bool) -> Windows {
    let count = features.len();
    let mut rows = vec![value.unwrap_or_default(); ROWS * count];
    if value.is_none() {
        for feature in 0..count {
            for (row, number) in numbers(feature as u64, 0.0).into_iter().enumerate() {
                rows[row * count + feature] = number;
            }
        }
    }
    let ends: Vec<usize> = ((steps as usize).saturating_sub(1)..ROWS - 1).collect();
    let targets = if with_targets { ends.iter().map(|end| rows[(end + 1) * count]).collect() } else { Vec::new() };
    Windows { features: features.into(), steps, rows: rows.into(), ends: ends.into(), targets: targets.into() }
}

/// The first samples alone: rows after the last one's are gone.
pub(crate) fn first(windows: &Windows, count: usize) -> Windows {
    let ends = &windows.ends[..count];
    let rows = ends.last().map_or(0, |end| (end + 1) * windows.features.len());
    let targets = windows.targets.get(..count).unwrap_or_default();
    Windows { rows: windows.rows[..rows].into(), ends: ends.into(), targets: targets.into(), ..windows.clone() }
}

/// One sample alone.
pub(crate) fn only(windows: &Windows, sample: usize) -> Windows {
    let (width, end) = (windows.features.len(), windows.ends[sample]);
    let rows = (end + 1 - windows.steps as usize) * width..(end + 1) * width;
    Windows { rows: windows.rows[rows].into(), ends: [windows.steps as usize - 1].into(), targets: [].into(), ..windows.clone() }
}

/// The same up to a sample, and other numbers after it.
pub(crate) fn changed_after(windows: &Windows, count: usize) -> Windows {
    let kept = count.checked_sub(1).map_or(0, |last| (windows.ends[last] + 1) * windows.features.len());
    let mut rows = windows.rows.to_vec();
    rows[kept..].iter_mut().for_each(|value| *value = 3.0 - 2.0 * *value);
    Windows { rows: rows.into(), ..windows.clone() }
}

/// So many samples, the same ones over and over.
pub(crate) fn repeated(windows: &Windows, count: usize) -> Windows {
    let ends = windows.ends.iter().copied().cycle().take(count).collect();
    Windows { ends, targets: [].into(), ..windows.clone() }
}

/// A rollout at its beginning.
pub(crate) fn rollout() -> RolloutView {
    let side = |model_id: &str, share| Side { model_id: model_id.to_owned(), share, shadow: 0.0, measured: Measurement::default() };
    RolloutView {
        id: "rollout-1".to_owned(),
        endpoint: "BTC-USDT".to_owned(),
        stable: Some(side("lstm_BTC_20241205_120000", 1.0)),
        candidate: side("lstm_BTC_20241206_120000", 0.0),
        steps: Vec::new(),
        elapsed_seconds: 0.0,
        now: Timestamp(1_733_486_400_000),
        health: None,
        analysis: None,
        approved: false,
        state: Vec::new(),
    }
}

/// Rollouts in states a strategy may not have thought of.
pub(crate) fn hostile_rollouts() -> Vec<(&'static str, RolloutView)> {
    let busy = Measurement {
        requests: 1_000,
        errors: 1_000,
        latency_p50_ms: Some(f64::MAX),
        latency_p99_ms: Some(f64::NAN),
        metrics: vec![("mae".to_owned(), f64::INFINITY, 0)],
    };
    let base = rollout();
    vec![
        ("a first deployment, without a stable version", RolloutView { stable: None, ..base.clone() }),
        ("a state that is not its own", RolloutView { state: b"not a state of this plugin".to_vec(), ..base.clone() }),
        ("a failed health check", RolloutView { health: Some(HealthReport::default()), ..base.clone() }),
        ("an analysis without data", RolloutView { analysis: Some(Analysis::default()), ..base.clone() }),
        (
            "an empty health report that passed",
            RolloutView { health: Some(HealthReport { passed: true, ..HealthReport::default() }), ..base.clone() },
        ),
        ("a rollout of ten years", RolloutView { elapsed_seconds: 3.2e8, ..base.clone() }),
        ("a time that is not one", RolloutView { elapsed_seconds: f64::NAN, now: Timestamp(i64::MIN), ..base.clone() }),
        ("measurements out of this world", RolloutView { candidate: Side { measured: busy, ..base.candidate.clone() }, ..base.clone() }),
        ("ten thousand steps", RolloutView { steps: (0..10_000).map(|step| (step, Action::CheckHealth, 1.0)).collect(), ..base }),
    ]
}

/// A firing alert with a summary of so many letters.
pub(crate) fn alert(letters: usize) -> Alert {
    Alert {
        id: "alert-1".to_owned(),
        condition: "plugin-check".to_owned(),
        severity: Severity::Info,
        phase: AlertPhase::Firing,
        summary: "ü".repeat(letters),
        model_id: None,
        symbol: Some("BTC/USDT".to_owned()),
        started_at: Timestamp(0),
        resolved_at: None,
        labels: BTreeMap::from([("line\nbreak".to_owned(), "\"quoted\" \\ and \u{0}".to_owned())]),
        detail: serde_json::json!({}),
        deliveries: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_windows_are_windows() {
        let all = windows(&["a".to_owned(), "b".to_owned()], 3, None, true);
        let count = all.ends.len();
        for part in [first(&all, 0), first(&all, 5), only(&all, 7), changed_after(&all, 9), repeated(&all, 2 * count)] {
            part.check().expect("whole");
        }
        let row = |windows: &Windows, sample: usize| windows.rows[windows.ends[sample] * 2..windows.ends[sample] * 2 + 2].to_vec();
        assert_eq!((first(&all, 5).rows.len(), first(&all, 5).targets.len()), (14, 5));
        assert_eq!(row(&only(&all, 7), 0), row(&all, 7));
        let changed = changed_after(&all, 9);
        assert_eq!(row(&changed, 8), row(&all, 8));
        assert_ne!(row(&changed, 9), row(&all, 9));
        assert_eq!(row(&repeated(&all, count + 1), count), row(&all, 0));
    }
}
