//! The standard libraries with which plugins are linked: a copy of the toolchain's, without debug information.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::fixture::{Fixture, Ran};

const PREPARED: &str = "Prepared standard libraries without debug information";

/// Returns what a program prints.
fn said(program: &str, args: &[&OsStr]) -> String {
    let output = Command::new(program).args(args).output();
    let output = output.expect("the program is installed");
    assert!(output.status.success(), "{program} {args:?}");
    String::from_utf8(output.stdout).expect("it is text")
}

/// The toolchain's directory.
fn sysroot() -> String {
    let path = said("rustc", &["--print".as_ref(), "sysroot".as_ref()]);
    path.trim().to_owned()
}

/// The names of the copies in the target directory.
fn copies(fixture: &Fixture) -> Vec<String> {
    let entries = fs::read_dir(fixture.root.join("target/hotswap"));
    let entries = entries.expect("something was built").flatten();
    let names = entries.map(|entry| entry.file_name().into_string().expect("text"));
    names.filter(|name| name.starts_with("thin-")).collect()
}

/// The size of the plugin `world`.
fn size(fixture: &Fixture) -> u64 {
    let library = fixture.artifact_path("world").metadata();
    library.expect("it is there").len()
}

fn built_with(fixture: &Fixture, name: &str, value: &Path) -> Ran {
    let value = value.to_str().expect("the path is text");
    let ran = fixture.run_with("", &["build", "app", "-v"], name, value);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran
}

/// A program called `name` that is a script.
fn script(fixture: &Fixture, name: &str, text: &str) -> PathBuf {
    fixture.write(name, &format!("#!/bin/sh\n{text}\n"));
    let path = fixture.root.join(name);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is there");
    path
}

/// Breakpoints need the lines of the plugin, and not those of the standard library.
#[test]
fn small_libraries_have_the_lines_of_the_plugin() {
    let fixture = Fixture::new();
    let ran = fixture.ok(&["build", "app", "-v"]);
    assert!(ran.stderr.contains(PREPARED), "{}", ran.stderr);
    let small = size(&fixture);
    let library = fixture.artifact_path("world");
    let symbols = said("nm", &["--dynamic".as_ref(), library.as_ref()]);
    let number = symbols.lines().find(|line| line.ends_with(" T number"));
    let address = number.and_then(|line| line.split(' ').next());
    let address = address.expect("the function is there");
    let args = ["-e".as_ref(), library.as_ref(), address.as_ref()];
    let line = said("addr2line", &args);
    assert!(line.contains("app/world/src/lib.rs:"), "{line}");

    // The directory that the user names is the one that is used.
    let copies = copies(&fixture);
    let sysroot = sysroot();
    fixture.ok(&["build", "app", "--", "--sysroot", &sysroot]);
    let large = size(&fixture);
    assert!(small < large / 2, "{small} {large}");
    fixture.ok(&["build", "app"]);
    assert_eq!(size(&fixture), small);
    let config = format!("[build]\nrustflags = [\"--sysroot={sysroot}\"]\n");
    fixture.write(".cargo/config.toml", &config);
    fixture.ok(&["build", "app"]);
    assert!(size(&fixture) > small);
    assert_eq!(self::copies(&fixture), copies);
}

#[test]
fn other_profiles_and_targets_that_are_named_have_them() {
    let fixture = Fixture::new();
    let version = said("rustc", &["-vV".as_ref()]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.expect("rustc has a host");
    let ran = fixture.ok(&["build", "app", "--release", "--target", host, "-v"]);
    assert!(ran.stderr.contains(PREPARED), "{}", ran.stderr);
    // It is one copy for the target, however that is named.
    fixture.write(
        ".cargo/config.toml",
        &format!("[build]\ntarget = \"{host}\"\n"),
    );
    let ran = fixture.ok(&["build", "app", "-v"]);
    assert!(!ran.stderr.contains(PREPARED), "{}", ran.stderr);
    assert!(ran.stderr.contains("--sysroot target/"), "{}", ran.stderr);
    assert_eq!(copies(&fixture).len(), 1);
}

#[test]
fn builds_at_once_make_one_copy_and_leave_nothing_else() {
    let fixture = Fixture::new();
    // A command that was killed has left this.
    fixture.write("target/hotswap/thin-old.tmp/lib/file", "");
    thread::scope(|scope| {
        let build = || fixture.ok(&["build", "app", "-v"]);
        let builders = [scope.spawn(build), scope.spawn(build)];
        let ran = builders.map(|builder| builder.join().expect("it succeeds"));
        let made = ran.iter().filter(|ran| ran.stderr.contains(PREPARED));
        assert_eq!(made.count(), 1);
    });
    let copies = copies(&fixture);
    assert_eq!(copies.len(), 1, "{copies:?}");
    // A command that builds nothing uses the copy that exists, too.
    let ran = fixture.ok(&["build", "app", "--dry-run"]);
    let used = format!("--sysroot target/hotswap/{}", copies[0]);
    assert!(ran.stdout.contains(&used), "{}", ran.stdout);
}

/// The compiler is a script that names a directory unless it is told another one, as some distributions have it. It is
/// given through the environment, and a wrapper of the workspace through the configuration.
#[test]
fn another_copy_is_made_once_the_libraries_have_changed() {
    let fixture = Fixture::new();
    let sysroot = sysroot();
    let libraries = said("rustc", &["--print".as_ref(), "target-libdir".as_ref()]);
    let libraries = Path::new(libraries.trim());
    let own = fixture.root.join("toolchain");
    let below = libraries.strip_prefix(&sysroot).expect("it is below");
    link_all(Path::new(&sysroot), &own, below);
    let rustc = script(
        &fixture,
        "bin/rustc",
        &format!(
            "case \" $* \" in\n*\" --sysroot \"*) exec '{sysroot}/bin/rustc' \"$@\" ;;\n\
             *) exec '{sysroot}/bin/rustc' --sysroot '{}' \"$@\" ;;\nesac",
            own.display()
        ),
    );
    script(&fixture, "tools/wrapper", "exec \"$@\"");
    let config = "[build]\nrustc-workspace-wrapper = \"tools/wrapper\"\n";
    fixture.write(".cargo/config.toml", config);
    let ran = built_with(&fixture, "RUSTC", &rustc);
    assert!(ran.stderr.contains(PREPARED), "{}", ran.stderr);
    let ran = built_with(&fixture, "RUSTC", &rustc);
    assert!(!ran.stderr.contains(PREPARED), "{}", ran.stderr);
    let before = copies(&fixture);
    // The toolchain was installed again, in the same version.
    let mut names = fs::read_dir(own.join(below))
        .expect("it is there")
        .flatten();
    let library = names.find(|name| name.path().extension() == Some("rlib".as_ref()));
    let library = library.expect("there are libraries").path();
    let copy = fixture.root.join("copy");
    fs::copy(&library, &copy).expect("it can be copied");
    fs::rename(copy, library).expect("it can be moved");
    let ran = built_with(&fixture, "RUSTC", &rustc);
    assert!(ran.stderr.contains(PREPARED), "{}", ran.stderr);
    assert_eq!(copies(&fixture), before);
    // It is gone, and what was made of it with it.
    fs::rename(&own, fixture.root.join("elsewhere")).expect("it can be moved");
    fs::remove_file(rustc).expect("it is there");
    fixture.write(
        "target/hotswap/thin-00000000/hotswap-origin",
        "/nowhere\n/nowhere/lib\n",
    );
    let ran = fixture.ok(&["build", "app", "-v"]);
    assert!(ran.stderr.contains(PREPARED), "{}", ran.stderr);
    assert_eq!(copies(&fixture), before);
}

#[test]
fn a_compiler_that_takes_no_other_directory_is_used_as_it_is() {
    let fixture = Fixture::new();
    let sysroot = sysroot();
    let wrapper = script(
        &fixture,
        "wrapper",
        &format!("exec \"$@\" --sysroot '{sysroot}'"),
    );
    let ran = built_with(&fixture, "RUSTC_WRAPPER", &wrapper);
    let why = "no standard libraries without debug information: the compiler takes no --sysroot";
    assert!(ran.stderr.contains(why), "{}", ran.stderr);
    assert!(!ran.stderr.contains("--sysroot target"), "{}", ran.stderr);
    assert_eq!(copies(&fixture), [""; 0]);
}

/// Makes `to` a directory of links to everything in `from`, but directories of their own on the way `below` it.
fn link_all(from: &Path, to: &Path, below: &Path) {
    let mut way = below.components();
    let next = way.next();
    fs::create_dir(to).expect("it can be made");
    for entry in fs::read_dir(from).expect("it is there").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match next {
            Some(next) if next.as_os_str() == entry.file_name() => {
                link_all(&from, &to, way.as_path());
            }
            _ => symlink(from, to).expect("a link can be made"),
        }
    }
}
