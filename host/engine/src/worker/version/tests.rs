//! A network that embeds a category, from bars to a version that answers: no plugin of ours plans one, so it is made by hand.

use bellwether_domain::bars::Bar;
use bellwether_domain::job::{Precision, TrainingRequest};
use bellwether_domain::network::Network;
use bellwether_plugin::{Bundled, PluginsConfig};
use serde_json::{Value, json};

use super::*;
use crate::dataset;
use crate::features;
use crate::predictor::RawWindows;
use crate::worker::categorical;
use crate::worker::recipe::{Learner, Single};

const STEPS: u32 = 3;

/// Closes that rise in every tenth hour of the day and fall in every other, beside small noise.
fn bars(rows: usize) -> Bars {
    let mut bars = Bars::default();
    let (mut close, mut noise) = (100.0_f64, 7_u64);
    for row in 0..rows {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drift = if row % 24 == 10 { 0.01 } else { -0.0004 };
        let open = close;
        close *= f64::exp(drift + 0.0005 * ((noise >> 40) as f64 / f64::from(1 << 24) - 0.5));
        let timestamp = Timestamp(row as i64 * 3_600_000);
        bars.push(Bar { timestamp, open, high: open.max(close) * 1.0001, low: open.min(close) * 0.9999, close, volume: 1.0 });
    }
    bars
}

/// Embeds the first of three features and reads the last step.
fn network() -> Network {
    let slice = |first: u32, length: u32| json!({"op": "slice", "with": {"axis": 1, "start": first, "length": length}});
    let operations: [(Value, &[u32]); 7] = [
        (json!({"op": "input"}), &[]),
        (slice(0, 1), &[0]),
        (json!({"op": "reshape", "with": [STEPS]}), &[1]),
        (json!({"op": "embedding", "with": {"categories": 24, "width": 3}}), &[2]),
        (slice(1, 2), &[0]),
        (json!({"op": "concat", "with": 1}), &[3, 4]),
        (json!({"op": "time-pooling", "with": "last"}), &[5]),
    ];
    let mut nodes: Vec<Value> = operations
        .iter()
        .enumerate()
        .map(|(place, (operation, inputs))| json!({"name": format!("n{place}"), "operation": operation, "inputs": inputs}))
        .collect();
    let dense = json!({"op": "dense", "with": {"units": 1, "bias": true, "kernel": {"kind": "standard"}}});
    nodes.push(json!({"name": "head", "operation": dense, "inputs": [6]}));
    let adam = json!({"kind": "adam", "with": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}});
    let training = json!({"epochs": 12, "batch_size": 32, "learning_rate": 0.02, "optimizer": adam,
        "schedule": {"kind": "constant"}, "clip_norm": null, "early_stopping": null});
    let output = json!({"name": "prediction", "node": 7, "loss": {"kind": "mse"}, "weight": 1.0});
    serde_json::from_value(json!({"nodes": nodes, "outputs": [output], "training": training})).expect("network")
}

fn order(folder: &std::path::Path) -> Order {
    let request: TrainingRequest =
        serde_json::from_value(json!({"model_type": "lstm", "symbol": "X", "target": {"kind": "return", "horizon": 1}})).expect("request");
    Order {
        job_id: "job".to_owned(),
        request,
        bars: folder.join("bars"),
        output: folder.join("out"),
        plugin_cache: folder.join("cache"),
        plugins: PluginsConfig::default(),
        drift_tests: Vec::new(),
        min_data_points: 0,
        device: "cpu".to_owned(),
        precision: Precision::F32,
        threads: 1,
        estimate: None,
        checkpoints: None,
        columns: None,
    }
}

/// The handmade network in the place of what `lstm` would plan.
async fn recipe(order: &Order) -> Recipe {
    let bundled: Vec<Bundled> = bellwether_bundle::PLUGINS.iter().map(|(manifest, component)| Bundled { manifest, component }).collect();
    let config = PluginsConfig { only: vec!["lstm".to_owned()], cache: order.plugin_cache.clone(), ..PluginsConfig::default() };
    let plugins = bellwether_plugin::PluginHost::open(config, &bundled).await.expect("plugins");
    let features: Vec<_> = ["hour-of-day", "log-return", "realized-volatility(12)"].map(|name| name.parse().expect("feature")).to_vec();
    let network = network();
    let embedded = categorical::embedded(&network, &features).expect("a category");
    assert_eq!(embedded, [true, false, false]);
    let learner = Learner {
        model_type: "lstm".to_owned(),
        plugin: plugins.model("lstm").expect("plugin"),
        stamp: plugins.stamp("lstm").expect("stamp"),
        config: json!({}),
        columns: vec![0, 1, 2],
        features: features.clone(),
        steps: STEPS,
        seed: 1,
        plan: Single::Network { network: Box::new(network), embedded },
    };
    let stamp = plugins.stamp("lstm").expect("stamp");
    Recipe { stamp, config: json!({}), features, steps: STEPS, least_samples: 10, learners: vec![learner], combine: None, plugins }
}

#[tokio::test]
async fn an_embedded_category_stays_a_whole_number() {
    let folder = tempfile::tempdir().expect("folder");
    let order = order(folder.path());
    let recipe = recipe(&order).await;
    let bars = bars(1500);
    let (request, interval) = (&order.request, order.request.interval);
    let dataset = dataset::build(&bars, interval, &recipe.features, STEPS, request.target, &request.split, 10).expect("dataset");
    let division = Division::whole(&dataset, &bars, STEPS, request).expect("division");
    assert!(division.scaler.mean[0] > 5.0, "the hour would be scaled: {:?}", division.scaler);
    let slots = Slots::open(&order, "digest", &recipe.stamps()).expect("slots");
    let work = Work { order: &order, recipe: &recipe, dataset: &dataset, bars: &bars, data_digest: "digest", slots: &slots };
    let mut emit = |_| true;
    let mut voice = Voice::new(&mut emit);
    let artifact = make(&work, &division, None, &mut Turns::new(0, 1), &mut voice).await.expect("made");
    let scaler = &artifact.spec.scaler;
    assert_eq!((scaler.mean[0], scaler.standard_deviation[0]), (0.0, 1.0));
    assert_eq!((scaler.mean[1], scaler.standard_deviation[2]), (division.scaler.mean[1], division.scaler.standard_deviation[2]));

    // It has learned the one hour in which the market rises, which a number between -1.7 and 1.7 could hardly say.
    let predictor = Predictor::load(artifact, &recipe.plugins).expect("predictor");
    let columns = features::compute(&bars, interval, &recipe.features);
    let mut expected = vec![Vec::new(); 24];
    for end in 100..1400 {
        let values: Vec<f64> = (end + 1 - STEPS as usize..=end).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
        let said = predictor.predict_native(&RawWindows { values, count: 1, last_close: None }).expect("prediction")[0];
        expected[end % 24].push(said);
    }
    let means: Vec<f64> = expected.iter().map(|said| said.iter().sum::<f64>() / said.len() as f64).collect();
    assert!(means[9] > 0.005 && means.iter().enumerate().all(|(hour, mean)| hour == 9 || *mean < 0.003), "{means:?}");
    for number in 0..5 {
        predictor.predict_native(&predictor.probe_window(number)).expect("a probe holds hours");
    }
}
