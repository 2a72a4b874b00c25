//! The memory of the real process that trains: the worker the host starts for a job, with everything the product has in it.

use std::time::Duration;

use anyhow::{Result, ensure};
use bellwether_tests::{Home, process, sample};
use serde_json::{Value, json};

/// Trains the default network of a model type through the API on some thousand bars, and looks at the worker meanwhile.
pub(crate) fn memory(network: &str) -> Result<Value> {
    let home = Home::new("[log]\nlevel = \"warn\"\n");
    let host = home.start();
    let bars = sample::swinging(4000);
    host.client.post_bytes("/mlops/api/data/ingest?symbol=BENCH&interval=1h", "text/csv", bars).expect(200);
    let mut request = sample::lstm("BENCH", 1);
    request["model_type"] = json!(network);
    request["config"] = json!({"epochs": 2});
    request["sequence_length"] = json!(if network == "transformer" { 100 } else { 60 });
    let job = host.client.post("/mlops/api/training/jobs", &request).expect(201)["job_id"].clone();
    let path = format!("/mlops/api/training/jobs/{}", job.as_str().unwrap_or_default());
    let mut peak = 0.0_f64;
    let state = host.until("the job ends", Duration::from_secs(600), &path, |job| {
        for child in process::children(host.process()) {
            // A worker that ended between the two readings was looked at before.
            peak = peak.max(crate::measure::peak_of(&format!("/proc/{child}/status")).unwrap_or(0.0));
        }
        let state = job["state"].as_str().unwrap_or_default();
        (!matches!(state, "queued" | "running" | "pending")).then(|| job.clone())
    });
    ensure!(state["model_id"].is_string(), "the job ended as {}: {}", state["state"], state["error"]);
    ensure!(peak > 0.0, "no worker was seen");
    Ok(json!({"peak_mib": peak}))
}
