//! The host as a whole, measured from outside: time to ready with cached plugins, idle memory, predictions over HTTP.
//!
//! A table of quantiles rather than criterion's means: what matters to a caller is the middle and the tail.

use std::time::{Duration, Instant};

use bellwether_tests::{Client, Home, Running, process, sample};
use serde_json::{Value, json};

const STARTS: usize = 15;
const PREDICTIONS: usize = 2000;

fn quantile(sorted: &[Duration], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3
}

fn print(what: &str, mut times: Vec<Duration>, target: &str) {
    times.sort_unstable();
    println!("{what:<58} p50 {:>8.3} ms   p99 {:>8.3} ms   {target}", quantile(&times, 0.5), quantile(&times, 0.99));
}

fn timed<T>(mut work: impl FnMut() -> T) -> Duration {
    let started = Instant::now();
    let outcome = work();
    let took = started.elapsed();
    drop(outcome);
    took
}

fn train(host: &Running, request: &Value) -> String {
    let job = host.client.post("/mlops/api/training/jobs", request).expect(201)["job_id"].as_str().expect("an id").to_owned();
    host.until("the model is trained", Duration::from_secs(300), &format!("/mlops/api/training/jobs/{job}"), |job| {
        assert_ne!(job["state"], "failed", "{job}");
        job["model_id"].as_str().map(str::to_owned)
    })
}

fn predict(client: &Client, body: &Value) {
    client.post("/mlops/api/predict", body).expect(200);
}

fn main() {
    let home = Home::new("[training]\nmin_data_points = 300\n[log]\nlevel = \"warn\"\n");
    drop(home.start());
    let mut starts = Vec::new();
    let mut idle = 0;
    for _ in 0..STARTS {
        let started = Instant::now();
        let host = home.start();
        starts.push(started.elapsed());
        idle = process::resident_bytes(host.process());
    }
    print("ready after start, plugins cached", starts, "(target 300 ms)");
    println!("{:<58} {:>8.1} MB                      (target 80 MB)", "resident memory, idle", idle as f64 / 1e6);

    let host = home.start();
    let csv = sample::swinging(1000);
    host.client.post_bytes("/mlops/api/data/ingest?symbol=BENCH&interval=1h", "text/csv", csv).expect(200);
    let mut request = sample::lstm("BENCH", 1);
    request["sequence_length"] = json!(60);
    request["config"] = json!({"lstm_units": [128, 64, 32], "epochs": 1});
    let large = train(&host, &request);
    let small = train(&host, &sample::lstm("BENCH", 1));
    let questions = [
        ("health, no work (the floor)", None, ""),
        ("one prediction, units 4, sequence 8", Some(json!({"model_id": small, "window": vec![[0.001, -6.0]; 8]})), ""),
        (
            "one prediction, units 128/64/32, sequence 60",
            Some(json!({"model_id": large, "window": vec![[0.001, -6.0]; 60]})),
            "(target 2 ms)",
        ),
        ("the same from the newest bars", Some(json!({"model_id": large, "latest": true})), ""),
    ];
    for (what, body, target) in questions {
        let ask = || match &body {
            Some(body) => predict(&host.client, body),
            None => drop(host.client.get("/livez")),
        };
        (0..50).for_each(|_| ask());
        print(what, (0..PREDICTIONS).map(|_| timed(ask)).collect(), target);
    }
    let windows = json!({"model_id": large, "windows": vec![vec![[0.001, -6.0]; 60]; 64]});
    print("64 predictions in one request, units 128/64/32", (0..50).map(|_| timed(|| predict(&host.client, &windows))).collect(), "");
    println!("{:<58} {:>8.1} MB", "resident memory, after that", process::resident_bytes(host.process()) as f64 / 1e6);
}
