use super::error::{ArtifactError, ArtifactProblem};
use super::history::History;
use super::limits;
use super::live::{self, LiveEntry};
use super::parts::Parts;
use super::texts;
use super::type_hash::TypeHash;
use crate::base::name::PluginName;
use hotswap_plugin::contract;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::Path;

/// The data that a plugin's build recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Metadata {
    /// The version of the contract between host and plugin.
    pub contract: u32,
    /// The name of the plugin.
    pub name: PluginName,
    /// The version of its crate.
    pub version: String,
    /// The name of its crate.
    #[serde(rename = "crate")]
    pub crate_name: String,
    /// Says whether it may be replaced while the host runs, or `None` if its own function decides that at run time.
    pub reloadable: Option<bool>,
    /// The names of its hooks.
    pub hooks: Vec<String>,
    /// The functions that can be called by name.
    pub functions: Vec<Function>,
    /// The interfaces that others may import from it.
    pub exports: Vec<Export>,
    /// Its imports.
    pub imports: Vec<Import>,
    /// The state that passes from one instance to the next, if it has `save` and `restore`.
    pub state: Option<State>,
    /// Its live functions and types, and those of the crates that it links, sorted by module and name.
    pub live: Vec<LiveEntry>,
    /// The compiler: the output of `rustc --version`.
    pub rustc: String,
    /// The target triple.
    pub target: String,
    /// The profile, with the name of its directory in Cargo's output: `debug`, `release`, or the name of a custom
    /// profile.
    pub profile: String,
    /// The effect of a panic in the plugin.
    pub panic: PanicStrategy,
}

/// The time at which a smoke test runs. This is a test that a plugin brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SmokeTime {
    /// Before each reload, on an instance that is thrown away.
    Staged,
    /// Behind the gate, on the instance that has just received the state.
    Restored,
    /// Only where time does not matter.
    Deep,
}

/// A function that can be called by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Function {
    /// The name of the function.
    pub name: String,
    /// The signature as the author wrote it.
    pub signature: String,
    /// The hash that is compared.
    pub hash: TypeHash,
    /// The time at which the host runs it, if it is a smoke test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smoke: Option<SmokeTime>,
    /// True if it is a check of the plugin's health.
    #[serde(skip_serializing_if = "is_false")]
    pub health: bool,
    /// The function of another plugin that it stands for, if it is a patch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<PatchTarget>,
}

/// A function of another plugin for which one with `#[patch]` stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PatchTarget {
    /// The plugin.
    pub plugin: PluginName,
    /// The function.
    pub function: String,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// An interface that others may import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Export {
    /// The name of the interface.
    pub interface: String,
    /// The methods as text.
    pub signature: String,
    /// The hash that is compared.
    pub hash: TypeHash,
}

/// The state of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct State {
    /// The name of the type.
    pub type_name: String,
    /// The schema version of the type.
    pub version: u32,
    /// What the type declares of its earlier versions. `None` if it declares nothing, and in a build by an earlier
    /// hotswap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
}

/// An import of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Import {
    /// The field that receives the import.
    pub field: String,
    /// The plugin that it comes from, if it comes from one.
    pub from: Option<PluginName>,
    /// The interface, if more than the order matters.
    pub interface: Option<String>,
    /// The provider of the import.
    pub kind: ImportKind,
    /// True if the plugin also works without it.
    pub optional: bool,
    /// The hash that is compared; zero if only the order matters.
    pub hash: TypeHash,
}

/// The provider of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ImportKind {
    /// Another plugin.
    Plugin,
    /// The host.
    Host,
    /// Another plugin, which only has to be loaded first.
    OrderOnly,
}

/// The effect of a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PanicStrategy {
    /// It unwinds, so that it can be contained.
    Unwind,
    /// It ends the process.
    Abort,
}

impl Metadata {
    /// Returns the names of the smoke tests that run at this time.
    pub fn smoke_tests(&self, time: SmokeTime) -> impl Iterator<Item = &str> {
        let tests = self.functions.iter();
        let tests = tests.filter(move |function| function.smoke == Some(time));
        tests.map(|function| function.name.as_str())
    }

    /// Returns the names of the health checks.
    pub fn health_checks(&self) -> impl Iterator<Item = &str> {
        let checks = self.functions.iter().filter(|function| function.health);
        checks.map(|function| function.name.as_str())
    }

    /// Returns the functions that stand for functions of other plugins, by their names.
    pub fn patches(&self) -> impl Iterator<Item = (&str, &PatchTarget)> {
        let functions = self.functions.iter();
        functions.filter_map(|function| Some((function.name.as_str(), function.patch.as_ref()?)))
    }

    /// Reads the metadata section of `file`, and refuses a plugin with another version of the contract. `live` is the
    /// section of live items.
    pub(super) fn parse(file: &Path, section: &[u8], live: &[u8]) -> Result<Self, ArtifactError> {
        let damaged = |reason| ArtifactError::new(file, ArtifactProblem::Metadata { reason });
        let found = Parts::contract(section).map_err(damaged)?;
        let needed = contract::VERSION;
        if found != needed {
            let problem = ArtifactProblem::AnotherContract { found, needed };
            return Err(ArtifactError {
                plugin: best_guess(section),
                ..ArtifactError::new(file, problem)
            });
        }
        let metadata = Parts::of(section)
            .and_then(|parts| Metadata::from_parts(found, &parts, live))
            .map_err(|reason| ArtifactProblem::Metadata { reason })
            .and_then(|metadata| metadata.check_texts().map(|()| metadata))
            .map_err(|problem| ArtifactError {
                plugin: best_guess(section),
                ..ArtifactError::new(file, problem)
            })?;
        if metadata.panic == PanicStrategy::Abort {
            let problem = ArtifactProblem::PanicAbort {
                profile: metadata.profile,
            };
            return Err(ArtifactError {
                plugin: Some(metadata.name),
                ..ArtifactError::new(file, problem)
            });
        }
        Ok(metadata)
    }

    fn from_parts(contract: u32, parts: &Parts<'_>, live: &[u8]) -> Result<Self, String> {
        let plugin: RawPlugin<'_> = parts.json(b"plug")?;
        let build: RawBuild = parts.json(b"bild")?;
        Ok(Metadata {
            contract,
            name: PluginName::from(&*plugin.name),
            version: plugin.version,
            crate_name: plugin.crate_name,
            reloadable: plugin.reloadable,
            hooks: plugin.hooks,
            functions: with_hashes(parts, b"fnha", plugin.functions, Function::new)?,
            exports: exports(parts)?,
            imports: imports(parts)?,
            state: State::of(parts)?,
            live: live::entries(live)?,
            rustc: build.rustc,
            target: build.target,
            profile: build.profile,
            panic: match parts.get(b"pani")? {
                b"u" => PanicStrategy::Unwind,
                b"a" => PanicStrategy::Abort,
                _ => return Err("part `pani` is neither `u` nor `a`".into()),
            },
        })
    }
}

/// Returns the name of the plugin, if the metadata as a whole cannot be read.
fn best_guess(section: &[u8]) -> Option<PluginName> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
    }
    let named: Named<'_> = Parts::of(section).ok()?.json(b"plug").ok()?;
    texts::Kind::Name
        .accepts(&named.name)
        .then(|| PluginName::from(&*named.name))
}

#[derive(Deserialize)]
struct RawPlugin<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    version: String,
    #[serde(rename = "crate")]
    crate_name: String,
    reloadable: Option<bool>,
    hooks: Vec<String>,
    functions: Vec<RawFunction>,
}

#[derive(Deserialize)]
struct RawFunction {
    name: String,
    signature: String,
    smoke: Option<SmokeTime>,
    #[serde(default)]
    health: bool,
    patch: Option<RawPatch>,
}

#[derive(Deserialize)]
struct RawPatch {
    plugin: String,
    function: String,
}

#[derive(Deserialize)]
struct RawExport {
    interface: String,
    signature: String,
}

#[derive(Deserialize)]
struct RawImport {
    field: String,
    from: Option<String>,
    interface: Option<String>,
    kind: ImportKind,
    optional: bool,
}

#[derive(Deserialize)]
struct RawBuild {
    rustc: String,
    target: String,
    profile: String,
}

fn with_hashes<R, T>(
    parts: &Parts<'_>,
    tag: &[u8; 4],
    raw: Vec<R>,
    make: fn(R, TypeHash) -> T,
) -> Result<Vec<T>, String> {
    if raw.len() > limits::ITEMS {
        let tag = tag.escape_ascii();
        return Err(format!(
            "part `{tag}` is about more than {} items",
            limits::ITEMS
        ));
    }
    let hashes = parts.hashes(tag, raw.len())?;
    Ok(raw
        .into_iter()
        .zip(hashes)
        .map(|(raw, hash)| make(raw, (*hash).into()))
        .collect())
}

fn exports(parts: &Parts<'_>) -> Result<Vec<Export>, String> {
    let exports = with_hashes(parts, b"exha", parts.json(b"expo")?, Export::new)?;
    check_relations(exports.iter().map(|export| Some(&export.interface)))?;
    Ok(exports)
}

fn imports(parts: &Parts<'_>) -> Result<Vec<Import>, String> {
    let imports = with_hashes(parts, b"imha", parts.json(b"impo")?, Import::new)?;
    check_relations(imports.iter().map(|import| import.interface.as_ref()))?;
    Ok(imports)
}

/// Limits the imports and exports, because each import is compared with each export.
fn check_relations<'a>(
    names: impl ExactSizeIterator<Item = Option<&'a String>>,
) -> Result<(), String> {
    if names.len() > limits::RELATIONS {
        let limit = limits::RELATIONS;
        return Err(format!(
            "it has more than {limit} exports, or as many imports"
        ));
    }
    match names.flatten().find(|name| name.len() > limits::NAME_BYTES) {
        None => Ok(()),
        Some(_) => Err(format!(
            "an interface has a name of more than {} bytes",
            limits::NAME_BYTES
        )),
    }
}

impl State {
    fn of(parts: &Parts<'_>) -> Result<Option<Self>, String> {
        let bytes = parts.get(b"stat")?;
        let Some((version, name)) = bytes.split_first_chunk() else {
            let whole = bytes.is_empty().then_some(None);
            return whole.ok_or_else(|| "part `stat` ends within the version".into());
        };
        let name = str::from_utf8(name).map_err(|error| format!("part `stat`: {error}"))?;
        Ok(Some(State {
            type_name: name.to_owned(),
            version: u32::from_le_bytes(*version),
            history: match parts.get(b"sthi") {
                Ok([]) | Err(_) => None,
                Ok(_) => Some(parts.json(b"sthi")?),
            },
        }))
    }
}

impl Function {
    fn new(raw: RawFunction, hash: TypeHash) -> Self {
        Function {
            name: raw.name,
            signature: raw.signature,
            smoke: raw.smoke,
            health: raw.health,
            patch: raw.patch.map(|patch| PatchTarget {
                plugin: patch.plugin.as_str().into(),
                function: patch.function,
            }),
            hash,
        }
    }
}

impl Export {
    fn new(raw: RawExport, hash: TypeHash) -> Self {
        Export {
            interface: raw.interface,
            signature: raw.signature,
            hash,
        }
    }
}

impl Import {
    fn new(raw: RawImport, hash: TypeHash) -> Self {
        Import {
            field: raw.field,
            from: raw.from.map(PluginName::from),
            interface: raw.interface,
            kind: raw.kind,
            optional: raw.optional,
            hash,
        }
    }
}
