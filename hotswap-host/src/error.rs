//! Everything that can go wrong, in the words of the one who has to mend it.
use crate::artifact::{ArtifactError, FindError, OpenFailure};
use crate::load::copy::CopyError;
use crate::name::PluginName;
use crate::runtime::RuntimeError;
use hotswap_plugin::Value;
use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;

/// A function of the author's that the host calls at a turn of a plugin's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hook {
    /// `reloadable`.
    Reloadable,
    /// The constructor.
    New,
    /// `on_load`.
    OnLoad,
    /// `on_init`.
    OnInit,
    /// `on_start`.
    OnStart,
    /// `on_stop`.
    OnStop,
    /// `on_free`.
    OnFree,
    /// The instance's `Drop`.
    Drop,
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Hook::Reloadable => "reloadable",
            Hook::New => "new",
            Hook::OnLoad => "on_load",
            Hook::OnInit => "on_init",
            Hook::OnStart => "on_start",
            Hook::OnStop => "on_stop",
            Hook::OnFree => "on_free",
            Hook::Drop => "drop",
        })
    }
}

/// A hook that returned an error or panicked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{plugin}: {hook} {}: {message} ({})", if *panicked { "panicked" } else { "failed" }, file.display())]
#[non_exhaustive]
pub struct HookFailure {
    /// The plugin.
    pub plugin: PluginName,
    /// The artifact it was loaded from.
    pub file: PathBuf,
    /// The hook.
    pub hook: Hook,
    /// Whether it panicked; otherwise it returned an error.
    pub panicked: bool,
    /// The error with its sources, or the panic's message.
    pub message: String,
}

/// Why the plugins could not be opened or reloaded. The running generation is untouched, and nothing of the new one is
/// left.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The plugin directory cannot be searched.
    #[error(transparent)]
    Find(#[from] FindError),
    /// An artifact cannot be read, or is not what it should be.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// No private copy of an artifact could be made.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The directory for private copies and reports cannot be used.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// Two artifacts hold plugins of the same name.
    #[error("two artifacts hold the plugin {name}: {} and {}: remove one of them", first.display(), second.display())]
    Duplicate {
        /// The name, as the second writes it.
        name: PluginName,
        /// The one found first.
        first: PathBuf,
        /// The one found second.
        second: PathBuf,
    },
    /// The allow-list names a plugin that the directory does not hold.
    #[error("the plugin {name} is on the allow-list, but {} holds no artifact of it: {}", dir.display(), found_or_build(nearest, name))]
    Missing {
        /// The plugin.
        name: PluginName,
        /// The plugin directory.
        dir: PathBuf,
        /// The most similar name that is loaded, or in the directory.
        nearest: Option<PluginName>,
    },
    /// The only plugins to reload were named, and one is not on the allow-list.
    #[error("the plugin {name} is not on the allow-list: see `Builder::allow`")]
    NotAllowed {
        /// The plugin.
        name: PluginName,
    },
    /// The only plugins to reload were named, and one is nowhere.
    #[error("no plugin {name} is loaded, or in {}: {}", dir.display(), found_or_build(nearest, name))]
    Unknown {
        /// The name.
        name: PluginName,
        /// The plugin directory.
        dir: PathBuf,
        /// The most similar name that is loaded, or in the directory.
        nearest: Option<PluginName>,
    },
    /// The plugin directory holds no artifacts at all.
    #[error(
        "the plugin directory {} holds no plugins{}; build them into it with `cargo hotswap build --out-dir`, or let \
         the host run without any: `Builder::allow_empty`",
        dir.display(),
        if live.is_empty() { String::new() } else { format!(", and {} would be gone", list(live)) }
    )]
    Empty {
        /// The plugin directory.
        dir: PathBuf,
        /// The plugins that are live, and go on.
        live: Vec<PluginName>,
    },
    /// The host insists on its own compiler.
    #[error("{plugin} ({}) was built by {found}, and the host insists on {expected}: build it again with that compiler", file.display())]
    Toolchain {
        /// The plugin.
        plugin: PluginName,
        /// Its artifact.
        file: PathBuf,
        /// The compiler that built the plugin.
        found: String,
        /// The compiler that built the host.
        expected: String,
    },
    /// The dynamic linker refused the library.
    #[error("{plugin}: {} cannot be opened: it {failure}", file.display())]
    Open {
        /// The plugin.
        plugin: PluginName,
        /// Its artifact.
        file: PathBuf,
        /// What the dynamic linker said.
        failure: OpenFailure,
    },
    /// The library's tables do not have the layout that the host knows.
    #[error("{plugin}: {} does not fit this host: {message}: build plugin and host with the same version of hotswap", file.display())]
    Layout {
        /// The plugin.
        plugin: PluginName,
        /// Its artifact.
        file: PathBuf,
        /// The first difference.
        message: String,
    },
    /// A plugin imports something that nobody offers.
    #[error("{plugin} ({}) imports {import}: {message}", file.display())]
    Import {
        /// The plugin.
        plugin: PluginName,
        /// Its artifact.
        file: PathBuf,
        /// What it imports.
        import: String,
        /// What is wrong with that, and what to do.
        message: String,
    },
    /// Plugin and host, or two plugins, were built with different versions of an interface.
    #[error("{message}")]
    Mismatch {
        /// The plugin that imports it.
        plugin: PluginName,
        /// Its artifact.
        file: PathBuf,
        /// Both sides, the method, the two types, and the command that mends it.
        message: String,
    },
    /// Plugins import each other in a circle.
    #[error("plugins import each other in a circle: {}", arrows(chain))]
    Cycle {
        /// The plugins, the first one again at the end.
        chain: Vec<PluginName>,
    },
    /// A plugin was asked for that is not loaded.
    #[error("no plugin {name} is loaded: {}", did_you_mean(name, loaded))]
    NotLoaded {
        /// The name.
        name: PluginName,
        /// What is loaded.
        loaded: Vec<PluginName>,
    },
    /// A plugin that others import was to be removed.
    #[error("{name} cannot be removed: it is imported by {users}; keep it, or remove {users} too", users = list(users))]
    InUse {
        /// The plugin.
        name: PluginName,
        /// Those that import it.
        users: Vec<PluginName>,
    },
    /// A plugin that may not be replaced imports one that may: when that one is, it could not follow.
    #[error("{plugin} ({}) may not be replaced, but imports what may: {}: let all of them be replaced, or none", file.display(), arrows(chain))]
    NotReloadable {
        /// The plugin.
        plugin: PluginName,
        /// Its artifact.
        file: PathBuf,
        /// The plugin, what it imports, what that imports.
        chain: Vec<PluginName>,
    },
    /// An optional plugin failed, and cannot be left out.
    #[error("{failure}\n{plugin} is optional, but cannot be left out: {reason}")]
    Needed {
        /// The plugin.
        plugin: PluginName,
        /// Why it failed.
        failure: Box<ReloadError>,
        /// Why the host cannot run without it.
        reason: Box<ReloadError>,
    },
    /// A hook failed or panicked.
    #[error(transparent)]
    Hook(HookFailure),
    /// A handle of the host's would lose its function or interface, or meet another version of it.
    #[error("the host holds a handle of {plugin}.{item}: {message}")]
    Handle {
        /// The plugin.
        plugin: PluginName,
        /// The function, or the interface.
        item: String,
        /// What would become of it.
        message: String,
    },
    /// The callback refused the new generation, or panicked.
    #[error("the new generation was refused: {0}")]
    Vetoed(String),
    /// Asked for from inside a call, a hook or a callback, or with a pin held on this thread.
    #[error(
        "a reload cannot run {0}: it would wait for itself; reload from another thread, or ask for it with `Context::request_reload`"
    )]
    Reentrant(&'static str),
    /// A thread that the swapper needs could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
    /// The host itself is built such that a panic ends the process, which no host can contain.
    #[error(
        "this host was built with `panic = \"abort\"`, which would let any panic in a plugin end it: set \
         `panic = \"unwind\"` in the profile it is built with"
    )]
    HostAborts,
    /// The swapper has been shut down.
    #[error("the swapper has been shut down")]
    ShutDown,
}

impl ReloadError {
    /// The plugin at which it failed, if it was one. For a file that cannot be read as far as its plugin's name, that
    /// which the file's name implies.
    pub fn plugin(&self) -> Option<PluginName> {
        let name = match self {
            ReloadError::Find(FindError::Artifact(error)) | ReloadError::Artifact(error) => {
                return Some(error.plugin_or_implied());
            }
            ReloadError::Copy(CopyError { plugin, .. })
            | ReloadError::Toolchain { plugin, .. }
            | ReloadError::Open { plugin, .. }
            | ReloadError::Layout { plugin, .. }
            | ReloadError::Import { plugin, .. }
            | ReloadError::Mismatch { plugin, .. }
            | ReloadError::NotReloadable { plugin, .. }
            | ReloadError::Needed { plugin, .. }
            | ReloadError::Hook(HookFailure { plugin, .. })
            | ReloadError::Handle { plugin, .. } => plugin,
            ReloadError::Duplicate { name, .. }
            | ReloadError::Missing { name, .. }
            | ReloadError::NotAllowed { name }
            | ReloadError::Unknown { name, .. }
            | ReloadError::NotLoaded { name, .. }
            | ReloadError::InUse { name, .. } => name,
            ReloadError::Find(_)
            | ReloadError::Runtime(_)
            | ReloadError::Empty { .. }
            | ReloadError::Cycle { .. }
            | ReloadError::Vetoed(_)
            | ReloadError::Reentrant(_)
            | ReloadError::Thread(_)
            | ReloadError::HostAborts
            | ReloadError::ShutDown => return None,
        };
        Some(name.clone())
    }

    /// The plugins without any of which there might be no error.
    pub(crate) fn culprits(&self) -> Vec<PluginName> {
        match self {
            ReloadError::InUse { users, .. } => users.clone(),
            ReloadError::Cycle { chain } => chain.clone(),
            error => error.plugin().into_iter().collect(),
        }
    }
}

impl From<HookFailure> for ReloadError {
    fn from(failure: HookFailure) -> Self {
        ReloadError::Hook(failure)
    }
}

/// Why there is no handle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// No such plugin.
    #[error("no plugin {plugin} is loaded: {}", nearest(nearest_name, "plugin"))]
    NoPlugin {
        /// The name asked for.
        plugin: String,
        /// The most similar name that is loaded.
        nearest_name: Option<String>,
    },
    /// The plugin has no such function.
    #[error(
        "{plugin} has no function {function}: {}",
        nearest(nearest_name, "function")
    )]
    NoFunction {
        /// The plugin.
        plugin: String,
        /// The function asked for.
        function: String,
        /// The most similar name that it has.
        nearest_name: Option<String>,
    },
    /// The function has another signature.
    #[error("{message}")]
    Signature {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
        /// Both signatures, and what mends it.
        message: String,
    },
    /// The plugin does not export the interface.
    #[error(
        "{plugin} does not export {interface}: {}",
        exports_instead(nearest_name, exports)
    )]
    NoInterface {
        /// The plugin.
        plugin: String,
        /// The interface asked for.
        interface: String,
        /// The most similar name that it exports.
        nearest_name: Option<String>,
        /// What it exports.
        exports: Vec<String>,
    },
    /// Plugin and host were built with different versions of the interface.
    #[error("{message}")]
    Interface {
        /// The plugin.
        plugin: String,
        /// The interface.
        interface: String,
        /// The difference, and what mends it.
        message: String,
    },
}

impl HandleError {
    /// What would become of a handle that the host holds already.
    pub(crate) fn of_a_held_handle(self) -> String {
        const REMEDY: &str = "put it back, or drop the handle before the reload";
        match self {
            HandleError::NoPlugin { .. } => format!("the plugin would be gone; {REMEDY}"),
            HandleError::NoFunction { .. } => {
                format!("the new build has no such function; {REMEDY}")
            }
            HandleError::NoInterface { .. } => {
                format!("the new build does not export it; {REMEDY}")
            }
            HandleError::Signature { message, .. } | HandleError::Interface { message, .. } => {
                message
            }
        }
    }
}

/// Why a call has no result. `E` is the error type of a function that returns a `Result`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError<E = Infallible> {
    /// The function returned this error.
    Returned(E),
    /// The plugin panicked: the function, or an argument, or the result, when it was copied or dropped.
    Panicked {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
        /// The panic's message.
        message: String,
    },
    /// The plugin, or the function, is not in the generation that was called.
    NotLoaded {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
    },
    /// A call by name with arguments that do not fit the function.
    Arguments {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
        /// What does not fit.
        message: String,
    },
}

/// The error of a call by name; a function's own error arrives as a [`Value`].
pub type InvokeError = CallError<Value>;

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Returned(error) => error.fmt(f),
            CallError::Panicked {
                plugin,
                function,
                message,
            } => {
                write!(f, "{plugin}.{function} panicked: {message}")
            }
            CallError::NotLoaded { plugin, function } => {
                write!(f, "{plugin}.{function} is not loaded in this generation")
            }
            CallError::Arguments {
                plugin,
                function,
                message,
            } => write!(f, "{plugin}.{function}: {message}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for CallError<E> {}

fn list(names: &[PluginName]) -> String {
    match names {
        [] => "nothing".into(),
        names => joined(names, ", "),
    }
}

fn arrows(names: &[PluginName]) -> String {
    joined(names, " -> ")
}

fn joined(names: &[PluginName], between: &str) -> String {
    let names: Vec<_> = names.iter().map(PluginName::as_str).collect();
    names.join(between)
}

fn did_you_mean(name: &PluginName, loaded: &[PluginName]) -> String {
    match crate::nearest::nearest(name.as_str(), loaded.iter().map(PluginName::as_str)) {
        Some(name) => format!("did you mean {name}?"),
        None => format!("loaded {}", list(loaded)),
    }
}

fn found_or_build(nearest: &Option<PluginName>, name: &PluginName) -> String {
    match nearest {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => format!("build it with `cargo hotswap build -p {name}`"),
    }
}

/// What a plugin exports, for one who looked for something else.
pub(crate) fn exports_instead(nearest: &Option<String>, exports: &[String]) -> String {
    match (nearest, exports) {
        (_, []) => "it exports nothing; see `#[plugin(exports(…))]`".into(),
        (Some(name), _) => format!("did you mean {name}?"),
        (None, exports) => format!("it exports {}", exports.join(", ")),
    }
}

fn nearest(name: &Option<String>, what: &str) -> String {
    match name {
        Some(name) => format!("did you mean {name}?"),
        None => format!("there is no {what} of a similar name"),
    }
}
