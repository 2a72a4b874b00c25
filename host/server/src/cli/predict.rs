//! `bellwether predict`: ask an endpoint or a version.

use std::path::PathBuf;

use bellwether_domain::id::Symbol;
use bellwether_domain::time::Interval;
use clap::Args;

use super::output::{self, DIM, NAME, number, say, styled};
use super::{Context, Failure, failure};
use crate::wire::data::Bar;
use crate::wire::serving::{PredictRequest, PredictResponse};

const EXAMPLES: &str = "\
Examples:
  bellwether predict --symbol BTC/USDT --latest
  bellwether predict --endpoint desk-volatility --bars last.csv --interval 1h
  bellwether predict --model lstm_BTC_20241205_120000 --windows windows.json

`windows.json` holds [window][step][feature] numbers, raw features in the version's order.";

/// Ask an endpoint or a version for predictions
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    input: Input,
    /// Interval of the bars in --bars
    #[arg(long, default_value = "1h")]
    interval: Interval,
    /// Keeps one unit (an account, a strategy) on one variant
    #[arg(long, value_name = "ID")]
    unit: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Asked {
    /// An endpoint, by name
    #[arg(long)]
    endpoint: Option<String>,
    /// The endpoint of an instrument
    #[arg(long)]
    symbol: Option<Symbol>,
    /// One version, deployed or not
    #[arg(long, value_name = "MODEL_ID")]
    model: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Input {
    /// The newest bars in the host's store
    #[arg(long)]
    latest: bool,
    /// A CSV file of bars; the window ends at the last one
    #[arg(long, value_name = "FILE")]
    bars: Option<PathBuf>,
    /// A JSON file of windows of raw features
    #[arg(long, value_name = "FILE")]
    windows: Option<PathBuf>,
}

pub(crate) async fn perform(args: PredictArgs, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let mut request = PredictRequest {
        endpoint: args.asked.endpoint,
        symbol: args.asked.symbol,
        model_id: args.asked.model,
        unit_id: args.unit,
        ..PredictRequest::default()
    };
    if args.input.latest {
        request.latest = Some(true);
    }
    if let Some(file) = &args.input.bars {
        let bytes = std::fs::read(file).map_err(|error| failure::of_file("read", file, &error))?;
        let bars = bellwether_engine::csv::read(&bytes, args.interval)?;
        request.bars = Some((0..bars.len()).map(|row| Bar::from(bars.bar(row))).collect());
    }
    if let Some(file) = &args.input.windows {
        let bytes = std::fs::read(file).map_err(|error| failure::of_file("read", file, &error))?;
        let windows = serde_json::from_slice(&bytes);
        request.windows = Some(
            windows
                .map_err(|error| Failure::Usage(format!("{} does not hold [window][step][feature] numbers: {error}", file.display())))?,
        );
    }
    let answer = client.post::<PredictResponse>("/predict", &request).await?;
    if context.json() {
        return output::raw(&answer.raw);
    }
    let answer = answer.value;
    let after = answer.bar.map(|bar| format!(" after the bar of {bar}")).unwrap_or_default();
    say!("{} {} bars ahead{after}", styled(NAME, &answer.target), answer.horizon);
    for prediction in &answer.predictions {
        let interval = prediction
            .interval
            .map(|interval| format!("  {:.0} % within {} to {}", 100.0 * interval.level, number(interval.lower), number(interval.upper)));
        say!("  {:>12}{}  {}", number(prediction.prediction), interval.unwrap_or_default(), styled(DIM, &prediction.prediction_id));
    }
    let variant = answer.variant.map(|variant| format!(", variant {variant}")).unwrap_or_default();
    say!("{}", styled(DIM, format!("by {}{variant}, in {:.2} ms", answer.model_id, answer.latency_ms)));
    Ok(())
}
