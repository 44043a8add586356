//! `cargo hotswap graph`

use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use hotswap_host::artifact::{self, Artifact};
use hotswap_host::graph::Graph;

use crate::Error;
use crate::call::quoted;
use crate::cli::{GraphArgs, GraphFormat};
use crate::error::exit;
use crate::graph::{Dot, Mermaid, Text};
use crate::project::Project;
use crate::session::Session;
use crate::ui::shown;
use crate::workspace::directory;

/// Prints which plugin needs which, also if no host would load them together.
pub(crate) fn execute(session: &Session, args: &GraphArgs) -> Result<u8, Error> {
    let artifacts = artifacts(session, args)?;
    let graph = Graph::of(&artifacts).map_err(|error| Error::Set(Box::new(error)))?;
    match args.format {
        GraphFormat::Text => session.ui.result(Text(&graph)),
        GraphFormat::Dot => session.ui.result(Dot(&graph)),
        GraphFormat::Mermaid => session.ui.result(Mermaid(&graph)),
    }
    for problem in &graph.problems {
        session.ui.error(problem);
    }
    if graph.problems.is_empty() {
        Ok(exit::SUCCESS)
    } else {
        Err(Error::WouldBeRefused)
    }
}

/// The largest number of plugins. A directory with more of them is probably another one than was meant.
const MAX_PLUGINS: usize = 1024;

/// Returns the artifacts of the selected directory or host; at least one.
fn artifacts(session: &Session, args: &GraphArgs) -> Result<Vec<Artifact>, Error> {
    let (directory, host) = match plain_directory(session, args) {
        Some(directory) => (directory, None),
        None => {
            let project = project(session, args)?;
            (project.plugin_dir()?, Some(project))
        }
    };
    // If no plugin was ever built, there is no directory.
    let files = match &host {
        Some(_) if !directory.exists() => Vec::new(),
        _ => artifact::find(&directory).map_err(|error| Error::Find(Box::new(error)))?,
    };
    if files.is_empty() {
        return Err(nothing(session, host.as_ref(), directory)?);
    }
    if files.len() > MAX_PLUGINS {
        return Err(Error::TooManyPlugins {
            directory,
            found: files.len(),
            limit: MAX_PLUGINS,
        });
    }
    let read = |file: &PathBuf| Artifact::read(file);
    let artifacts: Result<_, _> = files.iter().map(read).collect();
    artifacts.map_err(|error| Error::Artifact(Box::new(error)))
}

/// Returns the directory that was named, if it is one with artifacts: neither a package nor a package's name.
fn plain_directory(session: &Session, args: &GraphArgs) -> Option<PathBuf> {
    let named = args.path.as_deref()?;
    let path = session.absolute(named);
    let is_package = path.ends_with("Cargo.toml") || path.join("Cargo.toml").is_file();
    let is_name = !path.exists() && is_plain(named);
    (!is_package && !is_name).then_some(path)
}

/// Returns true if it is one word, as names are.
fn is_plain(path: &Path) -> bool {
    !path.to_string_lossy().contains(['/', MAIN_SEPARATOR])
}

fn project<'a>(session: &'a Session, args: &'a GraphArgs) -> Result<Project<'a>, Error> {
    match &args.path {
        Some(name) if !session.absolute(name).exists() => {
            Project::named(session, &name.to_string_lossy(), &args.compile)
        }
        path => Project::open(session, path.as_deref(), &args.compile),
    }
}

/// Returns the error that no plugin is built, with the way out.
fn nothing(
    session: &Session,
    project: Option<&Project<'_>>,
    plugins: PathBuf,
) -> Result<Error, Error> {
    let Some(project) = project else {
        return Ok(Error::NoArtifacts { directory: plugins });
    };
    let (host, group) = project.host()?;
    if group.plugins.is_empty() {
        return Ok(Error::NoPlugins {
            of: host.name.to_string(),
            manifest: host.manifest_path.clone().into(),
        });
    }
    let mut build = "cargo hotswap build".to_owned();
    let directory = shown(directory(host), &session.dir).to_string();
    if !directory.is_empty() {
        build.push(' ');
        build.push_str(&quoted(&directory));
    }
    Ok(Error::NotBuilt {
        host: host.name.to_string(),
        directory: plugins,
        build,
    })
}
