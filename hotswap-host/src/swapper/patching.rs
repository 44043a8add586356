//! [`Patch`], which describes a patch of a live plugin and applies it.
use super::Swapper;
use super::cause::Cause;
use super::inner::Inner;
use super::observe::ReloadEventKind;
use crate::base::name::PluginName;
use crate::error::PatchError;
use crate::patch::layers::Layers;
use crate::patch::params::{Closure, ClosureWith, Params};
use crate::patch::stack::{PatchVersion, Version};
use crate::patch::{Given, NextOf, Operation, OriginalOf, PatchSignature, What};
use crate::telemetry::{contain, guarded};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

impl Swapper {
    /// Begins a patch, which replaces, wraps, adds, or removes single functions of a live plugin.
    ///
    /// ```no_run
    /// # use hotswap_host::prelude::*;
    /// # fn run(swapper: &Swapper) -> Result<(), Box<dyn std::error::Error>> {
    /// let hum: Function<fn(u32) -> String> = swapper.function("world", "hum")?;
    /// swapper
    ///     .patch("world")
    ///     .rewrite::<fn(u32) -> String, _>("hum", |times: u32| format!("{times} hums"))
    ///     .apply()?;
    /// assert_eq!(hum.call(3)?, "3 hums");
    /// swapper.patches("world").rollback(1)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn patch(&self, plugin: &str) -> Patch<'_> {
        Patch {
            inner: &self.0,
            plugin: plugin.into(),
            operations: Vec::new(),
            by: String::new(),
            version: None,
            override_sticky: false,
            persistent: false,
        }
    }
}

/// A patch of a plugin before it is applied. It consists of one or more operations on functions, which become live
/// together, as one version of the plugin.
///
/// A function is named as in a call: `hum` for a function with `#[invoke]` or a live function, and `Alpha::greet` for a
/// method of an exported interface. Each operation is given the `fn` type of the function, which is compared with the
/// plugin's, and a closure. Write the types of the closure's parameters: `|name: &str, times: u32|`. For an `async fn`,
/// there is a form of each operation whose closure returns a future.
///
/// Calls of the host meet the patch: through handles, by name, and of live functions. So do the calls that plugins make
/// through their imports. The calls of its own functions that a plugin makes do not.
///
/// A running call ends in the version in which it began, with all calls through imports that it makes, and so do all calls
/// under one [pin](crate::Pin). A thread of a plugin, and the body of an `async fn`, have no pin: each of their calls through
/// an import meets the version that is live then.
#[must_use = "a patch does nothing until `apply` is called"]
pub struct Patch<'s> {
    inner: &'s Arc<Inner>,
    plugin: PluginName,
    operations: Vec<Operation>,
    by: String,
    version: Option<u64>,
    override_sticky: bool,
    persistent: bool,
}

impl Patch<'_> {
    fn with(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }

    /// Calls the closure instead of the function.
    pub fn rewrite<F, A>(self, function: &str, body: impl Closure<F::Params, F::Result>) -> Self
    where
        F: PatchSignature<A>,
    {
        self.with(Operation::rewrite::<F, A>(function, What::Rewrite, body))
    }

    /// Calls the closure before the function. If it returns `Some`, that is the result, and the function is not called.
    ///
    /// ```no_run
    /// # use hotswap_host::prelude::*;
    /// # fn run(swapper: &Swapper) -> Result<(), Box<dyn std::error::Error>> {
    /// swapper
    ///     .patch("world")
    ///     .before::<fn(u32) -> String, _>("hum", |times: u32| {
    ///         (times > 1000).then(|| "no".to_owned())
    ///     })
    ///     .apply()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn before<F, A>(
        self,
        function: &str,
        body: impl Closure<F::Params, Option<F::Result>>,
    ) -> Self
    where
        F: PatchSignature<A>,
    {
        self.with(Operation::before::<F, A>(function, body))
    }

    /// Calls the closure with the result of the function, and with its parameters. The closure returns the result of the
    /// call: `|result: String, times: u32| …`.
    pub fn after<F, A>(
        self,
        function: &str,
        body: impl ClosureWith<Given<F::Result>, F::Params, F::Result>,
    ) -> Self
    where
        F: PatchSignature<A>,
    {
        self.with(Operation::after::<F, A>(function, body))
    }

    /// Calls the closure instead of the function, and passes it the function: see [`Next`](crate::Next).
    ///
    /// ```no_run
    /// # use hotswap_host::{Next, prelude::*};
    /// # fn run(swapper: &Swapper) -> Result<(), Box<dyn std::error::Error>> {
    /// type Hum = fn(u32) -> String;
    /// swapper
    ///     .patch("world")
    ///     .around::<Hum, _>("hum", |hum: Next<'_, Hum>, times: u32| {
    ///         hum.call((times.min(10),))
    ///     })
    ///     .apply()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn around<F, A>(
        self,
        function: &str,
        body: impl ClosureWith<NextOf<F>, F::Params, F::Result>,
    ) -> Self
    where
        F: PatchSignature<A>,
    {
        self.with(Operation::around::<F, A>(function, body))
    }

    /// Adds a clause: if the guard returns true for the parameters, `body` is called instead of the function. The clauses
    /// of a function are asked one after the other; the first one whose guard returns true wins, and the function itself
    /// comes last. Clause 0 is asked first. `index` is the number that the new clause gets; those from there on come
    /// after it. Only the clauses above all other patches of the function are counted.
    ///
    /// A panic of a guard is a panic of the call.
    pub fn add_clause<F, A>(
        self,
        function: &str,
        index: usize,
        guard: impl Closure<F::Params, bool>,
        body: impl Closure<F::Params, F::Result>,
    ) -> Self
    where
        F: PatchSignature<A>,
    {
        self.with(Operation::clause::<F, A>(function, index, guard, body))
    }

    /// Calls a function of another plugin, which has `#[invoke]` and the same signature, instead of the function. A method of
    /// an interface is patched by closures only. When the other plugin is replaced, the patch goes on with its new build.
    /// When it is gone, so is the patch.
    ///
    /// A plugin may also say itself which functions it stands for, with
    /// [`#[patch]`](../hotswap_plugin/attr.plugin.html#patches).
    ///
    /// ```no_run
    /// # use hotswap_host::prelude::*;
    /// # fn run(swapper: &Swapper) -> Result<(), Box<dyn std::error::Error>> {
    /// // `shout` of the plugin `choir` answers the calls of `hum` of the plugin `world`.
    /// swapper.patch("world").rewrite_by("hum", "choir", "shout").apply()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn rewrite_by(self, function: &str, plugin: &str, other: &str) -> Self {
        self.with(Operation::by_plugin(function, plugin.into(), other))
    }

    /// Adds a function, which can be called like those of the plugin. A function that an earlier patch has removed can be
    /// added again, with the signature that it had.
    pub fn add_function<F, A>(
        self,
        function: &str,
        body: impl Closure<F::Params, F::Result>,
    ) -> Self
    where
        F: PatchSignature<A>,
    {
        let what = What::AddFunction;
        self.with(Operation::rewrite::<F, A>(function, what, body))
    }

    /// Removes a function. Calls of it return [`CallError::Removed`](crate::CallError::Removed). A method of an interface
    /// cannot be removed.
    pub fn remove_function(self, function: &str) -> Self {
        self.with(Operation::remove(function))
    }

    /// Does the same as [`rewrite`](Self::rewrite) with an `async fn`. The closure copies what it needs of borrowed
    /// parameters before it returns the future.
    ///
    /// ```no_run
    /// # use hotswap_host::prelude::*;
    /// # fn run(swapper: &Swapper) -> Result<(), Box<dyn std::error::Error>> {
    /// swapper
    ///     .patch("world")
    ///     .rewrite_async::<fn(&str) -> String, _, _>("sing", |song: &str| {
    ///         let song = song.to_owned();
    ///         async move { format!("la la {song}") }
    ///     })
    ///     .apply()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn rewrite_async<F, A, Fut>(
        self,
        function: &str,
        body: impl Closure<F::Params, Fut>,
    ) -> Self
    where
        F: PatchSignature<A>,
        Fut: Future<Output = F::Result> + Send + 'static,
    {
        let what = What::Rewrite;
        self.with(Operation::rewrite_async::<F, A, Fut>(function, what, body))
    }

    /// Does the same as [`before`](Self::before) with an `async fn`. The closure itself is not `async`.
    pub fn before_async<F, A>(
        self,
        function: &str,
        body: impl Closure<F::Params, Option<F::Result>>,
    ) -> Self
    where
        F: PatchSignature<A>,
        F::Result: Send,
    {
        self.with(Operation::before_async::<F, A>(function, body))
    }

    /// Does the same as [`after`](Self::after) with an `async fn`. The closure itself is not `async`.
    pub fn after_async<F, A>(
        self,
        function: &str,
        body: impl ClosureWith<Given<F::Result>, F::Params, F::Result>,
    ) -> Self
    where
        F: PatchSignature<A>,
        <F::Params as Params>::Owned: Send,
    {
        self.with(Operation::after_async::<F, A>(function, body))
    }

    /// Does the same as [`around`](Self::around) with an `async fn`. The closure receives the call of the function, with
    /// the same parameters, as a future: see [`Original`](crate::Original).
    ///
    /// ```no_run
    /// # use hotswap_host::{Original, prelude::*};
    /// # fn run(swapper: &Swapper) -> Result<(), Box<dyn std::error::Error>> {
    /// swapper
    ///     .patch("world")
    ///     .around_async::<fn(&str) -> String, _, _>("sing", |sung: Original<String>, _: &str| async {
    ///         sung.await.to_uppercase()
    ///     })
    ///     .apply()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn around_async<F, A, Fut>(
        self,
        function: &str,
        body: impl ClosureWith<OriginalOf<F::Result>, F::Params, Fut>,
    ) -> Self
    where
        F: PatchSignature<A>,
        Fut: Future<Output = F::Result> + Send + 'static,
    {
        self.with(Operation::around_async::<F, A, Fut>(function, body))
    }

    /// Does the same as [`add_clause`](Self::add_clause) with an `async fn`. The guard itself is not `async`.
    pub fn add_clause_async<F, A, Fut>(
        self,
        function: &str,
        index: usize,
        guard: impl Closure<F::Params, bool>,
        body: impl Closure<F::Params, Fut>,
    ) -> Self
    where
        F: PatchSignature<A>,
        Fut: Future<Output = F::Result> + Send + 'static,
    {
        let clause = Operation::clause_async::<F, A, Fut>(function, index, guard, body);
        self.with(clause)
    }

    /// Does the same as [`add_function`](Self::add_function) with an `async fn`.
    pub fn add_async_function<F, A, Fut>(
        self,
        function: &str,
        body: impl Closure<F::Params, Fut>,
    ) -> Self
    where
        F: PatchSignature<A>,
        Fut: Future<Output = F::Result> + Send + 'static,
    {
        let what = What::AddFunction;
        self.with(Operation::rewrite_async::<F, A, Fut>(function, what, body))
    }

    /// Says who patches the plugin, for those who list the patches.
    pub fn by(mut self, who: &str) -> Self {
        who.clone_into(&mut self.by);
        self
    }

    /// Applies the patch only if this [version](crate::Patches::version) of the plugin is live, because it is for that one.
    pub fn on_version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    /// Patches what is [sticky](crate::Builder::sticky), too, if the [host](crate::Builder::allow_override_sticky) allows
    /// it. The list of the patches says so.
    pub fn override_sticky(mut self) -> Self {
        self.override_sticky = true;
        self
    }

    /// Lets the next start of the host apply the patch again, and each start after that. The host needs a
    /// [journal](crate::Builder::journal), and the operations are [`rewrite_by`](Self::rewrite_by) and
    /// [`remove_function`](Self::remove_function): a closure cannot be stored.
    ///
    /// Like a build, such a patch is on trial at first. It opens a [rollback window](crate::RollbackWindow), if the
    /// [options](crate::Builder::reload_options) of the host have one, or is part of the window that is open. It becomes
    /// permanent when the window closes well, or is [confirmed](crate::Swapper::confirm). A host that ends before starts
    /// without it.
    ///
    /// ```no_run
    /// # use hotswap_host::prelude::*;
    /// # fn run(swapper: &Swapper) -> Result<(), Box<dyn std::error::Error>> {
    /// let patch = swapper.patch("world").rewrite_by("hum", "choir", "shout");
    /// patch.persistent().apply()?;
    /// // …
    /// swapper.confirm()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn persistent(mut self) -> Self {
        self.persistent = true;
        self
    }

    /// Applies the patch on top of those that the plugin has. Patches that were rolled back cannot be done again
    /// afterwards.
    ///
    /// A patch ends when it is rolled back, or with a reload that it does not [fit](crate::Builder::patches_on_reload), or
    /// with the rollback window in which it was applied, if that ends in a revert. One that is not
    /// [persistent](Self::persistent) ends with the host.
    ///
    /// # Errors
    /// No such plugin is loaded, or an operation does not fit it: see [`PatchError`]. The patch is to be persistent and
    /// cannot be stored. The caller is inside a reload or a call. After an error, nothing has changed.
    pub fn apply(self) -> Result<PatchVersion, PatchError> {
        let Patch {
            inner,
            plugin,
            operations,
            by,
            version,
            override_sticky,
            persistent,
        } = self;
        if operations.is_empty() {
            let plugin = plugin.to_string();
            return Err(PatchError::Empty { plugin });
        }
        if persistent {
            let mut closures = operations.iter().filter(|made| made.made.is_some());
            let plugin = plugin.to_string();
            if let Some(closure) = closures.next() {
                let function = closure.function.clone();
                return Err(PatchError::Closure { plugin, function });
            }
            if inner.journal.is_none() {
                return Err(PatchError::NoJournal { plugin });
            }
        }
        let functions = operations.iter().map(|made| made.function.as_str());
        let sticky = &inner.patching.sticky;
        let overrode_sticky = sticky.check(&plugin, functions, override_sticky)?;
        let mut writer = inner.writer()?;
        inner.check_not_frozen()?;
        let number = inner.patching.next_number(&plugin);
        let tried = |version: &Arc<Version>| {
            let listed = || version.listed().to_string();
            version.persistent.then(listed)
        };
        let version =
            inner.change_patches(&mut writer, &plugin, tried, |live, instance, stack| {
                let found = stack.current();
                if let Some(expected) = version.filter(|expected| *expected != found) {
                    return Err(PatchError::Version {
                        plugin: plugin.to_string(),
                        expected,
                        found,
                    });
                }
                let max = inner.patching.max;
                if stack.versions.len() >= max {
                    let plugin = plugin.to_string();
                    return Err(PatchError::TooMany { plugin, max });
                }
                let version = Arc::new(Version {
                    number,
                    operations,
                    by,
                    since: SystemTime::now(),
                    overrode_sticky,
                    made_by: None,
                    persistent,
                });
                Layers::of(&live.plugins, instance, stack)?.apply(&version)?;
                stack.versions.push(version.clone());
                stack.undone.clear();
                Ok(version)
            })?;
        inner.patching.use_number(&plugin, number);
        drop(writer);
        let listed = version.listed();
        contain((), || {
            tracing::info!(target: "hotswap", "{plugin} was patched: {listed}");
        });
        Ok(listed)
    }
}

impl Inner {
    /// Lets a function of a plugin answer the calls of another one, because the plugin has asked for it. This happens on a
    /// thread of its own, since the plugin is in a call.
    ///
    /// # Errors
    /// The host does not allow that, or has no thread for it.
    pub(super) fn patch_for(
        self: &Arc<Self>,
        plugin: &str,
        function: String,
        by: String,
    ) -> Result<(), String> {
        if !self.patching.for_plugins {
            return Err(
                "this host does not patch plugins at their request; `Builder::allow_plugin_patches` lets it".into(),
            );
        }
        let (swapper, plugin) = (Swapper(self.clone()), PluginName::from(plugin));
        let run = move || {
            let patch = || {
                let patch = swapper.patch(plugin.as_str());
                let patch = patch.rewrite_by(&function, plugin.as_str(), &by);
                patch.by(&format!("plugin {plugin}")).apply()
            };
            let Ok(patched) = guarded("hotswap-patch", patch) else {
                return;
            };
            let text = match patched {
                Ok(version) => format!("it has asked for patch {version}"),
                Err(error) => {
                    contain((), || {
                        tracing::error!(target: "hotswap", "{plugin} asked for a patch, which failed: {error}");
                    });
                    format!("it has asked for a patch, which failed: {error}")
                }
            };
            // A host that ends meanwhile has nothing to note.
            if let Ok(writer) = swapper.0.writer() {
                let cause = Cause::Plugin {
                    plugin: plugin.clone(),
                };
                let (plugin, text) = (&plugin, text.as_str());
                let noted = ReloadEventKind::Noted { plugin, text };
                swapper.0.tell(&writer, &cause, noted);
            }
        };
        let thread = std::thread::Builder::new().name("hotswap-patch".into());
        match thread.spawn(run) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("the host has no thread for the patch: {error}")),
        }
    }
}

impl fmt::Debug for Patch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations = self.operations.iter().map(ToString::to_string);
        f.debug_struct("Patch")
            .field("plugin", &self.plugin)
            .field("operations", &operations.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
