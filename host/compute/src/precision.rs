//! What this processor makes of a precision: whether it can, and whether it gains by it.
//!
//! Having AVX512-BF16 is not gaining by it. An Emerald Rapids Xeon starts one such instruction in two cycles, and products take
//! twice the time of 32 bits (the rates are in `kernel::pairs`); the default transformer trains 135 samples per
//! processor second in bf16 and 185 in 32 bits. Zen 4 and 5 are said to start as many as of 32 bits, each with twice the work; that
//! was not tried. AMX is not used: no processor with it was at hand.
//! What it costs in accuracy, on that transformer over 52 steps of Adam with dropout: training losses of an epoch are at most
//! 0.54 % from those in 32 bits, validation losses 0.83 %, the last one 0.2347 beside 0.2360. Gradients of six products on top
//! of each other are 1.2 % apart (`program::tests` holds 2 %), the outputs 0.5 %.

use std::time::Duration;

use bellwether_domain::job::Precision;
use bellwether_domain::{Error, Result};

use crate::kernel::peak::product_rate;
use crate::kernel::raw::without_pairs;

/// A product as training has them: rows of a batch, depth, columns.
const TYPICAL: [usize; 3] = [512, 128, 256];

/// Whether fits can have this precision, on the processor or (`gpu`) on a GPU. Errors: `Invalid` with field `precision`, saying
/// what is missing.
pub fn check(precision: Precision, gpu: bool) -> Result<()> {
    check_with(precision, gpu, without_pairs())
}

/// [`check`] where `missing` says what the processor lacks for bf16.
pub(crate) fn check_with(precision: Precision, gpu: bool, missing: Option<&str>) -> Result<()> {
    let why = match (precision, missing) {
        (Precision::F32, _) => return Ok(()),
        (Precision::Bf16, _) if gpu => "it is for the device `cpu`",
        (Precision::Bf16, Some(missing)) => missing,
        (Precision::Bf16, None) => return Ok(()),
    };
    Err(Error::invalid("precision", format!("`bf16` is not possible here: {why}; use `f32` (in the request, or as training.precision)")))
}

/// What to tell somebody who asked for a precision that is slower here than 32 bits. Measures for some milliseconds, good to a
/// tenth; nothing to measure for 32 bits.
pub fn warning(precision: Precision) -> Option<String> {
    let rate = |precision| product_rate(TYPICAL, false, precision, Duration::from_millis(3));
    (precision != Precision::F32).then(|| [rate(Precision::F32), rate(precision)]).and_then(slower)
}

/// Of the rates of products in 32 bits and in bf16.
fn slower([wide, half]: [f64; 2]) -> Option<String> {
    let giga = |rate: f64| rate / 1e9;
    (half < wide).then(|| {
        format!(
            "precision `bf16` is slower than `f32` on this processor: {:.0} and {:.0} GFLOP/s a thread; use `f32` unless the numbers \
             themselves are wanted",
            giga(half),
            giga(wide)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_without_is_told_what_it_lacks() {
        let error = check_with(Precision::Bf16, false, Some("this processor lacks AVX512-BF16")).unwrap_err();
        let wanted = "precision: `bf16` is not possible here: this processor lacks AVX512-BF16; use `f32` (in the request, or as training.precision)";
        assert!(matches!(&error, Error::Invalid { field, .. } if field == "precision") && error.to_string().contains(wanted), "{error}");
        for (precision, missing) in [(Precision::F32, Some("all")), (Precision::F32, None), (Precision::Bf16, None)] {
            assert!(check_with(precision, false, missing).is_ok());
        }
        assert!(check_with(Precision::Bf16, true, None).unwrap_err().to_string().contains("`cpu`"));
        assert_eq!(check(Precision::Bf16, false).is_ok(), without_pairs().is_none());
    }

    #[test]
    fn only_what_is_slower_is_warned_of() {
        let text = slower([162e9, 80e9]).unwrap();
        assert!(text.contains("80 and 162 GFLOP/s"), "{text}");
        assert_eq!((slower([80e9, 160e9]), slower([1e9, 1e9]), warning(Precision::F32)), (None, None, None));
    }
}
