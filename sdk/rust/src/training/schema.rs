//! The schema fragment of [`TrainingOptions`](super::TrainingOptions) and how it gets into a plugin's own schema while compiling.
//!
//! JSON Schema can share by `$ref` and `allOf`, but defaults inside those are not filled in and `additionalProperties` does
//! not see their properties. So the fragment is laid into the plugin's own object: what the host gets is one flat schema.

/// JSON Schema of a network's configuration: the plugin's own, an object with at least one property, and into its
/// `"properties": {` those of [`TrainingOptions`](crate::training::TrainingOptions). The learning rate's default is 0.001
/// unless said otherwise. Does not compile where that place is missing.
#[macro_export]
macro_rules! training_schema {
    ($own:expr) => {
        $crate::training_schema!($own, learning_rate: 0.001)
    };
    ($own:expr, learning_rate: $rate:literal) => {{
        const OWN: &str = $own;
        const SHARED: &str = concat!(
            r#"
    "learning_rate": {
      "type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": "#,
            $rate,
            r#",
      "description": "Step size of the optimizer."
    },
    "batch_size": { "type": "integer", "minimum": 1, "maximum": 65536, "default": 32, "description": "Samples per step." },
    "epochs": { "type": "integer", "minimum": 1, "maximum": 100000, "default": 100, "description": "Most passes over the training data." },
    "loss": {
      "type": "string", "enum": ["mse", "mae", "huber", "quantile", "gaussian"], "default": "mse",
      "description": "What training makes small for a real-valued target: squared, absolute or Huber error, the pinball loss at each of `quantiles` (the prediction is the median), or the likelihood of a normal with predicted mean and variance. A binary target always uses binary cross-entropy."
    },
    "huber_delta": {
      "type": "number", "exclusiveMinimum": 0, "maximum": 1000, "default": 1.0,
      "description": "Where loss `huber` turns from quadratic to linear, in standard deviations of the target."
    },
    "quantiles": {
      "type": "array", "items": { "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 }, "minItems": 1, "maxItems": 99,
      "default": [0.05, 0.5, 0.95],
      "description": "Probabilities of loss `quantile`, ascending; 0.5 must be among them, for the median is the prediction and the others are its interval."
    },
    "optimizer": { "type": "string", "enum": ["sgd", "adam", "adamw"], "default": "adam", "description": "How gradients become steps." },
    "momentum": { "type": "number", "minimum": 0, "exclusiveMaximum": 1, "default": 0.9, "description": "Momentum of optimizer `sgd`; 0 for none." },
    "nesterov": { "type": "boolean", "default": false, "description": "Optimizer `sgd` looks ahead along its momentum." },
    "weight_decay": {
      "type": "number", "minimum": 0, "maximum": 1, "default": 0.0,
      "description": "Decay of weights: in the gradient for sgd and adam, apart from it for adamw."
    },
    "schedule": {
      "type": "string", "enum": ["constant", "step", "cosine", "warm-up", "one-cycle", "reduce-on-plateau"], "default": "constant",
      "description": "The learning rate over time: the same; cut every `step_epochs`; half a cosine down to `cosine_floor`; linear from zero over `warm_up_steps`, then constant; up and down once with `rise_share`; or cut after `plateau_patience` epochs without a better validation loss."
    },
    "step_epochs": { "type": "integer", "minimum": 1, "maximum": 100000, "default": 30, "description": "Epochs between the cuts of schedule `step`." },
    "decay_factor": {
      "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "default": 0.5,
      "description": "What the learning rate is multiplied by at each cut of schedules `step` and `reduce-on-plateau`."
    },
    "cosine_floor": {
      "type": "number", "minimum": 0, "maximum": 1, "default": 0.0,
      "description": "Share of the learning rate that schedule `cosine` ends at."
    },
    "warm_up_steps": { "type": "integer", "minimum": 1, "maximum": 10000000, "default": 1000, "description": "Steps (batches) of schedule `warm-up`'s rise." },
    "rise_share": {
      "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "default": 0.3,
      "description": "Share of all steps during which schedule `one-cycle` rises."
    },
    "plateau_patience": {
      "type": "integer", "minimum": 1, "maximum": 100000, "default": 5,
      "description": "Epochs without a better validation loss before schedule `reduce-on-plateau` cuts; fewer than `patience`."
    },
    "clip_norm": {
      "type": "number", "minimum": 0, "maximum": 1000000, "default": 1.0,
      "description": "Most Euclidean norm of all gradients together, larger ones are scaled down; 0 for no clipping."
    },
    "patience": {
      "type": "integer", "minimum": 0, "maximum": 100000, "default": 10,
      "description": "Epochs without a better validation loss before training stops and goes back to the best; 0 to never stop early."
    },
    "min_delta": {
      "type": "number", "minimum": 0, "maximum": 1000000, "default": 0.0,
      "description": "Least fall of the validation loss that counts as better."
    },"#
        );
        const BYTES: [u8; OWN.len() + SHARED.len()] = $crate::training::splice(OWN, SHARED);
        match ::core::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => panic!("two texts joined at a letter of the first are a text"),
        }
    }};
}

/// `own` with `shared` behind its first `"properties": {`. `N` is the sum of both lengths.
///
/// # Panics
/// While compiling: when the place is missing.
#[doc(hidden)]
pub const fn splice<const N: usize>(own: &str, shared: &str) -> [u8; N] {
    const PLACE: &[u8] = b"\"properties\": {";
    let (own, shared) = (own.as_bytes(), shared.as_bytes());
    let mut start = 0;
    let place = loop {
        assert!(
            start + PLACE.len() <= own.len(),
            "the schema has no object `properties`, written with one blank, to lay the shared settings into"
        );
        let mut matched = 0;
        while matched < PLACE.len() && own[start + matched] == PLACE[matched] {
            matched += 1;
        }
        if matched == PLACE.len() {
            break start + PLACE.len();
        }
        start += 1;
    };
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = if at < place {
            own[at]
        } else if at < place + shared.len() {
            shared[at - place]
        } else {
            own[at - shared.len()]
        };
        at += 1;
    }
    bytes
}
