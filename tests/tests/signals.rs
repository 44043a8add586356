//! Tests signal handlers of plugins. Each test has a signal of its own.
use hotswap_host::artifact::BuildId;
use hotswap_host::prelude::*;
use hotswap_host::{Holder, Retirement, RetirementState};
use hotswap_tests::fixture::{Build, renamed, variant};
use hotswap_tests::{LIMIT, Stage, until};
use std::ffi::c_int;
use std::io::{Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::ptr::null;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

const PLUGIN: &str = "bell";

/// Returns a real-time signal that no other test uses.
fn own(number: c_int) -> c_int {
    libc::SIGRTMIN() + number
}

/// Returns another build of the same code.
fn build(number: usize) -> Vec<u8> {
    let library = Build::Bell.bytes(PLUGIN);
    variant(&library, "edition 0000", &format!("edition {number:04}"))
}

/// Returns another plugin of the same code.
fn other() -> Vec<u8> {
    renamed(&build(0), "bell", "gong")
}

fn open(plugins: &[(&str, &[u8])]) -> Stage {
    Stage::with(plugins, |builder| {
        builder.retire_limit(Duration::from_millis(20))
    })
}

fn function<F: hotswap_host::Signature<A>, A>(
    stage: &Stage,
    plugin: &str,
    name: &str,
) -> Function<F> {
    let function = stage.swapper.function(plugin, name);
    function.expect("the plugin has this function")
}

fn number(stage: &Stage, plugin: &str, name: &str) -> u32 {
    let function: Function<fn() -> u32> = function(stage, plugin, name);
    function.call().expect("the call succeeds")
}

fn begin(stage: &Stage, plugin: &str, name: &str, signal: c_int) {
    let function: Function<fn(i32) -> hotswap_plugin::Result<()>> = function(stage, plugin, name);
    function.call(signal).expect("the plugin can listen");
}

fn plain(stage: &Stage, plugin: &str, signal: c_int) -> String {
    let function: Function<fn(i32) -> String> = function(stage, plugin, "plain");
    function.call(signal).expect("the call succeeds")
}

fn hand_on(stage: &Stage, plugin: &str, signal: c_int, flags: c_int) -> String {
    let function: Function<fn(i32, i32) -> String> = function(stage, plugin, "hand_on");
    function.call(signal, flags).expect("the call succeeds")
}

fn current(stage: &Stage, plugin: &str, signal: c_int) -> String {
    let function: Function<fn(i32) -> String> = function(stage, plugin, "current");
    function.call(signal).expect("the call succeeds")
}

/// Sends the signal to this thread, and returns when it was handled.
fn raise(signal: c_int) {
    // SAFETY: every signal that is raised here has a handler or is ignored, and `raise` touches no memory.
    assert_eq!(unsafe { libc::raise(signal) }, 0);
}

fn set(signal: c_int, handler: usize) -> usize {
    // SAFETY: `handler` is a default or a handler of this file, which only counts and calls the one before it.
    unsafe { libc::signal(signal, handler) }
}

/// Returns the handler that the kernel has.
fn installed(signal: c_int) -> usize {
    // SAFETY: an all-zero `sigaction` is valid, and the call only writes to `now`.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        assert_eq!(libc::sigaction(signal, null(), &mut now), 0);
        now.sa_sigaction
    }
}

/// Ends the other threads of a test, also if an assertion fails.
struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Removes a plugin.
fn remove(stage: &Stage, plugin: &str) {
    std::fs::remove_file(stage.file(plugin)).expect("the plugin is installed");
    stage.swapper.reload().expect("no other plugin imports it");
    stage.settle();
}

fn retirement(stage: &Stage, build: BuildId) -> Retirement {
    let all = stage.swapper.retirements();
    let this = all.into_iter().find(|r| r.build_id == build);
    this.expect("the build was replaced")
}

fn each_live_build_hears(how: &str, signal: c_int) {
    let stage = open(&[(PLUGIN, &build(0))]);
    begin(&stage, PLUGIN, how, signal);
    for swap in 1..=20 {
        stage.swap(PLUGIN, &build(swap));
        begin(&stage, PLUGIN, how, signal);
        stage.settle();
        raise(signal);
        until("the live build to hear it", || {
            number(&stage, PLUGIN, "heard") == 1
        });
    }
    stage.close();
    assert_eq!(installed(signal), libc::SIG_DFL);
}

#[test]
fn with_signal_hook_each_live_build_hears_and_the_old_ones_leave() {
    each_live_build_hears("hook", own(1));
}

#[test]
fn with_tokio_each_live_build_hears_and_the_old_ones_leave() {
    each_live_build_hears("stream", own(2));
}

/// The signal arrives while the old build is still there, and again while it leaves.
#[test]
fn a_build_that_takes_over_hands_on_to_the_old_one_while_that_is_there() {
    let signal = own(3);
    let stage = open(&[(PLUGIN, &build(0))]);
    begin(&stage, PLUGIN, "hook", signal);
    let pin = stage.swapper.pin();
    let old: Function<fn() -> u32> = function(&stage, PLUGIN, "heard");
    std::thread::scope(|scope| {
        // This thread has the pin, so another one swaps.
        let swap = || {
            stage.swap(PLUGIN, &build(1));
            begin(&stage, PLUGIN, "hook", signal);
            raise(signal);
            assert_eq!(number(&stage, PLUGIN, "heard"), 1);
        };
        scope
            .spawn(swap)
            .join()
            .expect("the next build hears the signal");
    });
    assert_eq!(old.call().expect("the pinned build answers"), 1);
    drop(pin);
    drop(old);
    stage.settle();
    raise(signal);
    assert_eq!(number(&stage, PLUGIN, "heard"), 2);
    stage.close();
}

fn two_plugins(signal: c_int, first_out: &str, then: &str) {
    static HEARD: AtomicU32 = AtomicU32::new(0);
    extern "C" fn of_the_host(_: c_int) {
        HEARD.fetch_add(1, SeqCst);
    }
    let handler: extern "C" fn(c_int) = of_the_host;
    let handler = handler as usize;
    set(signal, handler);
    let host = || HEARD.swap(0, SeqCst);
    host();
    let stage = open(&[("bell", &build(0)), ("gong", &other())]);
    begin(&stage, "bell", "hook", signal);
    begin(&stage, "gong", "hook", signal);
    raise(signal);
    assert_eq!(number(&stage, "bell", "heard"), 1);
    assert_eq!(number(&stage, "gong", "heard"), 1);
    assert_eq!(host(), 1);
    remove(&stage, first_out);
    raise(signal);
    assert_eq!(number(&stage, then, "heard"), 2);
    assert_eq!(host(), 1);
    stage.close();
    assert_eq!(installed(signal), handler);
    raise(signal);
    assert_eq!(host(), 1);
}

/// Both cases are in one test, since they use the same counters.
#[test]
fn two_plugins_and_the_host_hear_the_same_signal_until_each_leaves() {
    two_plugins(own(4), "bell", "gong");
    two_plugins(own(5), "gong", "bell");
}

#[test]
fn a_handler_of_the_host_that_came_later_goes_on() {
    static BEFORE: AtomicUsize = AtomicUsize::new(0);
    static HEARD: AtomicU32 = AtomicU32::new(0);
    extern "C" fn on_top(signal: c_int) {
        HEARD.fetch_add(1, SeqCst);
        let before = BEFORE.load(SeqCst) as *const ();
        // SAFETY: `signal` has returned this address for the handler that was installed before, which is a function of
        // this type.
        let before: extern "C" fn(c_int) = unsafe { std::mem::transmute(before) };
        before(signal);
    }
    let signal = own(6);
    let stage = open(&[(PLUGIN, &build(0))]);
    plain(&stage, PLUGIN, signal);
    let handler: extern "C" fn(c_int) = on_top;
    BEFORE.store(set(signal, handler as usize), SeqCst);
    for swap in 1..=5 {
        raise(signal);
        assert_eq!(HEARD.swap(0, SeqCst), 1);
        assert_eq!(number(&stage, PLUGIN, "counted"), 1);
        stage.swap(PLUGIN, &build(swap));
        stage.settle();
        raise(signal);
        assert_eq!(HEARD.swap(0, SeqCst), 1);
        assert_eq!(number(&stage, PLUGIN, "counted"), 0);
        // The host's handler is below the one of this build, and the one of a build that is gone is below the host's.
        assert_eq!(hand_on(&stage, PLUGIN, signal, 0), "another");
    }
    stage.close();
    assert_eq!(installed(signal), handler as usize);
}

#[test]
fn a_handler_that_runs_keeps_its_build_and_is_named() {
    let signal = own(7);
    let stage = open(&[(PLUGIN, &build(0))]);
    let (mut begun, begin) = pipe().expect("a pipe can be made");
    let (wait, go_on) = pipe().expect("a pipe can be made");
    let block: Function<fn(i32, i32, i32)> = function(&stage, PLUGIN, "block");
    let (begin_fd, wait_fd) = (begin.as_raw_fd(), wait.as_raw_fd());
    block
        .call(signal, begin_fd, wait_fd)
        .expect("the call succeeds");
    let old = stage.live_build();
    std::thread::scope(|scope| {
        scope.spawn(|| raise(signal));
        // When the pipe is closed, the handler returns, also if an assertion fails.
        let mut go_on = go_on;
        begun.read_exact(&mut [0]).expect("the handler runs");
        stage.swap(PLUGIN, &build(1));
        plain(&stage, PLUGIN, signal);
        let expected = format!("its handler of signal {signal}, which has not returned");
        until("the handler to be named", || {
            let now = retirement(&stage, old);
            assert!(!now.state.is_end(), "{now}");
            matches!(&now.held_by[..], [Holder::Other { reason }] if *reason == expected)
        });
        // The handler does not hold up the next build.
        raise(signal);
        assert_eq!(number(&stage, PLUGIN, "counted"), 1);
        go_on.write_all(&[0]).expect("the pipe can be written");
    });
    stage.settle();
    stage.close();
}

#[test]
fn signals_arrive_all_the_time_while_builds_are_swapped() {
    // Any number of real-time signals may be pending, but only one of this.
    let signal = libc::SIGURG;
    // Without a build that handles it, the signal is ignored.
    set(signal, libc::SIG_IGN);
    let stage = open(&[(PLUGIN, &build(0)), ("gong", &other())]);
    begin(&stage, "gong", "hook", signal);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let storm = scope.spawn(|| {
            let mut sent = 0;
            while !done.load(SeqCst) {
                // SAFETY: the signal is handled or ignored on every thread, and `kill` touches no memory.
                if unsafe { libc::kill(libc::getpid(), signal) } == 0 {
                    sent += 1;
                }
                raise(signal);
                std::thread::yield_now();
            }
            sent
        });
        let end = SetWhenDropped(&done);
        for swap in 1..=100 {
            let how = if swap % 2 == 0 { "hook" } else { "stream" };
            begin(&stage, PLUGIN, how, signal);
            hand_on(&stage, PLUGIN, signal, libc::SA_RESTART);
            plain(&stage, PLUGIN, own(9));
            stage.swap(PLUGIN, &build(swap));
        }
        drop(end);
        assert_ne!(storm.join().expect("the thread ends"), 0);
    });
    stage.settle();
    let heard = number(&stage, "gong", "heard");
    raise(signal);
    assert_eq!(number(&stage, "gong", "heard"), heard + 1);
    stage.close();
    assert_eq!(installed(signal), libc::SIG_IGN);
    assert_eq!(installed(own(9)), libc::SIG_DFL);
}

#[test]
fn a_plugin_runs_other_programs_while_handlers_are_installed() {
    let signal = own(10);
    let stage = open(&[(PLUGIN, &build(0))]);
    let run: Function<fn() -> hotswap_plugin::Result<()>> = function(&stage, PLUGIN, "run");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(SeqCst) {
                plain(&stage, PLUGIN, signal);
            }
        });
        let _end = SetWhenDropped(&done);
        for _ in 0..20 {
            run.call().expect("the plugin can run the programs");
        }
    });
    stage.close();
}

#[test]
fn a_plugin_is_told_what_it_may_call() {
    let signal = own(11);
    let stage = open(&[("bell", &build(0)), ("gong", &other())]);
    assert_eq!(current(&stage, "bell", signal), "default");
    assert_eq!(plain(&stage, "bell", signal), "default");
    assert_eq!(current(&stage, "bell", signal), "own");
    assert_eq!(hand_on(&stage, "gong", signal, libc::SA_NODEFER), "another");
    assert_eq!(current(&stage, "bell", signal), "another");
    raise(signal);
    assert_eq!(number(&stage, "bell", "counted"), 1);
    assert_eq!(number(&stage, "gong", "counted"), 1);
    // The gong sets back the handler that it was told of, which is the bell's, with its flags.
    let set_back: Function<fn(i32)> = function(&stage, "gong", "set_back");
    set_back.call(signal).expect("the call succeeds");
    assert_eq!(current(&stage, "bell", signal), "own");
    raise(signal);
    assert_eq!(number(&stage, "bell", "counted"), 2);
    assert_eq!(number(&stage, "gong", "counted"), 1);
    let set_none: Function<fn(i32, bool)> = function(&stage, "gong", "set_none");
    set_none.call(signal, true).expect("the call succeeds");
    assert_eq!(current(&stage, "bell", signal), "ignored");
    raise(signal);
    assert_eq!(number(&stage, "bell", "counted"), 2);
    stage.close();
    assert_eq!(set(signal, libc::SIG_DFL), libc::SIG_IGN);
}

#[test]
fn a_handler_that_the_kernel_is_to_remove_keeps_its_build() {
    let signal = own(12);
    let stage = open(&[(PLUGIN, &build(0))]);
    let old = stage.live_build();
    hand_on(&stage, PLUGIN, signal, libc::SA_RESETHAND);
    raise(signal);
    assert_eq!(installed(signal), libc::SIG_DFL);
    stage.swap(PLUGIN, &build(1));
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    let kept = retirement(&stage, old);
    assert_eq!(kept.state, RetirementState::Kept);
    let holder = Holder::SignalHandler { signal };
    assert_eq!(kept.held_by[..], [holder]);
}
