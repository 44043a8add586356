//! `async fn`s with nothing loaded: results, errors and panics arrive, and a future that is dropped ends.
use hotswap_plugin::Plugin;
use hotswap_plugin::boundary::{
    Arena, Arg, AsyncSignature, Crossed, DynamicResult, FunctionDesc, InvokeError, Later,
    try_receive,
};
use hotswap_plugin::prelude::*;
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::task::{Poll, Waker};

#[shared]
#[derive(Clone, Debug, PartialEq)]
enum Refused {
    TooFar { limit: i64 },
}

#[interface]
trait Walker: Send + Sync {
    async fn walk(&self, to: &str, steps: &[i64]) -> Result<String, Refused>;
    async fn twice(&self, number: u64) -> u64 {
        number * 2
    }
    async fn stumble(&self, text: &str);
    async fn wait(&self);
    fn waiting(&self) -> u64;
}

#[derive(Default)]
struct World {
    waiting: Arc<AtomicUsize>,
}

/// Counts one that waits.
struct Waits(Arc<AtomicUsize>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// Pending once.
async fn later() {
    let mut first = true;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        match std::mem::replace(&mut first, false) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    })
    .await;
}

impl Walker for World {
    async fn walk(&self, to: &str, steps: &[i64]) -> Result<String, Refused> {
        later().await;
        match steps.iter().sum() {
            0..=100 => Ok(format!("{to} in {} steps", steps.len())),
            _ => Err(Refused::TooFar { limit: 100 }),
        }
    }
    async fn stumble(&self, text: &str) {
        later().await;
        panic!("{text}");
    }
    async fn wait(&self) {
        self.waiting.fetch_add(1, SeqCst);
        let _waits = Waits(self.waiting.clone());
        pending().await
    }
    fn waiting(&self) -> u64 {
        self.waiting.load(SeqCst) as u64
    }
}

#[plugin(exports(Walker))]
impl World {
    #[invoke]
    async fn hum(&self, times: u32, text: &str) -> Result<String, Refused> {
        later().await;
        match times {
            0..=9 => Ok(text.repeat(times as usize)),
            _ => Err(Refused::TooFar { limit: 9 }),
        }
    }
    #[invoke]
    async fn boom(&self) {
        panic!("gave up");
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut std::task::Context::from_waker(Waker::noop()))
}

/// The result of a future that wakes whoever polls it.
fn wait_for<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(result) = poll(future.as_mut()) {
            return result;
        }
    }
}

#[test]
fn an_import_awaits_the_implementation() {
    let walker = Imported::<dyn Walker>::from_impl(World::default());
    let call = {
        // Gone before the first poll.
        let (to, steps) = ("there".to_owned(), vec![1, 2, 3]);
        walker.walk(&to, &steps)
    };
    assert_eq!(wait_for(call).unwrap(), "there in 3 steps");
    let refused = wait_for(walker.walk("too far", &[60, 70]));
    assert_eq!(refused, Err(Refused::TooFar { limit: 100 }));
    assert_eq!(wait_for(walker.twice(4)), 8);
    // The proxy is a `Walker`, too.
    async fn twice(walker: &impl Walker) -> u64 {
        walker.twice(2).await
    }
    assert_eq!(wait_for(twice(&*walker)), 4);
}

#[test]
fn a_panic_goes_on_in_who_awaits() {
    let walker = Imported::<dyn Walker>::from_impl(World::default());
    let payload = catch_unwind(AssertUnwindSafe(|| {
        wait_for(walker.stumble("over a stone"))
    }));
    let crossed = payload.unwrap_err().downcast::<Crossed>().unwrap();
    assert_eq!(crossed.text, "over a stone");
}

#[test]
fn what_is_dropped_ends_and_what_is_polled_too_late_panics() {
    let walker = Imported::<dyn Walker>::from_impl(World::default());
    let mut wait = Box::pin(walker.wait());
    assert_eq!(walker.waiting(), 0);
    assert!(poll(wait.as_mut()).is_pending());
    assert!(poll(wait.as_mut()).is_pending());
    assert_eq!(walker.waiting(), 1);
    drop(wait);
    assert_eq!(walker.waiting(), 0);

    let mut twice = pin!(walker.twice(1));
    assert_eq!(poll(twice.as_mut()), Poll::Ready(2));
    catch_unwind(AssertUnwindSafe(|| poll(twice.as_mut()))).unwrap_err();
}

#[test]
fn an_object_may_be_awaited() {
    let held: Held<dyn Walker> = Held::new(World::default());
    let other = held.clone();
    drop(held);
    let walked = std::thread::spawn(move || wait_for(other.walk("home", &[1])));
    assert_eq!(walked.join().unwrap().unwrap(), "home in 1 steps");
}

static WORLD: std::sync::LazyLock<World> = std::sync::LazyLock::new(World::default);

fn function(name: &str) -> &'static FunctionDesc {
    let mut functions = World::FUNCTIONS.iter();
    functions.find(|function| function.name == name).unwrap()
}

/// Awaits what a C function gave.
async fn given<R: hotswap_plugin::boundary::Shared>(
    mut later: Later<R>,
) -> Result<R, hotswap_plugin::boundary::Panicked> {
    poll_fn(|cx| later.try_poll(cx)).await
}

#[test]
fn the_typed_function() {
    type Hum = fn(u32, &str) -> Result<String, Refused>;
    assert_eq!(
        format!("{:?}", function("hum")),
        "async fn hum(times: u32, text: &str) -> Result<String, Refused>"
    );
    let this = (&raw const *WORLD).cast();
    let start = |times, text: &str| {
        // SAFETY: a function of `World` with this signature, and an instance that stays.
        let later = unsafe {
            <Hum as AsyncSignature<_>>::start(function("hum").typed, this, (times, text))
        };
        wait_for(given(later.unwrap())).unwrap()
    };
    assert_eq!(start(2, "hum "), Ok("hum hum ".into()));
    assert_eq!(start(10, "hum "), Err(Refused::TooFar { limit: 9 }));
    // With copies of the parameters, as often as one likes.
    let kept = <Hum as AsyncSignature<(u32, &str)>>::keep((3, "ho "));
    for _ in 0..2 {
        // SAFETY: as above.
        let later = unsafe {
            <Hum as AsyncSignature<(u32, &str)>>::start_kept(function("hum").typed, this, &kept)
        };
        assert_eq!(
            wait_for(given(later.unwrap())).unwrap().unwrap(),
            "ho ho ho "
        );
    }
    // SAFETY: as above.
    let boom = unsafe { <fn() as AsyncSignature<()>>::start(function("boom").typed, this, ()) };
    let panicked = wait_for(given(boom.unwrap())).unwrap_err();
    assert_eq!(panicked.text, "gave up");
}

#[test]
fn the_function_by_name() {
    let this = (&raw const *WORLD).cast();
    let call = |args: &[Value]| -> DynamicResult {
        let (arena, function) = (Arena::new(), function("hum").dynamic_later.unwrap());
        let args = args.lend(&arena);
        // SAFETY: a function of `World`, and an instance that stays.
        let later = unsafe { try_receive(|out| function(this, <&[Value]>::cross(&args), out)) };
        wait_for(given::<DynamicResult>(later.unwrap())).unwrap()
    };
    assert_eq!(call(&[2.into(), "hum ".into()]), Ok("hum hum ".into()));
    assert!(matches!(
        call(&[10.into(), "".into()]),
        Err(InvokeError::Returned(_))
    ));
    assert_eq!(
        call(&[2.into()]),
        Err(InvokeError::WrongCount {
            expected: 2,
            found: 1
        })
    );
    let wrong = call(&["two".into(), "hum".into()]).unwrap_err().to_string();
    assert_eq!(
        wrong,
        "argument 1 at times: expected u32, found the string \"two\""
    );
}
