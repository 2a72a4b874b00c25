//! A plugin's configuration: its JSON Schema, the defaults in it, and errors that name the property and the near match.

use bellwether_domain::{Error, Result, suggest};
use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};

/// A checked schema, ready to check configurations.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) document: Value,
    validator: Validator,
}

impl Schema {
    /// Reads a `config-schema`. The error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Schema, String> {
        let document: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
        if document.get("type").and_then(Value::as_str) != Some("object") {
            return Err("it must be an object with `\"type\": \"object\"`".to_owned());
        }
        jsonschema::draft202012::meta::validate(&document)
            .map_err(|error| format!("it is not a JSON Schema (2020-12): at `{}`: {error}", error.instance_path()))?;
        let validator = jsonschema::draft202012::new(&document).map_err(|error| format!("it cannot be used: {error}"))?;
        Ok(Schema { document, validator })
    }

    /// The layers, each over the one before, with the schema's defaults under all of them; checked.
    /// Errors name the property under `field`.
    pub(crate) fn fill(&self, field: &str, layers: &[&Value]) -> Result<Value> {
        let (config, missing) = self.fill_partly(field, layers)?;
        missing.map_or(Ok(config), Err)
    }

    /// The same for a configuration that may still want a required property; the second value says which.
    pub(crate) fn fill_partly(&self, field: &str, layers: &[&Value]) -> Result<(Value, Option<Error>)> {
        let mut config = Value::Object(Map::new());
        for layer in layers {
            match layer {
                Value::Object(_) => overlay(&mut config, layer),
                Value::Null => {}
                Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    return Err(Error::invalid(field, "must be an object"));
                }
            }
        }
        fill_defaults(&self.document, &mut config);
        let mut missing = None;
        for error in self.validator.iter_errors(&config) {
            let explained = self.explain(field, &error);
            if !matches!(error.kind(), ValidationErrorKind::Required { .. }) {
                return Err(explained);
            }
            missing.get_or_insert(explained);
        }
        Ok((config, missing))
    }

    fn explain(&self, field: &str, error: &jsonschema::ValidationError<'_>) -> Error {
        let path = dotted(field, error.instance_path().as_str());
        let kind = error.kind();
        if let ValidationErrorKind::AdditionalProperties { unexpected } | ValidationErrorKind::UnevaluatedProperties { unexpected } = kind {
            let unknown = unexpected.first().map_or("", String::as_str);
            let place = error.schema_path().as_str().rsplit_once('/').map_or("", |(place, _)| place);
            let known = self.document.pointer(place).and_then(|place| place.get("properties")).and_then(Value::as_object);
            let near = known.and_then(|known| suggest::nearest(unknown, known.keys().map(String::as_str)));
            let near = near.unwrap_or_else(|| "there are none".to_owned());
            return Error::invalid(format!("{path}.{unknown}"), format!("is not a setting of this plugin; {near}"));
        }
        if let ValidationErrorKind::Required { property } = kind {
            let name = property.as_str().map_or_else(|| property.to_string(), str::to_owned);
            return Error::invalid(format!("{path}.{name}"), "is missing and has no default");
        }
        let near = match (kind, error.instance().as_str()) {
            (ValidationErrorKind::Enum { options }, Some(wrong)) => {
                suggest::nearest(wrong, options.as_array().into_iter().flatten().filter_map(Value::as_str))
            }
            _ => None,
        };
        Error::invalid(path, format!("{error}{}", near.map(|near| format!("; {near}")).unwrap_or_default()))
    }
}

/// `/a/0/b` under `config` is `config.a.0.b`.
fn dotted(field: &str, pointer: &str) -> String {
    pointer.split('/').skip(1).fold(field.to_owned(), |path, part| format!("{path}.{}", part.replace("~1", "/").replace("~0", "~")))
}

/// Lays `over` on `under`: objects merge, everything else replaces.
fn overlay(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                match under.get_mut(name) {
                    Some(there) => overlay(there, value),
                    None => {
                        under.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (under, over) => *under = over.clone(),
    }
}

/// Adds what `properties.*.default` says, in nested objects too. An absent object without a default of its own is made
/// when the defaults of its properties make it whole.
fn fill_defaults(schema: &Value, value: &mut Value) {
    let (Some(properties), Some(object)) = (schema.get("properties").and_then(Value::as_object), value.as_object_mut()) else { return };
    for (name, property) in properties {
        if !object.contains_key(name) {
            match property.get("default") {
                Some(default) => {
                    object.insert(name.clone(), default.clone());
                }
                None => {
                    let mut made = Value::Object(Map::new());
                    fill_defaults(property, &mut made);
                    if made.as_object().is_some_and(|made| !made.is_empty()) && has_required(property, &made) {
                        object.insert(name.clone(), made);
                    }
                    continue;
                }
            }
        }
        if let Some(there) = object.get_mut(name) {
            fill_defaults(property, there);
        }
    }
}

fn has_required(schema: &Value, value: &Value) -> bool {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    required.into_iter().all(|name| value.get(name).is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Schema {
        let document = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["mode"],
            "properties": {
                "alpha": {"type": "number", "default": 0.05, "exclusiveMinimum": 0, "maximum": 1},
                "mode": {"enum": ["exact", "asymptotic"]},
                "nested": {
                    "type": "object", "additionalProperties": false,
                    "properties": {"depth": {"type": "integer", "default": 3}, "name": {"type": "string"}}
                },
                "partial": {"type": "object", "required": ["a"], "properties": {"a": {}, "b": {"default": 1}}},
                "list": {"type": "array", "items": {"type": "integer"}, "default": [1, 2]}
            }
        });
        Schema::parse(&document.to_string()).expect("schema")
    }

    #[test]
    fn defaults_lie_under_every_layer() {
        let filled = schema()
            .fill(
                "config",
                &[&json!({"mode": "exact", "nested": {"name": "a"}}), &json!({"alpha": 0.1, "list": [9]}), &json!({"alpha": 0.2})],
            )
            .expect("good");
        assert_eq!(filled, json!({"mode": "exact", "alpha": 0.2, "list": [9], "nested": {"name": "a", "depth": 3}}));
        let least = schema().fill("config", &[&json!({"mode": "exact"}), &Value::Null]).expect("good");
        assert_eq!(least, json!({"mode": "exact", "alpha": 0.05, "list": [1, 2], "nested": {"depth": 3}}));
    }

    #[test]
    fn errors_name_the_property_and_the_near_match() {
        let check = |given: Value, expected: &str| {
            let error = schema().fill("config", &[&given]).expect_err("wrong").to_string();
            assert!(error.contains(expected), "{given}: {error}");
        };
        check(json!({"mode": "exact", "alhpa": 1}), "config.alhpa: is not a setting of this plugin; did you mean `alpha`?");
        check(
            json!({"mode": "exact", "nested": {"dpeth": 1}}),
            "config.nested.dpeth: is not a setting of this plugin; did you mean `depth`?",
        );
        check(json!({"mode": "exact", "alpha": 2}), "config.alpha: 2 is greater than the maximum of 1");
        check(json!({"mode": "exact", "list": [1, "a"]}), "config.list.1:");
        check(json!({"mode": "exakt"}), "did you mean `exact`?");
        check(json!({}), "config.mode: is missing and has no default");
        check(json!([1]), "config: must be an object");
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for (text, expected) in [
            ("{", "not JSON"),
            ("[]", "must be an object"),
            (r#"{"type":"array"}"#, "must be an object"),
            (r#"{"type":"object","properties":{"a":{"type":"nubmer"}}}"#, "/properties/a/type"),
            (r#"{"type":"object","$ref":"https://example.com/x"}"#, "cannot be used"),
        ] {
            let why = Schema::parse(text).expect_err(text);
            assert!(why.contains(expected), "{text}: {why}");
        }
    }
}
