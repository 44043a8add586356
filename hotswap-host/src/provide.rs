//! The objects that the host provides for its plugins to import.
use hotswap_plugin::boundary::{Interface, InterfaceDesc, RawObject};
use std::any::Any;
use std::sync::Arc;

/// A value that a host can provide as the interface `I`, such as `dyn JobQueue`. Its type implements the trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be provided as `{I}`",
    label = "`{Self}` does not implement the trait, or is not `Send`, `Sync` and `'static`",
    note = "put `#[interface]` on the trait, and write an `impl` of it for `{Self}`; `Provider` follows from that"
)]
pub trait Provider<I: Interface + ?Sized>: sealed::Raw<I> + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<I: Interface + ?Sized, T: sealed::Raw<I> + Send + Sync + 'static> Provider<I> for T {}

mod sealed {
    use hotswap_plugin::boundary::{Provides, RawObject};

    /// Returns the object that plugins receive. Only this trait decides which table belongs to a type.
    pub trait Raw<I: ?Sized> {
        fn raw(&self) -> RawObject;
    }

    #[diagnostic::do_not_recommend]
    impl<I: Provides<T> + ?Sized, T> Raw<I> for T {
        fn raw(&self) -> RawObject {
            RawObject::of::<I, T>(self)
        }
    }
}

/// The host's objects, by interface.
#[derive(Default)]
pub(crate) struct Provided(Vec<Object>);

struct Object {
    desc: &'static InterfaceDesc,
    raw: RawObject,
    /// The owner of the object that `raw` points to.
    _keep: Arc<dyn Any + Send + Sync>,
}

// SAFETY: `raw` points to a constant table and to the object that `_keep` owns, which is `Send + Sync`.
unsafe impl Send for Provided {}
// SAFETY: `raw` points to a constant table and to the object that `_keep` owns, which is `Send + Sync`.
unsafe impl Sync for Provided {}

impl Provided {
    /// Adds an object. A later object of the same interface replaces it.
    pub(crate) fn add<I: Interface + ?Sized>(&mut self, object: Arc<impl Provider<I>>) {
        let (desc, raw) = (I::DESC, sealed::Raw::<I>::raw(&*object));
        self.0.retain(|known| known.desc.hash != desc.hash);
        self.0.push(Object {
            desc,
            raw,
            _keep: object,
        });
    }

    /// Returns the object whose interface has this name, spelled as in its crate.
    pub(crate) fn find(&self, interface: &str) -> Option<(&'static InterfaceDesc, RawObject)> {
        let found = self
            .0
            .iter()
            .find(|object| object.desc.name.as_str() == interface)?;
        Some((found.desc, found.raw))
    }

    /// The names of all interfaces.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.0
            .iter()
            .map(|object| object.desc.name.as_str())
            .collect()
    }
}
