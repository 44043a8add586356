//! The host `ways`, whose plugins are loaded or linked in.
use crate::fixture::{cargo, hotswap, is_newer, locked, run, target};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The way in which the plugins come into the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The host loads them from files.
    Loaded,
    /// They are linked into the program.
    Linked,
}

impl Way {
    /// Runs one test of the host in a process of its own, with plugins that were built with these features.
    ///
    /// # Panics
    /// Panics if the test fails, or if the host does not build.
    pub fn run(self, test: &str, features: &[&str]) {
        let program = self.program(features);
        let mut command = Command::new(&program);
        command
            .arg(test)
            .env("RUST_BACKTRACE", "0")
            .env("HOTSWAP_PLUGIN_DIR", program.with_file_name("plugins"));
        let output = command.output().expect("the host can be started");
        let (said, failed) = (&output.stdout, &output.stderr);
        assert!(
            output.status.success() && said.starts_with(test.as_bytes()),
            "{test} {self:?}: {}\n{}",
            output.status,
            String::from_utf8_lossy(failed)
        );
    }

    /// Builds the host, and returns the program. Plugins that are loaded are beside it.
    ///
    /// # Panics
    /// Panics if the host does not build.
    pub fn program(self, features: &[&str]) -> PathBuf {
        let name = format!("ways-{self:?}-{}", features.concat().replace('/', "-")).to_lowercase();
        let out = target().join(name);
        let program = out.join("ways");
        let _lock = locked();
        if !is_newer(&program) {
            fs::create_dir_all(&out).expect("the directory can be made");
            let mut build = hotswap();
            build.args(["build", "--quiet", "ways"]);
            features
                .iter()
                .for_each(|feature| _ = build.args(["--features", feature]));
            let built = match self {
                Way::Loaded => {
                    run(build.arg("--out-dir").arg(out.join("plugins")));
                    run(cargo(&[]).args(["build", "--quiet", "--package", "ways"]));
                    target().join("debug/ways")
                }
                Way::Linked => {
                    run(build.arg("--static"));
                    target().join("hotswap/static/debug/ways/ways")
                }
            };
            // Cargo overwrites its own file with the next build.
            fs::copy(built, &program).expect("the program can be copied");
        }
        program
    }
}
