//! What an async call costs that is ready at once, compared with a boxed future of the same that is called directly.
//!
//! Handle and box are hidden from the compiler, as those of other calls are; both futures are made, polled once, and
//! dropped.
use crate::measure::{Comparison, Effort, calls};
use crate::plugins::{self, ADDER};
use hotswap_host::prelude::*;
use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

type BoxFuture<'a> = Pin<Box<dyn Future<Output = i64> + Send + 'a>>;

trait Adder: Send + Sync {
    fn add(&self, a: i64, b: i64) -> BoxFuture<'_>;
}

struct Local;

impl Adder for Local {
    fn add(&self, a: i64, b: i64) -> BoxFuture<'_> {
        Box::pin(async move { a.wrapping_add(b) })
    }
}

/// Makes so many calls, each of which is ready when it is polled first.
fn repeat<F: Future>(times: u64, mut call: impl FnMut(i64) -> F) {
    let mut cx = Context::from_waker(Waker::noop());
    for i in 0..times.cast_signed() {
        match pin!(call(i)).poll(&mut cx) {
            Poll::Ready(result) => drop(black_box(result)),
            Poll::Pending => unreachable!("it waits for nothing"),
        }
    }
}

/// An async call through a handle.
pub fn ready(effort: Effort) -> Comparison {
    let stage = plugins::host(&[(ADDER, &plugins::adder(1))]);
    let add: AsyncFunction<fn(i64, i64) -> i64> = stage
        .swapper
        .async_function(ADDER, "add_later")
        .expect("the plugin has this function");
    let boxed: Box<dyn Adder> = Box::new(Local);
    calls(
        effort,
        |times| {
            repeat(times, |i| {
                let call = black_box(&add).call(i, 2);
                async { call.await.expect("it is loaded") }
            });
        },
        |times| repeat(times, |i| black_box(&boxed).add(i, 2)),
    )
}
