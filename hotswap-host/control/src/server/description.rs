//! Adds to the description of the API what the types of Rust do not say: answers that each request may get, the options of the
//! pipeline, and which texts and numbers are valid.
use hotswap_host::ReloadOptions;
use serde_json::{Map, Value, json};

/// The answers that each request may get, beside its own.
const COMMON: [(&str, &str); 3] = [
    (
        "400",
        "the request is wrong: a field, a parameter, or a value",
    ),
    (
        "401",
        "over TCP: there is no token or certificate, or one that does not count",
    ),
    ("403", "the role of the caller does not suffice"),
];

/// The constraints on fields of requests: the schema, the field, and the JSON that is added to its description.
const VALID: [(&str, &str, &str); 8] = [
    (
        "ReloadRequest",
        "files",
        r#"{"items": {"type": "string", "pattern": "^/"}}"#,
    ),
    (
        "DeployRequest",
        "builds",
        r#"{"minItems": 1, "items": {"type": "string", "pattern": "^[0-9a-f]{32}$"}}"#,
    ),
    ("SignedManifest", "name", NAME),
    ("DrainRequest", "limit", SECONDS),
    ("TraceRequest", "seconds", SECONDS),
    ("TraceRequest", "sample", r#"{"minimum": 1}"#),
    ("TraceRequest", "function", r#"{"minLength": 1}"#),
    ("LogRequest", "keep", r#"{"minimum": 1}"#),
];

/// The name of a file without a directory.
const NAME: &str = r#"{"pattern": "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$", "maxLength": 255}"#;
/// The id of a deployment.
const DEPLOYMENT: &str =
    r#"{"pattern": "^[A-Za-z0-9_.:/@+-]+$", "minLength": 1, "maxLength": 128}"#;
/// A deployment of nothing is none.
const BUILDS: &str = r#"{"required": ["builds"]}"#;
/// A time. It is less than two to the power of 64.
const SECONDS: &str = r#"{"minimum": 0, "exclusiveMaximum": 18446744073709551616}"#;

/// Returns the description with all of it.
pub(super) fn complete(mut document: Value) -> Value {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    let requests = paths.flat_map(|(_, methods)| methods.as_object_mut().into_iter().flatten());
    requests.for_each(|(_, request)| complete_request(request));
    let schemas = &mut document["components"]["schemas"];
    let options = Value::Object(options()).to_string();
    let options = ["ReloadRequest", "DeployRequest"].map(|it| (it, "options", &*options));
    for (schema, field, valid) in VALID.into_iter().chain(options) {
        // Not each host has all of them.
        if let Some(field) = schemas.pointer_mut(&format!("/{schema}/properties/{field}")) {
            add(field, valid);
        }
    }
    for (schema, valid) in [("Deployment", DEPLOYMENT), ("DeployRequest", BUILDS)] {
        if let Some(schema) = schemas.get_mut(schema) {
            add(schema, valid);
        }
    }
    document["components"]["securitySchemes"] = json!({
        "token": { "type": "http", "scheme": "bearer" },
        "certificate": { "type": "mutualTLS" },
    });
    // On the socket, the system says who asks.
    document["security"] = json!([{}, { "token": [] }, { "certificate": [] }]);
    document
}

fn complete_request(request: &mut Value) {
    for (status, description) in COMMON {
        let answer = &mut request["responses"][status];
        if answer.is_null() {
            *answer = json!({
                "description": description,
                "content": {
                    "application/json": { "schema": { "$ref": "#/components/schemas/Failure" } },
                },
            });
        }
    }
    if let Some(body) = request.get_mut("requestBody") {
        match body["content"].get_mut("application/octet-stream") {
            Some(bytes) => bytes["schema"] = json!({ "type": "string", "format": "binary" }),
            // An empty body means the defaults, where there are some.
            None => {
                let schema = &body["content"]["application/json"]["schema"]["$ref"];
                let schema = schema.as_str().unwrap_or_default();
                body["required"] = schema.ends_with("/DeployRequest").into();
            }
        }
    }
    let parameters = request.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        if parameter["in"] == "path" {
            parameter["schema"] = json!({ "type": "string", "minLength": 1 });
        }
        if parameter["name"] == "name" {
            add(&mut parameter["schema"], NAME);
        }
    }
}

/// Adds to a schema, if the API has it.
fn add(schema: &mut Value, more: &str) {
    let more = serde_json::from_str::<Map<String, Value>>(more);
    if let (Some(schema), Ok(more)) = (schema.as_object_mut(), more) {
        schema.extend(more);
    }
}

/// Returns the schema of the options of the pipeline.
fn options() -> Map<String, Value> {
    let described = ReloadOptions::describe();
    let properties = described.iter().map(|option| {
        let mut schema = json!({ "description": option.meaning });
        add(&mut schema, &type_of(option.type_name));
        (option.name.to_owned(), schema)
    });
    let mut options = Map::new();
    options.insert("properties".into(), Value::Object(properties.collect()));
    options.insert("additionalProperties".into(), false.into());
    options
}

/// Returns the type of an option, of which the host knows the name.
fn type_of(name: &str) -> String {
    match name {
        "true or false" => r#"{"enum": [true, false, "true", "false"]}"#.into(),
        "a whole number" => {
            r#"{"type": "integer", "minimum": 0, "maximum": 18446744073709551615}"#.into()
        }
        "a number" => r#"{"type": "number", "minimum": 0}"#.into(),
        "a number of seconds" => {
            let mut seconds = json!({ "type": "number" });
            add(&mut seconds, SECONDS);
            seconds.to_string()
        }
        _ if name.starts_with("a list ") => {
            r#"{"type": "string", "pattern": "^([a-z]+=(warm|cold),)*([a-z]+=(warm|cold)|none)$"}"#
                .into()
        }
        // One of some words.
        _ => {
            let words = name.split([',', ' ']);
            let words = words.filter(|word| !word.is_empty() && *word != "or");
            json!({ "enum": words.collect::<Vec<_>>() }).to_string()
        }
    }
}
