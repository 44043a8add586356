//! Tests the examples of the README and the book: each one is written to a directory, built, and tested there.
use crate::checkout;
use crate::pages::readme_and_book;
use hotswap_tests::fixture::target;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The comment before a block that is a file, or a part of a file.
const FILE: &str = "<!-- file: ";

/// Collects the files of the examples by their paths, from each block that follows a comment that names one. Blocks
/// with the same path are parts of one file.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::<String, String>::new();
    for page in readme_and_book() {
        for block in page.source.split(FILE).skip(1) {
            let (path, block) = block.split_once(" -->\n```").expect("a block follows");
            let (_language, block) = block.split_once('\n').expect("the block has lines");
            let (text, _) = block.split_once("\n```").expect("the block ends");
            let file = files.entry(path.to_owned()).or_default();
            if !file.is_empty() {
                file.push('\n');
            }
            file.push_str(text);
            file.push('\n');
        }
    }
    files
}

#[test]
fn each_rust_snippet_is_a_file_that_is_built() {
    for page in readme_and_book() {
        let mut before = "";
        for line in page.source.lines() {
            if line.starts_with("```rust") {
                let file = page.file.display();
                assert!(
                    line == "```rust" && before.starts_with(FILE),
                    "a snippet in {file} names no file: {before}"
                );
            }
            before = line;
        }
    }
}

#[test]
fn the_first_example_works_as_it_is_printed() {
    // The workspace is always in the same place, where Cargo finds its earlier builds.
    let workspace = target().join("readme");
    fs::create_dir_all(&workspace).unwrap();
    let lock = fs::File::create(target().join("lock")).unwrap();
    lock.lock().unwrap();
    let checkout = format!("\"{}/", checkout().display());
    for (path, text) in files() {
        if !path.starts_with("guide/") {
            let text = text
                .replace("\"../../../hotswap/", &checkout)
                .replace("\"../../hotswap/", &checkout);
            write(&workspace.join(path), &text);
        }
    }
    check(&workspace, &["test", "--package", "greeter"]);
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

/// Adds the manifests, which the pages do not print. A crate depends on the crates that its source names.
#[test]
fn the_examples_of_the_book_build_and_pass_their_tests() {
    let workspace = target().join("readme/guide");
    fs::create_dir_all(&workspace).unwrap();
    let lock = fs::File::create(target().join("lock")).unwrap();
    lock.lock().unwrap();
    let files = files();
    let mut crates = BTreeMap::<&str, String>::new();
    for (path, text) in &files {
        if let Some(path) = path.strip_prefix("guide/") {
            write(&workspace.join(path), text);
            let (name, _) = path.split_once('/').expect("the path begins with a crate");
            *crates.entry(name).or_default() += text;
        }
    }
    assert!(crates.len() > 8, "{:?}", crates.keys());
    let members: Vec<_> = crates.keys().collect();
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n");
    write(&workspace.join("Cargo.toml"), &manifest);
    for (name, source) in &crates {
        let mut manifest =
            format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[dependencies]\n");
        let others = crates.keys().filter(|other| *other != name);
        let others = others.map(|other| (*other, format!("{{ path = \"../{other}\" }}")));
        for (dependency, place) in others.chain(published(source)) {
            if source.contains(&format!("{}::", dependency.replace('-', "_"))) {
                manifest += &format!("{dependency} = {place}\n");
            }
        }
        write(&workspace.join(name).join("Cargo.toml"), &manifest);
    }
    check(&workspace, &["check", "--workspace", "--all-targets"]);
    let mut test = vec!["test"];
    for (name, source) in &crates {
        if source.contains("#[test]") {
            test.extend(["--package", name]);
        }
    }
    assert!(test.len() > 1);
    check(&workspace, &test);
}

/// The dependencies that an example may have. Most examples share what other tests have compiled, without tokio.
fn published(source: &str) -> [(&'static str, String); 8] {
    let host = checkout().join("hotswap-host");
    let (control, operate) = (host.join("control"), host.join("operate"));
    let (log, signature) = (host.join("log"), host.join("signature"));
    let plugin = checkout().join("hotswap-plugin");
    let features = if source.contains("tokio::") {
        ", features = [\"tokio\"]"
    } else {
        ""
    };
    let has = |word: &str, feature| source.contains(word).then_some(feature);
    let operating: Vec<&str> = [
        has("Health", "health"),
        has("Metrics", "metrics"),
        has("Systemd", "systemd"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let asked: Vec<&str> = [
        has("Health", "health"),
        has("History", "history"),
        has("Tcp", "tls"),
        has("hotswap_log", "log"),
    ]
    .into_iter()
    .flatten()
    .collect();
    [
        (
            "hotswap-control",
            format!("{{ path = {control:?}, features = {asked:?} }}"),
        ),
        ("hotswap-log", format!("{{ path = {log:?} }}")),
        ("hotswap-host", format!("{{ path = {host:?} }}")),
        (
            "hotswap-operate",
            format!("{{ path = {operate:?}, features = {operating:?} }}"),
        ),
        ("hotswap-signature", format!("{{ path = {signature:?} }}")),
        (
            "metrics-exporter-prometheus",
            "{ version = \"0.18\", default-features = false }".into(),
        ),
        (
            "hotswap-plugin",
            format!("{{ path = {plugin:?}{features} }}"),
        ),
        (
            "tokio",
            "{ version = \"1\", features = [\"rt-multi-thread\", \"time\"] }".into(),
        ),
    ]
}

/// Checks that the example is formatted, and that Cargo reports no warning.
fn check(workspace: &Path, args: &[&str]) {
    // The lock file pins the versions with which hotswap is tested, and which the fixtures have compiled already.
    fs::copy(checkout().join("Cargo.lock"), workspace.join("Cargo.lock")).unwrap();
    for args in [["fmt", "--check"].as_slice(), args] {
        let output = at(workspace, "cargo").args(args).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{args:?}: {told}\n{text}");
        assert!(!told.contains("warning"), "{args:?}: {told}");
    }
}

fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// Returns a command that runs in the workspace of an example and shares the target directory of the fixtures.
fn at(workspace: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(workspace)
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "false");
    command
}
