//! Handles that there are not.
use hotswap_plugin::LiveKind;

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
    /// No plugin has a live function, or type, of this name.
    #[error("{}", not_live(*kind, name, nearest_name))]
    NotLive {
        /// What was asked for.
        kind: LiveKind,
        /// The name asked for.
        name: String,
        /// The most similar name that there is.
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

/// That there is nothing live of this name.
pub(super) fn not_live(kind: LiveKind, name: &str, nearest_name: &Option<String>) -> String {
    let help = nearest(nearest_name, &format!("live {kind}"));
    format!("there is no live {kind} {name} in this generation: {help}")
}

/// What a plugin exports, for one who looked for something else.
pub(crate) fn exports_instead(nearest: &Option<String>, exports: &[String]) -> String {
    match (nearest, exports) {
        (_, []) => "it exports nothing; see `#[plugin(exports(…))]`".into(),
        (Some(name), _) => format!("did you mean {name}?"),
        (None, exports) => {
            // A file may name any number.
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
