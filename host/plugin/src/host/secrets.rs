//! `bellwether:host/secrets`: the secrets the operator mapped to this plugin, one by one and by name.

use crate::bindings::base::bellwether::host::secrets::Host;
use crate::state::State;

impl Host for State {
    fn get(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        self.host_calls.one_more()?;
        Ok(self.identity.granted.secrets.get(&name))
    }
}
