//! Alerts: fired once per condition and labels, delivered to every handler with back-off, resolved when over.

use bellwether_domain::Result;
use bellwether_domain::alert::{Alert, AlertPhase};

use crate::{Host, Listing, PageRequest};

impl Host {
    /// Alerts, newest first, of one phase or all.
    pub async fn alerts(&self, phase: Option<AlertPhase>, page: &PageRequest) -> Result<Listing<Alert>> {
        let _ = (phase, page);
        todo!()
    }

    /// One alert. Errors: `NotFound`.
    pub async fn alert(&self, alert_id: &str) -> Result<Alert> {
        let _ = alert_id;
        todo!()
    }
}
