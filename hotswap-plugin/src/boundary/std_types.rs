//! Shared types of the standard library other than numbers and collections.
use crate::__returned;
use crate::boundary::describe::{FieldDesc, Kind, TypeDesc};
use crate::boundary::shared::Shared;
use crate::boundary::value::{Value, ValueError};
use crate::boundary::value_shape;
use crate::boundary::view::{Arena, StrView};
use abi_stable::std_types::{ROption, RResult, Tuple2, Tuple3, Tuple4};
use std::time::Duration;

/// Any error. It crosses as a string, with the texts of its sources, and arrives as an error with that text.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of hooks and functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Returns an error's text, followed by those of its sources.
///
/// ```
/// # use std::fmt;
/// # #[derive(Debug)] struct Outer(std::num::ParseIntError);
/// # impl fmt::Display for Outer {
/// #     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("no port") }
/// # }
/// # impl std::error::Error for Outer {
/// #     fn source(&self) -> Option<&(dyn std::error::Error + 'static)> { Some(&self.0) }
/// # }
/// let error = Outer("x".parse::<u16>().unwrap_err());
/// assert_eq!(hotswap_plugin::boundary::chain(&error), "no port: invalid digit found in string");
/// ```
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    crate::telemetry::explained(&text).into_owned()
}

// SAFETY: the view is that of a string in the arena. The receiver makes an error of its own from it.
unsafe impl Shared for Error {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<StrView>("Error");
    type View = StrView;
    const BORROWS: bool = true;
    const PLAIN: bool = false;
    fn view(&self, arena: &Arena) -> StrView {
        arena.text(&chain(&**self))
    }
    unsafe fn from_view(view: StrView) -> Self {
        // SAFETY: the caller guarantees that the string is alive.
        unsafe { view.get() }.into()
    }
    fn to_value(&self) -> Value {
        Value::Str(chain(&**self))
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        String::from_value(value).map(Error::from)
    }
}
__returned!([] Error);

// SAFETY: the view is that of a string that the value owns. The receiver copies it.
unsafe impl Shared for String {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<StrView>("String");
    type View = StrView;
    const BORROWS: bool = true;
    const PLAIN: bool = false;
    #[inline]
    fn view(&self, _: &Arena) -> StrView {
        StrView::new(self)
    }
    #[inline]
    unsafe fn from_view(view: StrView) -> Self {
        // SAFETY: the caller guarantees that the string is alive.
        unsafe { view.get() }.to_owned()
    }
    fn to_value(&self) -> Value {
        Value::Str(self.clone())
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Str(text) => Ok(text),
            _ => Err(ValueError::new("String", &value)),
        }
    }
}
__returned!([] String);

// SAFETY: the view is that of the bytes of a path, which the value owns. The receiver copies them.
#[cfg(unix)]
unsafe impl Shared for std::path::PathBuf {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<crate::boundary::SliceView<u8>>("PathBuf");
    type View = crate::boundary::SliceView<u8>;
    const BORROWS: bool = true;
    const PLAIN: bool = false;
    #[inline]
    fn view(&self, _: &Arena) -> Self::View {
        use std::os::unix::ffi::OsStrExt;
        crate::boundary::SliceView::new(self.as_os_str().as_bytes())
    }
    #[inline]
    unsafe fn from_view(view: Self::View) -> Self {
        use std::os::unix::ffi::OsStrExt;
        // SAFETY: the caller guarantees that the bytes are alive.
        std::ffi::OsStr::from_bytes(unsafe { view.get() }).into()
    }
    /// Returns a string, or bytes if the path is not UTF-8.
    fn to_value(&self) -> Value {
        use std::os::unix::ffi::OsStrExt;
        match self.to_str() {
            Some(text) => Value::Str(text.to_owned()),
            None => Value::Bytes(self.as_os_str().as_bytes().to_vec()),
        }
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        use std::os::unix::ffi::OsStringExt;
        match value {
            Value::Str(text) => Ok(text.into()),
            Value::Bytes(bytes) => Ok(std::ffi::OsString::from_vec(bytes).into()),
            _ => Err(ValueError::new("a path", &value)),
        }
    }
}
#[cfg(unix)]
__returned!([] std::path::PathBuf);

/// A view of a [`Duration`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DurationView {
    secs: u64,
    nanos: u32,
}

// SAFETY: the view is a `repr(C)` struct of two numbers, which borrows nothing.
unsafe impl Shared for Duration {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<DurationView>("Duration");
    type View = DurationView;
    const BORROWS: bool = false;
    const PLAIN: bool = false;
    #[inline]
    fn view(&self, _: &Arena) -> DurationView {
        DurationView {
            secs: self.as_secs(),
            nanos: self.subsec_nanos(),
        }
    }
    #[inline]
    unsafe fn from_view(view: DurationView) -> Self {
        Duration::new(view.secs, view.nanos)
    }
    fn to_value(&self) -> Value {
        value_shape::map([
            ("secs", self.as_secs().into()),
            ("nanos", self.subsec_nanos().into()),
        ])
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        let mut fields = value_shape::into_fields(value, "Duration")?;
        let (secs, nanos) = (
            fields.take("secs", u64::from_value)?,
            fields.take("nanos", u32::from_value)?,
        );
        fields.end()?;
        match Duration::from_nanos(nanos.into()).checked_add(Duration::from_secs(secs)) {
            Some(duration) => Ok(duration),
            None => Err(ValueError::new("Duration", &Value::Int(secs.into())).at("secs")),
        }
    }
}
__returned!([] Duration);

// SAFETY: the view is that of the content, which keeps the contract of `Shared`. The box is not plain, since it owns
// memory.
unsafe impl<T: Shared> Shared for Box<T> {
    const TYPE: &'static TypeDesc =
        &TypeDesc::new::<T::View>("", "Box", Kind::Generic, &[FieldDesc::new("", T::TYPE)]);
    type View = T::View;
    const BORROWS: bool = T::BORROWS;
    const PLAIN: bool = false;
    #[inline]
    fn borrows(&self) -> bool {
        (**self).borrows()
    }
    #[inline]
    fn view(&self, arena: &Arena) -> T::View {
        (**self).view(arena)
    }
    #[inline]
    unsafe fn from_view(view: T::View) -> Self {
        // SAFETY: the caller guarantees that what the content's view borrows is alive.
        Box::new(unsafe { T::from_view(view) })
    }
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        T::from_value(value).map(Box::new)
    }
}
__returned!([T: Shared] Box<T>);

// SAFETY: the view is an enum with a fixed layout, of the content's view, and the content keeps the contract of
// `Shared`.
unsafe impl<T: Shared> Shared for Option<T> {
    const TYPE: &'static TypeDesc =
        &TypeDesc::new::<Self::View>("", "Option", Kind::Generic, &[FieldDesc::new("", T::TYPE)]);
    type View = ROption<T::View>;
    const BORROWS: bool = T::BORROWS;
    const PLAIN: bool = false;
    #[inline]
    fn borrows(&self) -> bool {
        self.as_ref().is_some_and(T::borrows)
    }
    #[inline]
    fn view(&self, arena: &Arena) -> Self::View {
        match self {
            Some(value) => ROption::RSome(value.view(arena)),
            None => ROption::RNone,
        }
    }
    #[inline]
    unsafe fn from_view(view: Self::View) -> Self {
        match view {
            // SAFETY: the caller guarantees that what the content's view borrows is alive.
            ROption::RSome(view) => Some(unsafe { T::from_view(view) }),
            ROption::RNone => None,
        }
    }
    /// Returns the content's value, or nil. `Some(None)` is nil, too.
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Nil, T::to_value)
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Nil => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}
__returned!([T: Shared] Option<T>);

// SAFETY: the view is an enum with a fixed layout, of the contents' views, and the contents keep the contract of
// `Shared`.
unsafe impl<T: Shared, E: Shared> Shared for std::result::Result<T, E> {
    const TYPE: &'static TypeDesc = &TypeDesc::new::<Self::View>(
        "",
        "Result",
        Kind::Generic,
        &[FieldDesc::new("", T::TYPE), FieldDesc::new("", E::TYPE)],
    );
    type View = RResult<T::View, E::View>;
    const BORROWS: bool = T::BORROWS || E::BORROWS;
    const PLAIN: bool = false;
    #[inline]
    fn borrows(&self) -> bool {
        match self {
            Ok(value) => value.borrows(),
            Err(error) => error.borrows(),
        }
    }
    #[inline]
    fn view(&self, arena: &Arena) -> Self::View {
        match self {
            Ok(value) => RResult::ROk(value.view(arena)),
            Err(error) => RResult::RErr(error.view(arena)),
        }
    }
    #[inline]
    unsafe fn from_view(view: Self::View) -> Self {
        // SAFETY: the caller guarantees that what either view borrows is alive.
        match view {
            RResult::ROk(view) => Ok(unsafe { T::from_view(view) }),
            RResult::RErr(view) => Err(unsafe { E::from_view(view) }),
        }
    }
    /// Returns `{Ok: …}` or `{Err: …}`.
    fn to_value(&self) -> Value {
        match self {
            Ok(value) => value_shape::variant("Ok", value.to_value()),
            Err(error) => value_shape::variant("Err", error.to_value()),
        }
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        match value_shape::into_variant(value, "Result")? {
            (name, value) if name == "Ok" => {
                value_shape::within("Ok", || T::from_value(value)).map(Ok)
            }
            (name, value) if name == "Err" => {
                value_shape::within("Err", || E::from_value(value)).map(Err)
            }
            (name, _) => value_shape::unknown_variant("Result", name),
        }
    }
}

macro_rules! tuple {
    ($view:ident, $($T:ident $index:tt),*) => {
        // SAFETY: the view is a `repr(C)` struct of the contents' views, and the contents keep the contract of
        // `Shared`.
        unsafe impl<$($T: Shared),*> Shared for ($($T,)*) {
            const TYPE: &'static TypeDesc =
                &TypeDesc::new::<Self::View>("", "", Kind::Tuple, &[$(FieldDesc::new("", $T::TYPE)),*]);
            type View = $view<$($T::View),*>;
            const BORROWS: bool = $($T::BORROWS)||*;
            const PLAIN: bool = false;
            #[inline]
            fn view(&self, arena: &Arena) -> Self::View {
                $view($(self.$index.view(arena)),*)
            }
            #[inline]
            unsafe fn from_view(view: Self::View) -> Self {
                // SAFETY: the caller guarantees that what each of the views borrows is alive.
                unsafe { ($($T::from_view(view.$index),)*) }
            }
            fn to_value(&self) -> Value {
                Value::List(vec![$(self.$index.to_value()),*])
            }
            fn from_value(value: Value) -> Result<Self, ValueError> {
                let mut items = value_shape::into_items(value, "a tuple", [$($index),*].len())?;
                Ok(($(items.take($T::from_value)?,)*))
            }
        }
        __returned!([$($T: Shared),*] ($($T,)*));
    };
}
tuple!(Tuple2, A 0, B 1);
tuple!(Tuple3, A 0, B 1, C 2);
tuple!(Tuple4, A 0, B 1, C 2, D 3);
