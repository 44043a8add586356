//! Tests plugins that are linked into their host's program, beside the same plugins when they are loaded.
//!
//! The tests are functions of the host `ways`, which runs one by its name: `loaded::…` and `linked::…` are the same
//! function in two builds. These tests have no linked counterpart:
//!
//! | tests of | reason |
//! |---|---|
//! | reloads, following, state that is handed over, the gate, optional builds that come back | a program does not replace the plugins that are linked into it: `nothing_is_reloaded` |
//! | files: damaged, missing, half written, of another compiler or version | there are no files; cargo and rustc refuse what does not fit |
//! | the way out of memory: threads, thread-locals, signal handlers, unmapped libraries | the code never leaves; `an_import_outlives_its_plugin` is what remains |
//! | the holders of an object of a plugin | the host names holders only where something leaves |
//! | two plugins of one name that are loaded | `cargo hotswap build` does not install both |
//! | the report of a panic by the plugin's own hook, allocators that count | a linked plugin has neither: the program's own serve it |
mod program;

use hotswap_tests::Way;

macro_rules! both {
    ($(fn $test:ident();)*) => {
        mod loaded {
            $(#[test] fn $test() { super::Way::Loaded.run(stringify!($test), &[]); })*
        }
        mod linked {
            $(#[test] fn $test() { super::Way::Linked.run(stringify!($test), &[]); })*
        }
    };
}

both! {
    fn hooks_run_in_order();
    fn an_error_in_a_hook();
    fn a_panic_in_a_hook();
    fn a_failed_constructor();
    fn an_import_that_is_missing();
    fn the_allow_list();
    fn an_optional_plugin_that_fails();
    fn functions();
    fn errors_and_panics();
    fn interfaces();
    fn patches();
    fn async_functions();
    fn live_items();
    fn vault_and_extension();
    fn logs();
    fn the_listing();
    fn pins_and_holds();
}

/// Two crates contain plugins of the same name.
const TWIN: &[&str] = &["ways-spare/twin"];

#[test]
fn two_linked_plugins_of_one_name() {
    Way::Linked.run("two_plugins_of_one_name", TWIN);
}

#[test]
fn nothing_is_reloaded() {
    Way::Linked.run("nothing_is_reloaded", &[]);
}

#[test]
fn one_swapper_has_them() {
    Way::Linked.run("one_swapper_has_them", &[]);
}

#[test]
fn an_import_outlives_its_plugin() {
    Way::Linked.run("an_import_outlives_its_plugin", &[]);
}

#[test]
fn no_file_is_looked_at() {
    Way::Linked.run("no_file_is_looked_at", &[]);
}
