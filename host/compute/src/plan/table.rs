//! Which numbers of a window an embedding reads as categories, and which of them it can take.

use bellwether_domain::network::Network;
use bellwether_domain::{Error, Result};

use crate::plan::{Op, Step};

/// The input of one embedding.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    name: String,
    categories: u32,
    /// Places in the window, [step, feature] flattened.
    places: Vec<usize>,
}

impl Table {
    /// Follows an embedding's input back to the window. Errors: `Invalid` naming the node when it reads anything but slices
    /// and reshapes of the window: only whole numbers can be looked up.
    pub(crate) fn trace(network: &Network, steps: &[Step], node: usize, categories: u32) -> Result<Table> {
        let mut path = vec![];
        let mut place = steps[node].inputs[0];
        while !matches!(steps[place].op, Op::Input) {
            if !matches!(steps[place].op, Op::Slice { .. } | Op::Reshape) {
                let (name, read) = (&network.nodes[node].name, &network.nodes[place].name);
                let why = format!("it reads `{read}`, which computes; an embedding looks up feature columns: slice and reshape the input");
                return Err(Error::invalid(format!("network.{name}"), why));
            }
            path.push(place);
            place = steps[place].inputs[0];
        }
        let mut places: Vec<usize> = (0..steps[place].shape.iter().product()).collect();
        for step in path.into_iter().rev() {
            let Op::Slice { axis, start, length } = steps[step].op else { continue };
            let shape = &steps[steps[step].inputs[0]].shape;
            let inner: usize = shape[axis + 1..].iter().product();
            let parts = places.chunks_exact(shape[axis] * inner);
            places = parts.flat_map(|part| part[start * inner..(start + length) * inner].to_vec()).collect();
        }
        Ok(Table { name: network.nodes[node].name.clone(), categories, places })
    }

    /// Feature columns it reads.
    pub(crate) fn columns(&self, features: usize) -> Vec<usize> {
        let mut columns: Vec<usize> = self.places.iter().map(|place| place % features).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// (window, place, value) of every number it reads of a window.
    pub(crate) fn read<'a>(&'a self, window: usize, values: &'a [f32]) -> impl Iterator<Item = (usize, usize, f32)> + 'a {
        self.places.iter().map(move |place| (window, *place, values[*place]))
    }

    /// The value is one of the categories.
    pub(crate) fn holds(&self, value: f32) -> bool {
        value >= 0.0 && value.fract() == 0.0 && f64::from(value) < f64::from(self.categories)
    }

    /// What would be right, for a person.
    pub(crate) fn wanted(&self) -> String {
        format!("the embedding `{}` reads it as a category: a whole number from 0 to {}", self.name, self.categories - 1)
    }
}
