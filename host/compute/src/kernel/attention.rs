//! Scaled dot-product attention (Vaswani et al. 2017) of one head over one sequence, forward and backward.
//!
//! Forty-eight queries at a time, in columns: their scores S = K·qᵀ [keys, queries] stay in the fast cache, the maximum and
//! the sum over keys are lane by lane, and no matrix of all scores is ever in memory. The queries come scaled by
//! log2(e) / sqrt(width), so that P = 2^(S - max) / Σ. Kept for the backward pass are only each query's maximum and 1 / Σ: it
//! computes the scores again, which costs less than to fetch them. With G = ∂/∂P: dS = ln 2 · P·(G - dC·C), whatever a
//! dropout on P has dropped (Dao et al. 2022, FlashAttention, appendix B), dq = dSᵀ·K, dK = dS·q, dV = P·dC.

use crate::arena::{cut, lines};
use crate::kernel::exp::exp2;
use crate::kernel::noise;
use crate::kernel::raw::{LANES, Left, Origin, PANELS, Panels, Right, Tile, both, fused, most_rows};

/// Most queries at a time.
const BLOCK: usize = 3 * LANES;

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
    4 * lines(time * lines(width)) + 2 * (width + time) * BLOCK + 2 * BLOCK * lines(width) + 3 * BLOCK
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
    along: &'a mut [f32],
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
            along: take(BLOCK),
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
            let (whole, rest) = to.split_at_mut(self.width);
            whole.copy_from_slice(&from[time * line + place..][..self.width]);
            rest.fill(0.0);
        }
    }

    /// Scores of a block's queries, whose columns it fills; a key that a query must not see scores minus infinity.
    fn score(&self, block: Block, qkv: &[f32], keys: &[f32], columns: &mut [f32], scores: &mut [f32]) {
        turn(&qkv[block.first * self.line + self.places[0]..], self.line, self.width, block, columns);
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
    pub(crate) fn backward(
        &self,
        qkv: &mut [f32],
        (context, above): (&[f32], &[f32]),
        kept: &[f32],
        drop: Option<Drop>,
        scratch: &mut [f32],
    ) {
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
            self.gather(context, self.out.1, self.out.0, queries.clone(), space.lines);
            self.prepare(block, kept, &space.lines[..block.count * pad], space.above_lines, space.peak, space.along);
            turn(space.above_lines, pad, self.width, block, space.above_columns);
            let left = Left { values: space.values, flipped: false, stride: pad, group: 0 };
            product(left, [block.keys, self.width], space.above_columns, block.lanes, Origin::Zero, space.slopes);
            let size = block.keys * block.lanes;
            let (parts, slopes) = (&mut space.scores[..size], &mut space.slopes[..size]);
            bend(parts, slopes, block.lanes, space.peak, space.along, self.fates(block, drop));
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

    /// Scales the gradients of a block's contexts by 1 / Σ; fills each query's maximum, and dC·C / Σ. Lanes of no query get a
    /// maximum that makes their parts zero.
    fn prepare(&self, block: Block, kept: &[f32], contexts: &[f32], above: &mut [f32], peak: &mut [f32], along: &mut [f32]) {
        let (peaks, factors) = kept.split_at(self.time);
        peak[block.count..block.lanes].fill(f32::INFINITY);
        along[block.count..block.lanes].fill(0.0);
        let pad = self.pad();
        for (i, (above, context)) in above.chunks_exact_mut(pad).zip(contexts.chunks_exact(pad)).enumerate() {
            let factor = factors[block.first + i];
            above.iter_mut().for_each(|value| *value *= factor);
            along[i] = above.iter().zip(context).map(|(above, context)| above * context).sum();
            peak[i] = peaks[block.first + i];
        }
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
fn turn(from: &[f32], stride: usize, width: usize, block: Block, to: &mut [f32]) {
    for (lane, line) in from.chunks(stride).take(block.count).enumerate() {
        for (d, value) in line[..width].iter().enumerate() {
            to[d * block.lanes + lane] = *value;
        }
    }
    if block.count < block.lanes {
        to.chunks_exact_mut(block.lanes).take(width).for_each(|row| row[block.count..].fill(0.0));
    }
}

/// C [rows, columns] = origin + A [rows, depth] · B [depth, columns]; columns are whole panels.
fn product(left: Left<'_>, [rows, depth]: [usize; 2], right: &[f32], columns: usize, origin: Origin<'_>, to: &mut [f32]) {
    let (panels, a_row) = (columns / LANES, if left.flipped { 1 } else { left.stride });
    for panel in (0..panels).step_by(PANELS) {
        let wide = (panels - panel).min(PANELS);
        for row in (0..rows).step_by(most_rows(wide)) {
            let tile = Tile {
                left: Left { values: &left.values[row * a_row..], ..left },
                right: Right { values: &right[panel * LANES..], step: columns, group: 0 },
                depth,
                groups: 1,
                origin,
                to: Panels { values: &mut to[row * columns + panel * LANES..], row: columns, panel: LANES },
            };
            tile.run((rows - row).min(most_rows(wide)), wide);
        }
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
    /// In: scores, and gradients of the dropped parts over Σ. Out: the dropped parts times Σ, and the gradients of the scores
    /// over ln 2.
    bend = bend_body(parts: &mut [f32], slopes: &mut [f32], lanes: usize, peak: &[f32], along: &[f32], fates: Option<Fates>)
}

#[inline(always)]
fn bend_body<const FUSED: bool>(parts: &mut [f32], slopes: &mut [f32], lanes: usize, peak: &[f32], along: &[f32], fates: Option<Fates>) {
    let (peak, along) = (&peak[..lanes], &along[..lanes]);
    for (key, (parts, slopes)) in parts.chunks_exact_mut(lanes).zip(slopes.chunks_exact_mut(lanes)).enumerate() {
        match fates {
            None => {
                for l in 0..lanes {
                    let part = exp2::<FUSED>(parts[l] - peak[l]);
                    (parts[l], slopes[l]) = (part, part * (slopes[l] - along[l]));
                }
            }
            Some(fates) => {
                for l in 0..lanes {
                    let (part, kept) = (exp2::<FUSED>(parts[l] - peak[l]), fates.at(key, l));
                    (parts[l], slopes[l]) = (part * kept, part * fused::<FUSED>(slopes[l], kept, -along[l]));
                }
            }
        }
    }
}
