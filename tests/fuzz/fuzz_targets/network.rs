//! A network description from anybody: refused with a reason, or compiled, fitted for a step and asked for a prediction.
#![no_main]

use bellwether_compute::{Control, Device, FitSettings, Samples, estimate, fit};
use bellwether_domain::job::Precision;
use bellwether_domain::network::Network;
use libfuzzer_sys::fuzz_target;

const STEPS: usize = 6;
const FEATURES: usize = 3;

fuzz_target!(|bytes: &[u8]| {
    let Ok(network) = serde_json::from_slice::<Network>(bytes) else { return };
    let Ok(cost) = estimate(&network, STEPS, FEATURES, 2, 1, Precision::F32) else { return };
    if cost.memory_bytes > 64 << 20 || cost.flops_per_sample > 100_000_000 {
        return;
    }
    let rows: Vec<f32> = (0..(STEPS + 2) * FEATURES).map(|at| (at % 2) as f32).collect();
    let ends = [STEPS - 1, STEPS, STEPS + 1];
    let train = Samples { rows: &rows, features: FEATURES, steps: STEPS, ends: &ends, targets: &[0.0, 1.0, 0.0], weights: None };
    let none = Samples { ends: &[], targets: &[], ..train };
    let mut training = network.training;
    (training.epochs, training.batch_size) = (2, 2);
    let settings = FitSettings { training, seed: 1, threads: 1, precision: Precision::F32 };
    let device = Device::named("cpu").expect("the processor is there");
    if let Ok((model, _)) = fit(&network, train, none, &settings, &device, &mut |_| Control::Continue, None) {
        let window = &rows[..STEPS * FEATURES];
        let bytes = model.weights().expect("its own weights can be written");
        let answers = model.predict(window, 1).expect("it predicts what it was fitted to");
        let again = bellwether_compute::Model::load(&network, STEPS, FEATURES, &bytes, &device).expect("its own weights can be read");
        let twice = again.predict(window, 1).expect("it predicts again");
        assert!(answers.iter().zip(&twice).all(|(one, other)| one.to_bits() == other.to_bits()));
    }
});
