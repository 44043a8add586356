//! `cargo hotswap patch`

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use cargo_metadata::Package;
use hotswap_host::PluginName;
use hotswap_host::artifact::{self, Artifact};
use hotswap_host::shown::nearest;
use hotswap_source::{Edited, Injection, SourceError, Sources};

use crate::asked::{self, Asked};
use crate::build::{self, Variant};
use crate::call::quoted;
use crate::cli::PatchArgs;
use crate::error::{exit, io};
use crate::install::replace;
use crate::output::base_dir;
use crate::patch::{Overlay, Places};
use crate::project::Project;
use crate::session::Session;
use crate::workspace::{directory, library};
use crate::{Error, hosts};

/// Builds a plugin with a function changed, and makes every host that loads from that directory reload it. The files of
/// the package stay as they are.
pub(crate) fn execute(session: &Session, args: &PatchArgs) -> Result<u8, Error> {
    let named = args.function.as_deref().unwrap_or_default();
    let (plugin, function) = split(named)?;
    let project = Project::open(session, args.host.as_deref(), &args.compile)?;
    let plugin_dir = project.plugin_dir()?;
    if !args.dry_run && hosts::of(&plugin_dir).is_empty() {
        return Err(hosts::none_of(plugin_dir));
    }
    let target = Target::find(&project, &plugin_dir, plugin)?;
    let refused = |source| Error::Patch {
        function: named.to_owned(),
        source,
    };
    let (change, text) = change(session, &project, &target, function, args)?;
    let edited = match &change {
        Change::Text(text) => target.sources.rewrite(function, text),
        Change::Injection(injection) => target.sources.inject(function, injection),
    };
    let edited = edited.map_err(refused)?;
    let diff = edited.diff(&target.sources);
    if diff.is_empty() {
        session.ui.info("Unchanged", named);
        return Ok(exit::SUCCESS);
    }
    session.ui.result(diff.trim_end());
    if args.dry_run {
        return Ok(exit::SUCCESS);
    }
    if target.artifact.metadata.state.is_none() && !args.reset_state {
        return Err(Error::NoState {
            plugin: target.artifact.metadata.name.clone(),
        });
    }
    let asked = asked(args);
    asked.check(&plugin_dir)?;
    let file = &target.artifact.file;
    let earlier = std::fs::read(file).map_err(io("read", file))?;
    target.build(&project, &edited, text.as_deref())?;
    match asked::reload_all(session, &plugin_dir, &asked) {
        Ok(code) => Ok(code),
        Err(error) => {
            if let Error::ReloadFailed { .. } | Error::NotPermanent = error {
                // The next start of the host is on what it runs.
                replace(session, file, &earlier)?;
            }
            Err(error)
        }
    }
}

/// Returns what the hosts are asked for.
fn asked(args: &PatchArgs) -> Asked {
    #[allow(unused_mut)]
    let mut asked = Asked {
        patience: args.timeout.map(Duration::from_secs),
        ..Asked::default()
    };
    #[cfg(feature = "control")]
    {
        asked.request.reason.clone_from(&args.why.reason);
        asked.request.deployment.clone_from(&args.why.deployment);
    }
    asked
}

/// Splits `world::World::hum` into the plugin and the function.
fn split(text: &str) -> Result<(&str, &str), Error> {
    match text.split_once("::") {
        Some((plugin, function)) if !plugin.is_empty() && !function.is_empty() => {
            Ok((plugin, function))
        }
        _ => Err(Error::NoFunctionOfPlugin {
            given: text.to_owned(),
        }),
    }
}

/// A plugin that is patched.
struct Target<'p> {
    package: &'p Package,
    /// The artifact that the host loads.
    artifact: Artifact,
    /// The sources of that artifact.
    sources: Sources,
}

impl<'p> Target<'p> {
    fn find(project: &'p Project<'_>, plugin_dir: &Path, plugin: &str) -> Result<Self, Error> {
        let name = PluginName::from(plugin);
        let files = artifact::find(plugin_dir).unwrap_or_default();
        let artifacts = files.iter().filter_map(|file| Artifact::read(file).ok());
        let (mut found, others): (Vec<_>, Vec<_>) =
            artifacts.partition(|artifact| artifact.metadata.name == name);
        let (_, group) = project.host()?;
        let found = found.pop().and_then(|artifact| {
            let mut plugins = group.plugins.iter();
            let of_crate = |package: &&&Package| *package.name == *artifact.metadata.crate_name;
            let package = *plugins.find(of_crate)?;
            Some((package, artifact))
        });
        let Some((package, artifact)) = found else {
            let known = others
                .iter()
                .map(|artifact| artifact.metadata.name.as_str());
            return Err(Error::NoPluginToPatch {
                nearest: nearest(plugin, known).map(str::to_owned),
                directory: plugin_dir.to_owned(),
                name,
            });
        };
        let sources = sources(project, package, &artifact)?;
        Ok(Self {
            package,
            artifact,
            sources,
        })
    }

    /// Builds and installs the plugin with these sources.
    fn build(
        &self,
        project: &Project<'_>,
        edited: &Edited,
        text: Option<&Path>,
    ) -> Result<(), Error> {
        let workspace = &project.workspace;
        let package = directory(self.package);
        let below = match package.starts_with(&workspace.root) {
            true => &*workspace.root,
            false => package,
        };
        let root = library(self.package).expect("a plugin has a library");
        let root = root.src_path.as_std_path();
        let overlay = overlays(project).join(&*self.package.name);
        let overlay = Overlay::new(below, overlay, root);
        let file = overlay.path(&package.join(&edited.changes[0].file));
        let places = text.map(|text| Places {
            overlay: &overlay.directory,
            file: &file,
            change: &edited.changes[0],
            text,
        });
        let relabel = |message: &str| match &places {
            Some(places) => places.named(message),
            None => message.to_owned(),
        };
        let mut calls = project.calls();
        calls.relabel = Some(&relabel);
        let (_, group) = project.host()?;
        build::variant(&calls, &group, self.package, || {
            let files = edited.sources.files().iter();
            let texts = files.map(|file| (package.join(&file.path), &*file.text));
            let written = overlay.write(&texts.collect());
            written.map_err(io("write", &overlay.directory))?;
            let env = overlay.environment();
            Ok(Variant {
                env: env.map_err(io("find", Path::new("cargo-hotswap")))?,
                rustc_args: Overlay::MARK.map(OsString::from).to_vec(),
                sources: Some(edited.sources.pack()),
            })
        })
    }
}

/// Returns the directory of all overlays.
fn overlays(project: &Project<'_>) -> PathBuf {
    base_dir(&project.workspace).join("patches")
}

/// Returns the sources of an artifact: those that it carries, or those on disk.
fn sources(
    project: &Project<'_>,
    package: &Package,
    artifact: &Artifact,
) -> Result<Sources, Error> {
    let unreadable = |source| Error::Source {
        file: artifact.file.clone(),
        source,
    };
    let root = directory(package);
    let src = library(package)
        .expect("a plugin has a library")
        .src_path
        .as_std_path();
    let src = src.parent().unwrap_or(root);
    let files = walkdir::WalkDir::new(src)
        .into_iter()
        .filter_map(Result::ok);
    let files: Vec<_> = files.map(walkdir::DirEntry::into_path).collect();
    let on_disk =
        Sources::read(&package.name, root, &files).map_err(io("read the sources of", root))?;
    let bytes = std::fs::read(&artifact.file).map_err(io("read", &artifact.file))?;
    let ui = &project.calls().session.ui;
    match Sources::of_artifact(&bytes) {
        Ok(carried) => {
            let differs = |file: &&hotswap_source::SourceFile| !on_disk.files().contains(file);
            if let Some(file) = carried.files().iter().find(differs) {
                ui.info(
                    "Patching",
                    format_args!(
                        "the sources that {} was built from; {} is another one on disk now",
                        artifact.metadata.name, file.path
                    ),
                );
            }
            Ok(carried)
        }
        Err(SourceError::None) => {
            ui.warn(format_args!(
                "{} carries no sources, so those on disk are patched, with whatever has changed since it was built",
                artifact.metadata.name
            ));
            Ok(on_disk)
        }
        Err(error) => Err(unreadable(error)),
    }
}

/// The change that is wanted.
enum Change {
    Text(String),
    Injection(Injection),
}

/// Returns the change, and the file that has the new text.
fn change(
    session: &Session,
    project: &Project<'_>,
    target: &Target<'_>,
    function: &str,
    args: &PatchArgs,
) -> Result<(Change, Option<PathBuf>), Error> {
    let named = args.function.as_deref().unwrap_or_default();
    let refused = |source| Error::Patch {
        function: named.to_owned(),
        source,
    };
    if let Some(injection) = &args.inject {
        let injection = injection.parse().map_err(refused)?;
        return Ok((Change::Injection(injection), None));
    }
    if function == "*" {
        return Err(Error::AllFunctions {
            given: named.to_owned(),
        });
    }
    let (path, shown) = match &args.file {
        Some(file) => (session.absolute(file), file.clone()),
        None => {
            let current = target.sources.function(function).map_err(refused)?;
            let name = format!("{}.rs", named.replace("::", "-"));
            let path = overlays(project).join(name);
            edit(&path, &current.text)?;
            (path.clone(), path)
        }
    };
    let text = std::fs::read_to_string(&path).map_err(io("read", &path))?;
    Ok((Change::Text(text), Some(shown)))
}

/// Lets the user edit a text in a file.
fn edit(path: &Path, text: &str) -> Result<(), Error> {
    let named = ["VISUAL", "EDITOR"].iter().find_map(|name| {
        let editor = std::env::var_os(name)?;
        (!editor.is_empty()).then_some(editor)
    });
    let editor = named.ok_or(Error::NoEditor)?;
    let parent = path.parent().unwrap_or(path);
    std::fs::create_dir_all(parent).map_err(io("create", parent))?;
    std::fs::write(path, format!("{text}\n")).map_err(io("write", path))?;
    // The variable may have arguments, as in `code --wait`.
    let mut script = editor.clone();
    script.push(OsString::from(format!(
        " {}",
        quoted(&path.to_string_lossy())
    )));
    let ended = Command::new("sh").arg("-c").arg(script).status();
    match ended {
        Ok(status) if status.success() => Ok(()),
        ended => Err(Error::Editor {
            editor: editor.to_string_lossy().into_owned(),
            how: match ended {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            },
            file: path.to_owned(),
        }),
    }
}
