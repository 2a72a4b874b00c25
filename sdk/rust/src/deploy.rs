//! Deployment strategies: how an endpoint moves from one model version to another.
use crate::Result;
use crate::bindings::deployment_strategy::exports::bellwether::deploy::strategy;
use crate::plugin::{Plugin, enter, read_config};

pub use strategy::{Action, Analysis, AnalysisRequest, Decision, Health, Measurement, Pause, Replicas, Rollout, Side, Step, Weight};

/// A deployment strategy.
pub trait DeploymentStrategy: Plugin {
    /// Decides the next action; the host carries it out, stores it and calls again. The same arguments must give the same
    /// decision. What has to be remembered goes into [`Decision::state`] and comes back in [`Rollout::state`].
    fn next(rollout: &Rollout, config: &Self::Config) -> Result<Decision>;
}

impl<T: DeploymentStrategy> strategy::Guest for T {
    fn next(rollout: Rollout, config: String) -> Result<Decision> {
        enter();
        <T as DeploymentStrategy>::next(&rollout, &read_config::<T>(&config)?)
    }
}

impl Decision {
    /// A decision with nothing to remember.
    pub fn new(action: Action, reason: impl Into<String>) -> Decision {
        Decision { action, reason: reason.into(), state: Vec::new() }
    }

    /// Remembers `state` until the next call, at most 64 KiB.
    pub fn with_state(mut self, state: Vec<u8>) -> Decision {
        self.state = state;
        self
    }

    /// Back to the stable version; the same reason is given to people and kept in the history.
    pub fn rollback(reason: impl Into<String>) -> Decision {
        let reason = reason.into();
        Decision { action: Action::Rollback(reason.clone()), reason, state: Vec::new() }
    }
}
