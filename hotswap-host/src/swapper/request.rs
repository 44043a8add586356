//! [`Reload`], the description of a reload before it runs.
use super::cause::Cause;
use super::inner::Inner;
use super::options::ReloadOptions;
use super::plan::{Change, Check, Plan};
use super::report::Report;
use super::requester::Requester;
use super::sent_manifest::SentManifest;
use super::staged::StagedReload;
use super::stored_build::StoredBuild;
use super::verdict::Verdict;
use crate::base::name::PluginName;
use crate::base::paths::absolute;
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::load_data::LoadDataBox;
use hotswap_plugin::boundary::Shared;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The description of a reload before it runs.
#[must_use = "a reload does nothing until `run` is called"]
pub struct Reload<'s> {
    inner: &'s Arc<Inner>,
    plan: Plan,
    data: Option<LoadDataBox>,
    check: Option<Check<'s>>,
}

impl<'s> Reload<'s> {
    pub(super) fn new(inner: &'s Arc<Inner>) -> Self {
        Reload {
            inner,
            plan: Plan::new(inner.options.clone()),
            data: None,
            check: None,
        }
    }

    pub(super) fn add(mut self, file: &Path) -> Self {
        self.plan.add.push(absolute(file));
        self
    }

    pub(super) fn remove(mut self, plugin: &str) -> Self {
        self.plan.remove.push(plugin.into());
        self
    }

    /// Looks only at these plugins, named in any order. All others keep their instances, whatever has happened to their
    /// files; those that import a reloaded plugin follow it as usual.
    pub fn only<N: Into<PluginName>>(mut self, plugins: impl IntoIterator<Item = N>) -> Self {
        self.plan.only = Some(plugins.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the data that the plugins' `on_load` can read, from this reload on if it succeeds.
    pub fn load_data<T: Shared + Send + Sync>(mut self, data: T) -> Self {
        self.data = Some(LoadDataBox::new(data));
        self
    }

    /// Sets how careful this reload is. By default it is as careful as [the host](crate::Builder::reload_options) says.
    pub fn options(mut self, options: ReloadOptions) -> Self {
        self.plan.options = options;
        self
    }

    /// Adds a smoke test for this reload, which runs after those of [every reload](crate::Builder::smoke).
    pub fn smoke<E: fmt::Display>(
        mut self,
        name: &str,
        test: impl Fn(&Generation) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.plan.smoke.add(name, test);
        self
    }

    /// Takes these builds in place of those in the plugin directory, such as builds of an earlier time. Plugins that are
    /// not among them are removed. The next reload reads the directory again.
    pub fn builds(mut self, builds: Vec<StoredBuild>) -> Self {
        self.plan.builds = Some(builds);
        self
    }

    /// Puts these builds in the place of the live builds of their plugins, or adds plugins that are not there. All other
    /// plugins stay as they are, whatever is in the plugin directory.
    ///
    /// What is deployed is what the host shall run: later reloads of the plugin directory leave it alone, until the file of the
    /// plugin there becomes another build than it was at the time of the deployment ([`Deployed`](crate::artifact::Deployed)).
    /// With a [journal](crate::Builder::journal), this holds over restarts, too.
    ///
    /// The host's [examiner](crate::Builder::examiner) sees the bytes, with [`StoredBuild::evidence`].
    pub fn deploy(mut self, builds: Vec<StoredBuild>) -> Self {
        self.plan.deploy = Some(builds);
        self
    }

    /// Adds the signed manifest of the set that a [deployment](Self::deploy) makes live, for the host's
    /// [examiner](crate::Builder::examiner): [`ExaminedSet::manifest`](crate::ExaminedSet::manifest).
    pub fn manifest(mut self, manifest: SentManifest) -> Self {
        self.plan.manifest = Some(manifest);
        self
    }

    /// Adds a plugin from a file outside the plugin directory, or replaces the plugin with its name, as
    /// [`Swapper::load`](crate::Swapper::load) does.
    pub fn load(self, file: impl AsRef<Path>) -> Self {
        self.add(file.as_ref())
    }

    /// Says who asked for the reload, in the log, the events, and the history: [`Cause::Request`].
    pub fn requested_by(self, by: impl Into<Requester>) -> Self {
        self.caused_by(Cause::Request(by.into()))
    }

    /// Allows a set of builds that was reverted before.
    pub fn force(mut self) -> Self {
        self.plan.force = true;
        self
    }

    /// Replaces and removes plugins that are [sticky](crate::Builder::sticky), too, if the
    /// [host](crate::Builder::allow_override_sticky) allows it.
    pub fn override_sticky(mut self) -> Self {
        self.plan.override_sticky = true;
        self
    }

    /// Sets the cause, which observers, the log, and the history name. By default it is [`Cause::Code`].
    pub fn caused_by(mut self, cause: Cause) -> Self {
        self.plan.cause = cause;
        self
    }

    /// Runs `check` on another thread just before the switch. It sees both generations, and may call the new one. If it
    /// returns an error or panics, the reload is refused, and the live generation stays as it is. It runs after the
    /// [checks of every generation](crate::Builder::check).
    pub fn check<E: fmt::Display>(
        mut self,
        check: impl FnOnce(&Change<'_>) -> Result<(), E> + Send + 's,
    ) -> Self {
        self.check = Some(Box::new(|change| {
            check(change).map_err(|error| error.to_string())
        }));
        self
    }

    /// Says what the reload would do, and changes nothing: it loads no code and runs no hook. It compares the functions,
    /// interfaces, live items, and states in the metadata of the files with the live generation, with the imports of the
    /// other plugins, and with the handles that the host holds.
    ///
    /// Only the reload itself can tell whether a library can be opened, whether hooks succeed, and whether a state has a
    /// migration. Checks and load data are not used.
    ///
    /// ```no_run
    /// # use hotswap_host::prelude::*;
    /// # fn run(swapper: &Swapper) -> Result<(), ReloadError> {
    /// let verdict = swapper.prepare_reload().validate()?;
    /// if verdict.is_breaking() {
    ///     println!("{verdict}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns the error for which the reload would be refused before anything is loaded, such as a damaged file or an
    /// import that no plugin offers. As in a reload, a plugin that is [optional](crate::Builder::optional) does not refuse
    /// the others.
    pub fn validate(self) -> Result<Verdict, ReloadError> {
        let writer = self.inner.writer()?;
        self.inner.validate(&writer, &self.plan)
    }

    /// Runs the reload, after those that were asked for before.
    ///
    /// # Errors
    /// The errors of [`Swapper::reload`](crate::Swapper::reload).
    pub fn run(self) -> Result<Report, ReloadError> {
        let Reload {
            inner,
            plan,
            data,
            check,
        } = self;
        let mut writer = inner.writer()?;
        let before = data.map(|data| std::mem::replace(&mut writer.load_data, Arc::new(data)));
        let outcome = inner.reload(&mut writer, plan, check);
        if let (Err(_), Some(before)) = (&outcome, before) {
            writer.load_data = before;
        }
        outcome
    }

    /// Does everything but the switch: it reads the files, loads, constructs, and initialises the new plugins, and runs
    /// the smoke tests and checks. [`StagedReload::commit`] makes the result live, at the moment and on the thread that
    /// suits the program, such as between two frames. Meanwhile, calls and other reloads go on.
    ///
    /// Staging takes as long as a reload does. So as not to wait for it, stage on a thread of its own:
    ///
    /// ```no_run
    /// # use hotswap_host::prelude::*;
    /// # fn frame() -> bool { true }
    /// # fn run(swapper: &Swapper) -> Result<(), ReloadError> {
    /// let background = swapper.clone();
    /// let staging = std::thread::spawn(move || background.prepare_reload().stage());
    /// while !staging.is_finished() {
    ///     frame();
    /// }
    /// let staged = staging.join().expect("staging does not panic")?;
    /// println!("{}", staged.commit()?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`Swapper::reload`](crate::Swapper::reload), except for those of the switch.
    pub fn stage(self) -> Result<StagedReload, ReloadError> {
        let Reload {
            inner,
            plan,
            data,
            check,
        } = self;
        let mut writer = inner.writer()?;
        let data = data.map(Arc::new);
        let before = data
            .clone()
            .map(|data| std::mem::replace(&mut writer.load_data, data));
        let staged = inner.stage(&mut writer, plan, check);
        before
            .into_iter()
            .for_each(|before| writer.load_data = before);
        Ok(StagedReload::new(inner.clone(), staged?, data))
    }
}
