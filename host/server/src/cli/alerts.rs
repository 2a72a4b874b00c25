//! `bellwether alerts`: what fired, and where it was sent.

use clap::Subcommand;

use super::output::{self, or_dash, say};
use super::{Context, Failure};
use crate::client::query;
use crate::wire::alerts::{Alert, AlertPage};

const EXAMPLES: &str = "\
Examples:
  bellwether alerts list --phase firing
  bellwether alerts show ALERT_ID";

/// List and show alerts
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum AlertsCommand {
    /// List alerts, newest first
    List {
        /// In one phase: pending, firing, resolved
        #[arg(long)]
        phase: Option<String>,
        /// Alerts at most
        #[arg(long)]
        limit: Option<usize>,
        /// Begin after this cursor
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show one alert and its deliveries
    Show {
        /// Its id
        alert_id: String,
    },
}

pub(crate) async fn perform(command: AlertsCommand, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        AlertsCommand::List { phase, limit, cursor } => {
            let path = query(&[("phase", phase), ("limit", limit.map(|limit| limit.to_string())), ("cursor", cursor)]);
            let page = client.get::<AlertPage>(&format!("/monitoring/alerts{path}")).await?;
            if context.json() {
                return output::raw(&page.raw);
            }
            let rows = page.value.alerts.iter().map(|alert| {
                vec![alert.id.clone(), name(&alert.phase), name(&alert.severity), alert.started_at.to_string(), alert.summary.clone()]
            });
            say!("{}", output::table(&["alert", "phase", "severity", "since", "summary"], &[], rows));
            output::more(page.value.next_cursor.as_deref());
            Ok(())
        }
        AlertsCommand::Show { alert_id } => {
            let alert = client.get::<Alert>(&format!("/monitoring/alerts/{alert_id}")).await?;
            context.show(&alert, show)
        }
    }
}

fn show(alert: &Alert) {
    output::pairs(&[
        ("alert", alert.id.clone()),
        ("condition", alert.condition.clone()),
        ("phase", name(&alert.phase)),
        ("severity", name(&alert.severity)),
        ("summary", alert.summary.clone()),
        ("model", or_dash(alert.model_id.as_deref())),
        ("since", alert.started_at.to_string()),
        ("until", alert.resolved_at.map_or_else(|| "–".to_owned(), |time| time.to_string())),
    ]);
    let rows = alert.deliveries.iter().map(|delivery| {
        let delivered = delivery.delivered_at.map_or_else(|| "no".to_owned(), |time| time.to_string());
        vec![delivery.handler.clone(), delivery.attempts.to_string(), delivered, or_dash(delivery.error.as_deref())]
    });
    say!("{}", output::table(&["handler", "tries", "delivered", "last failure"], &[1], rows));
}

fn name(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
