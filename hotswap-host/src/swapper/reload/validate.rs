//! A dry run of a reload: compares what the files say with what is live, and loads nothing.
use super::arrange::Arranged;
use super::candidate::Candidate;
use super::fallback::{Failed, with_fallbacks, without};
use super::scan::{Failures, scan};
use super::stage::check_files;
use super::trial::check_accepted;
use super::versions::{Judged, Versioned, judge};
use crate::artifact::{LiveEntry, Metadata, State, TypeHash};
use crate::base::name::{PluginName, folded};
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::handle::{HandleSpec, Wanted};
use crate::swapper::inner::Inner;
use crate::swapper::plan::Plan;
use crate::swapper::report::Outcome;
use crate::swapper::verdict::{
    Compatibility, Difference, Item, ItemChange, ItemUser, PluginVerdict, Verdict,
};
use crate::swapper::writer::Writer;
use crate::telemetry::contain;
use hotswap_plugin::LiveKind;
use std::sync::Arc;

impl Inner {
    /// Compares what a reload would make with the live generation. Changes neither the generation nor anything on disk.
    ///
    /// # Errors
    /// Returns the error for which the reload would be refused before anything is loaded.
    pub(in crate::swapper) fn validate(
        &self,
        writer: &Writer,
        plan: &Plan,
    ) -> Result<Verdict, ReloadError> {
        let live = self.live.pin_quietly().hold();
        if live.number != 0 {
            writer.check_may_change()?;
        }
        let (candidates, failures) = scan(&self.plugin_dir(), writer, plan, &live)?;
        let handles: Vec<_> = self.handles().iter().filter_map(|h| h.upgrade()).collect();
        let compare = |arranged: &Arranged, failures: &Failures| {
            let checked = check_files(arranged, self.toolchain);
            checked.map_err(|error| Failed {
                error: Box::new(error),
                may_retry: true,
            })?;
            let kept = self.check_keep(arranged, &live, &plan.options, writer.window.as_ref());
            kept.map_err(|error| Failed {
                error: Box::new(error),
                may_retry: true,
            })?;
            let accepted = check_accepted(writer, arranged, &live, plan, true);
            accepted.map_err(|error| Failed {
                error: Box::new(error),
                may_retry: true,
            })?;
            let comparison = Comparison {
                live: &live,
                arranged,
                handles: &handles,
            };
            Ok(comparison.verdict(failures))
        };
        with_fallbacks(writer, &live, &candidates, failures, compare)
    }
}

impl Inner {
    /// Returns an error if a generation breaks an item that is used.
    ///
    /// # Errors
    /// [`ReloadError::Breaking`]
    pub(super) fn refuse_breaking(
        &self,
        arranged: &Arranged,
        live: &Generation,
    ) -> Result<(), ReloadError> {
        let handles: Vec<_> = self.handles().iter().filter_map(|h| h.upgrade()).collect();
        let comparison = Comparison {
            live,
            arranged,
            handles: &handles,
        };
        let verdict = comparison.verdict(&Failures::new());
        for (plugin, warning) in verdict.warnings() {
            contain(
                (),
                || tracing::warn!(target: "hotswap", "{plugin}: {warning}"),
            );
        }
        match verdict.is_breaking() {
            false => Ok(()),
            true => Err(ReloadError::Breaking {
                verdict: verdict.to_string(),
            }),
        }
    }
}

/// The live generation beside the next one.
struct Comparison<'a> {
    live: &'a Generation,
    arranged: &'a Arranged,
    handles: &'a [Arc<HandleSpec>],
}

impl Comparison<'_> {
    fn verdict(&self, failures: &Failures) -> Verdict {
        let next = self.arranged.order.iter().map(|name| self.of_next(name));
        let others = without(self.live, &self.arranged.candidates, failures).into_iter();
        let others = others.map(|report| PluginVerdict {
            changes: match self.live.plugin(&report.name) {
                Some(plugin) => self.changes(plugin.metadata(), None),
                None => Vec::new(),
            },
            name: report.name,
            outcome: report.outcome,
        });
        Verdict::new(next.chain(others).collect())
    }

    fn of_next(&self, name: &PluginName) -> PluginVerdict {
        let candidate = &self.arranged.candidates[name];
        let outcome = match self.arranged.followers.get(name) {
            Some(plugin) => Outcome::Followed {
                plugin: plugin.clone(),
            },
            None => candidate.outcome(),
        };
        let before = self.live.plugin(name).map(|plugin| plugin.metadata());
        let changes = match (before, candidate) {
            (Some(before), Candidate::New(_)) => self.changes(before, Some(candidate.metadata())),
            _ => Vec::new(),
        };
        PluginVerdict {
            name: candidate.metadata().name.clone(),
            outcome,
            changes,
        }
    }

    /// Returns the differences between two builds of a plugin. `after` is `None` if the plugin would be gone.
    fn changes(&self, before: &Metadata, after: Option<&Metadata>) -> Vec<ItemChange> {
        let plugin = &before.name;
        let functions = |metadata: &Metadata| {
            // Only the host runs smoke tests.
            let items = metadata.functions.iter().filter(|f| f.smoke.is_none());
            let item = |f: &crate::artifact::Function| Offered {
                item: Item::Function(f.name.clone()),
                text: f.signature.clone(),
                hash: f.hash,
            };
            items.map(item).collect::<Vec<_>>()
        };
        let interfaces = |metadata: &Metadata| {
            let items = metadata.exports.iter();
            let item = |e: &crate::artifact::Export| Offered {
                item: Item::Interface(e.interface.clone()),
                text: e.signature.clone(),
                hash: e.hash,
            };
            items.map(item).collect::<Vec<_>>()
        };
        let of = |list: &dyn Fn(&Metadata) -> Vec<Offered>| {
            let after = after.map(list).unwrap_or_default();
            differences(list(before), after)
        };
        let mut changes = Vec::new();
        for (item, hash, difference) in of(&functions) {
            let Item::Function(name) = &item else {
                continue;
            };
            let users = self.host_if(|wanted| match wanted {
                Wanted::Function {
                    plugin: of,
                    name: wanted,
                    hash: wants,
                } => {
                    of == plugin
                        && wanted == name
                        && wants.map_or(hash.is_none(), |wants| Some(wants) != hash)
                }
                _ => false,
            });
            // Other callers may call it by its name, and no file lists them.
            changes.push(change(item, difference, users, true));
        }
        for (item, hash, difference) in of(&interfaces) {
            let Item::Interface(name) = &item else {
                continue;
            };
            let mut users = self.host_if(|wanted| match wanted {
                Wanted::Interface {
                    plugin: of,
                    name: wanted,
                    hash: wants,
                } => of == plugin && wanted == name && Some(wants) != hash,
                _ => false,
            });
            users.extend(self.importers(plugin, name, hash));
            changes.push(change(item, difference, users, false));
        }
        changes.extend(self.live_changes(&before.live, after.map_or(&[], |after| &after.live)));
        changes.extend(state_change(before.state.as_ref(), after));
        changes
    }

    /// Returns the host as a user if it holds a handle for which this is true.
    fn host_if(&self, wants: impl Fn(Wanted<'_>) -> bool) -> Vec<ItemUser> {
        let mut handles = self.handles.iter();
        match handles.any(|handle| wants(handle.wanted())) {
            true => vec![ItemUser::Host],
            false => Vec::new(),
        }
    }

    /// Returns the plugins of the next generation that import the interface with another hash.
    fn importers<'c>(
        &'c self,
        from: &'c PluginName,
        interface: &'c str,
        hash: Option<TypeHash>,
    ) -> impl Iterator<Item = ItemUser> + 'c {
        let plugins = self.arranged.candidates.values().map(Candidate::metadata);
        let imports = move |user: &&Metadata| {
            user.imports.iter().any(|import| {
                let is_from = import.from.as_ref() == Some(from);
                is_from
                    && import.interface.as_deref() == Some(interface)
                    && Some(import.hash) != hash
            })
        };
        let users = plugins.filter(imports);
        users.map(|user| ItemUser::Plugin(user.name.clone()))
    }

    /// Returns the differences between the live items of two builds. An item that moves to another plugin is not gone.
    fn live_changes(&self, before: &[LiveEntry], after: &[LiveEntry]) -> Vec<ItemChange> {
        let others = self.arranged.candidates.values();
        let next: Vec<_> = others.flat_map(|c| &c.metadata().live).collect();
        let same = |one: &LiveEntry, other: &LiveEntry| {
            one.kind == other.kind && folded(&one.name) == folded(&other.name)
        };
        let mut changes = Vec::new();
        for item in before {
            let renamed = |other: &&&LiveEntry| {
                item.kind == LiveKind::Type
                    && other
                        .was
                        .iter()
                        .any(|was| folded(was) == folded(&item.name))
            };
            let now = next
                .iter()
                .find(|other| same(item, other) || renamed(other));
            let judged = now.map_or_else(Judged::default, |now| judge_live(item, now));
            let difference = match now {
                None => Difference::Removed,
                Some(now) if is_same_live(item, now) && judged == Judged::default() => continue,
                Some(now) => Difference::Changed {
                    from: written(item),
                    to: written(now),
                },
            };
            let hash = now.map(|now| now.hash);
            let users = self.host_if(|wanted| match wanted {
                Wanted::Live { name, hash: wants } => {
                    item.kind == LiveKind::Function
                        && folded(name) == folded(&item.name)
                        && Some(wants) != hash
                }
                _ => false,
            });
            // An earlier version refuses what a later one has saved.
            let breaks = match now {
                Some(now) if item.kind == LiveKind::Type => {
                    judged.breaks || now.version < item.version
                }
                _ => true,
            };
            changes.push(ItemChange {
                warnings: judged.warnings,
                ..change(Item::live(item.kind, &item.name), difference, users, breaks)
            });
        }
        let known: Vec<_> = self
            .live
            .plugins
            .iter()
            .flat_map(|p| &p.metadata().live)
            .collect();
        let added = after
            .iter()
            .filter(|item| !known.iter().any(|known| same(item, known)));
        changes.extend(added.map(|item| {
            change(
                Item::live(item.kind, &item.name),
                Difference::Added,
                Vec::new(),
                false,
            )
        }));
        changes
    }
}

/// An item of a build, with what is compared.
struct Offered {
    item: Item,
    text: String,
    hash: TypeHash,
}

/// Returns the items that differ in the order of the earlier build, with their hashes in the later one, and then the new
/// items.
fn differences(
    before: Vec<Offered>,
    after: Vec<Offered>,
) -> Vec<(Item, Option<TypeHash>, Difference)> {
    let mut found = Vec::new();
    for item in &before {
        match after.iter().find(|other| other.item == item.item) {
            None => found.push((item.item.clone(), None, Difference::Removed)),
            Some(other) if other.hash == item.hash => {}
            Some(other) => found.push((
                item.item.clone(),
                Some(other.hash),
                Difference::Changed {
                    from: item.text.clone(),
                    to: other.text.clone(),
                },
            )),
        }
    }
    for item in after {
        if !before.iter().any(|known| known.item == item.item) {
            found.push((item.item, Some(item.hash), Difference::Added));
        }
    }
    found
}

/// Judges a difference. `has_unknown_users` is true for items that anyone may use by name.
fn change(
    item: Item,
    difference: Difference,
    users: Vec<ItemUser>,
    has_unknown_users: bool,
) -> ItemChange {
    let compatibility = match &difference {
        Difference::Added => Compatibility::Additions,
        _ if has_unknown_users || !users.is_empty() => Compatibility::Breaking,
        _ => Compatibility::Compatible,
    };
    ItemChange {
        item,
        difference,
        users,
        compatibility,
        warnings: Vec::new(),
    }
}

/// Judges the versions of a live type.
fn judge_live(before: &LiveEntry, after: &LiveEntry) -> Judged {
    let versions = (Versioned::of_live(before), Versioned::of_live(after));
    let (Some(before), Some(after)) = versions else {
        return Judged::default();
    };
    judge(before, after)
}

fn is_same_live(one: &LiveEntry, other: &LiveEntry) -> bool {
    match one.kind {
        LiveKind::Type => one.version == other.version && one.name == other.name,
        _ => one.hash == other.hash,
    }
}

fn written(item: &LiveEntry) -> String {
    match item.version {
        Some(version) => format!("version {version}"),
        None => item.signature.clone(),
    }
}

/// Returns how the state differs. A state that the new build cannot take over is a breaking change of the plugin itself.
fn state_change(before: Option<&State>, after: Option<&Metadata>) -> Option<ItemChange> {
    // A plugin that is removed has no next instance.
    let after = after?.state.as_ref();
    let text = |state: &State, other: &State| match state.type_name == other.type_name {
        true => format!("version {}", state.version),
        false => format!("{} version {}", state.type_name, state.version),
    };
    let (state, difference, judged) = match (before, after) {
        (None, None) => return None,
        (None, Some(state)) => (state, Difference::Added, Judged::default()),
        (Some(state), None) => (state, Difference::Removed, Judged::another()),
        (Some(before), Some(after)) => {
            let judged = match before.type_name == after.type_name {
                true => judge(before.into(), after.into()),
                false => Judged::another(),
            };
            if before.version == after.version && judged == Judged::default() {
                return None;
            }
            let changed = Difference::Changed {
                from: text(before, after),
                to: text(after, before),
            };
            (before, changed, judged)
        }
    };
    let item = Item::State(state.type_name.clone());
    Some(ItemChange {
        warnings: judged.warnings,
        ..change(item, difference, Vec::new(), judged.breaks)
    })
}
