//! An ONNX file from anybody.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _read = bellwether_onnx::read(bytes, &bellwether_onnx::Options::default());
});
