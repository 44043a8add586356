//! Tests that the tests that the documentation names exist, and that it names each command.
use crate::checkout;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The tables of guarantees name tests in the last column. The table of maturity names them where a feature is tested.
#[test]
fn the_tests_that_the_chapters_name_exist() {
    let sources = sources(&checkout());
    for chapter in ["guarantees", "soundness"] {
        let file = checkout().join(format!("hotswap-host/docs/{chapter}.md"));
        let text = fs::read_to_string(file).expect("the chapter exists");
        let (claims, maturity) = text
            .split_once("\n## How mature is it\n")
            .unwrap_or((&text, ""));
        let rows = claims.lines().filter(|line| line.starts_with("| "));
        let claims: Vec<_> = rows
            .filter(|row| !row.ends_with("| fails otherwise |"))
            .collect();
        assert!(claims.len() > 15, "{claims:?}");
        let maturity = maturity.lines().filter(|line| line.contains("| tested"));
        for claim in claims.into_iter().chain(maturity) {
            let cell = claim.rsplit('|').nth(1).expect("the row has a last column");
            let names: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
            assert!(!names.is_empty(), "the claim names no test: {claim}");
            names.into_iter().for_each(|name| exists(name, &sources));
        }
    }
}

#[test]
fn each_command_is_in_the_readme_and_in_its_chapter() {
    let help = Command::new(env!("CARGO_BIN_EXE_hotswap-tests-cargo"))
        .args(["hotswap", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, commands) = help
        .split_once("Commands:\n")
        .expect("the help lists the commands");
    let commands = commands.lines().take_while(|line| !line.is_empty());
    // A description may go on in a line that is indented further.
    let commands = commands.filter(|line| !line.starts_with("   "));
    let names: Vec<_> = commands
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(names.len() > 5, "{help}");
    for page in ["README.md", "book/src/command.md"] {
        let text = fs::read_to_string(checkout().join(page)).expect("the page exists");
        for name in &names {
            let row = format!("\n| `cargo hotswap {name}` |");
            assert!(text.contains(&row), "{page} has no row for {name}");
        }
    }
}

/// Each cell of the column `here` names files and directories, and after each file some of its tests.
#[test]
fn the_tests_that_the_tables_of_gos_tests_name_exist() {
    let text = fs::read_to_string(checkout().join("tests/README.md")).expect("the page exists");
    let (_, text) = text
        .split_once("\n## The tests of Go's hotswap")
        .expect("the chapter exists");
    let text = text.split("\n## ").next().unwrap_or_default();
    let rows = text.lines().filter(|line| line.starts_with("| "));
    let cells: Vec<_> = rows
        .filter_map(|row| row.rsplit('|').nth(1))
        .filter(|cell| cell.trim() != "here")
        .collect();
    assert!(cells.len() > 30, "{cells:?}");
    let mut tests = 0;
    for cell in cells {
        let mut file = None;
        for name in cell.split('`').skip(1).step_by(2) {
            if name.contains('/') || name.ends_with(".rs") {
                let found = named_path(name);
                file = Some(found.unwrap_or_else(|| panic!("there is no {name}: {cell}")));
                continue;
            }
            let file = file.as_ref().expect("a file is named before its tests");
            let source = fs::read_to_string(file).expect("the file can be read");
            let test = format!("fn {name}()");
            assert!(source.contains(&test), "{} has no {name}", file.display());
            tests += 1;
        }
        let says_why = cell.contains("no code of a plugin");
        assert!(file.is_some() || says_why, "the cell names nothing: {cell}");
    }
    assert!(tests > 40, "{tests}");
}

/// Completes a name: without a directory, it means a file of `tests/sets`.
fn named_path(name: &str) -> Option<PathBuf> {
    let bases = ["", "tests/tests", "tests/tests/sets", "tests"];
    let mut paths = bases
        .map(|base| checkout().join(base).join(name))
        .into_iter();
    paths.find(|path| path.exists())
}

/// Checks that there is a test of this name. `zoo::` means a row of the zoo's table.
fn exists(name: &str, sources: &[String]) {
    let test = match name.strip_prefix("zoo::") {
        Some(row) => format!("\n        {row} \""),
        None => format!("fn {name}()"),
    };
    assert!(
        sources.iter().any(|source| source.contains(&test)),
        "there is no test {name}"
    );
}

/// Returns the sources of all tests.
fn sources(checkout: &Path) -> Vec<String> {
    fn add(dir: &Path, to: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(&path, to);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                to.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut sources = Vec::new();
    for tests in [
        "cargo-hotswap/tests",
        "hotswap-host/log/tests",
        "hotswap-host/operate/src",
        "hotswap-host/src",
        "hotswap-host/tests",
        "hotswap-plugin/src",
        "hotswap-plugin/tests",
        "tests/model/tests",
        "tests/tests",
    ] {
        add(&checkout.join(tests), &mut sources);
    }
    sources
}

/// ARCHITECTURE is the map of the code: each path in it is one of the checkout, or of the host's sources.
#[test]
fn the_files_that_the_architecture_names_exist() {
    let text = fs::read_to_string(checkout().join("ARCHITECTURE.md")).expect("the page exists");
    let bases = [checkout(), checkout().join("hotswap-host/src")];
    // Paths may be relative to the crates and folders that the sentence has named before.
    let crates = [
        "hotswap-plugin/src",
        "hotswap-macros/src",
        "cargo-hotswap/src",
    ];
    let folders = ["", "swapper/reload", "swapper/retire", "plugin", "contract"];
    let mut seen = 0;
    for name in text.split('`').skip(1).step_by(2) {
        let is_path = name.ends_with(".rs") || name.ends_with('/');
        if !is_path || name.contains([' ', '{']) {
            continue;
        }
        seen += 1;
        let bases = bases
            .iter()
            .cloned()
            .chain(crates.map(|base| checkout().join(base)));
        let found = bases.flat_map(|base| folders.map(|folder| base.join(folder).join(name)));
        assert!(
            found.into_iter().any(|path| path.exists()),
            "{name} does not exist"
        );
    }
    assert!(seen > 40, "{seen}");
}
