//! The body of a request.
use crate::api::{Failure, FailureKind};
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::time::Duration;

/// The greatest size of a body.
const LONGEST: usize = 64 << 10;
/// The time that a client has for a body.
const LIMIT: Duration = Duration::from_secs(10);

/// A body in JSON. An empty body means the defaults.
pub(super) struct Input<T>(pub(super) T);

fn wrong(text: String) -> Failure {
    Failure::new(FailureKind::Request, text)
}

/// Reads a body, as far as the limits allow.
pub(super) async fn body_of(body: Body) -> Result<Bytes, Failure> {
    let body = tokio::time::timeout(LIMIT, axum::body::to_bytes(body, LONGEST)).await;
    let body = body.map_err(|_| wrong(format!("the body did not come within {LIMIT:?}")))?;
    body.map_err(|error| wrong(format!("the body cannot be read: {error}")))
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for Input<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let kind = request.headers().get(CONTENT_TYPE).cloned();
        let body = body_of(request.into_body()).await?;
        if body.is_empty() {
            return Ok(Input(T::default()));
        }
        let kind = kind.as_ref().and_then(|kind| kind.to_str().ok());
        let is_json = kind.is_some_and(|kind| kind.split(';').next() == Some("application/json"));
        if !is_json {
            return Err(wrong(
                "send JSON, with `Content-Type: application/json`".into(),
            ));
        }
        // A list would do for serde.
        let object: Result<Map<String, Value>, _> = serde_json::from_slice(&body);
        object
            .and_then(|object| serde_json::from_value(with_integers(object.into())))
            .map(Input)
            .map_err(|error| wrong(format!("the body is not what this request takes: {error}")))
    }
}

/// Returns a value in which whole numbers are integers. For JSON, `7.0` is the same number as `7`, and for serde it is not.
fn with_integers(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            // Up to here, each integer has a number of its own.
            Some(whole)
                if number.is_f64() && whole.fract() == 0.0 && whole.abs() < 2f64.powi(53) =>
            {
                Value::from(whole as i64)
            }
            _ => number.into(),
        },
        Value::Array(items) => items.into_iter().map(with_integers).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            fields
                .map(|(name, value)| (name, with_integers(value)))
                .collect()
        }
        other => other,
    }
}

/// The parameters of a request, behind the path.
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Params(params)),
            Err(error) => Err(wrong(format!(
                "the parameters are not what this request takes: {}",
                error.body_text()
            ))),
        }
    }
}
