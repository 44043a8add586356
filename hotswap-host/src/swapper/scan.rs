//! Finds out what is mapped into this process, and why builds of plugins are.
use super::Swapper;
use crate::artifact::BuildId;
use crate::base::name::PluginName;
use crate::instance::Instance;
use crate::retirement::{Retirement, RetirementState};
use crate::runtime::{BuildState, MappedKind, Scan, scan};
use std::io;
use std::path::Path;
use std::sync::Arc;

impl Swapper {
    /// Finds out which files are mapped as code into this process: the builds of plugins, with the reason for those that are
    /// not live, and everything else. It tells files that were deleted or replaced since, and code that is mapped more than
    /// once. [`runtime::scan`](scan()) does the same from outside, without the reasons.
    ///
    /// The result changes all the time, and is for people and monitoring.
    ///
    /// # Errors
    /// There is no `/proc` on this system.
    pub fn scan(&self) -> io::Result<Scan> {
        let mut found = scan(std::process::id())?;
        let listing = self.listing();
        let kept = self.open_window();
        let kept = kept.as_ref().map_or(&[][..], |window| window.kept());
        let retirements = self.retirements();
        for file in &mut found.mapped {
            let MappedKind::Plugin {
                plugin,
                build,
                state,
            } = &mut file.kind
            else {
                continue;
            };
            let is_it = |name: &PluginName, id: BuildId| name == plugin && id.short() == *build;
            let of_window = kept.iter().any(|kept| is_it(&kept.plugin, kept.build_id));
            let data = listing.data_builds.iter();
            let of_data = data.clone().any(|data| is_it(&data.plugin, data.build_id));
            let retired = retirements.iter().find(|retirement| {
                let name = PluginName::from(retirement.plugin.as_str());
                is_it(&name, retirement.build_id) && !is_gone(retirement)
            });
            *state = match retired {
                _ if self.is_live_copy(plugin, build, &file.path) => BuildState::Live,
                Some(retired) => of_retirement(retired),
                None if of_window => BuildState::ForRollback,
                None if of_data => BuildState::ForLiveData,
                None => BuildState::Other,
            };
        }
        Ok(found)
    }

    /// Returns true if the live instance of this build is mapped from this path. Copies in memory have no path that could be
    /// compared.
    fn is_live_copy(&self, plugin: &PluginName, build: &str, path: &Path) -> bool {
        let live = self.0.live.pin_quietly();
        let is_it = |instance: &Arc<Instance>| {
            let copy = instance.library().path();
            let same = copy == path || copy.file_name() == path.file_name();
            let in_memory = path.to_string_lossy().starts_with("/memfd:");
            instance.build_id().short() == build && (same || in_memory)
        };
        live.plugin(plugin).is_some_and(is_it)
    }
}

fn is_gone(retirement: &Retirement) -> bool {
    matches!(
        retirement.state,
        RetirementState::Gone | RetirementState::Freed
    )
}

fn of_retirement(retirement: &Retirement) -> BuildState {
    let held_by = retirement.held_by.iter().map(ToString::to_string).collect();
    match retirement.state {
        RetirementState::Kept => BuildState::Stays { held_by },
        _ => BuildState::Leaving { held_by },
    }
}
