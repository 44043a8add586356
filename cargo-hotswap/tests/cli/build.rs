//! What `build` makes, and where.

use std::os::unix::fs::MetadataExt as _;
use std::thread;

use crate::fixture::{Fixture, Ran};

const BOTH: [&str; 2] = [
    "<root>/target/hotswap/debug/app/libworld.so",
    "<root>/target/hotswap/debug/app/libmoon.so",
];

#[test]
fn a_hosts_plugins_are_built_and_their_paths_printed_last() {
    let fixture = Fixture::new();
    let ran = fixture.ok(&["build", "app"]);
    assert_eq!(ran.lines(), BOTH);
    assert_eq!(fixture.installed(), ["libmoon.so", "libworld.so"]);
    assert_eq!(fixture.artifact("world").metadata.name, "world");
    assert!(fixture.artifact("world").note.is_some());
}

#[test]
fn a_second_build_leaves_every_file_untouched() {
    let fixture = Fixture::new();
    fixture.ok(&["build", "app"]);
    let look = || {
        let found = fixture
            .artifact_path("world")
            .metadata()
            .expect("it is there");
        (
            found.ino(),
            found.mtime(),
            found.mtime_nsec(),
            found.ctime_nsec(),
        )
    };
    let before = look();
    let ran = fixture.ok(&["build", "app"]);
    assert_eq!(look(), before);
    assert_eq!(ran.lines(), BOTH);
    assert_eq!(ran.stderr, "   Unchanged world\n   Unchanged moon\n");
}

#[test]
fn an_edit_changes_only_the_plugin_it_is_in() {
    let fixture = Fixture::new();
    fixture.ok(&["build", "app"]);
    let before = [fixture.artifact("world"), fixture.artifact("moon")];
    fixture.edit("app/world/src/lib.rs", "40 +", "50 +");
    fixture.ok(&["build", "app"]);
    assert_ne!(fixture.artifact("world").build_id, before[0].build_id);
    assert_eq!(fixture.artifact("moon").build_id, before[1].build_id);
}

#[test]
fn an_edit_of_a_shared_crate_changes_both() {
    let fixture = Fixture::new();
    fixture.ok(&["build", "app"]);
    let before = [fixture.artifact("world"), fixture.artifact("moon")];
    fixture.edit("util/src/lib.rs", "1", "2");
    fixture.ok(&["build", "app"]);
    assert_ne!(fixture.artifact("world").build_id, before[0].build_id);
    assert_ne!(fixture.artifact("moon").build_id, before[1].build_id);
}

#[test]
fn what_does_not_compile_replaces_nothing() {
    let fixture = Fixture::new();
    fixture.ok(&["build", "app"]);
    let before = fixture.artifact("world");
    fixture.edit("app/world/src/lib.rs", "40 +", "50 +");
    fixture.write(
        "app/moon/src/lib.rs",
        "#[rustfmt::plugin]\nimpl Missing {}\n",
    );
    let ran = fixture.run(&["build", "app"]);
    assert_eq!(ran.code, Some(101));
    assert!(
        ran.stderr.contains("cannot find type `Missing`"),
        "the compiler's own words: {}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .ends_with("error: `moon` was not built (cargo exited with 101)\n")
    );
    assert_eq!(ran.stdout, "");
    assert_eq!(
        fixture.artifact("world").build_id,
        before.build_id,
        "all or none"
    );
}

#[test]
fn a_plugin_that_is_gone_is_removed() {
    let fixture = Fixture::new();
    fixture.ok(&["build", "app"]);
    fixture.write("target/hotswap/debug/app/other.so", "not ours");
    fixture.edit("Cargo.toml", "\"app/moon\", ", "");
    std::fs::remove_dir_all(fixture.root.join("app/moon")).expect("it is there");
    let ran = fixture.ok(&["build", "app"]);
    assert!(ran.stderr.contains("Removed libmoon.so"), "{}", ran.stderr);
    assert_eq!(fixture.installed(), ["libworld.so", "other.so"]);
}

#[test]
fn a_selection_removes_nothing() {
    let fixture = Fixture::new();
    fixture.ok(&["build", "app"]);
    fixture.ok(&["build", "app", "-p", "world"]);
    fixture.ok(&["build", "app", "--exclude", "world"]);
    assert_eq!(fixture.installed(), ["libmoon.so", "libworld.so"]);
}

#[test]
fn directories_and_profiles_are_cargos() {
    let fixture = Fixture::new();
    fixture.write(
        "Cargo.toml",
        &format!(
            "{}\n[profile.fast]\ninherits = \"release\"\n",
            fixture.read("Cargo.toml")
        ),
    );
    let path = |args: &[&str]| {
        let ran = fixture.ok(&[&["build", "app", "-p", "moon"], args].concat());
        ran.stdout.trim_end().to_owned()
    };
    assert_eq!(
        path(&["--release"]),
        "<root>/target/hotswap/release/app/libmoon.so"
    );
    assert_eq!(
        path(&["--profile", "fast"]),
        "<root>/target/hotswap/fast/app/libmoon.so"
    );
    assert_eq!(
        path(&["--target-dir", "else where"]),
        "<root>/else where/hotswap/debug/app/libmoon.so"
    );
    assert_eq!(path(&["--out-dir", "out"]), "<root>/out/libmoon.so");
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let there = format!("<root>/target/hotswap/{triple}/debug/app/libmoon.so");
    assert_eq!(path(&["--target", &triple]), there);
}

#[test]
fn json_has_cargos_messages_and_then_ours() {
    let fixture = Fixture::new();
    let ran = fixture.ok(&["build", "app", "--message-format", "json"]);
    let messages: Vec<serde_json::Value> = ran
        .lines()
        .into_iter()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let reasons: Vec<&str> = messages
        .iter()
        .filter_map(|message| message["reason"].as_str())
        .collect();
    assert!(reasons.contains(&"compiler-artifact"));
    assert_eq!(reasons[reasons.len() - 2..], ["hotswap-artifact"; 2]);
    let world = &messages[messages.len() - 2];
    assert_eq!(world["file"], BOTH[0]);
    assert_eq!(
        world["build_id"],
        fixture.artifact("world").build_id.to_string()
    );
    assert_eq!(world["changed"], true);
}

#[test]
fn a_dry_run_prints_what_can_be_pasted_and_builds_nothing() {
    let fixture = Fixture::new();
    let args = [
        "build",
        "app",
        "--dry-run",
        "-p",
        "moon",
        "--release",
        "--",
        "--timings",
        "--",
        "-C",
        "opt-level=1",
    ];
    let output = fixture
        .command("", &args)
        .env("CARGO", "cargo")
        .output()
        .expect("the command can be started");
    let ran = Ran::new(&fixture, output);
    insta::assert_snapshot!(ran.stdout, @"cd '<root>' && cargo rustc --manifest-path app/moon/Cargo.toml --release --message-format json-render-diagnostics --lib --crate-type cdylib --timings -- --cfg hotswap_dylib -C 'opt-level=1'");
    assert!(!fixture.root.join("target").exists());
}

#[test]
fn two_builders_at_once_both_succeed() {
    let fixture = Fixture::new();
    thread::scope(|scope| {
        let build = || fixture.ok(&["build", "app"]);
        let builders = [scope.spawn(build), scope.spawn(build), scope.spawn(build)];
        for builder in builders {
            assert_eq!(builder.join().expect("it succeeds").lines(), BOTH);
        }
    });
    assert_eq!(fixture.installed(), ["libmoon.so", "libworld.so"]);
}

#[test]
fn more_said_with_v() {
    let fixture = Fixture::new();
    let ran = fixture.ok(&["build", "app", "-v"]);
    for said in [
        "Plugins world, moon of app (workspace members below",
        "Running cd '",
        "Commit world: ",
        "Timing world: compile ",
    ] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    assert_eq!(fixture.ok(&["build", "app", "-q"]).stderr, "");
}

/// A variable that is thread-local in the way only programs should use.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn static_thread_local_storage_is_warned_of() {
    let fixture = Fixture::new();
    let source = fixture.read("app/moon/src/lib.rs");
    let assembly = r#"
        std::arch::global_asm!(
            ".section .tbss,\"awT\",@nobits", "counter: .zero 8",
            ".text", "counter_of_thread: mov counter@gottpoff(%rip), %rax", "ret",
            options(att_syntax)
        );
        unsafe extern "C" { fn counter_of_thread(); }
        #[unsafe(no_mangle)]
        pub extern "C" fn count() { unsafe { counter_of_thread() } }
    "#;
    fixture.write("app/moon/src/lib.rs", &format!("{source}{assembly}"));
    insta::assert_snapshot!(fixture.ok(&["build", "-q", "app"]).stderr);
}

/// Two allocators are what the crate of a plugin has that defines one, since `#[plugin]` defines one, too.
#[test]
fn an_allocator_of_the_plugins_own_is_an_error_with_the_way_out() {
    let fixture = Fixture::new();
    let source = fixture.read("app/moon/src/lib.rs");
    let allocator = "#[global_allocator]\nstatic A: std::alloc::System = std::alloc::System;\n";
    let other = allocator.replace("static A", "static B");
    fixture.write(
        "app/moon/src/lib.rs",
        &format!("{source}{allocator}{other}"),
    );
    for format in ["human", "json"] {
        let ran = fixture.run(&["build", "app", "--message-format", format]);
        assert_eq!(ran.code, Some(101));
        let last = ran.stderr.lines().last();
        assert_eq!(
            last,
            Some(
                "error: `moon` was not built (cargo exited with 101); it has a global allocator of its own; write \
                 `#[plugin(allocator = false)]`"
            )
        );
    }
}
