//! A call of Cargo: how it is made, and its output.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anstream::adapter::strip_str;
use cargo_metadata::{Artifact, Message, PackageId};
use rustix::process::Pid;

use crate::Error;
use crate::cli::MessageFormat;
use crate::invocation::Invocation;
use crate::session::{Session, without_cargos_variables};

/// One call of Cargo, for one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) program: OsString,
    /// The directory in which it is called. It decides on the configuration, wherever the user is.
    pub(crate) directory: PathBuf,
    pub(crate) args: Vec<OsString>,
    /// The environment variables that the macros of `hotswap-plugin` read.
    pub(crate) env: Vec<(&'static str, OsString)>,
    pub(crate) package: String,
    /// The crate name of a plugin whose call of rustc is to be found out.
    pub(crate) replayed: Option<String>,
}

/// The form of Cargo's messages.
#[derive(Clone, Copy)]
pub(crate) struct Messages<'a> {
    /// The format of stdout.
    pub(crate) format: MessageFormat,
    /// Changes the text of the compiler's messages.
    pub(crate) relabel: Option<&'a Relabel<'a>>,
}

/// Changes the text of a message.
pub(crate) type Relabel<'a> = dyn Fn(&str) -> String + Sync + 'a;

/// The output of a call of Cargo.
#[derive(Default)]
pub(crate) struct Made {
    /// All artifacts, whether compiled now or fresh.
    pub(crate) artifacts: Vec<Artifact>,
    /// The directories in which build scripts let the linker look for libraries, such as `native=/a/path`.
    pub(crate) linked_paths: Vec<String>,
    /// The build scripts that have run, now or before.
    pub(crate) scripts: Vec<Script>,
    /// How rustc was called for the plugin, if that was asked for and seen.
    pub(crate) invocation: Option<Invocation>,
}

/// A build script that has run.
pub(crate) struct Script {
    pub(crate) package_id: PackageId,
    /// The directory for its files. Its output lies beside that.
    pub(crate) out_dir: PathBuf,
}

/// The first words of the lines in which Cargo reports downloads and new versions.
const STATUSES: [&str; 5] = ["Updating", "Locking", "Adding", "Downloading", "Downloaded"];
/// The errors with which rustc refuses a second allocator: the plugin, or a crate that it depends on, has one in
/// addition to that of `#[plugin]`.
const TWO_ALLOCATORS: [&str; 2] = [
    "cannot define multiple global allocators",
    "conflicts with global allocator in",
];
/// The hint for a call with one of these errors.
const OWN_ALLOCATOR: &str =
    "it has a global allocator of its own; write `#[plugin(allocator = false)]`";
/// The parts of the line in which rustc refuses the [standard libraries](crate::thin) of another compiler.
const OF_ANOTHER: [&str; 2] = [" compiled by rustc ", "hotswap/thin-"];
/// The hint for a call with such a line.
const ANOTHER_COMPILER: &str =
    "Cargo starts another compiler than the `rustc` on the path; name one in the variable RUSTC";

impl Made {
    /// Returns the directories below `target_dir` in which build scripts let the linker look. Their libraries may be
    /// needed at run time, too, and Cargo lets programs look there.
    pub(crate) fn library_paths(&self, target_dir: &Path) -> Vec<PathBuf> {
        let paths = self.linked_paths.iter();
        // `native=/a/path`, or the path alone.
        let paths = paths.map(|path| match path.split_once('=') {
            Some((kind, path)) if !kind.contains('/') => PathBuf::from(path),
            _ => PathBuf::from(path),
        });
        paths.filter(|path| path.starts_with(target_dir)).collect()
    }
}

impl Call {
    /// Returns the call as a user would type it.
    pub(crate) fn shown(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.args);
        let words: Vec<String> = words.map(|word| quoted(&word.to_string_lossy())).collect();
        let env = self.env.iter();
        let env = env.map(|(name, value)| format!("{name}={} ", quoted(&value.to_string_lossy())));
        format!(
            "cd {} && {}{}",
            quoted(&self.directory.to_string_lossy()),
            env.collect::<String>(),
            words.join(" ")
        )
    }

    /// Returns the call as a command, with these options before the subcommand.
    pub(crate) fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        without_cargos_variables(&mut command);
        command
            .args(options)
            .args(&self.args)
            .current_dir(&self.directory)
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Makes the call, which asks Cargo for something, and returns the answer, or `None` if Cargo fails. A build will fail
    /// for the same reason, and report it. Until then, only downloads are reported.
    pub(crate) fn answer(&self, session: &Session) -> Result<Option<String>, Error> {
        let mut command = self.command(&session.ui.cargo_options());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let program = || self.program.to_string_lossy().into_owned();
        let mut running =
            session
                .interrupt
                .spawn(&mut command)?
                .map_err(|source| Error::StartCargo {
                    program: program(),
                    source,
                })?;
        let (stdout, stderr) = (running.child.stdout.take(), running.child.stderr.take());
        let mut answer = vec![];
        let read = std::thread::scope(|scope| {
            let stderr = stderr.into_iter();
            scope.spawn(|| {
                let lines = stderr.flat_map(|stderr| BufReader::new(stderr).lines());
                let lines = lines.map_while(Result::ok);
                lines
                    .filter(|line| is_of_download(line))
                    .for_each(|line| session.ui.relay(&line));
            });
            let mut stdout = stdout.into_iter();
            stdout.try_for_each(|mut stdout| stdout.read_to_end(&mut answer).map(drop))
        });
        let source = |source| Error::CargoOutput {
            program: program(),
            source,
        };
        let status = running.wait()?.map_err(source)?;
        read.map_err(source)?;
        let answer = strip_str(&String::from_utf8_lossy(&answer)).to_string();
        Ok(status.success().then_some(answer))
    }

    /// Makes the call, and adds its artifacts to `made`, whether compiled now or fresh, also if it fails.
    ///
    /// # Errors
    /// Returns [`Error::Compilation`] if Cargo fails, which has printed the reason to stderr.
    pub(crate) fn run(
        &self,
        session: &Session,
        messages: Messages<'_>,
        made: &mut Made,
    ) -> Result<(), Error> {
        session.ui.detail("Running", self.shown());
        let program = || self.program.to_string_lossy().into_owned();
        let mut command = self.command(&session.ui.cargo_options());
        command
            // A link to a web page is an escape sequence, which would be printed visibly.
            .env("CARGO_TERM_HYPERLINKS", "false")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut running =
            session
                .interrupt
                .spawn(&mut command)?
                .map_err(|source| Error::StartCargo {
                    program: program(),
                    source,
                })?;
        let hint = OnceLock::new();
        let (stdout, stderr) = (running.child.stdout.take(), running.child.stderr.take());
        let ended = AtomicBool::new(false);
        let cargo = Pid::from_child(&running.child);
        let heard = std::thread::scope(|scope| {
            let seen = self.replayed.as_deref().map(|name| {
                let ended = &ended;
                scope.spawn(move || Invocation::watch(cargo, name, ended))
            });
            scope.spawn(|| {
                for line in stderr
                    .into_iter()
                    .flat_map(|stderr| BufReader::new(stderr).split(b'\n'))
                    .map_while(Result::ok)
                {
                    let line = String::from_utf8_lossy(&line);
                    note_hint(&line, &hint);
                    session.ui.relay(&line);
                }
            });
            let heard = stdout.into_iter().try_for_each(|stdout| {
                BufReader::new(stdout).lines().try_for_each(|line| {
                    hear(session, messages, &line?, made, &hint);
                    Ok(())
                })
            });
            ended.store(true, Relaxed);
            made.invocation = seen.and_then(|seen| seen.join().expect("looking does not panic"));
            heard
        });
        let source = |source| Error::CargoOutput {
            program: program(),
            source,
        };
        let status = running.wait()?.map_err(source)?;
        if !status.success() {
            let hint = hint.into_inner();
            return Err(Error::Compilation {
                package: self.package.clone(),
                code: status.code(),
                hint,
            });
        }
        heard.map_err(source)
    }
}

/// Returns true if Cargo reports with `line` that it downloads something, or which versions it has chosen.
fn is_of_download(line: &str) -> bool {
    let line = strip_str(line).to_string();
    let first = line.split_whitespace().next().unwrap_or_default();
    line.starts_with(' ') && STATUSES.contains(&first)
}

/// Takes the hint for a line of the compiler's, if there is one and none is known yet.
fn note_hint(line: &str, hint: &OnceLock<&'static str>) {
    let found = if TWO_ALLOCATORS.iter().any(|it| line.contains(it)) {
        OWN_ALLOCATOR
    } else if OF_ANOTHER.iter().all(|it| line.contains(it)) {
        ANOTHER_COMPILER
    } else {
        return;
    };
    hint.get_or_init(|| found);
}

/// Takes a line of Cargo's stdout.
fn hear(
    session: &Session,
    messages: Messages<'_>,
    line: &str,
    made: &mut Made,
    hint: &OnceLock<&'static str>,
) {
    note_hint(line, hint);
    if messages.format == MessageFormat::Json {
        session.ui.relay_json(line);
    }
    match serde_json::from_str(line) {
        Ok(Message::CompilerMessage(message)) => {
            if let (Some(relabel), Some(text)) = (messages.relabel, message.message.rendered) {
                let text = relabel(&text);
                text.lines().for_each(|line| session.ui.relay(line));
            }
        }
        Ok(Message::CompilerArtifact(artifact)) => made.artifacts.push(artifact),
        Ok(Message::BuildScriptExecuted(script)) => {
            let paths = script.linked_paths.into_iter();
            made.linked_paths.extend(paths.map(Into::into));
            made.scripts.push(Script {
                package_id: script.package_id,
                out_dir: script.out_dir.into(),
            });
        }
        _ => {}
    }
}

/// Returns the file among `artifacts` that `wanted` accepts, of the package `id`.
pub(crate) fn file_of(
    artifacts: &[Artifact],
    id: &PackageId,
    wanted: impl Fn(&Artifact, &Path) -> bool,
) -> Option<PathBuf> {
    artifacts
        .iter()
        .filter(|artifact| artifact.package_id == *id)
        .flat_map(|artifact| {
            artifact
                .filenames
                .iter()
                .chain(&artifact.executable)
                .map(move |file| (artifact, file))
        })
        .find(|(artifact, file)| wanted(artifact, file.as_std_path()))
        .map(|(_, file)| file.clone().into_std_path_buf())
}

/// Quotes `word` for a shell.
pub(crate) fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| format!("{word:?}"), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_with_a_hint_counts() {
        let hint = OnceLock::new();
        note_hint("error: cannot find type `String`", &hint);
        assert_eq!(hint.get(), None);
        let other = "crate `std` compiled by rustc 1.95.0 (59807616e 2026-04-14): \
                     target/hotswap/thin-6150b15f/lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd-d1237ef7159db0a2.rlib";
        note_hint(other, &hint);
        note_hint("error: cannot define multiple global allocators", &hint);
        assert_eq!(hint.get(), Some(&ANOTHER_COMPILER));
    }
}
