//! Builds that are tried in a child process first. What would end the host ends the child.
use crate::support::{Host, checked, stateful};
use hotswap_host::ReloadOptions;
use hotswap_tests::{fixture, until};
use std::cell::RefCell;
use std::io::Write;

#[test]
fn a_panic_of_the_thread_that_reads_its_output_refuses_the_reload() {
    let panics = [
        ("HOTSWAP_PROBE", "true"),
        ("HOTSWAP_TEST_PANIC", "hotswap-probe"),
    ];
    let mut host = Host::new(&checked("first"), &panics);
    let (error, live) = host.reload(&checked("second"));
    assert!(error.contains("the host panicked while it made"), "{error}");
    assert_eq!(live, "live first");
    let (report, live) = host.reload(&checked("second"));
    assert!(report.contains("checked: reloaded"), "{report}");
    assert_eq!(live, "live second");
}

#[test]
fn its_limit_may_be_as_long_as_can_be() {
    let options = [
        ("HOTSWAP_PROBE", "true"),
        ("HOTSWAP_PROBE_LIMIT", "18446744073709550000"),
    ];
    let mut host = Host::new(&checked("first"), &options);
    let (report, _) = host.reload(&checked("second"));
    assert!(report.contains("checked: reloaded"), "{report}");
}

#[test]
fn what_ends_the_process_is_an_error_and_the_host_goes_on() {
    let mut host = Host::new(&checked("first"), &[("HOTSWAP_PROBE", "true")]);
    let cases = [
        ("abort smoke", "smoke", "it was ended by signal 6 (SIGABRT)"),
        ("abort new", "stage", "it was ended by signal 6 (SIGABRT)"),
        (
            "overflow smoke",
            "smoke",
            "it was ended by signal 6 (SIGABRT); its last lines were: | ",
        ),
        (
            "segfault smoke",
            "smoke",
            "it was ended by signal 11 (SIGSEGV)",
        ),
        ("exit new", "stage", "it has exited with code 0"),
        (
            "allocate smoke",
            "smoke",
            "it was ended by signal 6 (SIGABRT); its last lines were: | memory allocation of 8589934592 bytes failed",
        ),
        (
            "panic smoke",
            "smoke",
            "checked: a smoke test panicked: counts: smoke panics (",
        ),
        (
            "fail new",
            "stage",
            "checked: new failed: new would rather not (",
        ),
    ];
    for (orders, step, problem) in cases {
        let (said, live) = host.reload(&checked(orders));
        let expected =
            format!("the new builds failed in a child process, in the step {step}: {problem}");
        assert!(said.starts_with(&expected), "{orders}: {said}");
        assert_eq!(live, "live first");
    }
    let (said, live) = host.reload(&checked("second"));
    assert_eq!((&*said, &*live), ("checked: reloaded", "live second"));
}

#[test]
fn what_does_not_end_is_ended() {
    let limit = ("HOTSWAP_PROBE_LIMIT", "0.5");
    let mut host = Host::new(&checked("first"), &[("HOTSWAP_PROBE", "true"), limit]);
    for orders in ["hang new", "spin smoke"] {
        let (said, live) = host.reload(&checked(orders));
        assert!(
            said.contains("it has not ended within 500ms; shorten it, or raise"),
            "{said}"
        );
        assert_eq!(live, "live first");
    }
}

#[test]
fn tests_that_take_longer_run_where_that_is_wanted() {
    for (deep, expected) in [
        ("true", "a smoke test failed: takes_long"),
        ("false", "checked: reloaded"),
    ] {
        let options = [("HOTSWAP_PROBE", "true"), ("HOTSWAP_DEEP", deep)];
        let mut host = Host::new(&checked("first"), &options);
        let (said, _) = host.reload(&checked("fail deep"));
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_copy_of_the_state_is_restored_and_tested_there() {
    let mut host = Host::new(&stateful("first"), &[("HOTSWAP_PROBE", "true")]);
    let (said, live) = host.reload(&stateful("abort smoke"));
    assert!(
        said.contains("in the step smoke: it was ended by signal 6"),
        "{said}"
    );
    assert_eq!(live, "live first");
    let (said, live) = host.reload(&stateful("second"));
    assert!(
        said.starts_with("checked: reloaded, state handed over"),
        "{said}"
    );
    assert_eq!(live, "live second");
}

#[test]
fn without_a_probe_the_same_build_ends_the_host() {
    let mut host = Host::new(&checked("first"), &[]);
    fixture::install(&checked("abort smoke"), "checked", host.plugins.path());
    host.input.write_all(b"\n").unwrap();
    assert!(host.output.next().is_none());
}

#[test]
fn a_program_that_is_no_probe_says_what_to_do() {
    let stage = crate::support::host(&checked("first"), |builder| builder);
    let mut options = ReloadOptions::development();
    options.probe = true;
    stage.install("checked", &checked("second"));
    let error = stage
        .swapper
        .prepare_reload()
        .options(options)
        .run()
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("call `hotswap_host::init()` in the first line of `main`"),
        "{error}"
    );
    stage.close();
}

#[test]
fn a_live_build_whose_save_hangs_is_not_on_its_way_out() {
    let options = [
        ("HOTSWAP_PROBE", "true"),
        ("HOTSWAP_TEST_HOOK_LIMIT", "100"),
    ];
    let mut host = Host::new(&stateful("hang save"), &options);
    let (error, live) = host.reload(&stateful("second"));
    assert!(
        error.contains("save has not returned within 100ms"),
        "{error}"
    );
    assert_eq!(live, "live hang save");
    // The copy for the smoke tests of the first load may still be on its way out.
    let host = RefCell::new(host);
    until("nothing to be on its way out", || {
        let mut host = host.borrow_mut();
        host.input.write_all(b"retirements\n").unwrap();
        host.says() == "0"
    });
}

#[test]
fn started_by_anybody_else_a_probe_ends() {
    let output = fixture::host()
        .env("HOTSWAP_IS_PROBE", "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("this process was started as a probe, which only a host does"),
        "{text}"
    );
}
