//! Tests the control endpoint of a host with its own client, and with `curl`.
mod audit;
mod bad;
mod commands;
mod frozen;
mod health;
mod pki;
mod random;
mod remote;
mod requests;
mod signals;
mod socket;
mod stream;
mod support;
