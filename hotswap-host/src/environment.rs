//! Reads the environment variables. No other module does.
//!
//! A process that has more rights than the user who started it, because its file is setuid or has capabilities, must
//! not look for code where that user says, must not write there, and must not be less careful. For such a process, none of
//! these variables is set.
use crate::base::paths::absolute;
use crate::platform;
use std::env;
use std::path::PathBuf;

/// A variable that names a file or a directory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Variable {
    /// The plugin directory.
    PluginDir,
    /// The directory in which running hosts have their directories.
    RuntimeDir,
    /// The directory of this user's session.
    SessionDir,
    /// The file for the report of a host's first load.
    FirstReport,
}

impl Variable {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Variable::PluginDir => "HOTSWAP_PLUGIN_DIR",
            Variable::RuntimeDir => "HOTSWAP_RUNTIME_DIR",
            Variable::SessionDir => "XDG_RUNTIME_DIR",
            Variable::FirstReport => "HOTSWAP_FIRST_REPORT",
        }
    }

    /// Returns the path, made absolute unless the working directory is gone. Returns `None` if the variable is empty or
    /// must not be used.
    pub(crate) fn path(self) -> Option<PathBuf> {
        if platform::is_privileged() {
            return None;
        }
        let value = env::var_os(self.name()).filter(|value| !value.is_empty())?;
        Some(absolute(value))
    }
}

/// Returns the variable that sets a reload option.
pub(crate) fn option_variable(option: &str) -> String {
    format!("HOTSWAP_{}", option.to_uppercase())
}

/// Returns the text of a variable. Returns `None` if the variable is empty or must not be used.
pub(crate) fn text_of(variable: &str) -> Option<String> {
    if platform::is_privileged() {
        return None;
    }
    let value = env::var_os(variable).filter(|value| !value.is_empty())?;
    Some(value.to_string_lossy().into_owned())
}

/// Returns the program that is Cargo: the one that has built or started this program, or the one in the search path.
pub(crate) fn cargo() -> PathBuf {
    text_of("CARGO").unwrap_or_else(|| "cargo".into()).into()
}

/// True if the operator vouches that this system's glibc has a correction that its version does not tell of.
pub(crate) fn has_corrected_glibc() -> bool {
    text_of("HOTSWAP_GLIBC_CORRECTED").is_some_and(|value| value == "1")
}

/// True if nothing is said against reloads by signals. Any value but `on` is something against them.
pub(crate) fn signals_are_on() -> bool {
    text_of("HOTSWAP_SIGNALS").is_none_or(|value| value == "on")
}

/// Returns the directory for temporary files.
pub(crate) fn temporary_dir() -> PathBuf {
    let usual = || PathBuf::from("/tmp");
    if platform::is_privileged() {
        return usual();
    }
    Some(absolute(env::temp_dir()))
        .filter(|dir| dir.is_absolute())
        .unwrap_or_else(usual)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{Variable, temporary_dir};
    use crate::Swapper;
    use crate::error::ReloadError;
    use std::env;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::path::Path;
    use std::process::Command;

    const VARIABLES: [Variable; 4] = [
        Variable::PluginDir,
        Variable::RuntimeDir,
        Variable::SessionDir,
        Variable::FirstReport,
    ];

    /// The id of another user.
    const OTHER: u32 = 12345;

    #[test]
    fn a_setuid_host_believes_none_of_them() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let program = dir.path().join("setuid");
        fs::copy(env::current_exe().unwrap(), &program).unwrap();
        if chown(&program, Some(OTHER), None).is_err() {
            println!("left out, since it needs root: a_setuid_host_believes_none_of_them");
            return;
        }
        let run = |mode| {
            fs::set_permissions(&program, Permissions::from_mode(mode)).unwrap();
            let output = Command::new(&program)
                .args([
                    "--exact",
                    "environment::tests::be_started",
                    "--ignored",
                    "--nocapture",
                ])
                .envs(VARIABLES.map(|variable| (variable.name(), dir.path())))
                .env("TMPDIR", dir.path())
                .env("HOTSWAP_TEST_STARTED", "1")
                .current_dir(dir.path())
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(
                output.status.success(),
                "{text}{}",
                String::from_utf8_lossy(&output.stderr)
            );
            text
        };
        let plain = run(0o755);
        assert!(plain.contains("believed 4, temporary false"), "{plain}");
        let setuid = run(0o4755);
        assert!(setuid.contains("believed 0, temporary true"), "{setuid}");
        assert!(
            setuid.contains("no plugin directory is known, because this program has more rights"),
            "{setuid}"
        );
        assert!(
            setuid.contains("the path \"plugins\" is relative"),
            "{setuid}"
        );
    }

    #[test]
    #[ignore = "the other process of another test"]
    fn be_started() {
        if env::var_os("HOTSWAP_TEST_STARTED").is_none() {
            return;
        }
        let believed = VARIABLES
            .iter()
            .filter(|variable| variable.path().is_some());
        let usual = temporary_dir() == Path::new("/tmp");
        println!("believed {}, temporary {usual}", believed.count());
        if usual {
            println!("{}", Swapper::builder().open().err().unwrap());
            println!(
                "{}",
                Swapper::builder()
                    .plugin_dir("plugins")
                    .open()
                    .err()
                    .unwrap()
            );
        }
    }

    /// Runs in another process, which has a working directory of its own.
    #[test]
    #[ignore = "the other process of another test"]
    fn be_nowhere() {
        if env::var_os("HOTSWAP_TEST_STARTED").is_none() {
            return;
        }
        fs::remove_dir(env::current_dir().unwrap()).unwrap();
        let open = Swapper::builder().plugin_dir("plugins").open();
        assert!(matches!(open, Err(ReloadError::RelativePath { .. })));
        let open = Swapper::builder().open();
        assert!(
            matches!(open, Err(ReloadError::RelativePath { .. })),
            "as the environment says"
        );
        println!("refused both");
    }

    #[test]
    fn a_relative_path_without_a_working_directory_is_refused() {
        let dir = tempfile::tempdir().unwrap().keep();
        let output = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "environment::tests::be_nowhere",
                "--ignored",
                "--nocapture",
            ])
            .env("HOTSWAP_TEST_STARTED", "1")
            .env("HOTSWAP_PLUGIN_DIR", "plugins")
            .current_dir(&dir)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            text.contains("refused both"),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// If another module read these variables, a setuid host would believe them.
    #[test]
    fn nobody_else_asks_for_these_variables() {
        fn sources(dir: &Path, found: &mut Vec<(String, String)>) {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => sources(&path, found),
                    false => found.push((
                        path.display().to_string(),
                        fs::read_to_string(&path).unwrap(),
                    )),
                }
            }
        }
        // The exceptions are the variables of plugins, which the host reads on their behalf, the usual one for
        // backtraces, and tests.
        let others = [
            "src/environment.rs",
            "load/environment.rs",
            "telemetry/panic.rs",
            "artifact/hostile.rs",
        ];
        let mut found = Vec::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut found,
        );
        assert!(found.len() > 100);
        for (path, text) in found {
            let tests = path.contains("tests") || others.iter().any(|other| path.ends_with(other));
            let text = text.split("#[cfg(test)]").next().unwrap();
            for asks in ["env::var", "env::temp_dir"] {
                assert!(tests || !text.contains(asks), "{path} has {asks}");
            }
        }
    }
}
