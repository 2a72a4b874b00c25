//! Models exported by PyTorch enter through the real binary and predict what PyTorch predicted.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bellwether_tests::{Home, binary};
use serde_json::{Value, json};

use crate::shared::{Shared, id, shared};

/// The five inputs of the fixtures, by the names of features whose values a client may send.
const FEATURES: [&str; 5] = ["log-return(1)", "log-return(2)", "log-return(3)", "log-return(4)", "log-return(5)"];

fn file(name: &str) -> std::path::PathBuf {
    binary::repository().join("tests/fixtures/onnx").join(name)
}

/// Windows and answers of a fixture.
pub(crate) fn sample(name: &str) -> (Vec<Vec<f64>>, Vec<f64>) {
    let sample: Value = serde_json::from_slice(&fs_err::read(file(&format!("{name}.json"))).unwrap()).unwrap();
    let rows = |name: &str| serde_json::from_value::<Vec<Vec<f64>>>(sample[name].clone()).unwrap();
    (rows("inputs"), rows("outputs").concat())
}

/// A request to import a fixture.
pub(crate) fn request(name: &str, kind: &str) -> Value {
    let bytes = fs_err::read(file(&format!("{name}_{kind}.onnx"))).unwrap();
    let (inputs, outputs) = sample(name);
    json!({
        "model": STANDARD.encode(bytes), "symbol": "EURUSD", "interval": "1h", "target": {"kind": "return"},
        "features": FEATURES, "sample": {"inputs": inputs, "outputs": outputs},
    })
}

/// What a version answers to the windows of a fixture must be what PyTorch answered, when `raw` gives the features before
/// scaling and `unit` the answer before it was scaled back.
#[track_caller]
fn check(host: &Shared, model: &str, name: &str, raw: impl Fn(f64) -> f64, unit: impl Fn(f64) -> f64) {
    let (inputs, outputs) = sample(name);
    let windows: Vec<Vec<Vec<f64>>> = inputs
        .iter()
        .map(|window| window.chunks(FEATURES.len()).map(|row| row.iter().map(|value| raw(*value)).collect()).collect())
        .collect();
    let answer = host.post("/predict", &json!({"model_id": model, "windows": windows})).expect(200);
    let given = answer["predictions"].as_array().unwrap();
    assert_eq!(given.len(), outputs.len());
    for (given, wanted) in given.iter().zip(&outputs) {
        let given = unit(given["prediction"].as_f64().unwrap_or_else(|| panic!("{answer}")));
        assert!((given - wanted).abs() <= 1e-5 * wanted.abs().max(1.0), "{name}: {given} is not {wanted}");
    }
}

#[test]
fn an_lstm_of_either_exporter_predicts_what_pytorch_predicted() {
    let host = shared();
    for kind in ["ts", "dynamo", "one"] {
        let imported = host.post("/models/import", &request("lstm", kind)).expect(201);
        let model = &imported["model"];
        assert_eq!(
            (&model["model_type"], &model["sequence_length"], &model["status"]),
            (&json!("onnx"), &json!(12), &json!("registered")),
            "{imported}"
        );
        assert!(imported["largest_difference"].as_f64().unwrap() <= 1e-5, "{imported}");
        check(host, &id(model, "model_id"), "lstm", |value| value, |value| value);
    }
}

#[test]
fn every_kind_of_network_enters() {
    let host = shared();
    for name in ["bilstm", "gru", "mlp", "tcn", "transformer_last", "transformer_causal", "attention"] {
        let imported = host.post("/models/import", &request(name, "dynamo")).expect(201);
        check(host, &id(&imported["model"], "model_id"), name, |value| value, |value| value);
    }
}

#[test]
fn scalers_stand_around_the_network() {
    let host = shared();
    let mut body = request("lstm", "ts");
    body["scaler"] = json!({"mean": [3.0, 3.0, 3.0, 3.0, 3.0], "standard_deviation": [0.5, 0.5, 0.5, 0.5, 0.5]});
    body["target_scaler"] = json!({"mean": [10.0], "standard_deviation": [2.0]});
    let imported = host.post("/models/import", &body).expect(201);
    check(host, &id(&imported["model"], "model_id"), "lstm", |value| value * 0.5 + 3.0, |value| (value - 10.0) / 2.0);
    body["scaler"] = json!({"mean": [3.0], "standard_deviation": [0.5]});
    host.post("/models/import", &body).invalid("scaler", &["5 finite means"]);
}

#[test]
fn the_command_imports_compares_and_reports() {
    let host = shared();
    let home = Home::default().with("BELLWETHER_URL", &host.host.url).with("BELLWETHER_TOKEN", &host.host.token);
    let (model, sample) = (file("lstm_ts.onnx"), file("lstm.json"));
    let (model, sample) = (model.to_str().unwrap(), sample.to_str().unwrap());
    let features = FEATURES.join(",");
    let arguments = ["model", "import", model, "--symbol", "EURUSD", "--features", &features, "--target", "return(1)", "--sample", sample];
    let output = home.command(&arguments).arg("--json").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let imported: Value = serde_json::from_slice(&output.stdout).unwrap();
    check(host, &id(&imported["model"], "model_id"), "lstm", |value| value, |value| value);
    let output = home.command(&arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("answers the sample") && text.contains("onnx_EURUSD"), "{text}");

    // A sample of another model stops the import, and nothing is registered.
    let count = || host.get("/models?model_type=other").expect(200)["models"].as_array().unwrap().len();
    let other = file("gru.json");
    let mut wrong = arguments;
    wrong[10] = other.to_str().unwrap();
    let output = home.command(&wrong).args(["--model-type", "other"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("sample.outputs[0]") && error.contains("1e-5"), "{error}");
    assert_eq!(count(), 0);
}

#[test]
fn what_cannot_be_imported_is_named() {
    let host = shared();
    let whole = request("lstm", "ts");
    let with = |name: &str, value: Value| {
        let mut body = whole.clone();
        body[name] = value;
        host.post("/models/import", &body)
    };
    let bytes = fs_err::read(file("lstm_ts.onnx")).unwrap();
    with("model", json!("%%%")).invalid("model", &["is not base64"]);
    with("model", json!("")).invalid("model", &["is empty"]);
    with("model", json!(STANDARD.encode(&bytes[..bytes.len() / 2]))).invalid("model", &["cut short"]);
    with("model", json!(STANDARD.encode(b"PK a zip, as torch.save writes"))).problem(422, "invalid", &["ONNX"]);
    with("features", json!(["rsi(14)"])).invalid("model.window", &["5 features; 1"]);
    with("features", json!([])).invalid("features", &["empty"]);
    with("sequence_length", json!(60)).invalid("model.window", &["12 steps; 60"]);
    with("sample", json!({"inputs": [[0.0]], "outputs": [0.0]})).invalid("sample.inputs[0]", &["has 60"]);
    with("sample", json!({"inputs": [], "outputs": []})).invalid("sample", &["0 windows"]);
}
