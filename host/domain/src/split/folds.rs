//! Folds inside the samples before the test part: walk-forward (anchored or rolling) and purged k-fold.
//!
//! Between training and judged samples lie the purge (the horizon) and the embargo, on both sides. Behind a judged block the
//! windows of training samples begin after its last label, too, so that no row under a judged label is in a training window.
//! Source: López de Prado, *Advances in Financial Machine Learning* (2018), ch. 7, whose purge concerns labels only; the
//! rule for windows is stricter and costs `steps` samples a fold. A feature on the first of those rows may look back by its
//! own span (a mean of 24 bars): where that matters, an embargo as long covers it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::split::SplitConfig;
use crate::{Error, Result};

/// Most folds.
const FOLDS_MAX: u32 = 100;

/// How a recipe is validated before its final model is judged on the test part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Scheme {
    /// Only on the test part.
    Holdout {},
    /// The samples are cut into `folds` + 1 blocks; each block but the first is judged by a model of what came before it.
    WalkForward {
        /// Blocks judged, 2 to 100.
        folds: u32,
        /// Whether the training part grows or moves along.
        #[serde(default)]
        window: FoldWindow,
        /// Samples in a rolling training part, at most; as many as the first block has when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        train_size: Option<u32>,
    },
    /// The samples are cut into `folds` blocks; each is judged by a model of all others, earlier and later ones.
    PurgedKFold {
        /// Blocks, 2 to 100.
        folds: u32,
    },
}

/// The training part of walk-forward folds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoldWindow {
    /// It begins with the first sample and grows.
    #[default]
    Anchored,
    /// It keeps its size and moves along.
    Rolling,
}

/// One fold, as places of samples in time order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Fit on these; ascending, in one or two runs.
    pub train: Vec<usize>,
    /// Stop early by these: the newest of what is not judged; ascending.
    pub validation: Vec<usize>,
    /// Judge on these.
    pub judged: Range<usize>,
}

impl Scheme {
    /// The name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Scheme::Holdout {} => "holdout",
            Scheme::WalkForward { .. } => "walk-forward",
            Scheme::PurgedKFold { .. } => "purged-k-fold",
        }
    }

    /// There are no folds.
    pub fn is_holdout(&self) -> bool {
        matches!(self, Scheme::Holdout {})
    }

    /// Number of folds.
    pub fn folds(&self) -> u32 {
        match self {
            Scheme::Holdout {} => 0,
            Scheme::WalkForward { folds, .. } | Scheme::PurgedKFold { folds } => *folds,
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        if !self.is_holdout() && !(2..=FOLDS_MAX).contains(&self.folds()) {
            return Err(Error::invalid("split.scheme.folds", format!("is {}; it must be 2 to {FOLDS_MAX}", self.folds())));
        }
        match self {
            Scheme::WalkForward { train_size: Some(0), .. } => {
                Err(Error::invalid("split.scheme.train_size", "is 0; give at least one sample, or leave it out"))
            }
            Scheme::WalkForward { window: FoldWindow::Anchored, train_size: Some(_), .. } => {
                let why = "is for a rolling window; an anchored one grows: leave it out, or set `window` to `rolling`";
                Err(Error::invalid("split.scheme.train_size", why))
            }
            Scheme::Holdout {} | Scheme::WalkForward { .. } | Scheme::PurgedKFold { .. } => Ok(()),
        }
    }
}

/// The folds of the samples whose windows of `steps` rows end on `ends` (bar rows, ascending). Give only the samples before
/// the test part: what is not given is not touched. Every sample is judged by exactly one fold of `purged-k-fold`; all
/// after the first block by exactly one of `walk-forward`. No folds for `holdout`.
/// Errors: `Invalid` with field `split.scheme.folds` when a fold has nothing to learn from or nothing to judge.
pub fn folds(ends: &[usize], horizon: u32, steps: u32, config: &SplitConfig) -> Result<Vec<Fold>> {
    config.check()?;
    let cutting = Cutting { ends, reach: horizon as usize + config.embargo as usize, steps: steps as usize, validation: config.validation };
    let made: Vec<Fold> = match config.scheme {
        Scheme::Holdout {} => Vec::new(),
        Scheme::WalkForward { folds, window, train_size } => {
            let blocks = folds as usize + 1;
            let most = match window {
                FoldWindow::Anchored => usize::MAX,
                FoldWindow::Rolling => train_size.map_or(ends.len() / blocks, |size| size as usize),
            };
            (1..blocks).map(|place| cutting.forward(cutting.block(place, blocks), most)).collect()
        }
        Scheme::PurgedKFold { folds } => {
            let blocks = folds as usize;
            (0..blocks).map(|place| cutting.around(cutting.block(place, blocks))).collect()
        }
    };
    match made.iter().position(|fold| fold.train.is_empty() || fold.judged.is_empty()) {
        None => Ok(made),
        Some(place) => {
            let fold = &made[place];
            let why = format!(
                "fold {} of {} has {} samples to learn from and {} to judge, of {} before the test part ({} rows apart); use fewer folds or more bars",
                place + 1,
                made.len(),
                fold.train.len(),
                fold.judged.len(),
                ends.len(),
                cutting.reach
            );
            Err(Error::invalid("split.scheme.folds", why))
        }
    }
}

struct Cutting<'a> {
    ends: &'a [usize],
    /// Rows between a sample's end and what its label, or the embargo, reaches.
    reach: usize,
    steps: usize,
    validation: f64,
}

impl Cutting<'_> {
    /// Block `place` of `blocks` nearly equal ones.
    fn block(&self, place: usize, blocks: usize) -> Range<usize> {
        let cut = |place: usize| self.ends.len() * place / blocks;
        cut(place)..cut(place + 1)
    }

    /// Samples, of the first `limit`, whose reach ends before sample `first` does.
    fn before(&self, first: usize, limit: usize) -> usize {
        let Some(bound) = self.ends.get(first) else { return limit };
        self.ends[..limit].partition_point(|end| end + self.reach <= *bound)
    }

    fn forward(&self, judged: Range<usize>, most: usize) -> Fold {
        let learn = self.before(judged.start, judged.start);
        self.fold((learn.saturating_sub(most)..learn).collect(), judged)
    }

    fn around(&self, judged: Range<usize>) -> Fold {
        let mut learn: Vec<usize> = (0..self.before(judged.start, judged.start)).collect();
        if let Some(last) = judged.clone().last().and_then(|last| self.ends.get(last)) {
            // The first row of the window is `end + 1 - steps`.
            let clear = self.ends.partition_point(|end| *end < last + self.reach + self.steps);
            learn.extend(clear.max(judged.end)..self.ends.len());
        }
        self.fold(learn, judged)
    }

    /// Takes the validation samples off the end of `learn`, with a purge before them.
    fn fold(&self, mut learn: Vec<usize>, judged: Range<usize>) -> Fold {
        let first = learn.len() - (learn.len() as f64 * self.validation).round() as usize;
        let validation = learn.split_off(first);
        if let Some(bound) = validation.first().map(|first| self.ends[*first]) {
            learn.truncate(learn.partition_point(|place| self.ends[*place] + self.reach <= bound));
        }
        Fold { train: learn, validation, judged }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::chronological;

    const SCHEMES: [Scheme; 5] = [
        Scheme::WalkForward { folds: 4, window: FoldWindow::Anchored, train_size: None },
        Scheme::WalkForward { folds: 5, window: FoldWindow::Rolling, train_size: None },
        Scheme::WalkForward { folds: 3, window: FoldWindow::Rolling, train_size: Some(90) },
        Scheme::PurgedKFold { folds: 2 },
        Scheme::PurgedKFold { folds: 7 },
    ];

    /// Ends with holes of various widths.
    fn ends(samples: usize, seed: usize) -> Vec<usize> {
        (0..samples).map(|sample| 70 + sample + (sample + seed) / (23 + seed) * (3 + seed)).collect()
    }

    fn each(mut check: impl FnMut(&[usize], usize, usize, &SplitConfig, &[Fold], usize)) {
        let mut seen = 0;
        for scheme in SCHEMES {
            for (samples, seed) in [(600, 0), (1013, 4), (1500, 11)] {
                for (horizon, embargo, steps, validation) in [(1, 0, 1, 0.0), (24, 0, 60, 0.1), (6, 12, 8, 0.3)] {
                    let all = ends(samples, seed);
                    let config = SplitConfig { validation, embargo, scheme, ..SplitConfig::default() };
                    let learn = chronological(&all, horizon, &config).expect("split").validation.end;
                    let made = folds(&all[..learn], horizon, steps, &config).expect("folds");
                    check(&all, (horizon + embargo) as usize, steps as usize, &config, &made, learn);
                    seen += made.len();
                }
            }
        }
        assert_eq!(seen, 9 * (4 + 5 + 3 + 2 + 7));
    }

    #[test]
    fn no_label_reaches_across() {
        each(|ends, reach, steps, config, folds, _| {
            for fold in folds {
                let (first, last) = (ends[fold.judged.start], ends[fold.judged.end - 1]);
                for place in fold.train.iter().chain(&fold.validation) {
                    let end = ends[*place];
                    let earlier = end + reach <= first;
                    let later = end + 1 - steps > last + reach;
                    assert!(earlier || later, "{config:?}: {end} beside {first}..={last}");
                }
                if let (Some(train), Some(validation)) = (fold.train.last(), fold.validation.first()) {
                    assert!(ends[*train] + reach <= ends[*validation], "{config:?}");
                }
                // The purge takes no more than it must: the nearest sample left out on each side would reach across.
                if config.validation == 0.0
                    && let Some(next) = fold.train.iter().rev().find(|place| **place < fold.judged.start).map(|place| place + 1)
                {
                    assert!(next == fold.judged.start || ends[next] + reach > first);
                }
            }
        });
    }

    #[test]
    fn folds_cover_and_do_not_touch_the_test_part() {
        each(|ends, _, _, config, folds, learn| {
            let judged: Vec<usize> = folds.iter().flat_map(|fold| fold.judged.clone()).collect();
            let first = match config.scheme {
                Scheme::WalkForward { folds, .. } => learn / (folds as usize + 1),
                Scheme::PurgedKFold { .. } | Scheme::Holdout {} => 0,
            };
            assert!(judged.iter().copied().eq(first..learn), "{config:?}");
            let used = folds.iter().flat_map(|fold| fold.train.iter().chain(&fold.validation));
            assert!(used.clone().all(|place| *place < learn));
            assert!(used.clone().all(|place| ends[*place] <= ends[learn - 1]));
        });
    }

    #[test]
    fn forward_folds_know_only_the_past_and_rolling_ones_forget() {
        each(|_, _, _, config, folds, learn| {
            let Scheme::WalkForward { folds: count, window, train_size } = config.scheme else { return };
            for fold in folds {
                assert!(fold.train.iter().chain(&fold.validation).all(|place| *place < fold.judged.start));
                let whole = fold.train.len() + fold.validation.len();
                match window {
                    FoldWindow::Anchored => assert_eq!(fold.train[0], 0),
                    FoldWindow::Rolling => assert!(whole <= train_size.map_or(learn / (count as usize + 1), |size| size as usize)),
                }
            }
            assert!(window == FoldWindow::Anchored || folds.last().expect("folds").train[0] > 0);
        });
    }

    #[test]
    fn what_cannot_be_cut_is_named() {
        let check = |scheme: Scheme, samples: usize, horizon: u32, expected: &str| {
            let config = SplitConfig { scheme, ..SplitConfig::default() };
            let error = folds(&ends(samples, 0), horizon, 5, &config).expect_err(expected).to_string();
            assert!(error.starts_with("split.scheme.") && error.contains(expected), "{error} lacks {expected}");
        };
        let rolling = |folds| Scheme::WalkForward { folds, window: FoldWindow::Rolling, train_size: None };
        check(rolling(1), 500, 1, "is 1; it must be 2 to 100");
        check(Scheme::PurgedKFold { folds: 101 }, 500, 1, "is 101");
        check(Scheme::PurgedKFold { folds: 20 }, 10, 1, "to judge, of 10 before the test part");
        check(rolling(4), 50, 300, "fold 1 of 4 has 0 samples to learn from");
        check(Scheme::WalkForward { folds: 3, window: FoldWindow::Anchored, train_size: Some(5) }, 500, 1, "train_size: is for a rolling");
        check(Scheme::WalkForward { folds: 3, window: FoldWindow::Rolling, train_size: Some(0) }, 500, 1, "train_size: is 0");
        assert_eq!(folds(&ends(9, 0), 1, 5, &SplitConfig::default()), Ok(vec![]));
    }

    #[test]
    fn schemes_in_json() {
        let read = |text: &str| serde_json::from_str::<SplitConfig>(text).map(|config| config.scheme).map_err(|error| error.to_string());
        assert_eq!(read("{}"), Ok(Scheme::Holdout {}));
        assert_eq!(read(r#"{"scheme":{"kind":"holdout"}}"#), Ok(Scheme::Holdout {}));
        let anchored = Scheme::WalkForward { folds: 5, window: FoldWindow::Anchored, train_size: None };
        assert_eq!(read(r#"{"scheme":{"kind":"walk-forward","folds":5}}"#), Ok(anchored));
        assert_eq!(read(r#"{"scheme":{"kind":"purged-k-fold","folds":5}}"#), Ok(Scheme::PurgedKFold { folds: 5 }));
        assert!(read(r#"{"scheme":{"kind":"purged-k-fold","fold":5}}"#).is_err());
        assert!(read(r#"{"scheme":{"kind":"k-fold"}}"#).expect_err("unknown").contains("walk-forward"));
        let plain = serde_json::to_string(&SplitConfig::default()).expect("json");
        assert!(!plain.contains("scheme"), "an older host reads a holdout: {plain}");
    }
}
