//! One host for all tests that only ask or add: EUR/USD imported, a `har` deployed on `EURUSD`, a small `lstm` registered.

use std::sync::OnceLock;
use std::time::Duration;

use bellwether_tests::{Answer, Client, Home, Running, process, sample};
use serde_json::{Value, json};

/// Longest training of a small model, on a machine that does other things too.
pub(crate) const TRAINED: Duration = Duration::from_secs(120);

/// Longest rollout without pauses.
pub(crate) const ROLLED_OUT: Duration = Duration::from_secs(30);

/// The host and what is in it.
pub(crate) struct Shared {
    pub(crate) host: Running,
    _home: Home,
    /// A `har` that serves the endpoint `EURUSD`.
    pub(crate) har: String,
    /// A small `lstm`, registered.
    pub(crate) lstm: String,
}

/// The host; the first caller starts it.
pub(crate) fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let home = Home::new("[server]\nbody_limit = \"4 MiB\"\n[training]\nmax_concurrent_jobs = 2\n");
        let host = home.start();
        process::take_along(host.process(), home.path());
        ingest(&host.client, "EURUSD", sample::eurusd()).expect(200);
        let mut request = sample::har("EURUSD");
        request["deployment_config"] = json!({"auto_deploy": true});
        let har = train(&host, &request);
        let lstm = train(&host, &sample::lstm("EURUSD", 1));
        let shared = Shared { har: id(&har, "model_id"), lstm: id(&lstm, "model_id"), host, _home: home };
        promoted(&shared.host, &id(&har, "deployment_id"));
        shared
    })
}

impl Shared {
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.host.client.get(&format!("/mlops/api{path}"))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.host.client.post(&format!("/mlops/api{path}"), body)
    }
}

/// A text in an object.
#[track_caller]
pub(crate) fn id(object: &Value, name: &str) -> String {
    object[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {object}")).to_owned()
}

/// Sends hourly bars as CSV.
pub(crate) fn ingest(client: &Client, symbol: &str, csv: Vec<u8>) -> Answer {
    client.post_bytes(&format!("/mlops/api/data/ingest?symbol={symbol}&interval=1h"), "text/csv", csv)
}

/// Creates a job and waits until it succeeded; returns its record.
#[track_caller]
pub(crate) fn train(host: &Running, request: &Value) -> Value {
    let job = id(&host.client.post("/mlops/api/training/jobs", request).expect(201), "job_id");
    finished(host, &job, "succeeded")
}

/// Waits until a job has ended, as it must.
#[track_caller]
pub(crate) fn finished(host: &Running, job: &str, state: &str) -> Value {
    let ended = host.until("the job ended", TRAINED, &format!("/mlops/api/training/jobs/{job}"), |job| {
        (job["state"] != "queued" && job["state"] != "running").then(|| job.clone())
    });
    assert_eq!(ended["state"], state, "{ended}");
    ended
}

/// Waits until a rollout is over, and checks that it was promoted.
#[track_caller]
pub(crate) fn promoted(host: &Running, deployment: &str) -> Value {
    let ended = phase(host, deployment, |phase| phase != "progressing" && phase != "paused");
    assert_eq!(ended["phase"], "promoted", "{ended}");
    ended
}

/// Waits until a rollout is in a phase.
#[track_caller]
pub(crate) fn phase(host: &Running, deployment: &str, wanted: impl Fn(&str) -> bool) -> Value {
    host.until("the rollout came so far", ROLLED_OUT, &format!("/mlops/api/deployments/{deployment}"), |rollout| {
        wanted(rollout["phase"].as_str().unwrap_or_default()).then(|| rollout.clone())
    })
}
