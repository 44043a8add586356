//! Lists the users of a live plugin.
use super::Swapper;
use crate::generation::Generation;
use crate::instance::Instance;
use crate::load::objects;
use crate::reclaim::record;
use crate::reclaim::slot::{Address, CallTarget};
use crate::retirement::Holder;
use std::sync::Arc;

impl Swapper {
    /// Lists what would keep the live build of this plugin in memory if it were replaced now: plugins that import it,
    /// calls, pins, and holds, objects of its own that others have, its tasks, and its threads. Returns `None` if no
    /// plugin with this name is live. An object in a slot of an extension counts as one that the host has, although it
    /// leaves with its generation.
    ///
    /// The result changes all the time and is for people to read: calls that are not listed may have begun since.
    /// [`retirements`](Self::retirements) lists builds that were replaced.
    pub fn holders(&self, plugin: &str) -> Option<Vec<Holder>> {
        let live = self.0.live.pin_quietly().hold();
        let instance = live.plugin_called(plugin)?;
        let mut holders = Vec::new();
        for user in live.users_of(instance) {
            let plugin = user.to_string();
            holders.push(Holder::User { plugin });
        }
        // The hold that was just made does not count.
        let holds = live.holds().saturating_sub(1);
        holders.extend(of_generation(&live, live.address(), holds, instance));
        // An instance that goes on is part of earlier generations, too.
        for older in self.0.retirer.leaving() {
            let generation = older.get();
            if generation.has(instance) {
                holders.extend(of_generation(
                    generation,
                    older.address(),
                    older.holds(),
                    instance,
                ));
            }
        }
        let library = instance.library();
        holders.extend(objects::holders(library));
        let threads = library.thread_names();
        if !threads.is_empty() {
            holders.push(Holder::Threads { names: threads });
        }
        Some(holders)
    }
}

/// Returns the calls, pins, and holds of a generation that keep an instance of it.
fn of_generation(
    generation: &Generation,
    address: Address,
    holds: usize,
    instance: &Arc<Instance>,
) -> Vec<Holder> {
    let users = generation.all_users_of(instance);
    let uses = |target: CallTarget| {
        let mut users = users.iter();
        target != CallTarget::NOTHING && users.any(|user| target.includes(user.call_target()))
    };
    let slots = record::slot_holders(address).into_iter();
    let slots = slots
        .filter(|inside| inside.pinned_at.is_some() || uses(inside.entered.without_nested()))
        .map(|inside| generation.holder_of(inside));
    let mut holders: Vec<_> = slots.collect();
    if holds != 0 {
        holders.push(Holder::Holds { count: holds });
    }
    let is_user = |plugin: &Instance| users.iter().any(|user| std::ptr::eq(&***user, plugin));
    holders.extend(generation.async_calls.holders(&generation.plugins, is_user));
    holders
}
