//! A checkpoint from anybody, offered to a small fit.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use bellwether_compute::{Checkpoints, Control, Device, FitSettings, Samples, fit};
use bellwether_domain::job::Precision;
use bellwether_domain::network::Network;
use libfuzzer_sys::fuzz_target;

static NETWORK: LazyLock<Network> =
    LazyLock::new(|| serde_json::from_str(include_str!("../corpus/network/lstm.json")).expect("the description is whole"));

fuzz_target!(|bytes: &[u8]| {
    let rows = [0.5; 24];
    let train = Samples { rows: &rows, features: 3, steps: 6, ends: &[5, 6, 7], targets: &[0.0, 1.0, 0.5], weights: None };
    let none = Samples { ends: &[], targets: &[], ..train };
    let settings = FitSettings { training: NETWORK.training, seed: 1, threads: 1, precision: Precision::F32 };
    let device = Device::named("cpu").expect("the processor is there");
    let mut save = |_: &[u8]| Ok(());
    let checkpoints = Checkpoints { every: Duration::MAX, save: &mut save, resume: Some(bytes) };
    // The fit stops at its first report, whatever the checkpoint says of the epochs done.
    let _ended = fit(&NETWORK, train, none, &settings, &device, &mut |_| Control::Stop, Some(checkpoints));
});
