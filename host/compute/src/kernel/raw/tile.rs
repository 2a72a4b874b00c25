//! The register tile: rows by panels of a product of matrices whose sums stay in registers over all of k.
//!
//! One loop for AVX-512, one for AVX2 with FMA, and plain Rust; [`Tile::run`] checks every bound once and cuts any number of
//! rows into tiles. [`Tile::run_as`] does the same where a number of A and of B is a [`pair`] of bf16, two steps of k, with
//! AVX-512's instruction for them or plain Rust: the same bits, but that the instruction takes what is below 2⁻¹²⁶ as zero.
//! Knows strides, not what they mean.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m512, __m512bh, _mm512_dpbf16_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
};

use crate::kernel::raw::{LANES, PLAIN_FUSED, fused};
#[cfg(target_arch = "x86_64")]
use crate::kernel::raw::{has_pairs, has_wide, has_widest};

/// Panels a tile has at most.
pub(crate) const PANELS: usize = 4;

/// A, whose element (i, k) is `values[i + step·k]` if `flipped`, else `values[row·i + k]`; k runs over `groups` of `depth`
/// that begin `group` apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) flipped: bool,
    /// Distance of rows, or if flipped of steps of k.
    pub(crate) stride: usize,
    pub(crate) group: usize,
}

/// B, whose element (k, j) is `values[step·k + j]`, grouped as A is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Right<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) step: usize,
    pub(crate) group: usize,
}

/// Rows of panels: number l of panel p in row i is `values[row·i + panel·p + l]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panels<T> {
    pub(crate) values: T,
    pub(crate) row: usize,
    pub(crate) panel: usize,
}

/// What a product is added to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// Nothing.
    Zero,
    /// What C holds.
    Given,
    /// Something else.
    From(Panels<&'a [f32]>),
}

/// C = origin + A·B for any number of rows and at most four panels, as tiles that stay in registers. Every number of C is one
/// chain of multiply-adds over k in order.
#[derive(Debug)]
pub(crate) struct Tile<'a> {
    pub(crate) left: Left<'a>,
    pub(crate) right: Right<'a>,
    /// Steps of k in a group.
    pub(crate) depth: usize,
    pub(crate) groups: usize,
    pub(crate) origin: Origin<'a>,
    pub(crate) to: Panels<&'a mut [f32]>,
}

/// How far B, origin and C move on between one product and the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Repeat {
    pub(crate) count: usize,
    pub(crate) right: usize,
    /// Of an origin that is something else.
    pub(crate) origin: usize,
    pub(crate) to: usize,
}

impl Repeat {
    /// A single product.
    pub(crate) const ONCE: Repeat = Repeat { count: 1, right: 0, origin: 0, to: 0 };
}

/// Most rows of a tile of so many panels that stay in registers.
#[inline]
pub(crate) fn most_rows(panels: usize) -> usize {
    if panels == PANELS { 6 } else { 8 }
}

/// Two numbers rounded to bf16 (to the nearest, ties to even) in the bits of one: the first in the lower half. What is no number
/// stays none. Such a pair may be moved, and nothing else.
#[inline(always)]
pub(crate) fn pair(first: f32, second: f32) -> f32 {
    let rounded = |value: f32| {
        let bits = value.to_bits();
        let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
        (if value.is_nan() { bits | 0x40_0000 } else { nearest }) & 0xffff_0000
    };
    f32::from_bits(rounded(first) >> 16 | rounded(second))
}

/// The two numbers of a pair.
#[inline(always)]
pub(crate) fn halves(pair: f32) -> [f32; 2] {
    [f32::from_bits(pair.to_bits() << 16), f32::from_bits(pair.to_bits() & 0xffff_0000)]
}

/// Cuts `rows` into as few tiles of at most `most` rows as possible, as even as possible: (first, count).
#[inline]
pub(crate) fn tiles(rows: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = if rows <= most { rows.min(1) } else { rows.div_ceil(most) };
    let (size, larger) = if count <= 1 { (rows, 0) } else { (rows / count, rows % count) };
    (0..count).map(move |tile| (tile * size + tile.min(larger), size + usize::from(tile < larger)))
}

/// One past the farthest of numbers that lie in nested strides, then `more` in a row; the largest number if that is beyond
/// all memory.
#[inline(always)]
fn reach<const N: usize>(strides: [(usize, usize); N], more: usize) -> usize {
    strides.iter().fold(more, |sum, (count, stride)| sum.saturating_add(count.saturating_sub(1).saturating_mul(*stride)))
}

impl Tile<'_> {
    /// Computes the tiles. Panics if they reach past a slice.
    #[inline]
    pub(crate) fn run(self, rows: usize, panels: usize) {
        self.run_as::<false>(rows, panels, Repeat::ONCE);
    }

    /// Computes the tiles several times from the same A, with B, origin and C moving on. Panics as [`Tile::run`].
    #[inline]
    pub(crate) fn run_each(self, rows: usize, panels: usize, repeat: Repeat) {
        self.run_as::<false>(rows, panels, repeat);
    }

    /// [`Tile::run_each`]; with `PAIRS` a number of A and of B is a pair, and of a pair the second number is taken first.
    #[inline]
    pub(crate) fn run_as<const PAIRS: bool>(self, rows: usize, panels: usize, repeat: Repeat) {
        let Tile { left, right, depth, groups, origin, to } = self;
        let (a_row, a_step) = if left.flipped { (1, left.stride) } else { (left.stride, 1) };
        assert!((1..=PANELS).contains(&panels), "a tile has one to four panels");
        if rows == 0 || repeat.count == 0 {
            return;
        }
        let more = |stride: usize| (repeat.count, stride);
        if depth > 0 && groups > 0 {
            assert!(reach([(groups, left.group), (rows, a_row), (depth, a_step)], 1) <= left.values.len(), "A is too short");
            let strides = [more(repeat.right), (groups, right.group), (depth, right.step)];
            assert!(reach(strides, panels * LANES) <= right.values.len(), "B is too short");
        }
        assert!(reach([more(repeat.to), (rows, to.row), (panels, to.panel)], LANES) <= to.values.len(), "C is too short");
        let c = to.values.as_mut_ptr();
        let (start, start_row, start_panel, start_repeat) = match origin {
            Origin::Zero => (std::ptr::null(), 0, 0, 0),
            Origin::Given => (c.cast_const(), to.row, to.panel, repeat.to),
            Origin::From(from) => {
                let strides = [more(repeat.origin), (rows, from.row), (panels, from.panel)];
                assert!(reach(strides, LANES) <= from.values.len(), "the origin is too short");
                (from.values.as_ptr(), from.row, from.panel, repeat.origin)
            }
        };
        let mut raw = Raw {
            a_row,
            a_step,
            a_group: left.group,
            b: right.values.as_ptr(),
            b_step: right.step,
            b_group: right.group,
            depth,
            groups,
            start_row,
            start_panel,
            c_row: to.row,
            c_panel: to.panel,
        };
        let mut place = Place { a: left.values.as_ptr(), start, c };
        #[expect(unsafe_code, reason = "the assertions above hold every place the tiles touch; the processor is asked for its features")]
        for _ in 0..repeat.count {
            unsafe { raw.run::<PAIRS>(place, rows, panels, left.flipped) };
            raw.b = raw.b.wrapping_add(repeat.right);
            place.start = place.start.wrapping_add(start_repeat);
            place.c = place.c.wrapping_add(repeat.to);
        }
    }
}

/// Tiles with their bounds checked: all but where they begin.
struct Raw {
    a_row: usize,
    a_step: usize,
    a_group: usize,
    b: *const f32,
    b_step: usize,
    b_group: usize,
    depth: usize,
    groups: usize,
    start_row: usize,
    start_panel: usize,
    c_row: usize,
    c_panel: usize,
}

/// Where a tile begins.
#[derive(Clone, Copy)]
struct Place {
    a: *const f32,
    /// Null: zero.
    start: *const f32,
    c: *mut f32,
}

/// Calls `$tile::<rows, panels, flipped>` for the numbers a tile may have.
#[cfg(target_arch = "x86_64")]
macro_rules! choose {
    ($raw:ident.$tile:ident($place:ident), $rows:ident, $panels:ident, $flipped:ident: $([$r:literal, $p:literal])*) => {
        match ($rows, $panels, $flipped) {
            $(($r, $p, false) => $raw.$tile::<$r, $p, false>($place), ($r, $p, true) => $raw.$tile::<$r, $p, true>($place),)*
            _ => unreachable!("the caller has checked the size of the tile"),
        }
    };
}

/// The loop of AVX-512 with its choice of tiles: six rows of four panels fill its registers. `$step` adds to a register of sums
/// what a number of A and a register of B give.
#[cfg(target_arch = "x86_64")]
macro_rules! widest {
    ($(#[$doc:meta])* $run:ident, $tile:ident, $features:literal: |$value:ident, $weights:ident, $sum:ident| $step:expr) => {
        $(#[$doc])*
        #[target_feature(enable = $features)]
        unsafe fn $run(&self, place: Place, rows: usize, panels: usize, flipped: bool) {
            for (row, count) in tiles(rows, most_rows(panels)) {
                let place = unsafe { self.at(place, row) };
                unsafe {
                    choose!(self.$tile(place), count, panels, flipped: [1, 4] [2, 4] [3, 4] [4, 4] [5, 4] [6, 4]
                        [1, 3] [2, 3] [3, 3] [4, 3] [5, 3] [6, 3] [7, 3] [8, 3] [1, 2] [2, 2] [3, 2] [4, 2] [5, 2] [6, 2] [7, 2] [8, 2]
                        [1, 1] [2, 1] [3, 1] [4, 1] [5, 1] [6, 1] [7, 1] [8, 1])
                };
            }
        }

        $(#[$doc])*
        #[target_feature(enable = $features)]
        unsafe fn $tile<const ROWS: usize, const PANELS: usize, const FLIPPED: bool>(&self, place: Place) {
            let mut sums = [[_mm512_setzero_ps(); PANELS]; ROWS];
            if !place.start.is_null() {
                for r in 0..ROWS {
                    for p in 0..PANELS {
                        sums[r][p] = unsafe { _mm512_loadu_ps(place.start.add(r * self.start_row + p * self.start_panel)) };
                    }
                }
            }
            let (a_row, a_step) = if FLIPPED { (1, self.a_step) } else { (self.a_row, 1) };
            for group in 0..self.groups {
                let (mut a, mut b) = unsafe { (place.a.add(group * self.a_group), self.b.add(group * self.b_group)) };
                for _ in 0..self.depth {
                    let mut weights = [_mm512_setzero_ps(); PANELS];
                    for p in 0..PANELS {
                        weights[p] = unsafe { _mm512_loadu_ps(b.add(p * LANES)) };
                    }
                    for r in 0..ROWS {
                        let value = _mm512_set1_ps(unsafe { *a.add(r * a_row) });
                        for p in 0..PANELS {
                            let ($value, $weights, $sum) = (value, weights[p], sums[r][p]);
                            sums[r][p] = $step;
                        }
                    }
                    (a, b) = (a.wrapping_add(a_step), b.wrapping_add(self.b_step));
                }
            }
            for r in 0..ROWS {
                for p in 0..PANELS {
                    unsafe { _mm512_storeu_ps(place.c.add(r * self.c_row + p * self.c_panel), sums[r][p]) };
                }
            }
        }
    };
}

#[expect(unsafe_code, reason = "each function needs what its comment says")]
impl Raw {
    /// Needs every place the tiles touch to be inside its memory.
    #[inline]
    unsafe fn run<const PAIRS: bool>(&self, place: Place, rows: usize, panels: usize, flipped: bool) {
        #[cfg(target_arch = "x86_64")]
        match PAIRS {
            true if has_pairs() => return unsafe { self.run_pairs(place, rows, panels, flipped) },
            false if has_widest() => return unsafe { self.run_widest(place, rows, panels, flipped) },
            false if has_wide() => return unsafe { self.run_wide(place, rows, panels, flipped) },
            _ => {}
        }
        unsafe { self.run_plain::<PAIRS>(place, rows, panels) };
    }

    /// As [`Raw::run`].
    unsafe fn run_plain<const PAIRS: bool>(&self, place: Place, rows: usize, panels: usize) {
        for panel in 0..panels {
            let (part, place) = unsafe { self.panel(place, panel) };
            for row in 0..rows {
                unsafe { part.plain::<PAIRS>(part.at(place, row)) };
            }
        }
    }

    /// Where the part of a tile begins that has this first row.
    #[inline(always)]
    unsafe fn at(&self, place: Place, row: usize) -> Place {
        let start = if place.start.is_null() { place.start } else { unsafe { place.start.add(row * self.start_row) } };
        unsafe { Place { a: place.a.add(row * self.a_row), start, c: place.c.add(row * self.c_row) } }
    }

    /// One panel of the same rows.
    #[inline(always)]
    unsafe fn panel(&self, place: Place, panel: usize) -> (Raw, Place) {
        let start = if place.start.is_null() { place.start } else { unsafe { place.start.add(panel * self.start_panel) } };
        let c = unsafe { place.c.add(panel * self.c_panel) };
        (Raw { b: unsafe { self.b.add(panel * LANES) }, ..*self }, Place { start, c, ..place })
    }

    /// One row of the first panel.
    unsafe fn plain<const PAIRS: bool>(&self, place: Place) {
        let mut sum = [0.0f32; LANES];
        if !place.start.is_null() {
            sum = unsafe { place.start.cast::<[f32; LANES]>().read() };
        }
        for group in 0..self.groups {
            for k in 0..self.depth {
                let (value, weights) = unsafe {
                    let weights = self.b.add(group * self.b_group + k * self.b_step).cast::<[f32; LANES]>().read();
                    (*place.a.add(group * self.a_group + k * self.a_step), weights)
                };
                let add = |a, b, sum| fused::<PLAIN_FUSED>(a, b, sum);
                if PAIRS {
                    let [low, high] = halves(value);
                    for (sum, weight) in sum.iter_mut().zip(weights) {
                        let [first, second] = halves(weight);
                        *sum = add(low, first, add(high, second, *sum));
                    }
                } else {
                    sum.iter_mut().zip(weights).for_each(|(sum, weight)| *sum = add(value, weight, *sum));
                }
            }
        }
        unsafe { place.c.cast::<[f32; LANES]>().write(sum) };
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "each function needs what its comment says")]
#[expect(clippy::needless_range_loop, reason = "constant ranges, so that sums and weights become registers")]
impl Raw {
    /// Needs AVX2 and FMA. Six rows of one panel fill its registers, or one row of four.
    unsafe fn run_wide(&self, place: Place, rows: usize, panels: usize, flipped: bool) {
        if rows == 1 {
            return unsafe { choose!(self.wide(place), rows, panels, flipped: [1, 1] [1, 2] [1, 3] [1, 4]) };
        }
        for panel in 0..panels {
            let (part, place) = unsafe { self.panel(place, panel) };
            for (row, count) in tiles(rows, 6) {
                let (place, one) = (unsafe { part.at(place, row) }, 1);
                unsafe { choose!(part.wide(place), count, one, flipped: [1, 1] [2, 1] [3, 1] [4, 1] [5, 1] [6, 1]) };
            }
        }
    }

    widest! {
        /// Needs AVX-512.
        run_widest, widest, "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma": |value, weights, sum| _mm512_fmadd_ps(value, weights, sum)
    }

    widest! {
        /// Needs AVX-512 with BF16.
        run_pairs, pairs, "avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,avx2,fma": |value, weights, sum| {
            let of_bits = |register: __m512| unsafe { std::mem::transmute::<__m512, __m512bh>(register) };
            _mm512_dpbf16_ps(sum, of_bits(value), of_bits(weights))
        }
    }

    /// Needs AVX2 and FMA.
    #[target_feature(enable = "avx2,fma")]
    unsafe fn wide<const ROWS: usize, const PANELS: usize, const FLIPPED: bool>(&self, place: Place) {
        use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps};
        const HALF: usize = LANES / 2;
        let mut sums = [[[_mm256_setzero_ps(); 2]; PANELS]; ROWS];
        if !place.start.is_null() {
            for r in 0..ROWS {
                for p in 0..PANELS {
                    let from = unsafe { place.start.add(r * self.start_row + p * self.start_panel) };
                    sums[r][p] = unsafe { [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(HALF))] };
                }
            }
        }
        let (a_row, a_step) = if FLIPPED { (1, self.a_step) } else { (self.a_row, 1) };
        for group in 0..self.groups {
            let (mut a, mut b) = unsafe { (place.a.add(group * self.a_group), self.b.add(group * self.b_group)) };
            for _ in 0..self.depth {
                for p in 0..PANELS {
                    let weights = unsafe { b.add(p * LANES) };
                    let (low, high) = unsafe { (_mm256_loadu_ps(weights), _mm256_loadu_ps(weights.add(HALF))) };
                    for r in 0..ROWS {
                        let value = _mm256_set1_ps(unsafe { *a.add(r * a_row) });
                        sums[r][p][0] = _mm256_fmadd_ps(value, low, sums[r][p][0]);
                        sums[r][p][1] = _mm256_fmadd_ps(value, high, sums[r][p][1]);
                    }
                }
                (a, b) = (a.wrapping_add(a_step), b.wrapping_add(self.b_step));
            }
        }
        for r in 0..ROWS {
            for p in 0..PANELS {
                let to = unsafe { place.c.add(r * self.c_row + p * self.c_panel) };
                unsafe {
                    _mm256_storeu_ps(to, sums[r][p][0]);
                    _mm256_storeu_ps(to.add(HALF), sums[r][p][1]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any numbers in ±1.
    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + 13) % 2003) as f32 / 1001.0 - 1.0).collect()
    }

    #[test]
    fn every_width_has_the_same_bits_and_a_tile_may_have_any_rows() {
        let (depth, groups) = (7, 3);
        for (rows, panels, flipped) in [(1, 4, false), (5, 3, true), (13, 4, false), (17, 2, true), (23, 1, false), (9, 4, true)] {
            let stride = if flipped { rows } else { depth * groups };
            let group = if flipped { rows * depth } else { depth };
            let (a, b) = (numbers(rows * depth * groups), numbers(groups * depth * panels * LANES));
            let step = panels * LANES;
            let origin = numbers(rows * step + 1);
            let from = || Origin::From(Panels { values: &origin[1..], row: step, panel: LANES });
            let mut exact: Vec<f32> = origin[1..].to_vec();
            for (at, sum) in exact.iter_mut().enumerate() {
                for k in 0..depth * groups {
                    let left = if flipped { a[k * rows + at / step] } else { a[at / step * stride + k] };
                    *sum = left.mul_add(b[k * step + at % step], *sum);
                }
            }
            let left = Left { values: &a, flipped, stride, group };
            let right = Right { values: &b, step, group: depth * step };
            let mut c = vec![9.0; rows * step];
            Tile { left, right, depth, groups, origin: from(), to: Panels { values: &mut c, row: step, panel: LANES } }.run(rows, panels);
            let near = |c: &[f32]| c.iter().zip(&exact).all(|(c, exact)| (c - exact).abs() < 1e-5);
            assert!(near(&c), "{rows} rows of {panels}: {c:?} is not {exact:?}");
            let (a_row, a_step) = if flipped { (1, stride) } else { (stride, 1) };
            let raw = Raw {
                a_row,
                a_step,
                a_group: group,
                b: b.as_ptr(),
                b_step: step,
                b_group: depth * step,
                depth,
                groups,
                start_row: step,
                start_panel: LANES,
                c_row: step,
                c_panel: LANES,
            };
            let mut other = vec![9.0; rows * step];
            let place = Place { a: a.as_ptr(), start: origin[1..].as_ptr(), c: other.as_mut_ptr() };
            #[expect(unsafe_code, reason = "the same places as above, and the processor is asked for AVX2 and FMA")]
            unsafe {
                raw.run_plain::<false>(place, rows, panels);
                assert!(near(&other), "{rows} rows of {panels}: the plain version differs");
                #[cfg(target_arch = "x86_64")]
                if has_wide() {
                    raw.run_wide(place, rows, panels, flipped);
                    assert_eq!(c, other, "{rows} rows of {panels}: AVX2 differs");
                }
            }
        }
    }

    #[test]
    fn pairs_have_the_bits_of_their_products_one_by_one_in_every_version() {
        for (rows, panels, depth, flipped) in [(1, 4, 5, false), (13, 4, 8, true), (9, 3, 1, false), (17, 1, 33, true)] {
            let pairs = |count: usize, from: &[f32]| (0..count).map(|at| pair(from[2 * at], from[2 * at + 1])).collect::<Vec<f32>>();
            let (step, numbers) = (panels * LANES, numbers(2 * depth * rows.max(panels * LANES)));
            let (a, b) = (pairs(depth * rows, &numbers), pairs(depth * step, &numbers));
            let mut exact = vec![0.0f32; rows * step];
            for (at, sum) in exact.iter_mut().enumerate() {
                for k in 0..depth {
                    let left = halves(if flipped { a[k * rows + at / step] } else { a[at / step * depth + k] });
                    let right = halves(b[k * step + at % step]);
                    *sum = left[0].mul_add(right[0], left[1].mul_add(right[1], *sum));
                }
            }
            let left = Left { values: &a, flipped, stride: if flipped { rows } else { depth }, group: 0 };
            let (mut c, origin) = (vec![9.0; rows * step], Origin::Zero);
            let to = Panels { values: &mut c[..], row: step, panel: LANES };
            let right = Right { values: &b, step, group: 0 };
            Tile { left, right, depth, groups: 1, origin, to }.run_as::<true>(rows, panels, Repeat::ONCE);
            assert_eq!(c, exact, "{rows} rows of {panels}, depth {depth}");
            let (a_row, a_step) = if flipped { (1, rows) } else { (depth, 1) };
            let (b, b_step, start_row, start_panel) = (b.as_ptr(), step, 0, 0);
            let (a_group, b_group, groups, c_row, c_panel) = (0, 0, 1, step, LANES);
            let raw = Raw { a_row, a_step, a_group, b, b_step, b_group, depth, groups, start_row, start_panel, c_row, c_panel };
            c.fill(9.0);
            #[expect(unsafe_code, reason = "the same places as above")]
            unsafe {
                raw.run_plain::<true>(Place { a: a.as_ptr(), start: std::ptr::null(), c: c.as_mut_ptr() }, rows, panels);
            }
            assert_eq!(c, exact, "{rows} rows of {panels}, depth {depth}: the plain version differs");
        }
    }

    #[test]
    fn repeated_tiles_are_single_tiles() {
        let (a, b, from) = (numbers(5), numbers(3 * 5 * 2 * LANES), numbers(3 * 2 * LANES));
        let left = Left { values: &a, flipped: false, stride: 5, group: 0 };
        let (mut c, mut single) = (vec![9.0; 3 * 2 * LANES], vec![9.0; 3 * 2 * LANES]);
        let tile = |b: &[f32], from: &[f32], c: &mut [f32], count: usize| {
            let right = Right { values: b, step: 2 * LANES, group: 0 };
            let origin = Origin::From(Panels { values: from, row: 0, panel: LANES });
            let to = Panels { values: c, row: 0, panel: LANES };
            let repeat = Repeat { count, right: 5 * 2 * LANES, origin: 2 * LANES, to: 2 * LANES };
            Tile { left, right, depth: 5, groups: 1, origin, to }.run_each(1, 2, repeat);
        };
        tile(&b, &from, &mut c, 3);
        for part in 0..3 {
            let at = part * 2 * LANES;
            tile(&b[at * 5..], &from[at..], &mut single[at..], 1);
        }
        assert_eq!(c, single);
    }

    #[test]
    fn a_tile_never_reaches_past_a_slice() {
        let run = |missing: [usize; 3]| {
            let (a, b, mut c) = (vec![0.0; 12 - missing[0]], vec![0.0; 6 * LANES - missing[1]], vec![0.0; 2 * LANES - missing[2]]);
            let (left, right) = (Left { values: &a, flipped: false, stride: 6, group: 0 }, Right { values: &b, step: LANES, group: 0 });
            let to = Panels { values: &mut c[..], row: LANES, panel: LANES };
            Tile { left, right, depth: 6, groups: 1, origin: Origin::Zero, to }.run(2, 1);
        };
        run([0, 0, 0]);
        for missing in [[1, 0, 0], [0, 1, 0], [0, 0, 1]] {
            assert!(std::panic::catch_unwind(|| run(missing)).is_err(), "{missing:?} numbers too few go unnoticed");
        }
    }
}
