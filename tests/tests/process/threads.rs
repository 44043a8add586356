//! Tests threads that cannot be started, and threads that the host does not see.
use crate::alpha;
use hotswap_host::prelude::*;
use hotswap_host::{Holder, Hook, PluginErrorKind, RetirementState, UnloadMode};
use hotswap_tests::fixture::{self, Build};
use hotswap_tests::{LIMIT, Stage, until};
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// The number of the next threads that cannot be started.
static FAIL: AtomicUsize = AtomicUsize::new(0);

type Start = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

/// Replaces the C library's function in this whole program, and fails like a limit of the system.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    type Real = unsafe extern "C" fn(
        *mut libc::pthread_t,
        *const libc::pthread_attr_t,
        Start,
        *mut c_void,
    ) -> c_int;
    let fails = FAIL.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
    if fails.is_ok() {
        return libc::EAGAIN;
    }
    static REAL: AtomicUsize = AtomicUsize::new(0);
    if REAL.load(SeqCst) == 0 {
        // SAFETY: `dlsym` gets a valid name. It is called once only, because it takes the dynamic linker's lock.
        let real = unsafe { libc::dlsym(libc::RTLD_NEXT, c"pthread_create".as_ptr()) };
        REAL.store(real.addr(), SeqCst);
    }
    // SAFETY: the address is that of the C library's `pthread_create`, which has this type.
    let real = unsafe { std::mem::transmute::<usize, Real>(REAL.load(SeqCst)) };
    // SAFETY: the caller keeps the promises of `pthread_create`, to which the arguments are passed on.
    unsafe { real(thread, attributes, start, argument) }
}

fn with_watcher(watcher: &[u8], mode: UnloadMode) -> Stage {
    let plugins: [(&str, &[u8]); 2] = [("alpha", &alpha(0)), ("watcher", watcher)];
    Stage::with(&plugins, |builder| builder.unload_mode(mode))
}

/// The watcher's `on_free` joins a thread that uses the plugin's import.
#[test]
fn one_that_cannot_be_started_while_a_plugin_is_freed_is_tried_again() {
    crate::alone("threads::not_started");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn not_started() {
    let stage = with_watcher(&Build::Registrar.bytes("watcher"), UnloadMode::Quarantine);
    stage.desk.until_told("watching alpha 00");
    let hold = stage.swapper.pin().hold();
    stage.swap("alpha", &alpha(1));
    stage.desk.until_told("watching alpha 01");
    // The next threads are those that would free the replaced builds.
    FAIL.store(5, SeqCst);
    drop(hold);
    until("the threads to fail", || FAIL.load(SeqCst) == 0);
    stage.settle();
    assert!(!stage.desk.told().iter().any(|told| told.contains("become")));
    stage.close();
}

/// A plugin asks again for the reload that got no thread.
#[test]
fn a_reload_that_a_plugin_asks_for_can_be_asked_for_again() {
    crate::alone("threads::not_reloaded");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn not_reloaded() {
    let probe = Build::First.bytes("probe");
    let stage = Stage::open(&[("probe", &probe)]);
    let request: Function<fn()> = stage.probe("request_reload");
    let next = fixture::ordered(&probe, "another build");
    stage.install("probe", &next);
    FAIL.store(1, SeqCst);
    request.call().unwrap();
    assert_eq!(FAIL.load(SeqCst), 0, "no thread was asked for");
    request.call().unwrap();
    until("the next build to be live", || {
        stage.live_build() == fixture::build_id(&next)
    });
    // The reload that was asked for has the next generation switched to, and may not have ended.
    assert!(!stage.swapper.reload().unwrap().changed());
    stage.settle();
    stage.close();
}

/// The library stays, so its thread may go on, and everything that it calls has to stay, too.
#[test]
fn what_a_kept_library_may_call_is_kept_too() {
    let stage = with_watcher(&Build::Unseen.bytes("watcher"), UnloadMode::Keep);
    let alpha_function: Function<fn() -> String> =
        stage.swapper.function("watcher", "alpha").unwrap();
    stage.desk.until_told("watching alpha 00");
    stage.swap("alpha", &alpha(1));
    assert_eq!(alpha_function.call().unwrap(), "alpha 01");
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    for retirement in stage.swapper.retirements() {
        assert_eq!(retirement.state, RetirementState::Kept, "{retirement}");
    }
    let old = fixture::build_id(&alpha(0));
    let mut retirements = stage.swapper.retirements().into_iter();
    let retirement = retirements.find(|r| r.build_id == old).unwrap();
    let reason = "watcher, which imports it and stays mapped".to_owned();
    assert_eq!(retirement.held_by, [Holder::Other { reason }]);
    // The thread still calls the instance that the plugin imported.
    stage.desk.told();
    stage.desk.until_told("watching alpha 00");
    assert!(!stage.desk.told().iter().any(|told| told.contains("become")));
}

#[test]
fn a_constructor_that_does_not_return_is_named_and_the_shutdown_keeps_its_time() {
    crate::alone("threads::constructor");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn constructor() {
    let stage = Stage::with(&[("alpha", &alpha(0))], |builder| {
        builder.hook_limit(Duration::from_secs(1))
    });
    stage.install("registrar", &Build::Stuck.bytes("registrar"));
    let error = stage.swapper.reload().unwrap_err();
    assert!(
        matches!(
            error.kind(),
            Some(PluginErrorKind::HookTimeout {
                hook: Hook::Open,
                ..
            })
        ),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("registrar: a constructor of its library")
    );
    let pulse: Function<fn(&str) -> String> = stage.swapper.function("alpha", "pulse").unwrap();
    assert_eq!(pulse.call("goes on").unwrap(), "alpha goes on");
    stage.swapper.shutdown(Duration::from_millis(100)).unwrap();
    // A normal end of the process would wait for the dynamic linker.
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(0) };
}
