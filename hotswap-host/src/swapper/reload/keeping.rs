//! Decides what is kept of the plugins that a reload replaces, and refuses reloads after which too much would be kept, or too
//! little to go back.
use super::arrange::Arranged;
use super::candidate::Opening;
use crate::base::name::PluginName;
use crate::base::nearest::nearest;
use crate::error::{PluginErrorKind, ReloadError};
use crate::generation::Generation;
use crate::instance::Instance;
use crate::saved_state::SavedState;
use crate::swapper::inner::Inner;
use crate::swapper::keep::Keep;
use crate::swapper::options::ReloadOptions;
use crate::swapper::stored_build::StoredBuild;
use crate::swapper::window::{Cold, Kept, KeptPlugin, Window, is_among};
use crate::telemetry::contain;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is kept of the plugins that are about to be replaced.
#[derive(Default)]
pub(super) struct Keeping {
    /// The instances that leave memory, with what is kept in their place.
    pub(super) cold: Vec<(Arc<Instance>, Cold)>,
    /// The plugins that stay warm although the options say cold, with the ones that import them.
    stay_warm: Vec<(PluginName, PluginName)>,
    pub(super) room: Room,
}

/// The memory that kept plugins may take, and what is taken already.
#[derive(Clone, Default)]
pub(super) struct Room {
    taken: Vec<(PluginName, u64)>,
    /// Zero means any.
    limit: u64,
}

impl Room {
    /// Returns an error if there is no room for these states.
    ///
    /// # Errors
    /// [`ReloadError::KeptState`]
    pub(super) fn check(
        &self,
        saved: &BTreeMap<PluginName, SavedState>,
    ) -> Result<(), ReloadError> {
        let saved = saved.iter();
        let saved = saved.map(|(name, state)| (name.clone(), state.size()));
        let mut kept: Vec<_> = self.taken.iter().cloned().chain(saved).collect();
        let total = kept.iter().map(|(_, bytes)| bytes).sum::<u64>();
        if self.limit == 0 || total <= self.limit {
            return Ok(());
        }
        kept.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        Err(ReloadError::KeptState {
            kept,
            limit: self.limit,
        })
    }
}

impl Inner {
    /// Decides what is kept of the plugins of the live generation that leave it.
    ///
    /// # Errors
    /// A plugin cannot be kept as the options say, or what is kept takes too much memory.
    pub(super) fn keeping(
        &self,
        live: &Generation,
        leaves: impl Fn(&Arc<Instance>) -> bool,
        options: &ReloadOptions,
        window: Option<&Window>,
    ) -> Result<Keeping, ReloadError> {
        if !options.has_window() || live.number == 0 {
            return Ok(Keeping::default());
        }
        let kept = window.map(|window| &window.kept);
        let builds = kept.map(Kept::builds).unwrap_or_default().into_iter();
        let mut keeping = Keeping {
            room: Room {
                taken: builds.filter_map(|b| Some((b.plugin, b.bytes?))).collect(),
                limit: options.kept_state_limit,
            },
            ..Keeping::default()
        };
        let is_kept = |plugin: &&Arc<Instance>| kept.is_none_or(|kept| kept.has(plugin));
        let leaving = live.plugins.iter().filter(|plugin| leaves(plugin));
        for plugin in leaving.filter(is_kept) {
            self.keep_one(plugin, options, kept, &mut keeping)?;
        }
        keeping.room.check(&BTreeMap::new())?;
        Ok(keeping)
    }

    /// Decides what is kept of a plugin. Those that it imports come before it.
    fn keep_one(
        &self,
        plugin: &Arc<Instance>,
        options: &ReloadOptions,
        kept: Option<&Kept>,
        keeping: &mut Keeping,
    ) -> Result<(), ReloadError> {
        let name = plugin.name();
        let own = options.keep_of.get(name);
        let goes_cold = |other: &&Arc<Instance>| {
            let mut cold = keeping.cold.iter();
            cold.any(|(cold, _)| Arc::ptr_eq(cold, other))
        };
        let import = plugin.imports().iter().find(goes_cold);
        if let (Some(Keep::Warm), Some(import)) = (own, import) {
            return Err(ReloadError::KeepImporter {
                plugin: name.clone(),
                import: import.name().clone(),
            });
        }
        let wanted = import.is_some() || own.unwrap_or(options.keep) == Keep::Cold;
        let user = kept.and_then(|kept| warm_user(kept, plugin));
        if let (true, Some(user)) = (wanted, user) {
            let user = user.name().clone();
            keeping.stay_warm.push((name.clone(), user));
        } else if wanted {
            let cold = Cold::of(plugin, self.stored(name, plugin.build_id()).is_some());
            let cold = cold.map_err(|reason| {
                PluginErrorKind::CannotKeepCold(reason).of(name, plugin.file())
            })?;
            keeping.cold.push((plugin.clone(), cold));
            return Ok(());
        }
        let taken = plugin.memory().map(|bytes| (name.clone(), bytes));
        keeping.room.taken.extend(taken);
        Ok(())
    }

    /// Checks what would be kept of the plugins that leave, before anything is loaded.
    ///
    /// # Errors
    /// Those of [`keeping`](Self::keeping).
    pub(super) fn check_keep(
        &self,
        arranged: &Arranged,
        live: &Generation,
        options: &ReloadOptions,
        window: Option<&Window>,
    ) -> Result<(), ReloadError> {
        let leaves = |plugin: &Arc<Instance>| {
            let next = arranged.candidates.get(plugin.name());
            let stays = next.and_then(|next| next.live());
            stays.is_none_or(|stays| !Arc::ptr_eq(stays, plugin))
                || arranged.followers.contains_key(plugin.name())
        };
        for name in options.keep_of.plugins() {
            if live.plugin(name).is_none() && !arranged.candidates.contains_key(name) {
                let known = arranged.candidates.keys().map(PluginName::as_str);
                let hint = nearest(name.as_str(), known);
                let hint = hint.map_or(String::new(), |known| format!(": did you mean {known}?"));
                contain((), || {
                    tracing::warn!(target: "hotswap", "`keep_of` names the plugin {name}, which is not there{hint}");
                });
            }
        }
        self.keeping(live, leaves, options, window).map(drop)
    }

    /// Returns the bytes of a build that the journal has.
    fn stored(&self, name: &PluginName, build: crate::artifact::BuildId) -> Option<Vec<u8>> {
        self.journal.as_ref()?.build(name, build)
    }

    /// Reads the build of a kept plugin again.
    ///
    /// # Errors
    /// It cannot be read any more.
    pub(super) fn reopen(&self, plugin: &KeptPlugin) -> Result<Opening, ReloadError> {
        let Some(cold) = plugin.cold() else {
            let instance = plugin.warm().expect("it is kept either warm or cold");
            return Ok(Opening::again(instance)?);
        };
        let gone = |reason| PluginErrorKind::KeptBuildGone(reason).of(&cold.name, &cold.file);
        let bytes = cold.bytes(|name, build| self.stored(name, build));
        let build = StoredBuild::new(cold.name.clone(), cold.file.clone(), bytes.map_err(gone)?);
        let opening = Opening::stored(&build)?;
        if opening.artifact.build_id != cold.build_id {
            return Err(gone("its bytes have changed".into()).into());
        }
        Ok(Opening {
            fingerprint: cold.fingerprint,
            deployed: cold.deployed,
            ..opening
        })
    }
}

/// Returns a plugin that is kept warm since an earlier reload and needs this one.
fn warm_user<'k>(kept: &'k Kept, plugin: &Arc<Instance>) -> Option<&'k KeptPlugin> {
    fn needs(user: &Instance, plugin: &Arc<Instance>) -> bool {
        let imports = user.imports();
        is_among(plugin, imports) || imports.iter().any(|import| needs(import, plugin))
    }
    let mut users = kept.plugins.iter().filter(|user| user.replaced.is_some());
    users.find(|user| user.warm().is_some_and(|user| needs(user, plugin)))
}

impl Keeping {
    /// The instances that leave memory.
    pub(super) fn instances(&self) -> Vec<Arc<Instance>> {
        self.cold
            .iter()
            .map(|(instance, _)| instance.clone())
            .collect()
    }

    /// Returns remarks for the operator, by plugin.
    pub(super) fn notes(&self) -> Vec<(PluginName, String)> {
        let stay = self.stay_warm.iter().map(|(name, user)| {
            let note = format!(
                "kept warm, because {user}, which is kept warm since an earlier reload, imports it"
            );
            (name.clone(), note)
        });
        let cold = self
            .cold
            .iter()
            .filter(|(_, cold)| cold.metadata.state.is_none());
        let lost = cold.map(|(instance, _)| (instance.name().clone(), FORGETS.to_owned()));
        stay.chain(lost).collect()
    }

    /// Returns what is kept in place of the instances, with their states.
    pub(super) fn with_states(
        self,
        mut saved: BTreeMap<PluginName, SavedState>,
    ) -> BTreeMap<PluginName, Cold> {
        let cold = self.cold.into_iter().map(|(instance, mut cold)| {
            cold.saved = saved.remove(instance.name());
            (instance.name().clone(), cold)
        });
        cold.collect()
    }
}

/// The remark on a plugin that is kept cold and has no state.
const FORGETS: &str = "kept cold, so a rollback loses what it has in memory, because it has neither `save` nor `restore`";
