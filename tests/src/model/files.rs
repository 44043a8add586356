//! The files that a reload finds on the disk.
use super::faults::none;
use super::reload::Found;
use super::{Fault, File, Model, Place, Plugin, Request};
use std::collections::BTreeSet;

impl Model {
    /// Returns the plugins on the disk, and the optional ones whose files are faulty.
    ///
    /// # Errors
    /// Returns the faults of the files or of the request.
    pub(super) fn look(
        &self,
        request: &Request,
        added: &BTreeSet<Plugin>,
    ) -> Result<(Found, BTreeSet<Plugin>), Vec<Fault>> {
        let matters = |plugin: &Plugin| {
            let looked_at = match request {
                Request::Only(only) => only.contains(plugin),
                Request::Unload(leaves) => plugin != leaves,
                _ => true,
            };
            // A removed plugin needs no file.
            looked_at && !self.removed.contains(plugin)
        };
        let asked_for =
            |plugin: &Plugin| matches!(request, Request::Load(asked) if asked == plugin);
        let (mut found, mut failed) = self.directory(matters)?;
        let mut faults = Vec::new();
        for plugin in added.iter().copied() {
            if !matters(&plugin) && !asked_for(&plugin) {
                continue;
            }
            let place = Place::Outside(plugin);
            if let Some(File::Build(build)) = self.disk.get(&place) {
                failed.remove(&plugin);
                found.insert(plugin, (place, build.clone()));
            } else if self.optional.contains(&plugin) && !asked_for(&plugin) {
                failed.insert(plugin);
            } else {
                faults.push(Fault::File(place));
            }
        }
        none(faults)?;
        found.retain(|plugin, _| !failed.contains(plugin));
        match request {
            Request::Unload(plugin) if !self.plugins.contains_key(plugin) => {
                return Err(vec![Fault::NotLoaded(*plugin)]);
            }
            Request::Only(only) => self.keep_others(&mut found, &failed, only)?,
            _ => {}
        }
        let nothing = !self.disk.keys().any(is_inside) && added.is_empty();
        if nothing && (found.is_empty() || !matches!(request, Request::Only(_))) {
            return Err(vec![Fault::Empty]);
        }
        Ok((found, failed))
    }

    /// Returns the plugins in the plugin directory, and the optional ones whose files are faulty.
    fn directory(
        &self,
        matters: impl Fn(&Plugin) -> bool,
    ) -> Result<(Found, BTreeSet<Plugin>), Vec<Fault>> {
        let (mut found, mut failed, mut faults) = (Found::new(), BTreeSet::new(), Vec::new());
        for (place, file) in self.disk.iter().filter(|(place, _)| is_inside(place)) {
            let (plugin, fault) = match file {
                File::Garbage => (self.implied(*place), Some(Fault::File(*place))),
                File::Build(build) if !matters(&build.plugin) => continue,
                File::Build(build) => {
                    let before = found.insert(build.plugin, (*place, build.clone()));
                    (
                        Some(build.plugin),
                        before.map(|_| Fault::Duplicate(build.plugin)),
                    )
                }
            };
            match (plugin, fault) {
                (_, None) => {}
                (Some(plugin), _) if !matters(&plugin) => {}
                (Some(plugin), _) if self.optional.contains(&plugin) => _ = failed.insert(plugin),
                // The name of the other file is not the name of any plugin.
                (None, _) if !matters(&super::NOBODY) => {}
                (_, Some(fault)) => faults.push(fault),
            }
        }
        none(faults).map(|()| (found, failed))
    }

    /// Returns the plugin that a file should hold.
    fn implied(&self, place: Place) -> Option<Plugin> {
        match place {
            Place::Own(plugin) | Place::Outside(plugin) => Some(plugin),
            Place::Other => {
                let live = self.plugins.values().find(|live| live.place == place);
                live.map(|live| live.build.plugin)
            }
        }
    }

    /// Adds all live plugins except these, which go on as they are. Each of these has to be on the disk or live.
    fn keep_others(
        &self,
        found: &mut Found,
        failed: &BTreeSet<Plugin>,
        only: &BTreeSet<Plugin>,
    ) -> Result<(), Vec<Fault>> {
        let others = self
            .plugins
            .iter()
            .filter(|(plugin, _)| !only.contains(plugin));
        found.extend(others.map(|(plugin, live)| (*plugin, (live.place, live.build.clone()))));
        let unknown = only.iter().filter(|plugin| {
            !found.contains_key(plugin)
                && !failed.contains(plugin)
                && !self.plugins.contains_key(plugin)
        });
        let fault = |plugin: &Plugin| match self.removed.contains(plugin) {
            true => Fault::NotLoaded(*plugin),
            false => Fault::Unknown(*plugin),
        };
        none(unknown.map(fault).collect())
    }
}

fn is_inside(place: &Place) -> bool {
    !matches!(place, Place::Outside(_))
}
