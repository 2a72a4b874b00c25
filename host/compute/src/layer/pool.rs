//! A sequence made a vector: [time, width] -> [width], by the last step, the mean, the maximum, or a learned weighted mean.
//!
//! The weighted mean is softmax over time of x·w (a = softmax(x·w), y = Σ a·x): ds = a·(dy·x - Σ a·dy·x),
//! dx = a·dy + ds·w, dw = Σ ds·x. The gradient of a maximum goes to the first step that reached it.

use bellwether_domain::network::{Activation, TimePooling};

use crate::kernel::function::apply;
use crate::kernel::pool::{dots, weighted, weighted_back};
use crate::layer::{Backward, Forward, Layer, Purpose};

/// Pools over time.
#[derive(Debug)]
pub(crate) struct Pool {
    kind: TimePooling,
    time: usize,
    width: usize,
}

impl Pool {
    pub(crate) fn new(kind: TimePooling, input: &[usize]) -> Pool {
        let width = input.last().copied().unwrap_or(1);
        Pool { kind, time: input.iter().product::<usize>() / width, width }
    }

    fn backward_row(&self, x: &[f32], y: &[f32], above: &[f32], to: &mut [f32]) {
        match self.kind {
            TimePooling::Last => {
                let (early, last) = to.split_at_mut((self.time - 1) * self.width);
                early.fill(0.0);
                last.copy_from_slice(above);
            }
            TimePooling::Mean => {
                let share = 1.0 / self.time as f32;
                for to in to.chunks_exact_mut(self.width) {
                    to.iter_mut().zip(above).for_each(|(to, above)| *to = share * above);
                }
            }
            TimePooling::Max | TimePooling::Attention => {
                to.fill(0.0);
                for place in 0..self.width {
                    let reached = |x: &&[f32]| x[place] == y[place] || x[place].is_nan();
                    if let Some(time) = x.chunks_exact(self.width).position(|x| reached(&x)) {
                        to[time * self.width + place] = above[place];
                    }
                }
            }
        }
    }
}

impl Layer for Pool {
    fn scratch(&self, rows: usize, _: Purpose) -> usize {
        // The parts of every step, and one row of them.
        if self.kind == TimePooling::Attention { (rows + 1) * self.time } else { 0 }
    }

    fn forward(&self, pass: Forward<'_>) {
        let x = pass.inputs.get(0).chunks_exact(self.time * self.width);
        for (row, (x, to)) in x.zip(pass.output.chunks_exact_mut(self.width)).enumerate() {
            match self.kind {
                TimePooling::Last => to.copy_from_slice(&x[(self.time - 1) * self.width..]),
                TimePooling::Mean => {
                    to.fill(0.0);
                    x.chunks_exact(self.width).for_each(|x| to.iter_mut().zip(x).for_each(|(sum, x)| *sum += x));
                    to.iter_mut().for_each(|sum| *sum *= 1.0 / self.time as f32);
                }
                TimePooling::Max => {
                    to.copy_from_slice(&x[..self.width]);
                    for x in x.chunks_exact(self.width) {
                        // Not-a-number is taken, and then nothing is greater.
                        to.iter_mut().zip(x).for_each(|(most, x)| *most = if *x > *most || x.is_nan() { *x } else { *most });
                    }
                }
                TimePooling::Attention => {
                    let (scores, parts) = pass.scratch.split_at_mut(self.time);
                    let parts = &mut parts[row * self.time..][..self.time];
                    dots(x, pass.weights, scores);
                    apply(Activation::Softmax, scores, parts, self.time);
                    weighted(x, parts, to);
                }
            }
        }
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { rows, inputs, weights, output, above, scratch, gradient, mut below, .. } = pass;
        let size = self.time * self.width;
        let x = inputs.get(0).chunks_exact(size);
        if self.kind != TimePooling::Attention {
            below.fill(0, |to| {
                for (row, (x, to)) in x.zip(to.chunks_exact_mut(size)).enumerate() {
                    let part = row * self.width..(row + 1) * self.width;
                    self.backward_row(x, &output[part.clone()], &above[part], to);
                }
            });
            return;
        }
        gradient.fill(0.0);
        let (bent, parts) = scratch.split_at_mut(self.time);
        let mut row_back = |row: usize, x: &[f32], to: &mut [f32]| {
            let above = &above[row * self.width..][..self.width];
            weighted_back(x, weights, &parts[row * self.time..][..self.time], above, bent, gradient, to);
        };
        if below.wanted(0) {
            below.fill(0, |to| x.zip(to.chunks_exact_mut(size)).enumerate().for_each(|(row, (x, to))| row_back(row, x, to)));
        } else {
            x.take(rows).enumerate().for_each(|(row, x)| row_back(row, x, &mut []));
        }
    }
}

#[cfg(test)]
mod tests {
    use bellwether_domain::network::TimePooling::{Attention, Last, Max, Mean};

    use super::Pool;
    use crate::layer::{Forward, Inputs, Layer, Purpose};
    use crate::program::tests::{chain, check, dense, pool};

    #[test]
    fn poolings_pass_every_check() {
        for kind in [Last, Mean, Max, Attention] {
            check(&chain(vec![pool(kind)]));
            // A step of differences would change which step is the greatest.
            if kind != Max {
                check(&chain(vec![dense(19), pool(kind)]));
            }
        }
    }

    #[test]
    fn a_maximum_sends_its_gradient_to_the_first_step_that_reached_it() {
        let mut to = [f32::NAN; 6];
        Pool::new(Max, &[3, 2]).backward_row(&[1.0, 7.0, 3.0, 7.0, 2.0, -9.0], &[3.0, 7.0], &[0.5, -2.0], &mut to);
        assert_eq!(to, [0.0, -2.0, 0.5, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn not_a_number_is_not_lost_in_a_maximum() {
        let mut x = crate::arena::Arena::zeros(6);
        x.copy_from_slice(&[1.0, f32::NAN, 3.0, 2.0, 2.0, 9.0]);
        let (values, mut output) = ([x], [0.0; 2]);
        let inputs = Inputs { values: &values, slots: &[(0, 6)], rows: 1 };
        let (output_ref, purpose) = (&mut output[..], Purpose::Serve);
        let pass = Forward { rows: 1, inputs, weights: &[], packed: &[], output: output_ref, scratch: &mut [], purpose, noise: None };
        Pool::new(Max, &[3, 2]).forward(pass);
        assert!(output[0] == 3.0 && output[1].is_nan(), "{output:?}");
    }
}
