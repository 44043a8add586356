//! Finds the running host that a command line means.

use std::path::Path;

use hotswap_control::Client;
#[cfg(feature = "tls")]
use hotswap_control::RemoteHost;
use hotswap_host::runtime::{self, RunningHost};
use hotswap_host::shown;

use crate::Error;
use crate::cli::HostArgs;
#[cfg(feature = "tls")]
use crate::cli::RemoteArgs;
#[cfg(feature = "tls")]
use crate::error::io;
use crate::session::Session;

/// Returns a client of the host that is meant.
pub(crate) fn client(session: &Session, args: &HostArgs) -> Result<Client, Error> {
    match client_at(session, args)? {
        Some(client) => Ok(client),
        None => running(args.host.as_deref()).map(|host| Client::of_host(&host)),
    }
}

/// Returns a client of the host at the address or the socket that is named. Returns `None` if neither is.
pub(crate) fn client_at(session: &Session, args: &HostArgs) -> Result<Option<Client>, Error> {
    let named = args.host.as_deref();
    if let Some(url) = named.filter(|named| is_address(named)) {
        return remote(session, url, args).map(Some);
    }
    #[cfg(feature = "tls")]
    if args.remote.is_given() {
        return Err(Error::NotRemote);
    }
    let socket = named.filter(|named| named.contains('/'));
    Ok(socket.map(|socket| Client::of_socket(session.absolute(Path::new(socket)))))
}

/// Returns true if this names the address of a host.
pub(crate) fn is_address(named: &str) -> bool {
    named.contains("://")
}

/// Returns the running host with this process id or this program. Without a name, it is the only one with a control
/// endpoint.
pub(crate) fn running(named: Option<&str>) -> Result<RunningHost, Error> {
    let is_meant = |host: &RunningHost| match named {
        None => host.connect().is_ok(),
        Some(named) => {
            let program = host.executable.file_name().unwrap_or_default();
            named == host.pid.to_string() || named == program
        }
    };
    let all = runtime::hosts();
    let meant: Vec<_> = all.iter().filter(|host| is_meant(host)).collect();
    match meant.as_slice() {
        [host] => Ok((*host).clone()),
        [] => Err(Error::NoControl {
            named: named.map(str::to_owned),
            running: all.iter().map(shown_host).collect(),
        }),
        several => Err(Error::SeveralControls {
            hosts: several.iter().map(|host| shown_host(host)).collect(),
        }),
    }
}

/// Returns a client of a host on a TCP address.
#[cfg(feature = "tls")]
fn remote(session: &Session, url: &str, args: &HostArgs) -> Result<Client, Error> {
    let RemoteArgs {
        ca,
        cert,
        key,
        token_file,
    } = &args.remote;
    let authorities = ca.as_ref().ok_or(Error::NoAuthorities)?;
    let mut host = RemoteHost::new(url, session.absolute(authorities));
    if let (Some(certificate), Some(key)) = (cert, key) {
        host = host.certificate(session.absolute(certificate), session.absolute(key));
    }
    let token = match token_file {
        Some(file) => {
            let file = session.absolute(file);
            let text = std::fs::read_to_string(&file).map_err(io("read", &file))?;
            Some(text.trim().to_owned())
        }
        None => std::env::var("HOTSWAP_TOKEN").ok(),
    };
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        host = host.token(token);
    }
    Ok(Client::of_remote(&host)?)
}

/// This build of the command asks sockets only.
#[cfg(not(feature = "tls"))]
fn remote(_: &Session, url: &str, _: &HostArgs) -> Result<Client, Error> {
    Err(Error::NoTls {
        url: url.to_owned(),
    })
}

/// Returns `web (pid 4242)`.
pub(crate) fn shown_host(host: &RunningHost) -> String {
    shown_process(&host.executable, host.pid)
}

/// Returns `web (pid 4242)` for a process and its program.
pub(crate) fn shown_process(executable: &Path, pid: u32) -> String {
    let program = executable.file_name().unwrap_or_default();
    format!("{} (pid {pid})", shown::path(Path::new(program)))
}
