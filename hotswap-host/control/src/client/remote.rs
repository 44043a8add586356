//! A host on another machine, or on a TCP address of this one.
use super::connection::Address;
use super::{Client, ClientError};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fmt;
use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The time in which a connection has to be made.
const LIMIT: Duration = Duration::from_secs(10);
/// The port, if the address names none.
const PORT: u16 = 7443;

/// A connection with TLS.
pub(super) type Secure = StreamOwned<ClientConnection, TcpStream>;

/// A host whose control endpoint is served on a TCP address, and how the client shows who it is.
///
/// ```no_run
/// use hotswap_control::{Client, RemoteHost};
///
/// let host = RemoteHost::new("https://shop.example:7443", "/etc/shop/ca.pem").token("a secret text");
/// let status = Client::of_remote(&host)?.status()?;
/// # Ok::<(), hotswap_control::ClientError>(())
/// ```
#[derive(Clone)]
#[must_use = "this asks nobody until it is given to `Client::of_remote`"]
pub struct RemoteHost {
    url: String,
    authorities: PathBuf,
    certificate: Option<(PathBuf, PathBuf)>,
    token: Option<String>,
}

impl RemoteHost {
    /// Returns the host at `https://NAME[:PORT]`, whose certificate an authority of this file has signed, in PEM. The port is
    /// 7443 unless it is named.
    pub fn new(url: impl Into<String>, authorities: impl Into<PathBuf>) -> Self {
        RemoteHost {
            url: url.into(),
            authorities: authorities.into(),
            certificate: None,
            token: None,
        }
    }

    /// Sets the token.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Sets the client's certificate and its key, in PEM.
    pub fn certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.certificate = Some((certificate.into(), key.into()));
        self
    }
}

/// Does not show the token.
impl fmt::Debug for RemoteHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteHost({})", self.url)
    }
}

impl Client {
    /// Returns a client of a host on a TCP address. It connects with each request.
    ///
    /// # Errors
    /// The address is not one of `https`, or a file of the certificates or the key cannot be used.
    pub fn of_remote(host: &RemoteHost) -> Result<Self, ClientError> {
        let remote = Remote::new(host).map_err(ClientError::Settings)?;
        let mut client = Self::at(Address::Remote(remote));
        if let Some(token) = &host.token {
            client.authorization = Some(format!("Bearer {}", token.trim()).into());
        }
        Ok(client)
    }
}

/// The place of a host, with what TLS needs.
pub(super) struct Remote {
    place: (String, u16),
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({:?})", self.place)
    }
}

impl Remote {
    fn new(host: &RemoteHost) -> Result<Self, String> {
        let place = place(&host.url)?;
        let name = ServerName::try_from(place.0.clone());
        let name = name.map_err(|error| format!("{}: {error}", place.0))?;
        let mut roots = RootCertStore::empty();
        for authority in certificates(&host.authorities)? {
            let added = roots.add(authority);
            added.map_err(|error| format!("{}: {error}", host.authorities.display()))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions();
        let config = config.map_err(|error| error.to_string())?;
        let config = config.with_root_certificates(roots);
        let config = match &host.certificate {
            Some((certificate, key)) => {
                let chain = certificates(certificate)?;
                let secret = PrivateKeyDer::from_pem_file(key).map_err(of_file(key))?;
                let config = config.with_client_auth_cert(chain, secret);
                config.map_err(|error| format!("{}: {error}", certificate.display()))?
            }
            None => config.with_no_client_auth(),
        };
        Ok(Remote {
            place,
            name,
            config: Arc::new(config),
        })
    }

    /// Connects, and makes sure that it is the host.
    pub(super) fn connect(&self) -> io::Result<Box<Secure>> {
        let (host, port) = &self.place;
        let mut last = None;
        for address in (host.as_str(), *port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, LIMIT) {
                Ok(stream) => return self.secure(stream),
                Err(error) => last = Some(error),
            }
        }
        let nothing = || io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"));
        Err(last.unwrap_or_else(nothing))
    }

    fn secure(&self, mut stream: TcpStream) -> io::Result<Box<Secure>> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        let connection = ClientConnection::new(self.config.clone(), self.name.clone());
        let mut connection = connection.map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(Box::new(StreamOwned::new(connection, stream)))
    }
}

/// Returns the name and the port of `https://NAME[:PORT]`.
fn place(url: &str) -> Result<(String, u16), String> {
    let wrong = || format!("{url:?} is no address such as https://shop.example:7443");
    let Some(rest) = url.strip_prefix("https://") else {
        return Err(match url.starts_with("http://") {
            true => format!("{url:?} would send everything in the clear; hosts are asked by https"),
            false => wrong(),
        });
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    // An address of IPv6 is in brackets.
    let (name, port) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (name, port) = rest.split_once(']').ok_or_else(wrong)?;
            (name, port.strip_prefix(':'))
        }
        None => match rest.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (rest, None),
        },
    };
    let port = port.map_or(Ok(PORT), str::parse).map_err(|_| wrong())?;
    match name.is_empty() || name.contains(['/', '@', '?', '#']) {
        true => Err(wrong()),
        false => Ok((name.to_owned(), port)),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = CertificateDer::pem_file_iter(path).map_err(of_file(path))?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(of_file(path))?;
    match found.is_empty() {
        false => Ok(found),
        true => Err(of_file(path)(pem::Error::NoItemsFound)),
    }
}

fn of_file(path: &Path) -> impl Fn(pem::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn addresses_of_hosts() {
        let of = |url: &str| place(url).unwrap();
        assert_eq!(of("https://shop.example"), ("shop.example".into(), 7443));
        assert_eq!(of("https://[::1]:1/"), ("::1".into(), 1));
        assert_eq!(of("https://[::1]"), ("::1".into(), 7443));
        assert_eq!(of("https://10.0.0.1:99"), ("10.0.0.1".into(), 99));
        for url in [
            "http://shop.example",
            "shop.example:7443",
            "https://",
            "https://:7443",
            "https://a/b",
            "https://user@a",
            "https://a:b",
            "https://a:70000",
        ] {
            place(url).unwrap_err();
        }
    }
}
