//! What the next compilers will bring: a later `std` may keep thread-locals, and start and end threads, in ways that the host does
//! not see. Then a build would be closed too early, or never, and these tests say so before the compiler is stable.
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
            ..*row.expect("it is in the table")
        };
        row.check();
    }
}

/// What of the C library it uses for that, the plugin has of its own.
#[test]
fn with_the_nightly_compiler_the_keys_of_thread_locals_are_the_plugins_own() {
    let file = Build::ZooNightly.library("zoo");
    let output = Command::new("nm")
        .args(["--dynamic", "--undefined-only"])
        .arg(&file)
        .output()
        .expect("nm can be started");
    let symbols = String::from_utf8(output.stdout).expect("names are text");
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
    let bytes = std::fs::read(&file).expect("it was built");
    assert_eq!(
        unload_blockers(&bytes),
        [],
        "nothing in it keeps it in memory"
    );
}
