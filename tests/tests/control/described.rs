//! A foreign client that knows the endpoint by its description only.
use crate::remote::Remote;
use crate::support::checked;
use hotswap_tests::fixture;
use std::process::{Command, Stdio};

/// Requests for plugins are for the one that is there, and one method stands for all that a path does not take.
const SETTINGS: &str = r#"
[parameters]
"path.plugin" = "checked"
[phases.coverage]
unexpected-methods = ["DELETE"]
"#;

/// Schemathesis makes good and bad requests from the description, and compares each answer with it.
#[test]
fn the_endpoint_answers_as_its_description_says() {
    let target = fixture::target();
    let program = target
        .parent()
        .unwrap()
        .join("schemathesis/bin/schemathesis");
    assert!(
        program.exists(),
        "{} is missing: `tests/run --setup` installs it",
        program.display()
    );
    let remote = Remote::new();
    std::fs::write(remote.pki.path("schemathesis.toml"), SETTINGS).unwrap();
    let output = Command::new(program)
        .args(["run", &format!("{}/v1/openapi.json", remote.url())])
        .args(["--header", "Authorization: Bearer administer-secret"])
        // `curl` and the client of the crate check the certificate in other tests.
        .args(["--tls-verify", "false"])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args([
            "--max-examples",
            "3",
            "--seed",
            "1",
            "--request-timeout",
            "60",
        ])
        .args(["--generation-database", "none", "--no-color"])
        // These answers have no end.
        .args(["--exclude-path-regex", "^/v1/events$|/trace$"])
        .args(
            std::env::var("B_REPORT")
                .ok()
                .map(|file| format!("--report-har-path={file}")),
        )
        .current_dir(&remote.pki)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{wrong}");
    // The host goes on with the build that it had.
    remote.host.ran(&["unfreeze"]);
    remote.host.ok(&["resume", "checked"]);
    let live = remote.host.client().plugin("checked").unwrap().build_id;
    assert_eq!(live, fixture::build_id(&checked("first")).to_string());
    remote.host.close();
}
