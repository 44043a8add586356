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
    value: Arc<dyn Any + Send + Sync>,
    /// Returns the object that plugins receive. It is valid for as long as the value.
    raw: fn(&(dyn Any + Send + Sync)) -> Option<RawObject>,
}

/// Returns a value of the type `T` as a provider of `I`.
fn raw<I: Interface + ?Sized, T: Provider<I>>(
    value: &(dyn Any + Send + Sync),
) -> Option<RawObject> {
    value.downcast_ref::<T>().map(sealed::Raw::<I>::raw)
}

impl Provided {
    /// Adds an object. A later object of the same interface replaces it.
    pub(crate) fn add<I: Interface + ?Sized>(&mut self, object: Arc<impl Provider<I>>) {
        self.add_value::<I, _>(object);
    }

    fn add_value<I: Interface + ?Sized, T: Provider<I>>(&mut self, value: Arc<T>) {
        let desc = I::DESC;
        self.0.retain(|known| known.desc.hash != desc.hash);
        self.0.push(Object {
            desc,
            value,
            raw: raw::<I, T>,
        });
    }

    /// Returns the object whose interface has this name, spelled as in its crate.
    pub(crate) fn find(&self, interface: &str) -> Option<(&'static InterfaceDesc, RawObject)> {
        let found = self
            .0
            .iter()
            .find(|object| object.desc.name.as_str() == interface)?;
        Some((found.desc, (found.raw)(&*found.value)?))
    }

    /// The names of all interfaces.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.0
            .iter()
            .map(|object| object.desc.name.as_str())
            .collect()
    }
}
