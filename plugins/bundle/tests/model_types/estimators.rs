//! Fits inside the component, under the limits of the manifests.
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bellwether_domain::target::TargetKind;
use bellwether_plugin::{InputShape, Plan, Windows};
use serde_json::{Value, json};

use crate::{host, target};

/// Uniform numbers, the same in every run.
fn uniform(seed: u64, count: usize) -> impl Iterator<Item = f64> {
    let mut state = seed;
    (0..count).map(move |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    })
}

/// Samples of one step whose target is (a − b)², and 0.1 of noise.
fn windows(seed: u64, samples: usize, binary: bool) -> Windows {
    let rows: Arc<[f64]> = uniform(seed, samples * 4).collect();
    let noise = uniform(seed + 1, samples);
    let rule = |(row, noise): (&[f64], f64)| {
        let value = (row[0] - row[1]).powi(2) + 0.1 * (noise - 0.5);
        if binary { f64::from(u8::from(value > 0.1)) } else { value }
    };
    let targets = rows.chunks(4).zip(noise).map(rule).collect();
    Windows { features: ["a", "b", "c", "d"].map(str::to_owned).into(), steps: 1, rows, ends: (0..samples).collect(), targets }
}

fn bare(windows: &Windows) -> Windows {
    Windows { targets: Arc::new([]), ..windows.clone() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trees_find_a_curve_and_lines_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path(), &["gbdt", "linear"]).await;
    let (train, validation, test) = (windows(1, 3000, false), windows(2, 1000, false), windows(3, 1000, false));
    let mean = test.targets.iter().sum::<f64>() / 1000.0;
    let variance = test.targets.iter().map(|target| (target - mean).powi(2)).sum::<f64>() / 1000.0;
    let explained = async |name: &str, seed: u64| {
        let model = host.model(name).unwrap();
        let config = host.configure(name, &json!({"window": "last-step"})).unwrap();
        let told = Arc::new(AtomicU32::new(0));
        let heard = told.clone();
        let progress = Box::new(move |_: u32, _: u32, _: f64, _: f64| heard.fetch_add(1, Ordering::Relaxed) < u32::MAX);
        let state = model.fit(&config, train.clone(), validation.clone(), seed, progress).await.unwrap();
        assert!(told.load(Ordering::Relaxed) > 0, "{name} tells where it is");
        let found = model.predict(&config, &state, bare(&test)).await.unwrap();
        let error = found.iter().zip(&*test.targets).map(|(found, target)| (found - target).powi(2)).sum::<f64>() / 1000.0;
        (1.0 - error / variance, state)
    };
    let (trees, state) = explained("gbdt", 7).await;
    let (line, _) = explained("linear", 7).await;
    assert!(trees > 0.9 && line < 0.1, "explained: {trees} by trees, {line} by a line");
    assert_eq!(state, explained("gbdt", 7).await.1, "one seed, the same bytes");
    assert_ne!(state, explained("gbdt", 8).await.1, "another seed, other draws");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn binary_targets_get_probabilities_and_a_stop_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path(), &["gbdt", "linear"]).await;
    let (train, validation) = (windows(1, 1000, true), windows(2, 500, true));
    for name in ["gbdt", "linear"] {
        let model = host.model(name).unwrap();
        let config = host.configure(name, &json!({"window": "last-step"})).unwrap();
        let shape = InputShape { sequence_length: 1, features: train.features.to_vec() };
        let plan = model.plan(&config, &shape, target(TargetKind::Direction)).await.unwrap();
        assert!(matches!(plan, Plan::Guest { last_step_only: true, .. }), "{name}: {plan:?}");
        for go_on in [true, false] {
            let state = model.fit(&config, train.clone(), validation.clone(), 1, Box::new(move |_, _, _, _| go_on)).await.unwrap();
            let found = model.predict(&config, &state, bare(&validation)).await.unwrap();
            assert!(found.iter().all(|found| (0.0..=1.0).contains(found)), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ensemble_names_members_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path(), &["ensemble", "lstm", "gbdt", "linear"]).await;
    let model = host.model("ensemble").unwrap();
    let plan = async |given: Value| {
        let config = host.configure("ensemble", &given).unwrap();
        let shape = InputShape { sequence_length: 60, features: vec!["body".to_owned()] };
        model.plan(&config, &shape, target(TargetKind::Return)).await
    };
    let Plan::Members(members, combine) = plan(json!({})).await.unwrap() else { panic!("no ensemble") };
    assert_eq!(combine, "weighted");
    for (name, config, weight) in &members {
        host.configure(name, config).unwrap();
        assert_eq!(*weight, 0.0, "weighed by the host");
    }
    let nested = plan(json!({"members": [{"model_type": "ensemble"}, {"model_type": "lstm"}]})).await.unwrap_err();
    assert!(nested.to_string().contains("is an ensemble itself"), "{nested}");
    let misspelt = host.configure("ensemble", &json!({"members": [{"model_typ": "lstm"}, {"model_type": "lstm"}]})).unwrap_err();
    assert!(misspelt.to_string().contains("did you mean `model_type`?"), "{misspelt}");
}
