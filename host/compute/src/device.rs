//! Where a network runs: `cpu`, later `cuda:0`.

use bellwether_domain::{Error, Result};

/// A place to compute.
#[derive(Debug, Clone)]
pub struct Device(pub(crate) candle_core::Device);

impl Device {
    /// The device of a name. Errors name the setting `device`.
    pub fn named(name: &str) -> Result<Device> {
        let number = name.strip_prefix("cuda").map(|rest| rest.strip_prefix(':').unwrap_or(rest));
        match (name, number) {
            ("cpu", _) => Ok(Device(candle_core::Device::Cpu)),
            (_, Some(number)) if number.is_empty() || number.parse::<u16>().is_ok() => {
                Err(Error::invalid("device", format!("`{name}` needs a GPU and this build has no CUDA; use `cpu`")))
            }
            _ => Err(Error::invalid("device", format!("`{name}` is not a device; use `cpu`"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_processor_is_here() {
        assert!(Device::named("cpu").is_ok());
        for (name, text) in
            [("cuda:0", "no CUDA"), ("cuda", "no CUDA"), ("cudax", "not a device"), ("gpu", "not a device"), ("", "not a device")]
        {
            let error = Device::named(name).unwrap_err().to_string();
            assert!(error.starts_with("device: ") && error.contains(text), "{error}");
        }
    }
}
