//! Where a network is trained: `cpu`, or `cuda:0` in a build with CUDA.

use bellwether_domain::{Error, Result};

/// A place to compute.
#[derive(Debug, Clone)]
pub struct Device(pub(crate) candle_core::Device);

impl Device {
    /// The device of a name. Errors name the setting `device`: no such name, no CUDA in this build, no such GPU here.
    pub fn named(name: &str) -> Result<Device> {
        if name == "cpu" {
            return Ok(Device(candle_core::Device::Cpu));
        }
        let number = name.strip_prefix("cuda").map(|rest| rest.strip_prefix(':').unwrap_or(rest));
        let index = number.and_then(|number| if number.is_empty() { Some(0) } else { number.parse::<u16>().ok() });
        match index {
            Some(index) => gpu(name, index.into()).map(Device),
            None => Err(Error::invalid("device", format!("`{name}` is not a device; use `cpu` or `cuda:0`"))),
        }
    }
}

#[cfg(feature = "cuda")]
fn gpu(name: &str, index: usize) -> Result<candle_core::Device> {
    candle_core::Device::new_cuda(index)
        .map_err(|cause| Error::invalid("device", format!("`{name}` cannot be used: {cause}; use `cpu` or look at the driver")))
}

#[cfg(not(feature = "cuda"))]
fn gpu(name: &str, _index: usize) -> Result<candle_core::Device> {
    Err(Error::invalid("device", format!("`{name}` needs a GPU and this build has no CUDA; use `cpu`, or build with `make cuda`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_here_is_named() {
        assert!(Device::named("cpu").is_ok());
        let missing = if cfg!(feature = "cuda") { "cannot be used" } else { "no CUDA" };
        for (name, text) in
            [("cuda:9999", missing), ("cudax", "not a device"), ("gpu", "not a device"), ("", "not a device"), ("cuda:-1", "not a device")]
        {
            let error = Device::named(name).unwrap_err().to_string();
            assert!(error.starts_with("device: ") && error.contains(text), "{error}");
        }
    }
}
