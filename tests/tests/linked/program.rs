//! Tests the symbols in the program.
use hotswap_tests::Way;
use hotswap_tests::fixture::SHIM;
use std::process::Command;

/// Returns the symbols that a program with linked plugins defines, by their names without paths.
fn defined(program: &std::path::Path) -> Vec<String> {
    let mut nm = Command::new("nm");
    let output = nm.args(["--defined-only", "--demangle"]).arg(program);
    let output = output
        .output()
        .expect("nm is not installed: it is a part of binutils");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("symbol names are UTF-8");
    let names = text.lines().filter_map(|line| line.splitn(3, ' ').nth(2));
    names.map(str::to_owned).collect()
}

#[test]
fn it_has_nothing_of_a_library() {
    let names = defined(&Way::Linked.program(&[]));
    let ends_with = |end: &str| names.iter().find(|name| name.ends_with(end));
    // The plugin is in the program, three times.
    let metadata = names
        .iter()
        .filter(|name| name.ends_with("HOTSWAP_METADATA"));
    assert_eq!(metadata.count(), 3);
    for symbol in SHIM {
        assert!(!names.iter().any(|name| name == symbol), "{symbol}");
    }
    for symbol in ["hotswap_root_module", "HOTSWAP_ALLOCATOR"] {
        assert_eq!(ends_with(symbol), None);
    }
    let counts = |name: &&String| name.contains("hotswap_plugin::expand::alloc::Counting");
    assert_eq!(names.iter().find(counts), None, "no other allocator");
}
