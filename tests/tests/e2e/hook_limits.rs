//! Tests hooks that do not return: the host names them, and nothing else waits for them.
use hotswap_host::prelude::*;
use hotswap_host::{Builder, Holder, Hook, PluginErrorKind, Report, RetirementState};
use hotswap_tests::fixture::{self, Build, ordered, renamed};
use hotswap_tests::links::{self, bottom, middle};
use hotswap_tests::{LIMIT, Stage, records, until};
use std::cell::Cell;
use std::time::Duration;

fn probe() -> Vec<u8> {
    Build::First.bytes("probe")
}

/// Starts a host whose hooks have little time.
fn quick(builder: Builder) -> Builder {
    builder
        .hook_limit(Duration::from_millis(500))
        .retire_limit(Duration::from_millis(20))
}

fn answers(stage: &Stage) -> String {
    let build: Function<fn() -> String> = stage.probe("build");
    build.call().unwrap()
}

/// Waits until the host names a build for a hook that has not returned.
fn until_named(stage: &Stage, build: &[u8], hook: Hook) {
    let named = Holder::Hook {
        plugin: "probe".into(),
        hook,
    };
    let of = fixture::build_id(build);
    until("the hook to be named", || {
        let mut retirements = stage.swapper.retirements().into_iter();
        retirements.any(|r| r.build_id == of && !r.state.is_end() && r.held_by.contains(&named))
    });
}

#[test]
fn one_before_the_switch_refuses_the_build_and_later_reloads_go_on() {
    let hooks = [
        ("new", Hook::New),
        ("on_load", Hook::OnLoad),
        ("on_init", Hook::OnInit),
    ];
    for (name, hook) in hooks {
        let stage = Stage::with(&[("probe", &probe())], quick);
        let hanging = ordered(&probe(), &format!("wait {name}"));
        stage.install("probe", &hanging);
        let error = stage.swapper.reload().unwrap_err();
        let Some(PluginErrorKind::HookTimeout { hook: named, .. }) = error.kind() else {
            panic!("{error}");
        };
        assert_eq!(*named, hook);
        stage.desk.until_waiting(name);
        assert_eq!(answers(&stage), fixture::build_id(&probe()).to_string());
        until_named(&stage, &hanging, hook);

        let next = ordered(&probe(), "another build");
        stage.swap("probe", &next);
        assert_eq!(answers(&stage), fixture::build_id(&next).to_string());
        // The build leaves when the hook returns after all.
        stage.desk.open(name);
        stage.settle();
        stage.close();
    }
}

#[test]
fn the_error_says_what_to_do() {
    let stage = Stage::with(&[("probe", &probe())], quick);
    stage.install("probe", &ordered(&probe(), "wait on_load"));
    let error = stage.swapper.reload().unwrap_err();
    assert_eq!(error.plugin(), Some("probe".into()));
    let text = error.to_string();
    let text = text.replace(&stage.dir().display().to_string(), "<dir>");
    insta::assert_snapshot!(text, @"probe: on_load has not returned within 500ms (<dir>/libprobe.so): nothing has changed, and this build stays in memory until the hook returns; shorten it, or raise `Builder::hook_limit`");
    stage.desk.open("on_load");
    stage.close();
}

#[test]
fn reloadable_refuses_the_build_and_is_named() {
    let stage = Stage::with(&[("probe", &probe())], quick);
    let hanging = ordered(&probe(), "hang reloadable");
    stage.install("probe", &hanging);
    let error = stage.swapper.reload().unwrap_err();
    assert!(
        matches!(
            error.kind(),
            Some(PluginErrorKind::HookTimeout {
                hook: Hook::Reloadable,
                ..
            })
        ),
        "{error}"
    );
    until_named(&stage, &hanging, Hook::Reloadable);
    stage.swap("probe", &ordered(&probe(), "another build"));
    let late = stage.swapper.shutdown(Duration::from_millis(100)).unwrap();
    assert_eq!(late.len(), 1, "{late:?}");
}

#[test]
fn on_start_does_not_keep_the_report() {
    let stage = Stage::with(&[("probe", &probe())], quick);
    let hanging = ordered(&probe(), "wait on_start");
    let report: Report = stage.swap("probe", &hanging);
    assert_eq!(
        report.plugins[0].notes,
        ["on_start has not returned within 500ms"]
    );
    assert_eq!(answers(&stage), fixture::build_id(&hanging).to_string());
    // The build is replaced, and is still named for its hook.
    stage.swap("probe", &ordered(&probe(), "another build"));
    until_named(&stage, &hanging, Hook::OnStart);
    stage.desk.open("on_start");
    stage.settle();
    stage.close();
}

#[test]
fn on_stop_does_not_keep_the_reload_and_is_logged() {
    records::keep();
    let hanging = ordered(&probe(), "wait on_stop");
    let stage = Stage::with(&[("probe", &hanging)], quick);
    stage.swap("probe", &probe());
    records::wait_for(&["probe: on_stop has not returned within 500ms"]);
    assert_eq!(answers(&stage), fixture::build_id(&probe()).to_string());
    until_named(&stage, &hanging, Hook::OnStop);
    stage.desk.open("on_stop");
    stage.settle();
    stage.close();
}

#[test]
fn the_first_start_is_an_error() {
    let hanging = ordered(&probe(), "hang on_init");
    let error = Stage::try_with(&[("probe", &hanging)], quick)
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(
            error.kind(),
            Some(PluginErrorKind::HookTimeout {
                hook: Hook::OnInit,
                ..
            })
        ),
        "{error:?}"
    );
}

#[test]
fn the_shutdown_keeps_its_time() {
    // The shutdown itself calls this hook.
    let hanging = ordered(&probe(), "wait on_stop");
    let stage = Stage::open(&[("probe", &hanging)]);
    let late = stage.swapper.shutdown(Duration::from_millis(100)).unwrap();
    stage.desk.until_waiting("on_stop");
    assert_eq!(late.len(), 1);
    assert_eq!(late[0].state, RetirementState::InUse);
    stage.desk.open("on_stop");
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());

    // A running reload calls this hook.
    let stage = Stage::open(&[("probe", &probe())]);
    stage.install("probe", &ordered(&probe(), "wait on_load"));
    std::thread::scope(|scope| {
        let reload = scope.spawn(|| stage.swapper.reload());
        stage.desk.until_waiting("on_load");
        let late = stage.swapper.shutdown(Duration::from_secs(2)).unwrap();
        assert!(matches!(reload.join().unwrap(), Err(ReloadError::ShutDown)));
        assert_eq!(late.len(), 1, "the build whose hook waits: {late:?}");
    });
    stage.desk.open("on_load");
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
}

/// Waits until the build is named as held by the plugin `middle`, whose hook has not returned.
fn until_held_by_middle(stage: &Stage, build: &[u8]) {
    let user = Holder::User {
        plugin: "middle".into(),
    };
    let of = fixture::build_id(build);
    until("the plugin that imports it to be named", || {
        let mut retirements = stage.swapper.retirements().into_iter();
        retirements.any(|r| r.build_id == of && !r.state.is_end() && r.held_by == [user.clone()])
    });
}

/// An imported plugin cannot leave before the hook has returned.
#[test]
fn what_the_plugin_of_a_late_hook_imports_is_held_by_it() {
    // After the switch, the replaced plugins are freed.
    let hanging = ordered(&middle(), "hang on_free");
    let stage = Stage::with(&[("bottom", &bottom()), ("middle", &hanging)], quick);
    stage.swap("bottom", &links::build(&bottom(), 1));
    until_held_by_middle(&stage, &bottom());
    let late = stage.swapper.shutdown(Duration::from_millis(100)).unwrap();
    assert!(late.iter().any(|r| r.plugin == "bottom"), "{late:?}");

    // Before the switch, neither build was ever live.
    let stage = Stage::with(&[("bottom", &bottom()), ("middle", &middle())], quick);
    stage.install("bottom", &links::build(&bottom(), 1));
    stage.install("middle", &ordered(&middle(), "hang on_init"));
    let error = stage.swapper.reload().unwrap_err();
    assert!(matches!(
        error.kind(),
        Some(PluginErrorKind::HookTimeout { .. })
    ));
    assert_eq!(error.plugin().unwrap(), "middle");
    until_held_by_middle(&stage, &links::build(&bottom(), 1));
    stage.swapper.shutdown(Duration::from_millis(100)).unwrap();
}

/// The thread of the first late hook gives the remaining plugins to another thread, and takes none of them back when
/// the hook returns.
#[test]
fn those_after_one_that_is_late_are_started() {
    let names = ["proba", "probb", "probc", "probd", "probf", "probg"];
    let builds = names.map(|name| renamed(&probe(), "probe", name));
    let plugins: Vec<_> = names.iter().zip(&builds).map(|(n, b)| (*n, &**b)).collect();
    let stage = Stage::with(&plugins, |builder| {
        builder.hook_limit(Duration::from_millis(200))
    });
    let two_wait = ["wait on_start", "wait on_start", "1", "2", "3", "4"];
    for ((name, build), orders) in plugins.into_iter().zip(two_wait) {
        stage.install(name, &ordered(build, orders));
    }
    stage.desk.told();
    let started = Cell::new(0);
    let count = || {
        let told = stage.desk.told();
        let more = told.iter().filter(|hook| *hook == "on_start").count();
        started.set(started.get() + more);
        started.get()
    };
    std::thread::scope(|scope| {
        let reload = scope.spawn(|| stage.swapper.reload());
        until("the second to wait", || count() >= 2);
        stage.desk.open("on_start");
        reload.join().unwrap().unwrap();
    });
    assert_eq!(count(), names.len());
    stage.settle();
    stage.close();
}

/// A value in a thread-local can be dropped on its own thread only.
#[test]
fn one_that_hangs_keeps_builds_that_have_left_something_on_its_thread() {
    let stage = Stage::with(&[("probe", &probe())], quick);
    let other = ordered(&renamed(&probe(), "probe", "proba"), "leave on_load");
    stage.install("proba", &other);
    stage.install("probe", &ordered(&probe(), "wait on_init"));
    stage.swapper.reload().expect_err("one hook hangs");
    stage.desk.until_waiting("on_init");
    let of = fixture::build_id(&other);
    until("the thread-local to be named", || {
        let mut retirements = stage.swapper.retirements().into_iter();
        let named = |holder: &Holder| matches!(holder, Holder::Destructors { count: 1, .. });
        retirements.any(|r| r.build_id == of && !r.state.is_end() && r.held_by.iter().any(named))
    });
    stage.desk.open("on_init");
    stage.settle();
    stage.close();
}
