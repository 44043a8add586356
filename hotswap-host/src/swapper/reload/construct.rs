//! Turns an artifact into an instance: everything that happens to one plugin before the whole set exists. This runs on
//! the thread of the hooks.
use super::bind::bind;
use super::candidate::Opening;
use crate::error::ReloadError;
use crate::instance::{Instance, Uses};
use crate::linked::Lent;
use crate::load;
use crate::load::copy::CopyDir;
use crate::load::library::Owner;
use crate::load::loaded::Loaded;
use crate::provide::Provided;
use crate::swapper::inner::Inner;
use crate::swapper::retire::Retirer;
use crate::telemetry::Levels;
use abi_stable::std_types::RStr;
use hotswap_plugin::contract::{ContextView, HostTableRef};
use std::sync::{Arc, Weak};

/// The information on the generation that a new plugin is given.
#[derive(Clone, Copy)]
pub(super) struct Told {
    pub(super) number: u64,
    pub(super) reloads: u64,
    /// The host's levels. Plugins are told again whenever these change.
    pub(super) levels: Levels,
}

/// The data that an instance is made from. It keeps nothing of the generation that is being made, because a constructor
/// may never return.
pub(super) struct Construction {
    opening: Arc<Opening>,
    /// The plugins before this one.
    others: Vec<Weak<Instance>>,
    owner: Weak<dyn Owner>,
    host_table: HostTableRef,
    retirer: Arc<Retirer>,
    copies: Arc<CopyDir>,
    provided: Arc<Provided>,
    told: Told,
}

impl Construction {
    pub(super) fn new(
        inner: &Arc<Inner>,
        opening: Arc<Opening>,
        others: &[Arc<Instance>],
        told: Told,
    ) -> Self {
        Construction {
            opening,
            others: others.iter().map(Arc::downgrade).collect(),
            owner: Arc::<Inner>::downgrade(inner),
            host_table: inner.host_table,
            retirer: inner.retirer.clone(),
            copies: inner.copies.clone(),
            provided: inner.provided.clone(),
            told,
        }
    }

    /// Opens the artifact, asks whether the plugin is reloadable, binds its imports, and makes the instance.
    ///
    /// # Errors
    /// The first of these steps that fails. A library that was opened goes to the retiring side.
    pub(super) fn run(self) -> Result<Instance, ReloadError> {
        let give_back = |library| self.retirer.library(library, Uses::default());
        let loaded = load::open(
            self.opening.artifact.clone(),
            &self.opening.code,
            self.opening.fingerprint,
            &self.copies,
            self.owner.clone(),
            self.host_table,
            give_back,
        )?;
        self.construct(loaded)
    }

    fn construct(self, mut loaded: Loaded) -> Result<Instance, ReloadError> {
        loaded.deployed = self.opening.deployed;
        let (name, version) = (loaded.name.clone(), loaded.metadata.version.clone());
        let build_id = loaded.build_id.to_string();
        let cx = ContextView {
            name: RStr::from_str(name.as_str()),
            version: RStr::from_str(&version),
            build_id: RStr::from_str(&build_id),
            generation: self.told.number,
            reloads: self.told.reloads,
            token: loaded.library.token(),
        };
        loaded.tables.entry().set_levels()(self.told.levels.log, self.told.levels.trace);
        let retirer = self.retirer;
        let give_back = |loaded: Loaded| retirer.library(loaded.library, Uses::default());
        match loaded.reloadable(&cx) {
            Ok(reloadable) => loaded.is_reloadable = reloadable,
            Err(failure) => {
                give_back(loaded);
                return Err(failure.into());
            }
        }
        let bound = {
            let others: Vec<_> = self.others.iter().filter_map(Weak::upgrade).collect();
            bind(&loaded, &others, &self.provided)
        };
        let (mut objects, imports) = match bound {
            Ok(bound) => bound,
            Err(error) => {
                give_back(loaded);
                return Err(error);
            }
        };
        let uses = Uses::new(name.as_str(), imports, self.provided);
        let _lent = loaded
            .library
            .is_linked()
            .then(|| Lent::count(&mut objects, &uses));
        Instance::construct(loaded, &cx, &objects, uses).map_err(|failed| {
            let (loaded, uses, failure) = *failed;
            retirer.library(loaded.library, uses);
            failure.into()
        })
    }
}
