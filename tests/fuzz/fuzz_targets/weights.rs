//! A weights file from anybody, for a small network.
#![no_main]

use std::sync::LazyLock;

use bellwether_compute::{Device, Model};
use bellwether_domain::network::Network;
use libfuzzer_sys::fuzz_target;

static NETWORK: LazyLock<Network> =
    LazyLock::new(|| serde_json::from_str(include_str!("../corpus/network/lstm.json")).expect("the description is whole"));

fuzz_target!(|bytes: &[u8]| {
    let device = Device::named("cpu").expect("the processor is there");
    if let Ok(model) = Model::load(&NETWORK, 6, 3, bytes, &device) {
        assert!(model.predict(&[0.5; 18], 1).is_ok());
    }
});
