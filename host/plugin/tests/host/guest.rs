//! A drift detector written by hand in WebAssembly text: its configuration's `mode` says what it does, mostly wrong.
//!
//! By hand, so that these tests need no guest toolchain and each lie a guest can tell the host is a few instructions.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,"properties":{"mode":{"type":"string","default":"ok","enum":["ok","trap","loop","memory","big","error","nan","past","work"]}}}"#;

/// What the host knows the plugin by.
pub(crate) fn manifest(name: &str) -> String {
    format!(
        "name = \"{name}\"\nversion = \"0.1.0\"\nkind = \"drift-detector\"\ncomponent = \"{name}.wasm\"\ncontract = \"0.1.0\"\nlicence = \"Apache-2.0\"\n"
    )
}

/// The component, which calls itself `name`.
pub(crate) fn component(name: &str) -> Vec<u8> {
    let mut module = wat::parse_str(module(name)).expect("the module is well-formed");
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let packages: Vec<_> = ["types", "host", "drift"].iter().map(|folder| resolve.push_dir(wit.join(folder)).expect("WIT").0).collect();
    let world = resolve.select_world(&packages[2..], Some("drift-detector")).expect("world");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).expect("metadata");
    ComponentEncoder::default().module(&module).expect("module").encode().expect("component")
}

/// Memory: texts from 0, answers at 2048 and 2304, what the host passes from 4096.
fn module(name: &str) -> String {
    let texts = [name, "0.1.0", "Does what its mode says.", SCHEMA];
    let mut offset = 0;
    let (mut data, mut describe) = (String::new(), String::new());
    for (place, text) in texts.iter().enumerate() {
        let escaped: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        data += &format!("(data (i32.const {offset}) \"{escaped}\")\n");
        let (at, length) = (2048 + place * 8, text.len());
        describe += &format!("(i32.store (i32.const {at}) (i32.const {offset})) (i32.store (i32.const {}) (i32.const {length}))\n", at + 4);
        offset += length;
    }
    assert!(offset < 2048, "the texts end before the answers begin");
    format!(
        r#"(module
        (memory (export "memory") 64)
        (global $top (mut i32) (i32.const 4096))
        {data}
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
            (global.set $top (i32.add (local.get $at) (local.get 3)))
            (local.get $at))
        (func (export "bellwether:types/plugin@0.1.0#describe") (result i32) {describe} (i32.const 2048))
        ;; The letter of `mode` in {{"mode":"…"}}: misbehaves, or gives a result's place with the error already written.
        (func $misbehave (param $config i32) (result i32) (local $mode i32) (local $left i32)
            (local.set $mode (i32.load8_u offset=9 (local.get $config)))
            (if (i32.eq (local.get $mode) (i32.const 116)) (then unreachable))
            (if (i32.eq (local.get $mode) (i32.const 108)) (then (loop $again (br $again))))
            (if (i32.eq (local.get $mode) (i32.const 109)) (then (drop (memory.grow (i32.const 60000)))))
            (if (i32.eq (local.get $mode) (i32.const 119)) (then
                (local.set $left (i32.const 100000))
                (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))
            (if (i32.eq (local.get $mode) (i32.const 101)) (then
                (i32.store8 (i32.const 2304) (i32.const 1)) (i32.store8 (i32.const 2308) (i32.const 3))
                (i32.store (i32.const 2312) (i32.const 0)) (i32.store (i32.const 2316) (i32.const {name_length}))))
            (local.get $mode))
        (func (export "bellwether:drift/detector@0.1.0#start") (param $config i32) (param i32) (result i32) (local $mode i32)
            (local.set $mode (call $misbehave (local.get $config)))
            (if (i32.ne (local.get $mode) (i32.const 101)) (then
                (i32.store (i32.const 2312) (select (i32.const 3000000) (i32.const 4) (i32.eq (local.get $mode) (i32.const 98))))))
            (i32.const 2304))
        ;; Gives its state back; modes `nan` and `past` add an event.
        (func (export "bellwether:drift/detector@0.1.0#update")
            (param $state i32) (param $length i32) (param i32 i32) (param $config i32) (param i32) (result i32) (local $mode i32)
            (local.set $mode (call $misbehave (local.get $config)))
            (if (i32.ne (local.get $mode) (i32.const 101)) (then
                (i32.store (i32.const 2308) (local.get $state)) (i32.store (i32.const 2312) (local.get $length))))
            (if (i32.eq (local.get $mode) (i32.const 110)) (then
                (i32.store (i32.const 2316) (i32.const 3072)) (i32.store (i32.const 2320) (i32.const 1))
                (f64.store (i32.const 3080) (f64.const nan))))
            (if (i32.eq (local.get $mode) (i32.const 112)) (then
                (i32.store (i32.const 2316) (i32.const 3072)) (i32.store (i32.const 2320) (i32.const 1))
                (i32.store (i32.const 3072) (i32.const 1000))))
            (i32.const 2304)))"#,
        name_length = name.len(),
    )
}
