//! Predictions over HTTP while jobs train: what training leaves to serving, in quantiles, beside a host that is idle.
//!
//! Workers run at a lower priority and share a counted number of threads. What a caller notices of them is the tail.

use std::time::{Duration, Instant};

use bellwether_tests::{Home, Running, process, sample};
use serde_json::{Value, json};

const PREDICTIONS: usize = 2000;

fn quantile(sorted: &[Duration], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3
}

/// Milliseconds at the median and the 99th percentile.
fn measure(host: &Running, body: &Value) -> (f64, f64) {
    let ask = || {
        let started = Instant::now();
        host.client.post("/mlops/api/predict", body).expect(200);
        started.elapsed()
    };
    for _ in 0..50 {
        ask();
    }
    let mut times: Vec<Duration> = (0..PREDICTIONS).map(|_| ask()).collect();
    times.sort_unstable();
    (quantile(&times, 0.5), quantile(&times, 0.99))
}

fn create(host: &Running, request: &Value) -> String {
    host.client.post("/mlops/api/training/jobs", request).expect(201)["job_id"].as_str().expect("an id").to_owned()
}

fn until<T>(host: &Running, job: &str, seen: impl Fn(&Value) -> Option<T>) -> T {
    host.until("the job came so far", Duration::from_secs(300), &format!("/mlops/api/training/jobs/{job}"), |job| {
        assert_ne!(job["state"], "failed", "{job}");
        seen(job)
    })
}

fn main() {
    let home = Home::new("[training]\nmin_data_points = 300\nmax_concurrent_jobs = 2\n[log]\nlevel = \"warn\"\n");
    let host = home.start();
    let csv = sample::swinging(5000);
    host.client.post_bytes("/mlops/api/data/ingest?symbol=BENCH&interval=1h", "text/csv", csv).expect(200);
    let mut request = sample::lstm("BENCH", 1);
    request["sequence_length"] = json!(60);
    request["config"] = json!({"lstm_units": [128, 64, 32], "epochs": 1});
    let model = until(&host, &create(&host, &request), |job| job["model_id"].as_str().map(str::to_owned));
    let body = json!({"model_id": model, "window": vec![[0.001, -6.0]; 60]});
    request["config"] = json!({"lstm_units": [128, 64, 32], "epochs": 100_000, "patience": 0});
    let mut jobs = Vec::new();
    let mut idle = (0.0, 0.0);
    for running in 0..=2 {
        if running > 0 {
            jobs.push(create(&host, &request));
            for job in &jobs {
                until(&host, job, |job| (job["progress"]["samples_per_second"].as_f64() > Some(0.0)).then_some(()));
            }
        }
        let (middle, tail) = measure(&host, &body);
        if running == 0 {
            idle = (middle, tail);
        }
        let ratios = (middle / idle.0, tail / idle.1);
        println!(
            "one prediction beside {running} training jobs  p50 {middle:>8.3} ms ({:>5.2} x)  p99 {tail:>8.3} ms ({:>5.2} x)",
            ratios.0, ratios.1
        );
    }
    for worker in process::children(host.process()) {
        println!("a worker has {:.1} MB of resident memory", process::resident_bytes(worker) as f64 / 1e6);
    }
    for job in &jobs {
        let expected = until(&host, job, |job| job["estimate"]["memory_bytes"].as_f64());
        println!("{:.1} MB were expected", expected / 1e6);
        let (threads, pace) = until(&host, job, |job| Some((job["threads"].clone(), job["progress"]["samples_per_second"].clone())));
        println!("a job on {threads} threads trained {pace} samples/s meanwhile");
        host.client.post(&format!("/mlops/api/training/jobs/{job}/cancel"), &json!({})).expect(200);
    }
}
