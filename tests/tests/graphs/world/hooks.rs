//! Checks which hooks have run, and in which order.
use super::World;
use crate::book::Event;
use hotswap_host::Hook;
use hotswap_host::prelude::*;
use hotswap_tests::model::{Id, Instance, Next, Plugin, Plugins};
use hotswap_tests::until;
use std::collections::{BTreeMap, BTreeSet};

impl World {
    /// Checks a reload that succeeded: the hooks have run in the order of the model, and the unused instances are gone.
    pub(super) fn succeeded(&mut self, next: Next, before: &[Plugin]) {
        let (old, alive) = (self.model.plugins.clone(), self.alive());
        self.model.accept(next);
        let new = &self.model.plugins;
        let gone = self.gone(&alive);
        let events = self.book.events();
        let entered = events.iter().filter(|event| event.hook == "new");
        let fresh = entered.filter_map(|event| Some((new.get(&event.plugin)?.id, event.number)));
        let fresh: BTreeMap<_, _> = fresh
            .filter(|(id, _)| !self.numbers.contains_key(id))
            .collect();
        self.numbers.extend(fresh);
        // Other instances were made in vain, together with an optional plugin that failed.
        let known: BTreeSet<_> = self.numbers.values().copied().collect();
        let (events, vain): (Vec<_>, Vec<_>) = events
            .into_iter()
            .partition(|event| known.contains(&event.number));
        check_vain(&vain);

        let id =
            |plugins: &Plugins, plugin: &Plugin| plugins.get(plugin).map(|instance| instance.id);
        let changed = |order: Vec<Plugin>| -> Vec<Plugin> {
            let differs = |plugin: &Plugin| id(&old, plugin) != id(new, plugin);
            order.into_iter().filter(differs).collect()
        };
        let (fresh, replaced) = (changed(self.order()), changed(before.to_vec()));
        let run = |plugins: &Plugins, plugin: &Plugin, hook: &str| Event {
            number: self.numbers[&plugins[plugin].id],
            plugin: *plugin,
            hook: hook.to_owned(),
        };
        let all_run = |hook| fresh.iter().map(move |plugin| run(new, plugin, hook));
        let staged = ["new", "on_load", "on_init"].into_iter().flat_map(all_run);
        let staged: Vec<_> = staged.collect();
        assert!(
            events.starts_with(&staged),
            "{events:?} does not begin with {staged:?}"
        );
        let rest = &events[staged.len()..];
        let all = |hook: &str| -> Vec<_> {
            rest.iter()
                .filter(|event| event.hook == hook)
                .cloned()
                .collect()
        };
        let started: Vec<_> = fresh
            .iter()
            .map(|plugin| run(new, plugin, "on_start"))
            .collect();
        let stopped: Vec<_> = replaced
            .iter()
            .rev()
            .map(|plugin| run(&old, plugin, "on_stop"))
            .collect();
        assert_eq!((all("on_start"), all("on_stop")), (started, stopped));
        assert_eq!(
            rest.len(),
            fresh.len() + replaced.len() + 2 * gone.len(),
            "{rest:?}"
        );
        if self.patient {
            let backwards = replaced.iter().rev();
            let freed = backwards
                .flat_map(|plugin| [run(&old, plugin, "on_free"), run(&old, plugin, "drop")]);
            let mut frees = rest.to_vec();
            frees.retain(|event| matches!(event.hook.as_str(), "on_free" | "drop"));
            assert_eq!(frees, freed.collect::<Vec<_>>());
        }
        self.check_freed(rest, &gone);
    }

    /// Checks a hold that was dropped: the instances that only this hold has kept are freed.
    pub(super) fn released(&self, alive: &BTreeMap<Id, Instance>) {
        let gone = self.gone(alive);
        let events = self.book.events();
        assert_eq!(events.len(), 2 * gone.len(), "{events:?}");
        self.check_freed(&events, &gone);
    }

    /// Waits until the unused instances of `alive` are dropped, and returns them.
    fn gone(&self, alive: &BTreeMap<Id, Instance>) -> Vec<Instance> {
        let now = self.alive();
        let gone = alive
            .values()
            .filter(|instance| !now.contains_key(&instance.id));
        let gone: Vec<_> = gone.cloned().collect();
        until("the unused instances to be dropped", || {
            gone.iter()
                .all(|instance| self.book.is_dropped(self.numbers[&instance.id]))
        });
        gone
    }

    /// Checks that each instance is freed, and before the instances that it calls.
    fn check_freed(&self, events: &[Event], gone: &[Instance]) {
        let at = |id: Id, hook: &str| {
            let is =
                |event: &Event| (event.number, event.hook.as_str()) == (self.numbers[&id], hook);
            events.iter().position(is).expect("every instance is freed")
        };
        for instance in gone {
            let dropped = at(instance.id, "drop");
            assert!(at(instance.id, "on_free") < dropped, "{events:?}");
            let called = |other: &&Instance| instance.calls.values().any(|id| *id == other.id);
            for import in gone.iter().filter(called) {
                assert!(
                    dropped < at(import.id, "on_free"),
                    "{instance:?}: {events:?}"
                );
            }
        }
    }

    /// Checks a reload that was refused: the new instances are freed in reverse order, and the others have run no hook.
    pub(super) fn failed(&self, error: &ReloadError) {
        assert!(
            !self.patient || self.is_settled(),
            "something is left: {error}"
        );
        until("the builds that never were live to be gone", || {
            let retirements = self.stage.swapper.retirements();
            let mut vain = retirements.iter().filter(|it| it.generation.is_none());
            vain.all(|it| it.state.is_end())
        });
        let events = self.book.events();
        let unmade = check_vain(&events);
        if let (ReloadError::Hook(failure), true) = (error, self.model.optional.is_empty()) {
            assert_eq!(unmade, failure.hook == Hook::New, "{events:?}");
        }
    }
}

/// Checks that the instances of each failed attempt were freed in reverse order. Returns true if the last attempt could
/// not even make its last instance.
fn check_vain(events: &[Event]) -> bool {
    let is_made = |event: &Event| matches!(event.hook.as_str(), "new" | "on_load" | "on_init");
    // Every instance that could be made is dropped.
    let is_unmade = |event: &Event| {
        let number = event.number;
        let mut drops = events.iter().filter(|event| event.hook == "drop");
        drops.all(|drop| drop.number != number)
    };
    // If the first instance could not be made, there was nothing to free.
    let together = |a: &Event, b: &Event| !is_made(b) || (is_made(a) && !is_unmade(a));
    let mut unmade = false;
    for attempt in events.chunk_by(together) {
        unmade = check_attempt(attempt);
    }
    unmade
}

fn check_attempt(events: &[Event]) -> bool {
    let all = |hook: &str| -> Vec<u64> {
        let events = events.iter().filter(|event| event.hook == hook);
        events.map(|event| event.number).collect()
    };
    let (made, dropped) = (all("new"), all("drop"));
    // The last entry may be no instance, and then none of its hooks has run.
    let unmade = made.len() > dropped.len();
    let instances = &made[..made.len() - usize::from(unmade)];
    let each = |hook: &'static str, count| {
        let some = instances.iter().take(count);
        some.map(move |number| (*number, hook))
    };
    let (loaded, initialised) = (all("on_load").len(), all("on_init").len());
    assert!(loaded == 0 || !unmade, "{events:?}");
    assert!(initialised == 0 || loaded == made.len(), "{events:?}");
    let freed = instances.iter().rev();
    let freed = freed.flat_map(|number| [(*number, "on_free"), (*number, "drop")]);
    let expected: Vec<_> = made
        .iter()
        .map(|number| (*number, "new"))
        .chain(each("on_load", loaded))
        .chain(each("on_init", initialised))
        .chain(freed)
        .collect();
    let found: Vec<_> = events
        .iter()
        .map(|event| (event.number, event.hook.as_str()))
        .collect();
    assert_eq!(found, expected, "{events:?}");
    unmade
}
