//! With how many bits a network's products of matrices are computed while it is trained.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How exactly training multiplies matrices. Weights, sums, losses and predictions have 32 bits in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Factors of 32 bits.
    #[default]
    F32,
    /// Factors rounded to bfloat16: eight bits of precision, the range of 32 bits.
    Bf16,
}

impl Precision {
    /// Every precision.
    pub const ALL: [Precision; 2] = [Precision::F32, Precision::Bf16];

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
        }
    }
}

impl std::str::FromStr for Precision {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let named = Precision::ALL.into_iter().find(|precision| precision.name() == text);
        named.ok_or_else(|| Error::unknown("precision", text, Precision::ALL.map(Precision::name)))
    }
}
