//! Calls of the `deployment-strategy` world, in every version of it that components were built against.

use std::sync::Arc;

use bellwether_domain::Result;
use bellwether_domain::rollout::{Decision, RolloutView};
use serde_json::Value;

use crate::call::{Unit, answered};
use crate::load::{Pre, StrategyPre};

mod translate;

/// A deployment strategy. `config` is one made by [`crate::PluginHost::configure`].
#[derive(Debug)]
pub struct Strategy {
    unit: Arc<Unit>,
    pre: StrategyPre,
}

impl Strategy {
    pub(crate) fn new(unit: Arc<Unit>, pre: StrategyPre) -> Strategy {
        Strategy { unit, pre }
    }

    /// The instance's name.
    pub fn name(&self) -> &str {
        self.unit.name()
    }

    /// What comes next. A share outside 0..=1 or a state above 64 KiB is `BadAnswer`.
    pub async fn next(&self, view: &RolloutView, config: &Value) -> Result<Decision> {
        let (config, call) = (config.to_string(), self.unit.ordinary("next"));
        match self.pre.clone() {
            StrategyPre::Newest(Pre(pre)) => {
                let rollout = translate::newest::rollout(view);
                self.unit
                    .call(call, move |store| {
                        Box::pin(async move {
                            let world = pre.instantiate_async(&mut *store).await?;
                            let decision = world.bellwether_deploy_strategy().call_next(&mut *store, &rollout, &config).await?;
                            Ok(decision.map_err(answered).and_then(translate::newest::decided))
                        })
                    })
                    .await
            }
            StrategyPre::V0_1(Pre(pre)) => {
                let rollout = translate::v0_1::rollout(view);
                self.unit
                    .call(call, move |store| {
                        Box::pin(async move {
                            let world = pre.instantiate_async(&mut *store).await?;
                            let decision = world.bellwether_deploy_strategy().call_next(&mut *store, &rollout, &config).await?;
                            Ok(decision.map_err(answered).and_then(translate::v0_1::decided))
                        })
                    })
                    .await
            }
        }
    }
}

/// Asks twice in one instance; whether both answers were the same.
pub(crate) async fn same_twice(unit: &Arc<Unit>, pre: StrategyPre, view: &RolloutView, config: &Value) -> Result<bool> {
    let (config, call) = (config.to_string(), unit.ordinary("next"));
    macro_rules! twice {
        ($pre:ident, $rollout:expr) => {{
            let rollout = $rollout;
            unit.call(call, move |store| {
                Box::pin(async move {
                    let world = $pre.instantiate_async(&mut *store).await?;
                    let first = world.bellwether_deploy_strategy().call_next(&mut *store, &rollout, &config).await?;
                    let second = world.bellwether_deploy_strategy().call_next(&mut *store, &rollout, &config).await?;
                    Ok(Ok(first == second))
                })
            })
            .await
        }};
    }
    match pre {
        StrategyPre::Newest(Pre(pre)) => twice!(pre, translate::newest::rollout(view)),
        StrategyPre::V0_1(Pre(pre)) => twice!(pre, translate::v0_1::rollout(view)),
    }
}
