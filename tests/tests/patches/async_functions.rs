//! Patches of `async fn`s.
use dreams::{Clock, Dream};
use hotswap_host::prelude::*;
use hotswap_host::{Holder, Original, TraceOptions, TracedCall, mock_scope};
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, variant};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

type Turns = fn(u32) -> u32;

/// A clock that never strikes.
#[derive(Default)]
struct Stopped;

impl Clock for Stopped {
    async fn strikes(&self, _: &str) -> String {
        pending().await
    }
    async fn breaks(&self, _: &str) {}
    async fn keeps_waiting(&self) {}
    fn tell(&self, _: &str) {}
    fn reload(&self) -> String {
        String::new()
    }
}

fn dreamer(number: u8) -> Vec<u8> {
    let text = format!("dreamer {number:02}");
    variant(&Build::Async.bytes("dreamer"), "dreamer 00", &text)
}

fn night() -> Stage {
    Stage::with(&[("dreamer", &dreamer(1))], |builder| {
        builder.provide::<dyn Clock>(Arc::new(Stopped))
    })
}

/// A host with a plugin that awaits the dreamer.
fn two_nights() -> Stage {
    let plugins: [(&str, &[u8]); 2] = [
        ("dreamer", &dreamer(1)),
        ("sleeper", &Build::Async.bytes("sleeper")),
    ];
    Stage::with(&plugins, |builder| {
        builder.provide::<dyn Clock>(Arc::new(Stopped))
    })
}

/// Polls a future until it is ready.
fn ready<F: Future>(future: F) -> F::Output {
    let (mut future, mut cx) = (pin!(future), Context::from_waker(Waker::noop()));
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut cx) {
            return result;
        }
    }
}

/// Is pending once.
async fn yield_once() {
    let mut first = true;
    poll_fn(|_| match std::mem::replace(&mut first, false) {
        true => Poll::Pending,
        false => Poll::Ready(()),
    })
    .await;
}

#[test]
fn each_operation_works_on_an_async_function() {
    let stage = night();
    let turns: AsyncFunction<Turns> = stage.swapper.async_function("dreamer", "turns").unwrap();
    let by_name = |n: u32| ready(stage.swapper.invoke_async("dreamer", "turns", &[n.into()]));
    let patch = || stage.swapper.patch("dreamer");
    let both = |n: u32, expected: u32| {
        assert_eq!(ready(turns.call(n)).unwrap(), expected);
        assert_eq!(by_name(n).unwrap(), Value::from(expected));
    };
    both(2, 2);
    let early = |n: u32| (n > 100).then_some(0);
    patch()
        .before_async::<Turns, _>("turns", early)
        .apply()
        .unwrap();
    both(2, 2);
    both(101, 0);
    let after = |result: u32, n: u32| result * 10 + n;
    patch()
        .after_async::<Turns, _>("turns", after)
        .apply()
        .unwrap();
    both(2, 22);
    let around = |turned: Original<u32>, n: u32| async move {
        yield_once().await;
        turned.await + n * 1000
    };
    patch()
        .around_async::<Turns, _, _>("turns", around)
        .apply()
        .unwrap();
    both(2, 2022);
    let guard = |n: u32| n == 7;
    let seven = |_: u32| async {
        yield_once().await;
        77
    };
    patch()
        .add_clause_async::<Turns, _, _>("turns", 0, guard, seven)
        .apply()
        .unwrap();
    both(7, 77);
    both(2, 2022);
    let never = |_: u32| async { 1 };
    patch()
        .rewrite_async::<Turns, _, _>("turns", never)
        .apply()
        .unwrap();
    both(7, 1);
    let patches = stage.swapper.patches("dreamer");
    assert_eq!(
        patches.list().iter().map(|v| v.calls).collect::<Vec<_>>(),
        [10, 6, 4, 4, 2]
    );
    patches.rollback(5).unwrap();
    both(7, 7);
    stage.close();
}

#[test]
fn an_async_function_is_added_and_keeps_its_generation() {
    let stage = night();
    let patch = stage.swapper.patch("dreamer");
    let wait = |name: &str| {
        let name = name.to_owned();
        async move {
            yield_once().await;
            format!("waited for {name}")
        }
    };
    patch
        .add_async_function::<fn(&str) -> String, _, _>("linger", wait)
        .apply()
        .unwrap();
    let wait: AsyncFunction<fn(&str) -> String> =
        stage.swapper.async_function("dreamer", "linger").unwrap();
    let mut waiting = pin!(wait.call("the moon"));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    let holders = stage.swapper.holders("dreamer").unwrap();
    let expected = Holder::AsyncCalls {
        plugin: "dreamer".into(),
        function: "linger".into(),
        count: 1,
    };
    assert!(holders.contains(&expected), "{holders:?}");
    // The call goes on where it began. Until it ends, its handle keeps the function from going.
    stage.swap("dreamer", &dreamer(2));
    assert_eq!(ready(waiting).unwrap(), "waited for the moon");
    stage.close();
}

#[test]
fn a_method_that_is_async_is_patched() {
    let stage = night();
    let dream: Interface<dyn Dream> = stage.swapper.interface("dreamer").unwrap();
    let patch = stage.swapper.patch("dreamer");
    let until = |hour: &str| {
        let hour = hour.to_owned();
        async move { format!("never {hour}") }
    };
    patch
        .rewrite_async::<fn(&str) -> String, _, _>("Dream::until", until)
        .apply()
        .unwrap();
    let call = dream.call_async(|dream| async move { (dream.until("noon").await, dream.build()) });
    let expected = ("never noon".to_owned(), "dreamer 01".to_owned());
    assert_eq!(ready(call).unwrap(), expected);
    stage.close();
}

#[test]
fn a_panic_of_a_future_is_the_error_of_the_call() {
    let stage = night();
    let turns: AsyncFunction<Turns> = stage.swapper.async_function("dreamer", "turns").unwrap();
    let patch = stage.swapper.patch("dreamer");
    let body = |n: u32| async move {
        yield_once().await;
        assert_ne!(n, 3, "no third turn");
        n
    };
    patch
        .rewrite_async::<Turns, _, _>("turns", body)
        .apply()
        .unwrap();
    let error = ready(turns.call(3)).unwrap_err();
    assert!(error.to_string().contains("no third turn"), "{error}");
    assert_eq!(ready(turns.call(4)).unwrap(), 4);
    stage.close();
}

#[test]
fn the_call_below_a_patch_ends_with_the_call_that_it_belongs_to() {
    let stage = night();
    let turns: AsyncFunction<Turns> = stage.swapper.async_function("dreamer", "turns").unwrap();
    let stolen = Arc::new(Mutex::new(None));
    let thief = stolen.clone();
    let patch = stage.swapper.patch("dreamer");
    let around = move |turned: Original<u32>, n: u32| {
        *thief.lock().unwrap() = Some(turned);
        async move { n }
    };
    patch
        .around_async::<Turns, _, _>("turns", around)
        .apply()
        .unwrap();
    assert_eq!(ready(turns.call(5)).unwrap(), 5);
    // The generation of the call may leave now, and so may its plugin.
    stage.swapper.patches("dreamer").reset().unwrap();
    stage.swap("dreamer", &dreamer(2));
    stage.settle();
    let stolen = stolen.lock().unwrap().take().unwrap();
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ready(stolen)));
    let message = polled.unwrap_err();
    let message = message.downcast_ref::<String>().unwrap();
    assert!(message.contains("has ended"), "{message}");
    stage.close();
}

#[test]
fn a_mock_of_an_async_function_is_for_the_future_that_made_it() {
    let stage = night();
    let turns: AsyncFunction<Turns> = stage.swapper.async_function("dreamer", "turns").unwrap();
    let scoped = |answer: u32| {
        let (swapper, turns) = (stage.swapper.clone(), turns.clone());
        mock_scope(async move {
            let body = move |_: u32| async move {
                yield_once().await;
                answer
            };
            let mock = swapper.mock_async::<Turns, _, _>("dreamer", "turns", body);
            let mock = mock.unwrap().times(2);
            yield_once().await;
            let first = turns.call(5).await.unwrap();
            yield_once().await;
            let second = turns.call(6).await.unwrap();
            assert_eq!(mock.arguments(), [5_u32, 6].map(|n| vec![Value::from(n)]));
            (first, second)
        })
    };
    // Both are polled in turn, on one thread.
    let (mut one, mut two) = (pin!(scoped(100)), pin!(scoped(200)));
    let mut cx = Context::from_waker(Waker::noop());
    let mut ended = (None, None);
    while ended.0.is_none() || ended.1.is_none() {
        if ended.0.is_none()
            && let Poll::Ready(answers) = one.as_mut().poll(&mut cx)
        {
            ended.0 = Some(answers);
        }
        assert_eq!(ready(turns.call(3)).unwrap(), 3);
        if ended.1.is_none()
            && let Poll::Ready(answers) = two.as_mut().poll(&mut cx)
        {
            ended.1 = Some(answers);
        }
    }
    assert_eq!(ended, (Some((100, 100)), Some((200, 200))));
    let answers = [1, 2];
    let mock = stage
        .swapper
        .mock_async_sequence::<Turns, _>("dreamer", "turns", answers);
    let mock = mock.unwrap();
    assert_eq!([3, 3].map(|n| ready(turns.call(n)).unwrap()), answers);
    drop(mock);
    assert_eq!(ready(turns.call(3)).unwrap(), 3);
    stage.close();
}

#[test]
fn an_importing_plugin_awaits_a_patched_method() {
    let stage = two_nights();
    let dream: AsyncFunction<fn(&str) -> Option<String>> =
        stage.swapper.async_function("sleeper", "dream").unwrap();
    let dream = |hour: &str| ready(async { dream.call(hour).await.unwrap().unwrap() });
    let patch = stage.swapper.patch("dreamer");
    patch
        .rewrite_async::<fn(&str) -> String, _, _>("Dream::until", |hour: &str| {
            let hour = hour.to_owned();
            async move {
                yield_once().await;
                format!("a patched {hour}")
            }
        })
        .apply()
        .unwrap();
    assert_eq!(dream("noon"), "sleeper 00 of a patched noon");
    let mocked = ready(mock_scope(async {
        let body = |_: &str| async { "a mock".to_owned() };
        let mock =
            stage
                .swapper
                .mock_async::<fn(&str) -> String, _, _>("dreamer", "Dream::until", body);
        let _mock = mock.unwrap();
        yield_once().await;
        dream("noon")
    }));
    assert_eq!(mocked, "sleeper 00 of a mock");
    assert_eq!(dream("one"), "sleeper 00 of a patched one");
    stage.swapper.patches("dreamer").reset().unwrap();
    stage.close();
}

/// The future that a patched method has returned goes on after its patch and its generation are gone.
#[test]
fn a_future_of_a_patched_method_outlives_the_patch() {
    let stage = two_nights();
    let twice: AsyncFunction<fn(&[String], u32) -> Result<Vec<String>, dreams::Nightmare>> = stage
        .swapper
        .async_function("sleeper", "dream_twice")
        .unwrap();
    type Twice = fn(&[String], Option<u32>) -> Result<Vec<String>, dreams::Nightmare>;
    let patch = stage.swapper.patch("dreamer");
    patch
        .around_async::<Twice, _, _>(
            "Dream::twice",
            |twice: Original<_>, _: &[String], _: Option<u32>| async {
                yield_once().await;
                let mut words: Vec<String> = twice.await?;
                words.push("patched".into());
                Ok(words)
            },
        )
        .apply()
        .unwrap();
    let words = ["a".to_owned()];
    let mut future = pin!(twice.call(&words, 9));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_pending());
    stage.swapper.patches("dreamer").reset().unwrap();
    assert_eq!(ready(future).unwrap(), ["a", "a", "patched"]);
    assert_eq!(ready(twice.call(&words, 9)).unwrap(), ["a", "a"]);
    stage.close();
}

#[test]
fn async_calls_are_traced_without_a_type() {
    let stage = night();
    let swapper = &stage.swapper;
    let told = Arc::<Mutex<Vec<String>>>::default();
    let traced = || {
        let keep = told.clone();
        let tell = move |call: &TracedCall| {
            let line = call.to_string();
            let (line, _) = line.rsplit_once(" in ").unwrap();
            keep.lock().unwrap().push(line.to_owned());
        };
        let options = TraceOptions::default();
        let trace = swapper.trace_by_name("dreamer", "turns", options, tell);
        trace.unwrap()
    };
    let by_name = |n: u32| ready(swapper.invoke_async("dreamer", "turns", &[n.into()]));
    // The host has no handle of the function, so its calls by name are traced.
    let trace = traced();
    by_name(2).unwrap();
    drop(trace);
    by_name(3).unwrap();
    assert_eq!(told.lock().unwrap().len(), 1);
    let turns: AsyncFunction<Turns> = swapper.async_function("dreamer", "turns").unwrap();
    let trace = traced();
    ready(turns.call(4)).unwrap();
    by_name(5).unwrap();
    drop(trace);
    ready(turns.call(6)).unwrap();
    let told: Vec<_> = std::mem::take(&mut *told.lock().unwrap());
    let calls: Vec<_> = told
        .iter()
        .map(|line| line.split(" = ").next().unwrap())
        .collect();
    let expected = ["dreamer.turns(2)", "dreamer.turns(4)", "dreamer.turns(5)"];
    assert_eq!(calls, expected);
    stage.close();
}

#[test]
fn an_async_function_of_another_plugin_answers() {
    let plugins: [(&str, &[u8]); 2] = [
        ("dreamer", &dreamer(1)),
        ("choir", &Build::Choir.bytes("choir")),
    ];
    let stage = Stage::with(&plugins, |builder| {
        builder.provide::<dyn Clock>(Arc::new(Stopped))
    });
    let turns: AsyncFunction<Turns> = stage.swapper.async_function("dreamer", "turns").unwrap();
    let patch = stage.swapper.patch("dreamer");
    patch
        .rewrite_by("turns", "choir", "double")
        .apply()
        .unwrap();
    assert_eq!(ready(turns.call(4)).unwrap(), 8);
    let more = |result: u32, _: u32| result + 1;
    let patch = stage.swapper.patch("dreamer");
    patch
        .after_async::<Turns, _>("turns", more)
        .apply()
        .unwrap();
    assert_eq!(ready(turns.call(4)).unwrap(), 9);
    let error = stage.swapper.patch("dreamer");
    let error = error.rewrite_by("turns", "choir", "hum").apply();
    assert!(error.is_err(), "a function that is not async");
    stage.swapper.patches("dreamer").reset().unwrap();
    assert_eq!(ready(turns.call(0)).unwrap(), 0);
    drop(turns);
    stage.close();
}
