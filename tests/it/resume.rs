//! Trainings that are interrupted: a killed host, a killed worker, a damaged checkpoint end in the very bits of a training
//! that nobody disturbed. And trainings that are ended: cancelled or out of time, within one batch.
//!
//! A kill comes when a checkpoint lies in the work folder, not after a time. What a batch takes is said by the job itself.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bellwether_domain::job::Precision;
use bellwether_domain::time::Timestamp;
use bellwether_tests::{Home, Running, eventually, process, sample};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::shared::{TRAINED, finished, id, ingest};

/// A checkpoint after every epoch: twelve milliseconds are less than one takes.
const SETTINGS: &str = "[training]\nmax_concurrent_jobs = 1\nmin_data_points = 500\ncheckpoint_minutes = 0.0002\nthreads = 2\n";

/// Longest wait for a process to vanish.
const GONE: Duration = Duration::from_secs(30);

/// A fit of a second or more, with dropout, so that a checkpoint without the generators' state would be noticed.
fn request() -> Value {
    let mut request = sample::lstm("BASE", 120);
    request["config"] = json!({"lstm_units": [8, 4], "epochs": 120, "patience": 0, "dropout_rate": 0.2});
    request["seed"] = json!(11);
    request["threads"] = json!(2);
    request
}

fn home(settings: &str) -> (Home, Running) {
    let home = Home::new(settings);
    let host = home.start();
    ingest(&host.client, "BASE", sample::swinging(1500)).expect(200);
    (home, host)
}

fn begin(host: &Running, request: &Value) -> String {
    id(&host.client.post("/mlops/api/training/jobs", request).expect(201), "job_id")
}

fn checkpoint(home: &Home, job: &str) -> PathBuf {
    home.data().join("work").join(job).join("fit.checkpoint")
}

/// Waits until there is a checkpoint and the job is fitting on.
fn is_saved(home: &Home, host: &Running, job: &str) {
    let path = checkpoint(home, job);
    eventually("a checkpoint is saved", TRAINED, || path.exists().then_some(()));
    host.until("the fit goes on", TRAINED, &format!("/mlops/api/training/jobs/{job}"), |job| {
        assert_eq!(job["state"], "running", "the fit is over before it could be disturbed: {job}");
        (job["progress"]["epoch"].as_u64() >= Some(3)).then_some(())
    });
}

fn log(host: &Running, job: &str) -> String {
    let log = host.client.get(&format!("/mlops/api/training/jobs/{job}/log")).expect(200);
    let lines: Vec<String> = log["lines"].as_array().unwrap().iter().map(|line| id(line, "message")).collect();
    lines.join("\n")
}

/// `weights.safetensors` of the version that a job made.
fn weights(host: &Running, job: &Value) -> Vec<u8> {
    let artifact = host.client.get(&format!("/mlops/api/models/{}/artifact", id(job, "model_id"))).bytes;
    entry(&artifact, "weights.safetensors").expect("a network's artifact has weights")
}

/// A file of a plain tar.
fn entry(tar: &[u8], wanted: &str) -> Option<Vec<u8>> {
    let mut rest = tar;
    while let Some((header, after)) = rest.split_at_checked(512) {
        let text = |range: std::ops::Range<usize>| String::from_utf8_lossy(&header[range]).trim_matches(['\0', ' ']).to_owned();
        let size = usize::from_str_radix(&text(124..136), 8).ok()?;
        if text(0..100) == wanted {
            return after.get(..size).map(<[u8]>::to_vec);
        }
        rest = after.get(size.next_multiple_of(512)..)?;
    }
    None
}

/// What a training that nobody disturbed makes of [`request`].
fn undisturbed(host: &Running) -> Vec<u8> {
    let job = begin(host, &request());
    weights(host, &finished(host, &job, "succeeded"))
}

/// Nothing of a job that has ended is left in the work folder.
fn is_tidy(home: &Home) {
    let work = home.data().join("work");
    let left = || fs_err::read_dir(&work).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    eventually("the work folder is empty", GONE, || left().is_empty().then_some(()));
}

#[test]
fn a_killed_host_goes_on_to_the_same_bits() {
    let (home, host) = home(SETTINGS);
    let expected = undisturbed(&host);
    let job = begin(&host, &request());
    is_saved(&home, &host, &job);
    host.kill();
    assert!(checkpoint(&home, &job).exists());
    let host = home.start();
    let ended = finished(&host, &job, "succeeded");
    assert_eq!((&ended["attempts"], &ended["threads"]), (&json!(2), &json!(2)));
    assert!(log(&host, &job).contains("`fit` goes on from its checkpoint"), "{}", log(&host, &job));
    assert!(weights(&host, &ended) == expected, "the weights differ from those of an undisturbed training");
    // The curve has every epoch once, those before the kill too.
    let losses = host.client.get(&format!("/mlops/api/training/jobs/{job}/losses")).expect(200);
    let epochs: Vec<u64> = losses["epochs"].as_array().unwrap().iter().map(|point| point["epoch"].as_u64().unwrap()).collect();
    assert!(epochs.is_sorted_by(|one, next| one < next) && epochs.last() == Some(&120), "{epochs:?}");
    is_tidy(&home);
}

#[test]
fn of_many_fits_those_that_are_over_are_not_repeated() {
    let (home, host) = home(SETTINGS);
    ingest(&host.client, "LONG", sample::swinging(3000)).expect(200);
    let mut request = request();
    request["symbol"] = json!("LONG");
    request["config"]["epochs"] = json!(60);
    request["split"] = json!({"scheme": {"kind": "walk-forward", "folds": 2}});
    let job = begin(&host, &request);
    let expected = finished(&host, &job, "succeeded");
    let job = begin(&host, &request);
    let slots = || {
        fs_err::read_dir(home.data().join("work").join(&job)).map_or(0, |folder| {
            folder.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "checkpoint")).count()
        })
    };
    eventually("the second fit has a checkpoint", TRAINED, || (slots() >= 2).then_some(()));
    host.kill();
    let host = home.start();
    let ended = finished(&host, &job, "succeeded");
    assert_eq!(ended["attempts"], 2);
    let log = log(&host, &job);
    assert!(log.contains("was fitted before the interruption") && log.contains("goes on from its checkpoint"), "{log}");
    assert!(weights(&host, &ended) == weights(&host, &expected));
    let judged = |job: &Value| {
        let model = host.client.get(&format!("/mlops/api/models/{}", id(job, "model_id"))).expect(200);
        assert!(model["cross_validation"].is_object(), "{model}");
        (model["cross_validation"].clone(), model["metrics"].clone())
    };
    assert_eq!(judged(&ended), judged(&expected));
    is_tidy(&home);
}

#[test]
fn a_host_that_is_asked_to_stop_leaves_its_job_to_the_next() {
    let (home, host) = home(SETTINGS);
    let expected = undisturbed(&host);
    let job = begin(&host, &request());
    is_saved(&home, &host, &job);
    host.stop();
    let host = home.start();
    let ended = finished(&host, &job, "succeeded");
    assert!(log(&host, &job).contains("`fit` goes on from its checkpoint"), "{}", log(&host, &job));
    assert!(weights(&host, &ended) == expected);
}

#[test]
fn a_killed_worker_is_started_again_and_not_forever() {
    let (home, host) = home(&format!("{SETTINGS}attempts = 2\n"));
    let expected = undisturbed(&host);
    let job = begin(&host, &request());
    is_saved(&home, &host, &job);
    kill_worker(&host);
    let ended = finished(&host, &job, "succeeded");
    assert_eq!(ended["attempts"], 2);
    let log = log(&host, &job);
    assert!(log.contains("it was killed (signal 9)") && log.contains("`fit` goes on from its checkpoint"), "{log}");
    assert!(weights(&host, &ended) == expected);

    let mut endless = request();
    endless["config"]["epochs"] = json!(100_000);
    let job = begin(&host, &endless);
    for attempt in 1..=2 {
        host.until("the attempt fits", TRAINED, &format!("/mlops/api/training/jobs/{job}"), |job| {
            (job["attempts"] == attempt && job["progress"]["stage"] == "fitting").then_some(())
        });
        kill_worker(&host);
    }
    let ended = finished(&host, &job, "failed");
    assert!(ended["error"].as_str().unwrap().contains("signal 9"), "{ended}");
    is_tidy(&home);
}

fn kill_worker(host: &Running) {
    let workers = process::children(host.process());
    let [worker] = workers.as_slice() else { panic!("one worker was expected: {workers:?}") };
    process::signal(*worker, Signal::KILL);
    eventually("the worker is gone", GONE, || (!process::is_alive(*worker)).then_some(()));
}

#[test]
fn a_damaged_checkpoint_is_set_aside_and_the_fit_begins_anew() {
    let (home, host) = home(SETTINGS);
    let expected = undisturbed(&host);
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 3] = [
        ("cut short", |bytes| bytes.truncate(bytes.len() / 2)),
        ("is damaged", |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }),
        ("no checkpoint", |bytes| bytes[0] ^= 1),
    ];
    let mut host = host;
    for (why, damage) in damages {
        let job = begin(&host, &request());
        is_saved(&home, &host, &job);
        host.kill();
        change(&checkpoint(&home, &job), damage);
        host = home.start();
        let ended = finished(&host, &job, "succeeded");
        let log = log(&host, &job);
        assert!(log.contains(&format!("the checkpoint `fit` is of no use: it {why}")) || log.contains(why), "{why}: {log}");
        assert!(log.contains("begins anew") && !log.contains("goes on from"), "{log}");
        assert!(weights(&host, &ended) == expected, "{why}");
    }
    is_tidy(&home);
}

fn change(path: &Path, change: fn(&mut Vec<u8>)) {
    let mut bytes = fs_err::read(path).unwrap();
    change(&mut bytes);
    fs_err::write(path, bytes).unwrap();
}

/// A fit with batches of a good fraction of a second.
fn slow() -> Value {
    let mut request = sample::lstm("BASE", 10_000);
    request["sequence_length"] = json!(120);
    request["config"] = json!({"lstm_units": [128, 64], "epochs": 10_000, "patience": 0, "batch_size": 512});
    request["threads"] = json!(1);
    request
}

/// Seconds of a batch, as the job itself says.
fn batch_seconds(host: &Running, job: &str) -> f64 {
    host.until("the fit has a pace", TRAINED, &format!("/mlops/api/training/jobs/{job}"), |job| {
        assert!(job["state"] == "queued" || job["state"] == "running", "{job}");
        let pace = job["progress"]["samples_per_second"].as_f64()?;
        (pace > 0.0).then(|| 512.0 / pace)
    })
}

#[test]
fn a_cancelled_fit_ends_within_one_batch() {
    let (home, host) = home("[training]\nmax_concurrent_jobs = 1\nmin_data_points = 500\n");
    let job = begin(&host, &slow());
    let batch = batch_seconds(&host, &job);
    let workers = process::children(host.process());
    assert_eq!(workers.len(), 1);
    let cancelled = Instant::now();
    let answer = host.client.post(&format!("/mlops/api/training/jobs/{job}/cancel"), &json!({})).expect(200);
    assert_eq!(answer["state"], "cancelled");
    eventually("the worker is gone", GONE, || (!process::is_alive(workers[0])).then_some(()));
    // Twice a batch: other tests take their share of the processor meanwhile. An epoch would be twenty of them.
    let took = cancelled.elapsed().as_secs_f64();
    assert!(took < 2.0 * batch + 1.0, "it took {took:.3} s to end, a batch takes {batch:.3} s");
    is_tidy(&home);
}

#[test]
fn a_guest_that_fits_ends_when_it_is_cancelled() {
    let (home, host) = home("[training]\nmax_concurrent_jobs = 1\nmin_data_points = 500\n");
    let mut request = sample::lstm("BASE", 1);
    request["model_type"] = json!("gbdt");
    request["sequence_length"] = json!(120);
    request["config"] = json!({"window": "flatten", "trees": 10_000, "patience": 0, "max_leaves": 1024, "min_child_weight": 1});
    let job = begin(&host, &request);
    host.until("it grows trees", TRAINED, &format!("/mlops/api/training/jobs/{job}"), |job| {
        assert!(job["state"] == "queued" || job["state"] == "running", "{job}");
        (job["progress"]["stage"] == "fitting" && job["progress"]["epoch"].as_u64() >= Some(1)).then_some(())
    });
    let workers = process::children(host.process());
    assert_eq!(workers.len(), 1);
    host.client.post(&format!("/mlops/api/training/jobs/{job}/cancel"), &json!({})).expect(200);
    eventually("the worker is gone", GONE, || (!process::is_alive(workers[0])).then_some(()));
    is_tidy(&home);
}

#[test]
fn a_fit_that_is_out_of_time_ends_within_one_batch() {
    let (home, host) = home("[training]\nmax_concurrent_jobs = 1\nmin_data_points = 500\n");
    let mut request = slow();
    let first = begin(&host, &request);
    let batch = batch_seconds(&host, &first);
    host.client.post(&format!("/mlops/api/training/jobs/{first}/cancel"), &json!({})).expect(200);
    request["timeout_seconds"] = json!(2);
    let job = begin(&host, &request);
    let ended = finished(&host, &job, "timed_out");
    let time = |name: &str| id(&ended, name).parse::<Timestamp>().unwrap().0 as f64 / 1e3;
    let took = time("finished_at") - time("started_at");
    assert!(took >= 2.0 && took < 3.0 + 2.0 * batch, "it took {took:.3} s, the limit is 2 s, a batch takes {batch:.3} s");
    assert!(ended["error"].as_str().unwrap().contains("limit of 2 s"), "{ended}");
    eventually("the worker is gone", GONE, || process::children(host.process()).is_empty().then_some(()));
    is_tidy(&home);
}

#[test]
fn what_a_training_takes_is_said_and_bounded_before_it_starts() {
    let settings = "[training]\nmin_data_points = 500\nthreads = 2\nmemory_limit = \"128 MiB\"\nmax_concurrent_jobs = 2\n";
    let (_home, host) = home(settings);
    let create = |changes: Value| {
        let mut request = sample::lstm("BASE", 1);
        request.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        host.client.post("/mlops/api/training/jobs", &request)
    };
    create(json!({"threads": 3})).invalid("threads", &["1 to 2", "training.threads"]);
    create(json!({"threads": 0})).invalid("threads", &["1 to 2"]);
    let large = json!({"config": {"lstm_units": [1024, 1024], "epochs": 1}});
    create(large).invalid("config", &["MiB while training", "training.memory_limit is 128 MiB", "batch_size"]);
    let job = create(json!({"threads": 2})).expect(201);
    let estimate = &job["estimate"];
    // One layer of four units on two features, a bias per gate or two, and a head.
    assert!((117..=133).contains(&estimate["parameters"].as_u64().unwrap()), "{estimate}");
    assert!((64 << 20..128 << 20).contains(&estimate["memory_bytes"].as_u64().unwrap()) && estimate["seconds"].as_f64() > Some(0.0));
    let ended = finished(&host, &id(&job, "job_id"), "succeeded");
    assert_eq!(ended["threads"], 2);
    let log = log(&host, &id(&job, "job_id"));
    assert!(log.contains("expected: ") && log.contains("on 2 threads"), "{log}");
    let model = host.client.get(&format!("/mlops/api/models/{}", id(&ended, "model_id"))).expect(200);
    assert_eq!(model["lineage"]["threads"], 2);
}

#[test]
fn bf16_is_for_processors_that_have_it_and_a_job_may_choose() {
    let (_home, host) = home("[training]\nmin_data_points = 500\nthreads = 1\nprecision = \"bf16\"\n");
    let create = |precision: Option<&str>| {
        let mut request = sample::lstm("BASE", 1);
        request.as_object_mut().unwrap().extend(precision.map(|name| ("precision".to_owned(), json!(name))));
        host.client.post("/mlops/api/training/jobs", &request)
    };
    let lineage = |job: Value| {
        let ended = finished(&host, &id(&job, "job_id"), "succeeded");
        host.client.get(&format!("/mlops/api/models/{}", id(&ended, "model_id"))).expect(200)["lineage"].clone()
    };
    create(Some("f16")).invalid("precision", &["`f16` is not known", "did you mean `bf16`?"]);
    assert_eq!(lineage(create(Some("f32")).expect(201))["precision"], Value::Null);
    match bellwether_compute::precision::check(Precision::Bf16, false) {
        Ok(()) => assert_eq!(lineage(create(None).expect(201))["precision"], "bf16"),
        Err(_) => assert_eq!(create(None).invalid("precision", &["AVX512-BF16", "training.precision"])["field"], "precision"),
    }
}
