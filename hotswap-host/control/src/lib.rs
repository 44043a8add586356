#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod api;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod client_deploy;
#[cfg(feature = "client")]
mod client_patches;
#[cfg(feature = "server")]
mod server;
#[cfg(all(fuzzing, feature = "server"))]
pub use server::fuzzing;
#[cfg(feature = "client")]
mod sse;
#[cfg(any(feature = "tls", feature = "client-tls"))]
mod token;

#[cfg(feature = "client-tls")]
pub use client::RemoteHost;
#[cfg(feature = "client")]
pub use client::{Client, ClientError, Events, Notice};
#[cfg(feature = "client")]
pub use client_patches::{TraceNotice, Traced};
#[cfg(feature = "server")]
pub use server::{Control, ControlError, Serving, openapi};
#[cfg(feature = "tls")]
pub use server::{Tcp, TcpError};
#[cfg(any(feature = "tls", feature = "client-tls"))]
pub use token::{InvalidToken, TokenLine};
