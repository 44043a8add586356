//! Tests the commands that ask a running host.
use crate::project::Project;
use hotswap_tests::fixture;
use insta::assert_snapshot;
use serde_json::Value;
use std::fs;

const PAGES: &str = "demos/web/pages/src/lib.rs";

/// Replaces what differs from run to run: ids, process ids, lengths of time, and the width of columns.
fn steady(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let steady = words.iter().enumerate().map(|(at, word)| {
            let number = word.trim_end_matches([')', ',']);
            let unit = words
                .get(at + 1)
                .map_or("", |next| next.trim_end_matches(','));
            let is_id = word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            match number.parse::<u32>() {
                _ if is_id => "ID".to_owned(),
                Ok(_) if ["s", "min"].contains(&unit) => "N".to_owned(),
                Ok(_) if word.ends_with("),") => "PID),".to_owned(),
                _ => (*word).to_owned(),
            }
        });
        steady.collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_operator_looks_at_a_host_and_changes_it() {
    let project = Project::of_the_checkout();
    project.plugin_dir("web");
    let state = project.root.join("state");
    let args = [
        "run",
        "--no-watch",
        "demos/web",
        "--",
        "--listen",
        "127.0.0.1:0",
        "--state-dir",
        state.to_str().unwrap(),
    ];
    let ran = project.ran("", &["status"]);
    assert_eq!(ran.code, Some(5));
    assert_snapshot!(ran.stderr, @r#"
error: no running host has a control endpoint; `hotswap_control::Control` serves one
  see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#no-host-is-found
"#);

    let web = project.start("", &args);
    web.until("listening on http://");
    let status = project.ok("", &["status"]);
    assert_snapshot!(steady(&status.stdout), @r#"
    web (pid PID), up N s, generation 1, 0 reloads, plugins in <target>/hotswap/debug/web
    PLUGIN VERSION BUILD COMMIT LOADED CALLS
    guestbook 0.1.0 ID unknown N s ago 0
    pages 0.1.0 ID unknown N s ago 0
    last attempt: guestbook: loaded; pages: loaded, by the start of the host
    "#);
    let json: Value = serde_json::from_str(&project.ok("", &["status", "--json"]).stdout).unwrap();
    assert_eq!(json["api"], 1);
    let pid = json["host"]["pid"].to_string();
    for named in ["web", &pid] {
        project.ok("", &["status", "--host", named]);
    }
    let ran = project.ran("", &["status", "--host", "shop"]);
    assert_eq!(ran.code, Some(5));
    assert!(
        ran.stderr.contains("no running host `shop`"),
        "{}",
        ran.stderr
    );

    health(&project);
    out_of_service(&project);
    dry_runs(&project);
    back_and_forth(&project);

    web.signal(libc::SIGTERM);
    web.until("stopped");
    assert_eq!(web.end(), Some(0));
    let ran = project.ran("", &["status"]);
    assert_eq!(ran.code, Some(5));
}

fn health(project: &Project) {
    let health = project.ok("", &["health", "--now"]);
    // Neither the builds nor the times are the same in each run.
    let words = health.stdout.lines().map(|line| {
        let (before, rest) = line.split_once(" (").unwrap_or((line, ""));
        let (_, after) = rest.split_once(')').unwrap_or_default();
        format!("{before}{after}")
    });
    assert_snapshot!(words.collect::<Vec<_>>().join("\n"), @r#"
    healthy
    guestbook: healthy
      intact: healthy
    pages: healthy
    "#);
    let health = project.ok("", &["health", "guestbook", "--json"]);
    let json: Value = serde_json::from_str(&health.stdout).unwrap();
    assert_eq!(
        (&json["plugin"], &json["level"]),
        (&"guestbook".into(), &"healthy".into())
    );
    assert_eq!(json["checks"][0]["name"], "intact");
    let ran = project.ran("", &["health", "guest"]);
    assert_eq!(ran.code, Some(3));
    assert_snapshot!(ran.stderr, @"error: no plugin guest is loaded, so there is no health to watch; write one of guestbook, pages");
}

fn out_of_service(project: &Project) {
    let drained = project.ok(
        "",
        &["drain", "pages", "--reason", "a look", "--limit", "3"],
    );
    assert_eq!(drained.stdout, "pages is out of service\n");
    let status = project.ok("", &["status"]).stdout;
    assert!(status.contains("pages is out of service since"), "{status}");
    assert!(status.contains(": a look"), "{status}");
    let resumed = project.ok("", &["resume", "pages"]);
    assert_eq!(resumed.stdout, "pages is in service\n");
    let ran = project.ran("", &["drain", "page"]);
    assert_eq!(ran.code, Some(3));
    assert_snapshot!(ran.stderr, @"error: no plugin page is loaded: did you mean pages?");
}

fn dry_runs(project: &Project) {
    let check = project.ok("", &["check"]);
    assert_snapshot!(check.stdout, @r#"
    compatible
    guestbook: unchanged
    pages: unchanged
    "#);
    let elsewhere = project.root.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let status = project.ok("", &["status", "--json"]).stdout;
    let status: Value = serde_json::from_str(&status).unwrap();
    let file = status["plugins"][1]["file"].as_str().unwrap();
    let file = file.replace("<target>", fixture::target().to_str().unwrap());
    let copy = elsewhere.join(fixture::file_name("pages"));
    fs::copy(file, &copy).unwrap();
    project.ok("", &["check", copy.to_str().unwrap()]);
    let ran = project.ran("", &["check", "nothing.so"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("nothing.so"), "{}", ran.stderr);
}

fn back_and_forth(project: &Project) {
    project.edit(PAGES, "The guestbook", "Who was here");
    let why = ["--reason", "a better title", "--deployment", "release-7"];
    let reload = project.ok("", &[&["reload", "demos/web", "pages"][..], &why].concat());
    assert_eq!(reload.stdout, "guestbook: unchanged; pages: reloaded\n");
    for line in [
        "through its control endpoint",
        "    Validate ",
        "      Switch ",
    ] {
        assert!(reload.stderr.contains(line), "{}", reload.stderr);
    }
    let ran = project.ran("", &["reload", "demos/web", "page"]);
    assert_eq!(ran.code, Some(3));
    assert_snapshot!(ran.stderr, @"error: the host `web` has no plugin `page`: did you mean `pages`?");
    let logs = project.ok("", &["logs"]).stdout;
    assert!(logs.contains("pages: reloaded"), "{logs}");
    let history = project.ok("", &["history"]).stdout;
    let by = " (deployment release-7): a better title: permanent (pages: ";
    assert!(history.contains(by), "{history}");
    let back = project.ok("", &["rollback", "--reason", "it was better"]);
    assert!(back.stdout.contains("pages: re"), "{}", back.stdout);
    let last: Value =
        serde_json::from_str(&project.ok("", &["history", "--json", "-n", "1"]).stdout).unwrap();
    let cause = last[0]["cause"].as_str().unwrap();
    assert!(cause.ends_with(": it was better"), "{last}");
    let ran = project.ran("", &["confirm"]);
    assert_eq!(ran.code, Some(1), "no window is open: {}", ran.stdout);
    let ran = project.ran("", &["rollback", "99"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr
            .contains("there is no set of builds 99 steps back"),
        "{}",
        ran.stderr
    );
}
