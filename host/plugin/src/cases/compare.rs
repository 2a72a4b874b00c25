//! What was expected against what was found: a tree of JSON, numbers within a relative tolerance, and of objects only the
//! members that are named.

use serde::Serialize;
use serde_json::Value;

/// Distances below this share of the tolerance count as none: a difference of two numbers that should be equal is about 0,
/// and no relative tolerance covers that.
const NEAR_ZERO: f64 = 1e-3;

/// Something that is otherwise than expected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Where, as in `events[1].index`.
    pub at: String,
    /// What was expected there.
    pub expected: Value,
    /// What was found; null when there was nothing.
    pub found: Value,
    /// Of two numbers, their distance by the larger one's size.
    pub relative: Option<f64>,
}

/// Every difference, in order.
pub(super) fn differences(expected: &Value, found: &Value, tolerance: f64) -> Vec<Difference> {
    let mut differences = Vec::new();
    compare("", expected, Some(found), tolerance, &mut differences);
    differences
}

fn compare(at: &str, expected: &Value, found: Option<&Value>, tolerance: f64, differences: &mut Vec<Difference>) {
    let mut differs = |relative| {
        let at = if at.is_empty() { "the answer".to_owned() } else { at.to_owned() };
        differences.push(Difference { at, expected: expected.clone(), found: found.cloned().unwrap_or_default(), relative });
    };
    match (expected, found) {
        (Value::Object(members), Some(Value::Object(there))) => {
            for (name, value) in members {
                let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                compare(&at, value, there.get(name), tolerance, differences);
            }
        }
        (Value::Array(items), Some(Value::Array(there))) if items.len() == there.len() => {
            for (place, (item, other)) in items.iter().zip(there).enumerate() {
                compare(&format!("{at}[{place}]"), item, Some(other), tolerance, differences);
            }
        }
        (Value::Number(a), Some(Value::Number(b))) => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            let (distance, size) = ((a - b).abs(), a.abs().max(b.abs()));
            if !(distance <= tolerance * size || distance <= tolerance * NEAR_ZERO) {
                differs(Some(distance / size));
            }
        }
        // A member that must be absent is written as null.
        (Value::Null, None) => {}
        (expected, Some(found)) if expected == found => {}
        _ => differs(None),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_named_must_hold() {
        let check = |expected: Value, places: &[&str]| {
            let found = json!({"a": 1.0, "b": {"c": [1, 2], "d": "x", "z": 0.0}, "e": null});
            let differences = differences(&expected, &found, 1e-9);
            assert_eq!(differences.iter().map(|difference| difference.at.as_str()).collect::<Vec<_>>(), places, "{expected}");
        };
        check(json!({}), &[]);
        check(json!({"a": 1, "b": {"c": [1, 2]}}), &[]);
        check(json!({"a": 1.000_000_000_1, "b": {"z": 1e-13}}), &[]);
        check(json!({"a": 1.000_001, "b": {"z": 1e-6}}), &["a", "b.z"]);
        check(json!({"b": {"c": [1, 3], "d": "y"}}), &["b.c[1]", "b.d"]);
        check(json!({"b": {"c": [1]}}), &["b.c"]);
        check(json!({"f": null, "e": null}), &[]);
        check(json!({"f": 1}), &["f"]);
        check(json!({"a": "1"}), &["a"]);
        check(json!([1]), &["the answer"]);
    }

    #[test]
    fn the_distance_of_numbers_is_told() {
        let found = differences(&json!({"a": 2.0}), &json!({"a": 1.0}), 0.1);
        assert_eq!((found[0].relative, &found[0].found), (Some(0.5), &json!(1.0)));
        assert!(differences(&json!({"a": 2.0}), &json!({"a": 1.0}), 0.6).is_empty());
    }
}
