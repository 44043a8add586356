//! The log of a running server and its plugins, which is changed while it runs.
use crate::builds::Builds;
use crate::server::Server;
use std::fs;
use std::process::Output;

/// Runs `cargo hotswap log` for a server.
fn log(server: &Server, args: &[&str]) -> Output {
    let mut command = hotswap_tests::fixture::hotswap();
    command
        .arg("log")
        .args(args)
        .args(["--color", "never", "--host", &server.pid().to_string()]);
    command.output().unwrap()
}

/// Runs the command, and returns its result.
fn set(server: &Server, args: &[&str]) -> String {
    let output = log(server, args);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

fn refused(server: &Server, args: &[&str], code: i32) -> String {
    let output = log(server, args);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The line that the plugin `pages` logs for each page, at the level `debug`.
const LINE: &str = "web_pages: made the page with 0 guests";

#[test]
fn a_plugin_follows_the_log_that_is_changed_while_the_server_runs() {
    let server = Server::start(&Builds::make());
    assert_eq!(set(&server, &[]), "info, console auto");
    server.get("/");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("web.log");
    let path = file.to_str().unwrap();

    let args = [
        "debug",
        "--file",
        path,
        "--console",
        "color",
        "--reason",
        "a look at the pages",
    ];
    assert_eq!(
        set(&server, &args),
        format!("debug, console color, file {path}")
    );
    let in_file = |text: &str| fs::read_to_string(&file).unwrap().contains(text);
    hotswap_tests::until("the line of the plugin", || {
        server.get("/");
        in_file(LINE)
    });
    assert!(in_file("of user") && in_file("a look at the pages has set the log to debug"));
    let console = server.log_with("made the page");
    let coloured = console.iter().find(|line| line.contains("made the page"));
    assert!(coloured.unwrap().contains("\x1b["), "{console:?}");
    assert!(!in_file("\x1b["));

    // Only this plugin, and not on the console.
    let both = set(
        &server,
        &[
            "warn,web_pages=debug",
            "--console",
            "off",
            "--rotation",
            "daily",
            "--keep",
            "2",
        ],
    );
    let expected =
        format!("warn,web_pages=debug, console off, file {path} (daily, 2 older ones stay)");
    assert_eq!(both, expected);
    let before = server.log_with("made the page").len();
    let today = || {
        let files = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut files = files.filter(|other| *other != file);
        files.next().map(|file| fs::read_to_string(file).unwrap())
    };
    hotswap_tests::until("the line in another file", || {
        server.get("/");
        today().is_some_and(|text| text.contains(LINE))
    });
    assert_eq!(server.log_with("made the page").len(), before);

    // What cannot be used changes nothing.
    for (args, text) in [
        (
            &["loud"][..],
            "`loud` is no level; write one of error, warn, info, debug, trace, off",
        ),
        (
            &["--console", "red"],
            "`red` is no setting of the console; write one of auto, color",
        ),
        (
            &["--rotation", "yearly"],
            "`yearly` is no rotation; write one of never, minutely",
        ),
        (
            &["--keep", "0"],
            "`0` is no number of older files; write a whole number from 1 on",
        ),
    ] {
        let told = refused(&server, args, 2);
        assert!(told.contains(text), "{told}");
    }
    let nowhere = format!("{path}/log");
    let told = refused(&server, &["--file", &nowhere], 1);
    assert!(told.contains("cannot be opened: Not a directory"), "{told}");
    assert_eq!(set(&server, &[]), expected);

    assert_eq!(
        set(&server, &["info", "--no-file", "--console", "plain"]),
        "info, console plain"
    );
    let told = refused(&server, &["--rotation", "daily"], 2);
    assert!(
        told.contains("there is no log file that could be rotated; name one with"),
        "{told}"
    );
    server.stop();
}

#[test]
fn the_environment_says_where_a_server_logs_from_its_start() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("web.log");
    let server = Server::start_with(
        &Builds::make(),
        &[
            ("RUST_LOG", "info,web_pages=debug"),
            ("HOTSWAP_LOG_CONSOLE", "color"),
            ("HOTSWAP_LOG_FILE", file.to_str().unwrap()),
        ],
    );
    server.get("/");
    let console = server.log_with("made the page");
    assert!(
        console.iter().any(|line| line.contains("\x1b[")),
        "{console:?}"
    );
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(LINE) && !text.contains('\x1b'), "{text}");
    server.stop();
}
