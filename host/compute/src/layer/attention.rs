//! Multi-head scaled dot-product self-attention (Vaswani et al. 2017): [time, width] -> [time, width].
//!
//! q, k and v are one product with [width, 3 · width], each head attends by itself (see [`crate::kernel::attention`]), the
//! contexts side by side are multiplied by the output weight. One sequence goes through all of it before the next begins,
//! so what lies between stays in the cache. The scale of the scores is part of the packed query weight. Kept for the backward
//! pass are q, k, v, the contexts and two numbers per query; the gradients of q, k, v then take their place.

use bellwether_domain::job::Precision;
use bellwether_domain::network::Attention as Description;

use crate::arena::{cut, lines};
use crate::kernel::attention::{Drop, Head, scratch_len};
use crate::kernel::matmul::Start;
use crate::kernel::rows::sum_rows;
use crate::layer::factor::Factor;
use crate::layer::{Backward, Forward, Layer, Noise, Purpose};

/// Self-attention.
#[derive(Debug)]
pub(crate) struct Attention {
    time: usize,
    width: usize,
    heads: usize,
    causal: bool,
    dropout: f64,
    /// Of the four products with weights; scores and contexts have 32 bits.
    precision: Precision,
}

/// Packed weights.
struct Packs<'a> {
    /// Query (scaled), key and value side by side, each padded to whole panels: [width, line], row-major, then packed.
    joint: &'a mut [f32],
    bias: &'a mut [f32],
    project: &'a mut [f32],
    output: &'a mut [f32],
    /// For training; empty while serving.
    project_trained: &'a mut [f32],
    output_trained: &'a mut [f32],
}

/// What a pass keeps in the scratch.
struct Space<'a> {
    /// [rows, time, line].
    qkv: &'a mut [f32],
    /// [rows, time, width].
    context: &'a mut [f32],
    /// [rows, heads, 2, time].
    kept: &'a mut [f32],
    /// Gradients of the contexts of one row, and of the joint weight and bias.
    above: &'a mut [f32],
    joint: &'a mut [f32],
    head: &'a mut [f32],
}

impl Attention {
    pub(crate) fn new(description: &Description, shape: &[usize], precision: Precision) -> Attention {
        let Description { heads, causal, dropout } = *description;
        Attention { time: shape[0], width: shape[1], heads: heads as usize, causal, dropout, precision }
    }

    /// Length of a line of q, k and v.
    fn line(&self) -> usize {
        3 * lines(self.width)
    }

    /// The joint weight and that of the output.
    fn factors(&self) -> [Factor; 2] {
        [self.line(), self.width].map(|columns| Factor { depth: self.width, columns, precision: self.precision })
    }

    fn head(&self, head: usize) -> Head {
        let (width, part) = (self.width / self.heads, self.line() / 3);
        let first = head * width;
        let places = [first, part + first, 2 * part + first];
        Head { time: self.time, width, causal: self.causal, places, line: self.line(), out: (self.width, first) }
    }

    /// Lengths of the packed parts, in the order of [`Packs`].
    fn lengths(&self, purpose: Purpose) -> [usize; 6] {
        let (line, [project, output]) = (self.line(), self.factors());
        let trained = |factor: Factor| if purpose == Purpose::Train { factor.trained() } else { 0 };
        [self.width * line, line, project.plain(), output.plain(), trained(project), trained(output)]
    }

    fn packs<'a>(&self, purpose: Purpose, mut rest: &'a mut [f32]) -> Packs<'a> {
        let [joint, bias, project, output, project_trained, output_trained] = self.lengths(purpose).map(|length| cut(&mut rest, length));
        Packs { joint, bias, project, output, project_trained, output_trained }
    }

    /// The packed parts to read: bias, projection, output, and both for training.
    fn read<'a>(&self, purpose: Purpose, packed: &'a [f32]) -> [&'a [f32]; 5] {
        let lengths = self.lengths(purpose);
        let mut at = lines(lengths[0]);
        std::array::from_fn(|part| {
            let from = at;
            at += lines(lengths[part + 1]);
            &packed[from..from + lengths[part + 1]]
        })
    }

    /// The rows a pass keeps: all while training, else one.
    fn space<'a>(&self, rows: usize, purpose: Purpose, mut rest: &'a mut [f32]) -> Space<'a> {
        let [qkv, context, kept, above, joint, head] = self.space_lengths(rows, purpose).map(|length| cut(&mut rest, length));
        Space { qkv, context, kept, above, joint, head }
    }

    fn space_lengths(&self, rows: usize, purpose: Purpose) -> [usize; 6] {
        let (time, width, line) = (self.time, self.width, self.line());
        let training = purpose == Purpose::Train;
        let (rows, more) = if training { (rows, 1) } else { (1, 0) };
        let head = scratch_len(time, width / self.heads);
        [rows * time * line, rows * time * width, rows * self.heads * 2 * time, more * time * width, more * (width + 1) * line, head]
    }

    /// What drops weights of one head of one row.
    fn drop(&self, noise: Option<Noise>, row: usize, head: usize) -> Option<Drop> {
        let noise = noise.filter(|_| self.dropout > 0.0)?;
        let place = (noise.first_row + row) * self.heads + head;
        Some(Drop { key: noise.key, first: place.wrapping_mul(self.time * self.time) as u32, share: self.dropout })
    }

    /// log2(e) / sqrt(width of a head).
    fn scale(&self) -> f32 {
        (std::f64::consts::LOG2_E / ((self.width / self.heads) as f64).sqrt()) as f32
    }
}

impl Layer for Attention {
    fn packed(&self, purpose: Purpose) -> usize {
        self.lengths(purpose).map(lines).iter().sum()
    }

    fn pack(&self, weights: &[f32], purpose: Purpose, packed: &mut [f32]) {
        let (width, line, part) = (self.width, self.line(), self.line() / 3);
        let packs = self.packs(purpose, packed);
        packs.joint.fill(0.0);
        packs.bias.fill(0.0);
        let one = (width + 1) * width;
        for (place, weights) in weights.chunks_exact(one).enumerate().take(3) {
            let scale = if place == 0 { self.scale() } else { 1.0 };
            let (kernel, bias) = weights.split_at(width * width);
            let scaled = |to: &mut [f32], from: &[f32]| to.iter_mut().zip(from).for_each(|(to, from)| *to = scale * from);
            for (to, from) in packs.joint.chunks_exact_mut(line).zip(kernel.chunks_exact(width)) {
                scaled(&mut to[place * part..], from);
            }
            scaled(&mut packs.bias[place * part..], bias);
        }
        let [project, output] = self.factors();
        project.pack(packs.joint, packs.project, packs.project_trained);
        output.pack(&weights[3 * one..][..width * width], packs.output, packs.output_trained);
    }

    fn scratch(&self, rows: usize, purpose: Purpose) -> usize {
        self.space_lengths(rows, purpose).map(lines).iter().sum()
    }

    fn products(&self) -> u64 {
        (self.time * self.width * (4 * self.width + 2 * self.time)) as u64
    }

    fn forward(&self, pass: Forward<'_>) {
        let (time, width, line) = (self.time, self.width, self.line());
        let training = pass.purpose == Purpose::Train;
        let [bias, project, output, project_trained, output_trained] = self.read(pass.purpose, pass.packed);
        let [of_project, of_output] = self.factors();
        let project = of_project.forward(pass.purpose, project, project_trained);
        let output = of_output.forward(pass.purpose, output, output_trained);
        let output_bias = &pass.weights[(3 * (width + 1) + width) * width..];
        let space = self.space(pass.rows, pass.purpose, pass.scratch);
        let x = pass.inputs.get(0).chunks_exact(time * width);
        for (row, (x, to)) in x.zip(pass.output.chunks_exact_mut(time * width)).enumerate() {
            let place = if training { row } else { 0 };
            let qkv = &mut space.qkv[place * time * line..][..time * line];
            let context = &mut space.context[place * time * width..][..time * width];
            project.multiply(x, width, time, Start::Row(bias), qkv, line);
            let kept = &mut space.kept[place * self.heads * 2 * time..][..self.heads * 2 * time];
            for (head, kept) in kept.chunks_exact_mut(2 * time).enumerate() {
                self.head(head).forward(qkv, context, kept, self.drop(pass.noise, row, head), space.head);
            }
            output.multiply(context, width, time, Start::Row(output_bias), to, width);
        }
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { rows, inputs, packed, above, scratch, gradient, mut below, noise, .. } = pass;
        let (time, width, line) = (self.time, self.width, self.line());
        let [.., project, output] = self.read(Purpose::Train, packed);
        let [of_project, of_output] = self.factors();
        let output = of_output.backward(output);
        let space = self.space(rows, Purpose::Train, scratch);
        for row in 0..rows {
            let qkv = &mut space.qkv[row * time * line..][..time * line];
            output.multiply(&above[row * time * width..][..time * width], width, time, Start::Zero, space.above, width);
            let kept = &space.kept[row * self.heads * 2 * time..][..self.heads * 2 * time];
            for (head, kept) in kept.chunks_exact(2 * time).enumerate() {
                self.head(head).backward(qkv, space.above, kept, self.drop(noise, row, head), space.head);
            }
        }
        let (to_joint, to_output) = gradient.split_at_mut(3 * (width + 1) * width);
        let (to_output, to_output_bias) = to_output.split_at_mut(width * width);
        of_output.learn(space.context, above, rows * time, to_output);
        sum_rows(above, to_output_bias);
        let (kernel, bias) = space.joint.split_at_mut(width * line);
        let slopes = &space.qkv[..rows * time * line];
        of_project.learn(inputs.get(0), slopes, rows * time, kernel);
        sum_rows(slopes, bias);
        self.split(kernel, bias, to_joint);
        let back = of_project.backward(project);
        below.fill(0, |to| back.multiply(slopes, line, rows * time, Start::Zero, to, width));
    }
}

impl Attention {
    /// The gradients of the joint weight and bias into those of query, key and value. That of the key's bias is zero: it adds
    /// the same to all scores of a query, which the softmax takes away again. What the sums hold of it is rounding, and an
    /// optimiser that divides by the gradient's size would follow it.
    fn split(&self, kernel: &[f32], bias: &[f32], to: &mut [f32]) {
        let (width, line, part) = (self.width, self.line(), self.line() / 3);
        for (place, to) in to.chunks_exact_mut((width + 1) * width).enumerate() {
            let scale = if place == 0 { self.scale() } else { 1.0 };
            let from = kernel.chunks_exact(line).chain([bias]);
            for (to, from) in to.chunks_exact_mut(width).zip(from) {
                to.iter_mut().zip(&from[place * part..]).for_each(|(to, from)| *to = scale * from);
            }
            if place == 1 {
                to[width * width..].fill(0.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bellwether_domain::network::{Network, Operation, TimePooling};

    use super::*;
    use crate::kernel::noise;
    use crate::plan::Plan;
    use crate::program::Program;
    use crate::program::tests::{chain, check, dense, numbers, pool, sequence};

    fn attention(heads: u32, causal: bool, dropout: f64) -> Operation {
        Operation::Attention(Description { heads, causal, dropout })
    }

    #[test]
    fn attention_passes_every_check() {
        for (heads, causal) in [(1, false), (3, false), (3, true), (6, true)] {
            check(&sequence(vec![dense(6), attention(heads, causal, 0.0), dense(5)]));
        }
        check(&sequence(vec![attention(3, true, 0.5)]));
    }

    /// The definition in 64 bits: a dense layer of `width`, attention, the mean over time, a dense layer of two.
    fn naive(weights: &[f64], x: &[f64], [time, features, width]: [usize; 3], description: &Description, noise: Noise) -> Vec<f64> {
        let mut rest = weights;
        let mut affine = |x: &[f64], from: usize, to: usize| -> Vec<f64> {
            let (kernel, more) = rest.split_at(from * to);
            let (bias, more) = more.split_at(to);
            rest = more;
            let cell = |line: &[f64], j: usize| bias[j] + line.iter().enumerate().map(|(i, x)| x * kernel[i * to + j]).sum::<f64>();
            x.chunks_exact(from).flat_map(|line| (0..to).map(move |j| cell(line, j)).collect::<Vec<_>>()).collect()
        };
        let inner = affine(x, features, width);
        let [q, k, v] = [(); 3].map(|()| affine(&inner, width, width));
        let heads = description.heads as usize;
        let size = width / heads;
        let mut contexts = vec![0.0; x.len() / features * width];
        for (row, start) in (0..contexts.len()).step_by(time * width).enumerate() {
            for (head, i) in (0..heads).flat_map(|head| (0..time).map(move |i| (head, i))) {
                let at = |values: &[f64], t: usize, d: usize| values[start + t * width + head * size + d];
                let keys = if description.causal { i + 1 } else { time };
                let score = |j| (0..size).map(|d| at(&q, i, d) * at(&k, j, d)).sum::<f64>() / (size as f64).sqrt();
                let parts: Vec<f64> = (0..keys).map(|j| score(j).exp()).collect();
                let sum: f64 = parts.iter().sum();
                for (j, part) in parts.iter().enumerate() {
                    let place = ((noise.first_row + row) * heads + head) * time * time + j * time + i;
                    let share = description.dropout;
                    let kept = noise::factor(noise.key, place as u32, noise::threshold(share), (1.0 / (1.0 - share)) as f32);
                    for d in 0..size {
                        contexts[start + i * width + head * size + d] += part / sum * f64::from(kept) * at(&v, j, d);
                    }
                }
            }
        }
        let out = affine(&contexts, width, width);
        let mean = |row: &[f64], c: usize| row.iter().skip(c).step_by(width).sum::<f64>() / time as f64;
        let pooled: Vec<f64> =
            out.chunks_exact(time * width).flat_map(|row| (0..width).map(|c| mean(row, c)).collect::<Vec<_>>()).collect();
        affine(&pooled, width, 2)
    }

    #[test]
    fn several_blocks_with_dropout_are_the_definition_forwards_and_backwards() {
        for (time, width, heads, causal, dropout) in [(70, 20, 2, true, 0.3), (130, 16, 1, false, 0.1), (65, 34, 2, false, 0.0)] {
            let description = Description { heads, causal, dropout };
            let network: Network = chain(vec![dense(width as u32), attention(heads, causal, dropout), pool(TimePooling::Mean)]);
            let (rows, features) = (2, 3);
            let plan = Plan::compile(&network, time, features).unwrap();
            let mut weights: Vec<f32> = numbers(plan.weights_len(), 4).iter().map(|w| w * 0.7).collect();
            let program = Program::new(&plan, Purpose::Train, Precision::F32);
            let (mut memory, mut packed) = (program.memory(&plan, rows), program.packed());
            program.pack(&weights, &mut packed);
            let (windows, key) = (numbers(rows * time * features, 6), Noise { key: 77, first_row: 3 });
            program.input(&plan, &mut memory, rows).copy_from_slice(&windows);
            program.forward(&weights, &packed, &mut memory, rows, Purpose::Train, Some(key));
            let head = plan.heads[0];
            let wide = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<_>>();
            let own = Noise { key: noise::key(key.key, 0, 2), ..key };
            let exact = |weights: &[f32]| naive(&wide(weights), &wide(&windows), [time, features, width], &description, own);
            let (given, wanted) = (program.value(&memory, head, rows), exact(&weights));
            assert!(given.iter().zip(&wanted).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5), "{given:?} {wanted:?}");
            let parts = numbers(2 * rows, 9);
            program.rewind(&mut memory);
            program.begin(&mut memory, head, rows, |_, slope| slope.copy_from_slice(&parts));
            program.backward(&weights, &packed, &mut memory, rows, Some(key));
            let loss = |weights: &[f32]| exact(weights).iter().zip(&parts).map(|(y, part)| y * f64::from(*part)).sum::<f64>();
            for place in &plan.places {
                let scale = memory.gradient[place.clone()].iter().fold(1e-3f32, |most, slope| most.max(slope.abs()));
                for at in place.clone().step_by(place.len().div_ceil(3)) {
                    let (value, step) = (weights[at], 1.0 / 1024.0);
                    let mut moved = |value| {
                        weights[at] = value;
                        (loss(&weights), f64::from(value))
                    };
                    let ((high, up), (low, down)) = (moved(value + step), moved(value - step));
                    weights[at] = value;
                    let (slope, by_hand) = ((high - low) / (up - down), f64::from(memory.gradient[at]));
                    assert!((slope - by_hand).abs() < 2e-4 * f64::from(scale), "{description:?} at {at}: {slope}, by hand {by_hand}");
                }
            }
        }
    }
}
