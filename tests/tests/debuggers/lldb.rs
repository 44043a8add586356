//! Tests lldb.
use crate::debugger::Debugger;
use crate::workshop::Mode;

pub const LLDB: Debugger = Debugger {
    tool: "lldb",
    args: [&["--no-lldbinit", "--batch", "--source"], &["--"]],
    // Containers do not allow a program to ask for fixed addresses.
    settings: "settings set target.disable-aslr false",
    break_in: "breakpoint set --name",
    break_at: "breakpoint set --file abacus/src/lib.rs --line ",
    delete: "breakpoint delete --force",
    launch: "process launch",
    go_on: "process continue",
    // lldb 14 may wait forever for the end of a program with several threads: it loses the stop of a thread that is
    // ending.
    finish: "breakpoint set --name _exit\nprocess continue\nprocess kill",
    arguments: "frame variable left right",
    stack: "thread backtrace",
    shell: "platform shell",
    main: "`abacus_host::main::",
};

#[test]
fn by_name_in_what_is_loaded() {
    LLDB.stops_by_name(Mode::Loaded);
}

#[test]
fn by_line_in_what_is_loaded() {
    LLDB.stops_by_line(Mode::Loaded);
}

#[test]
fn by_name_in_what_is_loaded_from_memory() {
    LLDB.stops_by_name(Mode::LoadedFromMemory);
}

#[test]
fn by_name_in_what_is_linked() {
    LLDB.stops_by_name(Mode::Linked);
}

#[test]
fn by_line_in_what_is_linked() {
    LLDB.stops_by_line(Mode::Linked);
}
