//! The endpoint on a TCP address, with TLS.
mod accept;
mod credentials;
mod identity;

pub(super) use accept::accept;
pub(super) use identity::Remote;

use crate::api::Role;
use credentials::Tokens;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::SystemTime;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

/// The number of connections that may wait until others have ended.
const WAITING: u32 = 1024;

/// A TCP address on which the control endpoint is served, too, with TLS 1.3.
///
/// Callers show who they are with a token, or with a certificate of an authority that the host names. A caller without
/// either gets nothing. There is no way to serve the endpoint over TCP without TLS.
///
/// ```no_run
/// use hotswap_control::api::Role;
/// use hotswap_control::{Control, Tcp};
///
/// let tcp = Tcp::new(
///     "0.0.0.0:7443".parse()?,
///     "/etc/shop/control.pem",
///     "/etc/shop/control.key",
/// );
/// let tcp = tcp
///     .tokens("/etc/shop/control.tokens")
///     .authorities("/etc/shop/clients.pem")
///     .certificate("CN=deploy,O=Shop", Role::Operate);
/// let control = Control::new().tcp(tcp);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "this serves nothing until it is given to `Control::tcp`"]
pub struct Tcp {
    address: SocketAddr,
    certificate: PathBuf,
    key: PathBuf,
    authorities: Option<PathBuf>,
    revoked: Option<PathBuf>,
    roles: BTreeMap<String, Role>,
    tokens: Option<PathBuf>,
}

/// The reason why a TCP address is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TcpError {
    /// The address cannot be listened on.
    #[error("the control endpoint cannot listen on {address}: {error}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// The reason.
        error: io::Error,
    },
    /// A file cannot be read, or does not have what it should have.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: String,
    },
    /// The certificate, the key, or the authorities cannot be used.
    #[error("the certificate and the key of the control endpoint cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    /// Nobody could ask for anything.
    #[error(
        "nobody could ask for anything over TCP; name a file of tokens with `Tcp::tokens`, or authorities of certificates with `Tcp::authorities`"
    )]
    Nobody,
}

impl Tcp {
    /// Returns an address, with the certificate of the host and those between it and its authority, and the key of the
    /// certificate, in PEM. They are read again when the files have changed.
    pub fn new(
        address: SocketAddr,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        Tcp {
            address,
            certificate: certificate.into(),
            key: key.into(),
            authorities: None,
            revoked: None,
            roles: BTreeMap::new(),
            tokens: None,
        }
    }

    /// Accepts tokens of this file, which has a [line](crate::TokenLine) for each. It is read for each request, so a line
    /// that is removed ends its token at once. Other users must not be able to write it.
    pub fn tokens(mut self, file: impl Into<PathBuf>) -> Self {
        self.tokens = Some(file.into());
        self
    }

    /// Accepts client certificates of the authorities in this file, in PEM, that [have a role](Self::certificate). It is
    /// read again when it has changed.
    pub fn authorities(mut self, file: impl Into<PathBuf>) -> Self {
        self.authorities = Some(file.into());
        self
    }

    /// Refuses client certificates that are in the lists of revoked certificates in this file, in PEM. Each authority signs its
    /// own list, and certificates of an authority without a list are refused. The file is read again when it has changed; a
    /// connection that is there by then goes on.
    pub fn revoked(mut self, file: impl Into<PathBuf>) -> Self {
        self.revoked = Some(file.into());
        self
    }

    /// Says what clients with certificates of this subject may do. It is written as `openssl x509 -subject -nameopt RFC2253`
    /// shows it, such as `CN=deploy,O=Shop`.
    pub fn certificate(mut self, subject: impl Into<String>, role: Role) -> Self {
        self.roles.insert(subject.into(), role);
        self
    }
}

/// What serves a TCP address.
pub(super) struct Endpoint {
    settings: Tcp,
    tokens: Tokens,
    tls: RwLock<Tls>,
}

struct Tls {
    acceptor: TlsAcceptor,
    /// The times at which the files were written.
    written: Vec<Option<SystemTime>>,
}

impl Endpoint {
    /// Reads the files, and listens on the address.
    ///
    /// # Errors
    /// A file cannot be used, the address cannot be listened on, or nobody could ask for anything.
    pub(super) fn open(settings: Tcp, runtime: &Runtime) -> Result<(Self, TcpListener), TcpError> {
        if settings.tokens.is_none() && settings.authorities.is_none() {
            return Err(TcpError::Nobody);
        }
        let tokens = Tokens::new(settings.tokens.clone());
        tokens.read().map_err(|problem| TcpError::File {
            path: settings.tokens.clone().unwrap_or_default(),
            problem,
        })?;
        let tls = Tls::read(&settings)?;
        let address = settings.address;
        let listener = listen(address, runtime);
        let listener = listener.map_err(|error| TcpError::Address { address, error })?;
        let endpoint = Endpoint {
            settings,
            tokens,
            tls: RwLock::new(tls),
        };
        Ok((endpoint, listener))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let tls = self.tls.read();
        let tls = tls.unwrap_or_else(std::sync::PoisonError::into_inner);
        tls.acceptor.clone()
    }

    /// Reads the files again if they have changed. If they cannot be used, the endpoint goes on with those that it has.
    pub(super) fn renew(&self) {
        let written = written(&self.settings);
        let mut tls = self
            .tls
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if written == tls.written {
            return;
        }
        match Tls::read(&self.settings) {
            Ok(renewed) => *tls = renewed,
            Err(error) => {
                tls.written = written;
                tracing::error!(target: "hotswap", "the control endpoint goes on with its earlier certificate: {error}");
            }
        }
    }
}

impl Tls {
    fn read(settings: &Tcp) -> Result<Self, TcpError> {
        // A file that is changed meanwhile is read once more.
        let written = written(settings);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone());
        let config = config.with_safe_default_protocol_versions()?;
        let config = match &settings.authorities {
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(path)? {
                    roots.add(authority)?;
                }
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = match &settings.revoked {
                    Some(path) => verifier.with_crls(lists(path)?),
                    None => verifier,
                };
                // Without a certificate, a token may do.
                let verifier = match &settings.tokens {
                    Some(_) => verifier.allow_unauthenticated(),
                    None => verifier,
                };
                let verifier = verifier.build().map_err(|error| TcpError::File {
                    path: path.clone(),
                    problem: error.to_string(),
                })?;
                config.with_client_cert_verifier(verifier)
            }
            None => config.with_no_client_auth(),
        };
        let chain = certificates(&settings.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&settings.key).map_err(file(&settings.key))?;
        let mut config = config.with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A session that is resumed would not have its certificate checked again.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Tls {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            written,
        })
    }
}

fn listen(address: SocketAddr, runtime: &Runtime) -> io::Result<TcpListener> {
    let _inside = runtime.enter();
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

fn written(settings: &Tcp) -> Vec<Option<SystemTime>> {
    let files = [
        Some(&settings.certificate),
        Some(&settings.key),
        settings.authorities.as_ref(),
        settings.revoked.as_ref(),
    ];
    let written = |path: &PathBuf| std::fs::metadata(path).ok()?.modified().ok();
    files.into_iter().flatten().map(written).collect()
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TcpError> {
    let found = CertificateDer::pem_file_iter(path).map_err(file(path))?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(file(path))?;
    match found.is_empty() {
        false => Ok(found),
        true => Err(file(path)(pem::Error::NoItemsFound)),
    }
}

/// Reads lists of revoked certificates.
fn lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TcpError> {
    let found = CertificateRevocationListDer::pem_file_iter(path).map_err(file(path))?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(file(path))?;
    match found.is_empty() {
        false => Ok(found),
        true => Err(file(path)(pem::Error::NoItemsFound)),
    }
}

fn file(path: &Path) -> impl Fn(pem::Error) -> TcpError {
    move |error| TcpError::File {
        path: path.to_owned(),
        problem: error.to_string(),
    }
}
