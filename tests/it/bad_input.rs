//! Bad input over HTTP: each gets a problem document that names the field and the fix, and leaves no trace.
//!
//! All of these go to one quiet host, to which nothing good is ever sent after it was set up: whatever changes is a trace.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bellwether_tests::{Answer, Home, Running, process, sample};
use serde_json::{Value, json};

use crate::shared::{TRAINED, finished, id, ingest, shared, train};

/// The body limit of the quiet host.
const BODY_LIMIT: usize = 1 << 20;

struct Quiet {
    home: Home,
    host: Running,
    model: String,
    artifact: Vec<u8>,
    before: BTreeMap<String, Value>,
}

fn quiet() -> &'static Quiet {
    static QUIET: OnceLock<Quiet> = OnceLock::new();
    QUIET.get_or_init(|| {
        let home = Home::new("[server]\nbody_limit = \"1 MiB\"\n[training]\nmin_data_points = 500\n");
        let host = home.start();
        process::take_along(host.process(), home.path());
        ingest(&host.client, "EURUSD", sample::eurusd()).expect(200);
        ingest(&host.client, "SHORT", sample::swinging(120)).expect(200);
        let model = id(&train(&host, &sample::har("EURUSD")), "model_id");
        let artifact = host.client.get(&format!("/mlops/api/models/{model}/artifact")).bytes;
        // The worker's file goes after the end of its job is told.
        let before = host.until("the job left no file", TRAINED, "/mlops/api/training/jobs", |_| {
            let state = state(&host, &home);
            (state["files in work"] == json!([])).then_some(state)
        });
        Quiet { home, host, model, artifact, before }
    })
}

/// Everything a request could leave behind.
fn state(host: &Running, home: &Home) -> BTreeMap<String, Value> {
    let lists = ["data", "models", "training/jobs", "deployments", "endpoints", "predictions", "monitoring/drift", "monitoring/alerts"];
    let mut state: BTreeMap<String, Value> =
        lists.iter().map(|list| ((*list).to_owned(), host.client.get(&format!("/mlops/api/{list}")).expect(200))).collect();
    for folder in ["bars", "blobs", "work"] {
        let mut names = Vec::new();
        files(&home.data().join(folder), &mut names);
        names.sort();
        state.insert(format!("files in {folder}"), json!(names));
    }
    state
}

fn files(folder: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() { files(&entry.path(), names) } else { names.push(entry.path().display().to_string()) }
    }
}

impl Quiet {
    fn post(&self, path: &str, body: &Value) -> Answer {
        self.host.client.post(&format!("/mlops/api{path}"), body)
    }

    fn ingest(&self, csv: &str) -> Answer {
        ingest(&self.host.client, "NEW", csv.as_bytes().to_vec())
    }

    #[track_caller]
    fn is_untouched(&self) {
        let now = state(&self.host, &self.home);
        for (what, before) in &self.before {
            assert_eq!(&now[what], before, "{what} changed");
        }
    }

    fn register(&self, artifact: &[u8], changes: &Value) -> Answer {
        let mut body = json!({"model_type": "har", "symbol": "EURUSD", "model_data": STANDARD.encode(artifact)});
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        self.post("/models/register", &body)
    }

    fn job(&self, changes: &Value) -> Answer {
        let mut body = sample::lstm("EURUSD", 1);
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        self.post("/training/jobs", &body)
    }
}

#[test]
fn bars_that_break_a_rule_are_named_by_row() {
    let quiet = quiet();
    let bars = |third: &str| {
        let mut csv = sample::HEADER.to_owned();
        for hour in 0..2 {
            writeln!(csv, "2024-01-01T0{hour}:00:00Z,2,3,1,2.5,10").unwrap();
        }
        csv + third + "\n2024-01-01T05:00:00Z,2,3,1,2.5,10\n"
    };
    let check = |third: &str, field: &str, part: &str| drop(quiet.ingest(&bars(third)).invalid(field, &[part]));
    check("2023-12-31T23:00:00Z,2,3,1,2.5,10", "row 3", "sort the rows by time");
    check("2024-01-01T01:00:00Z,2,3,1,2.5,10", "row 3", "appears twice");
    check("2024-01-01T02:00:00Z,2,3,1,NaN,10", "row 3", "close is NaN");
    check("2024-01-01T02:00:00Z,inf,3,1,2.5,10", "row 3", "open is inf");
    check("2024-01-01T02:00:00Z,2,3,-1,2.5,10", "row 3", "low is -1");
    check("2024-01-01T02:00:00Z,2,3,1,2.5,-10", "row 3", "volume is -10");
    check("2024-01-01T02:00:00Z,2,2.2,1,2.5,10", "row 3", "do not agree");
    check("2024-01-01T02:00:00Z,2,3,2.1,2.5,10", "row 3", "do not agree");
    check("2024-01-01T01:30:00Z,2,3,1,2.5,10", "row 3", "less than one interval");
    check("2024-01-01T02:00:00Z,2,3,1,much,10", "row 3, column close", "`much` is not a number");
    check("2024-01-01T02:00:00Z,2,3,1,2.5", "row 3", "has 5 fields");
    check("noon,2,3,1,2.5,10", "row 3, column timestamp", "`noon` is not a time");
    quiet.ingest("").invalid("data", &["is empty"]);
    quiet.ingest("timestamp,open,high,low,clsoe,volume\n").invalid("column close", &["did you mean `clsoe`?"]);
    let bar = |hour: u32, close: Value| json!({"timestamp": format!("2024-01-01T0{hour}:00:00Z"), "open": 2, "high": 3, "low": 1, "close": close, "volume": 0});
    let send = |bars: Value| quiet.post("/data/ingest", &json!({"symbol": "NEW", "interval": "1h", "bars": bars}));
    send(json!([bar(1, json!(2)), bar(0, json!(2))])).invalid("row 2", &["sort the rows"]);
    send(json!([bar(0, json!(2)), bar(1, json!(5))])).invalid("row 2", &["do not agree"]);
    send(json!([bar(0, json!(2)), bar(1, json!(null))])).problem(422, "invalid", &["bars[1].close"]);
    send(json!([])).invalid("bars", &["send at least one"]);
    quiet.is_untouched();
}

#[test]
fn too_few_bars_are_told_with_both_numbers() {
    let quiet = quiet();
    quiet.job(&json!({"symbol": "SHORT"})).invalid("symbol", &["has 120 bars", "at least 500"]);
    quiet.job(&json!({"symbol": "NOWHERE"})).problem(404, "not_found", &["NOWHERE 1h"]);
    quiet.is_untouched();
}

#[test]
fn too_few_rows_after_features_fail_the_job_with_both_numbers() {
    // What a cut of the series leaves is known only to the worker: the job is accepted, fails, and registers nothing.
    let host = shared();
    let mut request = sample::har("EURUSD");
    request["until"] = json!("2017-03-15T00:00:00Z");
    request["features"] = json!(["realized-volatility(6)", "realized-volatility(1200)"]);
    let job = id(&host.post("/training/jobs", &request).expect(201), "job_id");
    let ended = finished(&host.host, &job, "failed");
    let error = ended["error"].as_str().unwrap();
    assert!(error.contains("need") && error.chars().filter(char::is_ascii_digit).count() >= 2, "{error}");
    assert!(ended["model_id"].is_null(), "{ended}");
}

#[test]
fn unknown_names_get_the_near_match() {
    let quiet = quiet();
    quiet.job(&json!({"model_type": "ltsm"})).problem(404, "not_found", &["`ltsm`", "did you mean `lstm`?"]);
    quiet.job(&json!({"features": ["realised-volatility(24)"]})).problem(422, "invalid", &["did you mean `realized-volatility`?"]);
    quiet.job(&json!({"features": ["rsi(0)"]})).problem(422, "invalid", &["rsi"]);
    quiet.job(&json!({"features": []})).problem(422, "invalid", &["features"]);
    quiet.job(&json!({"features": ["rsi(14)", "rsi(14)"]})).problem(422, "invalid", &["rsi(14)", "twice"]);
    quiet.job(&json!({"target": {"kind": "realised-volatility"}})).problem(422, "invalid", &["realized-volatility"]);
    quiet.job(&json!({"target": {"kind": "return", "horizon": 0}})).invalid("target.horizon", &["1 to 10000"]);
    quiet.job(&json!({"deployment_config": {"auto_deploy": true, "deployment_strategy": "blue_gren"}})).problem(
        404,
        "not_found",
        &["did you mean `blue-green`?"],
    );
    let deploy = json!({"model_id": quiet.model, "deployment_strategy": "canray"});
    quiet.post("/models/deploy", &deploy).problem(404, "not_found", &["`canray`"]);
    quiet.post("/models/deploy", &json!({"model_id": quiet.model, "endpoint": "no good/name"})).problem(422, "invalid", &["endpoint"]);
    quiet.job(&json!({"split": {"test": 1.5}})).invalid("split.test", &["at most 0.9"]);
    quiet.is_untouched();
}

#[test]
fn configuration_is_checked_against_the_plugins_schema() {
    let quiet = quiet();
    quiet.job(&json!({"config": {"lstm_units": "wide"}})).problem(422, "invalid", &["config.lstm_units"]);
    quiet.job(&json!({"config": {"lstm_units": [4, 0]}})).problem(422, "invalid", &["config.lstm_units"]);
    quiet.job(&json!({"config": {"lstm_unit": [4]}})).problem(422, "invalid", &["lstm_unit", "did you mean `lstm_units`?"]);
    quiet.job(&json!({"config": {"dropout_rate": 1}})).problem(422, "invalid", &["config.dropout_rate"]);
    let deploy = json!({"model_id": quiet.model, "config": {"observe_seconds": -1}});
    quiet.post("/models/deploy", &deploy).problem(422, "invalid", &["config.observe_seconds"]);
    quiet.is_untouched();
}

#[test]
fn artifacts_that_are_none_are_refused() {
    let quiet = quiet();
    let whole = &quiet.artifact;
    let none = json!({});
    for length in [0, 1, 511, 512, whole.len() / 2, whole.len() - 600] {
        let answer = quiet.register(&whole[..length], &none);
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (422, &json!("invalid")), "cut at {length}: {}", answer.text());
    }
    let mut damaged = whole.clone();
    let place = whole.windows(9).rposition(|window| window == b"state.bin").unwrap() + 520;
    damaged[place] ^= 0xff;
    quiet.register(&damaged, &none).problem(422, "invalid", &[]);
    quiet.register(b"PK\x03\x04 this is a zip of some other program", &none).problem(422, "invalid", &[]);
    quiet.register(&[0x80, 4, 0x95, 0, 0], &none).problem(422, "invalid", &[]);
    quiet.register(whole, &json!({"model_type": "lstm"})).invalid("model_type", &["the artifact holds a `har`"]);
    quiet.register(whole, &json!({"symbol": "BTC/USDT"})).invalid("symbol", &["made for `EURUSD`"]);
    quiet.register(whole, &json!({"metrics": {"accuracy": 1.5}})).invalid("metrics.accuracy", &["0 to 1"]);
    quiet.register(whole, &json!({"metrics": {"acuracy": 0.5}})).problem(422, "invalid", &["did you mean `accuracy`?"]);
    quiet.register(whole, &json!({"model_data": "%%%"})).invalid("model_data", &["is not base64"]);
    quiet.is_untouched();
}

#[test]
fn windows_of_the_wrong_shape_are_told_with_both_shapes() {
    let quiet = quiet();
    let ask = |input: Value| {
        let mut body = json!({"model_id": quiet.model});
        body.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
        quiet.post("/predict", &body)
    };
    ask(json!({"window": [[-7.0, -7.0]]})).problem(422, "invalid", &["3", "2"]);
    ask(json!({"window": [[-7.0, -7.0, -7.0], [-7.0, -7.0, -7.0]]})).problem(422, "invalid", &["1", "2"]);
    ask(json!({"windows": []})).problem(422, "invalid", &["window"]);
    ask(json!({"window": [[-7.0, -7.0, null]]})).problem(422, "invalid", &[]);
    ask(json!({"window": [[-7.0, -7.0, "x"]]})).problem(422, "invalid", &["window[0][2]"]);
    ask(json!({"bars": [{"timestamp": "2024-01-01T00:00:00Z", "open": 2, "high": 3, "low": 1, "close": 2, "volume": 1}]})).problem(
        422,
        "invalid",
        &["1", "bars"],
    );
    ask(json!({"latest": true, "window": [[-7.0, -7.0, -7.0]]})).problem(422, "invalid", &["in two ways"]);
    ask(json!({"widnow": [[-7.0, -7.0, -7.0]]})).problem(422, "invalid", &["did you mean `window`?"]);
    quiet.is_untouched();
}

#[test]
fn bodies_that_are_no_request() {
    let quiet = quiet();
    quiet.host.client.post_bytes("/mlops/api/training/jobs", "application/json", b"{\"model_type\": ".to_vec()).problem(
        400,
        "malformed",
        &["not JSON"],
    );
    quiet.host.client.post_bytes("/mlops/api/training/jobs", "text/plain", b"{}".to_vec()).problem(415, "unsupported_media_type", &[]);
    quiet.post("/training/jobs", &json!({"model_type": "har", "symbol": "EURUSD"})).problem(422, "invalid", &["target"]);
    quiet.job(&json!({"modle_type": "har"})).problem(422, "invalid", &["modle_type", "did you mean `model_type`?"]);
    quiet.post("/models/deploy", &json!({"model_id": 7})).problem(422, "invalid", &["model_id"]);
    quiet.post("/models/retire", &json!({})).problem(405, "method_not_allowed", &[]);
    quiet.post("/nothing", &json!({})).problem(404, "not_found", &["/openapi.json"]);
    quiet.host.client.delete("/mlops/api/models").problem(405, "method_not_allowed", &["DELETE"]);
    quiet.is_untouched();
}

#[test]
fn bodies_over_the_limit_are_refused() {
    let quiet = quiet();
    let body = vec![b'x'; BODY_LIMIT + 1];
    quiet.host.client.post_bytes("/mlops/api/data/ingest?symbol=NEW&interval=1h", "text/csv", body.clone()).problem(
        413,
        "too_large",
        &["1 MiB", "server.body_limit"],
    );
    quiet.host.client.post_bytes("/mlops/api/models/register", "application/json", body).problem(413, "too_large", &["1 MiB"]);
    quiet.is_untouched();
}

#[test]
fn nothing_is_told_without_the_token() {
    let quiet = quiet();
    let nobody = quiet.host.client.with_token(None);
    let stranger = quiet.host.client.with_token(Some("0123456789abcdef0123456789abcdef"));
    for path in ["/mlops/api/models", "/mlops/api/plugins", "/mlops/api/monitoring/dashboard", "/mlops/api/nothing"] {
        let answer = nobody.get(path);
        answer.problem(401, "unauthorized", &["is missing"]);
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"), "{:?}", answer.headers);
        stranger.get(path).problem(401, "unauthorized", &["is not this host's"]);
    }
    stranger.post("/mlops/api/training/jobs", &sample::har("EURUSD")).problem(401, "unauthorized", &[]);
    for path in ["/livez", "/readyz", "/openapi.json"] {
        nobody.get(path).expect(200);
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs_err::metadata(quiet.home.data().join("token")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "only the owner reads the token");
    quiet.is_untouched();
}

#[test]
fn a_port_in_use_is_told() {
    let quiet = quiet();
    let address = quiet.host.url.trim_start_matches("http://");
    let other = Home::default().with("BELLWETHER_SERVER_BIND", address);
    let refused = other.try_start().map(|_| ()).expect_err("the port is taken");
    assert_eq!(refused.status.code(), Some(1), "{}", refused.output);
    assert!(refused.output.contains(address) && refused.output.contains("another program"), "{}", refused.output);
    assert!(!other.data().join("records").exists(), "a host that cannot listen opens no store");
}

#[test]
fn a_data_folder_in_use_is_told() {
    let quiet = quiet();
    let folder = quiet.home.data();
    let other = Home::default().with("MLOPS_BASE_PATH", folder.to_str().unwrap());
    let refused = other.try_start().map(|_| ()).expect_err("the folder is locked");
    assert_eq!(refused.status.code(), Some(1), "{}", refused.output);
    let holder = format!("in use by process {}", quiet.host.process());
    assert!(refused.output.contains(&holder), "`{holder}` is not in: {}", refused.output);
    quiet.host.client.get("/readyz").expect(200);
    quiet.is_untouched();
}

/// A small disk of its own, unmounted when dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount(bytes: &str) -> Result<Disk, String> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]).arg(folder.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Ok(Disk(folder)),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0.path()).status().ok();
    }
}

#[test]
fn a_full_disk_is_told_and_got_over() {
    let disk = match Disk::mount("256m") {
        Ok(disk) => disk,
        Err(why) => return println!("skipped: a file system of limited size cannot be mounted here: {why}"),
    };
    let home = Home::at(disk.0.path(), "");
    let host = home.start();
    ingest(&host.client, "EURUSD", sample::eurusd()).expect(200);
    let model = id(&train(&host, &sample::har("EURUSD")), "model_id");
    let predict = || host.client.post("/mlops/api/predict", &json!({"model_id": model, "latest": true}));
    predict().expect(200);

    let filler = disk.0.path().join("filler");
    let written = fill(&filler);
    assert!(written > 64 << 20, "only {written} bytes were free");
    host.client.get("/readyz").problem(503, "unavailable", &["bytes left"]);
    ingest(&host.client, "NEW", sample::swinging(2000)).problem(503, "unavailable", &["bytes left"]);
    host.client.post("/mlops/api/training/jobs", &sample::har("EURUSD")).problem(503, "unavailable", &["bytes left"]);
    host.client.post("/mlops/api/models/deploy", &json!({"model_id": model})).problem(503, "unavailable", &["bytes left"]);
    // The prediction log has room it took ahead. When that is used up, what cannot be logged is not answered.
    let many = json!({"model_id": model, "windows": vec![vec![vec![-7.0, -7.0, -7.0]]; 4096]});
    let refused = (0..200).map(|_| host.client.post("/mlops/api/predict", &many)).find(|answer| answer.status != 200);
    refused.expect("800000 predictions fitted on a full disk").problem(503, "unavailable", &[]);
    assert_eq!(host.client.get(&format!("/mlops/api/models/{model}")).expect(200)["model_id"], model.as_str());
    assert_eq!(host.client.get("/mlops/api/data").expect(200)["series"].as_array().unwrap().len(), 1, "nothing of NEW was kept");

    fs_err::remove_file(&filler).unwrap();
    host.client.get("/readyz").expect(200);
    predict().expect(200);
    ingest(&host.client, "NEW", sample::swinging(2000)).expect(200);
    let (status, output) = host.stop();
    assert!(status.success(), "{output}");
    let host = home.start();
    assert_eq!(host.client.get("/mlops/api/data").expect(200)["series"].as_array().unwrap().len(), 2);
    host.client.post("/mlops/api/predict", &json!({"model_id": model, "latest": true})).expect(200);
}

/// Writes until the disk is full; returns the bytes written.
fn fill(path: &Path) -> u64 {
    use std::io::Write as _;
    let mut file = fs_err::File::create(path).unwrap();
    for size in [1 << 20, 1 << 12, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    fs_err::metadata(path).unwrap().len()
}
