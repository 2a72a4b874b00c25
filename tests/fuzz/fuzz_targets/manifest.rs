//! A manifest from anybody: refused with a sentence, or read to what can be written and read again.
#![no_main]

use bellwether_plugin::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Manifest::parse(text) {
        Ok(manifest) => {
            assert!(!manifest.component.contains('/'), "a component lies beside its manifest");
            let written = toml::to_string(&manifest).expect("what was read can be written");
            let again = Manifest::parse(&written).expect("and read again");
            assert!(again == manifest || written.contains("nan"), "{written}");
        }
        Err(error) => assert!(error.to_string().starts_with("plugin.toml"), "{error}"),
    }
});
