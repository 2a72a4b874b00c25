//! How far a rollout has come. The word is the strategy's whole state, so a history of states can be read.
use bellwether_sdk::{Error, Result};

/// What was asked for last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing yet.
    New,
    /// The first health check.
    Checked,
    /// Shadow traffic.
    Shadowing,
    /// The analysis of the shadow.
    Shadowed,
    /// A person's approval.
    Waiting,
    /// All traffic.
    Switched,
    /// The second health check.
    Rechecked,
    /// The analysis under all traffic.
    Observed,
}

const NAMES: &[(Stage, &str)] = &[
    (Stage::New, ""),
    (Stage::Checked, "checked"),
    (Stage::Shadowing, "shadowing"),
    (Stage::Shadowed, "shadowed"),
    (Stage::Waiting, "waiting"),
    (Stage::Switched, "switched"),
    (Stage::Rechecked, "rechecked"),
    (Stage::Observed, "observed"),
];

impl Stage {
    /// Reads a state. Errors: `invalid-input` for another strategy's.
    pub(crate) fn read(state: &[u8]) -> Result<Stage> {
        let found = NAMES.iter().find(|(_, name)| name.as_bytes() == state);
        found.map(|(stage, _)| *stage).ok_or_else(|| {
            Error::invalid_input(format!(
                "`{}` is not a state of blue-green",
                String::from_utf8_lossy(&state[..state.len().min(40)]).escape_debug()
            ))
        })
    }

    /// The state to keep.
    pub(crate) fn write(self) -> Vec<u8> {
        NAMES.iter().find(|(stage, _)| *stage == self).map(|(_, name)| name.as_bytes().to_vec()).unwrap_or_default()
    }
}
