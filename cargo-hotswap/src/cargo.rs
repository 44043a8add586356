//! Calls of Cargo: what they look like, and what comes of them.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::{Artifact, Message, Package, PackageId};

use crate::Error;
use crate::cli::{CompileOptions, MessageFormat};
use crate::session::{Session, without_cargos_variables};
use crate::workspace::{Workspace, explicit_target_dir, lock_options};

/// One call of Cargo, for one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    program: OsString,
    /// The workspace's root, where it is called, so that configuration is found no matter where the user is.
    directory: PathBuf,
    args: Vec<OsString>,
    /// What the macros of `hotswap-plugin` read.
    env: Vec<(&'static str, OsString)>,
    package: String,
}

/// What came of a call.
pub(crate) struct Made {
    /// All that was compiled for it, whether anew or not.
    pub(crate) artifacts: Vec<Artifact>,
    /// Where build scripts have the linker look for libraries: `native=/a/path`.
    pub(crate) linked_paths: Vec<String>,
}

/// Where the macros find how the names of what is live begin.
const LIVE_PREFIX: &str = "HOTSWAP_LIVE_PREFIX";
/// Where they find the plugins that are linked into a program.
const LINKED: &str = "HOTSWAP_LINKED";
/// And which program that is.
const LINKED_INTO: &str = "HOTSWAP_LINKED_INTO";

/// What all calls of one build share.
pub(crate) struct Calls<'a> {
    /// Which Cargo, and where we are.
    pub(crate) session: &'a Session,
    /// What is built.
    pub(crate) workspace: &'a Workspace,
    /// As given.
    pub(crate) options: &'a CompileOptions,
    /// More for Cargo.
    pub(crate) cargo_args: &'a [String],
    /// More for rustc.
    pub(crate) rustc_args: &'a [String],
    /// The form of Cargo's messages.
    pub(crate) format: MessageFormat,
}

impl Calls<'_> {
    /// Builds `plugin` as a shared library. The crate itself is an ordinary library.
    pub(crate) fn plugin(&self, plugin: &Package) -> Call {
        let mut args = self.common("rustc", plugin);
        args.extend(["--lib", "--crate-type", "cdylib"].map(OsString::from));
        args.extend(self.cargo_args.iter().map(OsString::from));
        args.extend(["--", "--cfg", "hotswap_dylib"].map(OsString::from));
        args.extend(self.rustc_args.iter().map(OsString::from));
        self.call(args, plugin)
    }

    /// Builds the binary `name` of `host`.
    pub(crate) fn host(&self, host: &Package, name: &str) -> Call {
        let mut args = self.common("build", host);
        args.extend(["--bin", name].map(OsString::from));
        self.call(args, host)
    }

    /// Builds `plugin` as a library that can be linked into a host. The metadata of it is its own: the same crate may be in
    /// the program once more, as an ordinary dependency.
    pub(crate) fn linked_plugin(&self, plugin: &Package) -> Call {
        let mut args = self.common("rustc", plugin);
        args.extend(["--lib", "--crate-type", "rlib"].map(OsString::from));
        args.extend(self.cargo_args.iter().map(OsString::from));
        args.extend(
            ["--", "--cfg", "hotswap_static", "-Cmetadata=hotswap_static"].map(OsString::from),
        );
        args.extend(self.rustc_args.iter().map(OsString::from));
        self.call(args, plugin)
    }

    /// Builds the binary `name` of `host` with the libraries of `link`, which the file `list` names.
    pub(crate) fn linked_host(
        &self,
        host: &Package,
        name: &str,
        list: &Path,
        link: impl IntoIterator<Item = OsString>,
    ) -> Call {
        let mut args = self.common("rustc", host);
        args.extend(["--bin", name].map(OsString::from));
        args.extend(self.cargo_args.iter().map(OsString::from));
        args.extend(["--", "--cfg", "hotswap_static"].map(OsString::from));
        args.extend(link);
        args.extend(self.rustc_args.iter().map(OsString::from));
        let mut call = self.call(args, host);
        let into = format!("{}:{name}", host.name);
        call.env
            .extend([(LINKED, list.into()), (LINKED_INTO, into.into())]);
        call
    }

    /// Removes what Cargo has built of these packages with these options, so that it builds them again.
    pub(crate) fn clean<'n>(&self, packages: impl Iterator<Item = &'n str> + Clone) -> Call {
        let options = self.options;
        let valued: [(&str, Option<OsString>); 3] = [
            ("--profile", options.profile.as_ref().map(OsString::from)),
            ("--target", options.target.as_ref().map(OsString::from)),
            (
                "--target-dir",
                explicit_target_dir(self.session, options).map(OsString::from),
            ),
        ];
        let mut args = vec![OsString::from("clean")];
        for (name, value) in valued {
            args.extend(value.into_iter().flat_map(|value| [name.into(), value]));
        }
        args.extend(options.release.then(|| "--release".into()));
        args.extend(lock_options(options).into_iter().map(OsString::from));
        args.extend(
            packages
                .clone()
                .flat_map(|name| ["--package".into(), name.into()]),
        );
        Call {
            program: self.session.cargo.clone(),
            directory: self.workspace.root.clone(),
            args,
            env: vec![],
            package: packages.collect::<Vec<_>>().join("`, `"),
        }
    }

    fn call(&self, args: Vec<OsString>, package: &Package) -> Call {
        Call {
            program: self.session.cargo.clone(),
            directory: self.workspace.root.clone(),
            args,
            env: self
                .options
                .live_prefix
                .iter()
                .map(|prefix| (LIVE_PREFIX, prefix.into()))
                .collect(),
            package: package.name.to_string(),
        }
    }

    fn common(&self, command: &str, package: &Package) -> Vec<OsString> {
        let manifest = package.manifest_path.as_std_path();
        let manifest = manifest
            .strip_prefix(&self.workspace.root)
            .unwrap_or(manifest);
        let options = self.options;
        let features = features_of(package, &options.features);
        let valued: [(&str, Option<OsString>); 6] = [
            ("--manifest-path", Some(manifest.into())),
            ("--profile", options.profile.as_ref().map(OsString::from)),
            ("--target", options.target.as_ref().map(OsString::from)),
            (
                "--features",
                (!features.is_empty()).then(|| features.join(",").into()),
            ),
            (
                "--target-dir",
                explicit_target_dir(self.session, options).map(OsString::from),
            ),
            ("--message-format", Some(self.cargo_format().into())),
        ];
        let flags = [
            (options.release, "--release"),
            (options.all_features, "--all-features"),
            (options.no_default_features, "--no-default-features"),
        ];
        let mut args = vec![OsString::from(command)];
        for (name, value) in valued {
            args.extend(value.into_iter().flat_map(|value| [name.into(), value]));
        }
        args.extend(
            flags
                .iter()
                .filter(|(given, _)| *given)
                .map(|(_, flag)| OsString::from(flag)),
        );
        args.extend(lock_options(options).into_iter().map(OsString::from));
        args
    }

    fn cargo_format(&self) -> &'static str {
        match self.format {
            // Diagnostics as text to stderr, the rest as JSON to stdout, where it is read here.
            MessageFormat::Human => "json-render-diagnostics",
            MessageFormat::Json => "json",
        }
    }
}

impl Call {
    /// What tells the call from others, whichever Cargo makes it.
    pub(crate) fn identity(&self) -> String {
        format!("{:?} {:?} {:?}", self.directory, self.args, self.env)
    }

    /// The call as it would be typed.
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

    /// Makes the call and returns what was built, whether anew or not.
    ///
    /// # Errors
    /// [`Error::Compilation`] where Cargo fails: the reason is on stderr by then.
    pub(crate) fn run(&self, session: &Session, format: MessageFormat) -> Result<Made, Error> {
        session.ui.detail("Running", self.shown());
        let program = || self.program.to_string_lossy().into_owned();
        let (first, rest) = self.args.split_first().ok_or(Error::Compilation {
            package: self.package.clone(),
            code: None,
        })?;
        let mut command = Command::new(&self.program);
        command
            .arg(first)
            .args(session.ui.cargo_options())
            .args(rest)
            .current_dir(&self.directory)
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        without_cargos_variables(&mut command);
        let mut running =
            session
                .interrupt
                .spawn(&mut command)?
                .map_err(|source| Error::StartCargo {
                    program: program(),
                    source,
                })?;
        let (stdout, stderr) = (running.child.stdout.take(), running.child.stderr.take());
        let made = std::thread::scope(|scope| {
            scope.spawn(|| {
                for line in stderr
                    .into_iter()
                    .flat_map(|stderr| BufReader::new(stderr).split(b'\n'))
                    .map_while(Result::ok)
                {
                    session.ui.relay(&String::from_utf8_lossy(&line));
                }
            });
            let mut made = Made {
                artifacts: vec![],
                linked_paths: vec![],
            };
            for line in stdout
                .into_iter()
                .flat_map(|stdout| BufReader::new(stdout).lines())
            {
                let line = line?;
                if format == MessageFormat::Json {
                    session.ui.result(&line);
                }
                match serde_json::from_str(&line) {
                    Ok(Message::CompilerArtifact(artifact)) => made.artifacts.push(artifact),
                    Ok(Message::BuildScriptExecuted(script)) => {
                        let paths = script.linked_paths.into_iter();
                        made.linked_paths.extend(paths.map(Into::into));
                    }
                    _ => {}
                }
            }
            Ok(made)
        });
        let source = |source| Error::CargoOutput {
            program: program(),
            source,
        };
        let status = running.wait()?.map_err(source)?;
        if !status.success() {
            return Err(Error::Compilation {
                package: self.package.clone(),
                code: status.code(),
            });
        }
        made.map_err(source)
    }
}

/// The file among `artifacts` that `wanted` accepts, of the package `id`.
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

/// Refuses features that none of `packages` has; with several packages each gets those it has, as with Cargo.
pub(crate) fn check_features<'p>(
    packages: impl Iterator<Item = &'p Package> + Clone,
    given: &[String],
) -> Result<(), Error> {
    for feature in split(given) {
        if !packages
            .clone()
            .any(|package| feature_of(package, feature).is_some())
        {
            return Err(Error::UnknownFeature {
                feature: feature.to_owned(),
            });
        }
    }
    Ok(())
}

fn features_of(package: &Package, given: &[String]) -> Vec<String> {
    split(given)
        .filter_map(|feature| feature_of(package, feature))
        .map(str::to_owned)
        .collect()
}

/// Cargo takes spaces between features, too.
fn split(given: &[String]) -> impl Iterator<Item = &str> {
    given
        .iter()
        .flat_map(|features| features.split([' ', ',']))
        .filter(|feature| !feature.is_empty())
}

/// How `package` knows `feature`, if it does: as its own, its own with its name before it, or a dependency's.
fn feature_of<'f>(package: &Package, feature: &'f str) -> Option<&'f str> {
    match feature.split_once('/') {
        None => package.features.contains_key(feature).then_some(feature),
        Some((name, own)) if name == package.name.as_str() => {
            package.features.contains_key(own).then_some(own)
        }
        Some((name, _)) => {
            let name = name.trim_end_matches('?');
            let known = |dependency: &cargo_metadata::Dependency| {
                dependency.rename.as_deref().unwrap_or(&dependency.name) == name
            };
            package.dependencies.iter().any(known).then_some(feature)
        }
    }
}

/// `word` as a shell takes it for one.
pub(crate) fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| format!("{word:?}"), std::borrow::Cow::into_owned)
}
