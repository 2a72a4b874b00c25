//! `bellwether deploy`: begin a rollout, and watch it if asked to.

use std::time::Duration;

use bellwether_domain::rollout::RolloutPhase;
use clap::Args;
use serde_json::Value;

use super::{Context, Failure, deployments, output, train};
use crate::client::{Client, Reply};
use crate::wire::deployments::{DeployRequest, Deployment};

const EXAMPLES: &str = "\
Examples:
  bellwether deploy lstm_BTC_20241205_120000 --wait
  bellwether deploy lstm_BTC_20241205_120000 --strategy blue_green --endpoint desk-volatility";

/// Time between two looks at a rollout.
const LOOK: Duration = Duration::from_millis(200);

/// Roll out a registered model version
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DeployArgs {
    /// The version
    model_id: String,
    /// The strategy [default: the host's own]
    #[arg(long)]
    strategy: Option<String>,
    /// The endpoint [default: the symbol's own]
    #[arg(long)]
    endpoint: Option<String>,
    /// A setting of the strategy
    #[arg(long, value_name = "NAME=VALUE", value_parser = train::setting)]
    set: Vec<(String, Value)>,
    /// The same key and request give the same rollout
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Wait for its end; exit code 1 unless the version was promoted
    #[arg(long)]
    wait: bool,
}

pub(crate) async fn perform(args: DeployArgs, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let request = DeployRequest {
        model_id: args.model_id,
        deployment_strategy: args.strategy,
        endpoint: args.endpoint,
        config: args.set.into_iter().collect(),
    };
    let mut deployment = client.post_once::<Deployment>("/models/deploy", &request, args.idempotency_key.as_deref()).await?;
    if args.wait {
        deployment = watch(&client, &deployment.value.deployment_id).await?;
    }
    if context.json() {
        output::raw(&deployment.raw)?;
    } else {
        deployments::show(&deployment.value);
    }
    if args.wait { promoted(&deployment.value) } else { Ok(()) }
}

/// Looks at a rollout until it ends.
pub(crate) async fn watch(client: &Client, deployment_id: &str) -> Result<Reply<Deployment>, Failure> {
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let deployment = client.get::<Deployment>(&format!("/deployments/{deployment_id}")).await?;
        if deployment.value.phase.is_final() {
            return Ok(deployment);
        }
    }
}

/// Nothing for a rollout that went through, the reason for one that did not.
pub(crate) fn promoted(deployment: &Deployment) -> Result<(), Failure> {
    match deployment.phase {
        RolloutPhase::Promoted => Ok(()),
        RolloutPhase::Progressing | RolloutPhase::Paused | RolloutPhase::RolledBack | RolloutPhase::Aborted => {
            Err(Failure::Failed(format!("rollout {} was not promoted: {}", deployment.deployment_id, deployment.reason)))
        }
    }
}
