//! `bellwether:host/progress`: a fit says where it is, the host says whether to go on.

use crate::bindings::base::bellwether::host::progress::{Host, Wish};
use crate::state::State;

impl Host for State {
    fn report(&mut self, done: u32, total: u32, train_loss: f64, validation_loss: f64) -> wasmtime::Result<Wish> {
        self.host_calls.one_more()?;
        let go_on = self.progress.as_mut().is_none_or(|report| report(done, total, train_loss, validation_loss));
        Ok(if go_on { Wish::Proceed } else { Wish::Stop })
    }
}
