//! `bellwether demo`: one command from real market bars to a served, monitored model, told step by step.
//!
//! Everything goes over HTTP to a host started in this process on a fresh folder, so that what is shown is what a user of
//! the API gets. Each step states what it expects; an expectation that does not hold is told, and ends in exit code 1.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bellwether_domain::Error;
use bellwether_plugin::{Grant, Instance};
use clap::Args;
use rand::Rng;
use serde_json::json;
use tokio::net::TcpListener;

use super::output::{self, DIM, GOOD, NAME, say, styled};
use super::{Context, Failure, serve};
use crate::client::Client;
use crate::config::{self, Environment, Flag, Loaded, LogConfig, LogFormat, Settings};
use crate::listen;
use crate::running::{self, Running};
use crate::wire::monitoring::Dashboard;

mod drifting;
mod receiver;
mod sample;
mod serving;
mod story;
mod training;

use receiver::Receiver;
use story::Story;

const EXAMPLES: &str = "\
Examples:
  bellwether demo
  bellwether demo --exit
  bellwether demo --data /tmp/demo --bind 127.0.0.1:9005

The demo reads no settings' file and no environment. Without --data its folder is a fresh one that is removed at the end.";

/// Name of the alert handler that posts to the demo's own receiver.
const HANDLER: &str = "demo-receiver";

/// Run the whole story on sample data, then stay up
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DemoArgs {
    /// End when the story is told, in place of staying up until Ctrl-C
    #[arg(long)]
    exit: bool,
    /// A folder of your own, empty or not there yet; it is kept
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:8005, or a free port when that is taken]
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<SocketAddr>,
}

pub(crate) async fn perform(args: DemoArgs, context: &Context) -> Result<(), Failure> {
    serve::begin_log(&LogConfig { level: "error".to_owned(), format: LogFormat::Text })?;
    let folder = folder(args.data.as_deref())?;
    let performed = told(&args, &folder, context).await;
    if args.data.is_none()
        && let Err(error) = std::fs::remove_dir_all(&folder)
    {
        tracing::warn!(%error, folder = %folder.display(), "the demo's folder could not be removed");
    }
    performed
}

async fn told(args: &DemoArgs, folder: &Path, context: &Context) -> Result<(), Failure> {
    let mut story = Story::begin(!context.json());
    let (listener, busy) = listener(args.bind).await?;
    let receiver = Receiver::start().await?;
    story.step("Start a host on a fresh folder");
    if let Some(taken) = busy {
        story.line(format!("{taken} is taken, so a free port is used"));
    }
    let settings = settings(folder, &receiver, context)?;
    let running = Running::start_on(listener, &settings, &running::bundled()).await?;
    let performed = tokio::select! {
        performed = chapters(&mut story, &running, &receiver, folder) => performed,
        ended = serve::wait_for_the_end() => ended.and(Err(Failure::Failed("the demo was interrupted".to_owned()))),
    };
    let performed = match performed {
        Ok(dashboard) => end(story, &running, folder, dashboard, args, context).await,
        Err(failure) => Err(failure),
    };
    // Both are stopped whatever happened; the first failure is the one to tell.
    let stopped = running.stop().await.map_err(Failure::from);
    receiver.stop().await;
    performed.and(stopped)
}

/// The story itself.
async fn chapters(story: &mut Story, running: &Running, receiver: &Receiver, folder: &Path) -> Result<Dashboard, Failure> {
    let url = format!("http://{}", running.address);
    let client = Client::new(&url, Some(running.token.token.clone()))?;
    story.line(format!("it listens on {} and keeps everything in {}", styled(NAME, &url), folder.display()));
    sample::import(story, &client).await?;
    let best = training::train_and_judge(story, &client).await?;
    serving::deploy(story, &client, &best).await?;
    serving::predict(story, &client, &best).await?;
    drifting::check(story, &client, receiver, &best).await?;
    training::reject(story, &client).await?;
    story.step("Look at the dashboard");
    let dashboard = client.get::<Dashboard>("/monitoring/dashboard").await?.value;
    story.lines(&super::dashboard::text(&dashboard));
    story.expect(dashboard.summary.deployed_models == 1, "one version is deployed");
    Ok(dashboard)
}

/// Sums up, says what one can do next, and stays up unless told not to.
async fn end(
    story: Story,
    running: &Running,
    folder: &Path,
    dashboard: Dashboard,
    args: &DemoArgs,
    context: &Context,
) -> Result<(), Failure> {
    let url = format!("http://{}", running.address);
    let failed = story.failed();
    if context.json() {
        let mut summary = story.summary();
        summary["dashboard"] = json!(dashboard);
        summary["url"] = json!(url);
        summary["data"] = json!(folder);
        summary["token_file"] = json!(running.token.file);
        output::raw(summary.to_string().as_bytes())?;
    } else {
        story.timings();
        if failed.is_empty() {
            say!("\n{} in {}.", styled(GOOD, "All of it worked"), output::span(story.elapsed()));
        }
        next_commands(&url, running, folder, args);
    }
    if !args.exit {
        serve::wait_for_the_end().await?;
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Failure::Failed(format!("{} expectation(s) of the demo did not hold: {}", failed.len(), failed.join("; ")))),
    }
}

fn next_commands(url: &str, running: &Running, folder: &Path, args: &DemoArgs) {
    if args.exit {
        return;
    }
    let token_file = running.token.file.display();
    say!("\nThe host stays up until Ctrl-C. Try, in another terminal:");
    say!("  {DIM}export BELLWETHER_URL={url} BELLWETHER_TOKEN=$(cat {token_file}){DIM:#}");
    let symbol = sample::SYMBOL;
    for command in [
        "bellwether models list".to_owned(),
        format!("bellwether predict --symbol {symbol} --latest"),
        format!("bellwether train har --symbol {symbol} --target 'realized-volatility(24)' --deploy"),
        "bellwether plugin list".to_owned(),
        "curl -H \"authorization: Bearer $BELLWETHER_TOKEN\" $BELLWETHER_URL/mlops/api/monitoring/dashboard".to_owned(),
    ] {
        say!("  {NAME}{command}{NAME:#}");
    }
    say!("{DIM}API: {url}/openapi.json   token: in {token_file}{DIM:#}");
    if args.data.is_none() {
        say!("{DIM}{} is removed at the end; --data keeps one{DIM:#}", folder.display());
    }
}

fn folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let Some(folder) = given else {
        return Ok(std::env::temp_dir().join(format!("bellwether-demo-{:08x}", rand::rng().random::<u32>())));
    };
    let used = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    match used {
        true => Err(Failure::Usage(format!("{} is not empty; the demo wants a fresh folder", folder.display()))),
        false => Ok(folder.to_owned()),
    }
}

/// The usual address, or a free port when that is taken and nobody asked for it.
async fn listener(asked: Option<SocketAddr>) -> Result<(TcpListener, Option<SocketAddr>), Failure> {
    if let Some(address) = asked {
        return Ok((listen::bind(address).await?, None));
    }
    let usual = Settings::default().server.bind;
    match listen::bind(usual).await {
        Ok(listener) => Ok((listener, None)),
        Err(_) => Ok((listen::bind(SocketAddr::new(usual.ip(), 0)).await?, Some(usual))),
    }
}

/// The defaults, the folder, and one alert handler: the built-in `webhook`, granted exactly the receiver's origin.
fn settings(folder: &Path, receiver: &Receiver, context: &Context) -> Result<Settings, Failure> {
    let data = Flag { name: "--data".to_owned(), path: "data.folder".to_owned(), value: folder.to_string_lossy().into_owned() };
    let mut loaded: Loaded = config::load(None, &Environment::new(), &[data])?;
    serve::complete(&mut loaded, context)?;
    let config = toml::Table::from_iter([("url".to_owned(), toml::Value::String(receiver.url()))]);
    loaded.settings.host.plugins.instance.push(Instance {
        name: HANDLER.to_owned(),
        plugin: Some("webhook".to_owned()),
        enabled: true,
        grant: Grant { http: vec![receiver.origin()], ..Grant::default() },
        config,
        limits: Default::default(),
        digest: None,
    });
    Ok(loaded.settings)
}

/// A time-out of something the demo waits for.
fn waited(what: &str, limit: Duration) -> Error {
    Error::Timeout(format!("{what} did not happen within {} s", limit.as_secs()))
}
