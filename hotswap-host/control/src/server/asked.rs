//! A request on its way to the host: whether its caller may ask for it, and what is recorded of it.
use super::Host;
use super::answer::{Shared, on_thread};
use super::caller::Caller;
use super::input::body_of;
use super::record;
use super::rules::Rule;
use crate::api::{Deployment, Failure, FailureKind, Patches, Plugin, Report, Status};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{Extension, MatchedPath, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hotswap_host::Requester;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};

/// A request that changes something.
#[derive(Clone)]
pub(super) struct Asked {
    /// Who has asked, for which deployment, and why.
    pub(super) by: Requester,
    /// The request in a few words.
    pub(super) what: String,
    /// The rest of the body, in JSON.
    pub(super) details: Option<String>,
    /// How far the record is. It is shared between the thread that asks the host and the one that answers.
    written: Arc<Written>,
}

#[derive(Default)]
struct Written {
    /// The number of the record with which the request has begun, or 0.
    begun: AtomicI64,
    ended: AtomicBool,
}

/// Lets a request pass if its caller may ask for it, and records one that changes something or is refused.
pub(super) async fn check(
    State(host): Shared,
    Extension(caller): Extension<Caller>,
    path: MatchedPath,
    params: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let params = match params {
        Ok(params) => params,
        Err(error) => {
            return Failure::new(FailureKind::Request, error.body_text()).into_response();
        }
    };
    let rule = Rule::of(request.method(), path.as_str());
    let mut what = rule.name.to_owned();
    for (_, value) in &params {
        what = format!("{what} {value}");
    }
    if caller.role < rule.least {
        let text = format!(
            "{} has the role {}, and `{what}` needs the role {}",
            caller.who, caller.role, rule.least
        );
        let failure = Failure::new(FailureKind::Forbidden, text);
        let asked = Asked::new(&caller, what, &[]);
        return asked.refused(&host, failure).await;
    }
    if !rule.changes {
        let response = next.run(request).await;
        return match response.extensions().get::<Failure>() {
            Some(failure) if failure.kind == FailureKind::Forbidden => {
                let failure = failure.clone();
                Asked::new(&caller, what, &[]).refused(&host, failure).await
            }
            _ => response,
        };
    }
    let (parts, body) = request.into_parts();
    let bytes = match body_of(body).await {
        Ok(bytes) => bytes,
        Err(failure) => return Asked::new(&caller, what, &[]).refused(&host, failure).await,
    };
    let asked = Asked::new(&caller, what, &bytes);
    request = Request::from_parts(parts, bytes.into());
    request.extensions_mut().insert(asked.clone());
    let response = next.run(request).await;
    match response.extensions().get::<Failure>() {
        Some(failure) if !asked.written.ended.load(SeqCst) => {
            let failure = failure.clone();
            asked.refused(&host, failure).await
        }
        _ => response,
    }
}

impl Asked {
    /// Returns a request with this body, which may be anything.
    fn new(caller: &Caller, what: String, body: &[u8]) -> Self {
        let mut by = Requester::new(&*caller.who);
        let mut fields: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
        if let Some(Value::String(reason)) = fields.remove("reason") {
            by = by.reason(reason);
        }
        if let Some(Value::String(id)) = fields.remove("deployment")
            && let Ok(id) = Deployment::try_from(id)
        {
            by = by.deployment(id);
        }
        let details = (!fields.is_empty()).then(|| Value::Object(fields).to_string());
        Asked {
            by,
            what,
            details,
            written: Arc::default(),
        }
    }

    /// Returns an upload of a file that is called so.
    #[cfg(feature = "history")]
    pub(super) fn upload(caller: &Caller, file: Option<String>) -> Self {
        let details = file.map(|file| serde_json::json!({ "name": file }).to_string());
        Asked {
            details,
            ..Asked::new(caller, "upload".into(), &[])
        }
    }

    /// Returns a request of somebody who is not known, or may not ask for anything.
    pub(super) fn unknown(who: &str, what: String) -> Self {
        Asked {
            by: Requester::new(who),
            what,
            details: None,
            written: Arc::default(),
        }
    }

    /// Records that the request was refused before the host has begun with it. Returns the answer.
    pub(super) async fn refused(self, host: &Arc<Host>, failure: Failure) -> Response {
        let begun = self.written.begun.load(SeqCst);
        let answer = failure.clone();
        let recorded = on_thread(host, move |host| {
            record::refused(host, &self, begun, &failure);
            Ok(())
        });
        // The log has an error of the record.
        let _ = recorded.await;
        answer.into_response()
    }
}

/// Lets the host do what a request asks for, with a record before it and one after it. Both are written on the same
/// thread, so they are there even if the client or the endpoint has gone meanwhile.
pub(super) async fn change<T: Told + Send + 'static>(
    host: &Arc<Host>,
    asked: Asked,
    run: impl FnOnce(&Host, &Requester) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    on_thread(host, move |host| {
        let begun = record::begun(host, &asked)?;
        asked.written.begun.store(begun, SeqCst);
        let result = run(host, &asked.by);
        record::ended(host, &asked, begun, result.as_ref().map(Told::told));
        asked.written.ended.store(true, SeqCst);
        result
    })
    .await
}

/// The answer to a request that has changed something.
pub(super) trait Told {
    /// Returns what the audit says of it.
    fn told(&self) -> &str;
}

impl Told for Report {
    fn told(&self) -> &str {
        &self.text
    }
}

impl Told for Status {
    fn told(&self) -> &str {
        ""
    }
}

impl Told for Patches {
    fn told(&self) -> &str {
        ""
    }
}

impl Told for Plugin {
    fn told(&self) -> &str {
        ""
    }
}
