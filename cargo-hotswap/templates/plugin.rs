//! A plugin: edit it while its host runs.

use hotswap_plugin::prelude::*;

/// The data of one loaded version of the plugin.
#[derive(Debug, Default)]
pub struct {{type}};

#[plugin]
impl {{type}} {
    /// Greets `name`. The host calls this function by its name.
    #[invoke]
    pub fn greet(&self, name: &str) -> String {
        format!("hello, {name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_names_who_is_greeted() {
        assert!({{type}}.greet("world").contains("world"));
    }
}
