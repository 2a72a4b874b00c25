//! Our side of `make bench-training`: does one measurement at a time when asked, so that a driver can alternate with peers.
//!
//! With `--serve`, a line of JSON on standard input asks (`{"do": "train", "network": "lstm", "threads": 2, "seconds": 2}`)
//! and a line on standard output answers; `tests/bench/training.py` is who asks. Without it, as under `cargo bench`, our
//! numbers alone are printed. Every rate is given as units of work, seconds of the wall clock, seconds of this process's
//! processors and what other processes took meanwhile, so that the reader can judge a busy machine.

mod bars;
mod measure;
mod networks;
mod fitting;
mod worker;

use std::io::{BufRead, Write};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::fitting::Fitting;

fn main() -> Result<()> {
    let mut fitting = Fitting::default();
    if !std::env::args().any(|argument| argument == "--serve") {
        return alone(&mut fitting);
    }
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = serde_json::from_str(&line?).context("not a question").and_then(|question| answer(&mut fitting, &question));
        let answer = answer.unwrap_or_else(|error| json!({"error": format!("{error:#}")}));
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn answer(fitting: &mut Fitting, question: &Value) -> Result<Value> {
    let text = |name: &str| question[name].as_str().with_context(|| format!("`{name}` is missing"));
    let number = |name: &str| question[name].as_f64().with_context(|| format!("`{name}` is missing"));
    let whole = |name: &str| question[name].as_u64().map(|number| number as usize).with_context(|| format!("`{name}` is missing"));
    match text("do")? {
        "hello" => Ok(json!({"name": "ours", "version": env!("CARGO_PKG_VERSION")})),
        "train" => {
            let place = (question["device"].as_str().unwrap_or("cpu"), whole("threads")?);
            fitting.train(text("network")?, place, question["batch"].as_u64().unwrap_or(32).try_into()?, number("seconds")?)
        }
        "start" => fitting.start(text("network")?, text("to")?),
        "load" => fitting.load(text("network")?, text("weights")?),
        "infer" => fitting.infer(text("network")?, whole("batch")?, number("seconds")?),
        "outputs" => fitting.outputs(text("network")?, text("windows")?),
        "losses" => fitting.losses(text("network")?, text("windows")?, text("targets")?, whole("steps")?, whole("threads")?),
        "gemm" => fitting.gemm(whole("threads")?, number("seconds")?),
        "features" => bars::features(whole("rows")?, number("seconds")?),
        "read" => bars::read(text("interval")?, whole("rows")?, number("seconds")?),
        "memory" => measure::peak_memory(),
        "worker-memory" => worker::memory(text("network")?),
        other => bail!("`{other}` is no question"),
    }
}

/// Our numbers without a peer.
fn alone(fitting: &mut Fitting) -> Result<()> {
    let mut questions = vec![
        json!({"do": "features", "rows": 500_000, "seconds": 2}),
        json!({"do": "read", "interval": "1m", "rows": 2_000_000, "seconds": 2}),
        json!({"do": "gemm", "threads": 1, "seconds": 2}),
    ];
    let folder = tempfile::tempdir()?;
    for network in ["lstm", "transformer"] {
        let weights = folder.path().join(network);
        for threads in [1, 2] {
            questions.push(json!({"do": "train", "network": network, "threads": threads, "seconds": 3}));
        }
        questions.push(json!({"do": "start", "network": network, "to": weights}));
        questions.push(json!({"do": "load", "network": network, "weights": weights}));
        for batch in [1, 32, 256] {
            questions.push(json!({"do": "infer", "network": network, "batch": batch, "seconds": 2}));
        }
    }
    for question in questions {
        let told = answer(fitting, &question).unwrap_or_else(|error| json!({"not run": format!("{error:#}")}));
        let rate = |part: &str| told["units"].as_f64().zip(told[part].as_f64()).map(|(units, seconds)| units / seconds);
        match rate("wall_s").zip(rate("cpu_s")) {
            Some((wall, cpu)) => println!("{question}: {wall:.0} {}/s, {cpu:.0} per CPU second", told["unit"].as_str().unwrap_or("")),
            None if told.get("not run").is_some() => println!("{question}: {told}"),
            None => {}
        }
    }
    Ok(())
}
