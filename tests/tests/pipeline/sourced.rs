//! The sources of new builds are tested and linted with Cargo, where they are at hand.
use crate::support::{Host, checked};
use hotswap_host::artifact::Note;
use hotswap_host::prelude::*;
use hotswap_host::{ReloadOptions, Step};
use hotswap_tests::{LIMIT, Stage, fixture, until};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

/// The crate of a plugin, in a workspace of its own. What it is made of is built in the directory of the fixtures.
struct Crate {
    root: TempDir,
}

/// The text between the braces of a function.
const SHORT: &str = r#""ORDERS".into()"#;

impl Crate {
    /// Makes the package. Each test has a name of its own for it, since a build removes stale output by the name.
    fn new(package: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let new = Crate { root };
        let hotswap_plugin = fixture::workspace().join("../../hotswap-plugin");
        new.write(
            "Cargo.toml",
            &format!(
                "[workspace]\n[package]\nname = {package:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                 [features]\nloud = []\n\
                 [dependencies]\nhotswap-plugin = {{ path = {:?} }}\n",
                hotswap_plugin.canonicalize().unwrap()
            ),
        );
        let target = fixture::target();
        new.write(
            ".cargo/config.toml",
            &format!(
                "[build]\ntarget-dir = {target:?}\n[net]\noffline = true\n[profile.dev]\ndebug = false\n"
            ),
        );
        // These versions are there without a network.
        let lock = fixture::workspace().join("Cargo.lock");
        fs::copy(lock, new.path().join("Cargo.lock")).unwrap();
        new
    }

    fn path(&self) -> &Path {
        self.root.path()
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Writes the plugin, with these orders, and a test that expects others.
    fn source(&self, orders: &str, body: &str, expected: &str) {
        let source = r#"
            use hotswap_plugin::prelude::*;

            #[derive(Default)]
            pub struct Sourced;

            #[plugin(name = "checked")]
            impl Sourced {
                #[invoke]
                pub fn orders(&self) -> String {
                    BODY
                }

                #[smoke(deep)]
                fn takes_long(&self) -> std::result::Result<(), String> {
                    match self.orders().as_str() {
                        "fail deep" => Err("it would rather not".into()),
                        _ => Ok(()),
                    }
                }
            }

            #[test]
            fn its_orders() {
                assert_eq!(Sourced.orders(), "EXPECTED");
            }

            #[cfg(feature = "loud")]
            #[test]
            fn is_silent() {
                panic!("it is loud");
            }
        "#;
        let source = source.replace("BODY", body).replace("ORDERS", orders);
        let source = source.replace("EXPECTED", expected);
        self.write("src/lib.rs", &source);
    }

    /// Builds the plugin into this directory.
    fn build(&self, out: &Path, options: &[&str]) {
        let mut command = fixture::hotswap();
        command.args(["build", "--quiet", "--out-dir"]).arg(out);
        command.args(options).current_dir(self.path());
        command
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
    }
}

fn tests() -> ReloadOptions {
    let mut options = ReloadOptions::development();
    options.tests = true;
    options
}

fn lint() -> ReloadOptions {
    let mut options = ReloadOptions::development();
    options.lint = true;
    options
}

/// A host whose plugin directory is empty.
fn empty() -> Stage {
    Stage::with(&[], |builder| builder.allow_empty(true))
}

fn reload(stage: &Stage, options: ReloadOptions) -> Result<Report, ReloadError> {
    stage.swapper.prepare_reload().options(options).run()
}

fn live(stage: &Stage) -> String {
    let orders = stage.swapper.invoke("checked", "orders", &[]).unwrap();
    orders.as_str().unwrap().to_owned()
}

/// Returns the command and the output of the error.
fn refused(result: Result<Report, ReloadError>) -> (String, String) {
    let error = result.unwrap_err();
    let text = error.to_string();
    let ReloadError::Sources {
        plugin,
        command,
        problem,
        output,
    } = error
    else {
        panic!("{text}");
    };
    assert!(text.starts_with(&format!(
        "{plugin}: `{command}` {problem}; its last lines were:\n"
    )));
    assert!(
        problem.starts_with("failed: it has exited with code "),
        "{problem}"
    );
    (command, output)
}

#[test]
fn a_build_whose_tests_fail_is_refused_and_one_whose_tests_pass_is_taken() {
    let (sourced, stage) = (Crate::new("tested"), empty());
    sourced.source("first", SHORT, "first");
    sourced.build(stage.dir(), &[]);
    let report = reload(&stage, tests()).unwrap();
    let steps: Vec<_> = report.steps.iter().map(|step| step.step).collect();
    assert_eq!(steps[..3], [Step::Validate, Step::Test, Step::Stage]);
    assert_eq!(live(&stage), "first");

    sourced.source("second", SHORT, "first");
    sourced.build(stage.dir(), &[]);
    let (command, output) = refused(reload(&stage, tests()));
    assert_eq!(command, "cargo test -p tested");
    assert!(output.contains("test its_orders ... FAILED"), "{output}");
    assert_eq!(live(&stage), "first", "nothing has changed");
    stage.settle();

    sourced.source("second", SHORT, "second");
    sourced.build(stage.dir(), &[]);
    reload(&stage, tests()).unwrap();
    assert_eq!(live(&stage), "second");

    // The features are those of the build.
    sourced.build(stage.dir(), &["--features", "loud"]);
    let (command, output) = refused(reload(&stage, tests()));
    assert_eq!(command, "cargo test -p tested --features loud");
    assert!(output.contains("it is loud"), "{output}");
    // Without the option, nobody tests it.
    let report = reload(&stage, ReloadOptions::development()).unwrap();
    assert!(report.changed() && report.steps.iter().all(|step| step.step != Step::Test));
    stage.close();
}

#[test]
fn a_lint_refuses_the_build() {
    let (sourced, stage) = (Crate::new("linted"), empty());
    sourced.source("first", r#"return "ORDERS".into();"#, "first");
    sourced.build(stage.dir(), &[]);
    let (command, output) = refused(reload(&stage, lint()));
    assert_eq!(command, "cargo clippy -p linted -- --deny warnings");
    assert!(output.contains("needless_return"), "{output}");
    assert_eq!(stage.swapper.listing().plugins.len(), 0);
    sourced.source("first", SHORT, "first");
    sourced.build(stage.dir(), &[]);
    let report = reload(&stage, lint()).unwrap();
    let steps: Vec<_> = report.steps.iter().map(|step| step.step).collect();
    assert_eq!(steps[..2], [Step::Validate, Step::Lint]);
    assert_eq!(report.to_string(), "checked: loaded");
    stage.close();
}

#[test]
fn without_its_sources_a_build_is_tested_by_a_probe_and_is_not_linted() {
    let sourced = Crate::new("without-sources");
    let (fails, passes) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (orders, out) in [("fail deep", &fails), ("passes", &passes)] {
        sourced.source(orders, SHORT, "neither of them");
        sourced.build(out.path(), &[]);
    }
    drop(sourced);
    let build =
        |out: &TempDir| fs::read(out.path().join(fixture::file_name("without-sources"))).unwrap();
    let options = [("HOTSWAP_TESTS", "true"), ("HOTSWAP_LINT", "true")];
    let mut host = Host::new(&build(&passes), &options);
    let (said, live) = host.reload(&build(&fails));
    let expected = "the new builds failed in a child process, in the step smoke: checked: a smoke test failed: takes_long: it would rather not";
    assert!(said.starts_with(expected), "{said}");
    assert_eq!(live, "live passes");
    let other = fixture::renamed(&build(&passes), "passes", "allows");
    let (said, live) = host.reload(&other);
    assert_eq!(said, "checked: reloaded (not linted: its sources are gone)");
    assert_eq!(live, "live allows");
}

#[test]
fn a_build_that_cannot_be_tested_at_all_says_so() {
    // It has no tests that take longer, and it does not say where its sources are.
    let mut file = fixture::Build::First.bytes("guest");
    Note::take_from(&mut file).unwrap();
    let stage = empty();
    stage.install("guest", &file);
    let report = reload(&stage, tests()).unwrap();
    assert_eq!(
        report.to_string(),
        "guest: loaded (not tested: the file does not say where its sources are, and there is no `#[smoke(deep)]` test to run in their place)"
    );
    stage.close();
}

/// Opens a host that tests builds of the fixtures, whose sources are at hand, with this script in place of Cargo. The first
/// build does not say where its sources are.
fn with_cargo(dir: &Path, script: &str) -> Host {
    let file = dir.join("cargo");
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    let options = [
        ("HOTSWAP_TESTS", "true".as_ref()),
        ("HOTSWAP_TESTS_LIMIT", "2".as_ref()),
        ("CARGO", file.as_os_str()),
    ];
    let plugins = tempfile::tempdir().unwrap();
    let mut first = checked("first");
    Note::take_from(&mut first).unwrap();
    fixture::install(&first, "checked", plugins.path());
    Host::of(plugins, &options)
}

/// Waits until the process whose number is in this file has ended.
fn until_ended(file: &Path) {
    let process = fs::read_to_string(file).unwrap();
    let stat = Path::new("/proc").join(process.trim()).join("stat");
    until("the process to end", || {
        let stat = fs::read_to_string(&stat).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    });
}

#[test]
fn at_the_limit_cargo_is_ended_with_everything_that_it_has_started() {
    let dir = tempfile::tempdir().unwrap();
    let started = dir.path().join("started");
    let script = format!("sleep 1000 & echo $! > {started:?}; echo begun; wait");
    let mut host = with_cargo(dir.path(), &script);
    let (said, live) = host.reload(&checked("second"));
    assert_eq!(
        said,
        "checked: `cargo test -p checked` has not ended within 2s; shorten the tests, or raise `ReloadOptions::tests_limit`; its last lines were: | begun"
    );
    assert_eq!(live, "live first");
    until_ended(&started);
}

#[test]
fn without_cargo_the_build_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut host = with_cargo(dir.path(), "");
    fs::remove_file(dir.path().join("cargo")).unwrap();
    let (said, live) = host.reload(&checked("second"));
    let expected = "checked: `cargo test -p checked` cannot be run: No such file or directory";
    assert!(said.starts_with(expected), "{said}");
    assert_eq!(live, "live first");
}

#[test]
fn a_shutdown_does_not_wait_for_cargo() {
    let (sourced, stage) = (Crate::new("endless"), empty());
    sourced.source("first", SHORT, "first");
    let begun = sourced.path().join("begun");
    let long = format!(
        "#[test]\nfn long() {{\n    std::fs::write({begun:?}, std::process::id().to_string()).unwrap();\n    loop {{\n        std::thread::park();\n    }}\n}}\n"
    );
    sourced.write("tests/long.rs", &long);
    sourced.build(stage.dir(), &[]);
    let swapper = stage.swapper.clone();
    let reload = std::thread::spawn(move || swapper.prepare_reload().options(tests()).run());
    until("the test to begin", || {
        fs::read(&begun).is_ok_and(|id| !id.is_empty())
    });
    stage.swapper.shutdown(LIMIT).unwrap();
    assert!(matches!(reload.join().unwrap(), Err(ReloadError::ShutDown)));
    until_ended(&begun);
}
