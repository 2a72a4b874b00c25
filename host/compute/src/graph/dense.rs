//! y = x·W + b over the last axis: [.., in] -> [.., units], as one operation.
//!
//! dx = dy·Wᵀ, dW = xᵀ·dy, db = Σ dy.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use crate::graph::read;
use crate::graph::storage::slice;
use crate::kernel::matmul::{Packed, Start, multiply};
use crate::kernel::raw::transposed_product;

struct Dense {
    width: usize,
    units: usize,
    /// Something below x learns, so dx is wanted.
    below: bool,
}

/// Applies the layer; `own` is the kernel and, with `bias`, the bias.
pub(crate) fn apply(input: &Tensor, own: &[Tensor], bias: bool, below: bool) -> Result<Tensor> {
    let (width, units) = own[0].dims2()?;
    let none = if bias { None } else { Some(Tensor::zeros(units, input.dtype(), input.device())?) };
    let shift = none.as_ref().unwrap_or_else(|| &own[1]);
    input.contiguous()?.apply_op3(&own[0], shift, Dense { width, units, below })
}

impl CustomOp3 for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, kernel, bias) = (slice(s1, l1)?, slice(s2, l2)?, slice(s3, l3)?);
        let rows = x.len() / self.width;
        let mut y = vec![0.0; rows * self.units];
        multiply(x, self.width, rows, Packed::of(kernel, self.width, self.units).view(), Start::Row(bias), &mut y, self.units);
        let mut shape = l1.dims().to_vec();
        if let Some(last) = shape.last_mut() {
            *last = self.units;
        }
        Ok((CpuStorage::F32(y), Shape::from(shape)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        kernel: &Tensor,
        _bias: &Tensor,
        _y: &Tensor,
        above: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (width, units) = (self.width, self.units);
        let rows = x.elem_count() / width;
        let (mut to_kernel, mut to_bias) = (vec![0.0; width * units], vec![0.0f32; units]);
        let below = read(above, |dy| {
            read(x, |x| {
                transposed_product(x, dy, &mut to_kernel, [width, rows, units]);
                Ok(())
            })?;
            for line in dy.chunks_exact(units) {
                to_bias.iter_mut().zip(line).for_each(|(sum, value)| *sum += value);
            }
            if !self.below {
                return Ok(None);
            }
            let mut packed = Packed::default();
            read(kernel, |kernel| {
                packed.pack_transposed(kernel, units, width);
                Ok(())
            })?;
            let mut to_x = vec![0.0; rows * width];
            multiply(dy, units, rows, packed.view(), Start::Zero, &mut to_x, width);
            Tensor::from_vec(to_x, x.shape(), x.device()).map(Some)
        })?;
        let to_kernel = Tensor::from_vec(to_kernel, (width, units), x.device())?;
        Ok((below, Some(to_kernel), Some(Tensor::from_vec(to_bias, units, x.device())?)))
    }
}
