//! The linked plugins of one swapper, found in the program.
use super::{LinkedPlugin, LinkedPlugins};
use crate::artifact::{Artifact, ArtifactError, ArtifactProblem, BuildId, Described, Note};
use crate::error::ReloadError;
use hotswap_plugin::contract::{LiveDesc, linked, live};
use hotswap_plugin::telemetry;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The linked plugins of one swapper.
pub(crate) struct LinkedSet {
    plugins: LinkedPlugins,
    program: PathBuf,
}

/// The code of a plugin that is linked into the program.
pub(crate) struct LinkedCode {
    pub(crate) plugin: &'static linked::Linked,
    /// The live functions and types.
    pub(crate) live: Vec<LiveDesc>,
    pub(crate) claim: Arc<Claim>,
}

/// The right to have instances of linked plugins. It exists only once: a linked plugin has one set of statics, and so
/// can have only one instance at a time.
pub(crate) struct Claim(());

impl Claim {
    /// Takes the right.
    ///
    /// # Errors
    /// Another swapper has it, or instances of another one still exist.
    pub(crate) fn take() -> Result<Arc<Self>, ReloadError> {
        static TAKEN: Mutex<Weak<Claim>> = Mutex::new(Weak::new());
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.strong_count() != 0 {
            return Err(ReloadError::LinkedTwice);
        }
        let claim = Arc::new(Claim(()));
        *taken = Arc::downgrade(&claim);
        Ok(claim)
    }
}

impl LinkedSet {
    /// Returns the set, or `None` if nothing is linked.
    pub(crate) fn of(plugins: LinkedPlugins) -> Option<Self> {
        (!plugins.is_empty()).then(|| LinkedSet {
            plugins,
            program: std::env::current_exe().unwrap_or_default(),
        })
    }

    /// The path of the program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Returns the metadata and the code of each plugin, sorted by package.
    pub(crate) fn each<'a>(
        &'a self,
        claim: &'a Arc<Claim>,
    ) -> impl Iterator<Item = Result<(Artifact, LinkedCode), ArtifactError>> + 'a {
        self.plugins.0.iter().map(|listed| {
            let mut all = linked::all().iter();
            let Some(plugin) = all.find(|plugin| plugin.package() == listed.package) else {
                return Err(ArtifactError {
                    file: self.program.clone(),
                    plugin: Some(listed.package.into()),
                    problem: ArtifactProblem::NotAPlugin,
                });
            };
            let live = live_of(listed);
            let parts: Vec<_> = live.iter().map(LiveDesc::part).collect();
            let described = Described {
                build_id: build_of(listed, plugin),
                note: Some(Note {
                    commit: listed.commit.to_owned(),
                    dirty: listed.dirty,
                    location: None,
                }),
                metadata: plugin.metadata(),
                live: &parts.concat(),
            };
            let code = LinkedCode {
                plugin,
                live,
                claim: claim.clone(),
            };
            Ok((Artifact::described(&self.program, described)?, code))
        })
    }
}

/// Returns the live items of the plugin's own crate, and of the crates that it links. If a crate is linked twice with
/// different features, both copies list all items.
fn live_of(listed: &LinkedPlugin) -> Vec<LiveDesc> {
    let mut known = HashSet::new();
    let all = live::items().iter();
    let own = all.filter(|item| {
        let krate = item.module.as_str().split("::").next();
        krate.is_some_and(|krate| listed.crates.contains(&krate)) && known.insert(item.part())
    });
    own.copied().collect()
}

fn build_of(listed: &LinkedPlugin, plugin: &linked::Linked) -> BuildId {
    let written = listed.build.parse();
    written.unwrap_or_else(|_| BuildId::of(plugin.metadata()))
}

impl LinkedCode {
    /// Connects the plugin's log records and spans to the host, unless they already go there.
    pub(crate) fn connect_logs(&self) {
        let (own, its) = (telemetry::facades(), (self.plugin.facades)());
        (self.plugin.forward)(own.log != its.log, own.tracing != its.tracing);
    }
}
