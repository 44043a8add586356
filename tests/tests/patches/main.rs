//! Tests patches of live plugins: closures of the host in the place of single functions, their versions, and what reloads
//! and reverts do with them.
mod async_functions;
mod by_name;
mod functions;
mod imports;
mod interfaces;
mod live;
mod load;
mod mocks;
mod patch_plugins;
mod refused;
mod reloads;
mod restarts;
mod session;
mod soak;
mod sticky;
mod support;
mod traces;
mod versions;
