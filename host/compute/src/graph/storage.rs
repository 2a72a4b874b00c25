//! Reading a tensor's numbers where they lie.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor};

/// The numbers of one argument of a fused operation, which must be contiguous.
pub(crate) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        return Err(candle_core::Error::Msg("a fused operation reads contiguous tensors".to_owned()));
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// Calls `function` with a tensor's numbers in order.
pub(crate) fn read<T>(tensor: &Tensor, function: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => function(slice(storage, layout)?),
        Storage::Cuda(_) | Storage::Metal(_) => Err(candle_core::Error::Msg("this core computes on the processor".to_owned())),
    }
}
