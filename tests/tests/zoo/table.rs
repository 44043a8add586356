//! The table of what plugins do, and of the outcomes.
use crate::outcome::Outcome::{Debris, ForEver, Gone, Kept, Locals, Threads};
use crate::row::Row;
use hotswap_tests::fixture::Build;

/// Makes a constant of the table and a test for each row.
macro_rules! table {
    ($($build:ident $plugin:literal { $($act:ident $what:literal: $then:expr, $idle:expr;)* })*) => {
        /// All rows, in the order of the documentation.
        pub const TABLE: &[Row] = &[$($(Row {
            act: stringify!($act),
            what: $what,
            build: Build::$build,
            plugin: $plugin,
            idle: $idle,
            then: $then,
        }),*),*];

        $($(#[test]
        fn $act() {
            let row = TABLE.iter().find(|row| row.act == stringify!($act));
            row.expect("the row is in the table").check();
        })*)*
    };
}

const NEEDS_CPP: &str = "needs the library libstdc++.so.6";
const CALLS_TIMER: &str = "uses timer_create, which gives addresses of its code to the system";
const CALLS_TSS: &str = "uses tss_create, which gives addresses of its code to the system";
const STATIC_TLS: &str = "uses static thread-local memory (linked with DF_STATIC_TLS)";
const NEEDS_SECOND: &str = "needs the library libzoosecond.so";

table! {
    Zoo "zoo" {
        arithmetic "calculates": Gone, Gone;
        collections "uses `String` and `HashMap`": Gone, Gone;
        println "prints a line": Gone, Gone;
        print "prints half a line": Gone, Gone;
        large_static "has 8 MiB of statics": Gone, Gone;
        log "logs through `log`": Gone, Gone;
        tracing "logs through `tracing`": Gone, Gone;
        local "has a thread-local without `Drop`": Gone, Gone;
        local_drop "has a thread-local with `Drop`": Gone, Locals;
        local_busy "has a thread-local whose `Drop` uses another one, logs, calls an import": Gone, Locals;
        local_file "keeps an open file in a thread-local": Gone, Locals;
        current "calls `thread::current`": Gone, Locals;
        spawn_join "starts a thread and joins it": Gone, Locals;
        scoped "starts scoped threads": Gone, Locals;
        running "leaves a thread running": Threads, Threads;
        channel_timeout "waits at an `mpsc` channel, with and without a timeout": Gone, Locals;
        condvar "waits for another thread with `Mutex` and `Condvar`": Gone, Locals;
        caught_panic "catches a panic": Gone, Gone;
        own_hook "installs a panic hook": Gone, Gone;
        backtrace "prints a backtrace": Debris, Debris;
        signal_handler "leaves a signal handler": Gone, Gone;
    }

    ZooCrates "zoo-crates" {
        env_logger "logs through `env_logger`": Gone, Locals;
        serde_json "reads and writes with `serde_json`": Gone, Gone;
        regex "keeps a `Regex` in a `OnceLock`": Gone, Gone;
        rand "uses `rand`": Gone, Locals;
        parking_lot "waits with `parking_lot`": Gone, Locals;
        crossbeam_channel "waits at a `crossbeam-channel`": Gone, Locals;
        chrono "asks `chrono` for the local time": Gone, Locals;
        rayon_pool "has a `rayon` pool of its own, and drops it": Gone, Locals;
        rayon_global "uses the global `rayon` pool": ForEver, ForEver;
        tokio_current "runs a current-thread `tokio` runtime": Gone, Locals;
        tokio_ended "has a multi-thread `tokio` runtime, dropped in `on_free`": Gone, Locals;
        tokio_left "forgets a multi-thread `tokio` runtime": ForEver, ForEver;
        signal_hook "registers a flag with `signal-hook`": Gone, Gone;
        tokio_signal "waits for a signal with `tokio`": Gone, Locals;
    }

    ZooC "zoo-c" {
        c "calls C code, compiled with `cc`": Gone, Gone;
        c_threads "calls C code that starts a thread": Gone, Gone;
        c_exits "calls C code whose threads end by `pthread_exit` and `pthread_cancel`": Gone, Gone;
        c_key "calls C code that has a `pthread_key` with a destructor": Gone, Locals;
    }

    ZooCpp "zoo-c" {
        cpp "calls C++ code": Kept(NEEDS_CPP), Kept(NEEDS_CPP);
    }

    ZooCppStatic "zoo-c" {
        cpp_static "calls C++ code, with `libstdc++` linked statically": Gone, Gone;
    }

    ZooTimer "zoo-c" {
        timer "has a timer that calls back": Kept(CALLS_TIMER), Kept(CALLS_TIMER);
    }

    ZooTss "zoo-c" {
        tss "calls C code that has a C11 `tss_t` with a destructor": Kept(CALLS_TSS), Kept(CALLS_TSS);
    }

    ZooStaticTls "zoo-c" {
        static_tls "has a thread-local in static memory (initial-exec)": Kept(STATIC_TLS), Kept(STATIC_TLS);
    }

    ZooSecond "zoo-c" {
        second_library "needs a library of its own": Kept(NEEDS_SECOND), Kept(NEEDS_SECOND);
    }

    ZooEarly "zoo-c" {
        early "makes a `pthread_key` in a constructor of the library": Gone, Gone;
    }

    ZooMimalloc "zoo-heap" {
        mimalloc "has `mimalloc` as its allocator": Gone, Locals;
    }

    ZooJemalloc "zoo-heap" {
        jemalloc "has `jemalloc` as its allocator, without initial-exec": Gone, Locals;
    }

    ZooParting "zoo-c" {
        parting "starts a thread, and makes a `pthread_key`, in a destructor of the library": Gone, Gone;
    }
}
