//! Tests the log of a program. Each program is this one, started once more: a process has one log.
use hotswap_log::{LogFile, LogOptions, start};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// What a program shall do, one order after the other, with `;` between them.
const ORDERS: &str = "HOTSWAP_TEST_ORDERS";

/// Returns the program with these variables, and with none that this process has for the log.
fn program(orders: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "be_a_program", "--ignored", "--nocapture"]);
    for (name, _) in std::env::vars_os() {
        if name == "RUST_LOG" || name.to_string_lossy().starts_with("HOTSWAP_LOG_") {
            command.env_remove(name);
        }
    }
    command.env(ORDERS, orders).envs(variables.iter().copied());
    command
}

/// Returns what the program has written to stderr, which is the console.
fn console(orders: &str, variables: &[(&str, &str)]) -> String {
    let Output { status, stderr, .. } = program(orders, variables).output().unwrap();
    let text = String::from_utf8(stderr).unwrap();
    assert!(status.success(), "{text}");
    text
}

#[test]
#[ignore = "runs in processes of its own, which the other tests start"]
fn be_a_program() {
    let Ok(orders) = std::env::var(ORDERS) else {
        return;
    };
    let log = start().unwrap_or_else(|error| {
        eprintln!("error: {error}");
        std::process::exit(1)
    });
    for order in orders.split(';') {
        let (order, value) = order.split_once(' ').unwrap_or((order, ""));
        let mut options = log.options();
        match order {
            "say" => {
                say(value);
                continue;
            }
            "clock" => {
                set_clock(value);
                continue;
            }
            "twice" => {
                eprintln!("{}", LogOptions::default().start().unwrap_err());
                continue;
            }
            "filter" => options.filter = value.into(),
            "console" => options.console = value.parse().unwrap(),
            "file" => options.file = (!value.is_empty()).then(|| LogFile::new(value)),
            other => panic!("{other}"),
        }
        if let Err(error) = log.set(options.clone()) {
            eprintln!("error: {error}");
            assert_ne!(log.options(), options, "nothing has changed");
        } else {
            assert_eq!(log.options(), options);
        }
    }
}

/// Logs a line at each level, in a span, and one through the crate `log`.
fn say(what: &str) {
    let _span = tracing::error_span!("saying", number = 5).entered();
    tracing::error!("{what} one");
    tracing::warn!("{what} two");
    tracing::info!("{what} three");
    tracing::debug!("{what} four");
    tracing::trace!("{what} five");
    log::warn!("{what} by another crate");
}

/// Sets the clock of this process, once a file that is made now has a later time than those that are there.
fn set_clock(time: &str) {
    let clock = PathBuf::from(std::env::var_os("FAKETIME_TIMESTAMP_FILE").unwrap());
    let made = || {
        let _ = fs::remove_file(&clock);
        fs::write(&clock, format!("@2031-05-17 {time}")).unwrap();
        fs::metadata(&clock).unwrap().created().unwrap()
    };
    let begin = made();
    while made() == begin {}
}

fn levels(text: &str) -> Vec<&str> {
    let words = text
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1));
    words.collect()
}

#[test]
fn each_level_has_its_records_and_those_above_it() {
    let all = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];
    for (number, level) in all.iter().enumerate() {
        let level = level.to_lowercase();
        let text = console("say", &[("RUST_LOG", &level)]);
        let by_another = if number == 0 { &[][..] } else { &["WARN"] };
        let expected = [&all[..=number], by_another].concat();
        assert_eq!(levels(&text), expected, "{level}: {text}");
    }
    assert_eq!(console("say", &[("RUST_LOG", "off")]), "");
    let text = console("say", &[]);
    assert_eq!(levels(&text), ["ERROR", "WARN", "INFO", "WARN"], "{text}");
    assert!(text.contains("saying{number=5}: log: "), "{text}");
}

#[test]
fn the_console_has_colours_or_none_or_is_silent() {
    let with = |value| console("say", &[("HOTSWAP_LOG_CONSOLE", value)]);
    assert!(with("color").contains("\x1b["));
    for value in ["plain", "auto"] {
        let text = with(value);
        assert!(!text.is_empty() && !text.contains('\x1b'), "{text}");
    }
    assert_eq!(with("off"), "");
}

fn file_in(dir: &TempDir) -> String {
    dir.path().join("logs/app.log").to_str().unwrap().to_owned()
}

#[test]
fn the_file_has_what_the_console_has_and_never_colours() {
    let dir = tempfile::tempdir().unwrap();
    let file = file_in(&dir);
    let variables = [
        ("HOTSWAP_LOG_CONSOLE", "color"),
        ("HOTSWAP_LOG_FILE", &*file),
    ];
    for _ in 0..2 {
        let text = console("say", &variables);
        assert!(
            text.contains("\x1b[") && text.lines().count() == 4,
            "{text}"
        );
    }
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(
        text.lines().count(),
        8,
        "the second program has appended: {text}"
    );
    assert!(!text.contains('\x1b'), "{text}");
    assert!(
        text.contains("ERROR saying{number=5}: log:  one\n"),
        "{text}"
    );
    let text = console(
        "say",
        &[("HOTSWAP_LOG_CONSOLE", "off"), ("HOTSWAP_LOG_FILE", &*file)],
    );
    assert_eq!(text, "");
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 12);
}

/// Returns the names and texts of the files beside this one, in the order of their names.
fn beside(file: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(Path::new(file).parent().unwrap()).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            (name.to_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn another_file_begins_each_hour_and_the_oldest_ones_go() {
    let dir = tempfile::tempdir().unwrap();
    let file = file_in(&dir);
    fs::create_dir(dir.path().join("logs")).unwrap();
    fs::write(dir.path().join("logs/other.log"), "of another program").unwrap();
    // The command knows where its library is.
    let library = Command::new("faketime")
        .args(["-f", "+0", "printenv", "LD_PRELOAD"])
        .output();
    let library = String::from_utf8(library.unwrap().stdout).unwrap();
    let clock = dir.path().join("clock");
    fs::write(&clock, "@2031-05-17 07:30:00").unwrap();
    let hours: Vec<_> = (8..=12)
        .map(|hour| format!("clock {hour:02}:10:00;say at {hour};clock {hour:02}:50:00;say later"))
        .collect();
    let text = console(
        &format!("say at 7;{}", hours.join(";")),
        &[
            ("HOTSWAP_LOG_FILE", &file),
            ("HOTSWAP_LOG_ROTATION", "hourly"),
            ("HOTSWAP_LOG_KEEP", "2"),
            ("RUST_LOG", "error"),
            ("TZ", "UTC"),
            ("LD_PRELOAD", library.trim()),
            ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap()),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ],
    );
    assert_eq!(text.lines().count(), 11, "{text}");
    let files = beside(&file);
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    // The present file, and two older ones.
    let expected = [
        "app.log.2031-05-17-10",
        "app.log.2031-05-17-11",
        "app.log.2031-05-17-12",
        "other.log",
    ];
    assert_eq!(names, expected);
    for ((_, text), hour) in files.iter().zip(10..13) {
        let lines: Vec<_> = text.lines().collect();
        let [first, second] = &*lines else {
            panic!("{text}")
        };
        assert!(first.ends_with(&format!("at {hour} one")), "{first}");
        assert!(second.ends_with("later one"), "{second}");
    }
}

#[test]
fn everything_changes_while_the_program_runs() {
    let dir = tempfile::tempdir().unwrap();
    let file = file_in(&dir);
    let orders = [
        "say first",
        "filter debug",
        "say second",
        "filter log=trace,off",
        "say third",
        "console color",
        "say fourth",
        &format!("file {file}"),
        "console off",
        "say fifth",
        "file",
        "console plain",
        "filter error",
        "say sixth",
    ];
    let text = console(&orders.join(";"), &[("RUST_LOG", "warn")]);
    let lines_with = |word: &str| {
        text.lines()
            .filter(|line| line.contains(word))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        levels(&lines_with("first ").join("\n")),
        ["ERROR", "WARN", "WARN"]
    );
    let second = lines_with("second ").join("\n");
    assert_eq!(levels(&second), ["ERROR", "WARN", "INFO", "DEBUG", "WARN"]);
    assert_eq!(lines_with("third ").len(), 6, "{text}");
    let fourth = lines_with("fourth ");
    assert!(
        fourth.iter().all(|line| line.contains("\x1b[")),
        "{fourth:?}"
    );
    assert_eq!(lines_with("fifth "), [""; 0]);
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(written.matches("fifth ").count(), 6, "{written}");
    assert_eq!(written.lines().count(), 6, "{written}");
    assert_eq!(levels(&lines_with("sixth ").join("\n")), ["ERROR"]);
}

#[test]
fn what_cannot_be_used_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("file/app.log");
    fs::write(dir.path().join("file"), "").unwrap();
    let nowhere = nowhere.to_str().unwrap();
    for (name, value, expected) in [
        (
            "RUST_LOG",
            "loud",
            "error: the variable RUST_LOG cannot be used: `loud` is no level; write ",
        ),
        (
            "HOTSWAP_LOG_CONSOLE",
            "red",
            "error: the variable HOTSWAP_LOG_CONSOLE cannot be used: ",
        ),
        (
            "HOTSWAP_LOG_KEEP",
            "3",
            "error: HOTSWAP_LOG_KEEP is set, but no file is rotated; ",
        ),
        (
            "HOTSWAP_LOG_FILE",
            "..",
            "error: `..` cannot be a log file; write ",
        ),
        ("HOTSWAP_LOG_FILE", nowhere, "error: the log file `"),
    ] {
        let output = program("say", &[(name, value)]).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    let orders = format!("filter loud;file {nowhere};say still;twice");
    let text = console(&orders, &[]);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("error: `loud` is no level"), "{text}");
    assert!(
        lines[1].contains("app.log` cannot be opened: Not a directory"),
        "{text}"
    );
    let still = lines[2..6].join("\n");
    assert_eq!(levels(&still), ["ERROR", "WARN", "INFO", "WARN"], "{text}");
    assert!(lines[6].contains("already; start the log before"), "{text}");
}
