//! Live data as a field of other live data.
use super::LiveData;
use super::codec;
use super::types::LiveType;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

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
