//! Tests gdb.
use crate::debugger::Debugger;
use crate::workshop::Mode;

pub const GDB: Debugger = Debugger {
    tool: "gdb",
    args: [&["--nx", "--batch", "--command"], &["--args"]],
    settings: concat!(
        "set pagination off\nset width 0\nsource ",
        env!("CARGO_MANIFEST_DIR"),
        "/../hotswap-host/docs/hotswap.gdb"
    ),
    break_in: "break",
    break_at: "break abacus/src/lib.rs:",
    delete: "delete",
    launch: "run",
    go_on: "continue",
    // gdb 13 sometimes fails when a program with several threads ends.
    finish: "break _exit\ncontinue\nkill",
    arguments: "info args",
    stack: "backtrace",
    shell: "shell",
    main: " abacus_host::main () at ",
};

#[test]
fn by_name_in_what_is_loaded() {
    GDB.stops_by_name(Mode::Loaded);
}

#[test]
fn by_line_in_what_is_loaded() {
    GDB.stops_by_line(Mode::Loaded);
}

#[test]
fn by_name_in_what_is_loaded_from_memory() {
    GDB.stops_by_name(Mode::LoadedFromMemory);
}

#[test]
fn by_name_in_what_is_linked() {
    GDB.stops_by_name(Mode::Linked);
}

#[test]
fn by_line_in_what_is_linked() {
    GDB.stops_by_line(Mode::Linked);
}
