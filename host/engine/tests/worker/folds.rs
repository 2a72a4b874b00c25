//! Folds before the held-out part: fitted and judged, kept with the version, and without any effect on it.

use bellwether_domain::metrics::CrossValidation;
use bellwether_domain::time::Timestamp;
use bellwether_engine::artifact::Artifact;
use bellwether_engine::worker::Event;
use serde_json::{Value, json};

use crate::bench::{Bench, failure, market};

fn har(split: Value) -> Value {
    let features = ["realized-volatility(6)", "realized-volatility(24)", "realized-volatility(72)"];
    json!({ "model_type": "har", "target": { "kind": "realized-volatility", "horizon": 12 }, "features": features, "split": split })
}

fn lstm(split: Value) -> Value {
    json!({
        "model_type": "lstm", "target": { "kind": "direction", "horizon": 1 }, "features": ["log-return", "rsi(5)"],
        "sequence_length": 4, "config": { "lstm_units": [3], "epochs": 2, "batch_size": 64 }, "split": split,
    })
}

fn folds(artifact: &Artifact) -> &CrossValidation {
    artifact.spec.cross_validation.as_ref().expect("folds")
}

fn lines(events: &[Event]) -> Vec<&str> {
    events.iter().filter_map(|event| if let Event::Log { message } = event { Some(message.as_str()) } else { None }).collect()
}

#[tokio::test]
async fn every_scheme_judges_its_folds_and_leaves_the_model_alone() {
    let bench = Bench::new(1800).await;
    let (_, plain, _) = bench.train(har(json!({}))).await;
    assert_eq!(plain.spec.cross_validation, None);
    for (scheme, count) in [
        (json!({ "kind": "walk-forward", "folds": 3 }), 3),
        (json!({ "kind": "walk-forward", "folds": 4, "window": "rolling", "train_size": 250 }), 4),
        (json!({ "kind": "purged-k-fold", "folds": 5 }), 5),
    ] {
        let (events, artifact, _) = bench.train(har(json!({ "scheme": scheme, "embargo": 6 }))).await;
        let together = folds(&artifact);
        assert_eq!(together.folds.len(), count);
        let test_begins = test_begins(&bench, &artifact);
        for (place, fold) in together.folds.iter().enumerate() {
            assert_eq!((fold.fold as usize, fold.metrics.samples), (place + 1, Some(fold.samples[2])));
            assert!(fold.metrics.mse.is_some() && fold.metrics.skill.is_some() && fold.metrics.accuracy.is_some());
            assert!(fold.from < fold.until && fold.until < test_begins, "{fold:?} reaches into the test part");
        }
        assert!(together.folds.windows(2).all(|pair| pair[0].until < pair[1].from));
        let mean = together.folds.iter().filter_map(|fold| fold.metrics.mse).sum::<f64>() / count as f64;
        assert!((together.mean.mse.expect("mse") - mean).abs() < 1e-12 && together.standard_deviation.mse.is_some_and(|sd| sd > 0.0));
        // Nothing of the folds reaches the version: the same state as without them. The embargo alone would change it.
        let (_, embargoed, _) = bench.train(har(json!({ "embargo": 6 }))).await;
        assert_eq!((&artifact.body, &artifact.spec.metrics), (&embargoed.body, &embargoed.spec.metrics));
        let said = lines(&events);
        assert!(said.iter().any(|line| line.starts_with(&format!("fold {count}: mse "))), "{said:?}");
        assert!(said.iter().any(|line| line.starts_with(&format!("{count} folds, ")) && line.contains('±')));
    }
}

/// Time of the first held-out sample, from the sizes the lineage states.
fn test_begins(bench: &Bench, artifact: &Artifact) -> Timestamp {
    let held_out = artifact.spec.lineage.samples.expect("samples")[2] as usize;
    // The last sample ends `horizon` bars before the last bar; samples are dense at the end of this market.
    let last = bench.bars.len() - 1 - artifact.spec.target.horizon as usize;
    Timestamp(bench.bars.timestamp[last + 1 - held_out])
}

#[tokio::test]
async fn folds_of_a_network_are_parts_of_the_progress() {
    let bench = Bench::new(1800).await;
    let (events, artifact, _) = bench.train(lstm(json!({ "scheme": { "kind": "purged-k-fold", "folds": 2 } }))).await;
    let mut parts: Vec<(u32, u32, Option<String>)> = events
        .iter()
        .filter_map(|event| if let Event::Progress(progress) = event { Some(progress) } else { None })
        .filter(|progress| progress.parts > 0)
        .map(|progress| (progress.part, progress.parts, progress.part_name.clone()))
        .collect();
    parts.dedup();
    let named = |part: u32, name: &str| (part, 3, Some(name.to_owned()));
    assert_eq!(parts, [named(1, "fold 1"), named(2, "fold 2"), named(3, "the final model")]);
    // The baseline of a direction is the share of ups in the fold's own training part.
    let baselines: Vec<f64> = folds(&artifact).folds.iter().filter_map(|fold| fold.metrics.baseline_mse).collect();
    assert!(baselines.iter().all(|brier| (0.2..0.3).contains(brier)) && baselines[0] != baselines[1], "{baselines:?}");
    let (_, again, _) = bench.train(lstm(json!({}))).await;
    assert_eq!(again.body, artifact.body, "the final model is the one of a holdout");
}

#[tokio::test]
async fn the_test_part_is_not_touched() {
    let bars = market(1800);
    let bench = Bench::with(bars.clone()).await;
    let scheme = json!({ "scheme": { "kind": "purged-k-fold", "folds": 4 } });
    let (_, before, _) = bench.train(har(scheme.clone())).await;
    // Everything that only the test part and its labels read is another market.
    let first = bars.timestamp.iter().position(|time| Timestamp(*time) == test_begins(&bench, &before)).expect("a bar");
    let mut other = bars;
    for row in first + 1..other.len() {
        for column in [&mut other.open, &mut other.high, &mut other.low, &mut other.close] {
            column[row] *= 3.0 + 0.1 * (row as f64).sin();
        }
    }
    (first + 1..other.len()).for_each(|row| {
        other.high[row] = other.high[row].max(other.open[row]).max(other.close[row]).max(other.low[row]);
        other.low[row] = other.low[row].min(other.open[row]).min(other.close[row]);
    });
    let (_, after, _) = Bench::with(other).await.train(har(scheme)).await;
    assert_eq!(folds(&after), folds(&before));
    assert_ne!(after.spec.metrics, before.spec.metrics, "the change is seen where it may be");
}

#[tokio::test]
async fn folds_that_cannot_be_are_refused_before_anything_is_fitted() {
    let bench = Bench::new(1200).await;
    let check = async |request: Value, field: &str, expected: &str| {
        let (result, events) = bench.run(bench.order(request), |_| true).await;
        let (_, named, message) = failure(result, &events);
        assert_eq!(named.as_deref(), Some(field), "{message}");
        assert!(message.contains(expected), "{message} lacks {expected}");
        assert!(!events.iter().any(|event| matches!(event, Event::Progress(progress) if progress.epochs > 0)));
    };
    check(har(json!({ "scheme": { "kind": "purged-k-fold", "folds": 1 } })), "split.scheme.folds", "it must be 2 to 100").await;
    check(lstm(json!({ "scheme": { "kind": "walk-forward", "folds": 6 } })), "split.scheme.folds", "fold 1 of 6 would learn from").await;
    let rolling = json!({ "kind": "walk-forward", "folds": 2, "window": "rolling", "train_size": 90 });
    check(har(json!({ "scheme": rolling })), "split.scheme.folds", "needs 100").await;
    let anchored = json!({ "kind": "walk-forward", "folds": 2, "train_size": 90 });
    check(har(json!({ "scheme": anchored })), "split.scheme.train_size", "is for a rolling window").await;
}
