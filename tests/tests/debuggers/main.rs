//! Debuggers in plugins, loaded and linked: real ones, with scripts, on a real host.
mod debugger;
mod gdb;
mod launch;
mod lldb;
mod mapped;
mod workshop;
