//! Adds to the description of the API what is true of all requests.
use serde_json::{Value, json};

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

/// Returns the description with the answers that each request may get, and the ways to show who asks.
pub(super) fn complete(mut document: Value) -> Value {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    let requests = paths.flat_map(|(_, methods)| methods.as_object_mut().into_iter().flatten());
    for (_, request) in requests {
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
        // An empty body means the defaults.
        if let Some(body) = request.get_mut("requestBody")
            && body["content"].get("application/json").is_some()
        {
            body["required"] = false.into();
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
