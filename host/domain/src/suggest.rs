//! "Did you mean": the nearest known name to a mistyped one.

/// A sentence naming the nearest of `known` to `wrong`, or, when none is near, listing what there is.
///
/// Near means a Damerau-Levenshtein distance of at most a third of the longer name, and at least one letter.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    let near = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&wrong.to_lowercase(), &name.to_lowercase()), *name))
        .filter(|(distance, name)| *distance <= (wrong.len().max(name.len()) / 3).max(1))
        .min();
    match near {
        Some((_, name)) => Some(format!("did you mean `{name}`?")),
        None if known.is_empty() => None,
        None => Some(format!("there are: {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn names_the_near_match_or_lists() {
        let check = |wrong: &str, known: &[&str], expected: Option<&str>| {
            assert_eq!(nearest(wrong, known.iter().copied()).as_deref(), expected, "{wrong}");
        };
        check("ltsm", &["har", "lstm"], Some("did you mean `lstm`?"));
        check("blue_green", &["blue-green", "canary"], Some("did you mean `blue-green`?"));
        check("xgboost", &["lstm", "har"], Some("there are: har, lstm"));
        check("anything", &[], None);
    }
}
