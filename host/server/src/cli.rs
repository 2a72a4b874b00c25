//! The command line: one file per command. Commands talk to a running host over HTTP; `serve`, `demo`, `config`
//! and the tools of those who write plugins need none.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage (also clap's), 3 no host answers.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};

use crate::auth::{self, Token};
use crate::client::{Client, Reply};
use crate::config::{self, Environment, Flag, Loaded, Settings};

mod alerts;
mod configuration;
mod dashboard;
mod data;
mod demo;
mod deploy;
mod deployments;
mod drift;
mod failure;
mod import;
mod jobs;
mod models;
pub(crate) mod output;
mod plugin;
mod plugins_operate;
mod predict;
mod serve;
mod train;
mod train_worker;
mod version;
mod wit;

pub(crate) use failure::Failure;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
Examples:
  bellwether demo                                      the whole story on sample data, in seconds
  bellwether serve                                     start a host in ./.bellwether on 127.0.0.1:8005
  bellwether data import bars.csv --symbol BTC/USDT --interval 1h
  bellwether train lstm --symbol BTC/USDT --target 'realized-volatility(24)'
  bellwether deploy lstm_BTC_20241205_120000 --wait
  bellwether predict --symbol BTC/USDT --latest

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no host answers.";

/// A host for market models: train, gate, roll out, serve, watch.
#[derive(Debug, Parser)]
#[command(name = "bellwether", version, styles = STYLES, after_help = EXAMPLES, max_term_width = 110, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
struct Global {
    /// Print the API's JSON instead of tables
    #[arg(long, global = true)]
    json: bool,
    /// The host to talk to [env: BELLWETHER_URL] [default: the address in the settings, http://127.0.0.1:8005]
    #[arg(long, global = true, value_name = "URL", help_heading = "Host")]
    url: Option<String>,
    /// The host's token [env: BELLWETHER_TOKEN] [default: read from the token file]
    #[arg(long, global = true, value_name = "TOKEN", hide_env_values = true, help_heading = "Host")]
    token: Option<String>,
    /// File with the host's token [default: `token` in the data folder of the settings]
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "token", help_heading = "Host")]
    token_file: Option<PathBuf>,
    /// The settings' file [env: BELLWETHER_CONFIG] [default: ./bellwether.toml if there is one]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Host")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Demo(demo::DemoArgs),
    Train(train::TrainArgs),
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),
    #[command(subcommand, visible_alias = "model")]
    Models(models::ModelsCommand),
    Deploy(deploy::DeployArgs),
    #[command(subcommand)]
    Deployments(deployments::DeploymentsCommand),
    Predict(predict::PredictArgs),
    Drift(drift::DriftArgs),
    #[command(subcommand)]
    Alerts(alerts::AlertsCommand),
    Dashboard(dashboard::DashboardArgs),
    #[command(subcommand)]
    Data(data::DataCommand),
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    #[command(subcommand)]
    Config(configuration::ConfigCommand),
    Wit(wit::WitArgs),
    Version(version::VersionArgs),
    /// Trains one job; started by the host.
    #[command(hide = true)]
    TrainWorker,
}

/// What commands share: the global flags and the environment.
#[derive(Debug)]
pub(crate) struct Context {
    global: Global,
    environment: Environment,
}

impl Context {
    /// Print JSON.
    pub(crate) fn json(&self) -> bool {
        self.global.json
    }

    /// Prints an answer: as it came, or as people read it.
    pub(crate) fn show<T>(&self, reply: &Reply<T>, for_people: impl FnOnce(&T)) -> Result<(), Failure> {
        if self.json() {
            return output::raw(&reply.raw);
        }
        for_people(&reply.value);
        Ok(())
    }

    /// The process environment.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The settings, with flags of the command on top.
    pub(crate) fn settings(&self, flags: &[Flag]) -> Result<Loaded, Failure> {
        let named = self.global.config.clone().or_else(|| self.given("BELLWETHER_CONFIG").map(PathBuf::from));
        let file = config::file_to_read(named.as_deref());
        config::load(file.as_deref(), &self.environment, flags).map_err(|error| Failure::Usage(error.to_string()))
    }

    /// A client of the host that the flags, the environment or the settings name.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let settings = self.settings(&[])?.settings;
        let url = self.global.url.clone().or_else(|| self.given("BELLWETHER_URL")).unwrap_or_else(|| url_of(&settings));
        Client::new(&url, self.token(&settings)?).map_err(|error| Failure::Usage(error.to_string()))
    }

    fn token(&self, settings: &Settings) -> Result<Option<Token>, Failure> {
        let usage = |error: bellwether_domain::Error| Failure::Usage(error.to_string());
        if let Some(file) = &self.global.token_file {
            return match auth::read(file).map_err(usage)? {
                Some(token) => Ok(Some(token)),
                None => Err(Failure::Usage(format!("there is no token file {}", file.display()))),
            };
        }
        match self.global.token.clone().or_else(|| self.given("BELLWETHER_TOKEN")) {
            Some(text) => Token::new(&text).map(Some).map_err(usage),
            // Without one the host says what is missing.
            None => auth::read(&settings.token_file()).map_err(usage),
        }
    }

    fn given(&self, name: &str) -> Option<String> {
        self.environment.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }
}

/// Where a host with these settings is reached from this machine.
pub(crate) fn url_of(settings: &Settings) -> String {
    let mut address = settings.server.bind;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
    }
    format!("http://{address}")
}

/// Reads the arguments, performs the command, says what went wrong.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let context = Context { global: cli.global, environment: config::environment::of_process() };
    let performed = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("the process cannot start its threads: {error}")))
        .and_then(|runtime| runtime.block_on(perform(cli.command, &context)));
    match performed {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.show(context.json());
            failure.code()
        }
    }
}

async fn perform(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::perform(args, context).await,
        Command::Demo(args) => demo::perform(args, context).await,
        Command::Train(args) => train::perform(args, context).await,
        Command::Jobs(command) => jobs::perform(command, context).await,
        Command::Models(command) => models::perform(command, context).await,
        Command::Deploy(args) => deploy::perform(args, context).await,
        Command::Deployments(command) => deployments::perform(command, context).await,
        Command::Predict(args) => predict::perform(args, context).await,
        Command::Drift(args) => drift::perform(args, context).await,
        Command::Alerts(command) => alerts::perform(command, context).await,
        Command::Dashboard(args) => dashboard::perform(args, context).await,
        Command::Data(command) => data::perform(command, context).await,
        Command::Plugin(command) => plugin::perform(command, context).await,
        Command::Config(command) => configuration::perform(command, context),
        Command::Wit(args) => wit::perform(&args, context),
        Command::Version(args) => version::perform(args, context).await,
        Command::TrainWorker => train_worker::perform().await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_every_command_has_help_with_examples() {
        let command = Cli::command();
        command.clone().debug_assert();
        for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} does not say what it does");
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.contains(&format!("bellwether {name}")), "{name} has no example");
        }
    }
}
