//! Smoke tests, which run on a copy of the next generation.
use crate::support::{add, checked, host, orders, stateful};
use hotswap_host::prelude::*;
use hotswap_host::{Hook, PluginErrorKind, ReloadOptions, Step, Value};
use std::time::Duration;

/// Reloads a build whose smoke test misbehaves, and returns the error. The old build goes on.
fn refused(how: &str, limit: Duration) -> (hotswap_tests::Stage, ReloadError) {
    let stage = host(&checked("first"), |builder| builder);
    assert_eq!(add(&stage, 7), 7);
    let mut options = ReloadOptions::development();
    options.smoke_limit = limit;
    stage.install("checked", &checked(how));
    let reload = stage.swapper.prepare_reload().options(options);
    let error = reload.run().unwrap_err();
    assert_eq!(orders(&stage), "first");
    assert_eq!(add(&stage, 1), 8);
    (stage, error)
}

const LONG: Duration = Duration::from_secs(600);

#[test]
fn a_failing_one_refuses_the_reload() {
    let (stage, error) = refused("fail smoke", LONG);
    let text = error.to_string();
    assert!(
        text.starts_with("checked: a smoke test failed: counts: smoke would rather not ("),
        "{text}"
    );
    stage.settle();
    stage.close();
}

#[test]
fn a_panicking_one_refuses_the_reload() {
    let (stage, error) = refused("panic smoke", LONG);
    let text = error.to_string();
    assert!(
        text.starts_with("checked: a smoke test panicked: counts: smoke panics ("),
        "{text}"
    );
    stage.settle();
    stage.close();
}

#[test]
fn a_hanging_one_refuses_the_reload() {
    let (stage, error) = refused("hang smoke", Duration::from_millis(50));
    assert!(
        matches!(
            error.kind(),
            Some(PluginErrorKind::HookTimeout {
                hook: Hook::Smoke,
                ..
            })
        ),
        "{error}"
    );
    assert!(
        error.to_string().contains("ReloadOptions::smoke_limit"),
        "{error}"
    );
    // The next reload does not wait for it.
    assert_eq!(
        stage.swap("checked", &checked("third")).to_string(),
        "checked: reloaded"
    );
    assert_eq!(orders(&stage), "third");
}

#[test]
fn the_instance_that_becomes_live_was_never_called() {
    let stage = host(&checked("first"), |builder| builder);
    let report = stage.swap("checked", &checked("second"));
    let steps: Vec<_> = report.steps.iter().map(|step| step.step).collect();
    let expected = [
        Step::Validate,
        Step::Smoke,
        Step::Stage,
        Step::Switch,
        Step::Start,
    ];
    assert_eq!(steps, expected);
    assert_eq!(
        add(&stage, 1),
        1,
        "the smoke test has added 1000 to another one"
    );
    stage.settle();
    stage.close();
}

#[test]
fn it_can_be_left_out() {
    let stage = host(&checked("first"), |builder| builder);
    stage.install("checked", &checked("fail smoke"));
    let mut options = ReloadOptions::development();
    options.smoke = false;
    stage
        .swapper
        .prepare_reload()
        .options(options)
        .run()
        .unwrap();
    assert_eq!(orders(&stage), "fail smoke");
    stage.close();
}

#[test]
fn the_first_generation_has_to_pass_it_too() {
    let build = checked("fail smoke");
    let error = hotswap_tests::Stage::try_with(&[("checked", &build)], |builder| builder);
    let error = error.err().unwrap();
    assert!(matches!(error, ReloadError::Hook(_)), "{error}");
}

#[test]
fn one_of_the_host_sees_the_next_generation() {
    let stage = host(&checked("first"), |builder| {
        builder.smoke("the orders", |next| {
            match next.invoke("checked", "orders", &[]) {
                Ok(Value::Str(orders)) if orders != "bad" => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
    });
    stage.install("checked", &checked("bad"));
    let error = stage.swapper.reload().unwrap_err();
    let text = r#"the smoke test "the orders" of the host failed: Ok(Str("bad"))"#;
    assert_eq!(error.to_string(), text);
    assert_eq!(orders(&stage), "first");
    stage.swap("checked", &checked("good"));
    stage.settle();
    stage.close();
}

#[test]
fn one_of_the_host_that_panics_or_hangs_refuses_the_reload() {
    let stage = host(&checked("first"), |builder| builder);
    stage.install("checked", &checked("second"));
    let panics = |_: &hotswap_host::Generation| -> Result<(), String> { panic!("no") };
    let error = stage.swapper.prepare_reload().smoke("it", panics).run();
    let text = r#"the smoke test "it" of the host failed: panicked: no"#;
    assert_eq!(error.unwrap_err().to_string(), text);
    let hangs = |_: &hotswap_host::Generation| -> Result<(), String> {
        loop {
            std::thread::park();
        }
    };
    let mut options = ReloadOptions::development();
    options.smoke_limit = Duration::from_millis(50);
    let reload = stage.swapper.prepare_reload().smoke("it", hangs);
    let error = reload.options(options).run().unwrap_err().to_string();
    assert!(error.contains("it has not returned within 50ms"), "{error}");
    assert_eq!(orders(&stage), "first");
}

#[test]
fn one_for_the_state_runs_behind_the_gate() {
    let stage = host(&stateful("first"), |builder| builder);
    assert_eq!(add(&stage, 3), 3);
    stage.swap("checked", &stateful("second"));
    assert_eq!(stage.desk.told(), ["save", "restored 3", "smoke"]);
    assert_eq!(add(&stage, 1), 4);
    stage.install("checked", &stateful("fail smoke"));
    let error = stage.swapper.reload().unwrap_err();
    assert!(matches!(error, ReloadError::Hook(_)), "{error}");
    assert_eq!(orders(&stage), "second");
    assert_eq!(add(&stage, 1), 5);
    stage.settle();
    stage.close();
}
