//! The evil set: plugins and servers that mean harm, each beside a calm plugin that must go on answering as if alone.
//!
//! What can be wrong with a component before it is called is in [`super::refusals`], what a compiled guest can do in
//! [`super::guests`]; here is what needs company, and the neighbours' time is measured in each test.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bellwether_domain::alert::{Alert, AlertPhase, Severity};
use bellwether_domain::time::Timestamp;
use bellwether_plugin::size::{ByteSize, Span};
use bellwether_plugin::{Bundled, Ceiling, Instance, PluginHost, PluginsConfig};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::refusals::{MANIFEST, Variation, strategy, view};

const TIMEOUT: Duration = Duration::from_millis(400);

/// How late a time-out may be noticed, on a machine that does other things too.
const MARGIN: Duration = Duration::from_secs(2);

/// What a call may cost beyond twice its usual time: evil calls have their turns of 5 ms on the same threads, and other
/// tests run beside this one.
const FLOOR: Duration = Duration::from_millis(100);

const LOG: &str = r#"(import "bellwether:host/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#;

/// A host with the calm plugin and a folder for the other.
struct Stage {
    runtime: Runtime,
    host: PluginHost,
    root: TempDir,
}

fn put(root: &Path, name: &str, component: &[u8]) {
    let folder = root.join("plugins").join(name);
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::write(folder.join("tried.wasm"), component).unwrap();
    fs_err::write(folder.join("plugin.toml"), MANIFEST.replace("\"tried\"", &format!("{name:?}"))).unwrap();
}

fn stage(instance: Vec<Instance>) -> Stage {
    stage_within(instance, Ceiling { call_timeout: Span(TIMEOUT), ..Ceiling::default() })
}

fn stage_within(instance: Vec<Instance>, ceiling: Ceiling) -> Stage {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "calm", &strategy(&Variation { name: "calm", ..Variation::default() }));
    let ceiling = Ceiling { memory: ByteSize(64 << 20), output: ByteSize(4 << 20), faults: 1_000_000, ..ceiling };
    let config = PluginsConfig {
        folders: vec![root.path().join("plugins")],
        cache: root.path().join("cache"),
        watch: Span(Duration::ZERO),
        ceiling,
        instance,
        ..PluginsConfig::default()
    };
    let bundled: Vec<Bundled> = bellwether_bundle::PLUGINS
        .iter()
        .map(|(manifest, component)| Bundled { manifest, component })
        .filter(|plugin| plugin.manifest.contains("\"webhook\""))
        .collect();
    assert_eq!(bundled.len(), 1);
    let runtime = Runtime::new().unwrap();
    let host = runtime.block_on(PluginHost::open(config, &bundled)).unwrap();
    Stage { runtime, host, root }
}

impl Stage {
    /// The middle one of some calls of the calm plugin, all of which must answer.
    fn calm(&self, calls: usize) -> Duration {
        let strategy = self.host.strategy("calm").unwrap();
        let mut times: Vec<Duration> = (0..calls)
            .map(|_| {
                let started = Instant::now();
                self.runtime.block_on(strategy.next(&view(), &json!({}))).expect("the calm plugin answers");
                started.elapsed()
            })
            .collect();
        times.sort_unstable();
        times[calls / 2]
    }

    /// Does something evil while the calm plugin is called; it must not be slowed down by more than twice and a little.
    #[track_caller]
    fn beside<T: Send>(&self, evil: impl FnOnce() -> T + Send) -> T {
        let usual = self.calm(50);
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let evil = scope.spawn(|| {
                let outcome = evil();
                over.store(true, Ordering::Relaxed);
                outcome
            });
            let mut slowest = Duration::ZERO;
            while !over.load(Ordering::Relaxed) {
                slowest = slowest.max(self.calm(9));
            }
            let outcome = evil.join().unwrap();
            assert!(slowest <= usual * 2 + FLOOR, "the calm plugin took {slowest:?} rather than {usual:?}");
            outcome
        })
    }

    /// Calls the plugin `tried` as often at once as it may; gives what went wrong with each.
    fn errors(&self, variation: &Variation) -> Vec<String> {
        put(self.root.path(), "tried", &strategy(variation));
        let (_, info) = self.runtime.block_on(self.host.reload("tried")).unwrap();
        assert_eq!(info.state, "active", "{:?}", info.problem);
        let tried = self.host.strategy("tried").unwrap();
        self.beside(|| {
            let started = Instant::now();
            let calls: Vec<_> = (0..4)
                .map(|_| {
                    let tried = tried.clone();
                    self.runtime.spawn(async move { tried.next(&view(), &json!({})).await })
                })
                .collect();
            let errors = calls.into_iter().map(|call| match self.runtime.block_on(call).unwrap() {
                Ok(_) => String::new(),
                Err(error) => error.to_string(),
            });
            let errors: Vec<String> = errors.collect();
            let limit = self.host.inspect("tried").unwrap().limits["call_timeout"].as_str().unwrap().parse::<Span>().unwrap().0;
            assert!(started.elapsed() < limit + MARGIN, "it took {:?}", started.elapsed());
            errors
        })
    }
}

/// One test per deed: what all its calls must come to; an empty text is an answer.
macro_rules! deeds {
    ($($test:ident = $variation:expr => $part:literal;)*) => {
        $(
            #[test]
            fn $test() {
                let stage = stage(Vec::new());
                for error in stage.errors(&$variation) {
                    assert!(error.contains($part) && error.is_empty() == $part.is_empty(), "`{}` is not in: {error}", $part);
                }
            }
        )*
    };
}

deeds! {
    endless_loops = Variation { next: "(loop (br 0))", ..Variation::default() } => "longer than its limit of 400 ms";
    memory_bombs = Variation { next: "(loop (drop (memory.grow (i32.const 100))) (br 0))", ..Variation::default() }
        => "more memory than its limit of 67108864 bytes";
    table_bombs = Variation {
        extra: &format!("(func $bomb {})", (0..10).map(|table| format!("(drop (table.grow {table} (ref.null func) (i32.const 39000)))"))
            .collect::<String>()),
        imports: "(table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref)
            (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref)",
        next: "(call $bomb)",
        ..Variation::default()
    } => "tables need more than their limit of 200000 elements";
    // One table alone ends at the size of its slot; what asks on and on is out of time.
    endless_table_growth = Variation {
        imports: "(table $t 1 funcref)",
        next: "(loop (drop (table.grow $t (ref.null func) (i32.const 1000))) (br 0))",
        ..Variation::default()
    } => "limit";
    deep_recursion = Variation { extra: "(func $down (call $down))", next: "(call $down)", ..Variation::default() } => "call stack exhausted";
    lists_of_four_gigabytes = Variation { next: "(i32.store (i32.const 180) (i32.const -1))", ..Variation::default() } => "trapped";
    texts_of_four_gigabytes = Variation { next: "(i32.store (i32.const 172) (i32.const -1))", ..Variation::default() } => "trapped";
}

#[test]
fn a_million_log_lines() {
    let ceiling = Ceiling { call_timeout: Span(Duration::from_secs(60)), ..Ceiling::default() };
    let extra = "(func $flood (local $left i32) (local.set $left (i32.const 1000000))
        (loop $more (call $log (i32.const 0) (i32.const 1200) (i32.const 8))
            (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))";
    let flood = Variation { imports: LOG, extra, next: "(call $flood)", ..Variation::default() };
    let stage = stage_within(Vec::new(), ceiling);
    assert_eq!(stage.errors(&flood), ["", "", "", ""], "talking much is no fault: most of it is thrown away");
}

#[test]
fn calls_of_the_host_without_end() {
    let ceiling = Ceiling { call_timeout: Span(Duration::from_secs(60)), host_calls: 100_000, ..Ceiling::default() };
    let next = "(loop $more (call $log (i32.const 0) (i32.const 1200) (i32.const 0)) (br $more))";
    let stage = stage_within(Vec::new(), ceiling);
    for error in stage.errors(&Variation { imports: LOG, next, ..Variation::default() }) {
        assert!(error.contains("called the host more often than its limit of 100000 times in one call"), "{error}");
    }
}

#[test]
fn components_that_are_evil_before_they_are_called() {
    let stage = stage(Vec::new());
    let check = |what: &str, component: &[u8], part: &str| {
        put(stage.root.path(), "tried", component);
        let started = Instant::now();
        let (_, info) = stage.beside(|| stage.runtime.block_on(stage.host.reload("tried")).unwrap());
        assert!(started.elapsed() < Duration::from_secs(20), "{what} took {:?}", started.elapsed());
        let problem = info.problem.unwrap_or_default();
        assert!(info.state == "refused" && problem.contains(part), "{what}: `{part}` is not in: {problem}");
    };
    let spin = Variation { describe: "(loop (br 0))", ..Variation::default() };
    check("an endless describe", &strategy(&spin), "longer than its limit");
    let start = Variation { extra: "(func $boom unreachable) (start $boom)", ..Variation::default() };
    check("a trap at the start", &strategy(&start), "unreachable");
    let crowd: String = (0..2_000).map(|_| "(core instance (instantiate $m))").collect();
    check("two thousand instances", &wat::parse_str(format!("(component (core module $m) {crowd})")).unwrap(), "");
    let nested = (0..500).fold(wat::parse_str("(component)").unwrap(), |inner, _| within(&inner));
    check("components in components", &nested, "");
    let tables: String = (0..200).map(|_| "(table 1000000 funcref)").collect();
    check(
        "two hundred huge tables",
        &wat::parse_str(format!("(component (core module $m {tables}) (core instance (instantiate $m)))")).unwrap(),
        "",
    );
    // The seed is fixed: a failure can be looked at again.
    let mut noise = 0x2545_f491_4f6c_dd1d_u64;
    let mut byte = || {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        noise as u8
    };
    for _ in 0..20 {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend((0..500).map(|_| byte()));
        check("noise behind a good head", &bytes, "cannot be used");
    }
}

/// A component that holds another: a head, and one section of that kind.
fn within(inner: &[u8]) -> Vec<u8> {
    let mut outer = b"\0asm\x0d\0\x01\0\x04".to_vec();
    let mut length = inner.len();
    while length >= 0x80 {
        outer.push(length as u8 | 0x80);
        length >>= 7;
    }
    outer.push(length as u8);
    outer.extend(inner);
    outer
}

/// A server that does `answer` with every connection, and counts them.
fn server(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (connections, answer) = (Arc::new(AtomicUsize::new(0)), Arc::new(answer));
    let count = connections.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::Relaxed);
            let answer = answer.clone();
            std::thread::spawn(move || answer(stream));
        }
    });
    (origin, connections)
}

/// Reads what is sent until the other side goes away or time is up.
fn listen(mut stream: &TcpStream) {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut seen = [0; 4096];
    while matches!(stream.read(&mut seen), Ok(read) if read > 0) {}
}

/// Reads a request's first bytes.
fn hear(mut stream: &TcpStream) {
    let mut seen = [0; 4096];
    assert!(stream.read(&mut seen).is_ok());
}

/// What becomes of an alert sent to `url` by a webhook that was granted `grant`.
fn deliver(url: &str, grant: &str) -> Result<(), String> {
    let instance =
        format!("name = \"webhook\"\nconfig = {{ url = \"{url}/hook\", timeout_seconds = 60 }}\ngrant = {{ http = [\"{grant}\"] }}");
    let stage = stage(vec![toml::from_str(&instance).unwrap()]);
    let handler = stage.host.alert_handler("webhook").unwrap_or_else(|error| panic!("{error}"));
    let alert = Alert {
        id: "a".to_owned(),
        condition: "c".to_owned(),
        severity: Severity::Info,
        phase: AlertPhase::Firing,
        summary: "s".to_owned(),
        model_id: None,
        symbol: None,
        started_at: Timestamp(1_733_400_000_000),
        resolved_at: None,
        labels: BTreeMap::new(),
        detail: json!({}),
        deliveries: Vec::new(),
    };
    let started = Instant::now();
    let outcome = stage.beside(|| stage.runtime.block_on(handler.handle(&alert, "key")));
    assert!(started.elapsed() < TIMEOUT + MARGIN, "it took {:?}", started.elapsed());
    let (_, uses) = stage.host.grants("webhook").unwrap();
    let granted = url.starts_with(grant.trim_start_matches("POST "));
    assert_eq!(uses[0].used, u64::from(granted), "{uses:?}");
    outcome.map_err(|error| error.to_string())
}

#[test]
fn a_server_that_never_answers() {
    let (origin, connections) = server(|stream| listen(&stream));
    let error = deliver(&origin, &origin).expect_err("nobody answered");
    assert!(error.contains("longer than its limit of 400 ms") || error.contains("timeout"), "{error}");
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[test]
fn a_server_that_never_ends_its_body() {
    let (origin, _) = server(|mut stream| {
        hear(&stream);
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let mut going = stream.write_all(head).is_ok();
        while going {
            going = stream.write_all(b"1000\r\n").is_ok() && stream.write_all(&[b'x'; 0x1000]).is_ok() && stream.write_all(b"\r\n").is_ok();
        }
    });
    // The plugin takes as much of an answer as it wants and lets go.
    deliver(&origin, &origin).expect("a status of 200 is a delivery");
}

#[test]
fn a_server_that_sends_a_byte_now_and_then() {
    let (origin, _) = server(|mut stream| {
        hear(&stream);
        let mut going = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").is_ok();
        while going {
            std::thread::park_timeout(Duration::from_millis(20));
            going = stream.write_all(b"x").is_ok();
        }
    });
    let error = deliver(&origin, &origin).expect_err("it never ends");
    assert!(error.contains("longer than its limit of 400 ms"), "{error}");
}

#[test]
fn a_head_without_end() {
    let (origin, _) = server(|mut stream| {
        hear(&stream);
        let mut going = stream.write_all(b"HTTP/1.1 200 OK\r\n").is_ok();
        while going {
            going = stream.write_all(format!("x-{}: {}\r\n", "y".repeat(100), "z".repeat(1000)).as_bytes()).is_ok();
        }
    });
    deliver(&origin, &origin).expect_err("no such head is taken");
}

#[test]
fn a_redirect_to_the_metadata_service_is_not_followed() {
    for target in ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/", "file:///etc/passwd"] {
        let (origin, connections) = server(move |mut stream| {
            hear(&stream);
            let answer = format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n");
            assert!(stream.write_all(answer.as_bytes()).is_ok());
            listen(&stream);
        });
        let error = deliver(&origin, &origin).expect_err("a redirect is no delivery");
        assert!(error.contains("302"), "{error}");
        assert_eq!(connections.load(Ordering::Relaxed), 1, "nobody was asked twice");
    }
}

#[test]
fn a_grant_it_did_not_get_is_named_as_it_would_be_written() {
    let (origin, connections) = server(|stream| listen(&stream));
    let error = deliver(&origin, "https://hooks.example.com").expect_err("not granted");
    let line = format!("say `grant.http = [\"{origin}\"]` in a [[plugins.instance]] named `webhook`");
    assert!(error.contains("the host refused POST to") && error.contains(&line), "{error}");
    let error = deliver(&origin, &format!("GET {origin}")).expect_err("another method");
    assert!(error.contains(&line), "{error}");
    assert_eq!(connections.load(Ordering::Relaxed), 0, "nobody was connected to");
}
