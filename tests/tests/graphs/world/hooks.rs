//! Which hooks have run, and in which order.
use super::World;
use crate::book::Event;
use hotswap_host::Hook;
use hotswap_host::prelude::*;
use hotswap_tests::model::{Id, Instance, Next, Plugin, Plugins};
use hotswap_tests::until;
use std::collections::{BTreeMap, BTreeSet};

impl World {
    /// The host has done what the model says: the hooks have run in their order, and those that nobody uses are gone.
    pub(super) fn succeeded(&mut self, next: Next, before: &[Plugin]) {
        let (old, alive) = (self.model.plugins.clone(), self.alive());
        self.model.accept(next);
        let new = &self.model.plugins;
        let gone = self.gone(&alive);
        let events = self.book.events();
        let entered = events.iter().filter(|event| event.hook == "new");
        let entered = entered.map(|event| (new[&event.plugin].id, event.number));
        self.numbers.extend(entered);

        let order = self.order();
        let differs = |plugin: &Plugin, there: &Plugins, here: &Plugins| {
            there.get(plugin).map(|instance| instance.id)
                != here.get(plugin).map(|instance| instance.id)
        };
        let fresh: Vec<_> = order
            .iter()
            .copied()
            .filter(|plugin| differs(plugin, &old, new))
            .collect();
        let replaced: Vec<_> = before
            .iter()
            .copied()
            .filter(|plugin| differs(plugin, &old, new))
            .collect();
        let of = |plugins: &Plugins, plugin: &Plugin, hook: &str| Event {
            number: self.numbers[&plugins[plugin].id],
            plugin: *plugin,
            hook: hook.to_owned(),
        };
        let mut expected: Vec<_> = fresh
            .iter()
            .flat_map(|p| [of(new, p, "new"), of(new, p, "on_load")])
            .collect();
        expected.extend(fresh.iter().map(|plugin| of(new, plugin, "on_init")));
        let (staged, rest) = events.split_at(expected.len().min(events.len()));
        assert_eq!(staged, expected);
        let with = |hook: &str| {
            rest.iter()
                .filter(|event| event.hook == hook)
                .cloned()
                .collect::<Vec<_>>()
        };
        let started: Vec<_> = fresh
            .iter()
            .map(|plugin| of(new, plugin, "on_start"))
            .collect();
        assert_eq!(with("on_start"), started);
        let stopped: Vec<_> = replaced
            .iter()
            .rev()
            .map(|plugin| of(&old, plugin, "on_stop"))
            .collect();
        assert_eq!(with("on_stop"), stopped);
        assert_eq!(
            rest.len(),
            started.len() + stopped.len() + 2 * gone.len(),
            "{rest:?}"
        );
        self.check_freed(rest, &gone);
    }

    /// A hold was dropped: what it alone held is freed.
    pub(super) fn released(&self, alive: &BTreeMap<Id, Instance>) {
        let gone = self.gone(alive);
        let events = self.book.events();
        assert_eq!(events.len(), 2 * gone.len(), "{events:?}");
        self.check_freed(&events, &gone);
    }

    /// Those of `alive` that nobody uses any more, once they are dropped.
    fn gone(&self, alive: &BTreeMap<Id, Instance>) -> Vec<Instance> {
        let now = self.alive();
        let gone = alive
            .values()
            .filter(|instance| !now.contains_key(&instance.id));
        let gone: Vec<_> = gone.cloned().collect();
        until("what nobody uses to be dropped", || {
            gone.iter()
                .all(|instance| self.book.is_dropped(self.numbers[&instance.id]))
        });
        gone
    }

    /// Each is freed once, and before those that were there before it.
    fn check_freed(&self, events: &[Event], gone: &[Instance]) {
        let at = |id: Id, hook: &str| {
            let found =
                |event: &Event| (event.number, event.hook.as_str()) == (self.numbers[&id], hook);
            events.iter().position(found).expect("it is freed")
        };
        let ids: BTreeSet<_> = gone.iter().map(|instance| instance.id).collect();
        for instance in gone {
            let dropped = at(instance.id, "drop");
            assert!(at(instance.id, "on_free") < dropped, "{events:?}");
            for import in instance.after.intersection(&ids) {
                assert!(
                    dropped < at(*import, "on_free"),
                    "{instance:?} goes before {import}: {events:?}"
                );
            }
        }
    }

    /// The host has refused: what was made is freed in reverse order, and nobody else has noticed.
    pub(super) fn failed(&self, error: &ReloadError) {
        until("all that never was live to be gone", || {
            let retirements = self.stage.swapper.retirements();
            retirements
                .iter()
                .all(|it| it.generation.is_some() || it.state.is_end())
        });
        let events = self.book.events();
        let (staged, freed): (Vec<_>, Vec<_>) = events
            .iter()
            .partition(|event| matches!(event.hook.as_str(), "new" | "on_load" | "on_init"));
        let text = |events: &[&Event]| {
            events
                .iter()
                .map(|event| format!("{}.{}", event.plugin, event.hook))
                .collect::<Vec<_>>()
        };
        let no_instance = matches!(error, ReloadError::Hook(failure) if failure.hook == Hook::New);
        let made = staged.iter().filter(|event| event.hook == "new");
        let made: Vec<_> = made.map(|event| event.plugin).collect();
        let loaded: Vec<_> = staged
            .iter()
            .filter(|event| event.hook == "on_load")
            .map(|event| event.plugin)
            .collect();
        let (last, instances) = match made.split_last() {
            Some((last, rest)) if no_instance => (Some(*last), rest),
            _ => (None, &made[..]),
        };
        assert_eq!(loaded, instances, "{:?}", text(&staged));
        let mut expected: Vec<_> = made
            .iter()
            .flat_map(|plugin| [format!("{plugin}.new"), format!("{plugin}.on_load")])
            .collect();
        if last.is_some() {
            expected.pop();
        }
        let initialised = staged
            .iter()
            .filter(|event| event.hook == "on_init")
            .count();
        expected.extend(
            made.iter()
                .take(initialised)
                .map(|plugin| format!("{plugin}.on_init")),
        );
        assert_eq!(text(&staged), expected);
        let back: Vec<_> = instances
            .iter()
            .rev()
            .flat_map(|plugin| [format!("{plugin}.on_free"), format!("{plugin}.drop")])
            .collect();
        let (mut freed, mut back) = (text(&freed), back);
        freed.sort();
        back.sort();
        assert_eq!(freed, back);
    }
}
