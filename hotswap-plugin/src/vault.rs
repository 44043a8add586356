//! What the plugins of a generation share.
use crate::VaultHandle;
use crate::contract::VaultView;

/// The generation that an instance is becoming part of, as `on_init` sees it: all its plugins are loaded.
pub struct Vault<'a>(Source<'a>);

enum Source<'a> {
    Host(&'a VaultView<'a>),
    Test,
}

impl<'a> Vault<'a> {
    /// For unit tests, with nothing loaded: generation 1, no plugins.
    pub fn for_test() -> Self {
        Vault(Source::Test)
    }

    pub(crate) fn new(view: &'a VaultView<'a>) -> Self {
        Vault(Source::Host(view))
    }

    /// The generation's number.
    pub fn generation(&self) -> u64 {
        match self.0 {
            Source::Host(view) => view.generation,
            Source::Test => 1,
        }
    }

    /// What can be kept, unlike this, and finds live functions and types by their names.
    pub fn handle(&self) -> VaultHandle {
        VaultHandle::new()
    }

    /// The names of all its plugins: each after those it imports.
    pub fn plugins(&self) -> impl Iterator<Item = &'a str> {
        let names = match self.0 {
            Source::Host(view) => view.plugins.as_slice(),
            Source::Test => &[],
        };
        names.iter().map(|name| name.as_str())
    }
}
