//! What is left to do for a retirement whose step has panicked.
use super::close::keep;
use super::log::RetirementLog;
use super::state::RetireState;
use crate::instance::{Instance, Uses};
use crate::load::library::Library;
use crate::retirement::Holder;
use std::sync::Arc;

/// What a step would lose if it panicked. A panic is a fault of the host's own, and nobody knows how far the step has
/// come, so nothing that it had is freed any more.
pub(super) struct Rescue {
    /// The libraries that this retirement, and no other, takes out of memory.
    libraries: Vec<Arc<Library>>,
    /// The instances that it has, but for those that it alone may own.
    instances: Vec<Arc<Instance>>,
    /// The user of these instances, for messages.
    user: String,
}

impl Rescue {
    pub(super) fn of(state: &RetireState) -> Self {
        let (libraries, instances) = match state {
            RetireState::Grace(leaving)
            | RetireState::Holds(leaving)
            | RetireState::Delay(leaving) => {
                let replaced = leaving.replaced.iter();
                return Rescue {
                    libraries: replaced.map(|plugin| plugin.library().clone()).collect(),
                    instances: leaving.generation.get().plugins.clone(),
                    user: "a generation that may still be used".into(),
                };
            }
            RetireState::Shared { instance, .. } => (state.libraries(), instance.imports()),
            RetireState::Objects { uses, .. }
            | RetireState::Threads { uses, .. }
            | RetireState::Destructors { uses, .. }
            | RetireState::Exiting { uses, .. } => (state.libraries(), uses.imports()),
            RetireState::Aside { state, .. } => return Rescue::of(state),
            RetireState::Hanging { .. } | RetireState::Freeing { .. } | RetireState::Errand(_) => {
                (state.libraries(), &[][..])
            }
        };
        Rescue {
            user: libraries
                .first()
                .map_or_else(String::new, |library| library.plugin().to_owned()),
            instances: instances.to_vec(),
            libraries,
        }
    }

    /// Leaves all of it in memory, and says why.
    pub(super) fn keep(self, message: &str, log: &RetirementLog) {
        for instance in &self.instances {
            instance.set_needed_by(&self.user);
        }
        for library in &self.libraries {
            let reason = format!("a panic of the host, which is a bug in hotswap: {message}");
            keep(
                library,
                Uses::default(),
                vec![Holder::Other { reason }],
                log,
            );
        }
    }
}
