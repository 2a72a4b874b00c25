//! Serving: a program with its weights packed once, and memory lent to each caller.
//!
//! Memory comes from a small pool, so a prediction allocates only its answer. Windows are computed in batches that fit the
//! processor's cache; a window has the same bits in any company.

use std::sync::{Mutex, PoisonError};

use bellwether_domain::job::Precision;

use crate::arena::Arena;
use crate::layer::Purpose;
use crate::plan::Plan;
use crate::program::{Memory, Program};

/// Most windows computed together.
const ROWS_MAX: usize = 64;
/// Most bytes of memory for one batch, where one window does not take more.
const BYTES_MAX: usize = 8 << 20;
/// Most memories of each size kept for later calls; more callers at once than this allocate their own.
const KEPT: usize = 16;

/// Everything serving needs besides the plan and the plain weights.
#[derive(Debug)]
pub(crate) struct Forward {
    program: Program,
    packed: Arena,
    /// Windows in a batch.
    rows: usize,
    /// Memories for one window, and for a batch.
    idle: [Mutex<Vec<Memory>>; 2],
}

impl Forward {
    pub(crate) fn new(plan: &Plan, weights: &[f32]) -> Forward {
        let program = Program::new(plan, Purpose::Serve, Precision::F32);
        let mut packed = program.packed();
        program.pack(weights, &mut packed);
        let one = program.memory_bytes(plan, 1).max(1);
        let rows = (BYTES_MAX / one).clamp(1, ROWS_MAX);
        Forward { program, packed, rows, idle: [Mutex::default(), Mutex::default()] }
    }

    /// Every output of `count` windows, each [window, width]. The caller has checked the lengths.
    pub(crate) fn run(&self, plan: &Plan, weights: &[f32], windows: &[f32], count: usize) -> Vec<Vec<f32>> {
        let rows = if count == 1 { 1 } else { self.rows };
        let idle = &self.idle[usize::from(rows > 1)];
        let lent = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut memory = lent.unwrap_or_else(|| self.program.memory(plan, rows));
        let width = |head: &usize| plan.steps[*head].shape.iter().product::<usize>();
        let mut answers: Vec<Vec<f32>> = plan.heads.iter().map(|head| Vec::with_capacity(count * width(head))).collect();
        let window = plan.window[0] * plan.window[1];
        for batch in windows.chunks(rows * window) {
            let rows = batch.len() / window;
            self.program.input(plan, &mut memory, rows).copy_from_slice(batch);
            self.program.forward(weights, &self.packed, &mut memory, rows, Purpose::Serve, None);
            for (answer, head) in answers.iter_mut().zip(&plan.heads) {
                answer.extend_from_slice(self.program.value(&memory, *head, rows));
            }
        }
        let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(memory);
        }
        answers
    }

    /// Bytes of packed weights and of the memory of one full batch.
    pub(crate) fn size_bytes(&self, plan: &Plan) -> usize {
        self.packed.size_bytes() + self.program.memory_bytes(plan, self.rows)
    }
}
