//! `bellwether:host/clock`: the time, for plugins granted one.

use crate::bindings::base::bellwether::host::clock::Host;
use crate::state::State;

impl Host for State {
    fn now_ms(&mut self) -> wasmtime::Result<i64> {
        self.host_calls.one_more()?;
        if !self.identity.granted.clock {
            let name = &self.identity.name;
            return Err(wasmtime::Error::msg(format!(
                "the time was not granted; say `grant.clock = true` in a [[plugins.instance]] named `{name}`"
            )));
        }
        self.identity.granted.clock_was_used();
        let now = self.identity.now_ms.ok_or_else(|| wasmtime::Error::msg("this host has no clock for plugins"))?;
        Ok(now())
    }
}
