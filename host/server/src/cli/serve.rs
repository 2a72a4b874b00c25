//! `bellwether serve`: a host until Ctrl-C or SIGTERM.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::output::{DIM, GOOD, NAME, say};
use super::{Context, Failure};
use crate::config::{Flag, Loaded, LogConfig, LogFormat};
use crate::running::{self, Running};

const EXAMPLES: &str = "\
Examples:
  bellwether serve
  bellwether serve --bind 127.0.0.1:9005 --data /srv/bellwether
  bellwether serve --set training.max_concurrent_jobs=1 --set log.level=debug

Flags stand above environment variables, those above the settings' file, that above the defaults:
`bellwether config show` prints the result.";

/// Start a host and keep it up until Ctrl-C
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Settings given as flags.
#[derive(Debug, Args)]
pub(crate) struct SettingsArgs {
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) bind: Option<SocketAddr>,
    /// The data folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
    /// Where networks are trained: cpu, or cuda:0
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    /// Any other setting, as in training.queue=10
    #[arg(long, value_name = "SETTING=VALUE")]
    pub(crate) set: Vec<String>,
}

impl SettingsArgs {
    /// As the topmost layer of settings.
    pub(crate) fn flags(&self) -> Result<Vec<Flag>, Failure> {
        let named = |name: &str, path: &str, value: String| Flag { name: name.to_owned(), path: path.to_owned(), value };
        let mut flags: Vec<Flag> = self.bind.map(|bind| named("--bind", "server.bind", bind.to_string())).into_iter().collect();
        flags.extend(self.data.as_ref().map(|data| named("--data", "data.folder", data.to_string_lossy().into_owned())));
        flags.extend(self.device.as_ref().map(|device| named("--device", "training.device", device.clone())));
        for text in &self.set {
            let (path, value) = text
                .split_once('=')
                .ok_or_else(|| Failure::Usage(format!("--set {text}: write it as SETTING=VALUE, as in training.queue=10")))?;
            flags.push(named("--set", path.trim(), value.trim().to_owned()));
        }
        Ok(flags)
    }
}

pub(crate) async fn perform(args: ServeArgs, context: &Context) -> Result<(), Failure> {
    let mut loaded = context.settings(&args.settings.flags()?)?;
    begin_log(&loaded.settings.log)?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    complete(&mut loaded, context)?;
    let running = Running::start(&loaded.settings, &running::bundled()).await?;
    announce(&running, &loaded);
    wait_for_the_end().await?;
    tracing::info!("stopping: requests under way finish first");
    running.stop().await?;
    tracing::info!("stopped");
    Ok(())
}

/// Adds what only the process knows: its own program as the worker, its environment for plugins' secrets.
pub(crate) fn complete(loaded: &mut Loaded, context: &Context) -> Result<(), Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::Failed(format!("this program cannot find its own file: {error}")))?;
    loaded.settings.host.training.worker = running::worker(&program);
    loaded.settings.host.plugins.environment = context.environment().clone();
    Ok(())
}

fn announce(running: &Running, loaded: &Loaded) {
    let version = crate::VERSION;
    let url = format!("http://{}", running.address);
    say!("{GOOD}Bellwether {version}{GOOD:#} listens on {NAME}{url}{NAME:#}");
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
    let token_file = whole(&running.token.file);
    say!("  data     {}", whole(&loaded.settings.host.data.folder));
    match running.token.fresh {
        true => say!("  token    {NAME}{}{NAME:#}  {DIM}(shown this once; kept in {token_file}){DIM:#}", running.token.token.text()),
        false => say!("  token    {DIM}in {token_file}{DIM:#}"),
    }
    say!("  API      {url}/openapi.json");
    say!("  stop     Ctrl-C");
}

/// Begins the log on standard error.
pub(crate) fn begin_log(config: &LogConfig) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.level).map_err(|error| Failure::Usage(format!("log.level: {error}")))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let begun = match config.format {
        LogFormat::Text => {
            let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
            log.with_ansi(colours).with_target(false).try_init()
        }
        LogFormat::Json => log.json().try_init(),
    };
    begun.map_err(|error| Failure::Failed(format!("the log cannot begin: {error}")))
}

/// Returns at Ctrl-C or SIGTERM.
pub(crate) async fn wait_for_the_end() -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Failed(format!("signals cannot be waited for: {error}"));
    let mut terminated = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended.map_err(failed),
        _ = terminated.recv() => Ok(()),
    }
}
