//! Dropout (Srivastava et al. 2014): each value is zero with probability `share`, the rest are divided by `1 - share`.
//!
//! Sixteen random bits decide each value, so the share is met to 1/65536. The factors are drawn when the tape is built
//! and used again by the gradient.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::graph::read;
use crate::graph::storage::slice;

struct Dropout {
    /// One number per value; below the threshold the value is dropped.
    drawn: Vec<u16>,
    threshold: u16,
    keep: f32,
}

/// Drops a share in (0, 1) of the values.
pub(crate) fn apply(input: &Tensor, share: f64, noise: &mut ChaCha8Rng) -> Result<Tensor> {
    let mut drawn = vec![0; input.elem_count()];
    noise.fill(&mut drawn[..]);
    let threshold = (share * 65536.0).round().min(65535.0) as u16;
    input.contiguous()?.apply_op1(Dropout { drawn, threshold, keep: (1.0 / (1.0 - share)) as f32 })
}

impl Dropout {
    fn apply(&self, values: &[f32]) -> Vec<f32> {
        // A product and not a choice: the compiler turns it into vector code, and not-a-number stays so.
        let factor = |drawn: u16| f32::from(u8::from(drawn >= self.threshold)) * self.keep;
        values.iter().zip(&self.drawn).map(|(value, drawn)| value * factor(*drawn)).collect()
    }
}

impl CustomOp1 for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(self.apply(slice(storage, layout)?)), layout.shape().clone()))
    }

    fn bwd(&self, arg: &Tensor, _res: &Tensor, above: &Tensor) -> Result<Option<Tensor>> {
        let below = read(above, |above| Ok(self.apply(above)))?;
        Tensor::from_vec(below, arg.shape(), arg.device()).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn the_share_is_dropped_and_the_mean_kept() {
        let ones = Tensor::ones(100_000, candle_core::DType::F32, &Device::Cpu).unwrap();
        for share in [0.1, 0.5, 0.9] {
            let values = apply(&ones, share, &mut ChaCha8Rng::seed_from_u64(3)).unwrap().to_vec1::<f32>().unwrap();
            let dropped = values.iter().filter(|value| **value == 0.0).count() as f64 / 1e5;
            let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / 1e5;
            assert!((dropped - share).abs() < 0.005 && (mean - 1.0).abs() < 0.05, "{share}: {dropped}, {mean}");
        }
    }
}
