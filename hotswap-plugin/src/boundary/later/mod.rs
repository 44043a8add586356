//! Results of `async fn`s, which come later: how a future of one library crosses to another.
//!
//! An `async fn` crosses as a function with the result [`Later<R>`]: a future that belongs to the library that made it,
//! with two C functions. The caller *polls* it, and lends a waker and memory for the result, which arrives as the
//! result of any call does. The caller *drops* it, which ends it wherever it is. Both functions catch panics in the
//! callee. Parameters are copied before the first poll, so a future borrows nothing of its caller.
//!
//! One caller at a time polls a future, from any thread. The owner of a future keeps the instance in which it runs: the
//! host counts the future as a call (`async_call` there), and a plugin has its import for as long. The future borrows
//! the handle, so it is dropped before the handle ([`Awaited`] has a `Drop`, so that the compiler checks this). A
//! future of an object that others own is counted beside the object, since the host may drop both while they have
//! owners. Then the future ends first, and what is left of it here is revoked.
//!
//! Wakers cross in the other direction: see [`waker`].
mod future;
pub mod waker;

pub use future::{Awaited, Later, answer_later};
