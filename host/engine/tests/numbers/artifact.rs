//! Artifacts: the same bytes for the same contents, and a clear refusal of everything else.

use std::collections::BTreeMap;

use bellwether_domain::metrics::ModelMetrics;
use bellwether_domain::model::{BaselineSpec, Body, Combination, Lineage, MemberSpec, ModelSpec, PluginStamp, WeightsFrom};
use bellwether_domain::scaler::Scaler;
use bellwether_domain::target::{Target, TargetKind};
use bellwether_domain::time::Interval;
use bellwether_engine::artifact::Artifact;

use crate::series::{Draw, feature};

fn artifact() -> Artifact {
    let stamp = PluginStamp { name: "har".to_owned(), version: "0.1.0".to_owned(), digest: "00".repeat(32) };
    let config = serde_json::json!({ "ridge": 0.1 });
    let spec = ModelSpec {
        format: 1,
        model_type: "har".to_owned(),
        config: config.clone(),
        symbol: "BTC/USDT".parse().expect("symbol"),
        interval: Interval::HOUR,
        target: Target { kind: TargetKind::RealizedVolatility, horizon: 24 },
        features: ["realized-volatility(24)", "realized-volatility(168)"].map(feature).to_vec(),
        sequence_length: 1,
        scaler: Scaler { mean: vec![-5.1, -5.0 / 3.0], standard_deviation: vec![0.1 + 0.2, 0.5] },
        target_scaler: Scaler { mean: vec![0.0], standard_deviation: vec![1.0] },
        body: Body::Guest { plugin: stamp.clone(), scaled: false },
        metrics: ModelMetrics { mse: Some(0.1), ..ModelMetrics::default() },
        cross_validation: None,
        lineage: Lineage { rows: Some(100), ..Lineage::default() },
        baselines: vec![BaselineSpec { test: "ks".to_owned(), plugin: stamp, config, rows: 80 }],
        files: BTreeMap::new(),
    };
    let baselines = BTreeMap::from([("ks".to_owned(), vec![vec![1, 2, 3], vec![]])]);
    Artifact { spec, body: b"state".to_vec(), members: Vec::new(), baselines }
}

/// The same as an ensemble of a guest that reads both features and one that reads the second.
fn ensemble() -> Artifact {
    let mut artifact = artifact();
    let stamp = artifact.spec.baselines[0].plugin.clone();
    let member = |features: &[u32]| MemberSpec {
        model_type: "har".to_owned(),
        plugin: stamp.clone(),
        config: serde_json::json!({}),
        features: features.to_vec(),
        sequence_length: 1,
        scaler: Scaler { mean: vec![0.5; features.len()], standard_deviation: vec![2.0; features.len()] },
        body: Body::Guest { plugin: stamp.clone(), scaled: true },
        seed: 3,
        validation_mse: Some(0.25),
    };
    let combination = Combination::Weighted { weights: vec![0.75, 0.25], from: WeightsFrom::ValidationLoss };
    artifact.spec.body = Body::Members { members: vec![member(&[0, 1]), member(&[1])], combination };
    (artifact.body, artifact.members) = (Vec::new(), vec![b"first".to_vec(), b"second".to_vec()]);
    artifact
}

#[test]
fn an_ensemble_holds_its_members() {
    let ensemble = ensemble();
    let bytes = ensemble.pack().expect("pack");
    let back = Artifact::unpack(&bytes).expect("unpack");
    assert_eq!((&back.body, &back.members, &back.spec.body), (&ensemble.body, &ensemble.members, &ensemble.spec.body));
    let files: Vec<&String> = back.spec.files.keys().collect();
    assert_eq!(files, ["baselines/ks/0.bin", "baselines/ks/1.bin", "members/0/state.bin", "members/1/state.bin"]);
    assert_eq!(back.pack().expect("repack"), bytes);

    let refused = |change: &dyn Fn(&mut Artifact), expected: &str| {
        let mut wrong = self::ensemble();
        change(&mut wrong);
        let error = wrong.pack().expect_err(expected).to_string();
        assert!(error.starts_with("model_data: ") && error.contains(expected), "{error} lacks {expected}");
    };
    refused(&|artifact| artifact.members.truncate(1), "has 1 bodies for 2 models");
    refused(&|artifact| artifact.spec.features.truncate(1), "needs 1 finite means");
    let members = |artifact: &mut Artifact, change: &dyn Fn(&mut Vec<MemberSpec>)| match &mut artifact.spec.body {
        Body::Members { members, .. } => change(members),
        other => panic!("{other:?}"),
    };
    refused(&|artifact| members(artifact, &|members| members.truncate(1)), "members: there are 1");
    refused(&|artifact| members(artifact, &|members| members[1].features = vec![7]), "members.2: reads features [7] of 2");
    let nested = |artifact: &mut Artifact| {
        let whole = artifact.spec.body.clone();
        members(artifact, &|members| members[0].body = whole.clone());
    };
    refused(&nested, "members.1: is an ensemble itself");
}

/// The artifact's files packed by hand, so that they can be wrong.
fn repacked(change: impl Fn(&mut Vec<(String, Vec<u8>)>)) -> Vec<u8> {
    let bytes = artifact().pack().expect("pack");
    let mut archive = tar::Archive::new(bytes.as_slice());
    let mut files = Vec::new();
    for entry in archive.entries().expect("tar") {
        let mut entry = entry.expect("entry");
        let name = entry.path().expect("path").display().to_string();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).expect("content");
        files.push((name, content));
    }
    change(&mut files);
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        // Written as bytes, for `append_data` would refuse hostile names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, content.as_slice()).expect("append");
    }
    tar.into_inner().expect("bytes")
}

#[test]
fn the_same_contents_give_the_same_bytes() {
    let artifact = artifact();
    let bytes = artifact.pack().expect("pack");
    assert_eq!(bytes, artifact.pack().expect("again"));
    let back = Artifact::unpack(&bytes).expect("unpack");
    assert_eq!((&back.body, &back.baselines, &back.spec.scaler), (&artifact.body, &artifact.baselines, &artifact.spec.scaler));
    assert_eq!(back.spec.files.keys().collect::<Vec<_>>(), ["baselines/ks/0.bin", "baselines/ks/1.bin", "state.bin"]);
    assert_eq!(back.pack().expect("repack"), bytes);
}

#[test]
fn other_bytes_are_refused_with_the_reason() {
    let check = |bytes: &[u8], expected: &str| {
        let error = Artifact::unpack(bytes).expect_err(expected).to_string();
        assert!(error.starts_with("model_data: ") && error.contains(expected), "{error} lacks {expected}");
    };
    let whole = artifact().pack().expect("pack");
    check(b"", "holds no file");
    check(b"PK\x03\x04 a zip, perhaps, or a pickle", "not a readable tar");
    check(&vec![0; 4096], "holds no file");
    check(&whole[..whole.len() / 2], "");
    check(&whole[..700], "cut short");
    check(&repacked(|files| files.retain(|(name, _)| name != "model.json")), "holds no model.json");
    check(&repacked(|files| files.retain(|(name, _)| name != "state.bin")), "lacks the file state.bin");
    check(&repacked(|files| files[1].1.push(b'!')), "does not match its digest");
    check(&repacked(|files| files.push(("../../etc/passwd".to_owned(), vec![]))), "not part of an artifact");
    check(&repacked(|files| files.push(("/state.bin".to_owned(), vec![]))), "not part of an artifact");
    check(&repacked(|files| files.push(("baselines/../0.bin".to_owned(), vec![]))), "not part of an artifact");
    check(&repacked(|files| files.push(("baselines/ks/00.bin".to_owned(), vec![]))), "not part of an artifact");
    check(&repacked(|files| files.push(("weights.safetensors".to_owned(), vec![]))), "which model.json does not name");
    check(&repacked(|files| files.push(("members/0/state.bin".to_owned(), vec![]))), "which model.json does not name");
    check(&repacked(|files| files.push(("members/00/state.bin".to_owned(), vec![]))), "not part of an artifact");
    check(&repacked(|files| files.push(("members/../state.bin".to_owned(), vec![]))), "not part of an artifact");
    check(&repacked(|files| files.push(("state.bin".to_owned(), vec![]))), "holds the file state.bin twice");
    check(&repacked(|files| files[0].1 = b"{".to_vec()), "model.json is not JSON");
    check(&repacked(|files| files[0].1 = b"{}".to_vec()), "has no `format`");
    check(&repacked(|files| files[0].1 = b"{\"format\": 2, \"new\": 1}".to_vec()), "has format 2; this host reads format 1");
    check(&repacked(|files| files[0].1 = b"{\"format\": 1}".to_vec()), "does not read: missing field");
}

#[test]
fn contradictions_are_found_on_both_ways() {
    let check = |change: &dyn Fn(&mut Artifact), expected: &str| {
        let mut artifact = artifact();
        change(&mut artifact);
        let error = artifact.pack().expect_err(expected).to_string();
        assert!(error.starts_with("model_data: ") && error.contains(expected), "{error} lacks {expected}");
    };
    check(&|artifact| artifact.spec.format = 2, "format 2");
    check(&|artifact| artifact.spec.sequence_length = 0, "sequence_length of 0");
    check(&|artifact| artifact.spec.scaler.mean[0] = f64::NAN, "finite means");
    check(&|artifact| artifact.spec.scaler.mean = vec![0.0], "needs 2 finite means");
    check(&|artifact| artifact.spec.target_scaler.standard_deviation = vec![0.0], "target_scaler");
    check(&|artifact| artifact.spec.target.horizon = 0, "target.horizon");
    check(&|artifact| artifact.spec.baselines.clear(), "baselines of `ks`, which model.json does not name");
    check(&|artifact| artifact.baselines.clear(), "has 0 baselines of `ks` for 2 features");
    check(&|artifact| artifact.spec.baselines[0].test = "../ks".to_owned(), "`../ks` twice, or it is no name");
    let mut whole_frame = artifact();
    whole_frame.baselines.insert("ks".to_owned(), vec![vec![7]]);
    let bytes = whole_frame.pack().expect("a test of all columns at once has one baseline");
    assert_eq!(Artifact::unpack(&bytes).expect("unpack").baselines["ks"], vec![vec![7]]);
}

#[test]
fn damaged_bytes_never_panic_or_change_the_body() {
    let (whole, artifact) = (artifact().pack().expect("pack"), artifact());
    let check = |bytes: &[u8]| {
        if let Ok(read) = Artifact::unpack(bytes) {
            assert_eq!((read.body, read.baselines), (artifact.body.clone(), artifact.baselines.clone()));
        }
    };
    for length in (0..whole.len()).step_by(61) {
        check(&whole[..length]);
    }
    let several = ensemble();
    let packed = several.pack().expect("pack");
    let mut other = Draw::new(12);
    for _ in 0..2000 {
        let mut bytes = packed.clone();
        let place = (other.next() * bytes.len() as f64) as usize;
        bytes[place] = (other.next() * 256.0) as u8;
        if let Ok(read) = Artifact::unpack(&bytes) {
            assert_eq!((read.members, read.baselines), (several.members.clone(), several.baselines.clone()));
        }
    }
    let mut draw = Draw::new(11);
    for _ in 0..4000 {
        let mut bytes = whole.clone();
        for _ in 0..=(draw.next() * 3.0) as usize {
            let place = (draw.next() * bytes.len() as f64) as usize;
            bytes[place] = (draw.next() * 256.0) as u8;
        }
        check(&bytes);
    }
}
