//! Tests hosts that refuse a build of `cargo hotswap run`: at the start, for a reason that stays, and for a reason that
//! passes.
use crate::project::{Project, checkout};
use std::fs;

const APP: &str = r#"use hotswap_host::{prelude::*, signal};
use std::time::Duration;
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limit = Duration::from_millis(100);
    let swapper = Swapper::builder().gate_limit(limit).open()?;
    let say: Function<fn() -> String> = swapper.function("keep", "say")?;
    let nap: Function<fn(&str)> = swapper.function("keep", "nap")?;
    let _listener = signal::reload_on(signal::USUAL, &swapper)?;
    std::thread::spawn(move || {
        loop {
            if std::fs::exists("busy").unwrap() {
                println!("takes a nap");
                nap.call("busy").unwrap();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    loop {
        println!("{}", say.call()?);
        std::thread::sleep(Duration::from_millis(20));
    }
}
"#;

const KEEP: &str = r#"use hotswap_plugin::prelude::*;

#[live_data]
struct State {
    count: u32,
}

pub struct Keep {
    count: u32,
}

const COUNT: Option<u32> = None;

#[plugin]
impl Keep {
    pub fn new(_: &Context) -> Self {
        let count = COUNT.expect("not today");
        Keep { count }
    }

    #[invoke]
    pub fn say(&self) -> String {
        "version 1".into()
    }

    #[invoke]
    pub fn nap(&self, until: &str) {
        while std::fs::exists(until).unwrap() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    fn save(&self) -> Result<State> {
        Ok(State { count: self.count })
    }

    fn restore(&mut self, state: State) -> Result<()> {
        self.count = state.count;
        Ok(())
    }
}
"#;

#[test]
fn it_is_started_again_and_asked_again() {
    let project = Project::new();
    project.plugin_dir("cautious");
    let root = project.root.join("ws");
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let package = |directory: &str, name: &str, dependency: &str| {
        let path = checkout().join(dependency);
        let text = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependency} = {{ path = {path:?} }}\n"
        );
        write(&format!("{directory}/Cargo.toml"), &text);
    };
    write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"cautious\", \"cautious/keep\"]\n",
    );
    package("cautious", "cautious", "hotswap-host");
    package("cautious/keep", "keep", "hotswap-plugin");
    write("cautious/src/main.rs", APP);
    write("cautious/keep/src/lib.rs", KEEP);
    project.lock("ws");
    let source = "ws/cautious/keep/src/lib.rs";

    // The host refuses the build at its start.
    let app = project.start("ws", &["run"]);
    app.until_all(&[
        "the host ended because it could not load its plugins",
        "keep: new panicked: not today",
        "Waiting for a change; the host starts again when it builds",
    ]);
    project.edit(source, "= None", "= Some(1)");
    app.until("version 1");

    // The reason stays: the host is asked again after every build, and refuses again.
    app.forget();
    project.edit(source, "Some(1)", "None");
    app.until_all(&[
        "the host refused the new plugins, and keeps those that it has",
        "Behind the host runs an older build; it will be asked to reload again after the next change",
    ]);
    app.forget();
    let text = fs::read_to_string(project.root.join(source)).unwrap();
    fs::write(
        project.root.join(source),
        text + "// Nothing comes of this.\n",
    )
    .unwrap();
    app.until_all(&[
        "the host refused the new plugins, and keeps those that it has",
        "Behind the host runs an older build",
    ]);
    project.edit(source, "None", "Some(1)");
    app.until("Reloaded keep: unchanged");

    // The reason passes.
    write("busy", "");
    app.until("takes a nap");
    app.forget();
    project.edit(source, "version 1", "version 2");
    app.until_all(&[
        "the state of keep could not be handed over within 100ms",
        "Behind the host runs an older build; it will be asked to reload again in 1s",
    ]);
    app.forget();
    app.until("version 1");
    fs::remove_file(root.join("busy")).unwrap();
    app.until("Reloaded keep: reloaded");
    app.forget();
    app.until("version 2");
}
