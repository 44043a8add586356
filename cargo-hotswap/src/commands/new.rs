//! `cargo hotswap new`
//!
//! Cargo itself makes the package, so that it checks the name, adds the package to a workspace around it, and sets up
//! version control as the user wants it. Then the sources of a template replace Cargo's.

use std::path::{Path, PathBuf};
use std::process::Command;

use hotswap_host::shown;
use toml_edit::DocumentMut;

use crate::cli::{CompileOptions, NewArgs};
use crate::error::{exit, io};
use crate::manifest::find_manifest;
use crate::session::{Session, without_cargos_variables};
use crate::workspace::Workspace;
use crate::{Error, paths};

mod around;

use around::enclosing_workspace;

/// The name of the first plugin of a new workspace.
const FIRST_PLUGIN: &str = "greeter";

/// A plugin's library, a host's program, and the program of a host that has a first plugin.
const PLUGIN: &str = include_str!("../../templates/plugin.rs");
const HOST: &str = include_str!("../../templates/host.rs");
const HOST_WITH_PLUGIN: &str = include_str!("../../templates/workspace.rs");

/// Makes a host a workspace of its own. Cargo adds the plugins that are made below it.
const WORKSPACE: &str = "\n[workspace]\n";
/// Makes a host with a plugin a workspace of its own.
const WORKSPACE_WITH_PLUGIN: &str =
    "\n[workspace]\nmembers = [\"plugins/*\"]\ndefault-members = [\".\", \"plugins/*\"]\n";
/// The profile of a workspace: a plugin is linked, read, and copied at each edit.
const PROFILE: &str = "
# Plugins are built and loaded faster without the debug information of dependencies. Your own crates keep theirs.
[profile.dev.package.\"*\"]
debug = false
";

/// Writes the requested packages.
pub(crate) fn execute(session: &Session, args: &NewArgs) -> Result<u8, Error> {
    let directory = paths::tidy(&session.absolute(&args.directory));
    let dependencies = Dependencies::find(session, &directory, args.path.as_deref())?;
    let name = match &args.name {
        Some(name) => Some(name.clone()),
        None => name_for(&directory),
    };
    let name = name.as_deref();
    let new = New {
        session,
        dependencies,
    };
    if args.plugin {
        new.plugin(&directory, name)?;
    } else if args.host {
        new.host(&directory, name, HOST, WORKSPACE)?;
    } else {
        let program = HOST_WITH_PLUGIN.replace("{{plugin}}", FIRST_PLUGIN);
        new.host(&directory, name, &program, WORKSPACE_WITH_PLUGIN)?;
        new.plugin(&directory.join("plugins").join(FIRST_PLUGIN), None)?;
    }
    let checkout = shown::path(&new.dependencies.0);
    let using = format_args!("hotswap in {checkout}");
    session.ui.info("Using", using);
    Ok(exit::SUCCESS)
}

/// Returns a name for the package in `directory` if that of the directory would not do.
fn name_for(directory: &Path) -> Option<String> {
    let name = directory.file_name()?.to_str()?;
    has_capitals(name).then(|| kebab_case(name))
}

/// If a package has capitals in its name, gives its crate a name without them, since rustc would warn of it at each
/// build. `section` is that of the crate in the manifest.
fn name_target(directory: &Path, package: &str, section: &str) -> Result<(), Error> {
    if !has_capitals(package) {
        return Ok(());
    }
    let manifest = directory.join("Cargo.toml");
    let name = kebab_case(package).replace('-', "_");
    let text = format!("{}{section}name = \"{name}\"\n", read(&manifest)?);
    write(&manifest, &text)
}

fn has_capitals(name: &str) -> bool {
    name.contains(char::is_uppercase)
}

struct New<'a> {
    session: &'a Session,
    dependencies: Dependencies,
}

impl New<'_> {
    fn plugin(&self, directory: &Path, name: Option<&str>) -> Result<(), Error> {
        let name = self.package(directory, name, "--lib")?;
        depend(directory, &[&self.dependencies.line("hotswap-plugin")])?;
        name_target(directory, &name, "\n[lib]\n")?;
        write(
            &directory.join("src/lib.rs"),
            &PLUGIN.replace("{{type}}", &type_name(&name)),
        )?;
        self.created("plugin", &name, directory);
        Ok(())
    }

    fn host(
        &self,
        directory: &Path,
        name: Option<&str>,
        program: &str,
        workspace: &str,
    ) -> Result<(), Error> {
        let alone = enclosing_workspace(directory)?.is_none();
        let name = self.package(directory, name, "--bin")?;
        depend(
            directory,
            &[
                &self.dependencies.line("hotswap-host"),
                &self.dependencies.line_in("hotswap-log", "hotswap-host/log"),
            ],
        )?;
        name_target(directory, &name, "\n[[bin]]\npath = \"src/main.rs\"\n")?;
        if alone {
            let manifest = directory.join("Cargo.toml");
            write(&manifest, &(read(&manifest)? + workspace + PROFILE))?;
        }
        write(&directory.join("src/main.rs"), program)?;
        self.created("host", &name, directory);
        Ok(())
    }

    /// Lets Cargo make a package, and returns its name.
    fn package(&self, directory: &Path, name: Option<&str>, kind: &str) -> Result<String, Error> {
        if directory.symlink_metadata().is_ok() {
            return Err(Error::Exists {
                path: directory.to_owned(),
            });
        }
        // Cargo itself does not check to whom the workspace belongs.
        enclosing_workspace(directory)?;
        // Cargo looks for a repository from there. If the directory were missing, Cargo would make a repository inside
        // the host's.
        if let Some(above) = directory.parent() {
            std::fs::create_dir_all(above).map_err(io("create", above))?;
        }
        let mut command = Command::new(&self.session.cargo);
        without_cargos_variables(&mut command);
        command
            .args(["new", "--quiet", kind])
            .arg(directory)
            .current_dir(&self.session.dir);
        if let Some(name) = name {
            command.args(["--name", name]);
        }
        let program = self.session.cargo.to_string_lossy().into_owned();
        let output = self.session.interrupt.output(&mut command)?;
        let output = output.map_err(|source| Error::StartCargo { program, source })?;
        if !output.status.success() {
            return Err(Error::CargoNew {
                directory: directory.to_owned(),
                said: String::from_utf8_lossy(&output.stderr)
                    .trim_end()
                    .to_owned(),
            });
        }
        self.join_workspace(directory)?;
        let last = directory.file_name().unwrap_or_default().to_string_lossy();
        Ok(name.map_or_else(|| last.into_owned(), str::to_owned))
    }

    /// Makes the package in `directory` a member of the workspace around it. Cargo does that itself, unless another
    /// package lies between the two, such as a host.
    fn join_workspace(&self, directory: &Path) -> Result<(), Error> {
        let Some((manifest, _)) = enclosing_workspace(directory)? else {
            return Ok(());
        };
        let workspace = Workspace::load(
            self.session,
            &find_manifest(self.session, &manifest, false)?,
            &CompileOptions::default(),
        )?;
        // By the path at which it is made, which may lead through a link.
        let above = manifest.parent().unwrap_or(&manifest);
        let path = directory.strip_prefix(above).unwrap_or(directory);
        let member = workspace.root.join(path).join("Cargo.toml");
        if workspace.member_at(&member).is_some() {
            return Ok(());
        }
        let mut document: DocumentMut = read(&manifest)?.parse().map_err(|source| Error::Edit {
            path: manifest.clone(),
            source: Box::new(source),
        })?;
        let members =
            document["workspace"]["members"].or_insert(toml_edit::value(toml_edit::Array::new()));
        if let Some(members) = members.as_array_mut() {
            members.push(path.to_string_lossy().into_owned());
        }
        write(&manifest, &document.to_string())
    }

    fn created(&self, what: &str, name: &str, directory: &Path) {
        self.session.ui.status(
            "Created",
            format_args!("{what} `{name}` in {}", shown::path(directory)),
        );
    }
}

/// The checkout with hotswap's own crates, none of which is published yet.
struct Dependencies(PathBuf);

impl Dependencies {
    /// Returns the checkout that was named, otherwise the one that the workspace around `directory` uses, otherwise the
    /// one in which this command was built and still runs.
    fn find(session: &Session, directory: &Path, named: Option<&Path>) -> Result<Self, Error> {
        if let Some(path) = named {
            let path = session.absolute(path);
            let path = path.canonicalize().map_err(io("find", &path))?;
            return match missing(&path) {
                Some(missing) => Err(Error::NoCheckout { path, missing }),
                None => Ok(Self(path)),
            };
        }
        let used = used_around(session, directory)?;
        let of_workspace = used.as_deref();
        let program = std::env::current_exe().ok();
        // Cargo tells a program that it runs where the program's package is.
        let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let own = program
            .iter()
            .chain(&package)
            .flat_map(|path| path.ancestors());
        let checkout = of_workspace
            .into_iter()
            .chain(own)
            .find(|path| missing(path).is_none() && around::foreign_owner(path).is_none());
        let checkout = checkout.ok_or(Error::WhereIsHotswap)?;
        Ok(Self(checkout.to_owned()))
    }

    fn line(&self, name: &str) -> String {
        self.line_in(name, name)
    }

    /// Returns the dependency on the crate in this directory of the checkout.
    fn line_in(&self, name: &str, directory: &str) -> String {
        let path = toml::Value::from(self.0.join(directory).to_string_lossy().into_owned());
        format!("{name} = {{ path = {path} }}")
    }
}

/// Returns the checkout on which a member of the workspace around `directory` depends.
fn used_around(session: &Session, directory: &Path) -> Result<Option<PathBuf>, Error> {
    let Some((manifest, _)) = enclosing_workspace(directory)? else {
        return Ok(None);
    };
    let manifest = find_manifest(session, &manifest, false)?;
    // A workspace that Cargo cannot read is reported later, if it matters.
    let workspace = Workspace::load(session, &manifest, &CompileOptions::default());
    let members = workspace.map(|workspace| workspace.members);
    let mut dependencies = members
        .into_iter()
        .flatten()
        .flat_map(|member| member.dependencies);
    let checkout = dependencies.find_map(|dependency| {
        let path = dependency.path?;
        let is_ours = ["hotswap-host", "hotswap-plugin"].contains(&dependency.name.as_str());
        is_ours.then(|| path.parent().map(|above| above.as_std_path().to_owned()))?
    });
    Ok(checkout)
}

/// Returns the directory that `path` lacks to be a checkout of hotswap.
fn missing(path: &Path) -> Option<&'static str> {
    ["hotswap-host", "hotswap-plugin", "cargo-hotswap"]
        .into_iter()
        .find(|name| !path.join(name).join("Cargo.toml").is_file())
}

/// Returns `hello-world` for `HelloWorld`, as the name of a package.
fn kebab_case(name: &str) -> String {
    let mut kebab = String::new();
    let mut before = None;
    let mut rest = name.chars().peekable();
    while let Some(character) = rest.next() {
        let begins_word = character.is_uppercase()
            && before.is_some_and(|before: char| {
                // `HTTPServer` becomes `http-server`.
                let ends_capitals = rest.peek().is_some_and(|next| next.is_lowercase());
                before.is_lowercase()
                    || before.is_numeric()
                    || before.is_uppercase() && ends_capitals
            });
        if begins_word {
            kebab.push('-');
        }
        kebab.extend(character.to_lowercase());
        before = Some(character);
    }
    kebab
}

/// Returns `HelloWorld` for `hello-world`, as the name of a type.
fn type_name(package: &str) -> String {
    let capitalized = |word: &str| {
        let mut chars = word.chars();
        chars
            .next()
            .map(|first| first.to_uppercase().chain(chars).collect::<String>())
            .unwrap_or_default()
    };
    package.split(['-', '_']).map(capitalized).collect()
}

/// Adds these dependencies, one a line.
fn depend(directory: &Path, lines: &[&str]) -> Result<(), Error> {
    const SECTION: &str = "[dependencies]\n";
    let manifest = directory.join("Cargo.toml");
    let lines = lines.join("\n");
    let text = read(&manifest)?;
    let text = match text.split_once(SECTION) {
        Some((before, after)) => format!("{before}{SECTION}{lines}\n{after}"),
        None => format!("{text}\n{SECTION}{lines}\n"),
    };
    write(&manifest, &text)
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(io("read", path))
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types() {
        assert_eq!(type_name("hello-world_2"), "HelloWorld2");
        assert_eq!(type_name("greeter"), "Greeter");
    }

    #[test]
    fn names_of_packages() {
        assert_eq!(kebab_case("HelloWorld2"), "hello-world2");
        assert_eq!(kebab_case("HTTPServer"), "http-server");
        assert_eq!(kebab_case("My-App"), "my-app");
        assert_eq!(kebab_case("ABC"), "abc");
    }
}
