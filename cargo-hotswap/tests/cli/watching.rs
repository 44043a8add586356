//! Changes beside `run` that are easily missed: by the kernel's watches, which follow inodes, by Cargo, which compares times, and
//! while nothing builds.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::fixture::Fixture;
use crate::run::{HOST, Running};

const WORLD: &str = "app/world/src/lib.rs";
const MOON: &str = "app/moon/src/lib.rs";
const GOES_ON: &str = "the host keeps the plugins that it has";

pub fn start(fixture: &Fixture, args: &[&str]) -> Running {
    start_with(fixture, args, &[])
}

pub fn start_with(fixture: &Fixture, args: &[&str], env: &[(&str, &str)]) -> Running {
    // Cargo writes the lock file with the first build otherwise, and there is a second one.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut locking = Command::new(cargo);
    locking.args(["generate-lockfile", "--offline", "--quiet"]);
    let locked = locking.current_dir(&fixture.root).status();
    assert!(locked.expect("cargo can be started").success());
    let mut running = Running::launch(fixture, args, env);
    running.until(" Running ");
    running.host_says();
    running
}

/// With an included file, and the value of a variable, in `moon`.
fn with_data() -> Fixture {
    let fixture = Fixture::new();
    fixture.edit(
        MOON,
        "40",
        "include_str!(\"../data/number\").len() as u32 + option_env!(\"NUMBER\").map_or(0, |text| text.len() as u32)",
    );
    fixture.write("app/moon/data/number", "4");
    fixture
}

/// Makes a directory anew, as version control does.
pub fn make_anew(fixture: &Fixture, directory: &str) {
    let (there, aside) = (fixture.root.join(directory), fixture.root.join("aside"));
    fs::rename(&there, &aside).expect("it can be moved");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(&aside)
        .arg(&there)
        .status();
    assert!(copied.expect("cp can be started").success());
    fs::remove_dir_all(aside).expect("it can be removed");
}

/// Puts a file there that is older than all that was built.
fn put_older(fixture: &Fixture, path: &str, from: &str, to: &str) {
    let text = fixture.read(path);
    assert!(text.contains(from), "{path} has no {from:?}");
    fixture.write("older", &text.replace(from, to));
    let older = fixture.root.join("older");
    let file = fs::File::options().write(true).open(&older);
    let time = SystemTime::now() - Duration::from_secs(100_000);
    file.and_then(|file| file.set_modified(time))
        .expect("the time can be set");
    fs::rename(older, fixture.root.join(path)).expect("it can be moved");
}

fn link(fixture: &Fixture, to: &str, link: &str) {
    let link = fixture.root.join(link);
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(to, link).expect("a link can be made");
}

#[test]
fn directories_that_are_made_anew_are_watched() {
    let fixture = with_data();
    let mut running = start(&fixture, &[]);
    for (directory, file, texts, plugin) in [
        ("app/world/src", WORLD, ["40 +", "41 +", "42 +"], "world"),
        (
            "app/moon/data",
            "app/moon/data/number",
            ["4", "44", "444"],
            "moon",
        ),
        ("util", "util/src/lib.rs", ["{ 1", "{ 2", "{ 3"], "moon"),
        ("app", WORLD, ["42 +", "43 +", "44 +"], "world"),
    ] {
        make_anew(&fixture, directory);
        for edit in texts.windows(2) {
            fixture.edit(file, edit[0], edit[1]);
            running.until(&format!("Built {plugin}"));
        }
    }
    // A directory that is not there at first.
    let config = |text: &str| {
        let text = format!("[env]\nNUMBER = \"{text}\"\n");
        fixture.write(".cargo/config.toml", &text);
        text
    };
    config("1");
    running.until("Built moon");
    fs::remove_dir_all(fixture.root.join(".cargo")).expect("it can be removed");
    running.until("Built moon");
    config("123");
    running.until("Built moon");
}

#[test]
fn what_appears_while_nothing_builds_is_watched() {
    let fixture = Fixture::new();
    let mut running = start(&fixture, &[]);
    // A directory with a module.
    fixture.edit(WORLD, "40", "later::deep::NUMBER");
    fixture.edit(WORLD, "pub struct", "mod later;\npub struct");
    running.until(GOES_ON);
    fixture.write("app/world/src/later/mod.rs", "pub mod deep;\n");
    running.until(GOES_ON);
    fixture.write("app/world/src/later/deep.rs", "pub const NUMBER: u32 = ;\n");
    running.until(GOES_ON);
    fixture.write(
        "app/world/src/later/deep.rs",
        "pub const NUMBER: u32 = 5;\n",
    );
    running.until("Built world");

    // A file that is included, in a directory that is not there.
    fixture.edit(MOON, "40", "include_str!(\"../data/number\").len() as u32");
    running.until(GOES_ON);
    fixture.write("app/moon/data/number", "4");
    running.until("Built moon");

    // A dependency, whose manifest and source come later.
    fixture.edit(
        WORLD,
        "later::deep::NUMBER",
        "later::deep::NUMBER + more::NUMBER",
    );
    running.until(GOES_ON);
    fixture.edit(
        "app/world/Cargo.toml",
        "[dependencies]\n",
        "[dependencies]\nmore = { path = \"../../more\" }\n",
    );
    running.until(GOES_ON);
    fixture.package("more", "");
    running.until(GOES_ON);
    fixture.write("more/src/lib.rs", "pub const NUMBER: u32 = ;\n");
    running.until(GOES_ON);
    fixture.write("more/src/lib.rs", "pub const NUMBER: u32 = 1;\n");
    running.until("Built world");

    // A manifest that Cargo cannot read.
    fixture.edit("app/moon/Cargo.toml", "edition", "addition");
    fixture.edit("util/Cargo.toml", "[package]", "[package");
    running.until(GOES_ON);
    fixture.edit("util/Cargo.toml", "[package", "[package]");
    fixture.edit("app/moon/Cargo.toml", "addition", "edition");
    running.until("Unchanged moon");
}

#[test]
fn what_links_lead_to_is_watched_and_so_are_the_links() {
    let fixture = Fixture::new();
    for (name, number) in [("one", 1), ("two", 22)] {
        let text = format!("pub const NUMBER: u32 = {number};\n");
        fixture.write(&format!("elsewhere/{name}.rs"), &text);
    }
    fixture.write(
        "util/src/lib.rs",
        "mod far;\npub fn number() -> u32 { far::NUMBER }\n",
    );
    fs::create_dir(fixture.root.join("between")).expect("it can be made");
    link(&fixture, "../elsewhere/one.rs", "between/hop");
    link(&fixture, "../../between/hop", "util/src/far.rs");
    // A directory, too.
    fs::rename(
        fixture.root.join("app/world/src"),
        fixture.root.join("sources"),
    )
    .expect("it can be moved");
    link(&fixture, "../../sources", "app/world/src");
    let mut running = start(&fixture, &[]);

    fixture.edit("elsewhere/one.rs", "1", "11");
    running.until("Built world");
    link(&fixture, "../elsewhere/two.rs", "between/hop");
    running.until("Built world");
    fixture.edit("elsewhere/two.rs", "22", "222");
    running.until("Built world");
    link(&fixture, "../../elsewhere/one.rs", "util/src/far.rs");
    running.until("Built world");
    fixture.edit("sources/lib.rs", "40", "41");
    running.until("Built world");
}

#[test]
fn a_file_that_is_older_than_the_build_is_built() {
    let fixture = with_data();
    fixture.ok(&["build", "app"]);
    // Beside `run`, and without.
    put_older(&fixture, WORLD, "40", "41");
    let ran = fixture.ok(&["build", "app"]);
    assert!(ran.stderr.contains("Built world"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Unchanged moon"), "{}", ran.stderr);
    let ran = fixture.ok(&["build", "app"]);
    assert_eq!(ran.stderr, "   Unchanged world\n   Unchanged moon\n");

    let mut running = start(&fixture, &[]);
    put_older(&fixture, WORLD, "41", "42");
    running.until("Stale world: cargo did not notice");
    running.until("Built world");
    // An included file, and a dependency of both plugins.
    put_older(&fixture, "app/moon/data/number", "4", "444");
    running.until("Built moon");
    put_older(&fixture, "util/src/lib.rs", "1", "2");
    running.until("Stale util: cargo did not notice");
    let seen = running.until("Built moon");
    assert!(!seen.iter().any(|line| line.contains("Stale")), "{seen:#?}");
    // The one before, out of a backup, after one that does not build.
    let text = fixture.read(WORLD);
    fixture.write(WORLD, "broken");
    running.until(GOES_ON);
    fixture.write(WORLD, &text);
    put_older(&fixture, WORLD, "42", "43");
    running.until("Built world");
}

#[test]
fn a_host_older_than_the_build_is_built() {
    let fixture = Fixture::new();
    fixture.write("app/src/word.txt", "one");
    fixture.write(
        "app/src/bin/say.rs",
        "fn main() { println!(include_str!(\"../word.txt\")); }\n",
    );
    let args = ["run", "--no-watch", "--bin", "say", "app"];
    let said = |fixture: &Fixture| fixture.ok(&args).stdout;
    assert_eq!(said(&fixture), "one\n");
    put_older(&fixture, "app/src/word.txt", "one", "two");
    assert_eq!(said(&fixture), "two\n");
}

#[test]
fn the_host_starts_as_soon_as_everything_builds() {
    let fixture = Fixture::new();
    fixture.edit(WORLD, "40", "missing()");
    let mut running = Running::launch(&fixture, &[], &[]);
    running.until("cannot find function `missing`");
    running.until("Waiting for a change");
    // The host, too, and the workspace itself.
    fixture.write("app/src/main.rs", "fn main() { missing() }");
    fixture.edit(WORLD, "missing()", "40");
    running.until("Waiting for a change");
    let manifest = fixture.read("Cargo.toml");
    fixture.write("Cargo.toml", "[workspace");
    running.until("Waiting for a change");
    fixture.write("Cargo.toml", &manifest);
    running.until("Waiting for a change");
    fixture.write("app/src/main.rs", HOST);
    running.until(" Running ");
    running.host_says();
    // From now on as ever.
    fixture.edit(WORLD, "40", "41");
    running.until("Built world");
    drop(running.stdin.take());
    assert_eq!(running.code(), Some(7));
}

#[test]
fn a_signal_ends_the_wait_for_what_builds() {
    let fixture = Fixture::new();
    fixture.edit(WORLD, "40", "missing()");
    for signal in [Signal::INT, Signal::TERM] {
        let mut running = Running::launch(&fixture, &[], &[]);
        running.until("Waiting for a change");
        running.signal(signal);
        assert_eq!(running.code(), Some(128 + signal.as_raw()));
    }
}

/// A write through a hard link makes no event where the other name is: as on a file system that reports nothing.
#[test]
fn changes_without_events_are_found_and_told_of() {
    let fixture = Fixture::new();
    fs::create_dir(fixture.root.join("elsewhere")).expect("it can be made");
    let other = fixture.root.join("elsewhere/world.rs");
    fs::hard_link(fixture.root.join(WORLD), &other).expect("it can be linked");
    let mut running = start(&fixture, &[]);
    fixture.edit("elsewhere/world.rs", "40", "41");
    running.until("the file system reported no event; if it never does, `--poll`");
    running.until("Built world");
    drop(running);

    let mut running = start(&fixture, &["--poll=0.1"]);
    fixture.edit("elsewhere/world.rs", "41", "42");
    let seen = running.until("Built world");
    assert!(
        !seen.iter().any(|line| line.contains("warning")),
        "{seen:#?}"
    );
    fixture.edit(MOON, "40", "41");
    running.until("Built moon");
}

/// The system has a limit on watches, which other programs may have used up.
#[test]
fn where_nothing_can_be_watched_the_host_runs_and_changes_are_looked_for() {
    let fixture = Fixture::new();
    fixture.write(
        "limit.c",
        "#include <errno.h>\nint inotify_init1(int flags) { errno = EMFILE; return -1; }\n",
    );
    let library = fixture.root.with_file_name("liblimit.so");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(fixture.root.join("limit.c"))
        .status();
    assert!(made.expect("there is a C compiler").success());
    let library = library.to_str().expect("the path is text");
    let mut running = Running::launch(&fixture, &[], &[("LD_PRELOAD", library)]);
    running.until("warning: cannot watch");
    running.until(" Running ");
    running.host_says();
    fixture.edit(WORLD, "40", "41");
    running.until("Built world");
}

#[test]
fn what_only_another_start_takes_up_is_said() {
    let fixture = Fixture::new();
    let toolchain = std::env::var("RUSTUP_TOOLCHAIN").unwrap_or_else(|_| "stable".into());
    let mut running = start_with(&fixture, &[], &[("RUSTUP_TOOLCHAIN", &toolchain)]);
    fixture.write("rust-toolchain.toml", "[toolchain]\nchannel = \"1.80.0\"\n");
    running.until("rust-toolchain.toml changed, but this command keeps using the toolchain");
    running.until("Unchanged moon");
    fs::remove_file(fixture.root.join("rust-toolchain.toml")).expect("it is there");
    fixture.write(".cargo/config.toml", "[build]\ntarget-dir = \"other\"\n");
    running.until("the running host loads them from");
    running.until(GOES_ON);
    fs::remove_dir_all(fixture.root.join(".cargo")).expect("it is there");
    running.until("Unchanged moon");
    fixture.edit("app/src/main.rs", "7", "8");
    running.until("Note app/src/main.rs belongs to the host");
    assert!(Path::new(&fixture.root.join("target/hotswap/debug/app")).is_dir());
}
