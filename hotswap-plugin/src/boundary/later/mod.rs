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

use future::OwnedLater;
pub use future::{Later, answer_later};

use crate::boundary::call::raise;
use crate::boundary::object::Object;
use crate::boundary::shared::Shared;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The result of an `async` method of an import or of an object: a future that borrows it, and none of the arguments.
///
/// A panic of the implementation goes on as a panic of the task that awaits it. Dropping the future ends the call.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Awaited<'a, R> {
    later: OwnedLater<R>,
    lender: PhantomData<&'a ()>,
}

impl<'a, R> Awaited<'a, R> {
    /// Makes the future from the result of a method of this object.
    #[inline]
    pub fn of<T>(object: &'a Object<T>, later: Later<R>) -> Self {
        Awaited {
            later: OwnedLater::new(later, object.count()),
            lender: PhantomData,
        }
    }
}

/// The `Drop` also makes the compiler check that the future does not outlive what it borrows.
impl<R> Drop for Awaited<'_, R> {
    fn drop(&mut self) {
        self.later.end();
    }
}

impl<R: Shared> Future for Awaited<'_, R> {
    type Output = R;

    /// # Panics
    /// Panics if the implementation panics, if the future has ended before, or if the object has been dropped with its
    /// plugin.
    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        self.later.try_poll(cx).map(|result| match result {
            Ok(result) => result,
            Err(panicked) => raise(panicked.text),
        })
    }
}

impl<R> fmt::Debug for Awaited<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Later").finish_non_exhaustive()
    }
}
