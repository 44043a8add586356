//! The calls of Cargo that a build makes.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use cargo_metadata::{Package, PackageId};
use hotswap_host::artifact::SourceLocation;

use crate::Error;
use crate::call::{Call, Made, Messages, Relabel};
use crate::cli::{CompileOptions, MessageFormat};
use crate::fresh::Compiled;
use crate::session::Session;
use crate::unify::tree::{Added, FORMAT};
use crate::workspace::{Workspace, explicit_target_dir, library, lock_options};

/// The variable from which the macros read the prefix of live names.
const LIVE_PREFIX: &str = "HOTSWAP_LIVE_PREFIX";
/// The variable from which they read the list of the plugins that are linked into a program.
const LINKED: &str = "HOTSWAP_LINKED";
/// The variable for Cargo's directory of intermediate files, if that is not in the target directory.
const BUILD_DIR: &str = "CARGO_BUILD_BUILD_DIR";
/// The variable that names this program.
const LINKED_INTO: &str = "HOTSWAP_LINKED_INTO";

/// The parameters that all calls of one build share.
pub(crate) struct Calls<'a> {
    /// Which Cargo is called, and where the user is.
    pub(crate) session: &'a Session,
    /// The workspace to build.
    pub(crate) workspace: &'a Workspace,
    /// The options, as the user gave them.
    pub(crate) options: &'a CompileOptions,
    /// More arguments for Cargo.
    pub(crate) cargo_args: &'a [String],
    /// More arguments for rustc.
    pub(crate) rustc_args: &'a [String],
    /// The format of stdout.
    pub(crate) format: MessageFormat,
    /// Changes the text of the compiler's messages.
    pub(crate) relabel: Option<&'a Relabel<'a>>,
    /// True if the plugins are to be compiled again [without Cargo](crate::replay).
    pub(crate) replayed: bool,
    /// True if the host is built, too, with the features that its plugins need.
    pub(crate) builds_host: bool,
}

impl Calls<'_> {
    /// Returns the call that builds `plugin` as a shared library, with the standard libraries in `thin` if there are
    /// any. Its manifest says that it is an ordinary library.
    pub(crate) fn plugin(&self, plugin: &Package, thin: Option<&Path>) -> Call {
        let mut args = self.building("rustc", plugin);
        args.extend(["--lib", "--crate-type", "cdylib"].map(OsString::from));
        args.extend(self.cargo_args.iter().map(OsString::from));
        args.extend(["--", "--cfg", "hotswap_dylib"].map(OsString::from));
        if let Some(thin) = thin {
            args.extend(["--sysroot".into(), self.for_rustc(plugin, thin).into()]);
        }
        args.extend(self.rustc_args.iter().map(OsString::from));
        let library = library(plugin).filter(|_| self.replayed);
        Call {
            replayed: library.map(|library| library.name.replace('-', "_")),
            ..self.call(args, plugin)
        }
    }

    /// Returns `path` as the shortest that rustc understands when Cargo starts it for `plugin`. Cargo makes names of
    /// symbols from arguments, and they are the same in another checkout if a path in them is.
    fn for_rustc<'p>(&self, plugin: &Package, path: &'p Path) -> &'p Path {
        let root = &self.workspace.root;
        // For a package outside, Cargo starts rustc in the package's directory.
        let is_inside = library(plugin).is_some_and(|it| it.src_path.starts_with(root));
        let inside = path.strip_prefix(root).ok();
        inside.filter(|_| is_inside).unwrap_or(path)
    }

    /// Returns the call that builds the binary `name` of `host`.
    pub(crate) fn host(&self, host: &Package, name: &str) -> Call {
        let mut args = self.building("build", host);
        args.extend(["--bin", name].map(OsString::from));
        self.call(args, host)
    }

    /// Returns the command with which Cargo runs the binary `name` of `host`, which is built, as the user would run it
    /// in their directory: with the same environment, search paths, and runner.
    pub(crate) fn run_host(&self, host: &Package, name: &str, args: &[OsString]) -> Command {
        let mut words = self.common("run", host, &self.session.dir);
        words.extend(["--quiet", "--bin", name].map(OsString::from));
        let workspace = self.workspace;
        if explicit_target_dir(self.session, self.options, &workspace.root).is_none() {
            words.extend(["--target-dir".into(), workspace.target_dir.clone().into()]);
        }
        // Cargo reads the configuration of the directory in which it is called.
        for file in workspace.configuration_unseen_from(&self.session.dir) {
            words.extend(["--config".into(), file.into()]);
        }
        words.push("--".into());
        words.extend(args.iter().cloned());
        let mut call = self.call(words, host);
        call.directory.clone_from(&self.session.dir);
        // The host was built in another directory, from which a relative path means another one.
        let build_dir = std::env::var_os(BUILD_DIR).filter(|value| !value.is_empty());
        let build_dir = build_dir.map(|directory| workspace.directory.join(directory));
        call.env.extend(build_dir.map(|it| (BUILD_DIR, it.into())));
        self.session.ui.detail("Running", call.shown());
        call.command(&[])
    }

    /// Returns the call that builds `plugin` as a library that can be linked into a host. It has metadata of its own,
    /// since the same crate may be in the program once more, as an ordinary dependency.
    pub(crate) fn linked_plugin(&self, plugin: &Package) -> Call {
        let mut args = self.building("rustc", plugin);
        args.extend(["--lib", "--crate-type", "rlib"].map(OsString::from));
        args.extend(self.cargo_args.iter().map(OsString::from));
        args.extend(
            ["--", "--cfg", "hotswap_static", "-Cmetadata=hotswap_static"].map(OsString::from),
        );
        args.extend(self.rustc_args.iter().map(OsString::from));
        self.call(args, plugin)
    }

    /// Returns the call that builds the binary `name` of `host` with the libraries of `link`, which the file `list`
    /// lists.
    pub(crate) fn linked_host(
        &self,
        host: &Package,
        name: &str,
        list: &Path,
        link: impl IntoIterator<Item = OsString>,
    ) -> Call {
        let mut args = self.building("rustc", host);
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

    /// Makes `call`, which is for `package`. The caller holds the lock of the target directory.
    ///
    /// # Errors
    /// Returns [`Error::Compilation`] if Cargo fails, which has printed the reason to stderr.
    pub(crate) fn make(&self, call: &Call, package: &Package) -> Result<Made, Error> {
        /// A stale package may show only after the package that depends on it was built again.
        const ROUNDS: usize = 3;
        let mut compiled = Compiled::read(self.workspace);
        let run = |compiled: &mut Compiled| {
            let mut made = Made::default();
            let began = SystemTime::now();
            let result = call.run(self.session, self.messages(), &mut made);
            if result.is_err() {
                compiled.note_failure(self.workspace, &made, began);
                compiled.write(self.workspace);
            }
            result.map(|()| made)
        };
        let mut made = run(&mut compiled)?;
        for _ in 0..ROUNDS {
            let stale = compiled.stale(self.workspace, package, &made);
            if stale.is_empty() {
                break;
            }
            self.clean(&stale, package)?;
            compiled.forget(&made, &stale);
            compiled.write(self.workspace);
            made = run(&mut compiled)?;
        }
        compiled.write(self.workspace);
        Ok(made)
    }

    /// Returns the call that prints the crates of `package`, if it is built with `added`, as
    /// [`Tree`](crate::unify::tree::Tree) reads them. Procedural macros and what they are made of have features of their own.
    pub(crate) fn tree(&self, package: &Package, added: &Added) -> Call {
        let mut args = vec![OsString::from("tree")];
        args.extend(self.source(package, &self.workspace.directory));
        args.extend(self.features(package, added.keys().map(String::as_str)));
        let edges = ["--edges", "normal,no-proc-macro", "--prefix", "depth"];
        args.extend(edges.map(OsString::from));
        args.extend(["--format", FORMAT].map(OsString::from));
        self.call(args, package)
    }

    /// Returns how Cargo finds the sources of `package` again, for its note.
    pub(crate) fn source_location(&self, package: &Package) -> Option<SourceLocation> {
        let features = self.features(package, []).into_iter();
        let features: Result<_, _> = features.map(OsString::into_string).collect();
        let manifest = package.manifest_path.as_std_path();
        SourceLocation::new(&self.workspace.directory, manifest, features.ok()?)
    }

    /// Lets Cargo remove its output for these packages.
    fn clean(&self, packages: &BTreeSet<PackageId>, of: &Package) -> Result<(), Error> {
        let mut args = vec![OsString::from("clean"), "--quiet".into()];
        args.extend(self.source(of, &self.workspace.directory));
        args.extend(self.output());
        for package in packages {
            args.extend(["--package".into(), package.repr.clone().into()]);
        }
        let call = self.call(args, of);
        let names: Vec<_> = packages.iter().map(name_of).collect();
        self.session.ui.info(
            "Stale",
            format_args!(
                "{}: cargo did not notice that its sources have changed; built again",
                names.join(", ")
            ),
        );
        call.run(self.session, self.messages(), &mut Made::default())
    }

    /// Returns the arguments that name the package, as seen from `directory`, and the target.
    fn source(&self, package: &Package, directory: &Path) -> Vec<OsString> {
        let manifest = package.manifest_path.as_std_path();
        let manifest = manifest.strip_prefix(directory).unwrap_or(manifest);
        let mut args = vec!["--manifest-path".into(), manifest.into()];
        if let Some(target) = &self.options.target {
            args.extend(["--target", target].map(OsString::from));
        }
        args.extend(lock_options(self.options).into_iter().map(OsString::from));
        args
    }

    /// Returns the arguments for the output's place.
    fn output(&self) -> Vec<OsString> {
        let options = self.options;
        let mut args = vec![];
        if let Some(profile) = &options.profile {
            args.extend(["--profile", profile].map(OsString::from));
        }
        args.extend(options.release.then(|| "--release".into()));
        if let Some(directory) = explicit_target_dir(self.session, options, &self.workspace.root) {
            args.extend(["--target-dir".into(), directory.into()]);
        }
        args
    }

    /// Returns the arguments for the features of `package`: those that the user has asked for, and those in `added`.
    fn features<'f>(
        &self,
        package: &Package,
        added: impl IntoIterator<Item = &'f str>,
    ) -> Vec<OsString> {
        let options = self.options;
        let mut features = features_of(package, &options.features);
        features.extend(added.into_iter().map(str::to_owned));
        let mut args = vec![];
        if !features.is_empty() {
            args.extend(["--features".into(), features.join(",").into()]);
        }
        args.extend(options.all_features.then(|| "--all-features".into()));
        args.extend(
            options
                .no_default_features
                .then(|| "--no-default-features".into()),
        );
        args
    }

    fn call(&self, args: Vec<OsString>, package: &Package) -> Call {
        Call {
            program: self.session.cargo.clone(),
            directory: self.workspace.directory.clone(),
            args,
            env: self
                .options
                .live_prefix
                .iter()
                .map(|prefix| (LIVE_PREFIX, prefix.into()))
                .collect(),
            package: package.name.to_string(),
            replayed: None,
        }
    }

    fn common(&self, command: &str, package: &Package, directory: &Path) -> Vec<OsString> {
        let unified = self.workspace.unified.borrow();
        let args = [
            self.source(package, directory),
            self.output(),
            self.features(package, unified.added(&package.id)),
        ];
        let command = OsString::from(command);
        std::iter::once(command)
            .chain(args.into_iter().flatten())
            .collect()
    }

    /// Returns the arguments of a call whose messages are read here.
    fn building(&self, command: &str, package: &Package) -> Vec<OsString> {
        let mut args = self.common(command, package, &self.workspace.directory);
        args.extend(["--message-format", self.cargo_format()].map(OsString::from));
        args
    }

    fn messages(&self) -> Messages<'_> {
        Messages {
            format: self.format,
            relabel: self.relabel,
        }
    }

    fn cargo_format(&self) -> &'static str {
        match self.format {
            MessageFormat::Human if self.relabel.is_some() => "json",
            // Cargo prints diagnostics as text to stderr, and the rest as JSON to stdout, which is read here.
            MessageFormat::Human => "json-render-diagnostics",
            MessageFormat::Json => "json",
        }
    }
}

/// Refuses features that none of `packages` has. If there are several packages, each gets those it has, as with Cargo.
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

/// Splits features at commas and spaces, as Cargo does.
fn split(given: &[String]) -> impl Iterator<Item = &str> {
    given
        .iter()
        .flat_map(|features| features.split([' ', ',']))
        .filter(|feature| !feature.is_empty())
}

/// Returns the name by which `package` knows `feature`, if it does: as its own, as its own after its name, or as a
/// dependency's.
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

/// Returns the package's name, which is at the end of its id, or of the path in it.
pub(crate) fn name_of(id: &PackageId) -> &str {
    let (path, fragment) = id.repr.rsplit_once('#').unwrap_or(("", &id.repr));
    match fragment.split_once('@') {
        Some((name, _)) => name,
        None => path.rsplit('/').next().unwrap_or(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_package_is_in_its_id() {
        let name = |repr: &str| name_of(&PackageId { repr: repr.into() }).to_owned();
        assert_eq!(name("path+file:///a/some%20where/app/world#0.1.0"), "world");
        assert_eq!(name("path+file:///a/other#world@0.1.0"), "world");
    }
}
