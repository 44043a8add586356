//! Tests the promises that the README of the demo `hello` makes, in a copy of the checkout.
use crate::project::Project;
use crate::running::Running;
use hotswap_tests::fixture;
use insta::assert_snapshot;
use std::fs;
use std::path::Path;

const SOURCE: &str = "demos/hello/world/src/lib.rs";

/// Source that depends on a crate that does not exist.
const ORPHAN: &str = r#"
unsafe extern "C" {
    fn nobody_defines_this();
}
#[used]
static NEEDED: unsafe extern "C" fn() = nobody_defines_this;
"#;

#[test]
fn it_hums_and_is_edited_while_it_runs() {
    let project = Project::of_the_checkout();
    let plugins = project.plugin_dir("hello");
    let (target, demo) = (fixture::target(), project.root.join("demos/hello"));
    let [target, demo] = [&target, &demo].map(|path| path.to_str().unwrap());
    let run = ["run", "--target-dir", target, demo];
    let often = ["--", "--interval", "20"];
    let hello = Running::start(project.alias(&run).args(often));
    hello.until("1 plugin loaded: world");
    hello.until(", reload 0): hum");

    project.edit(SOURCE, "\"hum \"", "\"la \"");
    hello.until("Reloaded world: reloaded");
    hello.until(", reload 1): la");
    what_runs_can_be_read(&project);
    it_runs_and_tells_no_health(&project);

    what_does_not_compile(&project, &hello);
    by_signal(&project, &hello);
    what_the_host_refuses(&project, &hello, &plugins);

    hello.signal(libc::SIGINT);
    hello.until("stopped");
    assert_eq!(hello.end(), Some(0));
    assert!(fs::read_dir(project.hosts()).unwrap().next().is_none());
    let ran = project.ran("", &["health", "--exit-code"]);
    assert_eq!((ran.code, &*ran.stdout), (Some(1), ""));
    assert!(ran.stderr.contains("no running host"), "{}", ran.stderr);

    by_hand(&project);
    what_cannot_be_opened(&project, &plugins);
}

/// The host has no control endpoint, and is well by its record.
fn it_runs_and_tells_no_health(project: &Project) {
    for args in [
        &["health", "--exit-code"][..],
        &["health", "--exit-code", "--host", "hello"],
    ] {
        let ran = project.ok("", args);
        assert_eq!((&*ran.stdout, &*ran.stderr), ("", ""));
    }
    // What is asked about a plugin needs an answer.
    let ran = project.ran("", &["health", "--exit-code", "world"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
}

/// The artifact of the running host's plugin has the source that was last built.
fn what_runs_can_be_read(project: &Project) {
    let hum = project.ok("", &["inspect", "world", "--function", "hum"]);
    assert!(
        hum.stdout.starts_with("// World::hum, src/lib.rs:"),
        "{}",
        hum.stdout
    );
    assert!(
        hum.stdout.contains("\"la \".repeat(times as usize)"),
        "{}",
        hum.stdout
    );
    let ran = project.ran("", &["inspect", "wrold"]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("did you mean world?"), "{}", ran.stderr);
}

fn what_does_not_compile(project: &Project, hello: &Running) {
    project.edit(SOURCE, "\"la \"", "missing(\"la \")");
    hello.until("error[E0425]: cannot find function `missing` in this scope");
    hello.until("the host keeps the plugins that it has");
    hello.forget();
    hello.until(", reload 1): la");
    project.edit(SOURCE, "missing(\"la \")", "\"so \"");
    hello.until("Reloaded world: reloaded");
    hello.until(", reload 2): so");
}

fn by_signal(project: &Project, hello: &Running) {
    hello.forget();
    hello.signal(libc::SIGUSR1);
    hello.until("hotswap: world: unchanged");
    let reload = project.ok("", &["reload", "demos/hello"]);
    assert_eq!(reload.stdout, "world: unchanged\n");
    assert!(
        reload.stderr.contains(", by its signal"),
        "{}",
        reload.stderr
    );
    hello.until("hotswap: world: unchanged");
    // A signal has no options.
    for option in ["world", "--dry-run", "--probe", "--reason=why", "--force"] {
        let reload = project.ran("", &["reload", "-q", "demos/hello", option]);
        assert_eq!(reload.code, Some(5), "{option}: {}", reload.stderr);
        assert!(
            reload.stderr.contains("has no control endpoint"),
            "{}",
            reload.stderr
        );
    }
}

/// The running host holds a handle of `hum` with the old signature.
fn what_the_host_refuses(project: &Project, hello: &Running, plugins: &Path) {
    hello.forget();
    project.edit(SOURCE, "times: u32", "times: u64");
    // The host logs the refusal, and the command prints it.
    hello.until_all(&[
        "reload failed: the host holds a handle of world.hum",
        "the host refused the new plugins, and keeps those that it has",
    ]);
    hello.until(", reload 2): so");
    let reload = project.ran("", &["reload", "-q", "demos/hello"]);
    assert_eq!(reload.code, Some(1));
    assert_snapshot!(reload.stdout, @r#"
the host holds a handle of world.hum: the host cannot call hum of world: the signatures differ
  the host expects times: u32
  world has        times: u64
  build the plugin again, and the host: cargo hotswap build -p world
"#);
    assert_snapshot!(reload.stderr, @"error: the reload failed; the host keeps the plugins that it had");
    project.edit(SOURCE, "times: u64", "times: u32");
    hello.until("Reloaded world: unchanged");

    let half = plugins.join("half.so");
    fs::write(&half, "no library at all").unwrap();
    let reload = project.ran("", &["reload", "-q", "demos/hello"]);
    assert_eq!(reload.code, Some(1));
    assert_snapshot!(reload.stdout, @"<target>/hotswap/debug/hello/half.so is not a library in any known format; build it with `cargo hotswap build`");
    assert_snapshot!(reload.stderr, @r#"
error: the reload failed; the host keeps the plugins that it had
  see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#an-artifact-is-refused
"#);
    fs::remove_file(half).unwrap();
    hello.forget();
    hello.until(", reload 2): so");
}

/// Without a watching command, `reload` builds, waits, and prints the report.
fn by_hand(project: &Project) {
    let hello = project.start(
        "",
        &["run", "--no-watch", "demos/hello", "--", "--interval", "20"],
    );
    hello.until(", reload 0): so");
    // A cleaner of temporary files does this, and so does the end of a login session.
    fs::remove_dir_all(project.hosts()).unwrap();
    project.edit(SOURCE, "\"so \"", "\"do \"");
    let reload = project.ok("", &["reload", "-q", "demos/hello"]);
    assert_eq!(reload.stdout, "world: reloaded\n");
    hello.until(", reload 1): do");

    project.edit(SOURCE, "\"do \"", "missing(\"do \")");
    let reload = project.ran("", &["reload", "-q", "demos/hello"]);
    assert_eq!((reload.code, &*reload.stdout), (Some(101), ""));
    assert!(reload.stderr.contains("error[E0425]"), "{}", reload.stderr);
    project.edit(SOURCE, "missing(\"do \")", "\"do \"");
    hello.forget();
    hello.until(", reload 1): do");

    let source = fs::read_to_string(project.root.join(SOURCE)).unwrap();
    let orphan = source.clone() + ORPHAN;
    fs::write(project.root.join(SOURCE), orphan).unwrap();
    let reload = project.ran("", &["reload", "-q", "demos/hello"]);
    assert_eq!(reload.code, Some(1), "{}", reload.stderr);
    assert_snapshot!(reload.stdout, @"world: <target>/hotswap/debug/hello/libworld.so cannot be opened: it needs the symbol nobody_defines_this, which no library defines; link the library that has it into the plugin");
    fs::write(project.root.join(SOURCE), source).unwrap();
    hello.forget();
    hello.until(", reload 1): do");

    hello.signal(libc::SIGTERM);
    hello.until("stopped");
    assert_eq!(hello.end(), Some(0));
}

fn what_cannot_be_opened(project: &Project, plugins: &Path) {
    fs::write(plugins.join("half.so"), "no library at all").unwrap();
    let ran = project.ran("", &["run", "-q", "--no-watch", "demos/hello"]);
    assert_eq!((ran.code, &*ran.stdout), (Some(1), ""));
    let error = ran.stderr.lines().find(|line| line.starts_with("Error"));
    assert_snapshot!(error.unwrap_or(&ran.stderr), @"Error: <target>/hotswap/debug/hello/half.so is not a library in any known format; build it with `cargo hotswap build`");
    fs::remove_file(plugins.join("half.so")).unwrap();
}
