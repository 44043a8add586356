//! Lowers live data that a newer build has saved, for an older build that is live again.
//!
//! The newer build is loaded once more, without an instance, because only the code of its types is needed. A call that uses it
//! counts it. It is given back by whoever lets go of it last: the list, or a call that was using it when it left the list.
use crate::artifact::BuildId;
use crate::base::name::{PluginName, folded};
use crate::instance::made::LiveTypeOf;
use crate::load::library::Library;
use crate::load::loaded::Loaded;
use crate::telemetry::contain;
use hotswap_plugin::LiveData;
use hotswap_plugin::contract::LiveCode;
use serde::Serialize;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A build that gave way to an older one, by a revert for instance, and that stays loaded because live data of its types may be
/// left. The code of its types lowers that data to the versions that are live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DataBuild {
    /// The plugin.
    pub plugin: PluginName,
    /// The build.
    pub build_id: BuildId,
    /// The types in which it is newer than the build that is live.
    pub types: Vec<DataType>,
}

/// A live type, in the version of a build that is not live any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DataType {
    /// The name of the type.
    pub name: String,
    /// The version.
    pub version: u32,
    /// The number of values that are left in this version, by
    /// [`Builder::count_live_data`](crate::Builder::count_live_data). `None` if the host does not count them.
    pub left: Option<u64>,
}

impl DataBuild {
    /// True if the host counts its values, and none is left.
    pub fn is_drained(&self) -> bool {
        self.types.iter().all(|ty| ty.left == Some(0))
    }
}

/// For example, `office (build 11223344) stays loaded for live data that it has saved, because an older build is live: Alarm of
/// version 2 (3 left)`.
impl fmt::Display for DataBuild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plugin, build) = (&self.plugin, self.build_id.short());
        write!(
            f,
            "{plugin} (build {build}) stays loaded for live data that it has saved, because an older build is live: "
        )?;
        for (i, ty) in self.types.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{} of version {}", ty.name, ty.version)?;
            if let Some(left) = ty.left {
                write!(f, " ({left} left)")?;
            }
        }
        Ok(())
    }
}

/// Counts the values of a type that a version of it has saved and that are left.
pub(crate) type CountData = dyn Fn(&str, u32) -> u64 + Send + Sync;

/// Takes libraries out of memory.
pub(crate) trait TakeBack: Send + Sync {
    /// Lists the library among those that are leaving. Calls may still use it.
    fn announce(&self, library: &Arc<Library>);

    /// Takes the library out of memory, since nobody uses it any more.
    fn take(&self, library: Arc<Library>);
}

/// The builds that lower live data. The generations of a swapper share them.
#[derive(Default)]
pub(crate) struct Lowering {
    builds: Mutex<Vec<Arc<LoweringBuild>>>,
    /// True if there are any, for calls that have nothing to lower.
    any: AtomicBool,
    count: Option<Box<CountData>>,
    to: Option<Arc<dyn TakeBack>>,
}

/// A library without an instance.
struct LoweringBuild {
    loaded: Loaded,
    /// The types in which it is newer, by their number in the library.
    types: Vec<usize>,
}

/// A build that a call uses, which is given back if it has left the list meanwhile.
struct InUse<'l> {
    of: &'l Lowering,
    /// It is `None` only while this is dropped.
    build: Option<Arc<LoweringBuild>>,
}

impl Lowering {
    pub(crate) fn new(count: Option<Box<CountData>>, to: Arc<dyn TakeBack>) -> Self {
        Lowering {
            count,
            to: Some(to),
            ..Lowering::default()
        }
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<LoweringBuild>>> {
        self.builds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if any data may have to be lowered.
    #[inline]
    pub(crate) fn has_any(&self) -> bool {
        self.any.load(Relaxed)
    }

    /// True if the host counts its data.
    pub(crate) fn counts(&self) -> bool {
        self.count.is_some()
    }

    /// Returns true if this build is among them.
    pub(crate) fn has(&self, build: BuildId) -> bool {
        self.list().iter().any(|of| of.loaded.build_id == build)
    }

    /// Adds a build, for the types with these numbers.
    pub(crate) fn add(&self, loaded: Loaded, types: Vec<usize>) {
        let mut list = self.list();
        list.push(Arc::new(LoweringBuild { loaded, types }));
        self.any.store(true, Relaxed);
    }

    /// Removes the builds that `which` wants to be gone. Returns what they were.
    pub(crate) fn remove(&self, which: impl Fn(&DataBuild) -> bool) -> Vec<DataBuild> {
        // The host counts without the lock.
        let gone: Vec<_> = self.builds().into_iter().filter(which).collect();
        let is_gone = |build: &Arc<LoweringBuild>| {
            let mut gone = gone.iter();
            gone.any(|gone| gone.build_id == build.loaded.build_id)
        };
        let mut list = self.list();
        let (removed, left) = list.drain(..).partition::<Vec<_>, _>(is_gone);
        self.any.store(!left.is_empty(), Relaxed);
        *list = left;
        self.announce(&removed);
        drop(list);
        removed.into_iter().for_each(|build| self.let_go(build));
        gone
    }

    /// Removes all builds.
    pub(crate) fn clear(&self) {
        let mut list = self.list();
        let all = std::mem::take(&mut *list);
        self.any.store(false, Relaxed);
        self.announce(&all);
        drop(list);
        all.into_iter().for_each(|build| self.let_go(build));
    }

    /// Describes the builds.
    pub(crate) fn builds(&self) -> Vec<DataBuild> {
        self.using()
            .iter()
            .map(|build| self.describe(build))
            .collect()
    }

    fn describe(&self, build: &LoweringBuild) -> DataBuild {
        let types = build.types();
        let types = types.map(|(name, ty)| DataType {
            name: name.to_owned(),
            version: ty.version(),
            left: self.count.as_ref().and_then(|count| {
                // It is the host's code.
                contain(None, || Some(count(name, ty.version())))
            }),
        });
        DataBuild {
            plugin: build.loaded.name.clone(),
            build_id: build.loaded.build_id,
            types: types.collect(),
        }
    }

    fn using(&self) -> Vec<InUse<'_>> {
        let list = self.list();
        let using = list.iter().map(|build| InUse {
            of: self,
            build: Some(build.clone()),
        });
        using.collect()
    }

    /// Lowers data to a version, if a newer one has saved it and there is a build that knows that. The error says what failed
    /// in which build.
    pub(crate) fn lower(&self, data: &LiveData, version: u32) -> Option<Result<LiveData, String>> {
        if !self.has_any() || data.version() <= version {
            return None;
        }
        let using = self.using();
        let known = using.iter().rev();
        let known = known.filter_map(|build| Some((build, build.type_for(data)?)));
        let mut known: Vec<_> = known.collect();
        // The nearest version comes first, and of these the build that was added last.
        known.sort_by_key(|(_, ty)| ty.version());
        let mut lowered = known.into_iter().map(|(build, ty)| {
            let error = match ty.lower(data, version) {
                Ok(Ok(lowered)) => return Ok(lowered),
                Ok(Err(error)) => error.to_string(),
                Err(panicked) => format!("a migration panicked: {}", panicked.text),
            };
            let build = build.loaded.build_id.short();
            Err(format!(
                "the data is newer than the live build, and the build {build}, which stays loaded for it, cannot lower it: {error}"
            ))
        });
        let first = lowered.next()?;
        Some(first.or_else(|error| lowered.find_map(Result::ok).ok_or(error)))
    }

    /// Says that builds are about to leave, while the list is locked: a build that is in neither list would be overlooked by
    /// a thread that waits for everything to have left.
    fn announce(&self, builds: &[Arc<LoweringBuild>]) {
        for build in builds {
            let to = self.to.iter();
            to.for_each(|to| to.announce(&build.loaded.library));
        }
    }

    /// Takes the build out of memory if nobody else has it.
    fn let_go(&self, build: Arc<LoweringBuild>) {
        let build = Arc::into_inner(build);
        if let (Some(build), Some(to)) = (build, &self.to) {
            to.take(build.loaded.library);
        }
    }
}

impl LoweringBuild {
    fn types(&self) -> impl Iterator<Item = (&str, LiveTypeOf<'_>)> {
        let types = self.types.iter();
        types.filter_map(|&index| {
            let name = self.loaded.live.get(index)?.name.as_str();
            Some((name, self.loaded.live_type(index)?))
        })
    }

    /// Returns the type that has, or had, the name of the data's type, if it is not older than the data.
    fn type_for(&self, data: &LiveData) -> Option<LiveTypeOf<'_>> {
        let of = folded(data.type_name()).into_owned();
        let is_named = |index: usize| {
            let item = &self.loaded.live[index];
            let earlier = match item.code {
                LiveCode::Type(ty) => ty.earlier.as_slice(),
                LiveCode::Function(_) => &[],
            };
            let mut names = std::iter::once(&item.name).chain(earlier);
            names.any(|name| folded(name.as_str()) == of.as_str())
        };
        let mut types = self.types.iter().filter(|&&index| is_named(index));
        let ty = types.find_map(|&index| self.loaded.live_type(index))?;
        (ty.version() >= data.version()).then_some(ty)
    }
}

impl std::ops::Deref for InUse<'_> {
    type Target = LoweringBuild;

    fn deref(&self) -> &LoweringBuild {
        self.build
            .as_ref()
            .expect("it is there until this is dropped")
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.build
            .take()
            .into_iter()
            .for_each(|build| self.of.let_go(build));
    }
}
