//! The patches of a plugin.
use super::Deployment;

super::types! {
    /// The patches of a plugin: closures of the host in the place of single functions.
    pub struct Patches {
        /// The plugin.
        pub plugin: String,
        /// The number of the last patch that applies, or 0 for the plugin as it was built.
        pub version: u64,
        /// The patches that apply, the first one first.
        pub patches: Vec<Patch>,
        /// Those that were rolled back and can be done again, the one that comes first in a redo first.
        pub undone: Vec<Patch>,
    }

    /// A patch of a plugin.
    pub struct Patch {
        /// The number. The first patch of a plugin has number 1, and no number is used twice.
        pub number: u64,
        /// Its operations, one for each function: `rewrite hum`, `after Alpha::greet`.
        pub changes: Vec<String>,
        /// The person or the program that has made it, as far as the host has said so.
        pub by: String,
        /// The time since which it applies, in seconds since 1970.
        pub since: f64,
        /// The number of calls that have reached it.
        pub calls: u64,
        /// True if something of it is sticky, and it was allowed all the same.
        pub overrode_sticky: bool,
        /// True if the next start of the host applies it again, once it is permanent.
        #[serde(default)]
        pub persistent: bool,
        /// The sources of its closures that `patch!` has kept.
        #[serde(default)]
        pub sources: Vec<PatchSource>,
    }

    /// The source of a closure.
    pub struct PatchSource {
        /// The function that is patched.
        pub function: String,
        /// The tokens of the closure.
        pub text: String,
        /// The file of the host's sources.
        pub file: String,
        /// The line, counted from 1.
        pub line: u32,
    }

    /// A change of the versions of a plugin.
    #[derive(Default)]
    #[serde(default, deny_unknown_fields)]
    pub struct PatchesRequest {
        /// The number of patches to roll back or to do again. By default, it is 1.
        pub count: Option<usize>,
        /// The reason, for the log and the history.
        pub reason: Option<String>,
        /// The deployment that the request is part of, for the log and the history.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub deployment: Option<Deployment>,
    }
}
