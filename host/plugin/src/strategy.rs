//! Calls of the `deployment-strategy` world.

use bellwether_domain::Result;
use bellwether_domain::rollout::{Decision, RolloutView};
use serde_json::Value;

/// A deployment strategy. `config` is one made by [`crate::PluginHost::configure`].
#[derive(Debug)]
pub struct Strategy {}

impl Strategy {
    /// The instance's name.
    pub fn name(&self) -> &str {
        todo!()
    }

    /// What comes next. A share outside 0..=1 or a state above 64 KiB is `BadAnswer`.
    pub async fn next(&self, view: &RolloutView, config: &Value) -> Result<Decision> {
        let _ = (view, config);
        todo!()
    }
}
