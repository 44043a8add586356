//! Errors of reloads.
mod reason;

use super::LivePlace;
use super::names::{arrows, list};
use super::{CopyError, HookFailure, PluginError, PluginErrorKind};
use crate::artifact::{ArtifactError, FindError};
use crate::base::name::PluginName;
use crate::base::size::size;
use crate::retirement::Holder;
use crate::runtime::RuntimeError;
use crate::shown::path;
use hotswap_plugin::LiveKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The reason why the plugins could not be opened or reloaded. The running generation is untouched, and nothing of the
/// new one is left.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The plugin directory cannot be searched.
    #[error(transparent)]
    Find(#[from] FindError),
    /// An artifact cannot be read, or it is not a plugin for this host.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// No plugin directory was set, and there is no default one.
    #[error("no plugin directory is known, because {reason}; set one with `Builder::plugin_dir`")]
    NoPluginDir {
        /// The reason why neither the environment nor the place of the program's file can be used.
        reason: &'static str,
    },
    /// A path is relative to a working directory that is gone or must not be used.
    #[error(
        "the path \"{}\" is relative, but there is no working directory for it: that is gone, or was chosen by a user with \
         fewer rights than this program, which is setuid or has capabilities; use an absolute path",
        crate::shown::path(path)
    )]
    RelativePath {
        /// The path.
        path: PathBuf,
    },
    /// The host itself panicked. The running plugins go on.
    #[error(
        "the host panicked while it made the new generation, which is a bug in hotswap: {message}; please report it"
    )]
    Panicked {
        /// The panic's message.
        message: String,
    },
    /// No private copy of an artifact could be made.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The runtime directory, which has the private copies and the reports, cannot be used.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// Two artifacts contain plugins with the same name.
    #[error(
        "two artifacts contain the plugin {name}: {} and {}; remove one of them",
        path(first),
        path(second)
    )]
    Duplicate {
        /// The name, as the second artifact spells it.
        name: PluginName,
        /// The artifact that was found first.
        first: PathBuf,
        /// The artifact that was found second.
        second: PathBuf,
    },
    /// Two live functions, or two live types, have the same name.
    #[error("two live {kind}s are called {name}: {first}, and {second}; rename one of them")]
    LiveDuplicate {
        /// The kind of the items.
        kind: LiveKind,
        /// The name, as the second item spells it.
        name: String,
        /// The item whose plugin is loaded first.
        first: Box<LivePlace>,
        /// The other item.
        second: Box<LivePlace>,
    },
    /// Two crates that are linked into the program contain plugins with the same name.
    #[error(
        "two crates that are linked into the program contain the plugin {name}: {first} and {second}; rename one of the plugins"
    )]
    LinkedDuplicate {
        /// The name, as the second crate spells it.
        name: PluginName,
        /// The crate that comes first.
        first: String,
        /// The other crate.
        second: String,
    },
    /// The allow-list names a plugin that is not linked into the program.
    #[error(
        "the plugin {name} is on the allow-list, but is not linked into {}: {}", path(program),
        match nearest {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => "build the program with `cargo hotswap build --static`, which links all plugins of the host".into(),
        }
    )]
    NotLinked {
        /// The plugin.
        name: PluginName,
        /// The program.
        program: PathBuf,
        /// The most similar name that is linked.
        nearest: Option<PluginName>,
    },
    /// The plugins are linked into the program, so none of them changes while it runs.
    #[error(
        "the plugins are linked into {}, so none can be reloaded; to change one, build the program again with `cargo \
         hotswap build --static` and restart it; to reload, start it with `cargo hotswap run`, which loads them",
        path(program)
    )]
    Static {
        /// The program.
        program: PathBuf,
    },
    /// Another swapper of the program uses the linked plugins.
    #[error(
        "the linked plugins are already in use by another `Swapper` of this program; shut that one down first, and wait \
         until it has released them"
    )]
    LinkedTwice,
    /// The allow-list names a plugin that the directory does not contain.
    #[error(
        "the plugin {name} is on the allow-list, but {} holds no artifact of it: {}",
        path(dir),
        found_or_build(nearest, name)
    )]
    Missing {
        /// The plugin.
        name: PluginName,
        /// The plugin directory.
        dir: PathBuf,
        /// The most similar name that is loaded or in the directory.
        nearest: Option<PluginName>,
    },
    /// The reload is limited to certain plugins, and one of them is not on the allow-list.
    #[error("the plugin {name} is not on the allow-list; see `Builder::allow`")]
    NotAllowed {
        /// The plugin.
        name: PluginName,
    },
    /// The reload is limited to certain plugins, and one of them does not exist.
    #[error(
        "no plugin {name} is loaded, or in {}: {}",
        path(dir),
        found_or_build(nearest, name)
    )]
    Unknown {
        /// The name.
        name: PluginName,
        /// The plugin directory.
        dir: PathBuf,
        /// The most similar name that is loaded or in the directory.
        nearest: Option<PluginName>,
    },
    /// The plugin directory contains no artifacts.
    #[error(
        "the plugin directory {} holds no plugins{}; build them into it with `cargo hotswap build --out-dir`, or let \
         the host run without any: `Builder::allow_empty`",
        path(dir),
        if live.is_empty() { String::new() } else { format!(", and {} would be gone", list(live)) }
    )]
    Empty {
        /// The plugin directory.
        dir: PathBuf,
        /// The plugins that are live, and that go on.
        live: Vec<PluginName>,
    },
    /// One plugin cannot be part of the new generation.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// Plugins import each other in a cycle.
    #[error("plugins import each other in a circle: {}", arrows(chain))]
    Cycle {
        /// The plugins, with the first one again at the end.
        chain: Vec<PluginName>,
    },
    /// A plugin that is not loaded was named.
    #[error("no plugin {name} is loaded: {}", did_you_mean(name, loaded))]
    NotLoaded {
        /// The name.
        name: PluginName,
        /// The loaded plugins.
        loaded: Vec<PluginName>,
    },
    /// A plugin that others import was to be removed.
    #[error("{name} cannot be removed: it is imported by {users}; keep it, or remove {users} too", users = list(users))]
    InUse {
        /// The plugin.
        name: PluginName,
        /// The plugins that import it.
        users: Vec<PluginName>,
    },
    /// An optional plugin failed and cannot be left out.
    #[error(
        "{plugin} is optional, but cannot be left out ({}): {failure}",
        need(reason)
    )]
    Needed {
        /// The plugin.
        plugin: PluginName,
        /// The reason why it failed.
        failure: Box<ReloadError>,
        /// The reason why the host cannot run without it: a plugin imports it, or the host holds a handle of it.
        reason: Box<ReloadError>,
    },
    /// A hook failed or panicked.
    #[error(transparent)]
    Hook(HookFailure),
    /// The state of plugins could not be handed over in time. The running instances go on with it.
    #[error(
        "the state of {} could not be handed over within {limit:?}: still waiting for {}; shorten it, or raise \
         `Builder::gate_limit`",
        list(plugins),
        waited_for.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    HandOver {
        /// The plugins whose state was to be handed over.
        plugins: Vec<PluginName>,
        /// The longest time that calls may wait.
        limit: Duration,
        /// The holders that had not ended by then.
        waited_for: Vec<Holder>,
    },
    /// A handle of the host would lose its function or interface, or would get another version of it.
    #[error("the host holds a handle of {plugin}.{item}: {message}")]
    Handle {
        /// The plugin.
        plugin: PluginName,
        /// The function or the interface.
        item: String,
        /// The effect of the reload on the handle.
        message: String,
    },
    /// A [smoke test of the host](crate::Builder::smoke) failed or panicked, or has not returned in time.
    #[error("the smoke test {test:?} of the host failed: {message}")]
    Smoke {
        /// The name of the test.
        test: String,
        /// Its error.
        message: String,
    },
    /// The child process that tried the new builds found an error, or has crashed.
    #[error(
        "the new builds failed in a child process, in the step {step}: {problem}{}",
        output_of(output)
    )]
    Probe {
        /// The step in which it failed.
        step: String,
        /// The error, or the way in which the process has ended.
        problem: String,
        /// The last lines that the process has printed.
        output: String,
    },
    /// The options ask for the tests or the lints of the new builds' sources, and Cargo has failed on those of this plugin.
    #[error("{plugin}: `{command}` {problem}{}", output_of(output))]
    Sources {
        /// The plugin.
        plugin: PluginName,
        /// The command, without the directory in which it was run.
        command: String,
        /// The way in which it has failed.
        problem: String,
        /// The last lines that it has printed.
        output: String,
    },
    /// The options ask for a child process, but the program cannot be one.
    #[error(
        "this program cannot try builds in a child process: call `hotswap_host::init()` in the first line of `main`, and \
         do not make the program setuid"
    )]
    CannotProbe,
    /// The dry run found a change that breaks an item that is used, and the options refuse that.
    #[error("the reload would break what others use:\n{verdict}")]
    Breaking {
        /// The result of the dry run, in several lines.
        verdict: String,
    },
    /// Running calls had not ended when the time for draining was over.
    #[error(
        "calls of {} have not ended within {limit:?}: still waiting for {}; raise `ReloadOptions::drain_limit`, or let \
         the switch happen all the same",
        list(plugins),
        waited_for.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    Drain {
        /// The plugins that were to be replaced.
        plugins: Vec<PluginName>,
        /// The longest time that calls may wait.
        limit: Duration,
        /// The holders that had not ended by then.
        waited_for: Vec<Holder>,
    },
    /// The reload would replace or remove a plugin that is [sticky](crate::Builder::sticky).
    #[error(
        "{plugin} is sticky and cannot be replaced: {}",
        if *may_override { "ask for it with `Reload::override_sticky`" } else { "this host does not allow that" }
    )]
    Sticky {
        /// The plugin.
        plugin: PluginName,
        /// True if the host allows callers to replace what is sticky.
        may_override: bool,
    },
    /// A [patch](crate::Swapper::patch) does not fit the new build, and this host
    /// [refuses](crate::PatchesOnReload::Fail) such a reload.
    #[error(
        "patch {patch} of {plugin} does not fit the new build; roll it back first, or let `patches_on_reload` drop it: {message}"
    )]
    Patch {
        /// The plugin.
        plugin: PluginName,
        /// The number of the patch.
        patch: u64,
        /// The difference.
        message: String,
    },
    /// A plugin stands for functions of another one, with
    /// [`#[patch]`](../hotswap_plugin/attr.plugin.html#patches), and does not fit it, or must not.
    #[error("{plugin} cannot stand for functions of {target}: {message}")]
    PatchPlugin {
        /// The plugin with the functions that stand for others.
        plugin: PluginName,
        /// The plugin whose functions these are.
        target: PluginName,
        /// The reason.
        message: String,
    },
    /// A function that is [mocked](crate::Swapper::mock) would be gone, or would have another signature.
    #[error(
        "a function of {plugin} is mocked, and the reload does not leave it as it is: {message}"
    )]
    Mock {
        /// The plugin.
        plugin: PluginName,
        /// The difference.
        message: String,
    },
    /// Another generation has become live since this one was staged.
    #[error(
        "the reload was staged beside generation {staged_beside}, and generation {live} is live now; stage it again"
    )]
    Overtaken {
        /// The number of the generation that was live when the reload was staged.
        staged_beside: u64,
        /// The number of the live generation.
        live: u64,
    },
    /// The rollback window of a reload is open, and the set of plugins cannot change in it.
    #[error(
        "the last reload can still be reverted for {left:.1?}, and until then no plugin can be added, removed, or \
         restarted; confirm it with `Swapper::confirm`, or wait"
    )]
    WindowOpen {
        /// The time until the window closes.
        left: Duration,
    },
    /// The rollback window of a reload is open. One reload runs when it has closed, however often it was asked for.
    #[error(
        "the last reload can still be reverted for {left:.1?}; the next one runs when that time is over"
    )]
    Deferred {
        /// The time until the window closes.
        left: Duration,
    },
    /// This set of builds was live before, and was reverted.
    #[error(
        "these builds of {} were reverted before, because {reason}; build something else, or allow them with \
         `Reload::force`",
        list(plugins)
    )]
    Held {
        /// The plugins whose builds differ from the live ones.
        plugins: Vec<PluginName>,
        /// The reason for which they were reverted.
        reason: String,
    },
    /// The journal, which remembers what the host runs, cannot be read or written. Without it the host could not go back
    /// if the reload ended badly.
    #[error("the journal of what this host runs is not usable: {0}")]
    Journal(Box<dyn std::error::Error + Send + Sync>),
    /// A plugin is to be kept warm, and imports one that is kept cold, which has no instance any more that could be called.
    #[error(
        "{plugin} cannot be kept warm, because it imports {import}, which is kept cold; keep both warm or both cold, in \
         `ReloadOptions::keep_of`"
    )]
    KeepImporter {
        /// The plugin that is to be kept warm.
        plugin: PluginName,
        /// The plugin that it imports.
        import: PluginName,
    },
    /// What is kept for a rollback would take too much memory.
    #[error(
        "keeping {} for a rollback takes {}, and `ReloadOptions::kept_state_limit` is {}; raise the limit, keep less with \
         `ReloadOptions::keep`, or reload without a rollback window",
        kept.iter().map(|(name, bytes)| format!("{name} ({})", size(*bytes))).collect::<Vec<_>>().join(", "),
        size(kept.iter().map(|(_, bytes)| bytes).sum()),
        size(*limit)
    )]
    KeptState {
        /// The plugins with the bytes that each takes, the largest one first.
        kept: Vec<(PluginName, u64)>,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A file descriptor of a saved state could not be duplicated for a new instance.
    #[error(
        "a file descriptor of a saved state cannot be duplicated: {0}; raise the limit of open files"
    )]
    Descriptor(std::io::Error),
    /// A reload could not be reverted. The new builds go on, and are not permanent.
    #[error(
        "the reload cannot be reverted, and the new builds go on: {error}; reload builds that work, or restart the host, \
         which starts on the permanent builds if it has a journal"
    )]
    NotReverted {
        /// The reason why the plugins that were kept cold could not be made again.
        error: Box<ReloadError>,
    },
    /// The host's [`Examiner`](crate::Examiner) does not let the set of builds become live, for instance because it is older
    /// than the one before. The error is the examiner's own.
    #[error("this set of builds may not become live: {}", crate::shown::Shown(.0))]
    SetRefused(Box<dyn std::error::Error + Send + Sync>),
    /// The host [refuses all changes](crate::Swapper::freeze).
    #[error(
        "this host is frozen, and refuses all changes until `cargo hotswap unfreeze` or `Swapper::unfreeze` lifts that: {reason}"
    )]
    Frozen {
        /// The reason.
        reason: String,
    },
    /// The host does not reload [on signals](crate::Builder::signals).
    #[error(
        "this host does not reload on signals, because `Builder::signals` or the variable HOTSWAP_SIGNALS says so; ask it through its control endpoint"
    )]
    SignalsOff,
    /// No rollback window is open.
    #[error(
        "there is no reload that could be confirmed or reverted, because no rollback window is open"
    )]
    NoWindow,
    /// A [prefill closure](crate::Builder::prefill) of the host failed or panicked.
    #[error("the host could not prefill the new generation: {0}")]
    Prefill(String),
    /// A check refused the new generation or panicked: a [check of every generation](crate::Builder::check), or the
    /// [check of the reload](crate::Reload::check).
    #[error("the new generation was refused: {0}")]
    Vetoed(String),
    /// The reload was requested from inside a call, a hook, or a callback, or while this thread holds a pin.
    #[error(
        "a reload cannot run {0}: it would wait for itself; reload from another thread, or ask for it with `Context::request_reload`"
    )]
    Reentrant(&'static str),
    /// A thread that the swapper needs could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
    /// The host itself was built so that a panic ends the process, so it could not contain a panic of a plugin.
    #[error(
        "this host was built with `panic = \"abort\"`, so any panic in a plugin would end it; set \
         `panic = \"unwind\"` in the profile it is built with"
    )]
    HostAborts,
    /// A plugin has tried to open a swapper.
    #[error("a plugin cannot be a host: open the swapper in the program, which loads all plugins")]
    InPlugin,
    /// The swapper has been shut down.
    #[error("the swapper has been shut down")]
    ShutDown,
    /// A running reload has not ended in the time that the shutdown had.
    #[error(
        "a reload is running and has not ended within {limit:?}; shut the swapper down again when it has"
    )]
    Busy {
        /// The time that the shutdown had.
        limit: Duration,
    },
    /// The process is a forked child of a host. It has none of the host's threads, and cannot open a swapper of its own
    /// either.
    #[error(
        "this process was forked from a host, whose plugins and threads it cannot use; run another program with `exec`"
    )]
    Forked,
}

impl ReloadError {
    /// Returns the plugin at which the reload failed, if it failed at one. For a file that cannot be read as far as its
    /// plugin's name, this is the plugin that the file's name implies.
    pub fn plugin(&self) -> Option<PluginName> {
        let name = match self {
            ReloadError::Find(FindError::Artifact(error)) | ReloadError::Artifact(error) => {
                return Some(error.plugin_or_implied());
            }
            ReloadError::Copy(CopyError { plugin, .. })
            | ReloadError::Plugin(PluginError { plugin, .. })
            | ReloadError::Needed { plugin, .. }
            | ReloadError::Sources { plugin, .. }
            | ReloadError::Hook(HookFailure { plugin, .. })
            | ReloadError::KeepImporter { plugin, .. }
            | ReloadError::Sticky { plugin, .. }
            | ReloadError::Patch { plugin, .. }
            | ReloadError::PatchPlugin { plugin, .. }
            | ReloadError::Mock { plugin, .. }
            | ReloadError::Handle { plugin, .. } => plugin,
            ReloadError::KeptState { kept, .. } => &kept.first()?.0,
            ReloadError::NotReverted { error } => return error.plugin(),
            ReloadError::LiveDuplicate { second, .. } => &second.plugin,
            ReloadError::HandOver { plugins, .. }
            | ReloadError::Drain { plugins, .. }
            | ReloadError::Held { plugins, .. } => plugins.first()?,
            ReloadError::Duplicate { name, .. }
            | ReloadError::LinkedDuplicate { name, .. }
            | ReloadError::NotLinked { name, .. }
            | ReloadError::Missing { name, .. }
            | ReloadError::NotAllowed { name }
            | ReloadError::Unknown { name, .. }
            | ReloadError::NotLoaded { name, .. }
            | ReloadError::InUse { name, .. } => name,
            ReloadError::Find(_)
            | ReloadError::NoPluginDir { .. }
            | ReloadError::RelativePath { .. }
            | ReloadError::Panicked { .. }
            | ReloadError::Runtime(_)
            | ReloadError::Empty { .. }
            | ReloadError::Static { .. }
            | ReloadError::LinkedTwice
            | ReloadError::Cycle { .. }
            | ReloadError::Prefill(_)
            | ReloadError::Smoke { .. }
            | ReloadError::Breaking { .. }
            | ReloadError::Probe { .. }
            | ReloadError::CannotProbe
            | ReloadError::Overtaken { .. }
            | ReloadError::WindowOpen { .. }
            | ReloadError::Deferred { .. }
            | ReloadError::NoWindow
            | ReloadError::SetRefused(_)
            | ReloadError::Frozen { .. }
            | ReloadError::SignalsOff
            | ReloadError::Journal(_)
            | ReloadError::Vetoed(_)
            | ReloadError::Reentrant(_)
            | ReloadError::Descriptor(_)
            | ReloadError::Thread(_)
            | ReloadError::HostAborts
            | ReloadError::InPlugin
            | ReloadError::ShutDown
            | ReloadError::Busy { .. }
            | ReloadError::Forked => return None,
        };
        Some(name.clone())
    }

    /// Returns the artifact at which the reload failed, if it failed at one.
    pub fn file(&self) -> Option<&Path> {
        Some(match self {
            ReloadError::Find(FindError::Artifact(error)) | ReloadError::Artifact(error) => {
                &error.file
            }
            ReloadError::Copy(CopyError { file, .. })
            | ReloadError::Plugin(PluginError { file, .. })
            | ReloadError::Hook(HookFailure { file, .. }) => file,
            ReloadError::Duplicate { second, .. } => second,
            ReloadError::LiveDuplicate { second, .. } => &second.file,
            ReloadError::Needed { failure, .. } => return failure.file(),
            ReloadError::NotReverted { error } => return error.file(),
            _ => return None,
        })
    }

    /// Returns what is wrong with the [plugin](Self::plugin), if the error is about a single one.
    pub fn kind(&self) -> Option<&PluginErrorKind> {
        match self {
            ReloadError::Plugin(error) => Some(&error.kind),
            ReloadError::Needed { failure, .. } => failure.kind(),
            _ => None,
        }
    }

    /// Returns true if the reason may pass without a change of any plugin, so that the same reload may succeed later:
    /// calls or hooks had not ended when the gate was given up, or the machine was short of threads, memory, or disk
    /// space.
    pub fn may_pass(&self) -> bool {
        match self {
            ReloadError::HandOver { .. }
            | ReloadError::Drain { .. }
            | ReloadError::Deferred { .. }
            | ReloadError::WindowOpen { .. }
            | ReloadError::Overtaken { .. }
            | ReloadError::Journal(_)
            | ReloadError::Busy { .. }
            | ReloadError::Thread(_)
            | ReloadError::Descriptor(_)
            | ReloadError::Copy(_) => true,
            ReloadError::Needed { failure, .. } => failure.may_pass(),
            _ => false,
        }
    }

    /// Returns the plugins that may each have caused the error.
    pub(crate) fn culprits(&self) -> Vec<PluginName> {
        match self {
            ReloadError::InUse { users, .. } => users.clone(),
            ReloadError::Cycle { chain } => chain.clone(),
            ReloadError::LiveDuplicate { first, second, .. } => {
                vec![second.plugin.clone(), first.plugin.clone()]
            }
            error => error.plugin().into_iter().collect(),
        }
    }
}

impl From<HookFailure> for ReloadError {
    fn from(failure: HookFailure) -> Self {
        ReloadError::Hook(failure)
    }
}

/// Says briefly who needs an optional plugin. The error itself says more, sometimes in several lines.
fn need(reason: &ReloadError) -> String {
    match reason {
        ReloadError::Plugin(PluginError {
            plugin,
            kind: PluginErrorKind::Import { .. },
            ..
        }) => format!("{plugin} imports it"),
        ReloadError::Handle { plugin, item, .. } => {
            format!("the host holds a handle of {plugin}.{item}")
        }
        reason => reason.to_string(),
    }
}

fn output_of(output: &str) -> String {
    match output {
        "" => String::new(),
        lines => format!("; its last lines were:\n{lines}"),
    }
}

fn did_you_mean(name: &PluginName, loaded: &[PluginName]) -> String {
    match crate::base::nearest::nearest(name.as_str(), loaded.iter().map(PluginName::as_str)) {
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

#[cfg(test)]
mod tests;
