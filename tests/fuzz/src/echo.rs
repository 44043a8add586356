//! A plugin whose functions return their arguments, and calls of them by name.
use arbitrary::Arbitrary;
use hotswap_plugin::Plugin;
use hotswap_plugin::boundary::{DynamicResult, answer_by_name, call_dynamic};
use hotswap_plugin::boundary::{SliceView, Status, StrView, ValueView, dynamic::DynamicOut};
use hotswap_plugin::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

/// A struct.
#[shared]
#[derive(Clone, Debug, PartialEq, Arbitrary)]
pub struct Leaf {
    /// A field that is copied.
    pub number: i64,
    /// A field that the view borrows.
    pub text: String,
}

/// An enum with variants of each form.
#[shared]
#[derive(Clone, Debug, PartialEq, Arbitrary)]
pub enum Tree {
    /// A variant without fields.
    Nothing,
    /// A variant with one field, which may be empty, too.
    One(Option<u8>),
    /// A variant with fields without names.
    Two(Leaf, f32),
    /// A variant with named fields.
    Fields {
        /// A value within another type.
        leaf: Box<Leaf>,
        /// Many values.
        more: Vec<Leaf>,
    },
}

/// A type with many different fields.
#[shared]
#[derive(Clone, Debug, PartialEq, Arbitrary)]
#[allow(missing_docs, reason = "the types say it")]
pub struct Much {
    pub trees: Vec<Tree>,
    pub tuple: (u16, char, bool, f64),
    pub option: Option<Vec<String>>,
    pub result: Result<Leaf, String>,
    pub map: HashMap<String, i64>,
    pub sorted: BTreeMap<u32, Option<Tree>>,
    pub array: [u8; 3],
}

/// Defines the plugin, and calls `$story` for one of the types.
macro_rules! echoes {
    ($($name:ident: [$($ty:tt)*])*) => {
        /// The plugin.
        #[derive(Default)]
        pub struct Echo;

        #[plugin]
        impl Echo {
            $(#[invoke] fn $name(&self, value: $($ty)*) -> $($ty)* { value })*

            /// A function with the largest number of parameters.
            #[invoke]
            #[allow(clippy::too_many_arguments)]
            fn eight(&self, a: u8, b: &str, c: &[Leaf], d: &Tree, e: Option<f32>, f: (i16, char), g: Value, h: &[u8]) -> String {
                eight(a, b, c, d, e, f, g, h)
            }
        }

        /// Tells the story for one of the types and its function.
        ///
        /// # Errors
        /// Returns the error of the story.
        pub fn tell<S: Story>(story: &mut S, which: u8) -> arbitrary::Result<()> {
            let all: &[fn(&mut S) -> arbitrary::Result<()>] =
                &[$(|story| story.of::<$($ty)*>(stringify!($name))),*];
            all[usize::from(which) % all.len()](story)
        }
    };
}

/// A test that works with values of any type.
pub trait Story {
    /// Runs the test for this type, which the function of this name returns.
    ///
    /// # Errors
    /// Returns an error if the input is used up.
    fn of<T>(&mut self, function: &'static str) -> arbitrary::Result<()>
    where
        T: hotswap_plugin::boundary::Return + PartialEq + std::fmt::Debug + for<'a> Arbitrary<'a>;
}

echoes! {
    byte: [u8]
    small: [i8]
    short: [u16]
    word: [i32]
    long: [u64]
    size: [usize]
    large: [i128]
    unsigned: [u128]
    float: [f32]
    double: [f64]
    flag: [bool]
    letter: [char]
    nothing: [()]
    text: [String]
    bytes: [Vec<u8>]
    texts: [VecDeque<String>]
    letters: [BTreeMap<char, f32>]
    numbers: [BTreeSet<u128>]
    pairs: [BTreeMap<(u8, bool), String>]
    map: [HashMap<String, i64>]
    option: [Option<i16>]
    tuple: [(u8, char, String)]
    array: [[i16; 3]]
    time: [Duration]
    leaf: [Leaf]
    tree: [Box<Tree>]
    trees: [Vec<Tree>]
    much: [Much]
    result: [Result<Leaf, Tree>]
}

/// The result of the plugin's function `eight`.
#[allow(clippy::too_many_arguments)]
pub fn eight(
    a: u8,
    b: &str,
    c: &[Leaf],
    d: &Tree,
    e: Option<f32>,
    f: (i16, char),
    g: Value,
    h: &[u8],
) -> String {
    format!("{a:?} {b:?} {c:?} {d:?} {e:?} {f:?} {g:?} {h:?}")
}

/// Calls a function of the plugin.
///
/// # Panics
/// Panics if there is none of this name, or if it panics.
pub fn call(name: &str, args: &[Value]) -> DynamicResult {
    let function = Echo::FUNCTIONS
        .iter()
        .find(|function| function.name == name);
    let function = function.expect("the plugin has this function");
    let this: *const () = std::ptr::from_ref(&Echo).cast();
    // SAFETY: the function belongs to `Echo`, and `this` is an instance of it.
    calling(args, |args, out| unsafe {
        (function.dynamic)(this, args, out)
    })
}

/// Calls a hand-written function, which returns its name and all of its arguments.
///
/// # Panics
/// Panics if the function does.
pub fn call_by_name(name: &str, args: &[Value]) -> DynamicResult {
    calling(args, |args, out| {
        let echo = |name: &str, args: &[Value]| {
            Some(Ok(Value::List(vec![
                name.into(),
                Value::List(args.to_vec()),
            ])))
        };
        // SAFETY: `call_dynamic` has passed `args` and `out` for this call, and `name` is borrowed for longer.
        unsafe { answer_by_name(StrView::new(name), args, out, echo) }
    })
}

fn calling(
    args: &[Value],
    call: impl FnOnce(SliceView<ValueView>, *mut DynamicOut) -> Status,
) -> DynamicResult {
    // SAFETY: both callers pass on `args` and `out` unchanged, and return the status of the function.
    unsafe { call_dynamic(args, call, |refused| refused) }
        .map_err(|refused| refused.unwrap_or_else(|panicked| panic!("{panicked}")))
}
