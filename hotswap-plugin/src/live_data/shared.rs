//! Live data as a type that crosses between libraries, and as a field of other live data.
use super::LiveData;
use super::codec;
use super::types::LiveType;
use crate::boundary::describe::TypeDesc;
use crate::boundary::{Arena, Shared, SliceView, Value, ValueError};
use crate::contract::live::LiveView;
use crate::{__arg, __returned};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

// SAFETY: the view is that of bytes that the value owns. The receiver copies them.
unsafe impl Shared for LiveData {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<LiveView>("LiveData");
    type View = LiveView;
    const BORROWS: bool = true;
    const PLAIN: bool = false;
    #[inline]
    fn view(&self, _: &Arena) -> LiveView {
        LiveView {
            bytes: SliceView::new(&self.bytes),
            value: self.value,
        }
    }
    #[inline]
    unsafe fn from_view(view: LiveView) -> Self {
        LiveData {
            // SAFETY: the caller guarantees that the bytes are alive.
            bytes: unsafe { view.bytes.get() }.to_vec(),
            value: view.value,
        }
    }
    fn to_value(&self) -> Value {
        Value::Bytes(self.bytes.clone())
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        let Value::Bytes(bytes) = &value else {
            return Err(ValueError::new("live data", &value));
        };
        LiveData::from_bytes(bytes).map_err(|_| ValueError::new("live data", &value))
    }
}
__returned!([] LiveData);
__arg!([] LiveData);

/// Saved data, or the error of the data from which it was to be made.
#[doc(hidden)]
pub type Saved = Result<LiveData, crate::Error>;

impl LiveType for LiveData {
    const NAME: &'static str = "LiveData";
    const VERSION: u32 = 0;
    const COMES_BACK: bool = true;
    fn check(&self) -> Result<(), codec::Error> {
        Ok(())
    }
}

impl Serialize for LiveData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.bytes)
    }
}

impl<'de> Deserialize<'de> for LiveData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = super::codec::bytes::deserialize(deserializer)?;
        LiveData::from_bytes(&bytes).map_err(D::Error::custom)
    }
}
