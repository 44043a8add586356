//! The connections to a TCP address.
use super::{Endpoint, Remote};
use crate::api::{Failure, FailureKind};
use crate::server::asked::Asked;
use crate::server::{AFTER_ERROR, CONNECTIONS, HEAD_LIMIT, Host, PAUSE, Peer, routes, serve};
use axum::Router;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{interval, sleep, timeout};

/// Accepts connections. Those of the socket are counted apart, so strangers do not keep the host's own user out.
pub(in crate::server) async fn accept(host: Arc<Host>, endpoint: Endpoint, listener: TcpListener) {
    let (routes, endpoint) = (routes::router(host.clone()), Arc::new(endpoint));
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let mut look = interval(PAUSE);
    loop {
        let one = async {
            let permit = connections.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        tokio::select! {
            accepted = one => match accepted {
                (Ok(permit), Ok((stream, from))) => {
                    let connection = Connection {
                        host: host.clone(),
                        endpoint: endpoint.clone(),
                        routes: routes.clone(),
                        from: from.ip(),
                        permit,
                    };
                    tokio::spawn(connection.serve(stream));
                }
                // There are too many open files, for example. The client waits.
                _ => sleep(AFTER_ERROR).await,
            },
            _ = look.tick() => {
                let endpoint = endpoint.clone();
                tokio::task::spawn_blocking(move || endpoint.renew());
            }
        }
    }
}

struct Connection {
    host: Arc<Host>,
    endpoint: Arc<Endpoint>,
    routes: Router,
    from: IpAddr,
    permit: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let handshake = self.endpoint.acceptor().accept(stream);
        let stream = match timeout(HEAD_LIMIT, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return self.refused(&error).await,
            Err(_) => return,
        };
        let chain = stream.get_ref().1.peer_certificates();
        let certificate = chain.and_then(|chain| chain.first());
        let certificate = certificate.map(|certificate| &**certificate);
        let remote = Remote::new(self.endpoint, self.from, certificate);
        serve(
            self.host,
            stream,
            Peer::Remote(remote),
            self.routes,
            self.permit,
        )
        .await;
    }

    /// Records a client whose certificate is not accepted. Others have only knocked.
    async fn refused(self, error: &io::Error) {
        let error = error.get_ref();
        let Some(error) = error.and_then(|error| error.downcast_ref::<rustls::Error>()) else {
            return;
        };
        if !matches!(
            error,
            rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented
        ) {
            return;
        }
        let who = format!("a caller with a certificate from {}", self.from);
        let text = format!("the certificate is not accepted: {error}");
        let failure = Failure::new(FailureKind::Unauthorized, text);
        let asked = Asked::unknown(&who, "connect".into());
        let _ = asked.refused(&self.host, failure).await;
    }
}
