//! `bellwether deployments`: rollouts and the endpoints they lead to.

use bellwether_domain::rollout::RolloutPhase;
use clap::Subcommand;

use super::output::{self, BAD, DIM, GOOD, NAME, NOTE, or_dash, say, styled};
use super::{Context, Failure};
use crate::client::query;
use crate::wire::deployments::{AbortRequest, Deployment, DeploymentPage, EndpointList};

const EXAMPLES: &str = "\
Examples:
  bellwether deployments list
  bellwether deployments endpoints
  bellwether deployments show DEPLOYMENT_ID
  bellwether deployments abort DEPLOYMENT_ID --reason 'wrong version'";

/// List, show, abort and approve rollouts; list endpoints
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum DeploymentsCommand {
    /// List rollouts, newest first
    List {
        /// Rollouts at most
        #[arg(long)]
        limit: Option<usize>,
        /// Begin after this cursor
        #[arg(long)]
        cursor: Option<String>,
    },
    /// List endpoints and who answers on them
    Endpoints,
    /// Show one rollout and its steps
    Show {
        /// Its id
        deployment_id: String,
    },
    /// End a rollout; the stable version serves alone
    Abort {
        /// Its id
        deployment_id: String,
        /// For the record
        #[arg(long)]
        reason: Option<String>,
    },
    /// End a pause that waits for a person
    Approve {
        /// Its id
        deployment_id: String,
    },
}

pub(crate) async fn perform(command: DeploymentsCommand, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let deployment = match command {
        DeploymentsCommand::List { limit, cursor } => {
            let path = query(&[("limit", limit.map(|limit| limit.to_string())), ("cursor", cursor)]);
            let page = client.get::<DeploymentPage>(&format!("/deployments{path}")).await?;
            return context.show(&page, list);
        }
        DeploymentsCommand::Endpoints => {
            let endpoints = client.get::<EndpointList>("/endpoints").await?;
            return context.show(&endpoints, list_endpoints);
        }
        DeploymentsCommand::Show { deployment_id } => client.get::<Deployment>(&format!("/deployments/{deployment_id}")).await?,
        DeploymentsCommand::Abort { deployment_id, reason } => {
            client.post::<Deployment>(&format!("/deployments/{deployment_id}/abort"), &AbortRequest { reason }).await?
        }
        DeploymentsCommand::Approve { deployment_id } => {
            client.post_empty::<Deployment>(&format!("/deployments/{deployment_id}/approve")).await?
        }
    };
    context.show(&deployment, show)
}

fn list(page: &DeploymentPage) {
    let rows = page.deployments.iter().map(|deployment| {
        vec![
            deployment.deployment_id.clone(),
            phase_text(deployment.phase),
            deployment.endpoint.clone(),
            deployment.candidate.clone(),
            or_dash(deployment.stable.as_deref()),
            deployment.strategy.clone(),
            deployment.created_at.to_string(),
        ]
    });
    say!("{}", output::table(&["rollout", "phase", "endpoint", "candidate", "stable before", "strategy", "began"], &[], rows));
    output::more(page.next_cursor.as_deref());
}

fn list_endpoints(list: &EndpointList) {
    let rows = list.endpoints.iter().flat_map(|endpoint| {
        endpoint.variants.iter().map(|variant| {
            let share = format!("{:.0} %", variant.share * 100.0);
            vec![endpoint.name.clone(), variant.name.clone(), variant.model_id.clone(), share, or_dash(endpoint.previous.as_deref())]
        })
    });
    say!("{}", output::table(&["endpoint", "variant", "model", "share", "before"], &[3], rows));
}

/// One rollout with its steps.
pub(crate) fn show(deployment: &Deployment) {
    let style = match deployment.phase {
        RolloutPhase::Promoted => GOOD,
        RolloutPhase::RolledBack | RolloutPhase::Aborted => BAD,
        RolloutPhase::Progressing | RolloutPhase::Paused => NOTE,
    };
    output::pairs(&[
        ("rollout", styled(NAME, &deployment.deployment_id)),
        ("phase", format!("{} {}", styled(style, phase_text(deployment.phase)), styled(DIM, &deployment.reason))),
        ("endpoint", deployment.endpoint.clone()),
        ("candidate", deployment.candidate.clone()),
        ("stable before", or_dash(deployment.stable.as_deref())),
        ("strategy", deployment.strategy.clone()),
    ]);
    if let Some(health) = &deployment.health {
        let (style, verdict) = if health.passed { (GOOD, "passed") } else { (BAD, "failed") };
        let reasons = health.reasons.join("; ");
        say!("health check {}: {} probes, slowest {:.1} ms {reasons}", styled(style, verdict), health.probes, health.slowest_ms);
    }
    for step in &deployment.steps {
        let kind = step.action.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default();
        say!("  {:>2} {kind:<14} {}", step.number, styled(DIM, &step.reason));
    }
}

/// The phase as people read it.
pub(crate) fn phase_text(phase: RolloutPhase) -> String {
    match phase {
        RolloutPhase::Progressing => "progressing",
        RolloutPhase::Paused => "paused",
        RolloutPhase::Promoted => "promoted",
        RolloutPhase::RolledBack => "rolled back",
        RolloutPhase::Aborted => "aborted",
    }
    .to_owned()
}
