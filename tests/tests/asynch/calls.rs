//! Tests that results, errors, and panics of async calls reach the caller, on every executor.
use crate::support::{Night, block_on, current, dreamer, sleeper, threads};
use dreams::{Dream, Nightmare};
use hotswap_host::{HandleError, prelude::*};

fn words() -> Vec<String> {
    ["one", "two"].map(str::to_owned).into()
}

async fn all_calls(night: &Night) {
    let at_once: AsyncFunction<fn() -> String> = night.dreamer("at_once");
    assert_eq!(at_once.call().await.unwrap(), "dreamer 01");
    type Eight = fn(u8, i64, &str, f64, Vec<String>, &Option<char>, &[u16], &[String]) -> String;
    let eight: AsyncFunction<Eight> = night.dreamer("eight");
    let call = {
        // It is dropped before the first poll.
        let (text, numbers, list) = ("text".to_owned(), vec![1, 2], words());
        eight.call(1, -2, &text, 0.5, words(), &Some('ß'), &numbers, &list)
    };
    assert_eq!(
        call.await.unwrap(),
        r#"1 -2 text 0.5 ["one", "two"] Some('ß') [1, 2] ["one", "two"]"#
    );
    type Words = fn(Vec<String>, Option<u32>) -> Result<Vec<String>, Nightmare>;
    let twice: AsyncFunction<Words> = night.dreamer("words");
    assert_eq!(twice.call(words(), None).await.unwrap().len(), 4);
    let refused = twice.call(words(), Some(1)).await.unwrap_err();
    assert_eq!(
        refused,
        CallError::Returned(Nightmare::TooMuch { limit: 1 })
    );
    let turns: AsyncFunction<fn(u32) -> u32> = night.dreamer("turns");
    assert_eq!(turns.call(1000).await.unwrap(), 1000);
    let panic: AsyncFunction<fn(&str, u32) -> u32> = night.dreamer("panic");
    for after in [0, 3] {
        let error = panic.call("a bad dream", after).await.unwrap_err();
        assert_eq!(error.to_string(), "dreamer.panic panicked: a bad dream");
    }
    // This is a panic of the host's own, which passes through the plugin.
    let broken: AsyncFunction<fn(&str)> = night.dreamer("broken_clock");
    let error = broken.call("the clock is broken").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "dreamer.broken_clock panicked: the clock is broken"
    );
}

#[test]
fn on_the_threads_of_a_tokio_runtime() {
    let (night, runtime) = (Night::dreaming(), threads());
    runtime.block_on(all_calls(&night));
    drop(runtime);
    night.close();
}

#[test]
fn on_one_thread_of_a_tokio_runtime() {
    let (night, runtime) = (Night::dreaming(), current());
    runtime.block_on(all_calls(&night));
    drop(runtime);
    night.close();
}

#[test]
fn on_no_runtime_at_all() {
    let night = Night::dreaming();
    block_on(all_calls(&night));
    night.close();
}

#[test]
fn through_imports_and_interfaces() {
    let night = Night::begin(&[("dreamer", &dreamer(1)), ("sleeper", &sleeper(2))]);
    let sleeper = |function| night.swapper.async_function("sleeper", function);
    let dream: AsyncFunction<fn(&str) -> Option<String>> = {
        let function = night.swapper.async_function("sleeper", "dream");
        function.unwrap()
    };
    let call = std::thread::spawn(move || block_on(dream.call("noon")));
    night.clock.until_told("dreamer 01 waits for noon");
    night.clock.strike("noon");
    let both = call.join().unwrap().unwrap();
    assert_eq!(both.unwrap(), "sleeper 02 of dreamer 01 at noon");
    let wake_up: AsyncFunction<fn(&str) -> u32> = sleeper("wake_up").unwrap();
    let error = block_on(wake_up.call("a nightmare")).unwrap_err();
    assert_eq!(error.to_string(), "sleeper.wake_up panicked: a nightmare");

    let dreamer: Interface<dyn Dream> = night.swapper.interface("dreamer").unwrap();
    let (build, doubled) = block_on(dreamer.call_async(|dream| async move {
        let doubled = dream.twice(&words(), None).await;
        (dream.build(), doubled)
    }))
    .unwrap();
    assert_eq!((build.as_str(), doubled.unwrap().len()), ("dreamer 01", 4));
    let panicked = dreamer.call_async(|dream| async move { dream.nightmare("again").await });
    let error = block_on(panicked).unwrap_err();
    assert_eq!(error.to_string(), "dreamer.Dream panicked: again");
    // The future may be spawned.
    let runtime = threads();
    let spawned = runtime.spawn(async move {
        let calls = dreamer.call_async(|dream| async move { dream.twice(&words(), Some(1)).await });
        calls.await
    });
    let refused = runtime.block_on(spawned).unwrap().unwrap();
    assert_eq!(refused, Err(Nightmare::TooMuch { limit: 1 }));
    drop(runtime);
    night.close();
}

#[test]
fn by_name() {
    let night = Night::dreaming();
    let invoke = |function: &str, args: &[Value]| {
        let result = block_on(night.swapper.invoke_async("dreamer", function, args));
        result
            .map(|value| value.to_string())
            .map_err(|error| error.to_string())
    };
    let words = Value::from(words());
    let found = [
        invoke("at_once", &[]),
        invoke("words", &[words.clone(), Value::Nil]),
        invoke("words", &[words.clone(), 1.into()]),
        invoke("words", &[words]),
        invoke("turns", &["many".into()]),
        invoke("panic", &["by name".into(), 2.into()]),
        // This function is not `async`.
        invoke("wake_kept", &[]),
        invoke("no_such", &[]),
        // This one is `async`, and is called as if it were not.
        night
            .swapper
            .invoke("dreamer", "at_once", &[])
            .map(|value| value.to_string())
            .map_err(|error| error.to_string()),
    ];
    insta::assert_snapshot!(found.map(|found| format!("{found:?}")).join("\n"));
    night.close();
}

#[test]
fn handles_of_the_wrong_kind_are_refused() {
    let night = Night::dreaming();
    let swapper = &night.swapper;
    let errors = [
        swapper
            .function::<fn() -> String, _>("dreamer", "at_once")
            .map(drop),
        swapper
            .async_function::<fn() -> bool, _>("dreamer", "wake_kept")
            .map(drop),
        swapper
            .async_function::<fn(u64) -> u32, _>("dreamer", "turns")
            .map(drop),
        swapper
            .async_function::<fn(u32) -> u64, _>("dreamer", "turns")
            .map(drop),
    ];
    let errors = errors.map(|result| {
        let error = result.unwrap_err();
        assert!(matches!(error, HandleError::Signature { .. }), "{error:?}");
        error.to_string()
    });
    insta::assert_snapshot!(errors.join("\n\n"));
    night.close();
}
