//! The endpoint without a socket, for fuzzing.
use super::caller::Caller;
use super::{Control, Host, Peer, routes, serve};
use crate::api::Role;
use axum::Router;
use hotswap_host::Swapper;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};

/// The control endpoint of a host, which serves connections that it is given.
pub struct Endpoint {
    host: Arc<Host>,
    routes: Router,
    _stop: watch::Sender<bool>,
}

impl Endpoint {
    /// Returns the endpoint of a host.
    pub fn of(swapper: &Swapper) -> Self {
        let (stop, stopped) = watch::channel(false);
        let host = Control::new().host(swapper, stopped);
        Endpoint {
            routes: routes::router(host.clone()),
            host,
            _stop: stop,
        }
    }

    /// Serves a connection of somebody who administers, until it is closed.
    pub async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let caller = Caller {
            who: "process 1 of user 0".into(),
            role: Role::Administer,
        };
        let permit = Arc::new(Semaphore::new(1)).acquire_owned().await;
        let permit = permit.expect("it is never closed");
        let peer = Peer::Process(Ok(caller));
        serve(self.host.clone(), stream, peer, self.routes.clone(), permit).await;
    }
}
