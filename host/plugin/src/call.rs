//! One call of a guest: admission, a store of its own, its end, and the name of what went wrong.
//!
//! A call waits for a place of its plugin and one among all calls, in a bounded queue; the wait counts against its time.
//! It runs on the plugin threads; the caller only waits for its answer, and dropping that wait cancels the call within a
//! tick. Of a function that has been quick, as most calls are, the first turn is taken on the caller's thread, which saves
//! the way to another and back; a turn ends with the tick, and what is not done by then goes on where the others run.
//! Whatever happens to a call happens to its store alone, which is dropped before its places are given back.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use bellwether_domain::error::PluginFault;
use bellwether_domain::{Error, Result};
use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tracing::Instrument;
use wasmtime::{Store, Trap};

use crate::bindings::base::bellwether::types::common::Error as GuestError;
use crate::breaker::{Breaker, Leave};
use crate::engine::Core;
use crate::limits::Limits;
use crate::meter::{Meter, Outcome};
use crate::model::GuestProgress;
use crate::state::{Identity, State, store};
use crate::text::cut;

/// Time past the deadline after which a call is given up although the guest was not interrupted: it waits in a host call.
const GRACE: Duration = Duration::from_millis(250);

/// Calls within which a component that was just taken up must not fail in a row, else the one before it serves again.
const FIRST_CALLS: u64 = 100;

/// What the calls of a function may take on average for its next one to begin on the caller's thread: ten times what the
/// way to a thread that sleeps and back costs.
const QUICK: Duration = Duration::from_micros(200);

/// Longest message taken from a guest, in bytes.
const MESSAGE: usize = 4 << 10;

/// One plugin instance as something that can be called.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) core: Arc<Core>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) limits: Limits,
    places: Arc<Semaphore>,
    waiting: AtomicU32,
    breaker: Arc<Breaker>,
    /// Calls of this very component.
    calls: AtomicU64,
    most_memory: AtomicU64,
    /// It failed in a row within its first calls.
    failed_at_first: AtomicBool,
    meter: Arc<Meter>,
}

/// Which call, and what it is lent beside its arguments.
pub(crate) struct Call {
    pub(crate) function: &'static str,
    pub(crate) timeout: Duration,
    pub(crate) seed: u64,
    pub(crate) progress: Option<GuestProgress>,
}

/// What a guest's answer comes to: outside, whether the call went through; inside, whether the answer is one.
pub(crate) type Ran<T> = wasmtime::Result<Result<T, PluginFault>>;

type Places = (OwnedSemaphorePermit, OwnedSemaphorePermit);

impl Unit {
    pub(crate) fn new(core: Arc<Core>, identity: Arc<Identity>, limits: Limits) -> Arc<Unit> {
        Unit::counted_by(core, identity, limits, Arc::default())
    }

    /// One whose calls are counted together with those of earlier components of the same instance.
    pub(crate) fn counted_by(core: Arc<Core>, identity: Arc<Identity>, limits: Limits, meter: Arc<Meter>) -> Arc<Unit> {
        Arc::new(Unit {
            places: Arc::new(Semaphore::new(limits.concurrency as usize)),
            waiting: AtomicU32::new(0),
            breaker: Breaker::new(limits.faults),
            calls: AtomicU64::new(0),
            most_memory: AtomicU64::new(0),
            failed_at_first: AtomicBool::new(false),
            meter,
            core,
            identity,
            limits,
        })
    }

    /// The instance's name.
    pub(crate) fn name(&self) -> &str {
        &self.identity.name
    }

    /// Whether the component stands its first calls: none while that is open.
    pub(crate) fn stands(&self) -> Option<bool> {
        if self.failed_at_first.load(Ordering::Acquire) {
            return Some(false);
        }
        (self.calls.load(Ordering::Relaxed) > FIRST_CALLS).then_some(true)
    }

    /// Calls that wait.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Most linear memory of any call so far, in bytes.
    pub(crate) fn most_memory(&self) -> u64 {
        self.most_memory.load(Ordering::Relaxed)
    }

    /// Seconds of pause left, if it is paused.
    pub(crate) fn paused(&self) -> Option<u64> {
        self.breaker.paused(Instant::now())
    }

    /// An ordinary call of `function`.
    pub(crate) fn ordinary(&self, function: &'static str) -> Call {
        Call { function, timeout: self.limits.call_timeout, seed: 0, progress: None }
    }

    /// Calls the guest: `run` instantiates it in the store it is given, calls one export and judges the answer.
    pub(crate) async fn call<T, F>(self: &Arc<Self>, call: Call, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Store<State>) -> BoxFuture<'a, Ran<T>> + Send + 'static,
    {
        if self.core.is_closed() {
            return Err(Error::Unavailable(format!("plugin `{}` takes no calls: the host is closing", self.name())));
        }
        let started = Instant::now();
        let function = call.function;
        let named = |fault| Error::Plugin { plugin: self.name().to_owned(), function: function.to_owned(), fault };
        let refused = |error: Error| {
            self.meter.count(function, Outcome::Refused, started.elapsed());
            error
        };
        let leave = self.breaker.admit(started).map_err(|seconds| refused(named(PluginFault::Paused(seconds))))?;
        let places = self.places_now();
        let waiting = if places.is_some() { None } else { Some(Waiting::new(self).map_err(refused)?) };

        let unit = self.clone();
        let span = tracing::info_span!(
            "plugin call",
            plugin.name = self.name(),
            plugin.function = function,
            outcome = tracing::field::Empty,
            duration_us = tracing::field::Empty
        );
        let task = async move {
            let deadline = started + call.timeout;
            let places = match places {
                Some(places) => places,
                None => unit.places_by(deadline, waiting).await.inspect_err(|error| {
                    unit.note(function, Outcome::Refused, started.elapsed(), &error.to_string());
                })?,
            };
            let (under_way, began) = (UnderWay::new(&unit), Instant::now());
            let ran = unit.run(call, deadline, run).await;
            unit.meter.took(function, began.elapsed());
            drop(under_way);
            drop(places);
            let (outcome, time) = (ran.as_ref().map_or_else(Outcome::of, |_| Outcome::Ok), started.elapsed());
            let span = tracing::Span::current();
            span.record("outcome", outcome.name()).record("duration_us", u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
            match &ran {
                Ok(_) => {
                    unit.meter.count(function, outcome, time);
                    leave.succeeded();
                }
                Err(fault) => {
                    unit.note(function, outcome, time, &fault.to_string());
                    unit.judge(leave, function, fault);
                }
            }
            ran.map_err(|fault| Error::Plugin { plugin: unit.name().to_owned(), function: function.to_owned(), fault })
        };
        let mut task = Box::pin(task.instrument(span));
        let panicked = || Err(Error::internal(format!("a host function panicked in a call of plugin `{}`", self.name())));
        if self.meter.usual(function).is_some_and(|time| time <= QUICK) {
            match self.first_turn(task.as_mut()).await {
                Ok(Poll::Ready(answer)) => return answer,
                Ok(Poll::Pending) => {}
                Err(_) => return panicked(),
            }
        }
        let mut task = CancelOnDrop(self.core.runtime().spawn(task));
        match (&mut task.0).await {
            Ok(answer) => answer,
            Err(error) if error.is_panic() => panicked(),
            Err(_) => Err(Error::Unavailable(format!("the call of plugin `{}` was cancelled: the host is closing", self.name()))),
        }
    }

    /// Polls a call once, as if on a plugin thread: what it waits for there must not end with the caller's runtime.
    async fn first_turn<T>(&self, mut task: Pin<&mut (impl Future<Output = T> + Send)>) -> Result<Poll<T>, Box<dyn Any + Send>> {
        std::future::poll_fn(|context| {
            let _here = self.core.runtime().enter();
            Poll::Ready(catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(context))))
        })
        .await
    }

    /// Counts and remembers what went wrong.
    fn note(&self, function: &str, outcome: Outcome, time: Duration, message: &str) {
        self.meter.count(function, outcome, time);
        self.meter.remember(self.core.now_ms.map_or(0, |now| now()), function, outcome, message);
    }

    /// A fault counts against the plugin, an error it answered does not.
    fn judge(&self, leave: Leave, function: &str, fault: &PluginFault) {
        if matches!(fault, PluginFault::Answered(..)) {
            return leave.succeeded();
        }
        if matches!(fault, PluginFault::BadAnswer(_)) {
            self.meter.bad_answer();
        }
        tracing::warn!(plugin.name = self.name(), plugin.function = function, "plugin fault: {fault}");
        if leave.failed(Instant::now()) && self.calls.load(Ordering::Relaxed) <= FIRST_CALLS {
            self.failed_at_first.store(true, Ordering::Release);
        }
    }

    /// Places free this moment. The queue is first come, first served: with others waiting there is none.
    fn places_now(&self) -> Option<Places> {
        let own = self.places.clone().try_acquire_owned().ok()?;
        let shared = self.core.permits.clone().try_acquire_owned().ok()?;
        Some((own, shared))
    }

    async fn places_by(&self, deadline: Instant, waiting: Option<Waiting>) -> Result<Places> {
        let closing = || Error::Unavailable(format!("plugin `{}` takes no calls: the host is closing", self.name()));
        let both = async {
            let own = self.places.clone().acquire_owned().await.map_err(|_| closing())?;
            let shared = self.core.permits.clone().acquire_owned().await.map_err(|_| closing())?;
            Ok((own, shared))
        };
        let places = tokio::time::timeout_at(deadline.into(), both).await;
        drop(waiting);
        places.unwrap_or_else(|_| {
            Err(Error::Overloaded(format!(
                "plugin `{}` had no free place within its time limit of {} ms; it runs {} calls at once",
                self.name(),
                self.limits.call_timeout.as_millis(),
                self.limits.concurrency,
            )))
        })
    }

    async fn run<T, F>(&self, call: Call, deadline: Instant, run: F) -> Result<T, PluginFault>
    where
        F: for<'a> FnOnce(&'a mut Store<State>) -> BoxFuture<'a, Ran<T>>,
    {
        let limit_ms = u64::try_from(call.timeout.as_millis()).unwrap_or(u64::MAX);
        let mut store = store(&self.core, &self.identity, &self.limits, deadline, call.seed, call.progress);
        self.core.counters.instances.fetch_add(1, Ordering::Relaxed);
        let ran = tokio::time::timeout_at((deadline + GRACE).into(), run(&mut store)).await;
        self.most_memory.fetch_max(store.data().accountant.memory(), Ordering::Relaxed);
        if let Some(refusal) = store.data().refusal() {
            tracing::warn!(plugin.name = self.name(), "{refusal}");
            self.meter.remember(self.core.now_ms.map_or(0, |now| now()), call.function, Outcome::Refused, &refusal);
        }
        match ran {
            Ok(Ok(Err(PluginFault::Answered(code, message)))) => Err(PluginFault::Answered(code, store.data().with_refusal(message))),
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Err(classify(&error, store.data(), &self.limits, limit_ms)),
            Err(_) => Err(PluginFault::TimedOut(limit_ms)),
        }
    }
}

/// A call that runs, also if it is dropped before its end.
struct UnderWay<'a>(&'a Unit);

impl UnderWay<'_> {
    fn new(unit: &Unit) -> UnderWay<'_> {
        unit.calls.fetch_add(1, Ordering::Relaxed);
        unit.meter.began();
        UnderWay(unit)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.meter.left();
    }
}

/// A call in the queue.
struct Waiting(Arc<Unit>);

impl Waiting {
    fn new(unit: &Arc<Unit>) -> Result<Waiting> {
        let before = unit.waiting.fetch_add(1, Ordering::AcqRel);
        let waiting = Waiting(unit.clone());
        if before < unit.limits.queue {
            return Ok(waiting);
        }
        Err(Error::Overloaded(format!(
            "plugin `{}` is at its bound: {} calls run at once and {} more wait (plugins.ceiling.queue)",
            unit.name(),
            unit.limits.concurrency,
            unit.limits.queue
        )))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The caller's hold on its call: letting go ends it.
struct CancelOnDrop<T>(JoinHandle<T>);

impl<T> Drop for CancelOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Names the failure of a call that did not go through.
fn classify(error: &wasmtime::Error, state: &State, limits: &Limits, limit_ms: u64) -> PluginFault {
    if state.accountant.out_of_memory {
        return PluginFault::OutOfMemory(limits.memory);
    }
    if state.accountant.out_of_tables {
        return PluginFault::OutOfTables(u64::from(limits.table_elements));
    }
    if let Some(most) = state.host_calls.exceeded() {
        return PluginFault::TooManyCalls(most);
    }
    if matches!(error.downcast_ref::<Trap>(), Some(Trap::Interrupt)) {
        return PluginFault::TimedOut(limit_ms);
    }
    let cause = error.root_cause().to_string();
    // wasmtime has no type for this one.
    if cause.contains("fuel allocated for hostcalls") {
        return PluginFault::TooLarge(limits.output);
    }
    let cause = cause.strip_prefix("wasm trap: ").unwrap_or(&cause);
    let told = state.last_words.as_deref().map(|words| format!("; its last words: {words}")).unwrap_or_default();
    PluginFault::Trapped(cut(&state.with_refusal(format!("{cause}{told}")), MESSAGE))
}

/// An error the guest answered: its code and its message.
pub(crate) fn answered(error: GuestError) -> PluginFault {
    let (code, message) = match error {
        GuestError::InvalidConfig(message) => ("invalid-config".to_owned(), message),
        GuestError::InvalidInput(message) => ("invalid-input".to_owned(), message),
        GuestError::Unsupported(message) => ("unsupported".to_owned(), message),
        GuestError::Transient(message) => ("transient".to_owned(), message),
        GuestError::Internal(message) => ("internal".to_owned(), message),
        GuestError::Other((code, message)) => (cut(&code, 64), message),
    };
    PluginFault::Answered(code, cut(&message, MESSAGE))
}

/// An answer that breaks the contract.
pub(crate) fn bad(why: impl Into<String>) -> PluginFault {
    PluginFault::BadAnswer(why.into())
}

/// The number, if it is finite.
pub(crate) fn finite(name: &str, value: f64) -> Result<f64, PluginFault> {
    if value.is_finite() { Ok(value) } else { Err(bad(format!("`{name}` is {value}; it must be finite"))) }
}

/// The JSON document in a text the guest gave; it must be an object.
pub(crate) fn json_object(name: &str, text: &str) -> Result<serde_json::Value, PluginFault> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| bad(format!("`{name}` is not JSON: {error}")))?;
    if value.is_object() { Ok(value) } else { Err(bad(format!("`{name}` is not a JSON object"))) }
}
