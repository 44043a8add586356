//! Descriptions of functions, methods, and interfaces.
use super::hash::{Hash, Hasher};
use super::types::{TypeDesc, same};
use crate::boundary::abi::{DynamicFn, DynamicLaterFn};
use abi_stable::std_types::{RSlice, RStr};
use std::fmt;

/// A parameter of a function or method.
#[repr(C)]
pub struct ParamDesc {
    /// Its name, for people. It is not compared.
    pub name: RStr<'static>,
    /// Its type.
    pub ty: &'static TypeDesc,
}

impl ParamDesc {
    /// Returns a parameter with this name.
    pub const fn new(name: &'static str, ty: &'static TypeDesc) -> Self {
        ParamDesc {
            name: RStr::from_str(name),
            ty,
        }
    }
}

/// Returns the hash of a function: the types of its parameters, in order, and of its result.
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
#[non_exhaustive]
pub struct FunctionDesc {
    /// Its name.
    pub name: RStr<'static>,
    /// Its parameters, without `self`.
    pub params: RSlice<'static, ParamDesc>,
    /// The type of its result.
    pub result: &'static TypeDesc,
    /// The hash that [`function_hash`] returns.
    pub hash: Hash,
    /// `unsafe extern "C" fn(this: *const (), args…, out: *mut Out<V>) -> Status`, where each argument is the `Cross`
    /// of its [`Arg`](crate::boundary::Arg), and `V` the view of the result.
    pub typed: *const (),
    /// The same function for [`call_dynamic`](crate::boundary::call_dynamic). For an `async fn`, a function that
    /// refuses.
    pub dynamic: DynamicFn,
    /// The same function for a call by name, if it is an `async fn`.
    pub dynamic_later: Option<DynamicLaterFn>,
}

impl FunctionDesc {
    /// Describes the same function under another name.
    pub const fn named(&self, name: &'static str) -> Self {
        FunctionDesc {
            name: RStr::from_str(name),
            params: self.params,
            result: self.result,
            hash: self.hash,
            typed: self.typed,
            dynamic: self.dynamic,
            dynamic_later: self.dynamic_later,
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
    /// Its parameters, without `self`.
    pub params: RSlice<'static, ParamDesc>,
    /// The type of its result.
    pub result: &'static TypeDesc,
}

impl MethodDesc {
    /// Returns the description of a method.
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

/// An interface, with its methods in the order of the table.
#[repr(C)]
pub struct InterfaceDesc {
    /// The trait's name.
    pub name: RStr<'static>,
    /// The crate that defines it.
    pub origin: RStr<'static>,
    /// Its methods.
    pub methods: RSlice<'static, MethodDesc>,
    /// The hash of all of this, without the names of parameters.
    pub hash: Hash,
}

impl InterfaceDesc {
    /// Returns the description of an interface.
    pub const fn new(
        origin: &'static str,
        name: &'static str,
        methods: &'static [MethodDesc],
    ) -> Self {
        let mut hash = Hasher::new().text(name).text(origin);
        let mut i = 0;
        while i < methods.len() {
            let method = &methods[i];
            hash = hash.text(method.name.as_str());
            hash = hash.node(function_hash(method.params.as_slice(), method.result));
            i += 1;
        }
        InterfaceDesc {
            name: RStr::from_str(name),
            origin: RStr::from_str(origin),
            methods: RSlice::from_slice(methods),
            hash: hash.finish(),
        }
    }

    /// Returns true if both descriptions are of the same interface. Then it is sound to call one through the table of
    /// the other.
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

/// Returns true if two functions have the same types of parameters and result.
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
        let later = self.result.of_later();
        write!(
            f,
            "{}fn{}{}(",
            if later.is_some() { "async " } else { "" },
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
        let result = later.unwrap_or(self.result);
        if result.name.as_str() != "()" {
            write!(f, " -> {result}")?;
        }
        Ok(())
    }
}
