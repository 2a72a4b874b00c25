//! kill -9, twenty times, in the middle of training, deploying, ingesting, predicting: what was acknowledged is there when
//! the host is back, what was under way comes to its end, and nothing happens twice.
//!
//! A kill comes at a moment that can be named (after the n-th acknowledgement, when a job is fitting), never after a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bellwether_tests::{Client, Home, Running, eventually, sample};
use serde_json::{Value, json};

use crate::shared::{ROLLED_OUT, TRAINED, id, ingest, train};

const KILLS: usize = 20;

/// Bars per ingest, and the series they go to.
const CHUNK: usize = 200;
const GROWING: &str = "GROWING";

const SETTINGS: &str = "[training]\nmax_concurrent_jobs = 2\nattempts = 1000\nmin_data_points = 500\n[gates]\nmin_skill = -1000000.0\nmax_mse_vs_champion = 1000000.0\n";

/// Everything the host said yes to, and keys of what it was asked and may not have answered.
#[derive(Default)]
struct Ledger {
    /// Job by idempotency key; none while no answer came.
    jobs: BTreeMap<String, Option<String>>,
    /// Bodies of the jobs, to ask again.
    requests: BTreeMap<String, Value>,
    /// Rollout by idempotency key.
    deployments: BTreeMap<String, Option<String>>,
    wishes: BTreeMap<String, Value>,
    predictions: BTreeSet<String>,
    /// Chunks of bars that were acknowledged.
    chunks: usize,
    models: BTreeSet<String>,
}

impl Ledger {
    /// All of it is there.
    fn check(&self, host: &Running) {
        let get = |path: &str| host.client.get(&format!("/mlops/api{path}")).expect(200);
        for job in self.jobs.values().flatten() {
            assert_eq!(get(&format!("/training/jobs/{job}"))["job_id"], job.as_str());
        }
        for deployment in self.deployments.values().flatten() {
            assert_eq!(get(&format!("/deployments/{deployment}"))["deployment_id"], deployment.as_str());
        }
        for model in &self.models {
            assert_eq!(get(&format!("/models/{model}"))["model_id"], model.as_str());
        }
        if self.chunks > 0 {
            let rows = get(&format!("/data/describe?symbol={GROWING}&interval=1h"))["rows"].as_u64().unwrap() as usize;
            assert!(rows >= self.chunks * CHUNK, "{rows} bars of {} acknowledged chunks of {CHUNK}", self.chunks);
        }
        let logged = logged_predictions(&host.client);
        let lost: Vec<&String> = self.predictions.difference(&logged).collect();
        assert!(lost.is_empty(), "{} of {} acknowledged predictions are lost: {lost:?}", lost.len(), self.predictions.len());
    }

    /// Asks for a job under a new key.
    fn create_job(&mut self, host: &Running, key: &str, request: Value) -> String {
        let job = id(&host.client.post_once("/mlops/api/training/jobs", key, &request).expect(201), "job_id");
        self.jobs.insert(key.to_owned(), Some(job.clone()));
        self.requests.insert(key.to_owned(), request);
        job
    }

    /// Asks again for everything whose answer a kill may have swallowed: the same key never makes a second one.
    fn ask_again(&mut self, host: &Running) {
        for (key, job) in &mut self.jobs {
            let again = id(&host.client.post_once("/mlops/api/training/jobs", key, &self.requests[key]).ok(), "job_id");
            assert_eq!(job.get_or_insert(again.clone()), &again, "{key} made a second job");
        }
        for (key, deployment) in &mut self.deployments {
            let again = id(&host.client.post_once("/mlops/api/models/deploy", key, &self.wishes[key]).ok(), "deployment_id");
            assert_eq!(deployment.get_or_insert(again.clone()), &again, "{key} made a second rollout");
        }
    }
}

fn logged_predictions(client: &Client) -> BTreeSet<String> {
    let (mut found, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = client.get(&format!("/mlops/api/predictions?limit=1000{cursor}")).expect(200);
        found.extend(page["predictions"].as_array().unwrap().iter().map(|entry| id(entry, "prediction_id")));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

fn chunk(place: usize) -> Vec<u8> {
    let all = String::from_utf8(sample::swinging((place + 1) * CHUNK)).unwrap();
    let lines: Vec<&str> = all.lines().skip(1 + place * CHUNK).collect();
    format!("{}{}\n", sample::HEADER, lines.join("\n")).into_bytes()
}

/// A training that takes a second or two, so that there is a middle to be killed in.
fn job(endpoint: Option<&str>) -> Value {
    let mut request = sample::lstm("BASE", 400);
    request["config"]["patience"] = json!(0);
    if let Some(endpoint) = endpoint {
        request["deployment_config"] = json!({"auto_deploy": true, "endpoint": endpoint});
    }
    request
}

/// Waits until a job is at least in this stage, or over.
fn reaches(host: &Running, job: &str, stages: &[&str]) {
    host.until("the job came so far", TRAINED, &format!("/mlops/api/training/jobs/{job}"), |job| {
        let stage = job["progress"]["stage"].as_str().unwrap_or_default();
        let over = job["state"] != "queued" && job["state"] != "running";
        (over || stages.contains(&stage)).then_some(())
    });
}

/// Does `ask` again and again beside the host until it is killed, which happens after the `n`-th yes, with the next
/// request under way. Returns what `ask` gave.
fn kill_amid<T: Send>(host: Running, n: usize, ask: impl Fn(&Client, usize) -> Option<T> + Sync) -> Vec<T> {
    let (client, count) = (host.client.clone(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut given = Vec::new();
            while let Some(yes) = ask(&client, given.len()) {
                given.push(yes);
                count.store(given.len(), Ordering::Release);
            }
            given
        });
        eventually("enough was acknowledged", Duration::from_secs(60), || (count.load(Ordering::Acquire) >= n).then_some(()));
        host.kill();
        asking.join().unwrap()
    })
}

/// A POST to a host that may die of it: the JSON of a success, none when there was no answer.
fn tried(client: &Client, path: &str, media_type: &str, key: Option<&str>, body: Vec<u8>) -> Option<Value> {
    let mut headers = vec![(http::header::CONTENT_TYPE, media_type)];
    headers.extend(key.map(|key| (http::HeaderName::from_static("idempotency-key"), key)));
    let answer = client.try_send(http::Method::POST, &format!("/mlops/api{path}"), &headers, body).ok()?;
    Some(answer.ok())
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_happens_twice() {
    let home = Home::new(SETTINGS);
    let mut ledger = Ledger::default();
    let host = home.start();
    ingest(&host.client, "BASE", sample::swinging(1500)).expect(200);
    let model = id(&train(&host, &sample::har("BASE")), "model_id");
    ledger.models.insert(model.clone());
    host.kill();

    for kill in 1..KILLS {
        let host = home.start();
        ledger.check(&host);
        ledger.ask_again(&host);
        one_kill(kill, host, &mut ledger, &model);
    }
    let host = home.start();
    ledger.check(&host);
    ledger.ask_again(&host);
    everything_ends(&host, &ledger);
}

/// Does something and kills the host in the middle of it.
fn one_kill(kill: usize, host: Running, ledger: &mut Ledger, model: &str) {
    let key = format!("kill-{kill}");
    match kill % 6 {
        // Just accepted.
        0 => {
            ledger.create_job(&host, &key, job(None));
            host.kill();
        }
        // In the middle of fitting.
        1 => {
            let id = ledger.create_job(&host, &key, job(None));
            reaches(&host, &id, &["fitting"]);
            host.kill();
        }
        // About to register, or having just begun its rollout.
        2 => {
            let id = ledger.create_job(&host, &key, job(Some(&format!("auto-{kill}"))));
            reaches(&host, &id, &["evaluating", "registering", "done"]);
            host.kill();
        }
        // Rollouts, the last of them perhaps unanswered.
        3 => {
            let wish = |place: usize| json!({"model_id": model, "endpoint": format!("deploy-{kill}-{place}")});
            let key = |place: usize| format!("{key}-{place}");
            let given = kill_amid(host, 1 + kill % 3, |client, place| {
                tried(client, "/models/deploy", "application/json", Some(&key(place)), wish(place).to_string().into_bytes())
            });
            for place in 0..=given.len() {
                ledger.deployments.insert(key(place), given.get(place).map(|rollout| id(rollout, "deployment_id")));
                ledger.wishes.insert(key(place), wish(place));
            }
        }
        // Bars, chunk by chunk.
        4 => {
            let first = ledger.chunks;
            let path = format!("/data/ingest?symbol={GROWING}&interval=1h");
            let given = kill_amid(host, 3, |client, place| tried(client, &path, "text/csv", None, chunk(first + place)));
            ledger.chunks += given.len();
        }
        // Predictions.
        _ => {
            let body = json!({"model_id": model, "windows": vec![vec![vec![-7.0, -7.0, -7.0]]; 3]}).to_string().into_bytes();
            let given = kill_amid(host, 20, |client, _| tried(client, "/predict", "application/json", None, body.clone()));
            let predictions =
                given.iter().flat_map(|answer| answer["predictions"].as_array().unwrap().iter().map(|one| id(one, "prediction_id")));
            ledger.predictions.extend(predictions);
        }
    }
}

/// Every job succeeds with one version, every rollout ends, every endpoint answers, bars can be sent again.
fn everything_ends(host: &Running, ledger: &Ledger) {
    let (mut registered, mut taken_up) = (BTreeMap::new(), 0);
    for job in ledger.jobs.values().flatten() {
        let ended = crate::shared::finished(host, job, "succeeded");
        registered.insert(job.clone(), id(&ended, "model_id"));
        taken_up += usize::from(ended["attempts"].as_u64() > Some(1));
        if let Some(deployment) = ended["deployment_id"].as_str() {
            crate::shared::promoted(host, deployment);
        }
    }
    assert!(registered.len() >= KILLS / 3, "only {} jobs were asked for", registered.len());
    assert!(taken_up >= 5, "only {taken_up} jobs were killed under way and taken up again: the kills come too early or too late");
    let models = host.client.get("/mlops/api/models?limit=1000").expect(200);
    for (job, model) in &registered {
        let made: Vec<&Value> =
            models["models"].as_array().unwrap().iter().filter(|model| model["lineage"]["job_id"] == job.as_str()).collect();
        assert_eq!(made.len(), 1, "job {job} made {made:?}");
        assert_eq!(made[0]["model_id"], model.as_str());
    }
    assert_eq!(models["models"].as_array().unwrap().len(), registered.len() + ledger.models.len(), "{models}");

    for deployment in ledger.deployments.values().flatten() {
        crate::shared::promoted(host, deployment);
    }
    let open = host.until("no rollout is stuck", ROLLED_OUT, "/mlops/api/deployments?limit=1000", |list| {
        let rollouts = list["deployments"].as_array()?;
        rollouts.iter().all(|rollout| rollout["finished_at"].is_string()).then_some(rollouts.len())
    });
    assert!(open >= ledger.deployments.len());
    let endpoints = host.client.get("/mlops/api/endpoints").expect(200);
    assert!(endpoints["endpoints"].as_array().unwrap().len() >= ledger.deployments.len(), "{endpoints}");
    for endpoint in endpoints["endpoints"].as_array().unwrap() {
        host.client.post("/mlops/api/predict", &json!({"endpoint": endpoint["name"], "latest": true})).expect(200);
    }
    for place in 0..ledger.chunks {
        let report = ingest(&host.client, GROWING, chunk(place)).expect(200);
        assert_eq!((&report["unchanged"], &report["added"]), (&json!(CHUNK), &json!(0)), "chunk {place}");
    }
    let rows = host.client.get(&format!("/mlops/api/data/describe?symbol={GROWING}&interval=1h")).expect(200)["rows"].as_u64().unwrap();
    assert!(rows as usize <= (ledger.chunks + KILLS) * CHUNK, "{rows}");
}
