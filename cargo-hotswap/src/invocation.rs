//! The arguments, the environment, and the directory with which Cargo has started rustc.
//!
//! They are read from the running process. A wrapper for rustc would have to know the user's own wrapper, and would make
//! Cargo forget what it knows of the compiler.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use rustix::process::Pid;

/// The time between two looks. rustc runs for longer.
const INTERVAL: Duration = Duration::from_millis(5);
/// The variables that name Cargo's own tokens for parallel work.
const JOBSERVER: [&str; 3] = ["CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS"];

/// One call of rustc: see the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invocation {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    directory: PathBuf,
}

impl Invocation {
    /// Waits until `cargo` starts rustc for a plugin with the crate name `crate_name`, or until `ended` is set.
    pub(crate) fn watch(cargo: Pid, crate_name: &str, ended: &AtomicBool) -> Option<Self> {
        while !ended.load(Relaxed) {
            let found = children(cargo).into_iter();
            let mut found = found.filter_map(|pid| Self::of(&Path::new("/proc").join(pid)));
            if let Some(found) = found.find(|found| found.is_for(crate_name)) {
                return Some(found);
            }
            std::thread::sleep(INTERVAL);
        }
        None
    }

    /// Returns the call that `process`, a directory of `/proc`, is, if it is rustc.
    fn of(process: &Path) -> Option<Self> {
        let list = |name: &str| {
            let bytes = fs::read(process.join(name)).ok()?;
            let parts = bytes.split(|byte| *byte == 0);
            let parts = parts.map(|part| OsString::from_vec(part.to_vec()));
            let mut parts: Vec<OsString> = parts.collect();
            // The last one ends with a zero, too.
            parts.pop_if(|last| last.is_empty());
            Some(parts)
        };
        let program = fs::read_link(process.join("exe")).ok()?;
        if program.file_name()? != "rustc" {
            return None;
        }
        let args = list("cmdline")?.into_iter().skip(1).collect();
        let env = list("environ")?.into_iter().filter_map(|variable| {
            let bytes = variable.into_vec();
            // A name may begin with `=`, but it is not empty.
            let at = bytes.iter().skip(1).position(|byte| *byte == b'=')? + 1;
            let value = OsString::from_vec(bytes[at + 1..].to_vec());
            Some((OsString::from_vec(bytes[..at].to_vec()), value))
        });
        let env = env
            .filter(|(name, _)| JOBSERVER.iter().all(|known| name != known))
            .collect();
        let directory = fs::read_link(process.join("cwd")).ok()?;
        // Before `exec`, it was another program with another environment.
        (fs::read_link(process.join("exe")).ok()? == program).then_some(Self {
            program,
            args,
            env,
            directory,
        })
    }

    /// Returns true if this compiles the plugin `crate_name` as a shared library, which is the same wherever rustc writes
    /// it, and nothing in it is in a file that may be gone.
    fn is_for(&self, crate_name: &str) -> bool {
        let is_file = |arg: &OsString| arg.as_encoded_bytes().starts_with(b"@");
        // The library names the files with its debug information.
        let is_split = |arg: &OsString| {
            let arg = arg.to_string_lossy();
            arg.contains("split-debuginfo=") && !arg.ends_with("=off")
        };
        self.value("--crate-name") == Some(OsStr::new(crate_name))
            && self.value("--crate-type") == Some(OsStr::new("cdylib"))
            && self.args.iter().any(|arg| arg == "hotswap_dylib")
            && self.value("--out-dir").is_some()
            && !self.args.iter().any(|arg| is_file(arg) || is_split(arg))
    }

    /// Returns the value of an option that is an argument of its own.
    fn value(&self, option: &str) -> Option<&OsStr> {
        let at = self.args.iter().position(|arg| arg == option)?;
        self.args.get(at + 1).map(OsString::as_os_str)
    }

    /// Returns the value of a `-C` option, written as Cargo writes it.
    fn codegen(&self, name: &str) -> Option<&str> {
        self.args.windows(2).find_map(|args| {
            let option = args[1].to_str().filter(|_| args[0] == "-C")?;
            option.strip_prefix(name)?.strip_prefix('=')
        })
    }

    /// Returns the path of the compiler.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Returns the directory into which Cargo lets rustc write.
    pub(crate) fn out_dir(&self) -> PathBuf {
        self.directory
            .join(self.value("--out-dir").unwrap_or_default())
    }

    /// Returns the name of the library in that directory.
    pub(crate) fn library(&self) -> String {
        let name = self.value("--crate-name").unwrap_or_default();
        let name = name.to_string_lossy();
        let extra = self.codegen("extra-filename").unwrap_or_default();
        let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        format!("{prefix}{name}{extra}{suffix}")
    }

    /// Returns the file that describes the target, if it is one of the user's own.
    pub(crate) fn target_file(&self) -> Option<PathBuf> {
        let file = self.directory.join(self.value("--target")?);
        file.extension()
            .is_some_and(|it| it == "json")
            .then_some(file)
    }

    /// Returns the call as a command that writes into `out_dir` instead.
    pub(crate) fn command(&self, out_dir: &Path) -> Command {
        let mut command = Command::new(&self.program);
        let mut is_out_dir = false;
        for arg in &self.args {
            if std::mem::replace(&mut is_out_dir, arg == "--out-dir") {
                command.arg(out_dir);
            } else {
                command.arg(arg);
            }
        }
        command
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory);
        command
    }

    /// Returns the time that linking took until `library` was there, if rustc compiled incrementally: it completes the
    /// directory of a session before it starts the linker.
    pub(crate) fn linking(&self, library: &Path) -> Option<Duration> {
        let linked = library.metadata().ok()?.modified().ok()?;
        let incremental = self.directory.join(self.codegen("incremental")?);
        let crate_name = self.value("--crate-name")?.to_str()?;
        let of_crate = |name: &str| {
            let id = name.strip_prefix(crate_name)?.strip_prefix('-')?;
            id.bytes()
                .all(|byte| byte.is_ascii_alphanumeric())
                .then_some(())
        };
        let mut last = None;
        for sessions in named(&incremental, |name| of_crate(name).is_some()) {
            let complete = |name: &str| {
                name.starts_with("s-") && !name.ends_with("-working") && !name.ends_with(".lock")
            };
            for session in named(&sessions, complete) {
                let found = session.metadata().ok().and_then(|it| changed(&it));
                last = last.max(found.filter(|found| *found <= linked));
            }
        }
        linked.duration_since(last?).ok()
    }
}

/// Returns the time at which a file was last changed or moved.
fn changed(found: &fs::Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt as _;
    let seconds = u64::try_from(found.ctime()).ok()?;
    let nanos = u32::try_from(found.ctime_nsec()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))
}

/// Returns the paths in `directory` whose name is `wanted`.
fn named(directory: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let wanted = entries.filter(|entry| entry.file_name().to_str().is_some_and(&wanted));
    wanted.map(|entry| entry.path()).collect()
}

/// Returns the processes that the threads of `parent` have started.
fn children(parent: Pid) -> Vec<String> {
    let threads = Path::new("/proc").join(parent.to_string()).join("task");
    let threads = named(&threads, |_| true).into_iter();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.join("children")).ok());
    let lists: Vec<String> = lists.collect();
    let pids = lists.iter().flat_map(|list| list.split_whitespace());
    pids.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(args: &[&str]) -> Invocation {
        Invocation {
            program: "/rustc".into(),
            args: args.iter().map(OsString::from).collect(),
            env: vec![],
            directory: "/ws".into(),
        }
    }

    const ARGS: [&str; 12] = [
        "--crate-name",
        "world",
        "src/lib.rs",
        "--crate-type",
        "cdylib",
        "--cfg",
        "hotswap_dylib",
        "-C",
        "extra-filename=-01",
        "--out-dir",
        "target/debug/deps",
        "--test-arg",
    ];

    #[test]
    fn only_the_output_goes_elsewhere() {
        let call = invocation(&ARGS);
        assert!(call.is_for("world"));
        assert!(!call.is_for("moon"));
        assert_eq!(call.out_dir(), Path::new("/ws/target/debug/deps"));
        assert_eq!(call.library(), "libworld-01.so");
        let command = call.command(Path::new("/else where"));
        let args: Vec<&OsStr> = command.get_args().collect();
        let mut expected = ARGS;
        expected[10] = "/else where";
        assert_eq!(args, expected);
        assert_eq!(command.get_current_dir(), Some(Path::new("/ws")));
    }

    #[test]
    fn an_ordinary_library_and_arguments_in_a_file_are_not_taken() {
        let ordinary = ARGS.map(|arg| if arg == "hotswap_dylib" { "other" } else { arg });
        assert!(!invocation(&ordinary).is_for("world"));
        let in_a_file = ARGS.map(|arg| {
            if arg == "--test-arg" {
                "@/tmp/args"
            } else {
                arg
            }
        });
        assert!(!invocation(&in_a_file).is_for("world"));
    }

    #[test]
    fn a_process_that_is_not_rustc_is_not_taken() {
        assert_eq!(Invocation::of(Path::new("/proc/self")), None);
    }
}
