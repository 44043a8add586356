//! Tests forks of the host.
use crate::{alone, registrar};
use hotswap_host::prelude::*;
use hotswap_tests::{Stage, process};

/// Forks, runs this in the child, which then ends, and returns the exit code of the child.
fn in_a_child(run: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child runs the closure of its test, and then ends without running other code of the test program.
    match unsafe { libc::fork() } {
        -1 => panic!("fork failed: {}", std::io::Error::last_os_error()),
        // SAFETY: `_exit` has no preconditions.
        0 => unsafe { libc::_exit(run()) },
        child => {
            let mut status = 0;
            // SAFETY: `waitpid` writes to `status`, which outlives the call.
            let waited = unsafe { libc::waitpid(child, &mut status, 0) };
            assert_eq!(waited, child);
            assert!(libc::WIFEXITED(status), "the child ended with {status:#x}");
            libc::WEXITSTATUS(status)
        }
    }
}

#[test]
fn a_child_that_drops_the_swapper_leaves_the_parent_alone() {
    alone("fork::drops_the_swapper");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn drops_the_swapper() {
    let stage = Stage::open(&[("registrar", &registrar(0))]);
    let build: Function<fn() -> String> = stage.swapper.function("registrar", "build").unwrap();
    let host_dir = process::host_dir_of(stage.dir());
    let child = in_a_child(|| {
        // In the child, the plugins keep working. Nothing is replaced, and nothing is freed.
        let answers = build.call().is_ok_and(|build| build == "registrar 00");
        let reload = matches!(stage.swapper.reload(), Err(ReloadError::Forked));
        // SAFETY: the copy is the only one that is used: the child never uses the original again.
        drop(unsafe { std::ptr::read(&stage.swapper) });
        drop(build.clone());
        i32::from(answers) + 2 * i32::from(reload)
    });
    assert_eq!(child, 3);
    assert!(host_dir.exists() && !stage.copies().is_empty());
    stage.swap("registrar", &registrar(1));
    assert_eq!(build.call().unwrap(), "registrar 01");
    stage.settle();
    drop(build);
    stage.close();
}

#[test]
fn a_child_opens_no_swapper_of_its_own() {
    alone("fork::opens_no_swapper");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn opens_no_swapper() {
    let stage = Stage::open(&[("registrar", &registrar(0))]);
    let refused = || {
        let opened = Swapper::builder().plugin_dir(stage.dir()).open();
        i32::from(matches!(opened, Err(ReloadError::Forked)))
    };
    assert_eq!(in_a_child(refused), 1);
    stage.close();
}

#[test]
fn handlers_of_a_build_run_until_it_has_left() {
    alone("fork::handlers");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn handlers() {
    let stage = Stage::open(&[("registrar", &registrar(0))]);
    let at_fork: Function<fn()> = stage.swapper.function("registrar", "at_fork").unwrap();
    at_fork.call().unwrap();
    assert_eq!(in_a_child(|| 0), 0);
    let told = ["registrar 00: prepare", "registrar 00: parent"];
    assert_eq!(stage.desk.told(), told);

    stage.swap("registrar", &registrar(1));
    stage.settle();
    assert_eq!(in_a_child(|| 0), 0);
    assert_eq!(stage.desk.told(), [""; 0]);

    // Many threads fork while builds come and go.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..50).for_each(|_| assert_eq!(in_a_child(|| 0), 0)));
        }
        for number in 2..12 {
            at_fork.call().unwrap();
            stage.swap("registrar", &registrar(number));
        }
    });
    stage.settle();
    stage.close();
}

#[test]
fn a_thread_that_forks_at_its_end_calls_all_handlers() {
    alone("fork::at_the_end_of_a_thread");
}

extern "C" fn forks(_: *mut libc::c_void) {
    assert_eq!(in_a_child(|| 0), 0);
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn at_the_end_of_a_thread() {
    let stage = Stage::open(&[("registrar", &registrar(0))]);
    let at_fork: Function<fn()> = stage.swapper.function("registrar", "at_fork").unwrap();
    at_fork.call().unwrap();
    let mut key = 0;
    // SAFETY: `key` outlives the call, and the destructor may be called on any thread.
    assert_eq!(
        unsafe { libc::pthread_key_create(&mut key, Some(forks)) },
        0
    );
    let thread = std::thread::spawn(move || {
        // The first fork makes whatever the thread keeps for forks. It is gone when the destructor of the key runs.
        assert_eq!(in_a_child(|| 0), 0);
        // SAFETY: the key was just made, and its destructor does not use the value.
        assert_eq!(
            unsafe { libc::pthread_setspecific(key, (&raw const key).cast()) },
            0
        );
    });
    thread.join().unwrap();
    let told = ["registrar 00: prepare", "registrar 00: parent"];
    assert_eq!(stage.desk.told(), [told, told].concat());
    drop(at_fork);
    stage.swap("registrar", &registrar(1));
    stage.settle();
    stage.close();
}
