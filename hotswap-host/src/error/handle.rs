//! Errors from creating a handle.
use hotswap_plugin::LiveKind;

/// The reason why a handle could not be created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// There is no such plugin.
    #[error("no plugin {plugin} is loaded: {}", nearest(nearest_name, "plugin"))]
    NoPlugin {
        /// The requested name.
        plugin: String,
        /// The most similar name of a loaded plugin.
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
        /// The requested function.
        function: String,
        /// The most similar name of a function that it has.
        nearest_name: Option<String>,
    },
    /// The function has another signature.
    #[error("{message}")]
    Signature {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
        /// Both signatures, and how to resolve the difference.
        message: String,
    },
    /// No plugin has a live function or a live type with this name.
    #[error("{}", not_live(*kind, name, nearest_name))]
    NotLive {
        /// The requested kind.
        kind: LiveKind,
        /// The requested name.
        name: String,
        /// The most similar name in the generation.
        nearest_name: Option<String>,
    },
    /// The plugin does not export the interface.
    #[error(
        "{plugin} does not export {interface}: {}",
        exports_instead(nearest_name, exports)
    )]
    NoInterface {
        /// The plugin.
        plugin: String,
        /// The requested interface.
        interface: String,
        /// The most similar name that it exports.
        nearest_name: Option<String>,
        /// The names of all interfaces that it exports.
        exports: Vec<String>,
    },
    /// The plugin and the host were built with different versions of the interface.
    #[error("{message}")]
    Interface {
        /// The plugin.
        plugin: String,
        /// The interface.
        interface: String,
        /// The difference, and how to resolve it.
        message: String,
    },
}

impl HandleError {
    /// Returns what the reload would do to a handle that the host already holds.
    pub(crate) fn of_a_held_handle(self) -> String {
        const REMEDY: &str = "put it back, or drop the handle before the reload";
        match self {
            HandleError::NoPlugin { .. } => format!("the plugin would be gone; {REMEDY}"),
            HandleError::NoFunction { .. } => {
                format!("the new build has no such function; {REMEDY}")
            }
            HandleError::NotLive { .. } => {
                format!("no plugin would have such a live function; {REMEDY}")
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

/// Returns the text of the error that there is no live item with this name.
pub(super) fn not_live(kind: LiveKind, name: &str, nearest_name: &Option<String>) -> String {
    let help = nearest(nearest_name, &format!("live {kind}"));
    format!("there is no live {kind} {name} in this generation: {help}")
}

/// Returns what a plugin exports, for a caller that looked for something else.
pub(crate) fn exports_instead(nearest: &Option<String>, exports: &[String]) -> String {
    match (nearest, exports) {
        (_, []) => "it exports nothing; see `#[plugin(exports(…))]`".into(),
        (Some(name), _) => format!("did you mean {name}?"),
        (None, exports) => {
            // A file may name any number of interfaces.
            let named: Vec<_> = exports.iter().take(20).map(String::as_str).collect();
            let more = match exports.len() - named.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("it exports {}{more}", named.join(", "))
        }
    }
}

fn nearest(name: &Option<String>, what: &str) -> String {
    match name {
        Some(name) => format!("did you mean {name}?"),
        None => format!("there is no {what} of a similar name"),
    }
}
