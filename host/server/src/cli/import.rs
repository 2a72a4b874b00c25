//! `bellwether model import`: a model exported as ONNX becomes a version.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bellwether_domain::id::Symbol;
use bellwether_domain::time::Interval;
use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::output::{DIM, say, styled};
use super::{Context, Failure, failure, models, train};
use crate::wire::imports::{ImportRequest, ImportedModel, ModelSample};
use crate::wire::models::PredictionTarget;

const EXAMPLES: &str = "\
Examples:
  bellwether model import model.onnx --symbol BTC/USDT --features 'log-return,rsi(14)' --target 'return(1)'
  bellwether model import model.onnx --symbol BTC/USDT --interval 1h --features open,high,low,close,volume \\
      --target 'realized-volatility(24)' --scaler scaler.json --target-scaler target.json --sample sample.json

A scaler is {\"mean\": [...], \"standard_deviation\": [...]}, one entry per feature. A sample is {\"inputs\": [...], \"outputs\": [...]}
with windows as the network reads them, already scaled, and its own answers, as `tensor.tolist()` writes them; outputs that
differ by more than 1e-5 stop the import before anything is registered.";

/// Register a version from an ONNX file, as PyTorch exports it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImportArgs {
    /// The ONNX file
    file: PathBuf,
    /// The instrument
    #[arg(long)]
    symbol: Symbol,
    /// Bar interval
    #[arg(long, default_value = "1h")]
    interval: Interval,
    /// What it predicts: return, direction, price or realized-volatility, with the bars ahead in parentheses (1 if not said)
    #[arg(long, value_name = "TARGET", value_parser = train::target)]
    target: PredictionTarget,
    /// Its inputs in order, comma-separated
    #[arg(long, value_name = "LIST", value_parser = train::features)]
    features: train::FeatureList,
    /// Steps per window; needed where the file leaves them open
    #[arg(long, value_name = "STEPS")]
    sequence_length: Option<u32>,
    /// Means and standard deviations of the features, as JSON [default: none]
    #[arg(long, value_name = "FILE")]
    scaler: Option<PathBuf>,
    /// Mean and standard deviation of the target, as JSON with one entry each [default: none]
    #[arg(long, value_name = "FILE")]
    target_scaler: Option<PathBuf>,
    /// Windows and answers to compare with, as JSON
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
    /// The model type it is registered as
    #[arg(long, default_value = "onnx")]
    model_type: String,
    /// A metric you vouch for, as in mse=0.05
    #[arg(long, value_name = "NAME=VALUE", value_parser = train::setting)]
    metric: Vec<(String, Value)>,
    /// A note, as in owner=desk
    #[arg(long, value_name = "NAME=VALUE", value_parser = train::setting)]
    note: Vec<(String, Value)>,
    /// The same key and content give the same version
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

pub(super) async fn perform(args: ImportArgs, context: &Context) -> Result<(), Failure> {
    let bytes = std::fs::read(&args.file).map_err(|error| failure::of_file("read", &args.file, &error))?;
    let request = ImportRequest {
        model: STANDARD.encode(bytes),
        model_type: args.model_type,
        symbol: args.symbol,
        interval: args.interval,
        target: args.target,
        features: args.features.0,
        sequence_length: args.sequence_length,
        scaler: args.scaler.as_deref().map(read).transpose()?,
        target_scaler: args.target_scaler.as_deref().map(read).transpose()?,
        sample: args.sample.as_deref().map(sample).transpose()?,
        metrics: models::metrics(args.metric)?,
        metadata: args.note.into_iter().collect(),
    };
    let reply = context.client()?.post_once::<ImportedModel>("/models/import", &request, args.idempotency_key.as_deref()).await?;
    context.show(&reply, |imported| {
        models::show(&imported.model);
        if let Some(difference) = imported.largest_difference {
            say!("answers the sample; the largest difference is {difference:.1e}");
        }
        for note in &imported.notes {
            say!("{}", styled(DIM, note));
        }
    })
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let bytes = std::fs::read(file).map_err(|error| failure::of_file("read", file, &error))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::Usage(format!("{}: {}", file.display(), crate::explain::invalid("", &error.to_string()))))
}

/// A sample whose windows and answers may be nested as deep as the tensors they came from.
fn sample(file: &Path) -> Result<ModelSample, Failure> {
    let Value::Object(mut given) = read(file)? else {
        return Err(Failure::Usage(format!("{}: a sample is {{\"inputs\": [...], \"outputs\": [...]}}", file.display())));
    };
    let mut rows = |name: &str| -> Result<Vec<Vec<f64>>, Failure> {
        let wrong = |why: &str| Failure::Usage(format!("{}: {name}: {why}", file.display()));
        let Some(Value::Array(rows)) = given.remove(name) else { return Err(wrong("a list is needed")) };
        rows.iter().map(|row| numbers(row).ok_or_else(|| wrong("there is something that is not a number"))).collect()
    };
    let (inputs, outputs) = (rows("inputs")?, rows("outputs")?);
    if outputs.iter().any(|answer| answer.len() != 1) {
        return Err(Failure::Usage(format!("{}: outputs: one number for each window is needed", file.display())));
    }
    Ok(ModelSample { inputs, outputs: outputs.concat() })
}

/// The numbers of a value, however nested.
fn numbers(value: &Value) -> Option<Vec<f64>> {
    let mut list = Vec::new();
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        match value {
            Value::Array(items) => pending.extend(items.iter().rev()),
            other => list.push(other.as_f64()?),
        }
    }
    Some(list)
}
