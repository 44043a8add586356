//! A model of reloads of many plugins, as simple as possible: with sets and maps, and without libraries.
//!
//! A plugin is a letter, and an instance is a number. The model knows the files on the disk and the live plugins, and
//! says what a reload makes of them, or which faults it may report. It is written from what the host promises, and
//! tests compare the host with it.
mod faults;
mod files;
mod reload;

use hotswap_host::Hook;
use std::collections::{BTreeMap, BTreeSet};

/// A plugin's letter.
pub type Plugin = char;

/// The letter of a plugin that never exists.
pub const NOBODY: Plugin = 'z';

/// An instance's number. No two instances have the same.
pub type Id = u64;

/// The behaviour of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// The build has no fault.
    Well,
    /// The build may not be replaced once it runs.
    Fixed,
    /// The hook returns an error.
    Fails(Hook),
    /// The hook panics.
    Panics(Hook),
}

/// A build of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The number of the build. No two builds have the same.
    pub number: u32,
    /// The plugin.
    pub plugin: Plugin,
    /// The plugins that it imports, and that have to be there.
    pub needs: Vec<Plugin>,
    /// The plugins that it imports if they are there.
    pub wants: Vec<Plugin>,
    /// The plugins that have to be there before it, although it never calls them.
    pub waits: Vec<Plugin>,
    /// The behaviour of the build.
    pub conduct: Conduct,
}

/// The place of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The plugin directory, under the plugin's name.
    Own(Plugin),
    /// The plugin directory, under a name that is not a plugin's.
    Other,
    /// Outside the plugin directory.
    Outside(Plugin),
}

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// A plugin.
    Build(Build),
    /// Nothing that can be loaded.
    Garbage,
}

/// The files on the disk.
pub type Disk = BTreeMap<Place, File>;

/// A loaded plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The number of the instance.
    pub id: Id,
    /// The build that it was loaded from.
    pub build: Build,
    /// The file that it was loaded from.
    pub place: Place,
    /// The instances that it calls.
    pub calls: BTreeMap<Plugin, Id>,
    /// The instances that were there before it and may go only after it: those that it calls, and others.
    pub after: BTreeSet<Id>,
}

/// The plugins that are live together.
pub type Plugins = BTreeMap<Plugin, Instance>;

/// The order in which the plugins are loaded: by letter, but each one after its imports, which come in the order in
/// which its build names them.
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

/// The request that a reload carries out.
#[derive(Clone, Debug)]
pub enum Request {
    /// Reload everything that has changed.
    Reload,
    /// Reload these plugins if they have changed.
    Only(BTreeSet<Plugin>),
    /// Add the plugin that lies outside the directory, and reload everything that has changed.
    Load(Plugin),
    /// Remove a plugin, and reload everything that has changed.
    Unload(Plugin),
}

/// The outcome of a reload for one plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The plugin was not there before.
    Loaded,
    /// The plugin replaces this build.
    Reloaded(u32),
    /// The instance goes on.
    Unchanged,
    /// The plugin is loaded again because of one of these.
    Followed(BTreeSet<Plugin>),
    /// The instance goes on although there is another build, since it may not be replaced.
    NotReloadable,
    /// The plugin is gone.
    Removed,
    /// The new build failed, and the instance goes on.
    Kept,
    /// The new build failed, and the host runs without the plugin.
    Left,
}

/// A fault that a reload reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A file that is missing or not a plugin.
    File(Place),
    /// Two files hold this plugin.
    Duplicate(Plugin),
    /// There is no file at all.
    Empty,
    /// The plugin to remove is not loaded, or the plugin to reload was removed.
    NotLoaded(Plugin),
    /// The plugin to reload is neither loaded nor on the disk.
    Unknown(Plugin),
    /// The first plugin would be gone, and these import it.
    InUse(Plugin, BTreeSet<Plugin>),
    /// The first plugin imports the second one, which is not there.
    Import(Plugin, Plugin),
    /// Plugins import each other in a circle. Each is listed with its imports.
    Cycle(BTreeMap<Plugin, BTreeSet<Plugin>>),
    /// The plugin may not be replaced, but imports these, which may be.
    NotReloadable(Plugin, BTreeSet<Plugin>),
    /// The hook of this plugin returns an error, or panics if the last field is set.
    Hook(Plugin, Hook, bool),
    /// The host has a handle of this plugin, which is gone.
    Handle(Plugin),
}

/// The result of a reload that succeeds.
#[derive(Clone, Debug)]
pub struct Next {
    /// The live plugins.
    pub plugins: Plugins,
    /// The outcome for each plugin, including those that left.
    pub fates: BTreeMap<Plugin, Fate>,
    /// Set if there is a new generation.
    pub changed: bool,
    added: BTreeSet<Plugin>,
    removed: BTreeSet<Plugin>,
}

/// The state of the host, and the settings that it was given.
#[derive(Default)]
pub struct Model {
    /// The files on the disk.
    pub disk: Disk,
    /// The live plugins.
    pub plugins: Plugins,
    /// The number of the live generation.
    pub generation: u64,
    /// The optional plugins.
    pub optional: BTreeSet<Plugin>,
    /// The plugins of which the host has a handle.
    pub handles: BTreeSet<Plugin>,
    /// The plugins that were loaded from outside the directory.
    pub added: BTreeSet<Plugin>,
    /// The plugins that were removed, although their files may be in the directory.
    pub removed: BTreeSet<Plugin>,
    /// At least the number of instances so far.
    pub born: Id,
}
