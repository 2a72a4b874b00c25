//! `bellwether:host/clock`: the time, for plugins granted one.

use crate::bindings::base::bellwether::host::clock::Host;
use crate::state::State;

impl Host for State {
    fn now_ms(&mut self) -> wasmtime::Result<i64> {
        if !self.identity.granted.clock {
            return Err(wasmtime::Error::msg("the time was not granted (grant.clock)"));
        }
        let now = self.identity.now_ms.ok_or_else(|| wasmtime::Error::msg("this host has no clock for plugins"))?;
        Ok(now())
    }
}
