//! Tests the control endpoint of a host with its own client, and with `curl`.
mod audit;
mod bad;
mod calls;
mod commands;
mod deploy;
mod frozen;
mod health;
mod patches;
mod pki;
mod remote;
mod requests;
mod signals;
mod socket;
mod stream;
mod support;
mod top;
mod traces;
