//! Tests of careful reloads: what is refused before the switch, and what is reverted after it.
mod async_rates;
mod chaos;
mod commands;
mod disk;
mod drained;
mod events;
mod history;
mod killed;
mod options;
mod probed;
mod rates;
mod reverted;
mod service;
mod smoke;
mod staged;
mod support;
mod versions;
