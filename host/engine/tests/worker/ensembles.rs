//! Ensembles: members planned by their own plugins, fitted on the same samples, weighed by the host, served as one version.

use bellwether_domain::model::{Body, Combination, MemberSpec, WeightsFrom};
use bellwether_engine::artifact::Artifact;
use bellwether_engine::predictor::{Predictor, RawWindows};
use bellwether_engine::worker::Event;
use serde_json::{Value, json};

use crate::bench::{Bench, failure};

fn small(seed_apart: u32) -> Value {
    json!({ "model_type": "lstm", "config": { "lstm_units": [2 + seed_apart], "epochs": 2, "batch_size": 64 } })
}

fn ensemble(combine: &str, members: &[Value], changes: Value) -> Value {
    let mut request = json!({
        "model_type": "ensemble",
        "target": { "kind": "realized-volatility", "horizon": 12 },
        "config": { "combine": combine, "members": members },
    });
    let (Some(fields), Value::Object(changes)) = (request.as_object_mut(), changes) else { panic!("objects") };
    fields.extend(changes);
    request
}

fn shared() -> Value {
    json!({ "features": ["realized-volatility(6)", "realized-volatility(24)", "log-return"], "sequence_length": 5 })
}

fn parts(artifact: &Artifact) -> (&[MemberSpec], &Combination) {
    match &artifact.spec.body {
        Body::Members { members, combination } => (members, combination),
        other => panic!("{other:?}"),
    }
}

/// A window of the version's own shape.
fn window(predictor: &Predictor, number: u32) -> RawWindows {
    predictor.probe_window(number)
}

#[tokio::test]
async fn networks_and_guests_are_weighed_by_their_validation_losses() {
    let bench = Bench::new(1600).await;
    let har = json!({ "model_type": "har" });
    let (events, artifact, predictor) = bench.train(ensemble("weighted", &[small(0), har, small(0)], shared())).await;
    let (members, combination) = parts(&artifact);
    let Combination::Weighted { weights, from: WeightsFrom::ValidationLoss } = combination else { panic!("{combination:?}") };
    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let losses: Vec<f64> = members.iter().map(|member| member.validation_mse.expect("a loss")).collect();
    for (weight, loss) in weights.iter().zip(&losses) {
        assert!((weight * loss - weights[0] * losses[0]).abs() < 1e-9, "inverse losses: {weights:?} {losses:?}");
    }
    assert_eq!(artifact.members.len(), 3);
    assert_ne!(artifact.members[0], artifact.members[2], "members of one kind differ in their seeds");
    assert_eq!(members.iter().map(|member| (member.seed, member.sequence_length)).collect::<Vec<_>>(), [(0, 5), (1, 1), (2, 5)]);
    assert!(!predictor.is_native(), "one member is a guest");
    assert_eq!(predictor.predict_native(&window(&predictor, 1)).expect_err("a guest").code(), "conflict");
    assert!(predictor.size_bytes() > artifact.members[1].len());

    // Together is the weighted mean of each member served alone.
    let asked = window(&predictor, 3);
    let whole = predictor.predict(asked.clone()).await.expect("prediction")[0];
    let mut sum = 0.0;
    for (place, weight) in weights.iter().enumerate() {
        sum += weight * alone(&bench, &artifact, place).await.predict(asked.clone()).await.expect("prediction")[0];
    }
    assert!((whole - sum).abs() < 1e-9, "{whole} is not {sum}");
    let names: Vec<String> = events
        .iter()
        .filter_map(|event| if let Event::Progress(progress) = event { progress.part_name.clone() } else { None })
        .fold(Vec::new(), |mut names, name| {
            if names.last() != Some(&name) {
                names.push(name);
            }
            names
        });
    assert_eq!(names, ["member 1 `lstm`", "member 2 `har`", "member 3 `lstm`"]);
}

/// The version with all weight on one member.
async fn alone(bench: &Bench, artifact: &Artifact, place: usize) -> Predictor {
    let mut artifact = artifact.clone();
    if let Body::Members { members, combination } = &mut artifact.spec.body {
        let weights = (0..members.len()).map(|other| f64::from(u8::from(other == place))).collect();
        *combination = Combination::Weighted { weights, from: WeightsFrom::Configuration };
    }
    bench.load(artifact).await
}

#[tokio::test]
async fn members_read_their_own_features_and_steps() {
    let bench = Bench::new(1600).await;
    let members = [small(0), json!({ "model_type": "har" })];
    let (_, artifact, predictor) = bench.train(ensemble("mean", &members, json!({}))).await;
    let (members, combination) = parts(&artifact);
    assert_eq!(combination, &Combination::Mean {});
    let own =
        |member: &MemberSpec| member.features.iter().map(|place| artifact.spec.features[*place as usize].to_string()).collect::<Vec<_>>();
    let (lstm, har) = (own(&members[0]), own(&members[1]));
    assert!(lstm.len() > har.len() && har.iter().all(|feature| feature.starts_with("realized-volatility")), "{lstm:?} {har:?}");
    for (place, feature) in artifact.spec.features.iter().enumerate() {
        assert!(!artifact.spec.features[..place].contains(feature), "a feature stands once");
    }
    assert_eq!((members[0].sequence_length, members[1].sequence_length, artifact.spec.sequence_length), (60, 1, 60));
    // The window of bars serves both.
    let (asked, _) = predictor.window_of(&bench.bars).expect("window");
    let both = predictor.predict(asked.clone()).await.expect("prediction")[0];
    let first = alone(&bench, &artifact, 0).await.predict(asked.clone()).await.expect("prediction")[0];
    // What only the other member reads does not change this one: all rows but the last, of the regression's columns.
    let mut other = asked.clone();
    let width = artifact.spec.features.len();
    for (place, value) in other.values.iter_mut().enumerate() {
        let column = (place % width) as u32;
        if place / width < 59 && members[1].features.contains(&column) && !members[0].features.contains(&column) {
            *value += 1.0;
        }
    }
    assert_eq!(alone(&bench, &artifact, 0).await.predict(other.clone()).await.expect("prediction")[0], first);
    assert_eq!(predictor.predict(other).await.expect("prediction")[0], both);
}

#[tokio::test]
async fn native_members_answer_on_the_calling_thread_and_alone_as_in_company() {
    let bench = Bench::new(1500).await;
    for (combine, kind) in [("median", "price"), ("stacking", "direction"), ("stacking", "return")] {
        let mut changes = shared();
        changes["target"] = json!({ "kind": kind, "horizon": 2 });
        let (_, artifact, predictor) = bench.train(ensemble(combine, &[small(0), small(1), small(2)], changes)).await;
        assert_eq!(parts(&artifact).1.name(), combine);
        assert!(predictor.is_native());
        let ask = |numbers: &[u32]| {
            let windows: Vec<RawWindows> = numbers.iter().map(|number| window(&predictor, *number)).collect();
            let values = windows.iter().flat_map(|window| window.values.clone()).collect();
            let together = RawWindows { values, count: numbers.len(), last_close: Some(vec![100.0; numbers.len()]) };
            predictor.predict_native(&together).expect("predictions")
        };
        let together = ask(&[1, 2, 3]);
        assert_eq!(ask(&[2])[0].to_bits(), together[1].to_bits());
        let asked = RawWindows { last_close: Some(vec![100.0]), ..window(&predictor, 3) };
        assert_eq!(predictor.predict(asked).await.expect("prediction"), [together[2]]);
        match kind {
            "price" => assert!(together.iter().all(|price| (50.0..200.0).contains(price)), "{together:?}"),
            "direction" => assert!(together.iter().all(|probability| (0.0..=1.0).contains(probability)), "{together:?}"),
            _ => assert!(together.iter().all(|change| change.abs() < 0.5), "{together:?}"),
        }
        if let Combination::Stacking { weights, centre, samples, .. } = parts(&artifact).1 {
            assert!(weights.iter().all(|weight| *weight >= 0.0));
            assert_eq!((*centre == 0.5, Some(*samples)), (kind == "direction", artifact.spec.lineage.samples.map(|samples| samples[1])));
        }
    }
}

#[tokio::test]
async fn members_that_cannot_be_are_named() {
    let bench = Bench::new(1500).await;
    let check = async |members: &[Value], combine: &str, changes: Value, expected: &str| {
        let (result, events) = bench.run(bench.order(ensemble(combine, members, changes)), |_| true).await;
        let (_, _, message) = failure(result, &events);
        assert!(message.contains(expected), "{message} lacks {expected}");
        assert!(!bench.output().exists());
    };
    let good = small(0);
    let missing = json!({ "model_type": "ltsm" });
    check(&[good.clone(), missing], "mean", json!({}), "config.members.1: model type `ltsm` does not exist; did you mean `lstm`?").await;
    let wrong = json!({ "model_type": "lstm", "config": { "epohcs": 3 } });
    check(&[wrong, good.clone()], "mean", json!({}), "config.members.0: member `lstm`: config.epohcs: is not a setting").await;
    check(&[good.clone(), json!({ "model_type": "ks" })], "mean", json!({}), "config.members.1: model type `ks` does not exist").await;
    let mut direction = shared();
    direction["target"] = json!({ "kind": "direction", "horizon": 1 });
    check(&[good.clone(), json!({ "model_type": "har" })], "mean", direction, "har predicts real numbers").await;
    let mut blind = shared();
    blind["split"] = json!({ "validation": 0.005 });
    check(&[good.clone(), small(1)], "stacking", blind.clone(), "validation samples; stacking of 2 members needs 20").await;
    check(&[good.clone(), small(1)], "weighted", blind, "validation samples; weights from the validation losses").await;
    let mut weighed = shared();
    weighed["sample_weights"] = json!({ "kind": "exponential", "half_life_days": 5 });
    check(&[good, json!({ "model_type": "har" })], "mean", weighed, "sample_weights: `har` is fitted by its plugin").await;
}

#[tokio::test]
async fn ensembles_are_not_nested() {
    let bench = Bench::new(1200).await;
    // Under another name, so that the plugin itself cannot see it.
    let mut order = bench.order(ensemble("mean", &[small(0), json!({ "model_type": "inner" })], shared()));
    order.plugins.instance.push(serde_json::from_value(json!({ "name": "inner", "plugin": "ensemble" })).expect("instance"));
    let (result, events) = bench.run(order, |_| true).await;
    let (_, field, message) = failure(result, &events);
    assert_eq!(field.as_deref(), Some("config.members.1"));
    assert!(message.contains("is an ensemble itself"), "{message}");
}

#[tokio::test]
async fn folds_of_an_ensemble_weigh_their_own_members() {
    let bench = Bench::new(2500).await;
    let mut changes = shared();
    changes["split"] = json!({ "scheme": { "kind": "walk-forward", "folds": 2 } });
    let (events, artifact, _) = bench.train(ensemble("stacking", &[small(0), json!({ "model_type": "har" })], changes)).await;
    assert_eq!(artifact.spec.cross_validation.as_ref().map(|together| together.folds.len()), Some(2));
    let last = events.iter().rev().find_map(|event| match event {
        Event::Progress(progress) if progress.parts > 0 => Some((progress.part, progress.parts, progress.part_name.clone())),
        _ => None,
    });
    assert_eq!(last, Some((6, 6, Some("the final model, member 2 `har`".to_owned()))));
    let weighed =
        events.iter().filter(|event| matches!(event, Event::Log { message } if message.contains(": stacking, validation mse"))).count();
    assert_eq!(weighed, 6);
}
