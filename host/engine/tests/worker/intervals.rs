//! Networks that say how sure they are, weights of samples, and what is done about samples that are too few or all alike.

use bellwether_domain::metrics::Distribution;
use bellwether_domain::model::Body;
use bellwether_engine::worker::Event;
use serde_json::{Value, json};

use crate::bench::{Bench, failure, market};

fn mlp(kind: &str, config: Value) -> Value {
    let mut all = json!({ "hidden_units": [8], "epochs": 8, "batch_size": 64, "learning_rate": 0.003 });
    let (Some(fields), Value::Object(config)) = (all.as_object_mut(), config) else { panic!("objects") };
    fields.extend(config);
    json!({
        "model_type": "mlp", "target": { "kind": kind, "horizon": 4 }, "sequence_length": 4, "config": all,
        "features": ["log-return", "realized-volatility(24)"],
    })
}

#[tokio::test]
async fn quantiles_carry_an_interval_that_holds_its_share() {
    let bench = Bench::new(3000).await;
    for kind in ["return", "price"] {
        let request = mlp(kind, json!({ "loss": "quantile", "quantiles": [0.1, 0.5, 0.9] }));
        let (events, artifact, predictor) = bench.train(request).await;
        let metrics = &artifact.spec.metrics;
        let (coverage, width) = (metrics.interval_coverage.expect("coverage"), metrics.interval_width.expect("width"));
        assert!((metrics.interval_level.expect("level") - 0.8).abs() < 1e-12);
        assert!((0.6..=0.95).contains(&coverage), "an 80 % interval holds {coverage} in a market of changing volatility");
        assert!(width > 0.0 && metrics.pinball.is_some_and(|loss| loss > 0.0) && metrics.crps.is_none());
        assert!(events.iter().any(|event| matches!(event, Event::Log { message } if message.contains("the 80 % interval holds"))));
        let (window, _) = predictor.window_of(&bench.bars).expect("window");
        let said = predictor.forecast_native(&window).expect("forecast").remove(0);
        let interval = said.interval().expect("interval");
        assert!(interval.lower <= said.value && said.value <= interval.upper, "{said:?}");
        assert_eq!(predictor.predict_native(&window).expect("prediction"), [said.value]);
        if kind == "price" {
            let close = bench.bars.close[bench.bars.len() - 1];
            assert!(
                (0.5..2.0).contains(&(interval.lower / close)) && (0.5..2.0).contains(&(interval.upper / close)),
                "{interval:?} {close}"
            );
        }
    }
}

#[tokio::test]
async fn a_gaussian_is_judged_by_its_score() {
    let bench = Bench::new(3000).await;
    for kind in ["return", "price"] {
        let (_, artifact, predictor) = bench.train(mlp(kind, json!({ "loss": "gaussian" }))).await;
        let metrics = &artifact.spec.metrics;
        assert_eq!((metrics.interval_level, metrics.pinball), (Some(0.9), None));
        assert!((0.75..=1.0).contains(&metrics.interval_coverage.expect("coverage")), "{metrics:?}");
        // A normal around a fair centre scores below the absolute error of its centre.
        assert!(metrics.crps.expect("score") < metrics.mae.expect("mae"));
        let (window, _) = predictor.window_of(&bench.bars).expect("window");
        let said = predictor.forecast_native(&window).expect("forecast").remove(0);
        assert!(matches!(
            (kind, &said.distribution),
            ("return", Some(Distribution::Normal { .. })) | ("price", Some(Distribution::LogNormal { .. }))
        ));
    }
    let (_, plain, predictor) = bench.train(mlp("return", json!({}))).await;
    assert_eq!((plain.spec.metrics.interval_coverage, plain.spec.metrics.crps), (None, None));
    assert_eq!(predictor.forecast_native(&predictor.probe_window(1)).expect("forecast")[0].interval(), None);
}

#[tokio::test]
async fn sample_weights_change_what_is_learned_and_stand_in_the_lineage() {
    let bench = Bench::new(1500).await;
    let (_, plain, _) = bench.train(mlp("return", json!({}))).await;
    let mut request = mlp("return", json!({}));
    request["sample_weights"] = json!({ "kind": "exponential", "half_life_days": 7 });
    let (_, weighed, _) = bench.train(request.clone()).await;
    assert!(plain.spec.lineage.sample_weights.is_none() && weighed.spec.lineage.sample_weights.is_some());
    assert_ne!(plain.body, weighed.body, "newer samples count more");
    request["sample_weights"]["half_life_days"] = json!(0);
    let (result, events) = bench.run(bench.order(request), |_| true).await;
    assert_eq!(failure(result, &events).1.as_deref(), Some("sample_weights.half_life_days"));
    let guest = json!({ "model_type": "har", "target": { "kind": "realized-volatility", "horizon": 12 },
        "sample_weights": { "kind": "exponential", "half_life_days": 7 } });
    let (result, events) = bench.run(bench.order(guest), |_| true).await;
    let (_, field, message) = failure(result, &events);
    assert_eq!(field.as_deref(), Some("sample_weights"));
    assert!(message.contains("`har` is fitted by its plugin, and the plugin contract carries no sample weights"), "{message}");
}

#[tokio::test]
async fn fewer_samples_than_a_batch_are_one_smaller_batch() {
    let bench = Bench::new(1300).await;
    let (events, artifact, _) = bench.train(mlp("return", json!({ "batch_size": 4096 }))).await;
    let train = artifact.spec.lineage.samples.expect("samples")[0];
    let expected = format!("there are {train} training samples: one batch of {train} instead of 4096");
    assert!(events.iter().any(|event| matches!(event, Event::Log { message } if *message == expected)), "{events:?}");
    // The description keeps what the plugin planned.
    assert!(matches!(&artifact.spec.body, Body::Network { network } if network.training.batch_size == 4096));
}

#[tokio::test]
async fn one_class_is_nothing_to_tell_apart() {
    // A market that only ever rises.
    let mut bars = market(1300);
    for row in 0..bars.len() {
        let close = 100.0 + row as f64 * 0.5 + 0.1 * (row as f64).sin();
        (bars.open[row], bars.close[row]) = (close - 0.01, close);
        (bars.high[row], bars.low[row]) = (close + 0.02 + 0.01 * (row as f64).cos().abs(), close - 0.02);
    }
    let bench = Bench::with(bars).await;
    let (result, events) = bench.run(bench.order(mlp("direction", json!({}))), |_| true).await;
    let (_, field, message) = failure(result, &events);
    assert_eq!(field.as_deref(), Some("data"));
    assert!(message.contains("training targets is `up`: there is nothing to tell apart"), "{message}");
}
