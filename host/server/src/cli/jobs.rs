//! `bellwether jobs`: what is training, what has.

use std::time::Duration;

use bellwether_domain::id::Symbol;
use bellwether_domain::job::{JobState, Stage};
use clap::Subcommand;

use super::output::{self, BAD, DIM, GOOD, NAME, maybe, or_dash, say, styled};
use super::{Context, Failure, train};
use crate::client::{Client, Reply, query};
use crate::wire::jobs::{EpochLoss, JobEstimate, JobLog, JobLosses, JobPage, JobProgress, TrainingJob};

const EXAMPLES: &str = "\
Examples:
  bellwether jobs list --state running
  bellwether jobs watch JOB_ID
  bellwether jobs log JOB_ID
  bellwether jobs losses JOB_ID
  bellwether jobs cancel JOB_ID";

/// Time between two looks at a job.
const LOOK: Duration = Duration::from_millis(250);

/// Steps of the progress bar.
const STEPS: u64 = 10_000;

/// Rows of a table of losses; a longer curve shows every so many epochs.
const LOSS_ROWS: usize = 40;

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
    /// Show how a job's losses went, epoch by epoch
    Losses {
        /// Its id
        job_id: String,
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
        JobsCommand::Losses { job_id } => {
            let losses = client.get::<JobLosses>(&format!("/training/jobs/{job_id}/losses")).await?;
            context.show(&losses, show_losses)
        }
        JobsCommand::Cancel { job_id } => {
            let job = client.post_empty::<TrainingJob>(&format!("/training/jobs/{job_id}/cancel")).await?;
            context.show(&job, show)
        }
    }
}

/// Looks at a job until it ends, with a bar on a terminal.
pub(crate) async fn watch(client: &Client, job_id: &str, bar: bool) -> Result<Reply<TrainingJob>, Failure> {
    let bar = output::bar(STEPS, "{prefix:.bold} {wide_bar:.cyan} {percent:>3}% {msg}", bar);
    bar.set_prefix(job_id.to_owned());
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let job = client.get::<TrainingJob>(&format!("/training/jobs/{job_id}")).await?;
        bar.set_position((share(&job.value.progress) * STEPS as f64) as u64);
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

/// How much of all fits is done, 0 to 1.
fn share(progress: &JobProgress) -> f64 {
    if matches!(progress.stage, Stage::Evaluating | Stage::Registering | Stage::Done) {
        return 1.0;
    }
    let epochs = f64::from(progress.epochs.max(1));
    let within = ((f64::from(progress.epoch) + progress.epoch_share) / epochs).min(1.0);
    (f64::from(progress.part.saturating_sub(1)) + within) / f64::from(progress.parts.max(1))
}

/// What a job is doing, in a few words.
pub(crate) fn doing(job: &TrainingJob) -> String {
    match (job.state, job.progress.stage) {
        (JobState::Running, Stage::Fitting) => fitting(&job.progress),
        (JobState::Running, stage) => {
            serde_json::to_value(stage).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
        }
        (state, _) => state.name().to_owned(),
    }
}

/// Part, epoch, loss, pace and time left, as far as they are known.
fn fitting(progress: &JobProgress) -> String {
    let part = progress.part_name.as_ref().map(|name| format!("{name} ({}/{})", progress.part, progress.parts));
    let epoch = format!("epoch {}/{}", progress.epoch, progress.epochs);
    let loss = progress.validation_loss.or(progress.running_loss).or(progress.train_loss);
    let loss = loss.map(|loss| format!("loss {}", output::number(loss)));
    let pace = progress.samples_per_second.filter(|pace| *pace > 0.0).map(|pace| format!("{pace:.0} samples/s"));
    let left =
        progress.remaining_seconds.map(|seconds| format!("{} left", output::span(Duration::from_secs(seconds.clamp(0.0, 1e9) as u64))));
    [part, Some(epoch), loss, pace, left].into_iter().flatten().collect::<Vec<_>>().join("  ")
}

fn show_losses(losses: &JobLosses) {
    let header = ["part", "epoch", "training loss", "validation loss"];
    let row = |point: &EpochLoss| {
        let part = if point.part == 0 { String::new() } else { point.part.to_string() };
        vec![part, point.epoch.to_string(), maybe(point.train_loss), maybe(point.validation_loss)]
    };
    let last = losses.epochs.len().saturating_sub(1);
    let every = losses.epochs.len().div_ceil(LOSS_ROWS).max(1);
    let rows = losses.epochs.iter().enumerate().filter(|(place, _)| place % every == 0 || *place == last);
    say!("{}", output::table(&header, &[1, 2, 3], rows.map(|(_, point)| row(point))));
    if every > 1 || losses.every > 1 {
        say!("{}", styled(DIM, format!("every {}. epoch; --json has all that are kept", every * losses.every as usize)));
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
        ("threads", job.threads.map_or_else(|| "–".to_owned(), |threads| threads.to_string())),
        ("expected", job.estimate.as_ref().map_or_else(|| "–".to_owned(), expected)),
        ("model", or_dash(job.model_id.as_deref())),
        ("rollout", or_dash(job.deployment_id.as_deref())),
        ("error", or_dash(job.error.as_deref())),
    ]);
}

/// Parameters, memory and time of an estimate.
fn expected(estimate: &JobEstimate) -> String {
    let memory = estimate.memory_bytes as f64 / f64::from(1 << 20);
    let time = output::span(Duration::from_secs_f64(estimate.seconds.clamp(0.0, 1e9)));
    format!("{} parameters, about {memory:.0} MiB, {time}", estimate.parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress() -> JobProgress {
        let progress =
            bellwether_domain::job::Progress { stage: Stage::Fitting, epoch: 3, epochs: 10, epoch_share: 0.5, ..Default::default() };
        progress.into()
    }

    #[test]
    fn the_bar_counts_parts_and_never_runs_back() {
        assert!((share(&progress()) - 0.35).abs() < 1e-9);
        let second = JobProgress { part: 2, parts: 4, ..progress() };
        assert!((share(&second) - 1.35 / 4.0).abs() < 1e-9);
        assert_eq!(share(&JobProgress { stage: Stage::Evaluating, epoch_share: 0.1, ..second }), 1.0);
        assert_eq!(share(&JobProgress { epochs: 0, epoch: 7, ..progress() }), 1.0);
    }

    #[test]
    fn what_is_known_of_a_fit_is_said_and_nothing_else() {
        assert_eq!(fitting(&progress()), "epoch 3/10");
        let all = JobProgress {
            part: 2,
            parts: 4,
            part_name: Some("fold 2".to_owned()),
            running_loss: Some(0.5),
            samples_per_second: Some(1410.4),
            remaining_seconds: Some(125.0),
            ..progress()
        };
        assert_eq!(fitting(&all), "fold 2 (2/4)  epoch 3/10  loss 0.5000  1410 samples/s  2 min 05 s left");
    }
}
