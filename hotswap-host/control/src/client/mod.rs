//! Asks the control endpoint of a host.
mod connection;
#[cfg(feature = "client-tls")]
mod remote;

#[cfg(feature = "client-tls")]
pub use remote::RemoteHost;

use crate::api::{
    Attempt, AuditCheck, AuditRecord, Calls, DrainRequest, Event, EventKind, Failure, Health,
    Holders, LogRequest, LogSettings, Plugin, ReasonRequest, ReloadRequest, Report,
    RollbackRequest, Status, Verdict,
};
use crate::sse::Frames;
use connection::{Address, NoResolver};
use hotswap_host::runtime::RunningHost;
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use serde_json::Value;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use ureq::http::Response;
use ureq::http::header::AUTHORIZATION;
use ureq::{Agent, Body, Error as HttpError, RequestBuilder};

/// A client of a control endpoint. Each request has a connection of its own.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    /// The header with the token.
    authorization: Option<Arc<str>>,
}

/// Does not show the token.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// The reason why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No process listens on the socket, or the connection failed.
    #[error("the control endpoint cannot be reached: {0}")]
    Connect(io::Error),
    /// The host refused.
    #[error("{0}")]
    Failure(Failure),
    /// The answer is not that of a control endpoint.
    #[error("the control endpoint does not answer as one does: {0}")]
    Protocol(String),
    /// The address, or a file that is needed to ask the host, cannot be used.
    #[cfg(feature = "client-tls")]
    #[error("the host cannot be asked: {0}")]
    Settings(String),
}

impl Client {
    /// Returns a client of a host that runs on this machine.
    pub fn of_host(host: &RunningHost) -> Self {
        Self::at(Address::Host(Box::new(host.clone())))
    }

    /// Returns a client of the endpoint with this socket.
    pub fn of_socket(path: impl Into<PathBuf>) -> Self {
        Self::at(Address::Path(path.into()))
    }

    fn at(address: Address) -> Self {
        // A reload may take as long as it likes, so there are no time limits.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_idle_connections(0)
            .build();
        Client {
            agent: Agent::with_parts(config, address, NoResolver),
            authorization: None,
        }
    }

    /// Returns the state of the host.
    ///
    /// # Errors
    /// The endpoint cannot be reached.
    pub fn status(&self) -> Result<Status, ClientError> {
        self.get("/v1/status")
    }

    /// Reloads plugins, and returns when the reload has ended.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or the host refused.
    pub fn reload(&self, request: &ReloadRequest) -> Result<Report, ClientError> {
        self.post("/v1/reload", request)
    }

    /// Returns what a reload would do, and changes nothing.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or the reload would be refused before anything is loaded.
    pub fn check(&self, request: &ReloadRequest) -> Result<Verdict, ClientError> {
        self.post("/v1/check", request)
    }

    /// Reverts the last reload, whose rollback window is open, or goes back to builds of an earlier time.
    ///
    /// # Errors
    /// The endpoint cannot be reached, there is nothing to go back to, or the host refused.
    pub fn rollback(&self, request: &RollbackRequest) -> Result<Report, ClientError> {
        self.post("/v1/rollback", request)
    }

    /// Returns the last attempts to make a generation, the newest one first.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or the host keeps no history.
    pub fn history(&self, limit: usize) -> Result<Vec<Attempt>, ClientError> {
        self.get(&format!("/v1/history?limit={limit}"))
    }

    /// Returns the last records of the audit, the newest one first.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or the host keeps no history.
    pub fn audit(&self, limit: usize) -> Result<Vec<AuditRecord>, ClientError> {
        self.get(&format!("/v1/audit?limit={limit}"))
    }

    /// Checks whether all records of the audit are there as they were written.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or the host keeps no history.
    pub fn check_audit(&self) -> Result<AuditCheck, ClientError> {
        self.get("/v1/audit/check")
    }

    /// Returns the health of the host and its plugins, as it is known.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or the host does not check its health.
    pub fn health(&self) -> Result<Health, ClientError> {
        self.get("/v1/health")
    }

    /// Runs the checks of a plugin, or of everything, and returns the health of the host and its plugins.
    ///
    /// # Errors
    /// The endpoint cannot be reached, the host does not check its health, or no such plugin is loaded.
    pub fn check_health(&self, plugin: Option<&str>) -> Result<Health, ClientError> {
        let plugin = plugin.map_or_else(String::new, |name| format!("&plugin={}", encoded(name)));
        self.get(&format!("/v1/health?now=true{plugin}"))
    }

    /// Returns what the host logs, and where.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or the host does not let its log be changed.
    pub fn log(&self) -> Result<LogSettings, ClientError> {
        self.get("/v1/log")
    }

    /// Changes what the host logs, and where.
    ///
    /// # Errors
    /// The endpoint cannot be reached, the host does not let its log be changed, or a setting cannot be used.
    pub fn set_log(&self, request: &LogRequest) -> Result<LogSettings, ClientError> {
        self.post("/v1/log", request)
    }

    /// Returns the numbers of the calls of all live plugins, and makes the host count them for the next ten seconds.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or the host is about to end.
    pub fn calls(&self) -> Result<Calls, ClientError> {
        self.get("/v1/calls?count=true")
    }

    /// Makes the last reload permanent, whose rollback window is open.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or no window is open.
    pub fn confirm(&self, request: &ReasonRequest) -> Result<Status, ClientError> {
        self.post("/v1/confirm", request)
    }

    /// Makes the host refuse all changes.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or the host cannot remember it.
    pub fn freeze(&self, request: &ReasonRequest) -> Result<Status, ClientError> {
        self.post("/v1/freeze", request)
    }

    /// Makes the host accept changes again.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or the host cannot remember it.
    pub fn unfreeze(&self, request: &ReasonRequest) -> Result<Status, ClientError> {
        self.post("/v1/unfreeze", request)
    }

    /// Returns the state of a plugin.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or no such plugin is loaded.
    pub fn plugin(&self, plugin: &str) -> Result<Plugin, ClientError> {
        self.get(&path_of(plugin, ""))
    }

    /// Returns what a plugin says of itself, as `cargo hotswap inspect --json` shows it.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or no such plugin is loaded.
    pub fn metadata(&self, plugin: &str) -> Result<serde_json::Value, ClientError> {
        self.get(&path_of(plugin, "/metadata"))
    }

    /// Returns what uses a plugin at this moment.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or no such plugin is loaded.
    pub fn holders(&self, plugin: &str) -> Result<Holders, ClientError> {
        self.get(&path_of(plugin, "/holders"))
    }

    /// Takes a plugin out of service without unloading it.
    ///
    /// # Errors
    /// The endpoint cannot be reached, no such plugin is loaded, or the host refused.
    pub fn take_out_of_service(
        &self,
        plugin: &str,
        request: &ReasonRequest,
    ) -> Result<Plugin, ClientError> {
        self.post(&path_of(plugin, "/out-of-service"), request)
    }

    /// Takes a plugin out of service, and waits until its running calls have ended.
    ///
    /// # Errors
    /// The endpoint cannot be reached, no such plugin is loaded, or calls are still running after the limit.
    pub fn drain(&self, plugin: &str, request: &DrainRequest) -> Result<Plugin, ClientError> {
        self.post(&path_of(plugin, "/drain"), request)
    }

    /// Puts a plugin back into service.
    ///
    /// # Errors
    /// The endpoint cannot be reached, no such plugin is loaded, or the host refused.
    pub fn resume(&self, plugin: &str, request: &ReasonRequest) -> Result<Plugin, ClientError> {
        self.post(&path_of(plugin, "/resume"), request)
    }

    /// Follows what happens, from the event after the one with this number on, or from now on.
    ///
    /// # Errors
    /// The endpoint cannot be reached.
    pub fn events(&self, after: Option<u64>) -> Result<Events, ClientError> {
        let query = after.map_or_else(String::new, |after| format!("?after={after}"));
        let request = self.agent.get(url(&format!("/v1/events{query}")));
        let response = self.authorized(request).call();
        Ok(Events(Frames::of(
            checked(response)?.into_body().into_reader(),
        )))
    }

    /// Adds the token, if there is one.
    fn authorized<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, &**value),
            None => request,
        }
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        read(self.authorized(self.agent.get(url(path))).call())
    }

    /// Sends a request whose answer is a stream of events.
    pub(crate) fn post_stream(
        &self,
        path: &str,
        body: &(impl Serialize + Default),
    ) -> Result<Frames, ClientError> {
        let response = self.send(path, body)?;
        Ok(Frames::of(checked(response)?.into_body().into_reader()))
    }

    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Default),
    ) -> Result<T, ClientError> {
        read(self.send(path, body)?)
    }

    /// Sends bytes as they are.
    pub(crate) fn post_bytes<T: DeserializeOwned>(
        &self,
        path: &str,
        bytes: &[u8],
    ) -> Result<T, ClientError> {
        let request = self.authorized(self.agent.post(url(path)));
        read(request.content_type("application/octet-stream").send(bytes))
    }

    fn send(
        &self,
        path: &str,
        body: &(impl Serialize + Default),
    ) -> Result<Result<Response<Body>, HttpError>, ClientError> {
        let json = given(body).and_then(|given| serde_json::to_vec(&given));
        let json = json.map_err(|error| ClientError::Protocol(error.to_string()))?;
        let request = self.authorized(self.agent.post(url(path)));
        Ok(request.content_type("application/json").send(&json[..]))
    }
}

/// Returns a path below that of a plugin.
pub(crate) fn path_of(plugin: &str, rest: &str) -> String {
    format!("/v1/plugins/{}{rest}", encoded(plugin))
}

/// Returns a name as a part of an address. It may have any character.
pub(crate) fn encoded(name: &str) -> String {
    let encoded = name.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

/// The name of the machine in the address means nothing, since the socket is known.
fn url(path: &str) -> String {
    format!("http://host{path}")
}

fn checked(response: Result<Response<Body>, HttpError>) -> Result<Response<Body>, ClientError> {
    let mut response = response.map_err(|error| match error {
        HttpError::Io(error) => ClientError::Connect(error),
        error => ClientError::Protocol(error.to_string()),
    })?;
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    let text = response.body_mut().read_to_string().unwrap_or_default();
    Err(match serde_json::from_str(&text) {
        Ok(failure) => ClientError::Failure(failure),
        Err(_) => ClientError::Protocol(format!("{status}: {text}")),
    })
}

fn read<T: DeserializeOwned>(
    response: Result<Response<Body>, HttpError>,
) -> Result<T, ClientError> {
    let text = checked(response)?.body_mut().read_to_string();
    let text = text.map_err(|error| ClientError::Protocol(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| ClientError::Protocol(error.to_string()))
}

/// The events of a host, one after the other. The iterator waits for the next one, and ends with the endpoint.
pub struct Events(Frames);

/// What comes in a stream of events.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// An event.
    Event(Box<Event>),
    /// The events up to the one with this number were not kept.
    Lost {
        /// The number.
        up_to: u64,
    },
}

impl Iterator for Events {
    type Item = Result<Notice, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (name, data) = match self.0.next()? {
                Ok(frame) => frame,
                Err(error) => return Some(Err(ClientError::Connect(error))),
            };
            if let Some(notice) = notice(&name, &data).transpose() {
                return Some(notice);
            }
        }
    }
}

/// Reads what has come. Returns `None` for something that a later version sends beside the events.
fn notice(name: &str, data: &str) -> Result<Option<Notice>, ClientError> {
    let wrong = || ClientError::Protocol(format!("no event: {data}"));
    match name {
        "" => {}
        "lost" => {
            let up_to = data.parse().map_err(|_| wrong())?;
            return Ok(Some(Notice::Lost { up_to }));
        }
        _ => return Ok(None),
    }
    let mut value: Value = serde_json::from_str(data).map_err(|_| wrong())?;
    // The kind is a word, or an object with one field that has the word as its name.
    if EventKind::deserialize(&value["kind"]).is_err()
        && let Some(kind) = value.get_mut("kind")
    {
        *kind = serde_json::to_value(EventKind::Unknown).map_err(|_| wrong())?;
    }
    let event = Event::deserialize(value).map_err(|_| wrong())?;
    Ok(Some(Notice::Event(Box::new(event))))
}

/// Returns the fields of a request that differ from the defaults. A host of an earlier version refuses fields that it does not
/// know, so it gets them only if somebody uses them.
fn given<B: Serialize + Default>(body: &B) -> serde_json::Result<Value> {
    let mut given = serde_json::to_value(body)?;
    let defaults = serde_json::to_value(B::default())?;
    if let Value::Object(fields) = &mut given {
        fields.retain(|name, value| defaults.get(name) != Some(value));
    }
    Ok(given)
}
