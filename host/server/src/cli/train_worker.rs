//! `bellwether train-worker`: the child process that trains one job. Hidden; started by a host.
//!
//! Standard input carries one order and then stays open as long as the host lives: its end, like the death of the parent,
//! ends the worker at once. Standard output carries events, one JSON document per line. Nothing is lost by an abrupt end:
//! the artifact is written whole or not at all.

use std::io::{Read, Write};

use bellwether_engine::worker::{self, Event, Order};
use rustix::process::Signal;

use super::Failure;
use crate::running;

/// How much lower than the host's the worker's priority is: predictions come first.
const NICENESS: i32 = 10;

/// Exit code of a worker whose host is gone. Nobody reads it but a debugger.
const ORPHANED: i32 = 9;

pub(crate) async fn perform() -> Result<(), Failure> {
    // Both are comforts: without them a worker is in the way of predictions, or notices the host's end by its pipe only.
    if let Err(error) = rustix::process::nice(NICENESS) {
        eprintln!("the worker keeps the host's priority: {error}");
    }
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(Signal::KILL)) {
        eprintln!("the worker will not be told when the host dies: {error}");
    }
    let order = read_order()?;
    let mut emit = |event: Event| {
        let mut line = serde_json::to_vec(&event).expect("events are plain data");
        line.push(b'\n');
        let mut out = std::io::stdout().lock();
        out.write_all(&line).and_then(|()| out.flush()).is_ok()
    };
    // What went wrong is said by the last event already; the exit code repeats it.
    worker::perform(order, &running::bundled(), &mut emit).await.map_err(Failure::from)
}

/// Reads the order, then leaves a thread that waits for the end of the input.
fn read_order() -> Result<Order, Failure> {
    let mut orders = serde_json::Deserializer::from_reader(std::io::stdin()).into_iter::<Order>();
    let order = match orders.next() {
        Some(Ok(order)) => order,
        Some(Err(error)) => return Err(Failure::Usage(format!("standard input is no order: {error}"))),
        None => return Err(Failure::Usage("a host starts this command and writes an order to its standard input".to_owned())),
    };
    std::thread::spawn(|| {
        let mut rest = [0; 256];
        while std::io::stdin().lock().read(&mut rest).is_ok_and(|read| read > 0) {}
        std::process::exit(ORPHANED);
    });
    Ok(order)
}
