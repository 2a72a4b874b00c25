//! Guests that misbehave, one test per misdeed: each call ends in the right error within its limits, and the host goes on.
//!
//! The list of misdeeds is the guest's own (`do` in its schema); one without a test here fails
//! [`every_misdeed_has_its_test`]. How components that cannot even be loaded are refused is in [`super::refusals`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use bellwether_domain::Error;
use bellwether_domain::error::PluginFault;
use bellwether_plugin::size::{ByteSize, Span};
use bellwether_plugin::{Bundled, Ceiling, Column, ColumnKind, DriftOutcome, Frame, PluginHost, PluginsConfig};
use bellwether_tests::process;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use generated::{MISBEHAVING, MISBEHAVING_MANIFEST};

#[expect(unreachable_pub, reason = "the build script writes for whoever includes it")]
pub(crate) mod generated {
    include!(concat!(env!("OUT_DIR"), "/guests.rs"));
}

/// Limits of these tests: small, so that reaching them is quick.
const MEMORY: u64 = 64 << 20;
const OUTPUT: u64 = 1 << 20;
const TIMEOUT: Duration = Duration::from_millis(400);

/// How late a time-out may be noticed, on a machine that does other things too.
const MARGIN: Duration = Duration::from_millis(1500);

/// A plugin host with only the misbehaving guest.
struct Stage {
    runtime: Runtime,
    host: PluginHost,
    _cache: TempDir,
}

fn stage(faults: u32) -> Stage {
    let cache = tempfile::tempdir().unwrap();
    let ceiling = Ceiling {
        memory: ByteSize(MEMORY),
        output: ByteSize(OUTPUT),
        call_timeout: Span(TIMEOUT),
        instances: 4,
        faults,
        ..Ceiling::default()
    };
    let config = PluginsConfig { ceiling, cache: cache.path().to_owned(), ..PluginsConfig::default() };
    let runtime = Runtime::new().unwrap();
    let bundled = [Bundled { manifest: MISBEHAVING_MANIFEST, component: MISBEHAVING }];
    let host = runtime.block_on(PluginHost::open(config, &bundled)).unwrap();
    Stage { runtime, host, _cache: cache }
}

fn frame(values: &[f64]) -> Frame {
    Frame { columns: Arc::new([Column { name: "a".into(), kind: ColumnKind::Numeric, values: values.into() }]) }
}

impl Stage {
    fn config(&self, config: &Value) -> Value {
        self.host.configure("misbehaving", config).unwrap()
    }

    fn baseline(&self, config: &Value) -> Result<Vec<u8>, Error> {
        let test = self.host.drift_test("misbehaving").unwrap();
        self.runtime.block_on(test.baseline(frame(&[1.0, 2.0, 3.0]), &self.config(config)))
    }

    fn test(&self, config: &Value) -> Result<DriftOutcome, Error> {
        let baseline = self.baseline(&json!({})).expect("an honest baseline");
        let test = self.host.drift_test("misbehaving").unwrap();
        self.runtime.block_on(test.test(&baseline, frame(&[11.0, 12.0, 13.0]), &self.config(config)))
    }

    /// The fault of a call of `test` that does `misdeed`; checks that it came in time and that a good call succeeds right after.
    #[track_caller]
    fn fault(&self, misdeed: &str) -> PluginFault {
        let started = Instant::now();
        let error = self.test(&json!({"do": misdeed})).expect_err(misdeed);
        assert!(started.elapsed() < TIMEOUT + MARGIN, "{misdeed} took {:?}", started.elapsed());
        self.behaves();
        let Error::Plugin { plugin, function, fault } = error else { panic!("{misdeed}: {error}") };
        assert_eq!((plugin.as_str(), function.as_str()), ("misbehaving", "test"), "{misdeed}");
        fault
    }

    /// A good call gives the right numbers.
    #[track_caller]
    fn behaves(&self) {
        let outcome = self.test(&json!({"do": "behave"})).expect("a good call after a bad one");
        assert!(outcome.drifted && outcome.statistic > 3.0, "{outcome:?}");
        assert_eq!((outcome.reference_count, outcome.current_count), (3, 3));
    }
}

/// One test per misdeed, and the list of their names.
macro_rules! misdeeds {
    ($($test:ident = $name:literal: $body:expr;)*) => {
        const TESTED: &[&str] = &[$($name),*];
        $(
            #[test]
            fn $test() {
                let body: fn(&Stage, &str) = $body;
                body(&stage(1000), $name);
            }
        )*
    };
}

misdeeds! {
    behaving_is_possible = "behave": |stage, _| stage.behaves();
    a_loop_is_timed_out = "loop": |stage, misdeed| {
        let started = Instant::now();
        assert_eq!(stage.fault(misdeed), PluginFault::TimedOut(400));
        assert!(started.elapsed() >= TIMEOUT, "given up after {:?}, before its time", started.elapsed());
    };
    memory_without_end_is_refused = "grow": |stage, misdeed| assert_eq!(stage.fault(misdeed), PluginFault::OutOfMemory(MEMORY));
    a_trap_is_named = "trap": |stage, misdeed| trapped(&stage.fault(misdeed), "unreachable");
    a_panic_gives_its_message = "panic": |stage, misdeed| {
        trapped(&stage.fault(misdeed), "the plugin panics because its configuration says so");
    };
    // Rust keeps arrays on a stack of its own in the guest's memory; that one ends first. The engine's own: see `refusals`.
    a_full_stack_is_a_trap = "deep-recursion": |stage, misdeed| trapped(&stage.fault(misdeed), "out of bounds memory access");
    a_gigabyte_is_not_returned = "return-1gb": |stage, misdeed| {
        // In 64 MiB it cannot even be made.
        assert_eq!(stage.fault(misdeed), PluginFault::OutOfMemory(MEMORY));
        let error = stage.baseline(&json!({"do": misdeed, "when": "baseline"})).expect_err("bytes, too");
        assert!(matches!(error, Error::Plugin { fault: PluginFault::OutOfMemory(_), .. }), "{error}");
    };
    detail_must_be_json = "bad-json": |stage, misdeed| bad(&stage.fault(misdeed), &["detail", "JSON"]);
    numbers_must_be_numbers = "nan": |stage, misdeed| bad(&stage.fault(misdeed), &["NaN", "finite"]);
    numbers_must_be_finite = "infinite": |stage, misdeed| bad(&stage.fault(misdeed), &["inf", "finite"]);
    a_flood_of_log_lines_is_thinned_out = "log-flood": |stage, misdeed| {
        let started = Instant::now();
        stage.test(&json!({"do": misdeed})).expect("talking much is no fault");
        assert!(started.elapsed() < TIMEOUT + MARGIN);
        stage.behaves();
    };
    a_log_line_of_a_megabyte_is_cut = "long-log-line": |stage, misdeed| {
        stage.test(&json!({"do": misdeed})).expect("a long line is no fault");
        stage.behaves();
    };
    reading_past_its_own_bytes_is_a_trap = "foreign-baseline": |stage, misdeed| trapped(&stage.fault(misdeed), "out of bounds");
    reading_past_the_end_gives_nothing = "read-past-end": |stage, misdeed| {
        stage.test(&json!({"do": misdeed})).expect("the host clips");
        stage.behaves();
    };
    handles_cannot_be_hoarded = "hoard-columns": |stage, misdeed| {
        let before = process::resident_bytes(std::process::id());
        let outcome = stage.test(&json!({"do": misdeed}));
        let grown = process::resident_bytes(std::process::id()).saturating_sub(before);
        assert!(grown < 512 << 20, "a million handles cost {grown} bytes");
        // Either the host gives that many, or it refuses in order; never anything else.
        assert!(matches!(outcome, Ok(_) | Err(Error::Plugin { .. })), "{outcome:?}");
        stage.behaves();
    };
    a_transient_answer_is_an_answer = "transient": |stage, misdeed| {
        assert_eq!(stage.fault(misdeed), PluginFault::Answered("transient".to_owned(), "come back later".to_owned()));
        let info = stage.host.inspect("misbehaving").unwrap();
        assert_eq!(info.faults, 0, "an answer is no fault");
    };
    nothing_is_remembered = "remember": |stage, misdeed| {
        for call in 0..3 {
            let outcome = stage.test(&json!({"do": misdeed})).unwrap();
            assert_eq!(outcome.statistic, 1.0, "call {call} met an instance that was used before");
        }
    };
}

#[track_caller]
fn trapped(fault: &PluginFault, part: &str) {
    let PluginFault::Trapped(text) = fault else { panic!("{fault:?}") };
    assert!(text.contains(part), "`{part}` is not in: {text}");
}

#[track_caller]
fn bad(fault: &PluginFault, parts: &[&str]) {
    let PluginFault::BadAnswer(text) = fault else { panic!("{fault:?}") };
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[test]
fn every_misdeed_has_its_test() {
    let stage = stage(5);
    let schema = stage.host.inspect("misbehaving").unwrap().config_schema;
    let mut known: Vec<&str> = schema["properties"]["do"]["enum"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let mut tested = TESTED.to_vec();
    known.sort_unstable();
    tested.sort_unstable();
    assert_eq!(tested, known, "left: tested here; right: what the guest can do");
}

#[test]
fn an_answer_over_the_limit_is_refused_without_being_copied() {
    // Here there is room to make the answer, and still none to return it.
    let cache = tempfile::tempdir().unwrap();
    let ceiling = Ceiling {
        memory: ByteSize(3 << 30),
        output: ByteSize(OUTPUT),
        call_timeout: Span(Duration::from_secs(20)),
        instances: 2,
        ..Ceiling::default()
    };
    let config = PluginsConfig { ceiling, cache: cache.path().to_owned(), ..PluginsConfig::default() };
    let runtime = Runtime::new().unwrap();
    let bundled = [Bundled { manifest: MISBEHAVING_MANIFEST, component: MISBEHAVING }];
    let host = runtime.block_on(PluginHost::open(config, &bundled)).unwrap();
    let stage = Stage { runtime, host, _cache: cache };
    let error = stage.baseline(&json!({"do": "return-1gb", "when": "baseline"})).expect_err("a gigabyte");
    let Error::Plugin { function, fault, .. } = error else { panic!("{error}") };
    assert_eq!((function.as_str(), fault), ("baseline", PluginFault::TooLarge(OUTPUT)));
    stage.behaves();
}

#[test]
fn misdeeds_one_after_another_cost_no_memory() {
    let stage = stage(100_000);
    stage.behaves();
    let before = process::resident_bytes(std::process::id());
    for _ in 0..10 {
        for misdeed in ["grow", "trap", "panic", "deep-recursion", "return-1gb", "nan"] {
            stage.test(&json!({"do": misdeed})).expect_err(misdeed);
        }
    }
    stage.behaves();
    let grown = process::resident_bytes(std::process::id()).saturating_sub(before);
    // Other tests run beside this one; what is looked for is a leak of 60 stores of 64 MiB.
    assert!(grown < 1 << 30, "60 faults left {} MiB behind", grown >> 20);
}

#[test]
fn a_plugin_that_fails_again_and_again_is_paused() {
    let stage = stage(3);
    let baseline = stage.baseline(&json!({})).unwrap();
    let test = stage.host.drift_test("misbehaving").unwrap();
    let config = stage.config(&json!({"do": "trap"}));
    for _ in 0..3 {
        let error = stage.runtime.block_on(test.test(&baseline, frame(&[1.0, 2.0]), &config)).expect_err("a trap");
        assert!(matches!(error, Error::Plugin { fault: PluginFault::Trapped(_), .. }), "{error}");
    }
    let error = stage.runtime.block_on(test.test(&baseline, frame(&[1.0, 2.0]), &config)).expect_err("a pause");
    assert!(matches!(error, Error::Plugin { fault: PluginFault::Paused(_), .. }), "{error}");
    let info = stage.host.inspect("misbehaving").unwrap();
    assert_eq!((info.state.as_str(), info.faults), ("paused", 3), "{info:?}");
    let honest = stage.config(&json!({}));
    bellwether_tests::eventually("the pause ends by itself", Duration::from_secs(10), || {
        stage.runtime.block_on(test.test(&baseline, frame(&[1.0, 2.0]), &honest)).ok()
    });
    assert_eq!(stage.host.inspect("misbehaving").unwrap().state, "active");
}

#[test]
fn calls_beyond_the_queue_are_refused_at_once() {
    let cache = tempfile::tempdir().unwrap();
    let ceiling = Ceiling { call_timeout: Span(TIMEOUT), concurrency: 1, queue: 2, instances: 2, faults: 1000, ..Ceiling::default() };
    let config = PluginsConfig { ceiling, cache: cache.path().to_owned(), ..PluginsConfig::default() };
    let runtime = Runtime::new().unwrap();
    let bundled = [Bundled { manifest: MISBEHAVING_MANIFEST, component: MISBEHAVING }];
    let host = runtime.block_on(PluginHost::open(config, &bundled)).unwrap();
    let stage = Stage { runtime, host, _cache: cache };
    let baseline = stage.baseline(&json!({})).unwrap();
    let config = stage.config(&json!({"do": "loop"}));
    let test = stage.host.drift_test("misbehaving").unwrap();
    let started = Instant::now();
    let outcomes = stage.runtime.block_on(async {
        let calls: Vec<_> = (0..6)
            .map(|_| {
                let (test, baseline, config) = (test.clone(), baseline.clone(), config.clone());
                tokio::spawn(async move { test.test(&baseline, frame(&[1.0, 2.0]), &config).await.expect_err("a loop") })
            })
            .collect();
        let mut outcomes = Vec::new();
        for call in calls {
            outcomes.push(call.await.unwrap());
        }
        outcomes
    });
    assert!(started.elapsed() < TIMEOUT * 2 + MARGIN, "waiting counts against a call's time: {:?}", started.elapsed());
    let overloaded = outcomes.iter().filter(|error| error.code() == "overloaded").count();
    assert!(overloaded >= 3, "1 runs, 2 wait, 3 are refused: {outcomes:?}");
    assert!(outcomes.iter().any(|error| matches!(error, Error::Plugin { fault: PluginFault::TimedOut(_), .. })), "{outcomes:?}");
    stage.behaves();
}

#[test]
fn a_caller_that_goes_away_ends_its_call() {
    let stage = stage(1000);
    let baseline = stage.baseline(&json!({})).unwrap();
    let config = stage.config(&json!({"do": "loop"}));
    let test = stage.host.drift_test("misbehaving").unwrap();
    let before = stage.host.inspect("misbehaving").unwrap().calls;
    stage.runtime.block_on(async {
        for _ in 0..8 {
            let call = test.test(&baseline, frame(&[1.0, 2.0]), &config);
            // Polled once, so that it runs, and dropped.
            tokio::select! {
                biased;
                outcome = call => panic!("a loop ended: {outcome:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
    });
    // Its 4 places would be taken for 400 ms each if dropping did not end the calls.
    let started = Instant::now();
    stage.behaves();
    assert!(started.elapsed() < TIMEOUT + MARGIN, "{:?}", started.elapsed());
    assert!(stage.host.inspect("misbehaving").unwrap().calls > before);
}
