//! `bellwether models`: the registry.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bellwether_domain::id::Symbol;
use bellwether_domain::model::ModelStatus;
use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::output::{self, BAD, DIM, GOOD, NAME, maybe, number, say, styled};
use super::{Context, Failure, failure, import, train};
use crate::client::query;
use crate::wire::metrics::{CrossValidation, Metrics};
use crate::wire::models::{Model, ModelPage, PredictionTarget, RegisterRequest};

const EXAMPLES: &str = "\
Examples:
  bellwether models list --symbol BTC/USDT --status registered
  bellwether models show lstm_BTC_20241205_120000
  bellwether models download lstm_BTC_20241205_120000 --output model.tar
  bellwether models register model.tar --model-type lstm --symbol BTC/USDT
  bellwether model import model.onnx --symbol BTC/USDT --features 'log-return,rsi(14)' --target 'return(1)'
  bellwether models archive lstm_BTC_20241205_120000";

/// List, show, download, register, import and archive model versions
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum ModelsCommand {
    /// List versions, newest first
    List {
        /// Of one model type
        #[arg(long)]
        model_type: Option<String>,
        /// Of one instrument
        #[arg(long)]
        symbol: Option<Symbol>,
        /// In one status: training, registered, rejected, deployed, archived, failed
        #[arg(long)]
        status: Option<ModelStatus>,
        /// Versions at most
        #[arg(long)]
        limit: Option<usize>,
        /// Begin after this cursor
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show one version
    Show {
        /// Its id
        model_id: String,
    },
    /// Save the portable artifact of a version
    Download {
        /// Its id
        model_id: String,
        /// The file to write [default: MODEL_ID.tar]
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Register a version from a portable artifact
    Register {
        /// The artifact's file
        file: PathBuf,
        /// The model type; must be the artifact's own
        #[arg(long)]
        model_type: String,
        /// The instrument; must be the artifact's own
        #[arg(long)]
        symbol: Symbol,
        /// A metric you vouch for, as in mse=0.05; the artifact's own stand otherwise
        #[arg(long, value_name = "NAME=VALUE", value_parser = train::setting)]
        metric: Vec<(String, Value)>,
        /// A note, as in owner=desk
        #[arg(long, value_name = "NAME=VALUE", value_parser = train::setting)]
        note: Vec<(String, Value)>,
        /// The same key and content give the same version
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
    },
    Import(import::ImportArgs),
    /// Put a version away
    Archive {
        /// Its id
        model_id: String,
    },
}

pub(crate) async fn perform(command: ModelsCommand, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let model = match command {
        ModelsCommand::List { model_type, symbol, status, limit, cursor } => {
            let path = query(&[
                ("model_type", model_type),
                ("symbol", symbol.map(|symbol| symbol.to_string())),
                ("status", status.map(|status| status.name().to_owned())),
                ("limit", limit.map(|limit| limit.to_string())),
                ("cursor", cursor),
            ]);
            let page = client.get::<ModelPage>(&format!("/models{path}")).await?;
            return context.show(&page, list);
        }
        ModelsCommand::Download { model_id, output } => {
            let bytes = client.download(&format!("/models/{model_id}/artifact")).await?;
            let file = output.unwrap_or_else(|| PathBuf::from(format!("{model_id}.tar")));
            std::fs::write(&file, &bytes).map_err(|error| failure::of_file("write", &file, &error))?;
            if context.json() {
                return output::raw(json!({"model_id": model_id, "file": file, "size_bytes": bytes.len()}).to_string().as_bytes());
            }
            say!("{} bytes in {}", bytes.len(), file.display());
            return Ok(());
        }
        ModelsCommand::Import(args) => return import::perform(args, context).await,
        ModelsCommand::Show { model_id } => client.get::<Model>(&format!("/models/{model_id}")).await?,
        ModelsCommand::Archive { model_id } => client.post_empty::<Model>(&format!("/models/{model_id}/archive")).await?,
        ModelsCommand::Register { file, model_type, symbol, metric, note, idempotency_key } => {
            let bytes = std::fs::read(&file).map_err(|error| failure::of_file("read", &file, &error))?;
            let (metrics, metadata) = (metrics(metric)?, note.into_iter().collect());
            let request = RegisterRequest { model_type, symbol, model_data: STANDARD.encode(bytes), metrics, metadata };
            client.post_once::<Model>("/models/register", &request, idempotency_key.as_deref()).await?
        }
    };
    context.show(&model, show)
}

pub(super) fn metrics(given: Vec<(String, Value)>) -> Result<Metrics, Failure> {
    serde_json::from_value(Value::Object(given.into_iter().collect::<Map<_, _>>()))
        .map_err(|error| Failure::Usage(format!("--metric: {}", crate::explain::invalid("", &error.to_string()))))
}

fn list(page: &ModelPage) {
    let rows = page.models.iter().map(|model| {
        let metrics = &model.metrics;
        vec![
            model.model_id.clone(),
            model.version.to_string(),
            model.status.name().to_owned(),
            model.symbol.to_string(),
            model.target.as_ref().map_or_else(|| "–".to_owned(), target_text),
            maybe(metrics.mse),
            maybe(metrics.r2_score),
            maybe(metrics.accuracy),
            maybe(metrics.skill),
        ]
    });
    let header = ["model", "version", "status", "symbol", "target", "mse", "R²", "accuracy", "skill"];
    say!("{}", output::table(&header, &[1, 5, 6, 7, 8], rows));
    output::more(page.next_cursor.as_deref());
}

/// One version with its metrics and gates.
pub(crate) fn show(model: &Model) {
    let interval = model.interval.map(|interval| interval.to_string()).unwrap_or_default();
    output::pairs(&[
        ("model", styled(NAME, &model.model_id)),
        ("version", model.version.to_string()),
        ("status", styled(style_of(model.status), model.status.name())),
        ("made for", format!("{} {interval}", model.symbol)),
        ("predicts", model.target.as_ref().map_or_else(|| "–".to_owned(), target_text)),
        ("features", model.features.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
        ("window", format!("{} steps", model.sequence_length)),
        ("artifact", format!("{} bytes, sha256 {}", model.size_bytes, model.sha256)),
        ("created", model.created_at.to_string()),
    ]);
    let rows = numbers(&model.metrics).into_iter().filter_map(|(name, value)| value.map(|value| vec![name.to_owned(), number(value)]));
    let held_out = model.metrics.samples.map(|samples| format!("held out ({samples})")).unwrap_or_else(|| "held out".to_owned());
    say!("{}", output::table(&["metric", &held_out], &[1], rows));
    if let Some(folds) = &model.cross_validation {
        show_folds(folds);
    }
    for gate in &model.gates {
        let (style, mark) = if gate.passed { (GOOD, "✓") } else { (BAD, "✗") };
        say!("{} {} {}", styled(style, mark), gate.gate, styled(DIM, &gate.reason));
    }
}

/// Every metric under the name it is shown by.
fn numbers(metrics: &Metrics) -> [(&'static str, Option<f64>); 18] {
    [
        ("mse", metrics.mse),
        ("mse of the baseline", metrics.baseline_mse),
        ("skill", metrics.skill),
        ("mae", metrics.mae),
        ("R²", metrics.r2_score),
        ("accuracy (sign)", metrics.accuracy),
        ("precision", metrics.precision),
        ("recall", metrics.recall),
        ("F1", metrics.f1_score),
        ("Sharpe ratio, net", metrics.sharpe_ratio),
        ("max drawdown, net", metrics.max_drawdown),
        ("win rate, net", metrics.win_rate),
        ("profit factor, net", metrics.profit_factor),
        ("level of the interval", metrics.interval_level),
        ("coverage of the interval", metrics.interval_coverage),
        ("width of the interval", metrics.interval_width),
        ("pinball loss", metrics.pinball),
        ("CRPS", metrics.crps),
    ]
}

/// Metrics down, folds across, with their mean and standard deviation; many folds only as those two.
fn show_folds(validation: &CrossValidation) {
    const SHOWN_MAX: usize = 6;
    let folds = if validation.folds.len() > SHOWN_MAX { &[] } else { validation.folds.as_slice() };
    let columns: Vec<&Metrics> =
        [&validation.mean, &validation.standard_deviation].into_iter().chain(folds.iter().map(|fold| &fold.metrics)).collect();
    let scheme = bellwether_domain::split::Scheme::from(validation.scheme);
    let mut header = vec![format!("{} folds, {}", validation.folds.len(), scheme.name()), "mean".to_owned(), "± sd".to_owned()];
    header.extend(folds.iter().map(|fold| {
        let day = |time: bellwether_domain::time::Timestamp| time.to_string().chars().take(10).collect::<String>();
        format!("{}\n{}\n{}", fold.fold, day(fold.from), day(fold.until))
    }));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let of_columns: Vec<[(&str, Option<f64>); 18]> = columns.into_iter().map(numbers).collect();
    let rows = (0..of_columns[0].len()).filter(|row| of_columns[0][*row].1.is_some()).map(|row| {
        let name = of_columns[0][row].0.to_owned();
        std::iter::once(name).chain(of_columns.iter().map(|numbers| maybe(numbers[row].1))).collect()
    });
    let right: Vec<usize> = (1..header.len()).collect();
    say!("{}", output::table(&header, &right, rows));
}

fn style_of(status: ModelStatus) -> anstyle::Style {
    match status {
        ModelStatus::Deployed | ModelStatus::Registered => GOOD,
        ModelStatus::Rejected | ModelStatus::Failed => BAD,
        ModelStatus::Training | ModelStatus::Archived => DIM,
    }
}

/// `realized-volatility(24)`.
pub(crate) fn target_text(target: &PredictionTarget) -> String {
    bellwether_domain::target::Target::from(*target).to_string()
}
