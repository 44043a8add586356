//! What the README and the chapters say: the example works as it is printed, and the tests that are named exist.
use hotswap_tests::fixture::target;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn readme() -> String {
    fs::read_to_string(checkout().join("README.md")).expect("there is a README")
}

/// The files of the examples, with their paths: each block that follows a comment which names one. What begins with `shop/`
/// is the second example.
fn files(readme: &str, second: bool) -> impl Iterator<Item = (&str, &str)> {
    let files = readme.split("<!-- file: ").skip(1).map(|block| {
        let (path, block) = block.split_once(" -->\n```").expect("a block follows");
        let (_language, block) = block.split_once('\n').expect("the block has lines");
        let (text, _) = block.split_once("```").expect("the block ends");
        (path, text)
    });
    files.filter(move |(path, _)| path.starts_with("shop/") == second)
}

#[test]
fn its_example_works_as_it_is_printed() {
    // Always in the same place, where Cargo finds again what it has built.
    let workspace = target().join("readme");
    fs::create_dir_all(&workspace).unwrap();
    let lock = fs::File::create(target().join("lock")).unwrap();
    lock.lock().unwrap();
    let checkout = checkout().canonicalize().unwrap();
    for (path, text) in files(&readme(), false) {
        let file = workspace.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let checkout = format!("\"{}/", checkout.display());
        let text = text
            .replace("\"../../../hotswap/", &checkout)
            .replace("\"../../hotswap/", &checkout);
        fs::write(file, text).unwrap();
    }
    // The versions that hotswap is tested with, and what the tests' fixtures have compiled already.
    fs::copy(checkout.join("Cargo.lock"), workspace.join("Cargo.lock")).unwrap();

    for args in [["fmt", "--check"].as_slice(), &["test", "-p", "greeter"]] {
        let output = at(&workspace, "cargo").args(args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {text}");
        assert!(!text.contains("warning"), "{args:?}: {text}");
    }
    let command = env!("CARGO_BIN_EXE_hotswap-tests-cargo");
    let mut host = at(&workspace, command)
        .args(["hotswap", "run", "--no-watch", "server"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    host.stdin
        .take()
        .unwrap()
        .write_all(b"Ada\nGrace\n")
        .unwrap();
    let output = host.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "hello, Ada, you are number 1\nhello, Grace, you are number 2\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success());
}

/// The manifests are not printed: they say nothing new.
#[test]
fn its_plugins_that_need_each_other_build_and_pass_their_test() {
    let shop = target().join("readme/shop");
    let lock = fs::File::create(target().join("lock")).unwrap();
    fs::create_dir_all(&shop).unwrap();
    lock.lock().unwrap();
    let checkout = checkout().canonicalize().unwrap();
    let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"*\"]\n";
    fs::write(shop.join("Cargo.toml"), workspace).unwrap();
    fs::copy(checkout.join("Cargo.lock"), shop.join("Cargo.lock")).unwrap();
    let readme = readme();
    let crates: Vec<_> = files(&readme, true).collect();
    assert_eq!(crates.len(), 3);
    for (path, text) in crates {
        let name = path.split('/').nth(1).expect("it is in a crate");
        let plugin = checkout.join("hotswap-plugin");
        let mut manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[dependencies]\nhotswap-plugin = {{ path = {plugin:?} }}\n"
        );
        if name != "prices" {
            manifest += "prices = { path = \"../prices\" }\n";
        }
        let file = target().join("readme").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(shop.join(name).join("Cargo.toml"), manifest).unwrap();
        fs::write(file, text).unwrap();
    }
    for args in [["fmt", "--all", "--check"].as_slice(), &["test"]] {
        let output = at(&shop, "cargo").args(args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {text}");
        assert!(!text.contains("warning"), "{args:?}: {text}");
    }
}

/// A command in the example's workspace, which is built beside the tests' fixtures.
fn at(workspace: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(workspace)
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_PROFILE_DEV_DEBUG", "false");
    command
}

#[test]
fn the_tests_that_it_names_exist() {
    let readme = readme();
    let evidence = readme.lines().filter(|line| line.contains("| tested"));
    let names: Vec<_> = evidence
        .filter_map(|row| row.split('|').nth(3))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    let sources = sources(&checkout());
    names.into_iter().for_each(|name| exists(name, &sources));
}

#[test]
fn the_tests_that_the_chapters_name_exist() {
    let sources = sources(&checkout());
    for chapter in ["guarantees", "soundness"] {
        let file = checkout().join(format!("hotswap-host/docs/{chapter}.md"));
        let text = fs::read_to_string(file).expect("there is this chapter");
        let rows = text.lines().filter(|line| line.starts_with("| "));
        let claims: Vec<_> = rows
            .filter(|row| !row.ends_with("| fails otherwise |"))
            .collect();
        assert!(claims.len() > 15, "{claims:?}");
        for claim in claims {
            let cell = claim.rsplit('|').nth(1).expect("it has a last column");
            let names: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
            assert!(!names.is_empty(), "no test would fail: {claim}");
            names.into_iter().for_each(|name| exists(name, &sources));
        }
    }
}

/// Each cell of the column `here` names files and directories, and tests of the file before them.
#[test]
fn the_tests_that_the_tables_of_gos_tests_name_exist() {
    let text = fs::read_to_string(checkout().join("tests/README.md")).expect("there is one");
    let (_, text) = text
        .split_once("\n## What the tests of Go's hotswap show")
        .expect("there is this chapter");
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
            let file = file.as_ref().expect("a test stands behind its file");
            let source = fs::read_to_string(file).expect("a test is in a file");
            let test = format!("fn {name}()");
            assert!(source.contains(&test), "{} has no {name}", file.display());
            tests += 1;
        }
        let says_why = cell.contains("needs no test") || cell.contains("no code of the plugin's");
        assert!(file.is_some() || says_why, "nothing is named: {cell}");
    }
    assert!(tests > 40, "{tests}");
}

/// Where no directory stands before a name, it is one of `tests/sets`.
fn named_path(name: &str) -> Option<PathBuf> {
    let bases = ["", "tests/tests", "tests/tests/sets", "tests"];
    let mut paths = bases
        .map(|base| checkout().join(base).join(name))
        .into_iter();
    paths.find(|path| path.exists())
}

/// Whether there is a test of this name; `zoo::` stands before a row of the zoo's table.
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

/// The sources of all tests.
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
