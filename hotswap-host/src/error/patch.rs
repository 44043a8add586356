//! Errors of patches.
use super::{HandleError, ReloadError};

/// The reason why a plugin could not be patched. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// The caller may not change the plugins now, or no such plugin is loaded.
    #[error(transparent)]
    Reload(#[from] ReloadError),
    /// The plugin has no such function, or has it with another signature.
    #[error(transparent)]
    Function(HandleError),
    /// The path is not that of a function of a plugin.
    #[error(
        "{function} is not a function of the plugin {plugin}; functions with `#[invoke]`, live functions, and methods of \
         exported interfaces (`Interface::method`) can be patched, and functions of the host, of std, and of other crates cannot"
    )]
    NotOfPlugin {
        /// The plugin.
        plugin: String,
        /// The path.
        function: String,
    },
    /// A function of this name is to be added, and the plugin has one.
    #[error("{plugin} already has a function {function}; rewrite it instead")]
    Exists {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
    },
    /// An earlier patch has removed the function.
    #[error(
        "{plugin}.{function} was removed by patch {by}; roll that patch back, or add the function again"
    )]
    Removed {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
        /// The number of the patch that has removed it.
        by: u64,
    },
    /// A method of an interface is to be removed.
    #[error(
        "{function} of {plugin} cannot be removed, because it is a method of an interface that others call; rewrite it instead"
    )]
    Method {
        /// The plugin.
        plugin: String,
        /// The method.
        function: String,
    },
    /// A method of an interface is to be answered by a function of another plugin.
    #[error(
        "{function} of {plugin} is a method of an interface, which a function of another plugin cannot stand for; patch it \
         with a closure that calls the other plugin through a handle"
    )]
    MethodByPlugin {
        /// The plugin.
        plugin: String,
        /// The method.
        function: String,
    },
    /// The number of a clause is larger than the number of clauses.
    #[error(
        "clause {index} cannot be added to {plugin}.{function}, which has {clauses} on top; choose a number from 0 to {clauses}"
    )]
    Clause {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
        /// The number that was asked for.
        index: usize,
        /// The number of clauses on top of its other patches.
        clauses: usize,
    },
    /// The plugin or the function is [sticky](crate::Builder::sticky).
    #[error("{}", sticky(plugin, function.as_deref(), *may_override))]
    Sticky {
        /// The plugin.
        plugin: String,
        /// The function, unless the whole plugin is sticky.
        function: Option<String>,
        /// True if the host allows calls to change what is sticky.
        may_override: bool,
    },
    /// The plugin has as many versions as are allowed.
    #[error(
        "{plugin} has {max} patches, which is as many as this host allows; roll some of them back, or build the plugin with them"
    )]
    TooMany {
        /// The plugin.
        plugin: String,
        /// The number of versions that are allowed.
        max: usize,
    },
    /// More patches are to be rolled back, or done again, than there are.
    #[error("{plugin} has {found} patches to {what}, and {asked} were asked for")]
    TooFar {
        /// The plugin.
        plugin: String,
        /// The operation: `roll back` or `do again`.
        what: &'static str,
        /// The number that was asked for.
        asked: usize,
        /// The number that there is.
        found: usize,
    },
    /// The patch was made for another version of the plugin than the one that is live, because a patch below it was rolled
    /// back, or another one was applied.
    #[error(
        "the patch of {plugin} is for its version {expected}, and version {found} is live; look at the patches, and make it again"
    )]
    Version {
        /// The plugin.
        plugin: String,
        /// The version for which the patch was made.
        expected: u64,
        /// The version that is live.
        found: u64,
    },
    /// A method of an interface cannot be traced by its name alone.
    #[error(
        "{plugin}.{function} cannot be traced by its name alone, because it is a method of an interface; trace it in the host's \
         code, with its type: `Swapper::trace`"
    )]
    Untyped {
        /// The plugin.
        plugin: String,
        /// The method.
        function: String,
    },
    /// A closure is to be [persistent](crate::Patch::persistent).
    #[error(
        "the patch of {function} of {plugin} is a closure, which cannot be stored; build it into a plugin, with `#[patch]` or for \
         `rewrite_by`, or apply it without `persistent`"
    )]
    Closure {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
    },
    /// A patch is to be [persistent](crate::Patch::persistent), and the host stores nothing.
    #[error(
        "the patch of {plugin} cannot be stored, because this host has no journal; give it one with `Builder::journal`, or apply \
         the patch without `persistent`"
    )]
    NoJournal {
        /// The plugin.
        plugin: String,
    },
    /// The patch has no operation.
    #[error("the patch of {plugin} changes nothing; add an operation, such as `rewrite`")]
    Empty {
        /// The plugin.
        plugin: String,
    },
}

fn sticky(plugin: &str, function: Option<&str>, may_override: bool) -> String {
    let what = match function {
        None => plugin.to_owned(),
        Some(function) => format!("{plugin}.{function}"),
    };
    let remedy = match may_override {
        true => "ask for it with `override_sticky`",
        false => "this host does not allow that",
    };
    format!("{what} is sticky and cannot be changed: {remedy}")
}
