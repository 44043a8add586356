//! Measures an async call that is ready at once, compared with a direct call that returns a boxed future.
//!
//! The handle and the box are hidden from the compiler, as in the other benchmarks. Both futures are made, polled once,
//! and dropped.
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

/// Makes this many calls. Each is ready at the first poll.
fn repeat<F: Future>(times: u64, mut call: impl FnMut(i64) -> F) {
    let mut cx = Context::from_waker(Waker::noop());
    for i in 0..times.cast_signed() {
        match pin!(call(i)).poll(&mut cx) {
            Poll::Ready(result) => drop(black_box(result)),
            Poll::Pending => unreachable!("the future is ready at once"),
        }
    }
}

/// Measures an async call through a handle.
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
                async { call.await.expect("the plugin is loaded") }
            });
        },
        |times| repeat(times, |i| black_box(&boxed).add(i, 2)),
    )
}
