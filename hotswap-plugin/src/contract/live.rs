//! Live functions and types: what a library lists of them, and what its file says of them.
//!
//! `#[live]` makes two statics of each. A [`LiveDesc`] is collected by the linker into one slice, which
//! [`PluginEntry::live`](super::PluginEntry::live) lends; its order is the linker's. A [`LivePart`] lies in a section of
//! the file, [`LIVE_SECTION`], which is read without running code. Both are of the crate that has the item, which may be a
//! dependency of the plugin's: it is compiled as any other library, so they are there in every build, and nobody reads
//! them where nobody loads the library.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
use super::collected::collected;
use super::metadata::{Hashes, Part};
use crate::LiveKind;
use crate::boundary::describe::Hash;
use crate::boundary::{
    DynamicResult, Error, FunctionDesc, Out, ParamDesc, Shared, SliceView, Status, TypeDesc,
};
use abi_stable::StableAbi;
use abi_stable::std_types::{RResult, RSlice, RStr};

/// The section with a [`LivePart`] for each live item, in any order.
///
/// | tag | bytes |
/// |---|---|
/// | `live` | JSON: `kind` (`function` or `type`), `name`, `module`, `signature`; of a type also `version`, and `was`, the names that it had earlier |
/// | `liha` | 16 bytes: the hash of a function's parameter and result types; zero for a type |
pub const LIVE_SECTION: &str = ".hotswap.live";

collected! {
    /// All live items of what this is linked into: a library, or a program.
    pub static HOTSWAP_LIVE_ITEMS: [LiveDesc] in "hotswap_live_4";
    /// Those that are in the list.
    pub fn items
}

/// A live function or type.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LiveDesc {
    /// Its name.
    pub name: RStr<'static>,
    /// The module it stands in, its crate's name first.
    pub module: RStr<'static>,
    /// As its author wrote it, without the name of a function: `fn(times: u32) -> String`.
    pub signature: RStr<'static>,
    /// What it does.
    pub code: LiveCode,
    /// Its [`LivePart`], which would not be linked without this.
    part: *const (),
}

/// What a live item does.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum LiveCode {
    /// A function. Its C functions ignore `this`, which is null.
    Function(&'static FunctionDesc),
    /// A type.
    Type(&'static LiveTypeDesc),
}

/// What can be done with values of a live type.
///
/// Each function may be called from any thread. Data that does not fit the type is an `Err` of what it gives.
#[repr(C)]
pub struct LiveTypeDesc {
    /// The schema version.
    pub version: u32,
    /// Names that the type had earlier.
    pub earlier: RSlice<'static, RStr<'static>>,
    /// Restores the value, and saves it as this version does.
    pub renew: unsafe extern "C" fn(data: LentData, out: *mut SavedOut) -> Status,
    /// The value for an earlier version of the type.
    pub lower: unsafe extern "C" fn(data: LentData, version: u32, out: *mut SavedOut) -> Status,
    /// A new value, where the type has a default.
    pub make: Option<Make>,
    /// Restores the value and hands it to its handler, where it has one.
    pub handle: Option<Handle>,
}

/// [`LiveTypeDesc::make`].
pub type Make = unsafe extern "C" fn(out: *mut SavedOut) -> Status;

/// [`LiveTypeDesc::handle`].
pub type Handle = unsafe extern "C" fn(data: LentData, out: *mut HandledOut) -> Status;

/// Live data, as it crosses: its bytes, and where among them the value begins.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LiveView {
    pub(crate) bytes: SliceView<u8>,
    pub(crate) value: usize,
}

/// Live data, as a parameter.
pub type LentData = *const LiveView;

/// The caller's memory for live data; an error is about the data that was lent.
pub type SavedOut = Out<RResult<LiveView, <Error as Shared>::View>>;

/// What a handler gives; the outer error is about the data.
pub type Handled = Result<DynamicResult, Error>;

/// The caller's memory for it.
pub type HandledOut = Out<<Handled as Shared>::View>;

// SAFETY: constants, of functions that may be called from any thread.
unsafe impl Send for LiveDesc {}
// SAFETY: as above.
unsafe impl Sync for LiveDesc {}

impl LiveDesc {
    /// Whether it is a function or a type.
    pub const fn kind(&self) -> LiveKind {
        match self.code {
            LiveCode::Function(_) => LiveKind::Function,
            LiveCode::Type(_) => LiveKind::Type,
        }
    }

    /// A live item.
    pub const fn new<const N: usize>(
        name: &'static str,
        module: &'static str,
        signature: &'static str,
        code: LiveCode,
        part: &'static LivePart<N>,
    ) -> Self {
        LiveDesc {
            name: RStr::from_str(name),
            module: RStr::from_str(module),
            signature: RStr::from_str(signature),
            code,
            part: (&raw const *part).cast(),
        }
    }

    /// What its file says of it, or would: the bytes of its [`LivePart`].
    pub fn part(&self) -> &'static [u8] {
        let part: *const LivePart<0> = self.part.cast();
        // SAFETY: `new` takes a `LivePart`, which is constant: a part that tells its length, and one of a fixed length. None of
        // them has an alignment.
        unsafe {
            let text = (*part).item.len();
            std::slice::from_raw_parts(part.cast(), size_of::<LivePart<0>>() + text)
        }
    }
}

/// What the file says of a live item.
#[repr(C)]
pub struct LivePart<const N: usize> {
    item: Part<N>,
    hash: Hashes<1>,
}

impl<const N: usize> LivePart<N> {
    /// The part of an item with this text and hash.
    ///
    /// # Panics
    /// When the text is shorter than `N`, at compile time where the part is a constant.
    pub const fn new(text: &'static str, hash: Hash) -> Self {
        LivePart {
            item: Part::text(b"live", text),
            hash: Hashes::new(b"liha", [hash]),
        }
    }
}

/// The signature that a caller expects.
#[repr(C)]
pub struct Wanted {
    /// The parameters.
    pub params: RSlice<'static, ParamDesc>,
    /// The type of the result.
    pub result: &'static TypeDesc,
}

/// The live items of a library, through a pointer. They are compared by name and hash, not by `abi_stable`.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct LiveList {
    first: *const (),
    len: usize,
}

impl LiveList {
    /// Lends these.
    pub fn new(items: &'static [LiveDesc]) -> Self {
        LiveList {
            first: items.as_ptr().cast(),
            len: items.len(),
        }
    }

    /// The items.
    ///
    /// # Safety
    /// The library that lent them stays open for `'a`, and has this version of the contract.
    pub unsafe fn get<'a>(self) -> &'a [LiveDesc] {
        // SAFETY: the caller's promise; made from a slice.
        unsafe { std::slice::from_raw_parts(self.first.cast(), self.len) }
    }
}

/// Lists a live item: its JSON up to the module, its name, its signature, its variant of [`LiveCode`], its hash.
#[doc(hidden)]
#[macro_export]
macro_rules! __live {
    ($json:literal, $name:literal, $signature:literal, $kind:ident($desc:expr), $hash:expr) => {
        const TEXT: &str = ::core::concat!($json, ::core::module_path!(), "\"}");
        #[cfg_attr(
            not(any(target_vendor = "apple", windows)),
            unsafe(link_section = ".hotswap.live")
        )]
        #[cfg_attr(
            target_vendor = "apple",
            unsafe(link_section = "__DATA,__hotswap.live")
        )]
        static PART: $crate::contract::live::LivePart<{ TEXT.len() }> =
            $crate::contract::live::LivePart::new(TEXT, $hash);
        $crate::__collect! {
            "hotswap_live_4", $crate::contract::live::HOTSWAP_LIVE_ITEMS,
            static ITEM: $crate::contract::live::LiveDesc = $crate::contract::live::LiveDesc::new(
                $name,
                ::core::module_path!(),
                $signature,
                $crate::contract::live::LiveCode::$kind($desc),
                &PART,
            );
        }
    };
}
