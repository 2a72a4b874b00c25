//! Scaled dot-product attention (Vaswani et al. 2017) of one head over one sequence, forward and backward.
//!
//! Sixty-four queries at a time, in columns: their scores S = K·qᵀ [keys, queries] stay in the fast cache, the maximum and
//! the sum over keys are lane by lane, and no matrix of all scores is ever in memory. The queries come scaled by
//! log2(e) / sqrt(width), so that P = 2^(S - max) / Σ. Kept for the backward pass are only each query's maximum and 1 / Σ: it
//! computes the scores again, which costs less than to fetch them. With G = ∂/∂P: dS = ln 2 · P·(G - Σ P·G), dq = dSᵀ·K,
//! dK = dS·q, dV = P·dC. Σ P·G is also dC·C (FlashAttention takes that), but where one part is near one the difference would be
//! all rounding.

use crate::arena::{cut, lines};
use crate::kernel::exp::exp2;
use crate::kernel::noise;
use crate::kernel::raw::turn::turn;
use crate::kernel::raw::{LANES, Left, Origin, PANELS, Panels, Right, Tile, both, fused};

/// Most queries at a time.
const BLOCK: usize = PANELS * LANES;

/// One head of one sequence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) time: usize,
    /// Numbers per query.
    pub(crate) width: usize,
    /// A query sees no later key.
    pub(crate) causal: bool,
    /// Where the head's query, key and value begin in a line.
    pub(crate) places: [usize; 3],
    /// Length of a line of queries, keys and values.
    pub(crate) line: usize,
    /// Length of a line of contexts, and where the head begins in it.
    pub(crate) out: (usize, usize),
}

/// What drops attention weights: numbers from `first` on under `key`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drop {
    pub(crate) key: u64,
    pub(crate) first: u32,
    pub(crate) share: f64,
}

/// Numbers of scratch either pass needs.
pub(crate) fn scratch_len(time: usize, width: usize) -> usize {
    4 * lines(time * lines(width)) + 2 * (width + time) * BLOCK + 2 * BLOCK * lines(width) + 2 * BLOCK
}

/// Scratch of one head.
struct Space<'a> {
    keys: &'a mut [f32],
    values: &'a mut [f32],
    key_slopes: &'a mut [f32],
    value_slopes: &'a mut [f32],
    /// Queries and gradients of contexts in columns, [width, block].
    columns: &'a mut [f32],
    above_columns: &'a mut [f32],
    /// [time, block].
    scores: &'a mut [f32],
    slopes: &'a mut [f32],
    /// [block, width].
    lines: &'a mut [f32],
    above_lines: &'a mut [f32],
    /// Of each query in the block.
    peak: &'a mut [f32],
    sum: &'a mut [f32],
}

impl<'a> Space<'a> {
    fn of(head: &Head, mut rest: &'a mut [f32]) -> Space<'a> {
        let pad = lines(head.width);
        let mut take = |length| cut(&mut rest, length);
        Space {
            keys: take(head.time * pad),
            values: take(head.time * pad),
            key_slopes: take(head.time * pad),
            value_slopes: take(head.time * pad),
            columns: take(head.width * BLOCK),
            above_columns: take(head.width * BLOCK),
            scores: take(head.time * BLOCK),
            slopes: take(head.time * BLOCK),
            lines: take(BLOCK * pad),
            above_lines: take(BLOCK * pad),
            peak: take(BLOCK),
            sum: take(BLOCK),
        }
    }
}

/// A block of queries.
#[derive(Clone, Copy)]
struct Block {
    first: usize,
    count: usize,
    /// `count` rounded up to whole panels.
    lanes: usize,
    /// Keys they see.
    keys: usize,
}

impl Head {
    fn pad(&self) -> usize {
        lines(self.width)
    }

    fn blocks(self) -> impl Iterator<Item = Block> {
        (0..self.time).step_by(BLOCK).map(move |first| {
            let count = (self.time - first).min(BLOCK);
            Block { first, count, lanes: lines(count), keys: if self.causal { first + count } else { self.time } }
        })
    }

    /// The head's numbers of some steps, in lines of whole panels.
    fn gather(&self, from: &[f32], place: usize, line: usize, times: std::ops::Range<usize>, to: &mut [f32]) {
        for (time, to) in times.zip(to.chunks_exact_mut(self.pad())) {
            let (whole, rest) = from[time * line + place..][..self.width].as_chunks::<LANES>();
            let (to, _) = to.as_chunks_mut::<LANES>();
            to.iter_mut().zip(whole).for_each(|(to, part)| *to = *part);
            if !rest.is_empty() {
                let last = &mut to[whole.len()];
                last.fill(0.0);
                last[..rest.len()].copy_from_slice(rest);
            }
        }
    }

    /// Scores of a block's queries, whose columns it fills; a key that a query must not see scores minus infinity.
    fn score(&self, block: Block, qkv: &[f32], keys: &[f32], columns: &mut [f32], scores: &mut [f32]) {
        columns_of(&qkv[block.first * self.line + self.places[0]..], self.line, self.width, block, columns);
        let left = Left { values: keys, flipped: false, stride: self.pad(), group: 0 };
        product(left, [block.keys, self.width], columns, block.lanes, Origin::Zero, scores);
        if self.causal {
            for (ahead, row) in scores.chunks_exact_mut(block.lanes).take(block.keys).skip(block.first).enumerate() {
                row[..ahead.min(block.count)].fill(f32::NEG_INFINITY);
            }
        }
    }

    /// Contexts of all queries, into the head's part of `context` [time, heads · width]. `kept` [2, time] gets each query's
    /// maximum and 1 / Σ.
    pub(crate) fn forward(&self, qkv: &[f32], context: &mut [f32], kept: &mut [f32], drop: Option<Drop>, scratch: &mut [f32]) {
        let space = Space::of(self, scratch);
        self.gather(qkv, self.places[1], self.line, 0..self.time, space.keys);
        self.gather(qkv, self.places[2], self.line, 0..self.time, space.values);
        let (peaks, factors) = kept.split_at_mut(self.time);
        for block in self.blocks() {
            self.score(block, qkv, space.keys, space.columns, space.scores);
            let scores = &mut space.scores[..block.keys * block.lanes];
            soften(scores, block.lanes, space.peak, space.sum, self.fates(block, drop));
            let left = Left { values: scores, flipped: true, stride: block.lanes, group: 0 };
            product(left, [block.count, block.keys], space.values, self.pad(), Origin::Zero, space.lines);
            for (i, line) in space.lines.chunks_exact(self.pad()).take(block.count).enumerate() {
                let (time, factor) = (block.first + i, 1.0 / space.sum[i]);
                (peaks[time], factors[time]) = (space.peak[i], factor);
                let to = &mut context[time * self.out.0 + self.out.1..][..self.width];
                to.iter_mut().zip(line).for_each(|(to, sum)| *to = sum * factor);
            }
        }
    }

    /// The dropout of a block's scores: one number per key and query.
    fn fates(&self, block: Block, drop: Option<Drop>) -> Option<Fates> {
        drop.map(|drop| Fates {
            key: drop.key,
            first: drop.first.wrapping_add(block.first as u32),
            step: self.time as u32,
            threshold: noise::threshold(drop.share),
            keep: (1.0 / (1.0 - drop.share)) as f32,
        })
    }

    /// Puts the gradients of queries, keys and values in their places in `qkv`. `above` is the gradient of `context`, and
    /// `kept` what the forward pass kept; the gradient of the queries is that of the scaled ones.
    pub(crate) fn backward(&self, qkv: &mut [f32], above: &[f32], kept: &[f32], drop: Option<Drop>, scratch: &mut [f32]) {
        let space = Space::of(self, scratch);
        let pad = self.pad();
        self.gather(qkv, self.places[1], self.line, 0..self.time, space.keys);
        self.gather(qkv, self.places[2], self.line, 0..self.time, space.values);
        space.key_slopes.fill(0.0);
        space.value_slopes.fill(0.0);
        for block in self.blocks() {
            self.score(block, qkv, space.keys, space.columns, space.scores);
            let queries = block.first..block.first + block.count;
            self.gather(above, self.out.1, self.out.0, queries.clone(), space.above_lines);
            let (peaks, factors) = kept.split_at(self.time);
            space.peak[..block.count].copy_from_slice(&peaks[queries.clone()]);
            // Lanes of no query get parts of zero.
            space.peak[block.count..block.lanes].fill(f32::INFINITY);
            space.sum[..block.count].copy_from_slice(&factors[queries.clone()]);
            space.sum[block.count..block.lanes].fill(0.0);
            for (line, factor) in space.above_lines.chunks_exact_mut(pad).zip(&space.sum[..block.count]) {
                line.iter_mut().for_each(|value| *value *= factor);
            }
            columns_of(space.above_lines, pad, self.width, block, space.above_columns);
            let left = Left { values: space.values, flipped: false, stride: pad, group: 0 };
            product(left, [block.keys, self.width], space.above_columns, block.lanes, Origin::Zero, space.slopes);
            let size = block.keys * block.lanes;
            let (parts, slopes) = (&mut space.scores[..size], &mut space.slopes[..size]);
            bend(parts, slopes, block.lanes, space.peak, space.sum, self.fates(block, drop));
            let rows = |values| Left { values, flipped: false, stride: block.lanes, group: 0 };
            product(rows(parts), [block.keys, block.count], space.above_lines, pad, Origin::Given, space.value_slopes);
            self.gather(qkv, self.places[0], self.line, queries, space.lines);
            product(rows(slopes), [block.keys, block.count], space.lines, pad, Origin::Given, space.key_slopes);
            let left = Left { values: slopes, flipped: true, stride: block.lanes, group: 0 };
            product(left, [block.count, block.keys], space.keys, pad, Origin::Zero, space.lines);
            self.scatter(space.lines, 0, block.first, block.count, std::f32::consts::LN_2, qkv);
        }
        self.scatter(space.key_slopes, 1, 0, self.time, std::f32::consts::LN_2, qkv);
        self.scatter(space.value_slopes, 2, 0, self.time, 1.0, qkv);
    }

    /// Lines of whole panels, times `factor`, into the head's place.
    fn scatter(&self, from: &[f32], part: usize, first: usize, count: usize, factor: f32, to: &mut [f32]) {
        for (i, line) in from.chunks_exact(self.pad()).take(count).enumerate() {
            let to = &mut to[(first + i) * self.line + self.places[part]..][..self.width];
            to.iter_mut().zip(line).for_each(|(to, value)| *to = factor * value);
        }
    }
}

/// `to` [width, lanes] = the transpose of a block's lines, which lie `stride` apart; lanes of no query are zero.
fn columns_of(from: &[f32], stride: usize, width: usize, block: Block, to: &mut [f32]) {
    let (squares, lines) = (width / LANES * LANES, block.count / LANES * LANES);
    for (lane, d) in (0..lines).step_by(LANES).flat_map(|lane| (0..squares).step_by(LANES).map(move |d| (lane, d))) {
        turn(&from[lane * stride + d..], stride, &mut to[d * block.lanes + lane..], block.lanes);
    }
    for (lane, line) in from.chunks(stride).take(block.count).enumerate() {
        let first = if lane < lines { squares } else { 0 };
        for (d, value) in line[..width].iter().enumerate().skip(first) {
            to[d * block.lanes + lane] = *value;
        }
    }
    if block.count < block.lanes {
        to.chunks_exact_mut(block.lanes).take(width).for_each(|row| row[block.count..].fill(0.0));
    }
}

/// C [rows, columns] = origin + A [rows, depth] · B [depth, columns]; columns are whole panels.
fn product(left: Left<'_>, [rows, depth]: [usize; 2], right: &[f32], columns: usize, origin: Origin<'_>, to: &mut [f32]) {
    let panels = columns / LANES;
    for panel in (0..panels).step_by(PANELS) {
        let right = Right { values: &right[panel * LANES..], step: columns, group: 0 };
        let to = Panels { values: &mut to[panel * LANES..], row: columns, panel: LANES };
        Tile { left, right, depth, groups: 1, origin, to }.run(rows, (panels - panel).min(PANELS));
    }
}

/// Numbers drawn for [keys, lanes]: that of key j and lane l is `first + j·step + l`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fates {
    key: u64,
    first: u32,
    step: u32,
    threshold: u32,
    keep: f32,
}

impl Fates {
    #[inline(always)]
    fn at(&self, key: usize, lane: usize) -> f32 {
        let at = self.first.wrapping_add(self.step.wrapping_mul(key as u32)).wrapping_add(lane as u32);
        noise::factor(self.key, at, self.threshold, self.keep)
    }
}

both! {
    /// `scores` [keys, lanes] = 2^(scores - peak), dropped by `fates`; `peak` and `sum` are those over keys, the sum with nothing
    /// dropped.
    soften = soften_body(scores: &mut [f32], lanes: usize, peak: &mut [f32], sum: &mut [f32], fates: Option<Fates>)
}

#[inline(always)]
fn soften_body<const FUSED: bool>(scores: &mut [f32], lanes: usize, peak: &mut [f32], sum: &mut [f32], fates: Option<Fates>) {
    for at in (0..lanes).step_by(LANES) {
        let (mut most, mut total) = ([f32::NEG_INFINITY; LANES], [0.0f32; LANES]);
        for row in scores.chunks_exact(lanes) {
            for (most, score) in most.iter_mut().zip(&row[at..at + LANES]) {
                *most = if *most > *score { *most } else { *score };
            }
        }
        for (key, row) in scores.chunks_exact_mut(lanes).enumerate() {
            let row = &mut row[at..at + LANES];
            for l in 0..LANES {
                row[l] = exp2::<FUSED>(row[l] - most[l]);
                total[l] += row[l];
            }
            if let Some(fates) = fates {
                for (l, part) in row.iter_mut().enumerate() {
                    *part *= fates.at(key, at + l);
                }
            }
        }
        peak[at..at + LANES].copy_from_slice(&most);
        sum[at..at + LANES].copy_from_slice(&total);
    }
}

both! {
    /// In: scores, and gradients of the dropped parts over Σ; `factors` are 1 / Σ. Out: the dropped parts times Σ, and the
    /// gradients of the scores over ln 2.
    bend = bend_body(parts: &mut [f32], slopes: &mut [f32], lanes: usize, peak: &[f32], factors: &[f32], fates: Option<Fates>)
}

#[inline(always)]
fn bend_body<const FUSED: bool>(parts: &mut [f32], slopes: &mut [f32], lanes: usize, peak: &[f32], factors: &[f32], fates: Option<Fates>) {
    for at in (0..lanes).step_by(LANES) {
        let (peak, factors) = (&peak[at..at + LANES], &factors[at..at + LANES]);
        let mut along = [0.0f32; LANES];
        for (key, (parts, slopes)) in parts.chunks_exact_mut(lanes).zip(slopes.chunks_exact_mut(lanes)).enumerate() {
            let (parts, slopes) = (&mut parts[at..at + LANES], &mut slopes[at..at + LANES]);
            for l in 0..LANES {
                parts[l] = exp2::<FUSED>(parts[l] - peak[l]);
            }
            if let Some(fates) = fates {
                for l in 0..LANES {
                    let kept = fates.at(key, at + l);
                    slopes[l] *= kept;
                    // A part is never negative: its sign remembers that it was dropped.
                    parts[l] = if kept > 0.0 { parts[l] } else { -parts[l] };
                }
            }
            for l in 0..LANES {
                along[l] = fused::<FUSED>(parts[l].abs(), slopes[l], along[l]);
            }
        }
        along.iter_mut().zip(factors).for_each(|(along, factor)| *along *= factor);
        let keep = fates.map_or(1.0, |fates| fates.keep);
        for (parts, slopes) in parts.chunks_exact_mut(lanes).zip(slopes.chunks_exact_mut(lanes)) {
            let (parts, slopes) = (&mut parts[at..at + LANES], &mut slopes[at..at + LANES]);
            for l in 0..LANES {
                slopes[l] = parts[l].abs() * (slopes[l] - along[l]);
                parts[l] = if parts[l] < 0.0 { 0.0 } else { parts[l] * keep };
            }
        }
    }
}
