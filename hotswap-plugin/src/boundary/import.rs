//! `Import`, the interfaces that a plugin asks for.
use crate::boundary::describe::InterfaceDesc;
use crate::boundary::interface::{Interface, RawObject};
use abi_stable::std_types::RStr;

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
///
/// # Safety
/// [`bind`](Self::bind) understands the objects of [`IMPORTS`](Self::IMPORTS), in that order.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a struct of imports",
    note = "put `#[derive(Import)]` on its definition"
)]
pub unsafe trait Import: Sized {
    /// The descriptions of the imports.
    const IMPORTS: &'static [ImportDesc];
    /// The same descriptions as JSON, for the artifact's metadata.
    const METADATA: &'static str;

    /// Returns the imports, bound to these objects.
    ///
    /// # Safety
    /// There is one object for each of [`IMPORTS`](Self::IMPORTS), in that order, of an interface with the same
    /// description. An object is absent only if the import is optional or `order_only`. Each object is alive, and may
    /// be used from any thread, for as long as the result and all clones of its handles live.
    unsafe fn bind(objects: &[RawObject]) -> Self;
}

// SAFETY: there are no imports, so no object is used.
unsafe impl Import for () {
    const IMPORTS: &'static [ImportDesc] = &[];
    const METADATA: &'static str = "[]";
    unsafe fn bind(_: &[RawObject]) -> Self {}
}
