//! Tests real debuggers with scripts, on plugins that are loaded into a real host or linked into it.
mod debugger;
mod gdb;
mod launch;
mod lldb;
mod mapped;
mod workshop;
