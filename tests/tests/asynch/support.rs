//! A host with `async` plugins, the clock that it provides, and three ways to await a call.
use dreams::Clock;
use hotswap_host::prelude::*;
use hotswap_host::{Builder, Holder, Retirement};
use hotswap_tests::fixture::{Build, variant};
use hotswap_tests::{LIMIT, Stage, until};
use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

/// Returns a build of `dreamer`. There are up to a hundred.
pub fn dreamer(number: u8) -> Vec<u8> {
    let text = format!("dreamer {number:02}");
    variant(&Build::Async.bytes("dreamer"), "dreamer 00", &text)
}

/// Returns a build of `sleeper`. There are up to a hundred.
pub fn sleeper(number: u8) -> Vec<u8> {
    let text = format!("sleeper {number:02}");
    variant(&Build::Async.bytes("sleeper"), "sleeper 00", &text)
}

/// A host whose clock strikes an hour when a test asks for it.
pub struct Night {
    pub stage: Stage,
    pub clock: Arc<HostClock>,
}

impl Night {
    pub fn begin(plugins: &[(&str, &[u8])]) -> Self {
        Night::with(plugins, |builder| builder)
    }

    pub fn with(plugins: &[(&str, &[u8])], settings: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = Arc::new(HostClock::default());
        let provided = clock.clone();
        let stage = Stage::with(plugins, |builder| {
            let builder = builder.retire_limit(Duration::from_millis(20));
            settings(builder.provide::<dyn Clock>(provided))
        });
        clock.state().swapper = Some(stage.swapper.clone());
        Night { stage, clock }
    }

    /// Starts a host that has only the dreamer.
    pub fn dreaming() -> Self {
        Night::begin(&[("dreamer", &dreamer(1))])
    }

    pub fn dreamer<F, A>(&self, function: &str) -> AsyncFunction<F>
    where
        F: hotswap_host::Signature<A>,
    {
        let function = self.stage.swapper.async_function("dreamer", function);
        function.expect("the dreamer has this function")
    }

    /// Shuts the host down, and checks that nothing is left.
    pub fn close(self) {
        self.clock.forget_swapper();
        let late = self.swapper.shutdown(LIMIT).expect("the host shuts down");
        assert!(late.is_empty(), "{late:#?}");
        self.settle();
    }

    /// Waits until the build that was replaced last is held by at least these holders. It may have further holders
    /// before.
    pub fn until_held_by(&self, holders: &[Holder]) -> Retirement {
        let last = || self.stage.swapper.retirements().pop();
        until(&format!("it to be held by {holders:?}"), || {
            last().is_some_and(|retirement| retirement.held_by == holders)
        });
        last().expect("a build was replaced")
    }
}

impl Drop for Night {
    fn drop(&mut self) {
        self.clock.forget_swapper();
    }
}

impl Deref for Night {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

/// The clock that the host provides.
#[derive(Default)]
pub struct HostClock {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    struck: BTreeSet<String>,
    waiting: Vec<(String, Waker)>,
    kept: Vec<Waker>,
    told: Vec<String>,
    swapper: Option<Swapper>,
    /// The call that the clock awaits before it strikes the hour `ask`.
    asked: Option<AsyncFunction<fn() -> (u64, String)>>,
}

impl HostClock {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the call that the clock awaits, and the swapper that it reloads, without holding the lock.
    pub fn forget_swapper(&self) {
        let (swapper, asked) = {
            let mut state = self.state();
            (state.swapper.take(), state.asked.take())
        };
        drop((swapper, asked));
    }

    /// Makes the clock await this call before it strikes the hour `ask`.
    pub fn ask(&self, function: AsyncFunction<fn() -> (u64, String)>) {
        self.state().asked = Some(function);
    }

    /// Strikes this hour. From now on, it counts as struck.
    pub fn strike(&self, hour: &str) {
        let mut state = self.state();
        state.struck.insert(hour.into());
        let waiting = std::mem::take(&mut state.waiting);
        let (now, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(at, _)| at == hour);
        state.waiting = later;
        drop(state);
        now.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Returns once a plugin has told this text.
    pub fn until_told(&self, text: &str) {
        let waited = self
            .changed
            .wait_timeout_while(self.state(), LIMIT, |state| {
                !state.told.iter().any(|told| told == text)
            });
        let (state, result) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(
            !result.timed_out(),
            "waited for {text:?}; told: {:?}",
            state.told
        );
    }

    pub fn has_told(&self, text: &str) -> bool {
        self.state().told.iter().any(|told| told == text)
    }

    /// Returns true if a call waits for this hour.
    pub fn waits_for(&self, hour: &str) -> bool {
        self.state().waiting.iter().any(|(at, _)| at == hour)
    }

    /// Takes the wakers of the calls that were kept waiting.
    pub fn kept(&self) -> Vec<Waker> {
        std::mem::take(&mut self.state().kept)
    }
}

impl Clock for HostClock {
    async fn strikes(&self, hour: &str) -> String {
        poll_fn(|cx| {
            let waker = cx.waker().clone();
            let mut state = self.state();
            if state.struck.contains(hour) {
                return Poll::Ready(());
            }
            state.waiting.push((hour.to_owned(), waker));
            Poll::Pending
        })
        .await;
        let asked = self.state().asked.clone().filter(|_| hour == "ask");
        if let Some(asked) = asked {
            asked.call().await.expect("the call is set and succeeds");
        }
        hour.to_owned()
    }

    async fn breaks(&self, text: &str) {
        panic!("{text}");
    }

    async fn keeps_waiting(&self) {
        poll_fn(|cx| {
            let waker = cx.waker().clone();
            self.state().kept.push(waker);
            self.changed.notify_all();
            Poll::Pending
        })
        .await
    }

    fn reload(&self) -> String {
        let swapper = self
            .state()
            .swapper
            .clone()
            .expect("the host has not been shut down");
        match swapper.reload() {
            Ok(report) => report.to_string(),
            Err(error) => error.to_string(),
        }
    }

    fn tell(&self, text: &str) {
        self.state().told.push(text.to_owned());
        self.changed.notify_all();
    }
}

/// The simplest executor: it polls on this thread, and parks the thread between polls.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (mut cx, mut future) = (Context::from_waker(&waker), pin!(future));
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(result) => return result,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Polls once, with a waker that does nothing.
pub fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A tokio runtime with worker threads.
pub fn threads() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the threads can be started")
}

/// A tokio runtime that runs on the thread that blocks on it.
pub fn current() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_all()
        .build()
        .expect("the runtime can be built")
}
