//! Edits beside `run` that are compiled without Cargo, and those that are not. A plugin has values in its library, so a
//! look at the installed file shows the sources of which it was made.

use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::fixture::{Fixture, Ran};
use crate::run::Running;

const WORLD: &str = "app/world/src/lib.rs";
const MOON: &str = "app/moon/src/lib.rs";
const MANIFEST: &str = "app/world/Cargo.toml";
const CONFIG: &str = ".cargo/config.toml";
const ALONE: &str = "world with rustc alone";
const GOES_ON: &str = "the host keeps the plugins that it has";

/// A fixture whose plugin `world` has four values: of its own source, of a feature, of a flag, and of a variable.
fn fixture() -> Fixture {
    let fixture = Fixture::new();
    fixture.write(
        "util/src/lib.rs",
        "pub fn number() -> u32 { 1 }\npub const VALUE: [u8; 8] = *b\"util-001\";\n",
    );
    let source = fixture.read(WORLD);
    let values = r#"
#[unsafe(no_mangle)]
pub static OWN: [u8; 8] = *b"own--001";
#[unsafe(no_mangle)]
pub static UTIL: [u8; 8] = util::VALUE;
#[unsafe(no_mangle)]
pub static FEATURE: [u8; 8] = if cfg!(feature = "more") { *b"feature1" } else { *b"feature0" };
#[allow(unexpected_cfgs)]
#[unsafe(no_mangle)]
pub static FLAG: [u8; 5] = if cfg!(more) { *b"flag1" } else { *b"flag0" };
#[unsafe(no_mangle)]
pub static TEXT: &str = match option_env!("VALUE") { Some(text) => text, None => "text-of-none" };
"#;
    fixture.write(WORLD, &(source + values));
    let moon =
        fixture.read(MOON) + "#[unsafe(no_mangle)]\npub static UTIL: [u8; 8] = util::VALUE;\n";
    fixture.write(MOON, &moon);
    let manifest = fixture.read(MANIFEST) + "\n[features]\ndefault = []\nmore = []\n";
    fixture.write(MANIFEST, &manifest);
    fixture
}

/// Starts `run`, and waits until the host runs.
fn launch(fixture: &Fixture) -> Running {
    let mut running = crate::watching::start(fixture, &["-v"]);
    // With `-v`, the calls of Cargo are there before.
    running.until("Running target/debug/app");
    running
}

/// Starts `run`, which lets Cargo compile everything, and so learns how.
fn start(fixture: &Fixture) -> Running {
    let mut running = launch(fixture);
    fixture.edit(WORLD, "own--001", "own--002");
    built_alone(&mut running);
    has(fixture, &["own--002", "util-001", "feature0", "flag0"]);
    running
}

/// Waits for the build after an edit of which only rustc has to know.
fn built_alone(running: &mut Running) {
    running.until(ALONE);
    let seen = running.until("Built world");
    assert!(!seen.iter().any(|line| line.contains("cargo")), "{seen:#?}");
}

/// Waits for the build after an edit of which Cargo has to know.
fn built_by_cargo(running: &mut Running) {
    let seen = running.until("Built world");
    assert!(!seen.iter().any(|line| line.contains(ALONE)), "{seen:#?}");
    assert!(seen.iter().any(|line| line.contains("rustc")), "{seen:#?}");
}

/// Waits until the installed library is made of these values, however many builds that takes.
fn built_with(running: &mut Running, fixture: &Fixture, values: &[&str]) {
    while !values.iter().all(|value| library_has(fixture, value)) {
        running.until("Built world");
    }
}

/// Asserts that the installed library was made of these values.
fn has(fixture: &Fixture, values: &[&str]) {
    for value in values {
        assert!(library_has(fixture, value), "the library has no {value}");
    }
}

fn library_has(fixture: &Fixture, value: &str) -> bool {
    plugin_has(fixture, "world", value)
}

fn plugin_has(fixture: &Fixture, plugin: &str, value: &str) -> bool {
    let library = fs::read(fixture.artifact_path(plugin)).expect("it is there");
    let mut parts = library.windows(value.len());
    parts.any(|part| part == value.as_bytes())
}

#[test]
fn a_source_of_its_own_needs_rustc_alone() {
    let fixture = fixture();
    let mut running = start(&fixture);
    for (from, to) in [("002", "003"), ("003", "004")] {
        fixture.edit(WORLD, &format!("own--{from}"), &format!("own--{to}"));
        built_alone(&mut running);
        has(&fixture, &[&format!("own--{to}"), "util-001"]);
    }
    // A module that is new, and then changes.
    fixture.write(
        "app/world/src/part.rs",
        "pub const PART: [u8; 8] = *b\"part-001\";\n",
    );
    let with_part = fixture.read(WORLD)
        + "mod part;\n#[unsafe(no_mangle)]\npub static PART: [u8; 8] = part::PART;\n";
    fixture.write(WORLD, &with_part);
    built_with(&mut running, &fixture, &["part-001"]);
    fixture.edit("app/world/src/part.rs", "001", "002");
    built_with(&mut running, &fixture, &["part-002", "own--004"]);
    // A directory that is made anew, with the same times, and a branch that is switched.
    crate::watching::make_anew(&fixture, "app/world/src");
    fixture.edit(WORLD, "own--004", "own--014");
    built_with(&mut running, &fixture, &["own--014", "part-002"]);
    fixture.git(&["init", "-q"]);
    fixture.commit();
    fixture.git(&["checkout", "-q", "-b", "other"]);
    fixture.edit(WORLD, "own--014", "own--024");
    built_with(&mut running, &fixture, &["own--024"]);
    fixture.edit("app/world/src/part.rs", "002", "003");
    built_with(&mut running, &fixture, &["own--024", "part-003"]);
    fixture.commit();
    fixture.git(&["checkout", "-q", "-"]);
    built_with(&mut running, &fixture, &["own--014", "part-002"]);
    fixture.git(&["checkout", "-q", "-"]);
    built_with(&mut running, &fixture, &["own--024", "part-003"]);
    fixture.edit(WORLD, "own--024", "own--004");
    built_with(&mut running, &fixture, &["own--004", "part-003"]);
    // An editor writes beside the file, and moves the result into place.
    let text = fixture.read(WORLD).replace("own--004", "own--005");
    fixture.write("app/world/src/.lib.rs.new", &text);
    let [new, old] = ["app/world/src/.lib.rs.new", WORLD].map(|path| fixture.root.join(path));
    fs::rename(new, old).expect("it can be moved");
    built_alone(&mut running);
    has(&fixture, &["own--005", "part-003"]);
    // A warning is shown, and does not come from Cargo.
    fixture.write(WORLD, &(fixture.read(WORLD) + "fn unused() {}\n"));
    running.until("function `unused` is never used");
    running.until("Built world");

    // Afterwards, Cargo builds what is on the disk.
    fixture.edit(WORLD, "own--005", "own--006");
    built_alone(&mut running);
    drop(running);
    fixture.ok(&["build", "app"]);
    has(&fixture, &["own--006", "part-003", "util-001"]);
}

/// The host compares builds, so sources that it has are no reason for another generation.
#[test]
fn cargo_and_rustc_alone_make_the_same_library() {
    make_the_same(&[], &[], "debug");
}

#[test]
fn so_they_do_for_a_target_that_is_named_and_in_another_profile() {
    let version = Command::new("rustc").arg("-vV").output();
    let version = version.expect("rustc can be started").stdout;
    let version = String::from_utf8(version).expect("it is text");
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.expect("rustc has a host");
    make_the_same(&["--target", host], &[], &format!("{host}/debug"));
    let debug = ("CARGO_PROFILE_RELEASE_DEBUG", "true");
    make_the_same(&["--release"], &[debug], "release");
}

/// Lets Cargo and rustc alone build with these options and variables, so that the libraries are below `directory`.
fn make_the_same(options: &[&str], env: &[(&str, &str)], directory: &str) {
    let fixture = fixture();
    // The note says so if anything has changed since the commit.
    fixture.write(".gitignore", "target\nCargo.lock\n");
    fixture.git(&["init", "-q"]);
    fixture.commit();
    let library = fixture.root.join("target/hotswap").join(directory);
    let library = library.join("app/libworld.so");
    let artifact = || fs::read(&library).expect("it is there");
    let mut running = crate::watching::start_with(&fixture, &[&["-v"], options].concat(), env);
    running.until("Running target/");
    let by_cargo = artifact();
    fixture.edit(WORLD, "own--001", "own--002");
    built_alone(&mut running);
    fixture.edit(WORLD, "own--002", "own--001");
    built_alone(&mut running);
    assert!(artifact() == by_cargo, "the libraries differ");
    fixture.edit(WORLD, "own--001", "own--003");
    built_alone(&mut running);
    let alone = artifact();
    drop(running);
    let mut command = fixture.command("", &[&["build", "app"], options].concat());
    let output = command.envs(env.iter().copied()).output();
    let ran = Ran::new(&fixture, output.expect("the command can be started"));
    assert!(ran.stderr.contains("Unchanged world"), "{}", ran.stderr);
    assert!(artifact() == alone, "the libraries differ");
}

/// The library names the files with its debug information, which lie where it was made.
#[test]
fn debug_information_in_files_of_its_own_needs_cargo() {
    for kind in ["packed", "unpacked"] {
        let fixture = fixture();
        let env = ("CARGO_PROFILE_DEV_SPLIT_DEBUGINFO", kind);
        let mut running = crate::watching::start_with(&fixture, &["-v"], &[env]);
        running.until("Running target/");
        for number in [2, 3] {
            let value = |number| format!("own--{number:03}");
            fixture.edit(WORLD, &value(number - 1), &value(number));
            built_by_cargo(&mut running);
            has(&fixture, &[&value(number)]);
        }
    }
}

#[test]
fn a_file_that_is_older_is_compiled() {
    let fixture = fixture();
    let mut running = start(&fixture);
    for (from, to) in [("002", "003"), ("003", "002")] {
        let text = fixture.read(WORLD).replace(from, to);
        fixture.write("older", &text);
        let older = fixture.root.join("older");
        let file = File::options().write(true).open(&older);
        let time = SystemTime::now() - Duration::from_secs(100_000);
        file.and_then(|file| file.set_modified(time))
            .expect("the time can be set");
        fs::rename(older, fixture.root.join(WORLD)).expect("it can be moved");
        built_alone(&mut running);
        has(&fixture, &[&format!("own--{to}")]);
    }
    drop(running);
    // Cargo has seen neither.
    fixture.ok(&["build", "app"]);
    has(&fixture, &["own--002"]);
}

#[test]
fn whatever_may_decide_on_arguments_needs_cargo() {
    let fixture = fixture();
    let mut running = start(&fixture);
    let mut own = 2;
    // In between, rustc alone knows the newest source, whose value has to be there after each change.
    let mut between = |running: &mut Running, fixture: &Fixture| {
        let value = |number| format!("own--{number:03}");
        fixture.edit(WORLD, &value(own), &value(own + 1));
        own += 1;
        built_alone(running);
        value(own)
    };
    // The manifest.
    let own = between(&mut running, &fixture);
    fixture.edit(MANIFEST, "default = []", "default = [\"more\"]");
    built_by_cargo(&mut running);
    has(&fixture, &[&own, "feature1"]);
    // The configuration, which was not there: flags, and a variable.
    let own = between(&mut running, &fixture);
    has(&fixture, &["feature1"]);
    fixture.write(CONFIG, "[build]\nrustflags = [\"--cfg\", \"more\"]\n");
    built_by_cargo(&mut running);
    has(&fixture, &[&own, "feature1", "flag1"]);
    let own = between(&mut running, &fixture);
    fixture.write(CONFIG, "[env]\nVALUE = \"text-of-config\"\n");
    built_by_cargo(&mut running);
    has(&fixture, &[&own, "flag0", "text-of-config"]);
    let own = between(&mut running, &fixture);
    has(&fixture, &["flag0", "text-of-config"]);
    fs::remove_dir_all(fixture.root.join(".cargo")).expect("it is there");
    built_by_cargo(&mut running);
    has(&fixture, &[&own, "text-of-none"]);
    // A dependency, and the plugin with it.
    let own = between(&mut running, &fixture);
    fixture.edit("util/src/lib.rs", "util-001", "util-002");
    built_by_cargo(&mut running);
    has(&fixture, &[&own, "util-002"]);
    between(&mut running, &fixture);
    fixture.edit("util/src/lib.rs", "util-002", "util-003");
    fixture.edit(WORLD, "own--", "both-");
    // The two writes may be two builds.
    built_with(&mut running, &fixture, &["both-", "util-003"]);
}

/// Nothing but the next call of Cargo takes notice of such a file.
#[test]
fn a_build_script_that_is_new_is_run() {
    let fixture = fixture();
    let mut running = start(&fixture);
    let script = "fn main() {\n    println!(\"cargo::rerun-if-changed=build.rs\");\n    \
                  println!(\"cargo::rustc-env=VALUE=text-of-script\");\n}\n";
    fixture.write("app/world/build.rs", script);
    fixture.edit(WORLD, "own--002", "own--003");
    built_with(&mut running, &fixture, &["own--003", "text-of-script"]);
    // Its directives say that it does not read the source.
    fixture.edit(WORLD, "own--003", "own--004");
    built_alone(&mut running);
    has(&fixture, &["own--004", "text-of-script"]);
    fixture.edit("app/world/build.rs", "of-script", "of-later-");
    built_by_cargo(&mut running);
    has(&fixture, &["own--004", "text-of-later-"]);
}

/// What was built before `run` was started is not known, since Cargo does not start rustc again.
#[test]
fn the_first_edit_of_what_is_built_already_needs_cargo() {
    let fixture = fixture();
    fixture.ok(&["build", "app"]);
    let mut running = launch(&fixture);
    fixture.edit(WORLD, "own--001", "own--002");
    built_by_cargo(&mut running);
    has(&fixture, &["own--002"]);
    fixture.edit(WORLD, "own--002", "own--003");
    built_alone(&mut running);
    has(&fixture, &["own--003"]);
}

#[test]
fn plugins_that_share_a_crate_are_compiled_beside_each_other() {
    let fixture = fixture();
    let mut running = start(&fixture);
    for (from, to) in [("util-001", "util-002"), ("util-002", "util-003")] {
        fixture.edit("util/src/lib.rs", from, to);
        // Cargo compiles the crate with one plugin, and the other plugin needs rustc alone.
        let before = running.until("with rustc alone");
        let called = before.iter().filter(|line| line.contains("Running cd"));
        assert_eq!(called.count(), 1, "{before:#?}");
        let after = running.until("Built");
        running.until("Built");
        assert!(
            !after.iter().any(|line| line.contains("Running cd")),
            "{after:#?}"
        );
        for plugin in ["world", "moon"] {
            assert!(plugin_has(&fixture, plugin, to), "{plugin}");
        }
    }
    // A crate that has other features in another plugin is another library.
    fixture.edit(
        "util/Cargo.toml",
        "[dependencies]",
        "[features]\ncolor = []\n[dependencies]",
    );
    fixture.edit(MANIFEST, "util\" }", "util\", features = [\"color\"] }");
    let color = "pub const VALUE: [u8; 8] = if cfg!(feature = \"color\") { *b\"color001\" } else { *b\"util-004\" };\n";
    fixture.write(
        "util/src/lib.rs",
        &format!("pub fn number() -> u32 {{ 1 }}\n{color}"),
    );
    built_with(&mut running, &fixture, &["color001"]);
    while !plugin_has(&fixture, "moon", "util-004") {
        running.until("Built moon");
    }
    let color = color.replace("001", "002").replace("004", "005");
    fixture.write(
        "util/src/lib.rs",
        &format!("pub fn number() -> u32 {{ 1 }}\n{color}"),
    );
    built_with(&mut running, &fixture, &["color002"]);
    while !plugin_has(&fixture, "moon", "util-005") {
        running.until("Built moon");
    }
}

#[test]
fn a_build_script_is_run_again() {
    let fixture = fixture();
    // It declares nothing, so it may read every source.
    fixture.write(
        "app/world/build.rs",
        "fn main() {\n    let text = std::fs::read_to_string(\"src/lib.rs\").unwrap();\n    \
         let at = text.find(\"own--\").unwrap();\n    println!(\"cargo:rustc-env=VALUE=text-of-{}\", &text[at..at + 8]);\n}\n",
    );
    let mut running = launch(&fixture);
    fixture.edit(WORLD, "own--001", "own--002");
    built_by_cargo(&mut running);
    has(&fixture, &["own--002", "text-of-own--002"]);
}

#[test]
fn what_another_cargo_has_compiled_meanwhile_needs_cargo() {
    let fixture = fixture();
    let mut running = start(&fixture);
    let deps = fixture.root.join("target/debug/deps");
    let entries = fs::read_dir(deps).expect("it is there").flatten();
    let mut libraries = entries.map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libutil-") && name.ends_with(".rlib")
    });
    let library = libraries.next().expect("the dependency is compiled");
    // As after a build with other flags and an earlier Cargo: the same name, and another file.
    let copy = library.with_extension("copy");
    fs::copy(&library, &copy).expect("it can be copied");
    fs::rename(&copy, &library).expect("it can be moved");
    fixture.edit(WORLD, "own--002", "own--003");
    running.until("since its dependencies have changed");
    built_by_cargo(&mut running);
    has(&fixture, &["own--003", "util-001"]);
}

#[test]
fn while_another_cargo_builds_it_is_waited_for() {
    let fixture = fixture();
    let mut running = start(&fixture);
    let lock = File::open(fixture.root.join("target/debug/.cargo-lock")).expect("it is there");
    lock.lock().expect("nobody has it");
    fixture.edit(WORLD, "own--002", "own--003");
    running.until("Blocking waiting for file lock");
    drop(lock);
    running.until("Compiling world v0.1.0");
    running.until("Built world");
    has(&fixture, &["own--003"]);
}

#[test]
fn errors_are_cargos_and_the_next_edit_is_compiled() {
    let fixture = fixture();
    let mut running = start(&fixture);
    let good = fixture.read(WORLD);
    fixture.write(
        WORLD,
        &good
            .replace("own--002", "own--003")
            .replace("40", "missing()"),
    );
    running.until("cannot find function `missing`");
    running.until("could not compile `world`");
    running.until(GOES_ON);
    has(&fixture, &["own--002"]);
    // With another change, to something that Cargo decides.
    fixture.edit(MANIFEST, "default = []", "default = [\"more\"");
    running.until(GOES_ON);
    fixture.write(WORLD, &good.replace("own--002", "own--004"));
    running.until(GOES_ON);
    fixture.edit(MANIFEST, "[\"more\"", "[\"more\"]");
    built_by_cargo(&mut running);
    has(&fixture, &["own--004", "feature1"]);
}

/// A pipe blocks its reader until somebody writes into it.
#[test]
fn a_newer_save_ends_the_build_that_runs() {
    let fixture = fixture();
    let pipe = fixture.root.join("app/world/pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo can be started").success());
    let mut running = start(&fixture);
    let good = fixture.read(WORLD);
    for number in [3, 4] {
        let blocked = good.clone() + "\npub static PIPE: &str = include_str!(\"../pipe\");\n";
        fixture.write(WORLD, &blocked);
        // This waits until the compiler has opened the other end.
        let writer = File::options().write(true).open(&pipe);
        fixture.write(
            WORLD,
            &good.replace("own--002", &format!("own--00{number}")),
        );
        running.until("Superseded the build");
        built_alone(&mut running);
        has(&fixture, &[&format!("own--00{number}")]);
        drop(writer);
    }
    // A build that Cargo makes, too.
    let util = fixture.read("util/src/lib.rs");
    let blocked =
        util.clone() + "pub static PIPE: &str = include_str!(\"../../app/world/pipe\");\n";
    fixture.write("util/src/lib.rs", &blocked);
    let writer = File::options().write(true).open(&pipe);
    fixture.write("util/src/lib.rs", &util.replace("util-001", "util-002"));
    running.until("Superseded the build");
    built_by_cargo(&mut running);
    has(&fixture, &["own--004", "util-002"]);
    drop(writer);
}
