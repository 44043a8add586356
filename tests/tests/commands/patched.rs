//! Tests functions that are changed in a running host, while the sources stay as they are.
use crate::project::Project;
use crate::running::Running;
use insta::assert_snapshot;
use std::fs;

const SOURCE: &str = "demos/hello/world/src/lib.rs";

/// A function that uses a private field and a static of the plugin.
const LA: &str = r#"
pub fn hum(&self, times: u32) -> String {
    let before = self.hummed.fetch_add(1, Ordering::Relaxed);
    let all = CALLS.fetch_add(1, Ordering::Relaxed);
    format!("{} {}", "la ".repeat(times as usize), before == all)
}
"#;

/// Patches a function of the plugin with the text in the file `new.rs`.
fn patch<'a>(function: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["patch", "-q", function, "demos/hello"];
    args.extend(more);
    args
}

#[test]
fn functions_change_while_the_host_runs() {
    let project = Project::of_the_checkout();
    project.plugin_dir("hello");
    project.edit(
        SOURCE,
        "/// One loaded build",
        "static CALLS: AtomicU64 = AtomicU64::new(0);\n\n/// One loaded build",
    );
    let source = fs::read_to_string(project.root.join(SOURCE)).unwrap();
    let write = |text: &str| fs::write(project.root.join("new.rs"), text).unwrap();
    let args = ["run", "--no-watch", "demos/hello", "--", "--interval", "20"];
    let hello = project.start("", &args);
    hello.until(", reload 0): hum");

    write(LA);
    let from_file = ["--file", "new.rs"];
    let ran = project.ran("", &patch("world::hum", &from_file));
    assert_eq!(ran.code, Some(1));
    assert_snapshot!(ran.stderr, @"error: world does not save its state, so its fields would start anew with the patch; pass --reset-state if that may happen");
    hello.forget();
    hello.until(", reload 0): hum");

    let anew = ["--file", "new.rs", "--reset-state"];
    let ran = project.ok("", &patch("world::hum", &anew));
    assert_snapshot!(ran.stdout, @r#"
    --- a/src/lib.rs
    +++ b/src/lib.rs
    @@ -54,9 +54,10 @@
         /// Hums. The host calls this function by its name.
         #[invoke]
         pub fn hum(&self, times: u32) -> String {
    -        self.hummed.fetch_add(1, Ordering::Relaxed);
    -        "hum ".repeat(times as usize)
    -    }
    +    let before = self.hummed.fetch_add(1, Ordering::Relaxed);
    +    let all = CALLS.fetch_add(1, Ordering::Relaxed);
    +    format!("{} {}", "la ".repeat(times as usize), before == all)
    +}
     }
     
     #[cfg(test)]
    world: reloaded
    "#);
    hello.until(", reload 1): la");
    hello.until("true");
    let hum = project.ok("", &["inspect", "world", "--function", "hum"]);
    assert!(hum.stdout.contains("\"la \""), "{}", hum.stdout);

    what_is_refused(&project, &write);
    hello.forget();
    hello.until(", reload 1): la");

    // A second patch is one of the first, and not of the sources on disk.
    let code = "statement 2: let times = times.min(1)";
    project.ok(
        "",
        &patch("world::hum", &["--inject", code, "--reset-state"]),
    );
    hello.until(", reload 2): la  true");
    let hum = project.ok("", &["inspect", "world", "--function", "hum"]);
    assert!(hum.stdout.contains("times.min(1)"), "{}", hum.stdout);
    in_an_editor(&project, &hello);

    assert_eq!(
        fs::read_to_string(project.root.join(SOURCE)).unwrap(),
        source
    );
    project.ok("", &["reload", "-q", "demos/hello"]);
    hello.until(", reload 4): hum hum");
    hello.signal(libc::SIGINT);
    hello.until("stopped");
    assert_eq!(hello.end(), Some(0));
}

fn what_is_refused(project: &Project, write: &dyn Fn(&str)) {
    let refused = |function: &str, code: i32| {
        let anew = ["--file", "new.rs", "--reset-state"];
        let ran = project.ran("", &patch(function, &anew));
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
        ran.stderr
    };
    write(&LA.replace("before == all", "before == \"all\""));
    let errors = refused("world::hum", 101);
    assert!(errors.contains("--> new.rs:5:"), "{errors}");
    assert!(errors.contains("\n5  |     format!("), "{errors}");

    write("fn hum(&self, times: u64) -> String { String::new() }");
    assert_snapshot!(refused("world::hum", 1), @r#"
    error: cannot patch world::hum
      caused by: the signature of `World::hum` would change, and what calls it would not fit any more; change the sources, and reload
      the sources have: fn hum(&self, _: u32) -> String
      the new text has: fn hum(&self, _: u64) -> String
    "#);
    write("fn hum(&self, times: u32) -> String { more() }\nfn more() -> String { String::new() }");
    assert_snapshot!(refused("world::hum", 1), @r#"
    error: cannot patch world::hum
      caused by: the new text has 2 functions; write the one that is replaced, and nothing else
    "#);
    assert_snapshot!(refused("world::hun", 1), @r#"
    error: cannot patch world::hun
      caused by: world has no function `hun` in its sources: did you mean `hum`?
    "#);
    assert_snapshot!(refused("wrold::hum", 1), @"error: <target>/hotswap/debug/hello has no plugin wrold that this workspace has built: did you mean world?");
    assert_snapshot!(refused("world::*", 1), @"error: `world::*` names all functions of the plugin, into which only --inject can put code");
    assert_snapshot!(refused("hum", 1), @"error: `hum` does not name a function of a plugin; write `PLUGIN::FUNCTION`, as in `world::hum`");

    // The host refuses this one, and its next start would be on what it runs.
    write("fn on_load(&mut self, data: &LoadData<'_>) { panic!(\"not this one\") }");
    let anew = ["--file", "new.rs", "--reset-state"];
    let ran = project.ran("", &patch("world::on_load", &anew));
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("not this one"), "{}", ran.stdout);
    let on_load = project.ok("", &["inspect", "world", "--function", "on_load"]);
    assert!(on_load.stdout.contains("load data"), "{}", on_load.stdout);
}

fn in_an_editor(project: &Project, hello: &Running) {
    let args = patch("world::hum", &["--edit", "--reset-state"]);
    let mut command = project.hotswap("", &args);
    let output = command
        .env("EDITOR", "sed -i 's/\"la/\"fa/'")
        .env_remove("VISUAL")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    hello.until(", reload 3): fa");

    let mut command = project.hotswap("", &args);
    let output = command
        .env("EDITOR", "false")
        .env_remove("VISUAL")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("the editor `false` failed"), "{told}");
}
