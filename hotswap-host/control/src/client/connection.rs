//! The connections of a client to an endpoint.
#[cfg(feature = "client-tls")]
use super::remote::{Remote, Secure};
use hotswap_host::runtime::RunningHost;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;
use ureq::Error as HttpError;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// The place of an endpoint.
#[derive(Debug)]
pub(super) enum Address {
    Host(Box<RunningHost>),
    Path(PathBuf),
    #[cfg(feature = "client-tls")]
    Remote(Remote),
}

impl Address {
    fn connect(&self) -> io::Result<Stream> {
        match self {
            Address::Host(host) => host.connect().map(Stream::Unix),
            Address::Path(path) => UnixStream::connect(path).map(Stream::Unix),
            #[cfg(feature = "client-tls")]
            Address::Remote(remote) => remote.connect().map(Stream::Secure),
        }
    }
}

impl Connector for Address {
    type Out = Connection;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Connection>, HttpError> {
        let config = details.config;
        Ok(Some(Connection {
            stream: Address::connect(self).map_err(HttpError::Io)?,
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
        }))
    }
}

/// A stream of bytes to an endpoint.
#[derive(Debug)]
enum Stream {
    Unix(UnixStream),
    #[cfg(feature = "client-tls")]
    Secure(Box<Secure>),
}

impl Stream {
    fn set_limit(&self, limit: Option<Duration>) -> io::Result<()> {
        match self {
            Stream::Unix(stream) => {
                stream.set_read_timeout(limit)?;
                stream.set_write_timeout(limit)
            }
            #[cfg(feature = "client-tls")]
            Stream::Secure(stream) => {
                stream.sock.set_read_timeout(limit)?;
                stream.sock.set_write_timeout(limit)
            }
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.read(into),
            #[cfg(feature = "client-tls")]
            Stream::Secure(stream) => stream.read(into),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Unix(stream) => stream.write_all(bytes),
            #[cfg(feature = "client-tls")]
            Stream::Secure(stream) => {
                stream.write_all(bytes)?;
                stream.flush()
            }
        }
    }
}

/// A connection to an endpoint.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    buffers: LazyBuffers,
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), HttpError> {
        self.stream
            .set_limit(timeout.not_zero().map(|limit| *limit))?;
        let output = &self.buffers.output()[..amount];
        match self.stream.write_all(output) {
            // The host reads no more, because it has answered already.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, HttpError> {
        self.stream
            .set_limit(timeout.not_zero().map(|limit| *limit))?;
        let input = self.buffers.input_append_buf();
        let amount = loop {
            match self.stream.read(input) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        false
    }
}

/// Nothing is resolved by the library: the place is known.
#[derive(Debug)]
pub(super) struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, HttpError> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, 80)));
        Ok(addresses)
    }
}
