//! Live functions and types, as a library and its file list them.
//!
//! `#[live]` makes two statics of each. The linker collects the [`LiveDesc`]s into one slice, in an order of its own,
//! and [`PluginEntry::live`](super::PluginEntry::live) lends that slice. A [`LivePart`] lies in a section of the file,
//! [`LIVE_SECTION`], which is read without running code. Both belong to the crate that has the item, which may be a
//! dependency of the plugin. A dependency is compiled like any other library, so the statics are in every build, and
//! are not read where no host loads it.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
#![allow(
    unsafe_code,
    reason = "it reads live data that a caller has lent, and statics of other crates"
)]
use super::linked::collected;
use super::metadata::{Hashes, Part};
use crate::boundary::describe::Hash;
use crate::boundary::{
    Arena, DynamicResult, Error, FunctionDesc, Out, ParamDesc, Shared, SliceView, Status, TypeDesc,
    Value, ValueError, answer,
};
use crate::live_data::Saved;
use crate::{__crosses, LiveData, LiveKind};
use abi_stable::StableAbi;
use abi_stable::std_types::{RResult, RSlice, RStr};

/// The section with a [`LivePart`] for each live item, in any order.
///
/// | tag | bytes |
/// |---|---|
/// | `live` | JSON: `kind` (`function` or `type`), `name`, `module`, `signature`; for a type also `version`, `was`, its earlier names, and `history`, which is as in the part `sthi` of the metadata |
/// | `liha` | 16 bytes: the hash of a function's parameter and result types; zero for a type |
pub const LIVE_SECTION: &str = ".hotswap.live";

collected! {
    /// All live items of the library or program that this is linked into.
    pub static HOTSWAP_LIVE_ITEMS: [LiveDesc] in "hotswap_live_4";
    /// Returns the items of the list.
    pub fn items
}

/// A live function or type.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LiveDesc {
    /// Its name.
    pub name: RStr<'static>,
    /// The path of its module, which begins with its crate's name.
    pub module: RStr<'static>,
    /// Its signature as the author wrote it, without the name of a function: `fn(times: u32) -> String`.
    pub signature: RStr<'static>,
    /// Its functions.
    pub code: LiveCode,
    /// Its [`LivePart`]. The reference keeps the linker from dropping it.
    part: *const (),
}

/// The functions of a live item.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum LiveCode {
    /// A function. Its C functions ignore `this`, which is null.
    Function(&'static FunctionDesc),
    /// A type.
    Type(&'static LiveTypeDesc),
}

/// The functions of a live type, which work on its values.
///
/// Each function may be called from any thread. If the data does not fit the type, the result is an `Err`.
#[repr(C)]
pub struct LiveTypeDesc {
    /// The schema version.
    pub version: u32,
    /// Earlier names of the type.
    pub earlier: RSlice<'static, RStr<'static>>,
    /// Restores the value, and saves it as this version of the type does.
    pub renew: unsafe extern "C" fn(data: LentData, out: *mut SavedOut) -> Status,
    /// Returns the value for an earlier version of the type.
    pub lower: unsafe extern "C" fn(data: LentData, version: u32, out: *mut SavedOut) -> Status,
    /// Makes a new value, if the type has a default.
    pub make: Option<Make>,
    /// Restores the value and passes it to its handler, if the type has one.
    pub handle: Option<Handle>,
}

/// The type of [`LiveTypeDesc::make`].
pub type Make = unsafe extern "C" fn(out: *mut SavedOut) -> Status;

/// The type of [`LiveTypeDesc::handle`].
pub type Handle = unsafe extern "C" fn(data: LentData, out: *mut HandledOut) -> Status;

/// Live data, as it crosses: its bytes, and the offset of the value in them.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LiveView {
    bytes: SliceView<u8>,
    value: usize,
}

/// Live data, as a parameter.
pub type LentData = *const LiveView;

/// The caller's memory for live data. An error is about the data that was lent.
pub type SavedOut = Out<RResult<LiveView, <Error as Shared>::View>>;

/// The result of a handler. The outer error is about the data.
pub type Handled = Result<DynamicResult, Error>;

/// The caller's memory for a [`Handled`].
pub type HandledOut = Out<<Handled as Shared>::View>;

// SAFETY: the view is that of bytes that the value owns. The receiver copies them.
unsafe impl Shared for LiveData {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<LiveView>("LiveData");
    type View = LiveView;
    const BORROWS: bool = true;
    const PLAIN: bool = false;
    #[inline]
    fn view(&self, _: &Arena) -> LiveView {
        let (bytes, value) = self.parts();
        LiveView {
            bytes: SliceView::new(bytes),
            value,
        }
    }
    #[inline]
    unsafe fn from_view(view: LiveView) -> Self {
        // SAFETY: the caller guarantees that the bytes are alive.
        LiveData::from_parts(unsafe { view.bytes.get() }.to_vec(), view.value)
    }
    fn to_value(&self) -> Value {
        Value::Bytes(self.parts().0.to_vec())
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        let Value::Bytes(bytes) = &value else {
            return Err(ValueError::new("live data", &value));
        };
        LiveData::from_bytes(bytes).map_err(|_| ValueError::new("live data", &value))
    }
}
__crosses!([] LiveData);

/// The code of a live type, which the functions of its [`LiveTypeDesc`] call.
pub(crate) trait LiveTypeCode {
    const VERSION: u32;
    fn renew(data: &LiveData) -> Saved;
    fn lower(data: &LiveData, version: u32) -> Saved;
}

/// The code that makes a new value of a live type.
pub(crate) trait MakeCode {
    fn make() -> Saved;
}

/// The code that handles a value of a live type.
pub(crate) trait HandleCode {
    fn handle(data: &LiveData) -> Handled;
}

impl LiveTypeDesc {
    /// Returns the description of a live type with this code.
    pub(crate) const fn new<C: LiveTypeCode>(
        earlier: &'static [RStr<'static>],
        make: Option<Make>,
        handle: Option<Handle>,
    ) -> Self {
        LiveTypeDesc {
            version: C::VERSION,
            earlier: RSlice::from_slice(earlier),
            renew: renew::<C>,
            lower: lower::<C>,
            make,
            handle,
        }
    }
}

unsafe extern "C" fn renew<C: LiveTypeCode>(data: LentData, out: *mut SavedOut) -> Status {
    // SAFETY: the caller of a function of `LiveTypeDesc` lends the data and `out` until the function returns.
    unsafe { answer(out, || C::renew(&LiveData::from_view(*data))) }
}

unsafe extern "C" fn lower<C: LiveTypeCode>(
    data: LentData,
    version: u32,
    out: *mut SavedOut,
) -> Status {
    // SAFETY: the caller of a function of `LiveTypeDesc` lends the data and `out` until the function returns.
    unsafe { answer(out, || C::lower(&LiveData::from_view(*data), version)) }
}

pub(crate) unsafe extern "C" fn make<C: MakeCode>(out: *mut SavedOut) -> Status {
    // SAFETY: the caller of a function of `LiveTypeDesc` lends `out` until the function returns.
    unsafe { answer(out, C::make) }
}

pub(crate) unsafe extern "C" fn handle<C: HandleCode>(
    data: LentData,
    out: *mut HandledOut,
) -> Status {
    // SAFETY: the caller of a function of `LiveTypeDesc` lends the data and `out` until the function returns.
    unsafe { answer(out, || C::handle(&LiveData::from_view(*data))) }
}

// SAFETY: the fields are constants, of functions that may be called from any thread.
unsafe impl Send for LiveDesc {}
// SAFETY: the fields are constants, of functions that may be called from several threads at once.
unsafe impl Sync for LiveDesc {}

impl LiveDesc {
    /// Returns the kind of the item.
    pub const fn kind(&self) -> LiveKind {
        match self.code {
            LiveCode::Function(_) => LiveKind::Function,
            LiveCode::Type(_) => LiveKind::Type,
        }
    }

    /// Returns a live item.
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

    /// Returns the bytes of its [`LivePart`], as the file has them.
    pub fn part(&self) -> &'static [u8] {
        let part: *const LivePart<0> = self.part.cast();
        // SAFETY: `new` takes a `LivePart`, which is constant. It consists of a part that has its length in front, and
        // of a part of a fixed length. Neither has an alignment.
        unsafe {
            let text = (*part).item.len();
            std::slice::from_raw_parts(part.cast(), size_of::<LivePart<0>>() + text)
        }
    }
}

/// The two parts of a live item in the file.
#[repr(C)]
pub struct LivePart<const N: usize> {
    item: Part<N>,
    hash: Hashes<1>,
}

impl<const N: usize> LivePart<N> {
    /// Returns the parts of an item with this text and hash.
    ///
    /// # Panics
    /// Panics if the text is shorter than `N`; at compile time, if the part is a constant.
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
    /// Returns a list that lends these items.
    pub fn new(items: &'static [LiveDesc]) -> Self {
        LiveList {
            first: items.as_ptr().cast(),
            len: items.len(),
        }
    }

    /// Returns the items.
    ///
    /// # Safety
    /// The library that lent the list stays open for `'a`, and has this version of the contract.
    pub unsafe fn get<'a>(self) -> &'a [LiveDesc] {
        // SAFETY: `new` made the list from a slice, which lives as long as its library. The caller guarantees that for
        // `'a`.
        unsafe { std::slice::from_raw_parts(self.first.cast(), self.len) }
    }
}

/// Lists a live item. Takes its JSON up to the module, its name, its signature, its variant of [`LiveCode`], and its
/// hash.
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
