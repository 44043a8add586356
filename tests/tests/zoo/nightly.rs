//! Tests plugins of the next compiler. A later `std` may keep thread-locals, and start and end threads, in ways that
//! the host does not see. A build would then be closed too early, or never, and these tests say so before that compiler
//! is stable.
use crate::row::Row;
use crate::table::TABLE;
use hotswap_host::artifact::unload_blockers;
use hotswap_tests::fixture::Build;
use std::process::Command;

/// The rows whose plugins leave something on threads.
#[test]
fn with_the_nightly_compiler_threads_and_their_values_are_seen() {
    let rows = [
        "local_drop",
        "local_busy",
        "current",
        "spawn_join",
        "scoped",
        "running",
        "channel_timeout",
    ];
    for act in rows {
        let row = TABLE.iter().find(|row| row.act == act);
        let row = Row {
            build: Build::ZooNightly,
            ..*row.expect("the row is in the table")
        };
        row.check();
    }
}

/// The plugin has its own definitions of the C library functions that `std` uses for that, and imports none of them.
#[test]
fn with_the_nightly_compiler_the_keys_of_thread_locals_are_the_plugins_own() {
    let file = Build::ZooNightly.library("zoo");
    let output = Command::new("nm")
        .args(["--dynamic", "--undefined-only"])
        .arg(&file)
        .output()
        .expect("nm can be started");
    let symbols = String::from_utf8(output.stdout).expect("symbol names are UTF-8");
    assert!(symbols.contains(" pthread_"), "{symbols}");
    let kinds = [
        "thread_atexit",
        "pthread_key_",
        "setspecific",
        "pthread_create",
        "thrd_",
        "tss_",
    ];
    let foreign: Vec<_> = symbols
        .lines()
        .filter(|symbol| kinds.iter().any(|kind| symbol.contains(kind)))
        .collect();
    assert_eq!(foreign, [""; 0]);
    let bytes = std::fs::read(&file).expect("the library was built");
    assert_eq!(
        unload_blockers(&bytes),
        [],
        "nothing in it keeps it in memory"
    );
}
