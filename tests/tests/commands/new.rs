//! Tests that the projects that `new` writes build, run, and pass their tests outside the checkout.
use crate::project::{Project, checkout};
use hotswap_host::artifact::Artifact;
use hotswap_tests::fixture;
use insta::assert_snapshot;
use std::fs;
use std::process::Command;

fn checkout_path() -> &'static str {
    checkout().to_str().unwrap()
}

fn git(project: &Project, args: &[&str]) {
    let mut command = Command::new("git");
    command.args([
        "-c",
        "user.name=Someone",
        "-c",
        "user.email=someone@example.org",
    ]);
    command.args(["-c", "commit.gpgsign=false"]).args(args);
    let output = command.current_dir(project.root.join("chat room")).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
}

#[test]
fn a_workspace_runs_and_is_edited_while_it_does() {
    let project = Project::new();
    let plugins = project.plugin_dir("chat");
    project.ok(
        "",
        &[
            "new",
            "--workspace",
            "chat room",
            "--name",
            "chat",
            "--path",
            checkout_path(),
        ],
    );
    project.lock("chat room");
    let chat = project.start("chat room", &["run"]);
    chat.until("hello, world");
    let source = "chat room/plugins/greeter/src/lib.rs";
    project.edit(source, "hello, ", "good day, ");
    chat.until("Reloaded greeter: reloaded");
    chat.until("good day, world");
    // This holds right after the start, too, although Cargo has completed its lock file by then.
    assert!(!chat.has_said("Unchanged"));

    project.edit(source, "format!", "formatted!");
    chat.until("error: cannot find macro `formatted` in this scope");
    chat.until("the host keeps the plugins that it has");
    chat.forget();
    chat.until("good day, world");
    project.edit(source, "formatted!", "format!");

    let reload = project.ok("chat room", &["reload", "-q"]);
    assert_eq!(reload.stdout, "greeter: unchanged\n");

    // The host has no handler for this signal.
    chat.signal(libc::SIGTERM);
    assert_eq!(chat.end(), Some(128 + libc::SIGTERM));

    what_stays_unchanged(&project, &plugins.join(fixture::file_name("greeter")));
    what_cannot_be_opened(&project, &plugins);
}

/// Makes a build without an edit, one after a commit that changes nothing of the plugin, and one without a repository.
fn what_stays_unchanged(project: &Project, file: &std::path::Path) {
    let build = || {
        let ran = project.ok("chat room", &["build"]);
        let metadata = fs::metadata(file).unwrap();
        (
            ran.stderr,
            fs::read(file).unwrap(),
            metadata.modified().unwrap(),
        )
    };
    git(project, &["add", "-A"]);
    git(project, &["commit", "-q", "-m", "all of it"]);
    let (_, bytes, modified) = build();
    let commit = |bytes| {
        Artifact::from_bytes(file, bytes)
            .unwrap()
            .note
            .unwrap()
            .commit
    };
    assert_eq!(commit(&bytes).len(), 40);
    fs::write(project.root.join("chat room/NOTES.md"), "of no plugin").unwrap();
    git(project, &["add", "-A"]);
    git(project, &["commit", "-q", "-m", "a note"]);
    for _ in 0..2 {
        let (said, same_bytes, same_modified) = build();
        assert!(said.contains("Unchanged greeter"), "{said}");
        assert!(same_bytes == bytes && same_modified == modified);
    }
    fs::remove_dir_all(project.root.join("chat room/.git")).unwrap();
    let (_, elsewhere, _) = build();
    assert_eq!(commit(&elsewhere), "unknown");
    let id = |bytes| Artifact::from_bytes(file, bytes).unwrap().build_id;
    assert_eq!(id(&elsewhere), id(&bytes));
}

fn what_cannot_be_opened(project: &Project, plugins: &std::path::Path) {
    let half = plugins.join("half.so");
    fs::write(&half, "no library at all").unwrap();
    let ran = project.ran("chat room", &["run", "-q", "--no-watch"]);
    assert_eq!((ran.code, &*ran.stdout), (Some(1), ""));
    assert_snapshot!(ran.stderr, @"error: <target>/hotswap/debug/chat/half.so is not a library in any known format; build it with `cargo hotswap build`");
    fs::remove_file(half).unwrap();
}

#[test]
fn a_host_runs_without_plugins_and_with_one() {
    let project = Project::new();
    project.plugin_dir("shop");
    project.ok("", &["new", "--host", "shop", "--path", checkout_path()]);
    project.lock("shop");
    let shop = project.start("shop", &["run"]);
    shop.until("`shop` has no plugins yet; `cargo hotswap new --plugin ");
    shop.until("Running");
    shop.signal(libc::SIGTERM);
    assert_eq!(shop.end(), Some(128 + libc::SIGTERM));

    project.ok("shop", &["new", "--plugin", "plugins/first"]);
    let tested = project
        .cargo("shop", &["test", "-q", "--workspace"])
        .output();
    let tested = project.redacted(&tested.unwrap());
    assert_eq!(tested.code, Some(0), "{}", tested.stderr);
    assert_eq!(tested.stdout.matches("1 passed").count(), 2);
    let shop = project.start("shop", &["run"]);
    shop.until("first says: hello, world");
}
