//! Calls of the `alert-handler` world.

use bellwether_domain::Result;
use bellwether_domain::alert::Alert;

/// An alert handler with its own configuration and grants.
#[derive(Debug)]
pub struct AlertHandler {}

impl AlertHandler {
    /// The instance's name.
    pub fn name(&self) -> &str {
        todo!()
    }

    /// Delivers one alert. An error for which [`is_transient`] holds is worth another try with the same key.
    pub async fn handle(&self, alert: &Alert, idempotency_key: &str) -> Result<()> {
        let _ = (alert, idempotency_key);
        todo!()
    }
}

/// True for failures that may pass: the guest said `transient`, a time-out, an overload.
pub fn is_transient(error: &bellwether_domain::Error) -> bool {
    let _ = error;
    todo!()
}
