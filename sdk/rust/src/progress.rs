//! How a long [`fit`](crate::Estimator::fit) tells the host where it is.
use crate::bindings::shared::bellwether::host::progress::Wish;

/// Reports that `done` of `total` steps are finished, with the losses so far (NaN when there is none). False: return what
/// you have now, for the job was cancelled or its time is up. Natively always true.
#[must_use = "false means: stop and return what you have"]
pub fn report(done: u32, total: u32, train_loss: f64, validation_loss: f64) -> bool {
    ask(done, total, train_loss, validation_loss) == Wish::Proceed
}

#[cfg(target_family = "wasm")]
use crate::bindings::shared::bellwether::host::progress::report as ask;

#[cfg(not(target_family = "wasm"))]
fn ask(_done: u32, _total: u32, _train_loss: f64, _validation_loss: f64) -> Wish {
    Wish::Proceed
}
