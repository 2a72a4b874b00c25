//! A strategy as an author built it when the contract was 0.1.0: against the frozen `wit/deploy-0.1.0`, without the SDK,
//! which speaks the newest. It says back what it was told, so that the test sees every field arrive, then promotes.

#![cfg_attr(target_family = "wasm", expect(unsafe_code, reason = "the generated exports"))]

mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit/types", "../../../wit/host", "../../../wit/deploy-0.1.0"],
        world: "bellwether:deploy/deployment-strategy",
        generate_all,
    });
}

use bindings::bellwether::types::common::Error;
use bindings::exports::bellwether::deploy::strategy::{Action, Decision, Pause, Rollout};
use bindings::exports::bellwether::{deploy::strategy, types::plugin};

struct Frozen;

impl plugin::Guest for Frozen {
    fn describe() -> plugin::Description {
        plugin::Description {
            name: "deploy-0-1-0".to_owned(),
            version: "0.1.0".to_owned(),
            summary: "Waits once, then promotes.".to_owned(),
            config_schema: r#"{"type": "object", "properties": {}, "additionalProperties": false}"#.to_owned(),
            extra: Vec::new(),
        }
    }
}

impl strategy::Guest for Frozen {
    fn next(rollout: Rollout, _config: String) -> Result<Decision, Error> {
        let stable = rollout.stable.map_or_else(|| "nothing".to_owned(), |side| side.model_id);
        let reason = format!("{stable} to {} after {} s", rollout.candidate.model_id, rollout.elapsed_seconds);
        let action = if rollout.state.is_empty() { Action::Pause(Pause::Seconds(7)) } else { Action::Promote };
        Ok(Decision { action, reason, state: b"waited".to_vec() })
    }
}

#[cfg(target_family = "wasm")]
bindings::export!(Frozen with_types_in bindings);
