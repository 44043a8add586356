//! A host and its plugins, and the model beside them.
mod callers;
mod check;
mod hooks;

use crate::book::Book;
use crate::library::{library, name};
use crate::story::{Edit, Recipe, Step, Story};
use hotswap_host::Hold;
use hotswap_host::artifact::BuildId;
use hotswap_host::prelude::*;
use hotswap_tests::model::{
    Build, Conduct, Disk, Fault, File, Id, Model, Next, Place, Plugin, Plugins, Request,
};
use hotswap_tests::{LIMIT, Stage, fixture};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// A host and its plugins, and the model beside them.
pub struct World {
    handles: BTreeMap<Plugin, Function<fn() -> String>>,
    /// The generations that are held, with their plugins.
    holds: Vec<(Hold, Plugins)>,
    stage: Stage,
    outside: TempDir,
    book: Arc<Book>,
    model: Model,
    /// The number that the host gave to each instance of the model.
    numbers: BTreeMap<Id, u64>,
    /// All builds that ever existed, by number.
    builds: Vec<(Build, BuildId)>,
    /// The files of the last reload that succeeded.
    good: Disk,
    /// If set, no build is freed and no reload returns before everything that has to leave first is gone, however long
    /// that takes. With an old generation held, that would be forever.
    patient: bool,
}

impl World {
    /// Opens a host with these plugins.
    pub fn open(story: &Story) -> Self {
        let mut builds = Vec::new();
        let mut model = Model {
            optional: story.optional.clone(),
            ..Model::default()
        };
        let mut plugins = Vec::new();
        for recipe in &story.first {
            let (build, bytes) = build(&mut builds, recipe.clone());
            plugins.push((name(build.plugin), bytes));
            model
                .disk
                .insert(Place::Own(build.plugin), File::Build(build));
        }
        let plugins: Vec<_> = plugins
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect();
        let book = Arc::new(Book::default());
        let patient = !story.holds();
        let stage = Stage::with(&plugins, |mut builder| {
            if patient {
                builder = builder.retire_limit(LIMIT);
            }
            let builder = builder.optional(story.optional.iter().map(|plugin| name(*plugin)));
            builder.provide::<dyn shapes::nodes::Register>(book.clone())
        });
        let mut world = World {
            handles: BTreeMap::new(),
            holds: Vec::new(),
            stage,
            outside: tempfile::tempdir().expect("a temporary directory can be made"),
            book,
            good: model.disk.clone(),
            model,
            numbers: BTreeMap::new(),
            builds,
            patient,
        };
        let next = world.model.predict(&Request::Reload).swap_remove(0);
        let next = next.expect("the first plugins are sound");
        world.succeeded(next, &[]);
        world.check();
        world
    }

    /// Takes all steps, and shuts the host down.
    pub fn tell(mut self, steps: &[Step]) {
        for step in steps {
            if step.repair {
                self.repair();
            }
            for edit in &step.edits {
                self.edit(edit);
            }
            self.reload(&step.request);
            self.check();
        }
        self.handles.clear();
        self.holds.clear();
        self.stage.close();
    }

    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Write(place, recipe) => self.write(*place, recipe.clone()),
            Edit::Rebuild(plugin) => self.rebuild(*plugin, self.place(*plugin), None),
            Edit::Behave(plugin, conduct) => {
                self.rebuild(*plugin, self.place(*plugin), Some(*conduct))
            }
            Edit::Back(plugin, index) => {
                let all: Vec<_> = self
                    .builds
                    .iter()
                    .filter(|(build, _)| build.plugin == *plugin)
                    .collect();
                if !all.is_empty() {
                    let build = index.get(&all).0.clone();
                    self.put(
                        self.place(*plugin),
                        Some((File::Build(build.clone()), library(&build))),
                    );
                }
            }
            Edit::Remove(place) => self.put(*place, None),
            Edit::Garbage(place) => self.put(*place, Some((File::Garbage, b"nothing".into()))),
            Edit::Move(plugin) => {
                self.put(Place::Own(*plugin), None);
                self.rebuild(*plugin, Place::Other, None);
            }
            Edit::Keep(plugin) => {
                let handle = self.stage.swapper.function(&name(*plugin), "answer");
                assert_eq!(handle.is_ok(), self.model.plugins.contains_key(plugin));
                if let Ok(handle) = handle {
                    self.handles.insert(*plugin, handle);
                    self.model.handles.insert(*plugin);
                }
            }
            Edit::Forget(plugin) => {
                self.handles.remove(plugin);
                self.model.handles.remove(plugin);
            }
            Edit::Hold => self
                .holds
                .push((self.stage.swapper.pin().hold(), self.model.plugins.clone())),
            Edit::Release if self.holds.is_empty() => {}
            Edit::Release => {
                let alive = self.alive();
                self.holds.remove(0);
                self.released(&alive);
            }
        }
    }

    fn write(&mut self, place: Place, recipe: Recipe) {
        let (build, bytes) = build(&mut self.builds, recipe);
        self.put(place, Some((File::Build(build), bytes)));
    }

    /// Builds the plugin from its last sources, if there were any.
    fn rebuild(&mut self, plugin: Plugin, place: Place, conduct: Option<Conduct>) {
        let last = self
            .builds
            .iter()
            .rev()
            .find(|(build, _)| build.plugin == plugin);
        let Some(last) = last.map(|(build, _)| build.clone()) else {
            return;
        };
        let recipe = Recipe {
            plugin,
            needs: last.needs,
            wants: last.wants,
            waits: last.waits,
            conduct: conduct.unwrap_or(last.conduct),
        };
        self.write(place, recipe);
    }

    /// Returns the file that the plugin is loaded from.
    fn place(&self, plugin: Plugin) -> Place {
        match self.model.added.contains(&plugin) {
            true => Place::Outside(plugin),
            false => Place::Own(plugin),
        }
    }

    fn build_id(&self, number: u32) -> BuildId {
        self.builds[number as usize].1
    }

    fn path(&self, place: Place) -> PathBuf {
        match place {
            Place::Own(plugin) => self.stage.file(&name(plugin)),
            Place::Other => self.stage.file("other"),
            Place::Outside(plugin) => self.outside.path().join(fixture::file_name(&name(plugin))),
        }
    }

    /// Writes a file, or removes it.
    fn put(&mut self, place: Place, file: Option<(File, Vec<u8>)>) {
        let path = self.path(place);
        match file {
            None if self.model.disk.remove(&place).is_none() => {}
            None => std::fs::remove_file(path).expect("the file can be removed"),
            Some((file, bytes)) => {
                let temporary = path.with_extension("tmp");
                std::fs::write(&temporary, bytes).expect("the file can be written");
                std::fs::rename(&temporary, &path).expect("the file can be put in place");
                self.model.disk.insert(place, file);
            }
        }
    }

    /// Puts back all files of the last reload that succeeded.
    fn repair(&mut self) {
        let (now, good) = (self.model.disk.clone(), self.good.clone());
        for place in now.keys().filter(|place| !good.contains_key(place)) {
            self.put(*place, None);
        }
        for (place, file) in good
            .into_iter()
            .filter(|(place, file)| now.get(place) != Some(file))
        {
            let bytes = match &file {
                File::Build(build) => library(build),
                File::Garbage => b"nothing".into(),
            };
            self.put(place, Some((file, bytes)));
        }
    }

    fn reload(&mut self, request: &Request) {
        if let Request::Load(plugin) = request
            && !self.model.disk.contains_key(&Place::Outside(*plugin))
        {
            self.rebuild(*plugin, Place::Outside(*plugin), None);
        }
        let before = self.order();
        let expected = self.model.predict(request);
        let right = self.right();
        let swapper = &self.stage.swapper;
        let reload = || match request {
            Request::Reload => swapper.reload(),
            Request::Only(plugins) => {
                swapper.reload_only(plugins.iter().map(|plugin| name(*plugin)))
            }
            Request::Load(plugin) => swapper.load(self.path(Place::Outside(*plugin))),
            Request::Unload(plugin) => swapper.unload(&name(*plugin)),
        };
        let (answers, done) = callers::during(swapper, &before, reload);
        match done {
            Ok(report) => {
                let next = self.reported(&report, expected);
                self.good = self.model.disk.clone();
                self.succeeded(next, &before);
            }
            Err(error) => {
                let is = |expected: &Result<Next, Fault>| {
                    expected.as_ref().is_err_and(|fault| self.is(&error, fault))
                };
                assert!(
                    expected.iter().any(is),
                    "{error}\n{error:?}\nexpected: {:?}",
                    check::fates(&expected)
                );
                self.failed(&error);
            }
        }
        self.check_answers(&answers, &right);
    }

    /// Returns the live plugins in their order.
    fn order(&self) -> Vec<Plugin> {
        let plugins = self.stage.swapper.listing().plugins;
        plugins
            .iter()
            .map(|plugin| letter(plugin.name.as_str()))
            .collect()
    }
}

/// Returns the plugin that a name means, as the plugin writes it.
pub fn letter(name: &str) -> Plugin {
    name.chars().last().expect("a plugin's name is not empty")
}

fn build(builds: &mut Vec<(Build, BuildId)>, recipe: Recipe) -> (Build, Vec<u8>) {
    let Recipe {
        plugin,
        needs,
        wants,
        waits,
        conduct,
    } = recipe;
    let number = builds
        .len()
        .try_into()
        .expect("the number of builds is small");
    let build = Build {
        number,
        plugin,
        needs,
        wants,
        waits,
        conduct,
    };
    let bytes = library(&build);
    builds.push((build.clone(), fixture::build_id(&bytes)));
    (build, bytes)
}
