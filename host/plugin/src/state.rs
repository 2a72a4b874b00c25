//! What one call's store holds: the instance it runs for, lent resources, WASI with nothing in it, and the call's bounds.
//!
//! A store lives for one call. Nothing in it outlives a trap, a time-out or a cancel, so none of them can spoil another call.

use std::sync::Arc;
use std::time::Instant;

use rand_chacha::ChaCha8Rng;
use wasmtime::component::ResourceTable;
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::engine::Core;
use crate::grant::Granted;
use crate::host::log::LogGate;
use crate::host::wasi;
use crate::http::{Outgoing, Refusal};
use crate::limits::{Accountant, Limits};
use crate::model::GuestProgress;

/// Bytes of header fields a guest may hold.
const FIELDS: usize = 32 << 10;

/// Resources a guest may hold at once.
const HANDLES: usize = 10_000;

/// What the host interfaces need to know of the instance a call is made for.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) granted: Granted,
    pub(crate) log: LogGate,
    pub(crate) now_ms: Option<fn() -> i64>,
}

/// The data of one call's store.
pub(crate) struct State {
    pub(crate) identity: Arc<Identity>,
    pub(crate) accountant: Accountant,
    pub(crate) table: ResourceTable,
    pub(crate) seed: u64,
    /// Made from the seed at the first draw.
    pub(crate) dice: Option<ChaCha8Rng>,
    pub(crate) progress: Option<GuestProgress>,
    /// The guest's last line at level error: said beside a trap, which by itself says little.
    pub(crate) last_words: Option<String>,
    /// Host functions called so far.
    pub(crate) host_calls: Tally,
    /// When the call must have ended.
    pub(crate) deadline: Instant,
    /// Made at the first use: most guests import no WASI.
    wasi: Option<WasiCtx>,
    http: WasiHttpCtx,
    outgoing: Outgoing,
}

/// Counts calls of host functions within one call.
#[derive(Debug)]
pub(crate) struct Tally {
    most: u64,
    left: u64,
    exceeded: bool,
}

impl Tally {
    pub(crate) fn new(most: u64) -> Tally {
        Tally { most, left: most, exceeded: false }
    }

    /// Takes one more; an error beyond the bound.
    pub(crate) fn one_more(&mut self) -> wasmtime::Result<()> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.exceeded = true;
                Err(wasmtime::Error::msg(format!("more than {} calls of host functions in one call", self.most)))
            }
        }
    }

    /// The bound, if more was asked for.
    pub(crate) fn exceeded(&self) -> Option<u64> {
        self.exceeded.then_some(self.most)
    }
}

impl State {
    /// What the host refused the guest in this call, and the line that would grant it.
    pub(crate) fn refusal(&self) -> Option<String> {
        let Refusal { what, grant } = self.outgoing.refusal()?;
        let name = &self.identity.name;
        Some(format!("the host refused {what}; to allow it, say `grant.http = [\"{grant}\"]` in a [[plugins.instance]] named `{name}`"))
    }

    /// A guest's text, with what the host refused it in this call behind it.
    pub(crate) fn with_refusal(&self, text: String) -> String {
        self.refusal().map_or(text.clone(), |refusal| format!("{text}; {refusal}"))
    }
}

/// A fresh store for one call that must end by `deadline`.
pub(crate) fn store(
    core: &Core,
    identity: &Arc<Identity>,
    limits: &Limits,
    deadline: Instant,
    seed: u64,
    progress: Option<GuestProgress>,
) -> Store<State> {
    let mut table = ResourceTable::new();
    table.set_max_capacity(HANDLES);
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(FIELDS);
    let state = State {
        identity: identity.clone(),
        accountant: Accountant::new(limits.memory, limits.table_elements),
        table,
        seed,
        dice: None,
        progress,
        last_words: None,
        host_calls: Tally::new(limits.host_calls_in(deadline.saturating_duration_since(Instant::now()))),
        deadline,
        wasi: None,
        http,
        outgoing: Outgoing::new(identity.granted.http.clone(), deadline, limits.output),
    };
    let mut store = Store::new(&core.engine, state);
    store.limiter(|state| &mut state.accountant);
    store.set_hostcall_fuel(usize::try_from(limits.output).unwrap_or(usize::MAX));
    store.set_max_component_handles(HANDLES);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|context| {
        if Instant::now() >= context.data().deadline {
            return Ok(UpdateDeadline::Interrupt);
        }
        // Here other calls get their turn, and a cancelled one ends: its task is dropped at this await.
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    });
    store
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (seed, identity) = (self.seed, &self.identity);
        let ctx = self.wasi.get_or_insert_with(|| {
            // Who may talk to others measures how long they take; for everybody else time is what they make of it.
            wasi::empty(seed, identity.now_ms.filter(|_| identity.granted.clock), identity.granted.http.is_some())
        });
        WasiCtxView { ctx, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}
