//! What decides whether two libraries may call each other: constant trees of names, fields, sizes and alignments.
//!
//! A tree describes the *view* of a type, which is what crosses. Each node has a hash of 128 bits, computed by the
//! compiler, so that an artifact can carry the hashes of what it needs and offers. The hash refuses early; before a
//! call is made the trees themselves are compared ([`same`]). Everything here is `repr(C)`: the two sides may come from
//! different compilers.
use abi_stable::std_types::{RSlice, RStr};
use std::fmt;

/// A hash of 128 bits: low half, high half.
pub type Hash = [u64; 2];

/// What a [`TypeDesc`] describes, and how it is written.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A type without parts: `u32`, `String`.
    Leaf,
    /// `Name<A, B>`.
    Generic,
    /// `&A`.
    Reference,
    /// `&[A]`.
    Slice,
    /// `[A; count]`.
    Array,
    /// `(A, B)`.
    Tuple,
    /// A `#[shared]` struct.
    Struct,
    /// A `#[shared]` enum; its parts are its variants.
    Enum,
    /// A variant; its parts are its fields.
    Variant,
}

/// A type that may cross, or a variant of one.
#[repr(C)]
pub struct TypeDesc {
    /// Its name, without parameters.
    pub name: RStr<'static>,
    /// The crate that defines it; empty for types of the standard library.
    pub origin: RStr<'static>,
    /// What it is.
    pub kind: Kind,
    /// Its parameters, fields or variants.
    pub parts: RSlice<'static, FieldDesc>,
    /// How many items an array has.
    pub count: usize,
    /// The size of its view.
    pub size: usize,
    /// The alignment of its view.
    pub align: usize,
    /// The hash of all of this.
    pub hash: Hash,
}

/// A part of a type.
#[repr(C)]
pub struct FieldDesc {
    /// The name of the field or variant; empty for a parameter.
    pub name: RStr<'static>,
    /// Its type.
    pub ty: &'static TypeDesc,
}

impl FieldDesc {
    /// A part with this name.
    pub const fn new(name: &'static str, ty: &'static TypeDesc) -> Self {
        FieldDesc {
            name: RStr::from_str(name),
            ty,
        }
    }
}

impl TypeDesc {
    /// A type of the standard library without parts, whose view is a `V`.
    pub const fn leaf<V>(name: &'static str) -> Self {
        TypeDesc::new::<V>("", name, Kind::Leaf, &[])
    }

    /// A type whose view is a `V`.
    pub const fn new<V>(
        origin: &'static str,
        name: &'static str,
        kind: Kind,
        parts: &'static [FieldDesc],
    ) -> Self {
        TypeDesc::of(
            origin,
            name,
            kind,
            parts,
            0,
            [size_of::<V>(), align_of::<V>()],
        )
    }

    /// An array of `count` items, whose view is a `V`.
    pub const fn array<V>(item: &'static [FieldDesc], count: usize) -> Self {
        TypeDesc::of(
            "",
            "",
            Kind::Array,
            item,
            count,
            [size_of::<V>(), align_of::<V>()],
        )
    }

    /// A variant of an enum. The enum's own description has the size.
    pub const fn variant(fields: &'static [FieldDesc]) -> Self {
        TypeDesc::of("", "", Kind::Variant, fields, 0, [0, 0])
    }

    const fn of(
        origin: &'static str,
        name: &'static str,
        kind: Kind,
        parts: &'static [FieldDesc],
        count: usize,
        [size, align]: [usize; 2],
    ) -> Self {
        let mut hash = Hasher::new().text(name).text(origin).number(kind as u64);
        hash = hash
            .number(count as u64)
            .number(size as u64)
            .number(align as u64);
        let mut i = 0;
        while i < parts.len() {
            hash = hash.text(str_of(parts[i].name)).node(parts[i].ty.hash);
            i += 1;
        }
        TypeDesc {
            name: RStr::from_str(name),
            origin: RStr::from_str(origin),
            kind,
            parts: RSlice::from_slice(parts),
            count,
            size,
            align,
            hash: hash.finish(),
        }
    }
}

/// The type as an author writes it: `Vec<Vector>`, `&[i64]`.
impl fmt::Display for TypeDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, open: &str, close: &str| {
            f.write_str(open)?;
            for (i, part) in self.parts.iter().enumerate() {
                write!(f, "{}{}", if i > 0 { ", " } else { "" }, part.ty)?;
            }
            f.write_str(close)
        };
        match self.kind {
            Kind::Leaf | Kind::Struct | Kind::Enum => f.write_str(self.name.as_str()),
            Kind::Generic => {
                f.write_str(self.name.as_str())?;
                list(f, "<", ">")
            }
            Kind::Reference => list(f, "&", ""),
            Kind::Slice => list(f, "&[", "]"),
            Kind::Array => list(f, "[", &format!("; {}]", self.count)),
            Kind::Tuple => list(f, "(", ")"),
            Kind::Variant if self.parts.is_empty() => Ok(()),
            Kind::Variant => {
                f.write_str("{ ")?;
                for (i, part) in self.parts.iter().enumerate() {
                    write!(
                        f,
                        "{}{}: {}",
                        if i > 0 { ", " } else { "" },
                        part.name,
                        part.ty
                    )?;
                }
                f.write_str(" }")
            }
        }
    }
}

impl fmt::Debug for TypeDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} #{}/{}", self.size, self.align)
    }
}

/// Whether two descriptions are equal, in everything but where they lie in memory.
pub fn same(a: &TypeDesc, b: &TypeDesc) -> bool {
    std::ptr::eq(a, b)
        || (a.hash == b.hash
            && (a.name, a.origin, a.kind) == (b.name, b.origin, b.kind)
            && (a.count, a.size, a.align) == (b.count, b.size, b.align)
            && a.parts.len() == b.parts.len()
            && a.parts
                .iter()
                .zip(b.parts)
                .all(|(a, b)| a.name == b.name && same(a.ty, b.ty)))
}

/// A parameter of a function or method.
#[repr(C)]
pub struct ParamDesc {
    /// Its name, for people: it decides nothing.
    pub name: RStr<'static>,
    /// Its type.
    pub ty: &'static TypeDesc,
}

impl ParamDesc {
    /// A parameter with this name.
    pub const fn new(name: &'static str, ty: &'static TypeDesc) -> Self {
        ParamDesc {
            name: RStr::from_str(name),
            ty,
        }
    }
}

/// The hash of a function: the types of its parameters, in order, and of its result.
pub const fn function_hash(params: &[ParamDesc], result: &TypeDesc) -> Hash {
    let mut hash = Hasher::new().node(result.hash).number(params.len() as u64);
    let mut i = 0;
    while i < params.len() {
        hash = hash.node(params[i].ty.hash);
        i += 1;
    }
    hash.finish()
}

/// A function of a plugin that can be called by name.
#[repr(C)]
pub struct FunctionDesc {
    /// Its name.
    pub name: RStr<'static>,
    /// Its parameters, `self` left out.
    pub params: RSlice<'static, ParamDesc>,
    /// The type of its result.
    pub result: &'static TypeDesc,
    /// [`function_hash`].
    pub hash: Hash,
    /// `unsafe extern "C" fn(this: *const (), args…, out: *mut Out<V>) -> Status`, where each argument is the `Cross` of
    /// its [`Arg`](super::Arg), and `V` the view of the result.
    pub typed: *const (),
    /// The same function for [`call_dynamic`](super::call_dynamic).
    pub dynamic: DynamicFn,
}

/// A function that takes [`Value`](super::Value)s, checks them, and gives one.
pub type DynamicFn = unsafe extern "C" fn(
    this: *const (),
    args: super::SliceView<super::ValueView>,
    out: *mut super::DynamicOut,
) -> super::Status;

impl FunctionDesc {
    /// A function. `typed` is what the field of that name describes.
    pub const fn new(
        name: &'static str,
        params: &'static [ParamDesc],
        result: &'static TypeDesc,
        typed: *const (),
        dynamic: DynamicFn,
    ) -> Self {
        FunctionDesc {
            name: RStr::from_str(name),
            params: RSlice::from_slice(params),
            result,
            hash: function_hash(params, result),
            typed,
            dynamic,
        }
    }
}

impl fmt::Debug for FunctionDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}",
            Written {
                name: self.name.as_str(),
                params: self.params.as_slice(),
                result: self.result
            }
        )
    }
}

/// A method of an interface.
#[repr(C)]
pub struct MethodDesc {
    /// Its name.
    pub name: RStr<'static>,
    /// Its parameters, `self` left out.
    pub params: RSlice<'static, ParamDesc>,
    /// The type of its result.
    pub result: &'static TypeDesc,
}

impl MethodDesc {
    /// A method.
    pub const fn new(
        name: &'static str,
        params: &'static [ParamDesc],
        result: &'static TypeDesc,
    ) -> Self {
        MethodDesc {
            name: RStr::from_str(name),
            params: RSlice::from_slice(params),
            result,
        }
    }
}

/// An interface: its methods, in the order of the table.
#[repr(C)]
pub struct InterfaceDesc {
    /// The trait's name.
    pub name: RStr<'static>,
    /// The crate that defines it.
    pub origin: RStr<'static>,
    /// Its methods.
    pub methods: RSlice<'static, MethodDesc>,
    /// The hash of all of this but the names of parameters.
    pub hash: Hash,
}

impl InterfaceDesc {
    /// An interface.
    pub const fn new(
        origin: &'static str,
        name: &'static str,
        methods: &'static [MethodDesc],
    ) -> Self {
        let mut hash = Hasher::new().text(name).text(origin);
        let mut i = 0;
        while i < methods.len() {
            let method = &methods[i];
            hash = hash.text(str_of(method.name));
            hash = hash.node(function_hash(slice_of(method.params), method.result));
            i += 1;
        }
        InterfaceDesc {
            name: RStr::from_str(name),
            origin: RStr::from_str(origin),
            methods: RSlice::from_slice(methods),
            hash: hash.finish(),
        }
    }

    /// Whether two descriptions are of the same interface: what makes it sound to call one through the table of the
    /// other.
    pub fn same(&self, other: &InterfaceDesc) -> bool {
        std::ptr::eq(self, other)
            || (self.hash == other.hash
                && (self.name, self.origin) == (other.name, other.origin)
                && self.methods.len() == other.methods.len()
                && self.methods.iter().zip(other.methods).all(|(a, b)| {
                    a.name == b.name && same_function((&a.params, a.result), (&b.params, b.result))
                }))
    }
}

impl fmt::Debug for InterfaceDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.methods.iter().map(|m| m.name.as_str()))
            .finish()
    }
}

/// Whether two functions have the same types of parameters and result.
pub fn same_function(a: (&[ParamDesc], &TypeDesc), b: (&[ParamDesc], &TypeDesc)) -> bool {
    same(a.1, b.1) && a.0.len() == b.0.len() && a.0.iter().zip(b.0).all(|(a, b)| same(a.ty, b.ty))
}

/// A function as an author writes it: `fn hum(times: u32) -> String`.
pub(crate) struct Written<'a> {
    pub name: &'a str,
    pub params: &'a [ParamDesc],
    pub result: &'a TypeDesc,
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "fn{}{}(",
            if self.name.is_empty() { "" } else { " " },
            self.name
        )?;
        for (i, param) in self.params.iter().enumerate() {
            f.write_str(if i > 0 { ", " } else { "" })?;
            if !param.name.is_empty() {
                write!(f, "{}: ", param.name)?;
            }
            write!(f, "{}", param.ty)?;
        }
        f.write_str(")")?;
        if self.result.name.as_str() != "()" {
            write!(f, " -> {}", self.result)?;
        }
        Ok(())
    }
}

/// `RStr::as_str`, in constants.
const fn str_of(text: RStr<'static>) -> &'static str {
    // SAFETY: an `RStr` is the address and length of a text that lives as long as its lifetime.
    unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(text.as_ptr(), text.len())) }
}

/// `RSlice::as_slice`, in constants.
const fn slice_of<T>(items: RSlice<'static, T>) -> &'static [T] {
    // SAFETY: an `RSlice` is the address and length of a slice that lives as long as its lifetime.
    unsafe { std::slice::from_raw_parts(items.as_ptr(), items.len()) }
}

/// FNV-1a with 128 bits, in constants.
struct Hasher(u128);

impl Hasher {
    const fn new() -> Self {
        Hasher(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
    const fn byte(self, byte: u8) -> Self {
        Hasher((self.0 ^ byte as u128).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b))
    }
    /// The length goes first, so that two texts in a row have one meaning.
    const fn text(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        self = self.number(bytes.len() as u64);
        let mut i = 0;
        while i < bytes.len() {
            self = self.byte(bytes[i]);
            i += 1;
        }
        self
    }
    const fn number(mut self, number: u64) -> Self {
        let bytes = number.to_le_bytes();
        let mut i = 0;
        while i < bytes.len() {
            self = self.byte(bytes[i]);
            i += 1;
        }
        self
    }
    const fn node(self, hash: Hash) -> Self {
        self.number(hash[0]).number(hash[1])
    }
    const fn finish(self) -> Hash {
        [self.0 as u64, (self.0 >> 64) as u64]
    }
}
