//! Stories: sequences of changes and reloads of a host and its plugins.
use hotswap_host::Hook;
use hotswap_tests::model::{Conduct, NOBODY, Place, Plugin, Request};
use proptest::bool::weighted;
use proptest::collection::{btree_set, vec};
use proptest::option::weighted as sometimes;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::collections::BTreeSet;

/// The plugins that a story may have.
const PLUGINS: [Plugin; 8] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/// The properties of a build.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub plugin: Plugin,
    pub needs: Vec<Plugin>,
    pub wants: Vec<Plugin>,
    pub waits: Vec<Plugin>,
    pub conduct: Conduct,
}

/// A change between two reloads.
#[derive(Clone, Debug)]
pub enum Edit {
    /// A new build of these properties is put there.
    Write(Place, Recipe),
    /// The plugin is built again, from the same sources.
    Rebuild(Plugin),
    /// The plugin is built again, and behaves in another way.
    Behave(Plugin, Conduct),
    /// An earlier build of the plugin is put back.
    Back(Plugin, Index),
    /// The file is removed.
    Remove(Place),
    /// Something else takes the file's place.
    Garbage(Place),
    /// The plugin is built under another file name.
    Move(Plugin),
    /// The host makes a handle of the plugin.
    Keep(Plugin),
    /// The host drops the handle.
    Forget(Plugin),
    /// The host holds the live generation.
    Hold,
    /// The host drops the oldest generation that it holds.
    Release,
}

/// Some changes, followed by a reload.
#[derive(Clone, Debug)]
pub struct Step {
    /// If set, the step begins by putting back all files of the last reload that succeeded.
    pub repair: bool,
    pub edits: Vec<Edit>,
    pub request: Request,
}

/// The first plugins, and the steps that follow.
#[derive(Clone, Debug)]
pub struct Story {
    /// The optional plugins.
    pub optional: BTreeSet<Plugin>,
    pub first: Vec<Recipe>,
    pub steps: Vec<Step>,
}

impl Story {
    /// Returns true if the host ever holds a generation.
    pub fn holds(&self) -> bool {
        let mut edits = self.steps.iter().flat_map(|step| &step.edits);
        edits.any(|edit| matches!(edit, Edit::Hold))
    }
}

/// Generates any story.
pub fn stories() -> impl Strategy<Value = Story> {
    // Plugins mostly import those before them in this order, which is not the order of their names.
    Just(PLUGINS.to_vec())
        .prop_shuffle()
        .prop_flat_map(|order| {
            let first: Vec<_> = (0..order.len())
                .map(|rank| recipe(&order, rank, true).boxed())
                .collect();
            let first = (first, 3..=order.len()).prop_map(|(mut first, many)| {
                first.truncate(many);
                first
            });
            let optional = prop_oneof![
                Just(BTreeSet::new()),
                btree_set(select(&PLUGINS[..]), 1..=4)
            ];
            (optional, first, vec(step(&order), 1..=14)).prop_map(|(optional, first, steps)| {
                Story {
                    optional,
                    first,
                    steps,
                }
            })
        })
}

/// Generates the properties of a build of the plugin at this rank. A sound one imports only plugins before it, and
/// behaves well.
fn recipe(order: &[Plugin], rank: usize, sound: bool) -> impl Strategy<Value = Recipe> + use<> {
    let plugin = order[rank];
    let (before, all) = (order[..rank].to_vec(), [order, &[NOBODY]].concat());
    // The import is the plugin itself, one that imports it, or one that never exists.
    let astray = weighted(if sound { 0.0 } else { 0.1 });
    let link = (astray, any::<Index>()).prop_map(move |(astray, index)| {
        let from = if astray { &all } else { &before };
        (!from.is_empty()).then(|| *index.get(from))
    });
    let links = |most: usize, often: f64| {
        let links = vec(sometimes(often, link.clone()), most);
        links.prop_map(|links| links.into_iter().flatten().flatten().collect())
    };
    let conduct = match sound {
        true => Just(Conduct::Well).boxed(),
        false => prop_oneof![15 => Just(Conduct::Well), 1 => conduct()].boxed(),
    };
    (links(2, 0.5), links(2, 0.4), links(1, 0.2), conduct).prop_map(
        move |(needs, wants, waits, conduct)| Recipe {
            plugin,
            needs,
            wants,
            waits,
            conduct,
        },
    )
}

fn conduct() -> impl Strategy<Value = Conduct> {
    let hook = || select(vec![Hook::New, Hook::OnLoad, Hook::OnInit]);
    prop_oneof![
        2 => Just(Conduct::Well),
        3 => Just(Conduct::Fixed),
        4 => hook().prop_map(Conduct::Fails),
        4 => hook().prop_map(Conduct::Panics),
        1 => Just(Conduct::Panics(Hook::Reloadable)),
    ]
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        8 => select(&PLUGINS[..]).prop_map(Place::Own),
        1 => Just(Place::Other),
        2 => select(&PLUGINS[..]).prop_map(Place::Outside),
    ]
}

fn edit(order: &[Plugin]) -> impl Strategy<Value = Edit> + use<> {
    let order = order.to_vec();
    let recipe = (0..order.len()).prop_flat_map(move |rank| recipe(&order, rank, false));
    let write = (recipe, 0..12).prop_map(|(recipe, place)| {
        let place = match place {
            0 => Place::Other,
            1 | 2 => Place::Outside(recipe.plugin),
            _ => Place::Own(recipe.plugin),
        };
        Edit::Write(place, recipe)
    });
    let plugin = || select(&PLUGINS[..]);
    prop_oneof![
        8 => write,
        10 => plugin().prop_map(Edit::Rebuild),
        4 => (plugin(), conduct()).prop_map(|(plugin, conduct)| Edit::Behave(plugin, conduct)),
        3 => (plugin(), any::<Index>()).prop_map(|(plugin, index)| Edit::Back(plugin, index)),
        3 => place().prop_map(Edit::Remove),
        1 => place().prop_map(Edit::Garbage),
        1 => plugin().prop_map(Edit::Move),
        2 => plugin().prop_map(Edit::Keep),
        1 => plugin().prop_map(Edit::Forget),
        1 => Just(Edit::Hold),
        2 => Just(Edit::Release),
    ]
}

fn step(order: &[Plugin]) -> impl Strategy<Value = Step> + use<> {
    let plugin = || select(&PLUGINS[..]);
    let request = prop_oneof![
        12 => Just(Request::Reload),
        4 => btree_set(plugin(), 0..=3).prop_map(Request::Only),
        2 => plugin().prop_map(Request::Load),
        2 => plugin().prop_map(Request::Unload),
    ];
    (weighted(0.7), vec(edit(order), 0..=4), request).prop_map(|(repair, edits, request)| Step {
        repair,
        edits,
        request,
    })
}
