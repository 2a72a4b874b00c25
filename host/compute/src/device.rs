//! Where a network runs: `cpu`, later `cuda:0`.

use bellwether_domain::Result;

/// A place to compute.
#[derive(Debug, Clone)]
pub struct Device(pub(crate) candle_core::Device);

impl Device {
    /// The device of a name. Errors name the setting `device`.
    pub fn named(name: &str) -> Result<Device> {
        let _ = name;
        todo!()
    }
}
