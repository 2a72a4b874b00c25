//! Memory that is allocated once: 32-bit numbers that begin on a cache line, so that wide loads never straddle two.

use std::ops::{Deref, DerefMut};

/// Numbers per cache line of 64 bytes.
const LINE: usize = 16;

/// A fixed number of numbers, all zero at first.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    memory: Vec<f32>,
    first: usize,
    length: usize,
}

impl Arena {
    /// Allocates `length` zeros.
    pub(crate) fn zeros(length: usize) -> Arena {
        if length == 0 {
            return Arena::default();
        }
        let memory = vec![0.0; length + LINE - 1];
        let first = memory.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE - 1);
        Arena { memory, first, length }
    }

    /// Bytes it takes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.memory.capacity() * size_of::<f32>()
    }
}

impl Deref for Arena {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.memory[self.first..self.first + self.length]
    }
}

impl DerefMut for Arena {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.memory[self.first..self.first + self.length]
    }
}

/// A length rounded up to whole cache lines: parts of this length keep the alignment of the one before.
pub(crate) fn lines(length: usize) -> usize {
    length.next_multiple_of(LINE)
}

/// Cuts the first `lines(length)` numbers off `rest` and gives `length` of them.
pub(crate) fn cut<'a>(rest: &mut &'a mut [f32], length: usize) -> &'a mut [f32] {
    let (part, left) = std::mem::take(rest).split_at_mut(lines(length));
    *rest = left;
    &mut part[..length]
}
