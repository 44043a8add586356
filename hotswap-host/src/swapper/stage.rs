//! Makes the next generation beside the live one: everything that can fail.
use super::Swapper;
use super::inner::{Inner, Writer};
use super::report::{Outcome, PluginReport};
use super::scan::{Candidate, Opening};
use crate::error::{ReloadError, exports_instead};
use crate::generation::Generation;
use crate::instance::{Instance, Loaded, Uses};
use crate::load;
use crate::name::PluginName;
use crate::nearest::nearest;
use crate::provide::Provided;
use crate::resolve::{self, Node};
use crate::telemetry;
use abi_stable::std_types::{RSlice, RStr};
use hotswap_plugin::boundary::mismatch::{self, Party};
use hotswap_plugin::boundary::{ImportDesc, ImportKind, InterfaceDesc, RawObject};
use hotswap_plugin::contract::metadata::RUSTC;
use hotswap_plugin::contract::{ContextView, VaultView};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A generation that is ready to become live. Dropped without being taken, it frees what was made for it.
pub(super) struct Staged<'a> {
    inner: &'a Inner,
    plugins: Vec<Arc<Instance>>,
    /// Which of them are new.
    fresh: BTreeSet<PluginName>,
    reports: Vec<PluginReport>,
    number: u64,
    reloads: u64,
    taken: bool,
}

impl<'a> Staged<'a> {
    /// Opens, constructs and initialises what is new.
    pub(super) fn make(
        swapper: &'a Swapper,
        writer: &Writer,
        candidates: BTreeMap<PluginName, Candidate>,
        live: (u64, u64),
    ) -> Result<Self, ReloadError> {
        let (order, followers) = plan(&candidates)?;
        let mut staged = Staged {
            inner: &swapper.0,
            plugins: Vec::new(),
            fresh: BTreeSet::new(),
            reports: Vec::new(),
            number: live.0 + 1,
            reloads: if live.0 == 0 { 0 } else { live.1 + 1 },
            taken: false,
        };
        let mut candidates = candidates;
        for name in order {
            let Some(candidate) = candidates.remove(&name) else {
                continue;
            };
            let outcome = candidate.outcome();
            match candidate {
                Candidate::New(opening) => {
                    staged.add_fresh(swapper, writer, *opening, outcome)?;
                }
                Candidate::Same(instance) | Candidate::Stays(instance) => {
                    let lost = staged.lost_import(&instance);
                    if let Some(leader) = followers.get(&name).or(lost) {
                        staged.follow(swapper, writer, &instance, leader)?;
                    } else {
                        staged.reports.push(PluginReport::new(&instance, outcome));
                        staged.plugins.push(instance);
                    }
                }
            }
        }
        staged.init()?;
        Ok(staged)
    }

    /// A plugin that this instance uses, and whose instance does not stay: it was optional, and is gone.
    fn lost_import<'i>(&self, instance: &'i Instance) -> Option<&'i PluginName> {
        let stays = |import: &&Arc<Instance>| self.plugins.iter().any(|p| Arc::ptr_eq(p, import));
        let lost = instance.imports().iter().find(|import| !stays(import))?;
        Some(lost.name())
    }

    fn follow(
        &mut self,
        swapper: &Swapper,
        writer: &Writer,
        instance: &Instance,
        leader: &PluginName,
    ) -> Result<(), ReloadError> {
        if !instance.is_reloadable() {
            return Err(ReloadError::Import {
                plugin: instance.name().clone(),
                file: instance.file().to_owned(),
                import: leader.to_string(),
                message: format!(
                    "{leader} was replaced or removed, and {} may not be replaced: restart the host",
                    instance.name()
                ),
            });
        }
        let opening =
            Opening::read(instance.file()).map_err(|error| error.of(Some(instance.name())))?;
        let outcome = Outcome::Followed {
            plugin: leader.clone(),
        };
        self.add_fresh(swapper, writer, opening, outcome)
    }

    fn add_fresh(
        &mut self,
        swapper: &Swapper,
        writer: &Writer,
        opening: Opening,
        outcome: Outcome,
    ) -> Result<(), ReloadError> {
        let Opening {
            artifact,
            bytes,
            fingerprint,
            ..
        } = opening;
        if self.inner.toolchain && artifact.metadata.rustc != RUSTC {
            return Err(ReloadError::Toolchain {
                plugin: artifact.metadata.name,
                file: artifact.file,
                found: artifact.metadata.rustc,
                expected: RUSTC.into(),
            });
        }
        let request = super::reload::on_request(swapper);
        let give_back = |library| self.inner.retirer.library(library, Uses::default());
        let loaded = load::open(
            artifact,
            &bytes,
            fingerprint,
            &self.inner.copies,
            request,
            give_back,
        )?;
        let instance = Arc::new(self.construct(loaded)?);
        let notes = instance.library().copy_note().into_iter().collect();
        self.reports.push(PluginReport {
            notes,
            ..PluginReport::new(&instance, outcome)
        });
        self.fresh.insert(instance.name().clone());
        self.plugins.push(instance.clone());
        // SAFETY: nobody else uses it: it is not live yet.
        writer
            .load_data
            .lend(|data| unsafe { instance.on_load(data) })?;
        Ok(())
    }

    fn construct(&self, mut loaded: Loaded) -> Result<Instance, ReloadError> {
        let (name, version) = (loaded.name.clone(), loaded.metadata.version.clone());
        let build_id = loaded.build_id.to_string();
        let cx = ContextView {
            name: RStr::from_str(name.as_str()),
            version: RStr::from_str(&version),
            build_id: RStr::from_str(&build_id),
            generation: self.number,
            reloads: self.reloads,
        };
        let levels = telemetry::levels();
        loaded.entry.set_levels()(levels.log, levels.trace);
        let retirer = &self.inner.retirer;
        let give_back = |loaded: Loaded| retirer.library(loaded.library, Uses::default());
        match loaded.reloadable(&cx) {
            Ok(reloadable) => loaded.is_reloadable = reloadable,
            Err(failure) => {
                give_back(loaded);
                return Err(failure.into());
            }
        }
        let (objects, imports) = match self.bind(&loaded) {
            Ok(bound) => bound,
            Err(error) => {
                give_back(loaded);
                return Err(error);
            }
        };
        let uses = Uses::new(imports, self.inner.provided.clone());
        loaded.construct(&cx, &objects, uses).map_err(|failed| {
            let (loaded, uses, failure) = *failed;
            retirer.library(loaded.library, uses);
            failure.into()
        })
    }

    /// An object for each import, and the instances that they belong to.
    fn bind(&self, loaded: &Loaded) -> Result<(Vec<RawObject>, Vec<Arc<Instance>>), ReloadError> {
        let mut imports: Vec<Arc<Instance>> = Vec::new();
        let mut objects = Vec::new();
        for import in loaded.desc.imports.iter() {
            let object = match import.kind {
                ImportKind::Host => from_host(loaded, import, &self.inner.provided)?,
                ImportKind::Plugin | ImportKind::OrderOnly => {
                    let from = PluginName::from(import.from.as_str());
                    let found = self.plugins.iter().find(|plugin| *plugin.name() == from);
                    if let (Some(exporter), ImportKind::Plugin) = (found, import.kind)
                        && !imports.iter().any(|known| Arc::ptr_eq(known, exporter))
                    {
                        imports.push(exporter.clone());
                    }
                    match (found, import.interface) {
                        (Some(exporter), Some(need)) => from_plugin(loaded, need, exporter)?,
                        // Optional and not there, or nothing of it is called: see `resolve::order`.
                        _ => RawObject::ABSENT,
                    }
                }
            };
            objects.push(object);
        }
        Ok((objects, imports))
    }

    fn init(&self) -> Result<(), ReloadError> {
        let names: Vec<_> = self
            .plugins
            .iter()
            .map(|p| RStr::from_str(p.name().as_str()))
            .collect();
        let vault = VaultView {
            generation: self.number,
            plugins: RSlice::from_slice(&names),
        };
        for instance in self.fresh_instances() {
            // SAFETY: nobody else uses it: it is not live yet.
            unsafe { instance.on_init(&vault) }?;
        }
        Ok(())
    }

    fn fresh_instances(&self) -> impl DoubleEndedIterator<Item = &Arc<Instance>> {
        self.plugins
            .iter()
            .filter(|plugin| self.fresh.contains(plugin.name()))
    }

    /// The generation as it would be.
    pub(super) fn generation(&self) -> Generation {
        Generation::new(self.number, self.reloads, self.plugins.clone())
    }

    /// The new instances and the reports, once the generation is live.
    pub(super) fn take(mut self) -> (Vec<Arc<Instance>>, Vec<PluginReport>) {
        self.taken = true;
        let fresh = self.fresh_instances().cloned().collect();
        (fresh, std::mem::take(&mut self.reports))
    }
}

impl Drop for Staged<'_> {
    /// Frees the new instances, those that import before those they import.
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        while let Some(instance) = self.plugins.pop() {
            if self.fresh.contains(instance.name()) {
                self.inner.retirer.free_now(instance);
            }
        }
        self.inner.retirer.wait_unlive(self.inner.limit);
    }
}

type Order = (Vec<PluginName>, BTreeMap<PluginName, PluginName>);

/// The order, and who follows whom.
fn plan(candidates: &BTreeMap<PluginName, Candidate>) -> Result<Order, ReloadError> {
    let node = |(name, candidate): (&PluginName, &'_ Candidate)| {
        (
            name.clone(),
            candidate.metadata().clone(),
            candidate.file().to_owned(),
        )
    };
    let owned: Vec<_> = candidates.iter().map(node).collect();
    let nodes = owned
        .iter()
        .map(|(name, metadata, file)| (name.clone(), Node { metadata, file }))
        .collect();
    let order = resolve::order(&nodes)?;
    let new = |(name, candidate): (&PluginName, &Candidate)| {
        matches!(candidate, Candidate::New(_)).then(|| name.clone())
    };
    let changed = candidates.iter().filter_map(new).collect();
    let followers = resolve::followers(&order, &nodes, &changed);
    Ok((order, followers))
}

fn from_host(
    loaded: &Loaded,
    import: &ImportDesc,
    provided: &Provided,
) -> Result<RawObject, ReloadError> {
    let Some(need) = import.interface else {
        return Ok(RawObject::ABSENT);
    };
    let Some((have, object)) = provided.find(need.name.as_str()) else {
        if import.optional {
            return Ok(RawObject::ABSENT);
        }
        let provided = provided.names();
        return Err(ReloadError::Import {
            plugin: loaded.name.clone(),
            file: loaded.file.clone(),
            import: format!("{} of the host", need.name),
            message: match provided.as_slice() {
                [] => "the host provides nothing: see `Builder::provide`".into(),
                names => format!("the host provides {}", names.join(", ")),
            },
        });
    };
    check(loaded, need, Party::Host, have)?;
    Ok(object)
}

fn from_plugin(
    loaded: &Loaded,
    need: &InterfaceDesc,
    exporter: &Instance,
) -> Result<RawObject, ReloadError> {
    let Some(export) = exporter.export(need) else {
        let exports: Vec<_> = exporter.exports().map(str::to_owned).collect();
        let known = exports.iter().map(String::as_str);
        let nearest = nearest(need.name.as_str(), known).map(str::to_owned);
        return Err(ReloadError::Import {
            plugin: loaded.name.clone(),
            file: loaded.file.clone(),
            import: format!("{} of {}", need.name, exporter.name()),
            message: exports_instead(&nearest, &exports),
        });
    };
    check(
        loaded,
        need,
        Party::Plugin(exporter.name().as_str()),
        export.interface,
    )?;
    Ok(RawObject {
        table: export.table,
        this: exporter.this(),
    })
}

fn check(
    loaded: &Loaded,
    need: &InterfaceDesc,
    from: Party<'_>,
    have: &InterfaceDesc,
) -> Result<(), ReloadError> {
    match mismatch::interface((Party::Plugin(loaded.name.as_str()), need), (from, have)) {
        None => Ok(()),
        Some(message) => Err(ReloadError::Mismatch {
            plugin: loaded.name.clone(),
            file: loaded.file.clone(),
            message,
        }),
    }
}
