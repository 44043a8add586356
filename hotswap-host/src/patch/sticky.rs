//! Plugins and functions that are not to be changed.
use crate::base::name::PluginName;
use crate::error::PatchError;
use std::collections::{BTreeMap, BTreeSet};

/// The plugins and functions that are sticky, and whether a call may change them all the same.
#[derive(Default)]
pub(crate) struct Sticky {
    plugins: BTreeSet<PluginName>,
    functions: BTreeMap<PluginName, BTreeSet<String>>,
    may_override: bool,
}

impl Sticky {
    /// Makes a plugin sticky.
    pub(crate) fn add_plugin(&mut self, plugin: PluginName) {
        self.plugins.insert(plugin);
    }

    /// Makes a function sticky.
    pub(crate) fn add_function(&mut self, plugin: PluginName, function: &str) {
        let functions = self.functions.entry(plugin).or_default();
        functions.insert(function.to_owned());
    }

    /// Allows calls to change what is sticky, if they say so.
    pub(crate) fn set_may_override(&mut self, may: bool) {
        self.may_override = may;
    }

    /// Checks a change of a plugin, or of some of its functions. `asked` is true if the caller has asked to change what is
    /// sticky. Returns true if something sticky is changed.
    ///
    /// # Errors
    /// The plugin or a function is sticky, and the host or the caller does not allow the change.
    pub(crate) fn check<'f>(
        &self,
        plugin: &PluginName,
        functions: impl Iterator<Item = &'f str>,
        asked: bool,
    ) -> Result<bool, PatchError> {
        let all = self.plugins.contains(plugin);
        let sticky = self.functions.get(plugin);
        let mut functions = functions;
        let function = functions.find(|name| sticky.is_some_and(|sticky| sticky.contains(*name)));
        if !all && function.is_none() {
            return Ok(false);
        }
        match asked && self.may_override {
            true => Ok(true),
            false => Err(PatchError::Sticky {
                plugin: plugin.to_string(),
                function: function.filter(|_| !all).map(str::to_owned),
                may_override: self.may_override,
            }),
        }
    }
}
