//! Every REST route through the real binary, one test each. A route in `/openapi.json` without a test here fails
//! [`every_route_has_its_test`], and so does a test of a route that is gone.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bellwether_tests::sample;
use serde_json::{Value, json};

use crate::shared::{Shared, finished, id, ingest, phase, promoted, shared};

/// One test per route, and the list of the routes.
macro_rules! routes {
    ($($test:ident = $route:literal: $body:expr;)*) => {
        const TESTED: &[&str] = &[$($route),*];
        $(
            #[test]
            fn $test() {
                let body: fn(&Shared) = $body;
                body(shared());
            }
        )*
    };
}

routes! {
    register_model = "POST /mlops/api/models/register": |host| {
        let artifact = host.get(&format!("/models/{}/artifact", host.har)).bytes;
        let body = json!({
            "model_type": "har", "symbol": "EURUSD", "model_data": STANDARD.encode(&artifact),
            "metrics": {"accuracy": 0.85}, "metadata": {"desk": "fx"},
        });
        let model = host.post("/models/register", &body).expect(201);
        assert_eq!((&model["model_type"], &model["symbol"], &model["metadata"]["desk"]), (&json!("har"), &json!("EURUSD"), &json!("fx")));
        assert_eq!(model["metrics"]["accuracy"], 0.85, "given metrics stand above the artifact's");
        assert_eq!(model["status"], "registered", "{model}");
        let own = host.get(&format!("/models/{}", host.har)).expect(200);
        assert_eq!(model["sha256"], own["sha256"]);
        assert_ne!(model["model_id"], own["model_id"]);

        let once = |key: &str, body: &Value| host.host.client.post_once("/mlops/api/models/register", key, body);
        let (first, second) = (once("register-1", &body).expect(201), once("register-1", &body).ok());
        assert_eq!(first["model_id"], second["model_id"]);
        let mut other = body.clone();
        other["metadata"] = json!({"desk": "rates"});
        once("register-1", &other).problem(409, "conflict", &["Idempotency-Key"]);

        let made: Vec<String> = std::thread::scope(|scope| {
            let sent: Vec<_> = (0..8).map(|_| scope.spawn(|| id(&once("register-2", &body).ok(), "model_id"))).collect();
            sent.into_iter().map(|answer| answer.join().unwrap()).collect()
        });
        assert!(made.iter().all(|model_id| *model_id == made[0]), "one key sent eight times at once makes one version: {made:?}");
    };
    import_model = "POST /mlops/api/models/import": |host| {
        let body = crate::import::request("mlp", "ts");
        let once = |body: &Value| host.host.client.post_once("/mlops/api/models/import", "import-1", body);
        let (first, second) = (once(&body).expect(201), once(&body).ok());
        assert_eq!(first["model"]["model_id"], second["model"]["model_id"], "one key makes one version");
        assert!(first["notes"].as_array().unwrap().iter().any(|note| note.as_str().unwrap().contains("batch normalisations")), "{first}");
        let mut other = body.clone();
        other["metadata"] = json!({"desk": "rates"});
        once(&other).problem(409, "conflict", &["Idempotency-Key"]);
    };
    list_models = "GET /mlops/api/models": |host| {
        let ids = |query: &str| -> Vec<String> {
            host.get(&format!("/models{query}")).expect(200)["models"].as_array().unwrap().iter().map(|model| id(model, "model_id")).collect()
        };
        assert!(ids("?model_type=har&symbol=EURUSD&status=deployed").contains(&host.har));
        assert!(ids("?model_type=lstm").contains(&host.lstm));
        assert!(!ids("?model_type=lstm").contains(&host.har));
        assert!(ids("?symbol=BTC/USDT").is_empty());
        let page = host.get("/models?limit=1").expect(200);
        let next = host.get(&format!("/models?limit=1&cursor={}", id(&page, "next_cursor"))).expect(200);
        assert_ne!(page["models"][0]["model_id"], next["models"][0]["model_id"]);
        host.get("/models?limit=0").invalid("limit", &["1 to 1000"]);
        host.get("/models?statsu=deployed").problem(422, "invalid", &["did you mean `status`?"]);
        host.get("/models?status=deplyed").problem(422, "invalid", &["deployed"]);
    };
    show_model = "GET /mlops/api/models/{model_id}": |host| {
        let model = host.get(&format!("/models/{}", host.har)).expect(200);
        assert_eq!((&model["status"], &model["interval"], &model["sequence_length"]), (&json!("deployed"), &json!("1h"), &json!(1)));
        assert_eq!(model["target"], json!({"kind": "realized-volatility", "horizon": 24}));
        assert!(host.har.starts_with("har_EURUSD_"), "{}", host.har);
        for metric in ["mse", "mae", "r2_score", "accuracy", "precision", "recall", "f1_score", "skill", "baseline_mse", "samples"] {
            assert!(model["metrics"][metric].is_number(), "no {metric} in {}", model["metrics"]);
        }
        assert!(model["metrics"]["skill"].as_f64().unwrap() > 0.0, "har beats the last value: {}", model["metrics"]);
        for fact in ["data_digest", "rows", "first_bar", "last_bar", "seed", "split", "samples", "plugin", "host_version", "job_id"] {
            assert!(!model["lineage"][fact].is_null(), "no {fact} in {}", model["lineage"]);
        }
        assert!(model["gates"].as_array().unwrap().iter().any(|gate| gate["gate"] == "min_skill" && gate["passed"] == true));
        host.get("/models/lstm_NOWHERE_20200101_000000").problem(404, "not_found", &["lstm_NOWHERE_20200101_000000"]);
    };
    download_artifact = "GET /mlops/api/models/{model_id}/artifact": |host| {
        let answer = host.get(&format!("/models/{}/artifact", host.lstm));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/x-tar");
        let model = host.get(&format!("/models/{}", host.lstm)).expect(200);
        assert_eq!(answer.headers["etag"].to_str().unwrap(), format!("\"{}\"", id(&model, "sha256")));
        assert_eq!(answer.bytes.len() as u64, model["size_bytes"].as_u64().unwrap());
        for file in ["model.json", "weights.safetensors"] {
            assert!(answer.bytes.windows(file.len()).any(|window| window == file.as_bytes()), "{file} is not in the artifact");
        }
        host.get("/models/none/artifact").problem(404, "not_found", &["none"]);
    };
    archive_model = "POST /mlops/api/models/{model_id}/archive": |host| {
        let copy = registered_copy(host);
        assert_eq!(host.post(&format!("/models/{copy}/archive"), &json!({})).ok()["status"], "archived");
        host.post(&format!("/models/{}/archive", host.har), &json!({})).problem(409, "conflict", &["serves an endpoint"]);
    };
    deploy_model = "POST /mlops/api/models/deploy": |host| {
        let body = json!({"model_id": host.lstm, "deployment_strategy": "blue_green", "endpoint": "routes-deploy"});
        let rollout = host.host.client.post_once("/mlops/api/models/deploy", "deploy-1", &body).expect(202);
        assert_eq!((&rollout["candidate"], &rollout["endpoint"]), (&json!(host.lstm), &json!("routes-deploy")));
        let ended = promoted(&host.host, &id(&rollout, "deployment_id"));
        assert!(ended["health"]["passed"] == true && !ended["steps"].as_array().unwrap().is_empty(), "{ended}");
        let again = host.host.client.post_once("/mlops/api/models/deploy", "deploy-1", &body).ok();
        assert_eq!(again["deployment_id"], rollout["deployment_id"]);
        host.post("/models/deploy", &body).problem(409, "conflict", &["serves endpoint `routes-deploy` already"]);
        host.post("/models/deploy", &json!({"model_id": "none_X_20200101_000000"})).problem(404, "not_found", &["none_X_20200101_000000"]);
    };
    list_deployments = "GET /mlops/api/deployments": |host| {
        let list = host.get("/deployments").expect(200);
        assert!(list["deployments"].as_array().unwrap().iter().any(|rollout| rollout["candidate"] == host.har.as_str()), "{list}");
        assert_eq!(host.get("/deployments?limit=1").expect(200)["deployments"].as_array().unwrap().len(), 1);
    };
    show_deployment = "GET /mlops/api/deployments/{deployment_id}": |host| {
        let waiting = waiting_rollout(host, "routes-show");
        let rollout = host.get(&format!("/deployments/{waiting}")).expect(200);
        assert_eq!((&rollout["phase"], &rollout["strategy"]), (&json!("paused"), &json!("blue-green")));
        assert!(rollout["state"].is_null(), "a strategy's state is its own");
        host.get("/deployments/dep_none").problem(404, "not_found", &["dep_none"]);
    };
    abort_deployment = "POST /mlops/api/deployments/{deployment_id}/abort": |host| {
        let waiting = waiting_rollout(host, "routes-abort");
        let ended = host.post(&format!("/deployments/{waiting}/abort"), &json!({"reason": "the desk changed its mind"})).expect(200);
        assert_eq!((&ended["phase"], &ended["reason"]), (&json!("aborted"), &json!("the desk changed its mind")));
        host.post(&format!("/deployments/{waiting}/abort"), &json!({})).problem(409, "conflict", &["ended already"]);
        // Its endpoint is free again.
        let next = waiting_rollout(host, "routes-abort");
        assert_ne!(next, waiting);
    };
    approve_deployment = "POST /mlops/api/deployments/{deployment_id}/approve": |host| {
        let waiting = waiting_rollout(host, "routes-approve");
        host.post(&format!("/deployments/{waiting}/approve"), &json!({})).expect(200);
        promoted(&host.host, &waiting);
        host.post(&format!("/deployments/{waiting}/approve"), &json!({})).problem(409, "conflict", &["does not wait"]);
    };
    list_endpoints = "GET /mlops/api/endpoints": |host| {
        let list = host.get("/endpoints").expect(200);
        assert!(list["endpoints"].as_array().unwrap().iter().any(|endpoint| endpoint["name"] == "EURUSD"), "{list}");
    };
    show_endpoint = "GET /mlops/api/endpoints/{name}": |host| {
        let endpoint = host.get("/endpoints/EURUSD").expect(200);
        assert_eq!(endpoint["variants"][0]["model_id"], host.har.as_str(), "{endpoint}");
        assert_eq!((&endpoint["variants"][0]["name"], &endpoint["variants"][0]["share"]), (&json!("stable"), &json!(1.0)));
        host.get("/endpoints/EURUDS").problem(404, "not_found", &["did you mean `EURUSD`?"]);
    };
    create_job = "POST /mlops/api/training/jobs": |host| {
        let mut request = sample::har("EURUSD");
        request["metadata"] = json!({"why": "a route test"});
        let create = |request: &Value| host.host.client.post_once("/mlops/api/training/jobs", "job-1", request);
        let answer = create(&request);
        let job = answer.expect(201);
        let location = answer.headers["location"].to_str().unwrap().to_owned();
        assert_eq!(host.host.client.get(&location).expect(200)["job_id"], job["job_id"]);
        assert_eq!(create(&request).expect(200)["job_id"], job["job_id"]);
        request["seed"] = json!(7);
        create(&request).problem(409, "conflict", &["Idempotency-Key"]);
        let ended = finished(&host.host, &id(&job, "job_id"), "succeeded");
        let model = host.get(&format!("/models/{}", id(&ended, "model_id"))).expect(200);
        assert_eq!(model["metadata"]["why"], "a route test");
        assert_eq!(model["lineage"]["job_id"], job["job_id"]);
    };
    list_jobs = "GET /mlops/api/training/jobs": |host| {
        let list = host.get("/training/jobs?state=succeeded&model_type=lstm&symbol=EURUSD").expect(200);
        assert!(list["jobs"].as_array().unwrap().iter().any(|job| job["model_id"] == host.lstm.as_str()), "{list}");
        host.get("/training/jobs?state=done").problem(422, "invalid", &["succeeded"]);
    };
    show_job = "GET /mlops/api/training/jobs/{job_id}": |host| {
        let job = job_of(host, &host.lstm);
        let job = host.get(&format!("/training/jobs/{job}")).expect(200);
        assert_eq!((&job["state"], &job["attempts"], &job["progress"]["stage"]), (&json!("succeeded"), &json!(1), &json!("done")));
        host.get("/training/jobs/job_none").problem(404, "not_found", &["job_none"]);
    };
    cancel_job = "POST /mlops/api/training/jobs/{job_id}/cancel": |host| {
        let mut request = sample::lstm("EURUSD", 100_000);
        request["config"]["patience"] = json!(0);
        let job = id(&host.post("/training/jobs", &request).expect(201), "job_id");
        let path = format!("/mlops/api/training/jobs/{job}");
        host.host.until("the job fits, with live progress", crate::shared::TRAINED, &path, |job| {
            (job["progress"]["stage"] == "fitting" && job["progress"]["epoch"].as_u64() >= Some(1)).then_some(())
        });
        assert_eq!(host.post(&format!("/training/jobs/{job}/cancel"), &json!({})).expect(200)["state"], "cancelled");
        assert_eq!(host.get(&format!("/training/jobs/{job}")).expect(200)["state"], "cancelled");
        let done = job_of(host, &host.har);
        host.post(&format!("/training/jobs/{done}/cancel"), &json!({})).problem(409, "conflict", &["ended already"]);
    };
    read_job_log = "GET /mlops/api/training/jobs/{job_id}/log": |host| {
        let job = job_of(host, &host.lstm);
        let log = host.get(&format!("/training/jobs/{job}/log")).expect(200);
        let lines = log["lines"].as_array().unwrap();
        assert!(!lines.is_empty() && lines[0]["number"] == 1, "{log}");
        let rest = host.get(&format!("/training/jobs/{job}/log?after=1")).expect(200);
        assert_eq!(rest["lines"].as_array().unwrap().len(), lines.len() - 1);
    };
    show_job_losses = "GET /mlops/api/training/jobs/{job_id}/losses": |host| {
        let losses = host.get(&format!("/training/jobs/{}/losses", job_of(host, &host.lstm))).expect(200);
        let epochs = losses["epochs"].as_array().unwrap();
        assert_eq!((&losses["every"], epochs.len(), &epochs[0]["epoch"], &epochs[0]["part"]), (&json!(1), 1, &json!(1), &json!(0)));
        assert!(epochs[0]["train_loss"].as_f64() > Some(0.0) && epochs[0]["validation_loss"].as_f64() > Some(0.0), "{losses}");
        host.get("/training/jobs/job_none/losses").problem(404, "not_found", &["job_none"]);
    };
    ingest_bars = "POST /mlops/api/data/ingest": |host| {
        let report = ingest(&host.host.client, "ROUTE/CSV", sample::swinging(100)).expect(200);
        assert_eq!((&report["rows"], &report["added"], &report["unchanged"]), (&json!(100), &json!(100), &json!(0)));
        let again = ingest(&host.host.client, "ROUTE/CSV", sample::swinging(120)).expect(200);
        assert_eq!((&again["added"], &again["unchanged"], &again["replaced"]), (&json!(20), &json!(100), &json!(0)));
        let bar = |hour: u32| json!({"timestamp": format!("2024-01-01T{hour:02}:00:00Z"), "open": 2, "high": 3, "low": 1, "close": 2.5, "volume": 0});
        let body = json!({"symbol": "ROUTE/JSON", "interval": "1h", "bars": [bar(0), bar(1), bar(5)]});
        let report = host.post("/data/ingest", &body).expect(200);
        assert_eq!((&report["added"], &report["gaps"][0]["missing"]), (&json!(3), &json!(3)));
        host.host.client.post_bytes("/mlops/api/data/ingest", "text/plain", b"x".to_vec()).problem(415, "unsupported_media_type", &["text/csv"]);
        let kline = "1704067200000000,2,3,1,2.5,10,1704070799999999,1,1,1,1,0\n1704070800000000,2.5,3,2,2,0,1704074399999999,1,1,1,1,0\n";
        assert_eq!(ingest(&host.host.client, "ROUTE/KLINE", kline.into()).expect(200)["added"], 2);
    };
    list_series = "GET /mlops/api/data": |host| {
        let list = host.get("/data").expect(200);
        assert!(list["series"].as_array().unwrap().iter().any(|series| series["symbol"] == "EURUSD" && series["rows"] == 6225), "{list}");
    };
    describe_series = "GET /mlops/api/data/describe": |host| {
        let series = host.get("/data/describe?symbol=EURUSD&interval=1h").expect(200);
        assert_eq!(series["rows"], 6225);
        assert!(series["missing"].as_u64().unwrap() > 0 && series["digest"].as_str().unwrap().len() == 64, "{series}");
        host.get("/data/describe?symbol=EURUDS&interval=1h").problem(404, "not_found", &["did you mean `EURUSD 1h`?"]);
        host.get("/data/describe?symbol=EURUSD&interval=1x").problem(422, "invalid", &["as in 1h"]);
    };
    predict = "POST /mlops/api/predict": |host| {
        let by_endpoint = host.post("/predict", &json!({"endpoint": "EURUSD", "latest": true})).expect(200);
        assert_eq!((&by_endpoint["model_id"], &by_endpoint["variant"]), (&json!(host.har), &json!("stable")));
        assert!(by_endpoint["bar"].is_string() && by_endpoint["predictions"][0]["prediction_id"].is_string(), "{by_endpoint}");
        let value = by_endpoint["predictions"][0]["prediction"].as_f64().unwrap();
        assert!((-12.0..-4.0).contains(&value), "the log of an hourly FX volatility is not {value}");
        let by_symbol = host.post("/predict", &json!({"symbol": "EURUSD", "latest": true})).expect(200);
        assert_eq!(by_symbol["predictions"][0]["prediction"], value);

        // The raw bars themselves give the same answer as the host's own copy of them.
        let bars = last_bars(200);
        let by_bars = host.post("/predict", &json!({"model_id": host.har, "bars": bars})).expect(200);
        assert!((by_bars["predictions"][0]["prediction"].as_f64().unwrap() - value).abs() < 1e-9, "{by_bars} {value}");

        let window = vec![vec![0.0001, -7.0]; 8];
        let one = host.post("/predict", &json!({"model_id": host.lstm, "window": window})).expect(200);
        let two = host.post("/predict", &json!({"model_id": host.lstm, "windows": [window, window]})).expect(200);
        assert_eq!(two["predictions"].as_array().unwrap().len(), 2);
        assert_eq!(one["predictions"][0]["prediction"], two["predictions"][1]["prediction"]);
        host.post("/predict", &json!({"endpoint": "EURUDS", "latest": true})).problem(404, "not_found", &["did you mean `EURUSD`?"]);
        host.post("/predict", &json!({"model_id": host.har})).problem(422, "invalid", &["latest", "window"]);
    };
    list_predictions = "GET /mlops/api/predictions": |host| {
        let answer = host.post("/predict", &json!({"model_id": host.lstm, "window": vec![vec![0.0, -7.0]; 8]})).expect(200);
        let made = id(&answer["predictions"][0], "prediction_id");
        let list = host.get(&format!("/predictions?model_id={}", host.lstm)).expect(200);
        let entry = list["predictions"].as_array().unwrap().iter().find(|entry| entry["prediction_id"] == made.as_str()).cloned();
        assert_eq!(entry.unwrap()["prediction"], answer["predictions"][0]["prediction"]);
        let page = host.get("/predictions?limit=1").expect(200);
        assert_eq!(page["predictions"].as_array().unwrap().len(), 1);
        let older = host.get(&format!("/predictions?limit=1&cursor={}", id(&page, "next_cursor"))).expect(200);
        assert_ne!(older["predictions"][0]["prediction_id"], page["predictions"][0]["prediction_id"]);
    };
    check_drift = "POST /mlops/api/monitoring/drift": |host| {
        let report = drifted(host);
        assert_eq!(report["drift_detected"], true, "{report}");
        assert!(report["drift_score"].as_f64().unwrap() > 0.5, "{report}");
        assert_eq!(report["recommendation"], "RETRAIN_NOW", "{report}");
        let features = report["features"].as_array().unwrap();
        assert_eq!(features.len(), 3, "{report}");
        assert!(features.iter().all(|feature| feature["test"] == "ks" && feature["score"].is_number() && feature["threshold"].is_number()));
        let body = json!({"model_id": host.har, "data": [{"realized-volatility(7)": 0.5}]});
        host.post("/monitoring/drift", &body).problem(422, "invalid", &["realized-volatility(7)", "is no feature", "did you mean"]);
        host.post("/monitoring/drift", &json!({"model_id": host.har, "data": []})).invalid("data", &["0 rows"]);
    };
    list_drift_reports = "GET /mlops/api/monitoring/drift": |host| {
        let report = drifted(host);
        let list = host.get(&format!("/monitoring/drift?model_id={}", host.har)).expect(200);
        assert!(list["reports"].as_array().unwrap().iter().any(|other| other["report_id"] == report["report_id"]), "{list}");
    };
    check_drift_of_bars = "POST /mlops/api/monitoring/drift/bars": |host| {
        let report = host.post("/monitoring/drift/bars", &json!({"model_id": host.lstm})).expect(200);
        assert!(report["rows"].as_u64().unwrap() > 6000, "{report}");
        assert_eq!(report["drift_detected"], false, "a model's own data are no drift: {report}");
        host.post("/monitoring/drift/bars", &json!({"model_id": host.lstm, "from": "yesterday"})).problem(422, "invalid", &["yesterday"]);
    };
    show_dashboard = "GET /mlops/api/monitoring/dashboard": |host| {
        let report = drifted(host);
        let dashboard = host.get("/monitoring/dashboard").expect(200);
        let number = |section: &str, name: &str| dashboard[section][name].as_f64().unwrap_or_else(|| panic!("no {section}.{name} in {dashboard}"));
        assert!(number("summary", "total_models") >= 2.0 && number("summary", "deployed_models") >= 1.0);
        assert!(number("summary", "training_models") >= 0.0 && number("summary", "active_experiments") == 0.0);
        assert!(number("performance_metrics", "average_mse") > 0.0 && number("performance_metrics", "average_accuracy") > 0.0);
        assert!((0.0..=1.0).contains(&number("performance_metrics", "deployment_success_rate")));
        let alert = dashboard["drift_alerts"].as_array().unwrap().iter().find(|alert| alert["model_id"] == host.har.as_str()).cloned();
        let alert = alert.unwrap_or_else(|| panic!("no alert of {} in {dashboard}", host.har));
        assert_eq!((&alert["recommendation"], alert["drift_score"].is_number()), (&report["recommendation"], true));
    };
    list_alerts = "GET /mlops/api/monitoring/alerts": |host| {
        let report = drifted(host);
        let list = host.get("/monitoring/alerts?phase=firing").expect(200);
        assert!(list["alerts"].as_array().unwrap().iter().any(|alert| alert["id"] == report["alert_id"]), "{list}");
    };
    show_alert = "GET /mlops/api/monitoring/alerts/{alert_id}": |host| {
        let report = drifted(host);
        let alert = host.get(&format!("/monitoring/alerts/{}", id(&report, "alert_id"))).expect(200);
        assert_eq!((&alert["condition"], &alert["model_id"]), (&json!("data-drift"), &json!(host.har)));
        host.get("/monitoring/alerts/alert_none").problem(404, "not_found", &["alert_none"]);
    };
    list_plugins = "GET /mlops/api/plugins": |host| {
        let list = host.get("/plugins").expect(200);
        for (name, kind, contract) in [
            ("lstm", "model", "0.1.0"),
            ("har", "model", "0.1.0"),
            ("ks", "drift-test", "0.1.0"),
            ("webhook", "alert-handler", "0.1.0"),
            ("blue-green", "deployment-strategy", "0.2.0"),
        ] {
            let plugin = list["plugins"].as_array().unwrap().iter().find(|plugin| plugin["name"] == name).cloned();
            let plugin = plugin.unwrap_or_else(|| panic!("no {name} in {list}"));
            assert_eq!((&plugin["kind"], &plugin["source"], &plugin["contract"]), (&json!(kind), &json!("built-in"), &json!(contract)));
        }
    };
    show_plugin = "GET /mlops/api/plugins/{name}": |host| {
        let plugin = host.get("/plugins/blue_green").expect(200);
        assert_eq!((&plugin["name"], &plugin["state"]), (&json!("blue-green"), &json!("active")));
        assert_eq!(plugin["config_schema"]["additionalProperties"], false);
        assert!(!plugin["imports"].as_array().unwrap().iter().any(|import| import.as_str().unwrap().starts_with("wasi:")), "{plugin}");
        host.get("/plugins/lsmt").problem(404, "not_found", &["did you mean `lstm`?"]);
    };
    enable_plugin = "POST /mlops/api/plugins/{name}/enable": |host| {
        let plugin = host.post("/plugins/mlp/enable", &json!({})).expect(200);
        assert_eq!((&plugin["name"], &plugin["state"]), (&json!("mlp"), &json!("active")));
        host.post("/plugins/mlq/enable", &json!({})).problem(404, "not_found", &["did you mean `mlp`?"]);
    };
    disable_plugin = "POST /mlops/api/plugins/{name}/disable": |host| {
        let plugin = host.post("/plugins/tcn/disable", &json!({})).expect(200);
        assert_eq!(plugin["state"], "disabled", "{plugin}");
        assert!(plugin["problem"].as_str().unwrap().contains("plugin enable tcn"), "{plugin}");
        let mut request = sample::lstm("EURUSD", 1);
        request["model_type"] = json!("tcn");
        host.post("/training/jobs", &request).problem(503, "unavailable", &["`tcn` is disabled"]);
        assert_eq!(host.post("/plugins/tcn/enable", &json!({})).expect(200)["state"], "active");
    };
    reload_plugin = "POST /mlops/api/plugins/{name}/reload": |host| {
        let reload = host.post("/plugins/ks/reload", &json!({})).expect(200);
        assert_eq!((&reload["outcome"], &reload["plugin"]["state"]), (&json!("unchanged"), &json!("active")), "the binary's own never change");
        host.post("/plugins/kss/reload", &json!({})).problem(404, "not_found", &["did you mean `ks`?"]);
    };
    reload_plugins = "POST /mlops/api/plugins/reload": |host| {
        let reloads = host.post("/plugins/reload", &json!({})).expect(200);
        assert_eq!(reloads, json!({"changed": []}), "there are only the binary's own");
        host.post("/plugins/reload?name=ks", &json!({})).problem(422, "invalid", &["name"]);
    };
    show_plugin_config = "GET /mlops/api/plugins/{name}/config": |host| {
        let config = host.get("/plugins/gru/config").expect(200);
        assert_eq!((&config["set"], &config["version"], &config["changed_at"]), (&json!({}), &json!(0), &Value::Null));
        assert!(config["config"].as_object().unwrap().contains_key("gru_units"), "defaults are filled in: {config}");
        host.get("/plugins/grv/config").problem(404, "not_found", &["did you mean `gru`?"]);
    };
    set_plugin_config = "PUT /mlops/api/plugins/{name}/config": |host| {
        let put = |body: &Value| {
            let headers = [(http::header::CONTENT_TYPE, "application/json")];
            host.host.client.send(http::Method::PUT, "/mlops/api/plugins/transformer/config", &headers, body.to_string().into_bytes())
        };
        let first = put(&json!({"config": {"dropout_rate": 0.3}})).expect(200);
        assert_eq!((&first["config"]["dropout_rate"], &first["set"]), (&json!(0.3), &json!({"dropout_rate": 0.3})));
        let version = first["version"].as_u64().unwrap();
        assert!(version >= 1 && first["changed_at"].is_string(), "{first}");
        let second = put(&json!({"config": {}, "version": version})).expect(200);
        assert_eq!((&second["set"], second["version"].as_u64()), (&json!({}), Some(version + 1)));
        put(&json!({"config": {}, "version": version})).problem(409, "conflict", &["read it again"]);
        put(&json!({"config": {"dropuot_rate": 0.3}})).problem(422, "invalid", &["config.dropuot_rate", "did you mean `dropout_rate`?"]);
        put(&json!({"config": {"dropout_rate": "much"}})).problem(422, "invalid", &["config.dropout_rate"]);
        put(&json!({"cnofig": {}})).problem(422, "invalid", &["did you mean `config`?"]);
        assert_eq!(host.get("/plugins/transformer/config").expect(200), second, "what was refused changed nothing");
    };
    show_plugin_metrics = "GET /mlops/api/plugins/{name}/metrics": |host| {
        let metrics = host.get("/plugins/blue-green/metrics").expect(200);
        let calls = metrics["calls"].as_array().unwrap();
        let next = calls.iter().find(|calls| calls["function"] == "next" && calls["outcome"] == "ok");
        let next = next.unwrap_or_else(|| panic!("the shared host rolled out: {metrics}"));
        assert!(next["count"].as_u64() >= Some(1) && next["p50_ms"].as_f64() > Some(0.0) && next["seconds"].as_f64() > Some(0.0), "{next}");
        assert!(metrics["running"].is_u64() && metrics["waiting"].is_u64() && metrics["errors"].is_array(), "{metrics}");
    };
    show_plugin_grants = "GET /mlops/api/plugins/{name}/grants": |host| {
        let grants = host.get("/plugins/webhook/grants").expect(200);
        assert_eq!(grants["granted"], json!([]));
        assert_eq!((&grants["asked"], &grants["withheld"]), (&grants["withheld"], &grants["asked"]));
        assert!(grants["asked"].as_array().unwrap().contains(&json!("http configured")), "{grants}");
    };
    show_version = "GET /mlops/api/version": |host| {
        let version = host.get("/version").expect(200);
        assert_eq!(version["name"], "bellwether");
        assert!(version["version"].as_str().unwrap().split('.').count() == 3, "{version}");
    };
    show_metrics = "GET /metrics": |host| {
        let answer = host.host.client.get("/metrics");
        assert_eq!((answer.status.as_u16(), answer.headers["content-type"].to_str().unwrap()), (200, "text/plain; version=0.0.4"));
        let text = answer.text();
        for line in ["# TYPE bellwether_plugin_call_seconds histogram", "bellwether_plugin_active{plugin=\"har\"} 1"] {
            assert!(text.lines().any(|found| found == line), "`{line}` is not in:\n{text}");
        }
        let series = "bellwether_plugin_call_seconds_count{plugin=\"blue-green\",function=\"next\",outcome=\"ok\"} ";
        assert!(text.lines().any(|line| line.starts_with(series)), "the shared host rolled out:\n{text}");
        host.host.client.with_token(None).get("/metrics").problem(401, "unauthorized", &["authorization"]);
    };
    show_liveness = "GET /livez": |host| {
        assert_eq!(host.host.client.with_token(None).get("/livez").expect(200)["status"], "alive");
    };
    show_readiness = "GET /readyz": |host| {
        assert_eq!(host.host.client.with_token(None).get("/readyz").expect(200)["status"], "ready");
    };
}

#[test]
fn every_route_has_its_test() {
    let document = shared().host.client.with_token(None).get("/openapi.json").expect(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let mut known: Vec<String> = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let methods = ["get", "post", "put", "patch", "delete"].into_iter().filter(|method| !item[*method].is_null());
        known.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
    }
    known.sort();
    let mut tested = TESTED.to_vec();
    tested.sort_unstable();
    assert_eq!(tested, known, "left: tested here; right: what the host has");
}

/// The job that made a model.
fn job_of(host: &Shared, model: &str) -> String {
    id(&host.get(&format!("/models/{model}")).expect(200)["lineage"], "job_id")
}

/// The lstm's artifact registered again, under a new id.
fn registered_copy(host: &Shared) -> String {
    let artifact = host.get(&format!("/models/{}/artifact", host.har)).bytes;
    let body = json!({"model_type": "har", "symbol": "EURUSD", "model_data": STANDARD.encode(&artifact)});
    id(&host.post("/models/register", &body).expect(201), "model_id")
}

/// A rollout on an endpoint of its own that waits for a person.
fn waiting_rollout(host: &Shared, endpoint: &str) -> String {
    let body =
        json!({"model_id": host.lstm, "deployment_strategy": "blue-green", "endpoint": endpoint, "config": {"require_approval": true}});
    let waiting = id(&host.post("/models/deploy", &body).expect(202), "deployment_id");
    phase(&host.host, &waiting, |phase| phase == "paused");
    waiting
}

/// A drift check of the `har` with values far from what it learned from.
fn drifted(host: &Shared) -> Value {
    let row = |place: u32| {
        let value = -1.0 + f64::from(place % 17) / 50.0;
        json!({"realized-volatility(6)": value, "realized-volatility(24)": value, "realized-volatility(168)": value})
    };
    let data: Vec<Value> = (0..300).map(|place| row(place * 7)).collect();
    host.post("/monitoring/drift", &json!({"model_id": host.har, "data": data})).expect(200)
}

/// The newest bars of the sample, as JSON.
fn last_bars(count: usize) -> Vec<Value> {
    let text = String::from_utf8(sample::eurusd()).unwrap();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    let bar = |line: &&str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |place: usize| fields[place].parse::<f64>().unwrap();
        json!({"timestamp": fields[0], "open": number(1), "high": number(2), "low": number(3), "close": number(4), "volume": number(5)})
    };
    lines[lines.len() - count..].iter().map(bar).collect()
}
