//! What a plugin asks for.
use crate::boundary::describe::InterfaceDesc;
use crate::boundary::interface::{Interface, RawObject};
use abi_stable::std_types::RStr;

/// Where an import comes from.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportKind {
    /// A plugin.
    Plugin,
    /// The host.
    Host,
    /// A plugin that has to be there first; nothing of it is called.
    OrderOnly,
}

/// One import.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ImportDesc {
    /// The field that holds it.
    pub field: RStr<'static>,
    /// The plugin it comes from; empty for the host.
    pub from: RStr<'static>,
    /// Where it comes from.
    pub kind: ImportKind,
    /// Whether the plugin can do without.
    pub optional: bool,
    /// What it has to be; `None` where nothing of it is called.
    pub interface: Option<&'static InterfaceDesc>,
}

impl ImportDesc {
    /// An interface of the plugin `from`.
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

    /// An interface of the host.
    pub const fn host<I: Interface + ?Sized>(field: &'static str, optional: bool) -> Self {
        ImportDesc {
            kind: ImportKind::Host,
            ..ImportDesc::plugin::<I>(field, "", optional)
        }
    }

    /// A plugin that has to be there first.
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

/// What a plugin asks for: a struct with `#[derive(Import)]`, or `()`.
///
/// # Safety
/// [`bind`](Self::bind) understands the objects of [`IMPORTS`](Self::IMPORTS), in that order.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a struct of imports",
    note = "put `#[derive(Import)]` on its definition"
)]
pub unsafe trait Import: Sized {
    /// The imports.
    const IMPORTS: &'static [ImportDesc];
    /// The same as JSON, for the artifact's metadata.
    const METADATA: &'static str;

    /// The imports, bound to these objects.
    ///
    /// # Safety
    /// There is one object for each of [`IMPORTS`](Self::IMPORTS), in that order, of an interface with the same
    /// description; absent only where the import is optional or `order_only`. Each is alive, and may be used from any
    /// thread, for as long as what this gives and all clones of its handles are.
    unsafe fn bind(objects: &[RawObject]) -> Self;
}

// SAFETY: nothing is asked for.
unsafe impl Import for () {
    const IMPORTS: &'static [ImportDesc] = &[];
    const METADATA: &'static str = "[]";
    unsafe fn bind(_: &[RawObject]) -> Self {}
}
