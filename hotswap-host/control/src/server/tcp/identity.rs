//! Who is at the other end of a connection, by its token or its certificate.
use super::Endpoint;
use super::credentials::Refused;
use crate::api::{Failure, FailureKind, Role};
use crate::server::caller::{Caller, Stranger};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use std::net::IpAddr;
use std::sync::Arc;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// The other end of a TCP connection.
#[derive(Clone)]
pub(in crate::server) struct Remote {
    endpoint: Arc<Endpoint>,
    address: IpAddr,
    /// The subject of its certificate, which an authority of the host has signed and which has not expired.
    subject: Option<Arc<str>>,
}

impl Remote {
    pub(in crate::server) fn new(
        endpoint: Arc<Endpoint>,
        address: IpAddr,
        certificate: Option<&[u8]>,
    ) -> Self {
        let subject = certificate.and_then(|der| Certificate::from_der(der).ok());
        let subject = subject.map(|found| found.tbs_certificate.subject.to_string().into());
        Remote {
            endpoint,
            address,
            subject,
        }
    }

    /// Returns who has sent a request with these headers. It reads the file of tokens.
    pub(in crate::server) fn caller(&self, headers: &HeaderMap) -> Result<Caller, Stranger> {
        if let Some(value) = headers.get(AUTHORIZATION) {
            let token = value.to_str().ok().and_then(bearer);
            return self.by_token(token);
        }
        let Some(subject) = &self.subject else {
            let text = "this host wants a token, as `Authorization: Bearer TOKEN`, or a client certificate";
            return Err(self.stranger("a caller without a token", FailureKind::Unauthorized, text));
        };
        let who = format!("certificate {subject}");
        match self.endpoint.settings.roles.get(&**subject) {
            Some(role) => Ok(self.known(&who, *role)),
            None => {
                let text = format!("the {who} has no role in this host");
                Err(self.stranger(&who, FailureKind::Forbidden, &text))
            }
        }
    }

    fn by_token(&self, token: Option<&str>) -> Result<Caller, Stranger> {
        let checked = match token {
            Some(token) => self.endpoint.tokens.check(token),
            None => Err(Refused::Unknown),
        };
        match checked {
            Ok((id, role)) => Ok(self.known(&format!("token {id}"), role)),
            Err(Refused::Expired { id }) => {
                let text = format!("the token {id} has expired");
                Err(self.stranger(&format!("token {id}"), FailureKind::Unauthorized, &text))
            }
            Err(Refused::Unknown) => {
                let (who, text) = (
                    "a caller with a wrong token",
                    "this host knows no such token",
                );
                Err(self.stranger(who, FailureKind::Unauthorized, text))
            }
            Err(Refused::File(problem)) => {
                // Strangers need not know why.
                tracing::error!(target: "hotswap", "the file of tokens cannot be used: {problem}");
                let (who, text) = ("a caller with a token", "this host cannot check tokens now");
                Err(self.stranger(who, FailureKind::Internal, text))
            }
        }
    }

    fn known(&self, who: &str, role: Role) -> Caller {
        Caller {
            who: format!("{who} from {}", self.address).into(),
            role,
        }
    }

    fn stranger(&self, who: &str, kind: FailureKind, text: &str) -> Stranger {
        Stranger {
            who: format!("{who} from {}", self.address).into(),
            failure: Failure::new(kind, text),
        }
    }
}

/// Returns the token of `Bearer TOKEN`.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
