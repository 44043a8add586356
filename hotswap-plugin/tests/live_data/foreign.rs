//! Types that only `serde` knows: all of its data model, as it is and through the buffer of `tag`, `untagged` and `flatten`.
//! What is saved comes back as it was, or is not saved, and the error says where it is.
use hotswap_plugin::prelude::*;
use hotswap_plugin::{LiveDataError, LiveType};
use serde::de::DeserializeOwned;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::{CString, OsString};
use std::fmt::Debug;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

/// A type with `serde`'s derives, as one has it in a crate that knows nothing of live data.
macro_rules! foreign {
    ($($item:item)*) => {$(
        #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
        $item
    )*};
}

foreign! {
    struct Plain<T> { held: T }
    struct Newtype<T>(T);
    struct Tuple<T>(u8, T);
    struct Unit;
    enum External<T> { Empty, New(T), Tuple(T, u8), Named { held: T } }
    #[serde(tag = "kind")]
    enum Internal<T> { Other { x: u8 }, Named { held: T } }
    #[serde(tag = "kind")]
    enum InternalNew<T> { Other { x: u8 }, New(Plain<T>) }
    #[serde(tag = "kind", content = "content")]
    enum Adjacent<T> { Other, Named { held: T }, New(T) }
    #[serde(untagged)]
    enum Untagged<T> { Other { never: Unit }, Named { held: T } }
    struct Flat<T> { id: u8, #[serde(flatten)] plain: Plain<T>, last: bool }
    struct Deep<T> { id: u8, #[serde(flatten)] inner: Internal<Newtype<T>> }
}

/// Live data around one such value.
macro_rules! saved {
    ($value:expr, $ty:ty) => {{
        #[live_data]
        #[derive(Debug, PartialEq)]
        struct Holder {
            before: u8,
            field: $ty,
        }
        let value = Holder {
            before: 1,
            field: $value,
        };
        outcome(&value)
    }};
}

mod refused;

/// `Ok`, or where it is refused. Nothing else may happen.
fn outcome<T: LiveType + PartialEq + Debug>(value: &T) -> Result<(), String> {
    match LiveData::save(value) {
        Ok(data) => {
            let back = data.restore::<T>();
            let back = back.unwrap_or_else(|error| panic!("saved, and not restored: {error}"));
            assert_eq!(back, *value, "another value comes back");
            Ok(())
        }
        Err(error @ LiveDataError::Save { .. }) => {
            let path = error.path().unwrap();
            assert!(path.starts_with("field"), "{error}");
            Err(error.to_string())
        }
        Err(error) => panic!("{error}"),
    }
}

/// Live data around a value of any type, which a type with `#[live_data]` cannot be.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Holder")]
struct Around<T> {
    field: T,
}

impl<T: Serialize + DeserializeOwned + 'static> LiveType for Around<T> {
    const NAME: &'static str = "Holder";
    const VERSION: u32 = 0;
}

fn alone<T>(field: T) -> Result<(), String>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug + 'static,
{
    outcome(&Around { field })
}

/// Values of all these types as one type, so that all that is around them is compiled once. Which of them is read is what
/// `KIND` says.
macro_rules! any {
    ($($kind:ident($ty:ty)),* $(,)?) => {
        #[derive(PartialEq, Debug, Clone)]
        enum Any { $($kind($ty)),* }
        #[derive(Clone, Copy)]
        enum Kind { $($kind),* }
        thread_local! {
            static KIND: Cell<Kind> = const { Cell::new(Kind::Bool) };
        }
        impl Any {
            fn expect(&self) {
                KIND.set(match self { $(Any::$kind(_) => Kind::$kind),* });
            }
        }
        impl Serialize for Any {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Any::$kind(value) => value.serialize(serializer)),* }
            }
        }
        impl<'de> Deserialize<'de> for Any {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match KIND.get() { $(Kind::$kind => <$ty>::deserialize(deserializer).map(Any::$kind)),* }
            }
        }
    };
}
any! {
    Bool(bool), U8(u8), U64(u64), I64(i64), I16(i16), U128(u128), I128(i128), F32(f32), F64(f64), Nan(Bits), Char(char),
    Text(String), Nothing(()), Unit(Unit),
    Bytes(Vec<u8>), Array([u8; 2]), Boxed(Box<[u8]>), Blocks(Vec<Vec<u8>>), C(CString), Tuple((u8, String, Vec<i8>)),
    Sorted(BTreeSet<u8>), Hashed(HashSet<String>), Many(Vec<u32>), Wide(Vec<i128>),
    Ip(IpAddr), Socket(SocketAddr), Duration(Duration), Path(PathBuf), Os(OsString), Range(Range<u8>), Cell(Cell<u8>),
    Result(Result<u8, String>),
    Option(Option<u8>), Options(Option<Option<Option<u8>>>), OptionOfUnit(Option<()>), OptionOfBytes(Option<Vec<u8>>),
    OptionInTag(Internal<Option<Vec<u8>>>),
    ByText(HashMap<String, u8>), ByU32(BTreeMap<u32, Vec<u8>>), ByI64(BTreeMap<i64, ()>), ByBool(HashMap<bool, char>),
    ByTuple(HashMap<(u8, char), Option<Option<u8>>>), ByOption(BTreeMap<Option<u8>, u8>), ByBytes(BTreeMap<Vec<u8>, u8>),
    ByIp(BTreeMap<IpAddr, u8>), ByChar(BTreeMap<char, u8>), Sets(HashMap<u32, HashSet<String>>),
    Newtype(Newtype<u8>), TupleStruct(Tuple<Vec<u8>>), External(External<Vec<u8>>), Internal(Internal<Vec<u8>>),
    Adjacent(Adjacent<Vec<u8>>), Untagged(Untagged<Vec<u8>>), Flat(Flat<Vec<u8>>),
}

/// Equal to itself, unlike the float in it.
#[derive(Serialize, Deserialize, Debug, Clone, Copy)]
struct Bits(f64);

impl PartialEq for Bits {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

foreign! {
    /// What is not buffered on the way back.
    struct Direct {
        plain: Plain<Any>,
        newtype: Newtype<Any>,
        tuple: Tuple<Any>,
        option: Option<Any>,
        list: Vec<Any>,
        map: BTreeMap<String, Any>,
        variants: Vec<External<Any>>,
        adjacent: Vec<Adjacent<Any>>,
    }
    /// What is.
    struct Buffered {
        tag: Internal<Any>,
        tag_new: Option<InternalNew<Any>>,
        untagged: Vec<Untagged<Any>>,
        flat: Flat<Any>,
        deep: Deep<Any>,
    }
}

fn direct(value: &Any) -> Direct {
    let value = || value.clone();
    Direct {
        plain: Plain { held: value() },
        newtype: Newtype(value()),
        tuple: Tuple(1, value()),
        option: Some(value()),
        list: vec![value(), value()],
        map: BTreeMap::from([("key".to_owned(), value())]),
        variants: vec![
            External::Empty,
            External::New(value()),
            External::Tuple(value(), 1),
            External::Named { held: value() },
        ],
        adjacent: vec![
            Adjacent::Other,
            Adjacent::Named { held: value() },
            Adjacent::New(value()),
        ],
    }
}

fn tag<T: Clone>(value: &T) -> Internal<T> {
    Internal::Named {
        held: value.clone(),
    }
}

fn untagged<T: Clone>(value: &T) -> Untagged<T> {
    Untagged::Named {
        held: value.clone(),
    }
}

fn flat<T: Clone>(value: &T) -> Flat<T> {
    let plain = Plain {
        held: value.clone(),
    };
    Flat {
        id: 1,
        plain,
        last: true,
    }
}

/// It comes back from every form.
fn always(value: Any) {
    value.expect();
    let buffered = Buffered {
        tag: tag(&value),
        tag_new: Some(InternalNew::New(Plain {
            held: value.clone(),
        })),
        untagged: vec![untagged(&value), untagged(&value)],
        flat: flat(&value),
        deep: Deep {
            id: 1,
            inner: Internal::Named {
                held: Newtype(value.clone()),
            },
        },
    };
    assert_eq!(alone((direct(&value), buffered)), Ok(()), "{value:?}");
    assert_eq!(alone(value), Ok(()));
}

/// It comes back where there is no buffer, and is refused where there is one.
fn only_direct(value: Any) {
    value.expect();
    assert_eq!(alone(direct(&value)), Ok(()));
    assert!(alone(tag(&value)).is_err(), "{value:?}");
    assert!(alone(untagged(&value)).is_err(), "{value:?}");
    assert!(alone(flat(&value)).is_err(), "{value:?}");
}

#[test]
fn numbers_and_texts() {
    [0, 127, 128, 255]
        .into_iter()
        .for_each(|number| always(Any::U8(number)));
    [0.1, f32::NEG_INFINITY]
        .into_iter()
        .for_each(|number| always(Any::F32(number)));
    [-0.0, 7.0, f64::MIN_POSITIVE]
        .into_iter()
        .for_each(|number| always(Any::F64(number)));
    let nan = [f64::NAN, f64::from_bits(0xfff8_0000_0000_0007)].map(Bits);
    nan.into_iter().for_each(|number| always(Any::Nan(number)));
    ["", "ß", &"x".repeat(300)]
        .into_iter()
        .for_each(|text| always(Any::Text(text.into())));
    always(Any::Bool(true));
    always(Any::U64(u64::MAX));
    always(Any::I64(i64::MIN));
    always(Any::I16(-1));
    always(Any::Char('ß'));
    always(Any::Nothing(()));
}

#[test]
fn numbers_of_128_bits() {
    [0, 7, u128::MAX]
        .into_iter()
        .for_each(|number| only_direct(Any::U128(number)));
    [-7, i128::MIN]
        .into_iter()
        .for_each(|number| only_direct(Any::I128(number)));
    only_direct(Any::Wide(vec![-7]));
    let error = saved!(Internal::Named { held: 7_u128 }, Internal<u128>).unwrap_err();
    assert_eq!(
        error,
        "Holder cannot be saved: field: could be written, but not be restored: u128 is not supported; where that is due \
         to `serde`'s `tag`, `untagged` or `flatten`, put `#[live_data]` on the type in place of `serde`'s derives"
    );
}

/// As the error says, it helps.
#[test]
fn numbers_of_128_bits_in_live_data() {
    #[live_data]
    #[derive(Debug, PartialEq)]
    enum Coins {
        Amount { n: u128 },
    }
    assert_eq!(saved!(Coins::Amount { n: 7 }, Coins), Ok(()));
}

#[test]
fn bytes_and_lists() {
    [vec![], vec![1, 127, 128, 255]]
        .into_iter()
        .for_each(|bytes| always(Any::Bytes(bytes)));
    always(Any::Array([1, 200]));
    always(Any::Boxed(Box::from([1, 200])));
    always(Any::Blocks(vec![vec![0; 300], vec![]]));
    always(Any::C(CString::new("x").unwrap()));
    always(Any::Tuple((1, "x".into(), vec![1, -1])));
    always(Any::Sorted(BTreeSet::from([1, 200])));
    always(Any::Hashed(HashSet::from(
        ["a", "b", "c"].map(str::to_owned),
    )));
    always(Any::Many((0..70_000).collect()));
}

#[test]
fn addresses_and_other_types_of_the_standard_library() {
    ["127.0.0.1", "::1"]
        .into_iter()
        .for_each(|address| always(Any::Ip(address.parse().unwrap())));
    ["[::1]:80", "1.2.3.4:5", "[fe80::1%3]:80"]
        .into_iter()
        .for_each(|address| always(Any::Socket(address.parse().unwrap())));
    always(Any::Duration(Duration::new(1, 2)));
    always(Any::Path("/dev/null".into()));
    always(Any::Os("x".into()));
    always(Any::Range(1..7));
    always(Any::Cell(Cell::new(7)));
    [Ok(1), Err("no".into())]
        .into_iter()
        .for_each(|result| always(Any::Result(result)));
}

/// `serde` does not write it.
#[test]
fn flow_information_of_an_address_is_refused() {
    let address = SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 7, 0));
    let error = saved!(vec![Some(address)], Vec<Option<SocketAddr>>).unwrap_err();
    assert!(
        error.starts_with("Holder cannot be saved: field[0]: is an address with flow information"),
        "{error}"
    );
}

#[test]
fn options() {
    [None, Some(7)]
        .into_iter()
        .for_each(|option| always(Any::Option(option)));
    [None, Some(None), Some(Some(None)), Some(Some(Some(1)))]
        .into_iter()
        .for_each(|options| always(Any::Options(options)));
    [None, Some(())]
        .into_iter()
        .for_each(|option| always(Any::OptionOfUnit(option)));
    [None, Some(vec![])]
        .into_iter()
        .for_each(|option| always(Any::OptionOfBytes(option)));
    always(Any::OptionInTag(tag(&None)));
}

#[test]
fn maps_with_keys_of_all_kinds() {
    always(Any::ByText(HashMap::from(
        ["x", "y"].map(|key| (key.to_owned(), 1)),
    )));
    always(Any::ByU32(BTreeMap::from([(1, vec![1]), (300, vec![])])));
    always(Any::ByI64(BTreeMap::from([(-1, ())])));
    always(Any::ByBool(HashMap::from([(true, 'x'), (false, 'y')])));
    always(Any::ByTuple(HashMap::from([((1, 'x'), Some(None))])));
    always(Any::ByOption(BTreeMap::from([(Some(1), 1), (None, 2)])));
    always(Any::ByBytes(BTreeMap::from([(vec![1, 2], 1)])));
    always(Any::ByIp(BTreeMap::from([([1, 2, 3, 4].into(), 1)])));
    always(Any::ByChar(BTreeMap::from([('x', 1)])));
    let set = |len: u32| (0..len).map(|item| item.to_string()).collect();
    always(Any::Sets((0..50).map(|len| (len, set(len))).collect()));
}

#[test]
fn maps_that_are_flattened() {
    foreign! {
        struct Rest<K: Ord, V> { id: u8, #[serde(flatten, bound(deserialize = "K: Deserialize<'de>, V: Deserialize<'de>"))] rest: BTreeMap<K, V> }
        struct Two { #[serde(flatten)] one: Plain<Vec<u8>>, #[serde(flatten)] two: BTreeMap<u32, IpAddr> }
    }
    let rest = |key: &str, value: u8| Rest {
        id: 1,
        rest: BTreeMap::from([(key.to_owned(), value)]),
    };
    assert_eq!(saved!(rest("x", 200), Rest<String, u8>), Ok(()));
    let rest = Rest {
        id: 1,
        rest: BTreeMap::from([(7_u32, vec![1_u8]), (0, vec![])]),
    };
    assert_eq!(saved!(rest, Rest<u32, Vec<u8>>), Ok(()));
    let rest = Rest {
        id: 1,
        rest: BTreeMap::from([('x', IpAddr::from([1, 2, 3, 4]))]),
    };
    assert_eq!(saved!(rest, Rest<char, IpAddr>), Ok(()));
    let two = Two {
        one: Plain { held: vec![200] },
        two: BTreeMap::from([(7, IpAddr::from([1, 2, 3, 4]))]),
    };
    assert_eq!(saved!(two, Two), Ok(()));
}

#[test]
fn structs_and_variants() {
    let bytes = vec![1_u8];
    always(Any::Newtype(Newtype(7)));
    always(Any::TupleStruct(Tuple(1, bytes.clone())));
    [External::Empty, External::New(bytes.clone())]
        .into_iter()
        .for_each(|value| always(Any::External(value)));
    [Internal::Other { x: 7 }, tag(&bytes)]
        .into_iter()
        .for_each(|value| always(Any::Internal(value)));
    [Adjacent::Other, Adjacent::New(bytes.clone())]
        .into_iter()
        .for_each(|value| always(Any::Adjacent(value)));
    always(Any::Untagged(untagged(&bytes)));
    always(Any::Flat(flat(&bytes)));
}

/// `serde` reads it from nothing in a variant without a tag, and from an empty map elsewhere.
#[test]
fn a_struct_without_fields() {
    let unit = Any::Unit(Unit);
    unit.expect();
    assert_eq!(alone((direct(&unit), tag(&unit), flat(&unit))), Ok(()));
    assert!(alone(untagged(&unit)).is_err());
}
