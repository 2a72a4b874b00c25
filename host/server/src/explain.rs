//! Turns the words of a deserializer into a field and a sentence for a person.
//!
//! JSON bodies, query strings and settings all end in serde, whose messages name the types of our code (`expected struct
//! TrainingRequest`) and list every known name. Here they become what the caller wrote and the near match. Works on the
//! message's text, because that is all serde hands out; an unknown message passes unchanged.

use bellwether_domain::Error;
use bellwether_domain::suggest;

/// The error behind a message of serde at `path` (empty at the top), both as the caller wrote them.
pub(crate) fn invalid(path: &str, message: &str) -> Error {
    let message = without_position(message);
    if let Some((name, known)) = unknown(message, "unknown field `") {
        let why = match suggest::nearest(name, known) {
            Some(near) => format!("is not known here; {near}"),
            None => "is not known here; nothing is expected".to_owned(),
        };
        return Error::invalid(with_leaf(path, name), why);
    }
    if let Some((name, known)) = unknown(message, "unknown variant `") {
        let near = suggest::nearest(name, known).unwrap_or_default();
        return Error::invalid(or_whole(path), format!("`{name}` is not known; {near}"));
    }
    if let Some(name) = quoted_after(message, "missing field `") {
        return Error::invalid(with_leaf(path, name), "is missing");
    }
    if let Some(name) = quoted_after(message, "duplicate field `") {
        return Error::invalid(with_leaf(path, name), "appears twice");
    }
    for prefix in ["invalid type: ", "invalid value: "] {
        if let Some((found, expected)) = message.strip_prefix(prefix).and_then(|rest| rest.rsplit_once(", expected ")) {
            return Error::invalid(or_whole(path), format!("is {}; it must be {}", plain_found(found), plain_expected(expected)));
        }
    }
    Error::invalid(or_whole(path), without_own_name(message))
}

/// The error behind the text of an axum rejection: `<what failed>: <path>: <message>`, where the path may be absent.
pub(crate) fn rejected(text: &str) -> Error {
    let text = text.split_once("target type: ").or_else(|| text.split_once("query string: ")).map_or(text, |(_, rest)| rest);
    match text.split_once(": ") {
        Some((path, message)) if is_path(path) => invalid(path, message),
        _ => invalid("", text),
    }
}

/// A path as `serde_path_to_error` writes it, rather than the beginning of a message such as `invalid type`.
fn is_path(text: &str) -> bool {
    let message = ["invalid type", "invalid value", "invalid length"].contains(&text);
    !message && !text.is_empty() && !text.contains(['`', ' '])
}

fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").filter(|(_, place)| place.contains(" column ")).map_or(message, |(text, _)| text).trim()
}

fn unknown<'a>(message: &'a str, start: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let rest = message.strip_prefix(start)?;
    let (name, rest) = rest.split_once('`')?;
    // What is expected follows as `a` or `a`, `b`: every second piece between back-ticks.
    Some((name, rest.split('`').skip(1).step_by(2).collect()))
}

fn quoted_after<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    message.strip_prefix(start)?.split('`').next()
}

fn or_whole(path: &str) -> &str {
    if path.is_empty() || path == "." { "body" } else { path }
}

fn with_leaf(path: &str, name: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or_default();
    match path {
        "" | "." | "?" => name.to_owned(),
        _ if last == name => path.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

/// What values of the house call themselves when they do not know their field.
const OWN_NAMES: [&str; 6] = ["symbol", "interval", "timestamp", "features", "size", "duration"];

/// Values of the house name themselves; the field's name is enough. Two messages of the standard library lack the fix.
fn without_own_name(message: &str) -> String {
    match message {
        "invalid digit found in string" | "cannot parse integer from empty string" => "must be a whole number, 0 or more".to_owned(),
        "invalid socket address syntax" => "is no address with a port; write it as 127.0.0.1:8005".to_owned(),
        _ => match message.split_once(": ") {
            Some((name, why)) if OWN_NAMES.contains(&name) => why.to_owned(),
            _ => message.to_owned(),
        },
    }
}

fn plain_found(found: &str) -> String {
    match found {
        "map" => "an object".to_owned(),
        "sequence" => "an array".to_owned(),
        "null" => "null".to_owned(),
        other => other
            .replace("string ", "the text ")
            .replace("floating point ", "the number ")
            .replace("integer ", "the number ")
            .replace("boolean ", ""),
    }
}

fn plain_expected(expected: &str) -> &str {
    match expected {
        "f64" | "f32" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "a map" => "an object",
        "a sequence" => "an array",
        "a string" | "string" => "a text",
        "a boolean" => "true or false",
        other if other.starts_with("struct ") || other.starts_with("internally tagged enum") => "an object",
        other if other.starts_with("enum ") || other.starts_with("string only") => "one of its names, as a text",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_field_and_the_fix() {
        let check = |text: &str, expected: &str| assert_eq!(rejected(text).to_string(), expected);
        let body = |rest: &str| format!("Failed to deserialize the JSON body into the target type: {rest} at line 1 column 9");
        check(
            &body("modl_id: unknown field `modl_id`, expected one of `model_id`, `data`"),
            "modl_id: is not known here; did you mean `model_id`?",
        );
        check(&body("unknown field `x`, there are no fields"), "x: is not known here; nothing is expected");
        check(&body("missing field `model_id`"), "model_id: is missing");
        check(&body("target: missing field `kind`"), "target.kind: is missing");
        check(
            &body("data[0].rsi(14): invalid type: string \"a\", expected f64"),
            "data[0].rsi(14): is the text \"a\"; it must be a number",
        );
        check(&body("invalid type: sequence, expected struct Thing"), "body: is an array; it must be an object");
        check(
            &body("target.kind: unknown variant `retrun`, expected one of `return`, `price`"),
            "target.kind: `retrun` is not known; did you mean `return`?",
        );
        check(&body("symbol: symbol: `a b` is not a symbol"), "symbol: `a b` is not a symbol");
        check(&body("features[1]: feature `rsj` does not exist"), "features[1]: feature `rsj` does not exist");
        check("Failed to deserialize query string: limit: invalid digit found in string", "limit: must be a whole number, 0 or more");
        check(
            "Failed to deserialize query string: unknown field `symbl`, expected `symbol` or `limit`",
            "symbl: is not known here; did you mean `symbol`?",
        );
    }
}
