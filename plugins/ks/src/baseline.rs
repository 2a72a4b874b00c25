//! What is kept of the reference: its sorted values, thinned when there are many, its count and its autocorrelation.
use bellwether_sdk::state::{Reader, Writer};
use bellwether_sdk::{Error, Result};

use crate::sample::Sample;

/// Tag and version of the bytes.
const STATE: (&str, u32) = ("ks", 1);

/// Most values kept. Thinning to as many moves the distribution function, and so D, by at most 1/40 000.
pub(crate) const MOST: usize = 20_000;

/// A reference.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Baseline {
    /// Values there were.
    pub(crate) count: u64,
    /// Their autocorrelation at lag 1.
    pub(crate) autocorrelation: f64,
    /// Ascending, at most [`MOST`].
    pub(crate) sorted: Vec<f64>,
}

impl Baseline {
    /// Of a sample; keeps the middle of each of [`MOST`] equal groups when it is larger.
    pub(crate) fn of(sample: &Sample) -> Baseline {
        let count = sample.sorted.len();
        let kept = count.min(MOST);
        let place = |group: usize| if count <= MOST { group } else { (2 * group + 1) * count / (2 * kept) };
        let sorted = (0..kept).map(|group| sample.sorted[place(group)]).collect();
        Baseline { count: count as u64, autocorrelation: sample.autocorrelation, sorted }
    }

    /// Nothing was thinned.
    pub(crate) fn is_whole(&self) -> bool {
        self.count == self.sorted.len() as u64
    }

    /// As bytes.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut writer = Writer::new(STATE.0, STATE.1);
        writer.u64(self.count);
        writer.number(self.autocorrelation);
        writer.numbers(&self.sorted);
        writer.finish()
    }

    /// From bytes. Errors: `invalid-input` for foreign or damaged ones; nothing read here can make the test go wrong later.
    pub(crate) fn read(bytes: &[u8]) -> Result<Baseline> {
        let mut reader = Reader::open(bytes, STATE.0, STATE.1)?;
        let baseline = Baseline { count: reader.u64()?, autocorrelation: reader.number()?, sorted: reader.numbers()? };
        reader.finish()?;
        let length = baseline.sorted.len();
        let sound = (1..=MOST).contains(&length)
            && baseline.count >= length as u64
            && (baseline.count == length as u64 || length == MOST)
            && (-1.0..=1.0).contains(&baseline.autocorrelation)
            && baseline.sorted.iter().all(|value| value.is_finite())
            && baseline.sorted.is_sorted();
        if sound { Ok(baseline) } else { Err(Error::invalid_input("the `ks` baseline is damaged: its values cannot be a sorted sample")) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Baseline, MOST};
    use crate::sample::Sample;

    #[test]
    fn many_values_are_thinned_evenly() {
        let baseline = Baseline::of(&Sample::of((0..100_000).map(f64::from).collect()));
        assert_eq!((baseline.count, baseline.sorted.len(), baseline.is_whole()), (100_000, MOST, false));
        assert_eq!((baseline.sorted[0], baseline.sorted[1], baseline.sorted[MOST - 1]), (2.0, 7.0, 99_997.0));
        assert_eq!(Baseline::read(&baseline.write()).unwrap(), baseline);
    }

    #[test]
    fn a_baseline_that_cannot_be_is_refused() {
        let good = Baseline::of(&Sample::of((0..30).map(f64::from).collect()));
        assert_eq!(Baseline::read(&good.write()).unwrap(), good);
        let check = |change: fn(&mut Baseline)| {
            let mut bad = good.clone();
            change(&mut bad);
            assert!(Baseline::read(&bad.write()).unwrap_err().message().contains("damaged"));
        };
        check(|bad| bad.sorted.swap(0, 1));
        check(|bad| bad.sorted[0] = f64::NAN);
        check(|bad| bad.sorted.clear());
        check(|bad| bad.count = 31);
        check(|bad| bad.count = 29);
        check(|bad| bad.autocorrelation = 2.0);
    }
}
