#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod api;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod server;

#[cfg(feature = "client")]
pub use client::{Client, ClientError, Events, Notice};
#[cfg(feature = "server")]
pub use server::{Control, ControlError, Serving, openapi};
