//! Tests `async` functions of plugins, awaited by hosts and by other plugins.
mod calls;
mod gate;
mod lifetimes;
mod load;
mod support;
mod tasks;
mod tokio_inside;
mod twins;
mod wakers;
