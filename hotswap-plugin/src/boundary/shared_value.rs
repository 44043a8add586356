//! [`Value`] as a type that crosses, and what becomes a value of the types that cross.
use crate::__returned;
use crate::boundary::abi::ValueView;
use crate::boundary::describe::TypeDesc;
use crate::boundary::shared::Shared;
use crate::boundary::value::{Value, ValueError};
use crate::boundary::view::{Arena, SliceView, StrView};

impl Value {
    /// Returns the value of a shared type, without the type.
    pub fn encode<T: Shared>(value: &T) -> Value {
        value.to_value()
    }

    /// Returns the value as one of a shared type.
    ///
    /// # Errors
    /// Returns an error with the path to the place if the value is not of this type.
    pub fn decode<T: Shared>(self) -> Result<T, ValueError> {
        T::from_value(self)
    }
}

// SAFETY: the view is an enum with a primitive representation, of numbers and views, and every leaf is copied. The type
// is a leaf of the description: its shape is part of the contract's version.
unsafe impl Shared for Value {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<ValueView>("Value");
    type View = ValueView;
    const BORROWS: bool = true;
    const PLAIN: bool = false;
    #[inline]
    fn borrows(&self) -> bool {
        use Value::*;
        match self {
            Nil | Bool(_) | Int(_) | Float(_) => false,
            Str(_) | Bytes(_) | List(_) | Map(_) => true,
        }
    }
    #[inline]
    fn view(&self, arena: &Arena) -> ValueView {
        // Integers come first: calls have them most often, and a short call takes no longer than a jump through a
        // table.
        if let Value::Int(number) = self {
            return ValueView::int(*number);
        }
        match self {
            Value::Nil => ValueView::Nil,
            Value::Bool(yes) => ValueView::Bool(*yes),
            Value::Int(number) => ValueView::int(*number),
            Value::Float(number) => ValueView::Float(*number),
            Value::Str(text) => ValueView::Str(StrView::new(text)),
            Value::Bytes(bytes) => ValueView::Bytes(SliceView::new(bytes)),
            Value::List(items) => ValueView::List(items.view(arena)),
            Value::Map(map) => ValueView::Map(map.view(arena)),
        }
    }
    #[inline]
    unsafe fn from_view(view: ValueView) -> Self {
        // SAFETY: the caller guarantees that what the view borrows is alive, in each of the variants.
        unsafe {
            match view {
                ValueView::Nil => Value::Nil,
                ValueView::Bool(yes) => Value::Bool(yes),
                ValueView::Int(number) => Value::Int(number.into()),
                ValueView::Large(halves) => Value::Int(ValueView::large(halves)),
                ValueView::Float(number) => Value::Float(number),
                ValueView::Str(text) => Value::Str(Shared::from_view(text)),
                ValueView::Bytes(bytes) => Value::Bytes(Shared::from_view(bytes)),
                ValueView::List(items) => Value::List(Shared::from_view(items)),
                ValueView::Map(map) => Value::Map(Shared::from_view(map)),
            }
        }
    }
    fn to_value(&self) -> Value {
        self.clone()
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        Ok(value)
    }
}
__returned!([] Value);
