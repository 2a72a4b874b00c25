//! `bellwether train`: create a job and watch it.

use bellwether_domain::feature::Feature;
use bellwether_domain::id::Symbol;
use bellwether_domain::job::Precision;
use bellwether_domain::target::TargetKind;
use bellwether_domain::time::{Interval, Timestamp};
use clap::Args;
use serde_json::{Map, Value};

use super::{Context, Failure, jobs, models, output};
use crate::client::Client;
use crate::wire::jobs::{AfterTraining, Gates, TrainingJob, TrainingRequest};
use crate::wire::models::{Model, PredictionTarget};
use crate::wire::split::{FoldWindow, SampleWeights, Split, ValidationScheme};

const EXAMPLES: &str = "\
Examples:
  bellwether train lstm --symbol BTC/USDT --target 'realized-volatility(24)'
  bellwether train har --symbol EURUSD --target 'realized-volatility(24)' --deploy
  bellwether train lstm --symbol BTC/USDT --target direction --features 'log-return,rsi(14)' \\
      --sequence-length 60 --set lstm_units=[64,32] --set epochs=20 --gate min_model_accuracy=0.6
  bellwether train gbdt --symbol BTC/USDT --target return --folds 5 --window rolling
  bellwether train lstm --symbol BTC/USDT --target return --detach

The command waits for the job; Ctrl-C leaves the job running (`bellwether jobs cancel` ends it).
A version that fails a gate is registered as `rejected`: the job succeeded, the exit code is 0.";

/// Train a model version and judge it on held-out data
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TrainArgs {
    /// The model type: a plugin of kind `model`, as in lstm or har
    model_type: String,
    /// The instrument
    #[arg(long)]
    symbol: Symbol,
    /// Bar interval
    #[arg(long, default_value = "1h")]
    interval: Interval,
    /// What to predict: return, direction, price or realized-volatility, with the bars ahead in parentheses (1 if not said)
    #[arg(long, value_name = "TARGET", value_parser = target)]
    target: PredictionTarget,
    /// Inputs, comma-separated [default: the model type's own]
    #[arg(long, value_name = "LIST", value_parser = features)]
    features: Option<FeatureList>,
    /// Steps per window [default: the model type's own]
    #[arg(long, value_name = "STEPS")]
    sequence_length: Option<u32>,
    /// A setting of the model type, as in epochs=20
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<(String, Value)>,
    /// A gate of this job, as in min_model_accuracy=0.6; `off` switches one off
    #[arg(long, value_name = "GATE=VALUE", value_parser = setting)]
    gate: Vec<(String, Value)>,
    /// First bar to use
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Use bars before this time only
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// The seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Share of samples held out at the end
    #[arg(long, value_name = "SHARE", default_value_t = Split::default().test)]
    test: f64,
    /// Share of the rest that steers early stopping
    #[arg(long, value_name = "SHARE", default_value_t = Split::default().validation)]
    validation: f64,
    /// Bars left out at each boundary beyond the horizon
    #[arg(long, value_name = "BARS", default_value_t = Split::default().embargo)]
    embargo: u32,
    /// Judge folds before the held-out part, too: their number, walking forward unless --purged is given
    #[arg(long, value_name = "COUNT")]
    folds: Option<u32>,
    /// Purged k-fold: each fold is judged by a model of all others, earlier and later ones
    #[arg(long, requires = "folds")]
    purged: bool,
    /// Walk forward with a training part that grows or one that moves along
    #[arg(long, requires = "folds", conflicts_with = "purged", value_enum, default_value = "anchored")]
    window: FoldWindow,
    /// Samples in a rolling training part, at most [default: as many as the first block has]
    #[arg(long, value_name = "SAMPLES", requires = "folds", conflicts_with = "purged")]
    train_size: Option<u32>,
    /// Let a training sample count half as much for every so many days that it is older
    #[arg(long, value_name = "DAYS")]
    half_life_days: Option<f64>,
    /// Costs per unit traded, in basis points
    #[arg(long, value_name = "BPS", default_value_t = 1.0)]
    cost_bps: f64,
    /// Begin a rollout when the gates pass
    #[arg(long)]
    deploy: bool,
    /// The strategy of that rollout [default: the host's own]
    #[arg(long, requires = "deploy")]
    strategy: Option<String>,
    /// The endpoint of that rollout [default: the symbol's own]
    #[arg(long, requires = "deploy")]
    endpoint: Option<String>,
    /// Longest run in seconds [default: the host's own]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// Threads to train with [default: a fair share of the host's own]
    #[arg(long, value_name = "COUNT")]
    threads: Option<u32>,
    /// Precision of the products of matrices: f32 or bf16 [default: the host's own]
    #[arg(long, value_name = "NAME")]
    precision: Option<Precision>,
    /// The same key and request give the same job
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Do not wait for the job
    #[arg(long)]
    detach: bool,
}

/// A list in one argument (clap would take a `Vec` for a repeated one).
#[derive(Debug, Clone)]
pub(crate) struct FeatureList(pub(crate) Vec<Feature>);

pub(crate) async fn perform(args: TrainArgs, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let (detach, key) = (args.detach, args.idempotency_key.clone());
    let created = client.post_once::<TrainingJob>("/training/jobs", &request(args)?, key.as_deref()).await?;
    if detach {
        return match context.json() {
            true => output::raw(&created.raw),
            false => {
                output::say!("job {} is {}", output::styled(output::NAME, &created.value.job_id), created.value.state.name());
                output::say!("{}", output::styled(output::DIM, format!("watch it:  bellwether jobs watch {}", created.value.job_id)));
                Ok(())
            }
        };
    }
    finish(&client, &created.value.job_id, context).await
}

/// Watches a job to its end and shows the version it made.
pub(crate) async fn finish(client: &Client, job_id: &str, context: &Context) -> Result<(), Failure> {
    let ended = jobs::watch(client, job_id, !context.json()).await?;
    if context.json() {
        output::raw(&ended.raw)?;
    }
    jobs::outcome(&ended.value)?;
    if let (Some(model_id), false) = (&ended.value.model_id, context.json()) {
        let model = client.get::<Model>(&format!("/models/{model_id}")).await?.value;
        models::show(&model);
        if let Some(deployment_id) = &ended.value.deployment_id {
            output::say!("rollout {} has begun", output::styled(output::NAME, deployment_id));
        }
    }
    Ok(())
}

fn request(args: TrainArgs) -> Result<TrainingRequest, Failure> {
    let gates = match args.gate.is_empty() {
        true => None,
        false => Some(gates(args.gate)?),
    };
    let scheme = match args.folds {
        None => ValidationScheme::Holdout {},
        Some(folds) if args.purged => ValidationScheme::PurgedKFold { folds },
        Some(folds) => ValidationScheme::WalkForward { folds, window: args.window, train_size: args.train_size },
    };
    Ok(TrainingRequest {
        model_type: args.model_type,
        symbol: args.symbol,
        interval: args.interval,
        target: args.target,
        features: args.features.map(|list| list.0),
        sequence_length: args.sequence_length,
        config: args.set.into_iter().collect(),
        split: Split { test: args.test, validation: args.validation, embargo: args.embargo, scheme },
        sample_weights: args.half_life_days.map_or(SampleWeights::None, |half_life_days| SampleWeights::Exponential { half_life_days }),
        from: args.from,
        until: args.until,
        seed: args.seed,
        cost_bps: args.cost_bps,
        gates,
        deployment_config: AfterTraining { auto_deploy: args.deploy, deployment_strategy: args.strategy, endpoint: args.endpoint },
        timeout_seconds: args.timeout,
        threads: args.threads,
        precision: args.precision,
        metadata: Map::new(),
    })
}

fn gates(given: Vec<(String, Value)>) -> Result<Gates, Failure> {
    let off = |value: Value| if value == "off" { Value::Null } else { value };
    let tree: Map<String, Value> = given.into_iter().map(|(name, value)| (name, off(value))).collect();
    serde_json::from_value(Value::Object(tree))
        .map_err(|error| Failure::Usage(format!("--gate: {}", crate::explain::invalid("", &error.to_string()))))
}

/// `realized-volatility(24)` or `direction`.
pub(crate) fn target(text: &str) -> Result<PredictionTarget, String> {
    let (name, horizon) = match text.split_once('(') {
        None => (text, 1),
        Some((name, rest)) => {
            let bars = rest.strip_suffix(')').and_then(|bars| bars.trim().parse().ok());
            (name, bars.ok_or("the bars ahead go into parentheses, as in realized-volatility(24)")?)
        }
    };
    let kind: TargetKind = serde_json::from_value(Value::String(name.trim().replace('_', "-")))
        .map_err(|error| crate::explain::invalid("target", &error.to_string()).to_string())?;
    Ok(PredictionTarget { kind, horizon })
}

pub(crate) fn features(text: &str) -> Result<FeatureList, String> {
    // Commas inside parentheses belong to the parameters.
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (letter, depth) {
            (',', 0) => parts.push(String::new()),
            _ => parts.last_mut().expect("there is always one").push(letter),
        }
    }
    let parsed: Result<Vec<Feature>, _> = parts.iter().map(|part| part.parse()).collect();
    parsed.map(FeatureList).map_err(|error: bellwether_domain::Error| error.to_string())
}

/// `name=value`, the value as JSON if it is JSON, else as text.
pub(crate) fn setting(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.trim().to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_features_are_read_as_people_write_them() {
        assert_eq!(target("realized_volatility(24)").unwrap().horizon, 24);
        assert_eq!(target("direction").unwrap(), PredictionTarget { kind: TargetKind::Direction, horizon: 1 });
        assert!(target("retrun").unwrap_err().contains("did you mean `return`?"));
        assert!(target("return(x)").unwrap_err().contains("parentheses"));
        let list = features("log-return, macd(12,26,9),rsi(14)").unwrap().0;
        assert_eq!(list.iter().map(ToString::to_string).collect::<Vec<_>>(), ["log-return(1)", "macd(12,26,9)", "rsi(14)"]);
        assert!(features("rsj").unwrap_err().contains("did you mean `rsi`?"));
    }

    #[test]
    fn settings_are_json_or_text_and_gates_can_be_off() {
        assert_eq!(setting("units=[1,2]").unwrap().1, serde_json::json!([1, 2]));
        assert_eq!(setting("mode=fast").unwrap().1, "fast");
        let gates = gates(vec![setting("min_skill=off").unwrap(), setting("min_r2_score=0.1").unwrap()]).unwrap();
        assert_eq!((gates.min_skill, gates.min_r2_score), (Some(None), Some(Some(0.1))));
    }
}
