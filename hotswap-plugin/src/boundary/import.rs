//! `Import`, the interfaces that a plugin asks for, and `Imported`, a handle to one of them.
use crate::boundary::describe::InterfaceDesc;
use crate::boundary::object::{Interface, LentObject, Object, Provides};
use abi_stable::std_types::RStr;
use std::fmt;
use std::ops::Deref;

/// The provider of an import.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportKind {
    /// A plugin.
    Plugin,
    /// The host.
    Host,
    /// A plugin that has to be loaded first, but is not called.
    OrderOnly,
}

/// One import.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ImportDesc {
    /// The name of the field that holds the import.
    pub field: RStr<'static>,
    /// The plugin that provides it; empty for the host.
    pub from: RStr<'static>,
    /// The kind of its provider.
    pub kind: ImportKind,
    /// True if the plugin can do without it.
    pub optional: bool,
    /// The interface that the provider has to export; `None` if it is not called.
    pub interface: Option<&'static InterfaceDesc>,
}

impl ImportDesc {
    /// An import of an interface of the plugin `from`.
    pub const fn plugin<I: Interface + ?Sized>(
        field: &'static str,
        from: &'static str,
        optional: bool,
    ) -> Self {
        ImportDesc {
            field: RStr::from_str(field),
            from: RStr::from_str(from),
            kind: ImportKind::Plugin,
            optional,
            interface: Some(I::DESC),
        }
    }

    /// An import of an interface of the host.
    pub const fn host<I: Interface + ?Sized>(field: &'static str, optional: bool) -> Self {
        ImportDesc {
            kind: ImportKind::Host,
            ..ImportDesc::plugin::<I>(field, "", optional)
        }
    }

    /// An import of a plugin that has to be loaded first, but is not called.
    pub const fn order_only(field: &'static str, from: &'static str) -> Self {
        ImportDesc {
            field: RStr::from_str(field),
            from: RStr::from_str(from),
            kind: ImportKind::OrderOnly,
            optional: false,
            interface: None,
        }
    }
}

/// The imports of a plugin: a struct with `#[derive(Import)]`, or `()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a struct of imports",
    note = "put `#[derive(Import)]` on its definition"
)]
pub trait Import: Sized {
    /// The descriptions of the imports.
    const IMPORTS: &'static [ImportDesc];
    /// The same descriptions as JSON, for the artifact's metadata.
    const METADATA: &'static str;

    /// Returns the imports, bound to these objects: one for each of [`IMPORTS`](Self::IMPORTS), in that order.
    fn bind(objects: &Bindings<'_>) -> Self;
}

impl Import for () {
    const IMPORTS: &'static [ImportDesc] = &[];
    const METADATA: &'static str = "[]";
    fn bind(_: &Bindings<'_>) -> Self {}
}

/// The objects that a host lends for the imports of a plugin. An object that is absent is `None`.
pub struct Bindings<'a>(Vec<Option<LentObject<'a>>>);

impl<'a> Bindings<'a> {
    pub(crate) fn new(objects: Vec<Option<LentObject<'a>>>) -> Self {
        Bindings(objects)
    }

    /// Returns a handle to the object with this number.
    ///
    /// # Panics
    /// Panics if it is absent, or of another interface.
    pub fn required<I: Interface + ?Sized>(&self, index: usize) -> Imported<I> {
        self.optional(index)
            .expect("the host binds every import that is not optional")
    }

    /// Returns a handle to the object with this number, or `None` if it is absent.
    ///
    /// # Panics
    /// Panics if it is of another interface.
    pub fn optional<I: Interface + ?Sized>(&self, index: usize) -> Option<Imported<I>> {
        let object = self.0[index].as_ref()?.object::<I>();
        let object = object.expect("the host binds an import to an object of its interface");
        Some(Imported(I::proxy(object)))
    }
}

/// A plugin's import: a handle to the implementation of the trait of `I` by another plugin or by the host.
///
/// It has the trait's methods. A panic of the implementation is raised again in the caller.
///
/// In unit tests, [`from_impl`](Self::from_impl) makes one of any implementation of the trait.
pub struct Imported<I: Interface + ?Sized>(I::Proxy);

impl<I: Interface + ?Sized> Imported<I> {
    /// Returns a handle to this value.
    pub fn from_impl<T: Send + Sync + 'static>(value: T) -> Self
    where
        I: Provides<T>,
    {
        Imported(I::proxy(Object::own::<I, T>(value)))
    }
}

impl<I: Interface + ?Sized> Clone for Imported<I> {
    fn clone(&self) -> Self {
        Imported(I::proxy(I::object(&self.0).share()))
    }
}

impl<I: Interface + ?Sized> Deref for Imported<I> {
    type Target = I::Proxy;
    #[inline]
    fn deref(&self) -> &I::Proxy {
        &self.0
    }
}

impl<I: Interface + ?Sized> fmt::Debug for Imported<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Imported<dyn {}>", I::DESC.name)
    }
}
