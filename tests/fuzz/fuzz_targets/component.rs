//! A component from anybody, through the loader of a real host: listed as refused or in service, and the host goes on.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use bellwether_plugin::size::{ByteSize, Span};
use bellwether_plugin::{Ceiling, PluginHost, PluginsConfig};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;

const MANIFEST: &str = "name = \"fuzzed\"\nversion = \"1.0.0\"\nkind = \"deployment-strategy\"\ncomponent = \"fuzzed.wasm\"\ncontract = \"0.2.0\"\nlicence = \"MIT\"\n";

struct Stage {
    runtime: Runtime,
    host: PluginHost,
    component: PathBuf,
}

static STAGE: LazyLock<Stage> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("bellwether-fuzz-{}", std::process::id())).join("fuzzed");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("plugin.toml"), MANIFEST).expect("a manifest");
    let component = folder.join("fuzzed.wasm");
    std::fs::write(&component, b"").expect("a component");
    let ceiling = Ceiling {
        memory: ByteSize(16 << 20),
        output: ByteSize(1 << 20),
        call_timeout: Span(Duration::from_millis(200)),
        instances: 2,
        component: ByteSize(1 << 20),
        ..Ceiling::default()
    };
    let folders = vec![folder.parent().expect("it was made").to_owned()];
    let config = PluginsConfig { folders, ceiling, watch: Span(Duration::ZERO), ..PluginsConfig::default() };
    let runtime = Runtime::new().expect("threads");
    let host = runtime.block_on(PluginHost::open(config, &[])).expect("a bad plugin does not stop the host");
    Stage { runtime, host, component }
});

fuzz_target!(|bytes: &[u8]| {
    let stage = &*STAGE;
    std::fs::write(&stage.component, bytes).expect("a component");
    let (_, info) = stage.runtime.block_on(stage.host.reload("fuzzed")).expect("a bad component is no error of the host");
    assert!(info.state == "active" || info.problem.is_some(), "{info:?}");
});
