//! Mocks: closures of the host in the place of a function, for one thread, one task, or all callers.
//!
//! A mocked function has a *point* as its topmost link, which asks at each call whether a mock is meant for the caller.
//! While there is no mock for it, the call goes on. So a mock begins and ends at once, wherever a call comes from, and a
//! generation is copied only when a function gets its first mock, and after its last one.
//!
//! Unsafe code: a point passes on what the caller of the function has lent.
#![allow(unsafe_code)]
use super::link::{Below, Kind};
use super::params::{Closure, Params};
use hotswap_plugin::Value;
use hotswap_plugin::boundary::{Later, Out, Shared, Status, answer};
use std::any::Any;
use std::cell::Cell;
use std::collections::VecDeque;
use std::future::{Future, ready};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// The callers that a mock is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All callers.
    Everywhere,
    /// The calls of the thread with this number.
    Thread(u64),
    /// The calls of the future with this number: see [`mock_scope`](crate::mock_scope).
    Future(u64),
}

thread_local! {
    /// The number of the future with a scope of its own that this thread polls, or zero.
    static POLLED: Cell<u64> = const { Cell::new(0) };
    /// The number of the thread, or zero while it has none. Unlike `thread::current`, it is there until the thread has
    /// ended, since destructors of a plugin's thread-locals may call what is mocked.
    static THREAD: Cell<u64> = const { Cell::new(0) };
}

/// The number of the calling thread. No other thread ever has it.
fn this_thread() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    if THREAD.get() == 0 {
        THREAD.set(LAST.fetch_add(1, Relaxed) + 1);
    }
    THREAD.get()
}

impl Scope {
    /// The scope of a mock that the calling thread makes.
    pub(crate) fn here() -> Self {
        match POLLED.get() {
            0 => Scope::Thread(this_thread()),
            future => Scope::Future(future),
        }
    }

    /// Returns true if it has the calling thread, in what this polls.
    fn has_caller(self) -> bool {
        match self {
            Scope::Everywhere => true,
            Scope::Thread(number) => this_thread() == number,
            Scope::Future(number) => POLLED.get() == number,
        }
    }
}

/// The number of a future that has a scope of its own.
pub(crate) struct FutureScope(u64);

impl FutureScope {
    pub(crate) fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        FutureScope(LAST.fetch_add(1, Relaxed) + 1)
    }

    /// Polls the future.
    pub(crate) fn within<R>(&self, poll: impl FnOnce() -> R) -> R {
        struct Outer(u64);
        impl Drop for Outer {
            fn drop(&mut self) {
                // The thread may be ending.
                let _ = POLLED.try_with(|polled| polled.set(self.0));
            }
        }
        let _outer = Outer(POLLED.replace(self.0));
        poll()
    }
}

/// The calls that a mock has answered.
#[derive(Default)]
pub(crate) struct Recorded {
    arguments: Mutex<Vec<Vec<Value>>>,
}

impl Recorded {
    /// Their arguments.
    pub(crate) fn arguments(&self) -> MutexGuard<'_, Vec<Vec<Value>>> {
        self.arguments
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a mock answers with.
pub(crate) trait Answers<P: Params, R>: Send + Sync {
    /// # Safety
    /// The parameters come from a caller that waits until this returns.
    unsafe fn answer(&self, cross: P::Cross) -> R;
}

/// Answers with a closure.
pub(crate) struct ByClosure<C>(pub(crate) C);

impl<C: Closure<P, R>, P: Params, R> Answers<P, R> for ByClosure<C> {
    unsafe fn answer(&self, cross: P::Cross) -> R {
        // SAFETY: the caller guarantees the parameters.
        unsafe { self.0.run(cross) }
    }
}

/// Answers with the future of a closure.
pub(crate) struct ByFuture<C, Fut>(pub(crate) C, pub(crate) PhantomData<fn() -> Fut>);

impl<C, Fut, P, T> Answers<P, Later<T>> for ByFuture<C, Fut>
where
    C: Closure<P, Fut>,
    Fut: Future<Output = T> + Send + 'static,
    P: Params,
    T: Shared,
{
    unsafe fn answer(&self, cross: P::Cross) -> Later<T> {
        // SAFETY: the caller guarantees the parameters.
        Later::new(unsafe { self.0.run(cross) })
    }
}

/// Answers with one result after the other.
pub(crate) struct InSequence<R>(Mutex<VecDeque<R>>);

impl<R> InSequence<R> {
    /// Returns these answers.
    pub(crate) fn of(answers: impl IntoIterator<Item = R>) -> Self {
        InSequence(Mutex::new(answers.into_iter().collect()))
    }

    fn next(&self) -> R {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = left.pop_front();
        drop(left);
        next.expect("the mock has given all of its answers")
    }
}

impl<P: Params, R: Send> Answers<P, R> for InSequence<R> {
    unsafe fn answer(&self, _: P::Cross) -> R {
        self.next()
    }
}

/// Answers an `async fn` with one result after the other.
pub(crate) struct InSequenceAsync<T>(pub(crate) InSequence<T>);

impl<P: Params, T: Shared + Send> Answers<P, Later<T>> for InSequenceAsync<T> {
    unsafe fn answer(&self, _: P::Cross) -> Later<T> {
        Later::new(ready(self.0.next()))
    }
}

/// One mock of a function.
struct Active<P: Params, R> {
    number: u64,
    scope: Scope,
    answers: Box<dyn Answers<P, R>>,
    recorded: Arc<Recorded>,
}

/// The place in front of a function where its mocks are.
pub(crate) struct Point<P: Params, R> {
    /// The mocks, the newest one last.
    mocks: RwLock<Vec<Arc<Active<P, R>>>>,
}

/// A point, whatever the type of its function.
pub(crate) trait AnyPoint: Any + Send + Sync {
    /// Takes a mock away.
    fn remove(&self, number: u64);
    /// Returns true if there is no mock.
    fn is_unused(&self) -> bool;
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<P: Params, R: 'static> AnyPoint for Point<P, R> {
    fn remove(&self, number: u64) {
        let mut mocks = self.mocks.write().unwrap_or_else(PoisonError::into_inner);
        let is_it = |mock: &Arc<Active<P, R>>| mock.number == number;
        let removed = mocks
            .iter()
            .position(is_it)
            .map(|index| mocks.remove(index));
        drop(mocks);
        // Its closure is dropped here, or when the last call of it has returned.
        drop(removed);
    }

    fn is_unused(&self) -> bool {
        self.mocks
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<P: Params, R: 'static> Point<P, R> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Point {
            mocks: RwLock::default(),
        })
    }

    /// Adds a mock. Returns its number.
    pub(crate) fn add(
        &self,
        scope: Scope,
        answers: Box<dyn Answers<P, R>>,
        recorded: Arc<Recorded>,
    ) -> u64 {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Relaxed) + 1;
        let mut mocks = self.mocks.write().unwrap_or_else(PoisonError::into_inner);
        mocks.push(Arc::new(Active {
            number,
            scope,
            answers,
            recorded,
        }));
        number
    }

    /// Returns the mock for the calling thread: one for its own calls, or else one for all, and the newest of these.
    fn find(&self) -> Option<Arc<Active<P, R>>> {
        let mocks = self.mocks.read().unwrap_or_else(PoisonError::into_inner);
        let newest = |everywhere: bool| {
            let mut mocks = mocks.iter().rev();
            mocks.find(|mock| {
                (mock.scope == Scope::Everywhere) == everywhere && mock.scope.has_caller()
            })
        };
        newest(false).or_else(|| newest(true)).cloned()
    }
}

/// The link of a point.
pub(crate) struct AtPoint<P: Params, R>(pub(crate) Arc<Point<P, R>>);

impl<P: Params, R: Shared> Kind<P, R> for AtPoint<P, R> {
    unsafe fn answer(
        this: &Arc<Self>,
        below: Below<P, R>,
        cross: P::Cross,
        out: *mut Out<R::View>,
    ) -> Status {
        let Some(mock) = this.0.find() else {
            // SAFETY: the caller guarantees the parameters and `out`.
            return unsafe { below.forward(cross, out) };
        };
        let run = || {
            // SAFETY: the caller guarantees the parameters.
            let kept = unsafe { P::keep(cross) };
            mock.recorded.arguments().push(P::values(&kept));
            // SAFETY: the caller guarantees the parameters.
            unsafe { mock.answers.answer(cross) }
        };
        // SAFETY: the caller guarantees `out`.
        unsafe { answer(out, run) }
    }
}
