//! Tests the command line as users meet it: `cargo hotswap` with real hosts, from the first run to a reload that fails.
mod attached;
mod changes;
mod extension;
mod features;
mod graph;
mod hello;
mod inspect;
mod live;
mod livex;
mod new;
mod patched;
mod project;
mod refusals;
mod running;
mod shared;
mod slink;
mod trine;
