//! The OpenAPI document is the contract: it changes only on purpose, and it describes everything.

use serde_json::Value;

#[test]
fn the_document_is_the_snapshot() {
    insta::assert_json_snapshot!("openapi", bellwether_server::document());
}

#[test]
fn every_operation_parameter_and_field_is_described() {
    let document = serde_json::to_value(bellwether_server::document()).unwrap();
    let mut silent = Vec::new();
    // A reference that may be null has its description beside the reference.
    let described = |value: &Value| {
        let has_text = |value: &Value| value["description"].as_str().is_some_and(|text| !text.is_empty());
        has_text(value) || value["oneOf"].as_array().is_some_and(|choices| choices.iter().any(has_text))
    };
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["summary"].as_str().is_none() {
                silent.push(format!("{method} {path}"));
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                if !described(parameter) {
                    silent.push(format!("{method} {path} ?{}", parameter["name"]));
                }
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if !described(schema) {
            silent.push(name.clone());
        }
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            if !described(property) {
                silent.push(format!("{name}.{field}"));
            }
        }
    }
    assert!(silent.is_empty(), "without a description: {}", silent.join(", "));
}

#[test]
fn every_reference_leads_somewhere() {
    let document = serde_json::to_value(bellwether_server::document()).unwrap();
    let mut pending = vec![&document];
    let mut references = 0;
    while let Some(value) = pending.pop() {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(reference)) = map.get("$ref") {
                    references += 1;
                    assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
                }
                pending.extend(map.values());
            }
            Value::Array(items) => pending.extend(items),
            _ => {}
        }
    }
    assert!(references > 50);
}
