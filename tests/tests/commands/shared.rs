//! Tests several workspaces with one target directory, and one workspace that is used from several places.
use crate::project::{Project, checkout};
use crate::running::Running;
use std::fs;
use std::path::Path;

/// A host at `dir` of the project that greets through its plugin `greeter`.
fn chat(project: &Project, dir: &str, greeting: &str) -> String {
    let path = checkout().to_str().unwrap();
    let new = ["new", "--workspace", dir, "--name", "twin", "--path", path];
    project.ok("", &new);
    project.lock(dir);
    let source = format!("{dir}/plugins/greeter/src/lib.rs");
    project.edit(&source, "hello, ", greeting);
    source
}

fn start(project: &Project, dir: &str, path: &str) -> Running {
    let twin = project.start(dir, &["run", path]);
    twin.until("Running");
    twin
}

/// The workspaces are alike, as worktrees of one repository are: all names are the same.
#[test]
fn two_checkouts_with_one_target_directory_do_not_touch_each_other() {
    let project = Project::new();
    project.plugin_dir("twin");
    let first = chat(&project, "one", "first, ");
    let second = chat(&project, "two", "second, ");
    let one = start(&project, "one", ".");
    one.until("first, world");
    let two = start(&project, "two", ".");
    two.until("second, world");

    project.edit(&first, "first, ", "third, ");
    one.until("Reloaded greeter: reloaded");
    one.until("third, world");
    project.edit(&second, "second, ", "fourth, ");
    two.until("Reloaded greeter: reloaded");
    two.until("fourth, world");
    one.forget();
    one.until("third, world");

    // Each command finds the host of its own workspace, and no other.
    for (dir, host, other) in [("one", &one, &two), ("two", &two, &one)] {
        other.forget();
        let reload = project.ok(dir, &["reload", "-q"]);
        assert_eq!(reload.stdout, "greeter: unchanged\n");
        host.forget();
        host.until(", world");
    }
    assert!(!one.has_said("second, ") && !one.has_said("fourth, "));
    assert!(!two.has_said("first, ") && !two.has_said("third, "));
}

/// The host is a member of the workspace and has a configuration of its own.
#[test]
fn run_and_reload_mean_one_host_wherever_they_are_started() {
    let project = Project::new();
    project.plugin_dir("twin");
    let source = chat(&project, "outer/twin", "hello, ");
    let root = project.root.join("outer");
    fs::write(
        root.join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = [\"twin\", \"twin/plugins/*\"]\n",
    )
    .unwrap();
    project.lock("outer");
    // It was a workspace of its own before.
    let manifest = project.root.join("outer/twin/Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let (package, _) = text.split_once("[workspace]").unwrap();
    fs::write(&manifest, package).unwrap();
    configure(&root.join("twin"), "[env]\nOF_HOST = \"yes\"\n");
    project.edit(
        "outer/twin/src/main.rs",
        "let swapper",
        "println!(\"of host: {:?}\", std::env::var(\"OF_HOST\"));\n    let swapper",
    );

    let twin = start(&project, "outer", "twin");
    twin.until("of host: Ok(\"yes\")");
    twin.until("hello, world");
    for (dir, host) in [
        ("outer/twin/src", None),
        ("", Some("outer/twin")),
        ("outer", None),
    ] {
        let args: Vec<&str> = ["reload", "-q"].into_iter().chain(host).collect();
        assert_eq!(
            project.ok(dir, &args).stdout,
            "greeter: unchanged\n",
            "{dir}"
        );
    }
    project.edit(&source, "hello, ", "good day, ");
    twin.until("Reloaded greeter: reloaded");
    twin.until("good day, world");
}

fn configure(directory: &Path, text: &str) {
    fs::create_dir(directory.join(".cargo")).unwrap();
    fs::write(directory.join(".cargo/config.toml"), text).unwrap();
}
