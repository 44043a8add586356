//! Tests a database that locks its files for the whole process, in a plugin that is replaced.
use hotswap_host::prelude::*;
use hotswap_plugin::Result as Answer;
use hotswap_tests::fixture::{Build, file_name, hotswap, run, variant};
use hotswap_tests::{LIMIT, Stage, records};
use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

type Rows = Vec<(u32, u32)>;

const WRITERS: u32 = 4;
const SWAPS: usize = 15;

/// Returns the library with another number in it.
fn edition(library: &[u8], number: usize) -> Vec<u8> {
    variant(library, "edition 0000", &format!("edition {number:04}"))
}

/// Replaces a plugin again and again while threads write through it. Returns the writes that were acknowledged, the
/// rows in the end, and the result of the database's own integrity check.
fn swaps_under_writes(
    library: &[u8],
    journal: &str,
) -> (BTreeSet<(u32, u32)>, BTreeSet<(u32, u32)>, String) {
    let stage = Stage::with(&[("diary", library)], |builder| builder.gate_limit(LIMIT));
    let file = stage.dir().join("diary.db");
    let file = file.to_str().expect("the path is UTF-8");
    let swapper = &stage.swapper;
    let create = swapper.function::<fn(&str, &str) -> Answer<String>, _>("diary", "create");
    let write = swapper.function::<fn(&str, u32, u32) -> Answer<()>, _>("diary", "write");
    let read = swapper.function::<fn(&str) -> Answer<Rows>, _>("diary", "read");
    let check = swapper.function::<fn(&str) -> Answer<String>, _>("diary", "check");
    let there = "the plugin has this function";
    let (create, write) = (create.expect(there), write.expect(there));
    let (read, check) = (read.expect(there), check.expect(there));
    assert_eq!(
        create.call(file, journal).expect("the call succeeds"),
        journal
    );

    let (acknowledged, written) = (Mutex::new(BTreeSet::new()), AtomicUsize::new(0));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (write, acknowledged, written, done) = (&write, &acknowledged, &written, &done);
            scope.spawn(move || {
                for number in 0.. {
                    if done.load(SeqCst) {
                        return;
                    }
                    write
                        .call(file, writer, number)
                        .expect("the write succeeds");
                    acknowledged.lock().unwrap().insert((writer, number));
                    written.fetch_add(1, SeqCst);
                }
            });
        }
        for swap in 1..=SWAPS {
            let before = written.load(SeqCst);
            hotswap_tests::until("some writes", || written.load(SeqCst) > before + 20);
            stage.swap("diary", &edition(library, swap));
        }
        done.store(true, SeqCst);
    });
    let there = read.call(file).expect("the call succeeds");
    assert_eq!(there.len(), there.iter().collect::<BTreeSet<_>>().len());
    let integrity = check.call(file).expect("the call succeeds");
    drop((create, write, read, check));
    stage.close();
    let acknowledged = acknowledged.into_inner().unwrap();
    (acknowledged, there.into_iter().collect(), integrity)
}

#[test]
fn one_that_is_closed_before_the_next_build_opens_it_loses_no_write() {
    let library = Build::Diary.bytes("diary");
    for journal in ["delete", "wal"] {
        let (acknowledged, there, integrity) = swaps_under_writes(&library, journal);
        assert_eq!(there, acknowledged, "{journal}");
        assert_eq!(integrity, "ok", "{journal}");
    }
}

/// No hook closes the database, so several builds have it open at once, and still lock each other out.
#[test]
fn one_that_locks_with_a_file_beside_it_loses_no_write() {
    let library = Build::DiaryDotfile.bytes("diary");
    let (acknowledged, there, integrity) = swaps_under_writes(&library, "delete");
    assert_eq!(there, acknowledged);
    assert_eq!(integrity, "ok");
}

const WARNING: &str = "contains SQLite and has neither `on_stop` nor `save`: while two builds have one database open, each \
                       can undo the locks of the other, and writes are lost; close it in `on_stop`, or let the host own it";

#[test]
fn one_that_no_hook_closes_is_warned_of() {
    records::keep();
    let built = |features: &[&str]| {
        let out = tempfile::tempdir().unwrap();
        let mut command = hotswap();
        command.args(["build", "--package", "diary", "--out-dir"]);
        let said = run(command.arg(out.path()).args(features));
        (said, fs::read(out.path().join(file_name("diary"))).unwrap())
    };
    let (said, careful) = built(&[]);
    assert!(!said.contains("warning"), "{said}");
    let (said, careless) = built(&["--features", "careless"]);
    let warning = format!("warning: diary {WARNING}\n");
    assert!(said.contains(&warning), "{said}");

    let stage = Stage::open(&[("diary", &careful)]);
    let live = || format!("diary (build {})", stage.live_build().short());
    assert_eq!(records::with(&[&live(), "contains SQLite"]).len(), 0);
    stage.swap("diary", &careless);
    let warning = format!("{} {WARNING}", live());
    assert_eq!(records::with(&[&warning]).len(), 1);
    stage.close();
}
