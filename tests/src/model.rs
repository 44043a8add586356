//! What reloads of many plugins are to do, said as simply as possible: with sets and maps, without libraries.
//!
//! A plugin is a letter, an instance a number. The model knows what lies on the disk and what is live, and says what
//! a reload makes of that, or what may be wrong with it. It is written from what the host promises, and tests compare
//! the host with it.
mod faults;
mod files;
mod reload;

use hotswap_host::Hook;
use std::collections::{BTreeMap, BTreeSet};

/// A plugin's letter.
pub type Plugin = char;

/// Nobody's letter.
pub const NOBODY: Plugin = 'z';

/// An instance's number: no two have the same.
pub type Id = u64;

/// How a build behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// As it should.
    Well,
    /// It may not be replaced once it runs.
    Fixed,
    /// The hook returns an error.
    Fails(Hook),
    /// The hook panics.
    Panics(Hook),
}

/// A build of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// No two builds have the same.
    pub number: u32,
    /// The plugin.
    pub plugin: Plugin,
    /// What it imports and has to be there.
    pub needs: Vec<Plugin>,
    /// What it imports where it is there.
    pub wants: Vec<Plugin>,
    /// What has to be there before it, though nothing of it is called.
    pub waits: Vec<Plugin>,
    /// How it behaves.
    pub conduct: Conduct,
}

/// Where a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the plugin directory, under the plugin's name.
    Own(Plugin),
    /// In the plugin directory, under a name that is no plugin's.
    Other,
    /// Outside it.
    Outside(Plugin),
}

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// A plugin.
    Build(Build),
    /// Nothing that can be loaded.
    Garbage,
}

/// The files there are.
pub type Disk = BTreeMap<Place, File>;

/// A loaded plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Which one.
    pub id: Id,
    /// What it was loaded from.
    pub build: Build,
    /// The file.
    pub place: Place,
    /// The instances that it calls.
    pub calls: BTreeMap<Plugin, Id>,
    /// The instances that were there before it, and may go only after it: those and others.
    pub after: BTreeSet<Id>,
}

/// What is live together.
pub type Plugins = BTreeMap<Plugin, Instance>;

/// The order in which they are loaded: by letter, but each after what it imports, which comes as its build names it.
pub fn order(plugins: &Plugins) -> Vec<Plugin> {
    fn add(plugin: Plugin, plugins: &Plugins, order: &mut Vec<Plugin>) {
        if let Some(instance) = plugins.get(&plugin)
            && !order.contains(&plugin)
        {
            let build = &instance.build;
            let imports = [&build.needs, &build.wants, &build.waits];
            let imports = imports.into_iter().flatten();
            imports.for_each(|import| add(*import, plugins, order));
            order.push(plugin);
        }
    }
    let mut order = Vec::new();
    plugins
        .keys()
        .for_each(|plugin| add(*plugin, plugins, &mut order));
    order
}

/// What a reload is asked to do.
#[derive(Clone, Debug)]
pub enum Request {
    /// To see what has changed.
    Reload,
    /// To see what has changed of these.
    Only(BTreeSet<Plugin>),
    /// And to add the plugin that lies outside the directory.
    Load(Plugin),
    /// And to take a plugin out.
    Unload(Plugin),
}

/// What becomes of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was not there before.
    Loaded,
    /// It replaces this build.
    Reloaded(u32),
    /// Its instance goes on.
    Unchanged,
    /// It is loaded again, on account of one of these.
    Followed(BTreeSet<Plugin>),
    /// Its instance goes on in spite of another build.
    NotReloadable,
    /// It is gone.
    Removed,
    /// Its new build failed, and its instance goes on.
    Kept,
    /// Its new build failed, and the host runs without it.
    Left,
}

/// What may be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A file that is missing or no plugin.
    File(Place),
    /// Two files hold this plugin.
    Duplicate(Plugin),
    /// There is no file at all.
    Empty,
    /// What is to be taken out is not there, or what is to be reloaded was taken out.
    NotLoaded(Plugin),
    /// What is to be reloaded is nowhere.
    Unknown(Plugin),
    /// What would be gone is imported by these.
    InUse(Plugin, BTreeSet<Plugin>),
    /// The first imports the second, which is not there.
    Import(Plugin, Plugin),
    /// Plugins import each other in a circle. The plugins with what they import.
    Cycle(BTreeMap<Plugin, BTreeSet<Plugin>>),
    /// It may not be replaced, but imports these, which may.
    NotReloadable(Plugin, BTreeSet<Plugin>),
    /// The hook of this plugin fails, or panics.
    Hook(Plugin, Hook, bool),
    /// The host has a handle of this plugin, which is gone.
    Handle(Plugin),
}

/// What a reload makes.
#[derive(Clone, Debug)]
pub struct Next {
    /// What is live.
    pub plugins: Plugins,
    /// What became of each plugin, those that left included.
    pub fates: BTreeMap<Plugin, Fate>,
    /// Whether there is a new generation.
    pub changed: bool,
    added: BTreeSet<Plugin>,
    removed: BTreeSet<Plugin>,
}

/// What the host has, and what it was told.
#[derive(Default)]
pub struct Model {
    /// The files.
    pub disk: Disk,
    /// What is live.
    pub plugins: Plugins,
    /// The number of the live generation.
    pub generation: u64,
    /// Plugins that the host can do without.
    pub optional: BTreeSet<Plugin>,
    /// Plugins of which the host has a handle.
    pub handles: BTreeSet<Plugin>,
    /// Loaded from outside the directory.
    pub added: BTreeSet<Plugin>,
    /// Taken out, though they may be in the directory.
    pub removed: BTreeSet<Plugin>,
    /// Instances so far, or more.
    pub born: Id,
}
