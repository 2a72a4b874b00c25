//! What all plugins share: one wasmtime engine, one linker, the threads guests run on, and the bound on calls in all.
//!
//! Guests run on a Tokio runtime of their own, so that a guest that computes for seconds takes no turn away from HTTP.
//! The epoch that lets the host interrupt a guest is ticked by a plain thread: a ticker that is itself a task would starve
//! with the tasks it is meant to stop. Pooling reserves address space for every instance once; where the machine gives
//! too little of it, instances are made on demand, which only costs time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bellwether_domain::{Error, Result};
use serde::Serialize;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, PoolingAllocationConfig};

use crate::bindings::base::Base;
use crate::config::{Ceiling, PluginsConfig, Signatures, Trusted};
use crate::signature::check_trust;
use crate::state::State;

/// Time between epochs: how late a time-out or a cancel may be noticed.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// Slots of the pool above the number of calls: a slot is returned a moment after its call ended.
const POOL_MARGIN: u32 = 4;

/// Memories of one component.
const MEMORIES: u32 = 2;

/// Tables of one component.
const TABLES: u32 = 16;

/// What was done for all plugins since the host opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct HostCounters {
    /// Instances made: one per call.
    pub instances: u64,
    /// Calls under way, of all plugins.
    pub running: u32,
    /// Components that were compiled.
    pub compiled: u64,
    /// Components that the cache had.
    pub cached: u64,
    /// Components taken up in place of one that served.
    pub reloaded: u64,
}

/// The counting behind [`HostCounters`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) instances: AtomicU64,
    pub(crate) compiled: AtomicU64,
    pub(crate) cached: AtomicU64,
    pub(crate) reloaded: AtomicU64,
}

/// What all plugins share.
pub(crate) struct Core {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<State>,
    /// One permit per call of any plugin.
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) ceiling: Ceiling,
    pub(crate) signatures: Signatures,
    pub(crate) trust: Arc<[Trusted]>,
    pub(crate) counters: Counters,
    /// The time for plugins granted one.
    pub(crate) now_ms: Option<fn() -> i64>,
    /// Taken only when the core is dropped.
    runtime: Option<Runtime>,
    closed: AtomicBool,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("ceiling", &self.ceiling).finish_non_exhaustive()
    }
}

impl Core {
    pub(crate) fn new(config: &PluginsConfig) -> Result<Arc<Core>> {
        check_trust(&config.trust)?;
        let engine = engine(&config.ceiling)?;
        let linker = linker(&engine).map_err(|error| Error::internal(format!("host interfaces cannot be linked: {error:#}")))?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(cores)
            .thread_name("plugin")
            .enable_all()
            .build()
            .map_err(|error| Error::internal(format!("plugin threads cannot start: {error}")))?;
        tick(&engine)?;
        Ok(Arc::new(Core {
            permits: Arc::new(Semaphore::new(config.ceiling.instances as usize)),
            engine,
            linker,
            ceiling: config.ceiling.clone(),
            signatures: config.signatures,
            trust: config.trust.clone().into(),
            counters: Counters::default(),
            now_ms: config.now_ms,
            runtime: Some(runtime),
            closed: AtomicBool::new(false),
        }))
    }

    /// The plugin threads.
    pub(crate) fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("only `drop` takes it")
    }

    /// What was done so far.
    pub(crate) fn counted(&self) -> HostCounters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let free = u32::try_from(self.permits.available_permits()).unwrap_or(u32::MAX);
        HostCounters {
            instances: read(&self.counters.instances),
            running: self.ceiling.instances.saturating_sub(free),
            compiled: read(&self.counters.compiled),
            cached: read(&self.counters.cached),
            reloaded: read(&self.counters.reloaded),
        }
    }

    /// True once no call is taken any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Takes no more calls; waits for those under way up to the call time-out.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // Whoever holds every permit knows that no call is under way.
        let all = self.permits.acquire_many(self.ceiling.instances);
        if tokio::time::timeout(self.ceiling.call_timeout.0, all).await.is_err() {
            tracing::warn!("plugin calls were still under way when the host closed; they are dropped");
        }
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // The last owner may be an async task, where waiting for threads would panic.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    Base::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    // Guests that import WASI get one that has nothing: no files, arguments, environment, network, standard streams.
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    Ok(linker)
}

fn engine(ceiling: &Ceiling) -> Result<Engine> {
    let roomy = Engine::new(base_config().allocation_strategy(pool(ceiling)));
    let engine = match roomy {
        Ok(engine) => Ok(engine),
        Err(error) => {
            tracing::debug!("no room for full-size plugin slots ({error:#}); trying slots of the memory ceiling");
            let mut config = base_config();
            config.memory_reservation(ceiling.memory.0).memory_guard_size(64 << 10);
            Engine::new(config.allocation_strategy(pool(ceiling)))
        }
    };
    engine
        .or_else(|error| {
            tracing::warn!("plugin instances cannot be pooled ({error:#}); they are made on demand, which is slower");
            Engine::new(&base_config())
        })
        .map_err(|error| Error::internal(format!("the plugin engine cannot start: {error:#}")))
}

fn base_config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .concurrency_support(false)
        .wasm_memory64(false)
        // The same arguments give the same answer on every processor, down to the bits of a NaN.
        .relaxed_simd_deterministic(true)
        .cranelift_nan_canonicalization(true)
        .max_wasm_stack(1 << 20)
        .async_stack_size(2 << 20);
    config
}

fn pool(ceiling: &Ceiling) -> PoolingAllocationConfig {
    let slots = ceiling.instances + POOL_MARGIN;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_stacks(slots)
        // Components of dynamic languages hold forty core instances and several tables.
        .total_core_instances(slots.saturating_mul(64))
        .max_core_instance_size(4 << 20)
        .max_component_instance_size(4 << 20)
        .total_memories(slots.saturating_mul(MEMORIES))
        .total_tables(slots.saturating_mul(TABLES))
        // One component's share, so that none can take another's.
        .max_core_instances_per_component(64)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_tables_per_module(TABLES)
        .max_memories_per_module(MEMORIES)
        .table_elements(40_000)
        .max_memory_size(usize::try_from(ceiling.memory.0).unwrap_or(usize::MAX));
    // What a call wrote is zeroed in place rather than given back to the kernel and faulted in again: half the cost of a
    // call. Where the kernel can say which pages those are (Linux 6.7), much can be kept; else all that is kept is zeroed.
    let keep = if kernel_tells_written_pages() { 1 << 20 } else { 64 << 10 };
    pool.pagemap_scan(Enabled::Auto).linear_memory_keep_resident(keep).table_keep_resident(64 << 10).async_stack_keep_resident(64 << 10);
    pool
}

#[cfg(target_os = "linux")]
fn kernel_tells_written_pages() -> bool {
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy();
    let mut numbers = release.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (6, 7)
}

#[cfg(not(target_os = "linux"))]
fn kernel_tells_written_pages() -> bool {
    false
}

fn tick(engine: &Engine) -> Result<()> {
    let weak = engine.weak();
    let ticker = std::thread::Builder::new().name("plugin-ticks".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(TICK);
            match weak.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => break,
            }
        }
    });
    ticker.map(drop).map_err(|error| Error::internal(format!("the plugin clock cannot start: {error}")))
}
