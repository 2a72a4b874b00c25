//! A portable artifact from anybody, as `register` takes it.
#![no_main]

use bellwether_engine::artifact::Artifact;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(artifact) = Artifact::unpack(bytes) {
        let packed = artifact.pack().expect("what was read can be written");
        assert!(Artifact::unpack(&packed).is_ok());
    }
});
