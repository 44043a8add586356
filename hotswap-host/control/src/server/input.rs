//! The body of a request.
use crate::api::{Failure, FailureKind};
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::time::Duration;

/// The time that a client has for a body.
const LIMIT: Duration = Duration::from_secs(10);

/// A body in JSON. An empty body means the defaults.
pub(super) struct Input<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for Input<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let wrong = |text: String| Failure::new(FailureKind::Request, text);
        let kind = request.headers().get(CONTENT_TYPE).cloned();
        let body = tokio::time::timeout(LIMIT, Bytes::from_request(request, state)).await;
        let body = body.map_err(|_| wrong(format!("the body did not come within {LIMIT:?}")))?;
        let body = body.map_err(|error| wrong(format!("the body cannot be read: {error}")))?;
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
            .and_then(|object| serde_json::from_value(object.into()))
            .map(Input)
            .map_err(|error| wrong(format!("the body is not what this request takes: {error}")))
    }
}
