//! `bellwether jobs`: what is training, what has.

use std::time::Duration;

use bellwether_domain::id::Symbol;
use bellwether_domain::job::{JobState, Stage};
use clap::Subcommand;

use super::output::{self, BAD, DIM, GOOD, NAME, maybe, or_dash, say, styled};
use super::{Context, Failure, train};
use crate::client::{Client, Reply, query};
use crate::wire::jobs::{JobLog, JobPage, TrainingJob};

const EXAMPLES: &str = "\
Examples:
  bellwether jobs list --state running
  bellwether jobs watch JOB_ID
  bellwether jobs log JOB_ID
  bellwether jobs cancel JOB_ID";

/// Time between two looks at a job.
const LOOK: Duration = Duration::from_millis(250);

/// Steps of the progress bar per epoch.
const STEPS: u64 = 100;

/// List, watch and cancel training jobs
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum JobsCommand {
    /// List jobs, newest first
    List {
        /// In one state: queued, running, succeeded, failed, cancelled, timed_out
        #[arg(long)]
        state: Option<JobState>,
        /// Of one model type
        #[arg(long)]
        model_type: Option<String>,
        /// Of one instrument
        #[arg(long)]
        symbol: Option<Symbol>,
        /// Jobs at most
        #[arg(long)]
        limit: Option<usize>,
        /// Begin after this cursor
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show one job
    Show {
        /// Its id
        job_id: String,
    },
    /// Wait for a job's end
    Watch {
        /// Its id
        job_id: String,
    },
    /// Print a job's log
    Log {
        /// Its id
        job_id: String,
        /// Only lines with a greater number
        #[arg(long, default_value_t = 0)]
        after: u64,
    },
    /// End a job
    Cancel {
        /// Its id
        job_id: String,
    },
}

pub(crate) async fn perform(command: JobsCommand, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        JobsCommand::List { state, model_type, symbol, limit, cursor } => {
            let path = query(&[
                ("state", state.map(|state| state.name().to_owned())),
                ("model_type", model_type),
                ("symbol", symbol.map(|symbol| symbol.to_string())),
                ("limit", limit.map(|limit| limit.to_string())),
                ("cursor", cursor),
            ]);
            let page = client.get::<JobPage>(&format!("/training/jobs{path}")).await?;
            if context.json() {
                return output::raw(&page.raw);
            }
            let header = ["job", "state", "model type", "symbol", "target", "progress", "model"];
            say!("{}", output::table(&header, &[], page.value.jobs.iter().map(row)));
            output::more(page.value.next_cursor.as_deref());
            Ok(())
        }
        JobsCommand::Show { job_id } => {
            let job = client.get::<TrainingJob>(&format!("/training/jobs/{job_id}")).await?;
            context.show(&job, show)
        }
        JobsCommand::Watch { job_id } => train::finish(&client, &job_id, context).await,
        JobsCommand::Log { job_id, after } => {
            let log = client.get::<JobLog>(&format!("/training/jobs/{job_id}/log?after={after}")).await?;
            if context.json() {
                return output::raw(&log.raw);
            }
            for line in &log.value.lines {
                say!("{} {}", styled(DIM, line.at), line.message);
            }
            Ok(())
        }
        JobsCommand::Cancel { job_id } => {
            let job = client.post_empty::<TrainingJob>(&format!("/training/jobs/{job_id}/cancel")).await?;
            context.show(&job, show)
        }
    }
}

/// Looks at a job until it ends, with a bar on a terminal.
pub(crate) async fn watch(client: &Client, job_id: &str, bar: bool) -> Result<Reply<TrainingJob>, Failure> {
    let bar = output::bar(1, "{prefix:.bold} {wide_bar:.cyan} {percent:>3}% {msg}", bar);
    bar.set_prefix(job_id.to_owned());
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let job = client.get::<TrainingJob>(&format!("/training/jobs/{job_id}")).await?;
        let progress = &job.value.progress;
        let epochs = u64::from(progress.epochs.max(1));
        bar.set_length(epochs * STEPS);
        bar.set_position(u64::from(progress.epoch) * STEPS + (progress.epoch_share * STEPS as f64) as u64);
        bar.set_message(doing(&job.value));
        if job.value.state.is_final() {
            bar.finish_and_clear();
            return Ok(job);
        }
    }
}

/// Nothing for a job that succeeded, the reason for one that did not.
pub(crate) fn outcome(job: &TrainingJob) -> Result<(), Failure> {
    match job.state {
        JobState::Succeeded => Ok(()),
        JobState::Queued | JobState::Running | JobState::Failed | JobState::Cancelled | JobState::TimedOut => {
            let why = job.error.as_deref().unwrap_or("`bellwether jobs log` may say why");
            Err(Failure::Failed(format!("job {} {}: {why}", job.job_id, job.state.name().replace('_', " "))))
        }
    }
}

/// What a job is doing, in a few words.
pub(crate) fn doing(job: &TrainingJob) -> String {
    let progress = &job.progress;
    match (job.state, progress.stage) {
        (JobState::Running, Stage::Fitting) => {
            let loss = progress.validation_loss.or(progress.train_loss).map(|loss| format!(" loss {}", output::number(loss)));
            format!("epoch {}/{}{}", progress.epoch, progress.epochs, loss.unwrap_or_default())
        }
        (JobState::Running, stage) => {
            serde_json::to_value(stage).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
        }
        (state, _) => state.name().to_owned(),
    }
}

fn row(job: &TrainingJob) -> Vec<String> {
    let request = &job.request;
    vec![
        job.job_id.clone(),
        job.state.name().to_owned(),
        request.model_type.clone(),
        format!("{} {}", request.symbol, request.interval),
        super::models::target_text(&request.target),
        if job.state.is_final() { String::new() } else { doing(job) },
        or_dash(job.model_id.as_deref()),
    ]
}

fn show(job: &TrainingJob) {
    let style = match job.state {
        JobState::Succeeded => GOOD,
        JobState::Failed | JobState::TimedOut | JobState::Cancelled => BAD,
        JobState::Queued | JobState::Running => NAME,
    };
    let time = |time: Option<bellwether_domain::time::Timestamp>| time.map_or_else(|| "–".to_owned(), |time| time.to_string());
    output::pairs(&[
        ("job", job.job_id.clone()),
        ("state", styled(style, job.state.name())),
        ("trains", format!("{} on {} {}", job.request.model_type, job.request.symbol, job.request.interval)),
        ("target", super::models::target_text(&job.request.target)),
        ("progress", format!("{}, best loss {}", doing(job), maybe(job.progress.best_loss))),
        ("created", job.created_at.to_string()),
        ("started", time(job.started_at)),
        ("finished", time(job.finished_at)),
        ("attempts", job.attempts.to_string()),
        ("model", or_dash(job.model_id.as_deref())),
        ("rollout", or_dash(job.deployment_id.as_deref())),
        ("error", or_dash(job.error.as_deref())),
    ]);
}
