//! How samples are divided, validated and weighted, over REST.

use bellwether_domain::job;
use bellwether_domain::split::{self, SplitConfig};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::models::same_fields;

/// How samples are divided, in time order: train, validation, test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Split {
    /// Share of samples held out at the end; metrics and gates read only these. Above 0, at most 0.9; 0.2 when absent.
    pub test: f64,
    /// Share of the remaining samples, at their end, that steers early stopping. 0 to 0.9; 0.1 when absent.
    pub validation: f64,
    /// Bars left out at each boundary beyond the horizon; 0 when absent.
    pub embargo: u32,
    /// What is judged besides: folds in the samples before the held-out part. Only the held-out part when absent.
    pub scheme: ValidationScheme,
}

same_fields!(Split, SplitConfig, { test, validation, embargo, scheme });

impl Default for Split {
    fn default() -> Self {
        SplitConfig::default().into()
    }
}

/// How a recipe is validated before its final model is judged on the held-out part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ValidationScheme {
    /// Only on the held-out part.
    Holdout {},
    /// The samples before it are cut into `folds` + 1 blocks; each but the first is judged by a model of what came before it.
    WalkForward {
        /// Blocks judged.
        #[schema(minimum = 2, maximum = 100)]
        folds: u32,
        /// Whether the training part grows or moves along; `anchored` when absent.
        #[serde(default)]
        #[schema(required = false)]
        window: FoldWindow,
        /// Samples in a rolling training part, at most; as many as the first block has when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(minimum = 1)]
        train_size: Option<u32>,
    },
    /// The samples before it are cut into `folds` blocks; each is judged by a model of all others. Horizon and embargo are
    /// left out on both sides.
    PurgedKFold {
        /// Blocks.
        #[schema(minimum = 2, maximum = 100)]
        folds: u32,
    },
}

/// The training part of walk-forward folds: `anchored` begins with the first sample and grows, `rolling` keeps its size and
/// moves along.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum FoldWindow {
    /// It begins with the first sample and grows.
    #[default]
    Anchored,
    /// It keeps its size and moves along.
    Rolling,
}

/// How much each training sample counts. Validation and judging count every sample the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SampleWeights {
    /// All the same.
    #[default]
    None,
    /// Half as much for every `half_life_days` that a sample is older than the newest training sample. For networks only.
    Exponential {
        /// Days, above 0.
        half_life_days: f64,
    },
}

/// Both directions of a mirrored enumeration.
macro_rules! same_variants {
    ($wire:ty, $domain:ty, { $($variant:ident $({ $($field:ident),* })?),* $(,)? }) => {
        impl From<$domain> for $wire {
            fn from(from: $domain) -> Self {
                type Source = $domain;
                match from { $(Source::$variant $({ $($field),* })? => Self::$variant $({ $($field: $field.into()),* })?),* }
            }
        }

        impl From<$wire> for $domain {
            fn from(from: $wire) -> Self {
                type Source = $wire;
                match from { $(Source::$variant $({ $($field),* })? => Self::$variant $({ $($field: $field.into()),* })?),* }
            }
        }
    };
}

same_variants!(FoldWindow, split::FoldWindow, { Anchored, Rolling });
same_variants!(ValidationScheme, split::Scheme, { Holdout {}, WalkForward { folds, window, train_size }, PurgedKFold { folds } });
same_variants!(SampleWeights, job::SampleWeights, { None, Exponential { half_life_days } });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_read_as_the_domain_reads_them() {
        for text in [
            r#"{"scheme":{"kind":"holdout"}}"#,
            r#"{"test":0.3,"scheme":{"kind":"walk-forward","folds":4}}"#,
            r#"{"scheme":{"kind":"walk-forward","folds":4,"window":"rolling","train_size":500}}"#,
            r#"{"embargo":5,"scheme":{"kind":"purged-k-fold","folds":5}}"#,
        ] {
            let (wire, domain): (Split, SplitConfig) = (serde_json::from_str(text).unwrap(), serde_json::from_str(text).unwrap());
            assert_eq!(SplitConfig::from(wire), domain, "{text}");
            assert_eq!(Split::from(domain), wire, "{text}");
        }
        assert!(serde_json::from_str::<Split>(r#"{"scheme":{"kind":"purged-k-fold","folds":5,"window":"rolling"}}"#).is_err());
    }
}
