//! Values of all kinds come back as they were.
use crate::{again, same};
use hotswap_plugin::prelude::*;
use hotswap_plugin::{LiveDataError, LiveType};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

#[live_data]
#[derive(Debug, Clone, PartialEq)]
struct Unit;

#[live_data]
#[derive(Debug, Clone, PartialEq)]
struct Single(String);

#[live_data]
#[derive(Debug, Clone, PartialEq)]
struct Pair(Option<Single>, u8);

#[live_data]
#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Dot,
    Line(f64),
    Corner(u8, char),
    Tree { leaves: Vec<Shape>, r#type: u8 },
}

#[live_data]
#[derive(Debug, Clone, PartialEq)]
struct All {
    unit: Unit,
    single: Single,
    pair: Pair,
    shapes: Vec<Shape>,
    bytes: Vec<u8>,
    more: Option<Vec<u8>>,
    map: HashMap<u32, (String, bool)>,
    sorted: BTreeMap<String, Box<Shape>>,
    data: LiveData,
    r#match: [i16; 3],
}

/// A type that knows nothing of live data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Foreign {
    name: String,
}

#[test]
fn numbers_and_texts() {
    same(u8::MAX);
    same(i64::MIN);
    for number in [0, 1, i128::MAX, i128::MIN, i128::from(u64::MAX), -1] {
        same(number);
    }
    for number in [0, u128::MAX, i128::MAX as u128, i128::MAX as u128 + 1] {
        same(number);
    }
    for number in [0.1, f64::MIN_POSITIVE, f64::INFINITY, -0.0] {
        same(number);
        same(number as f32);
    }
    assert!(again::<f64>(&f64::NAN).unwrap().is_nan());
    same('ß');
    same(String::new());
    same("x".repeat(70_000));
    same(());
    same(true);
}

#[test]
fn types_of_the_standard_library() {
    same(Duration::new(1, 2));
    same(SystemTime::now());
    same(PathBuf::from("/dev/null"));
    same("127.0.0.1".parse::<IpAddr>().unwrap());
    same("::1".parse::<IpAddr>().unwrap());
    same(Ok::<u8, String>(1));
    same(Err::<u8, String>("no".into()));
}

#[test]
fn collections() {
    same(vec![1_u8, 127, 128, 255]);
    same(vec![vec![0_u8; 300], vec![]]);
    same(VecDeque::from([1_u8, 2]));
    same(vec![1_i8, -1]);
    same(HashSet::from([1_u8, 200]));
    same(BTreeSet::from(["b".to_owned(), "a".to_owned()]));
    same(HashMap::from([((1_u8, 'x'), vec!["y".to_owned()])]));
    same([[1_u8; 3]; 2]);
    same((1_u8, "x".to_owned(), None::<u8>, (2_i8,)));
    same((0..70_000_u32).collect::<Vec<_>>());
}

/// Most formats with one nil cannot tell these apart.
#[test]
fn options_in_options() {
    for value in [None, Some(None), Some(Some(None)), Some(Some(Some(1_u8)))] {
        same(value);
        same(vec![value, None]);
    }
    same(Some(()));
    same(None::<()>);
    same(Some(Unit));
    let twice = again::<Option<u8>>(&Some(None::<u8>)).unwrap_err();
    assert_eq!(
        twice,
        "Option<_> cannot be restored: expected u8, found nothing"
    );
}

#[test]
fn structs_and_enums() {
    let shapes = vec![
        Shape::Dot,
        Shape::Line(0.5),
        Shape::Corner(7, 'x'),
        Shape::Tree {
            leaves: vec![Shape::Dot],
            r#type: 1,
        },
    ];
    same(Unit);
    same(Single("x".into()));
    same(Pair(Some(Single("y".into())), 1));
    same(shapes.clone());
    same(All {
        unit: Unit,
        single: Single("x".into()),
        pair: Pair(None, 1),
        shapes,
        bytes: vec![0, 255],
        more: Some(vec![1]),
        map: HashMap::from([(7, ("seven".into(), true))]),
        sorted: BTreeMap::from([("dot".into(), Box::new(Shape::Dot))]),
        data: LiveData::save(&1_u8).unwrap(),
        r#match: [-1, 0, 1],
    });
}

#[test]
fn what_only_serde_knows() {
    #[live_data]
    #[derive(Debug, Clone, PartialEq)]
    struct Holder {
        foreign: Foreign,
        many: Vec<Foreign>,
    }
    let foreign = Foreign { name: "x".into() };
    let data = LiveData::with("Foreign", 3, &foreign).unwrap();
    assert_eq!((data.type_name(), data.version()), ("Foreign", 3));
    assert_eq!(data.restore_as::<Foreign>().unwrap(), foreign);
    let many = vec![foreign.clone()];
    same(Holder { foreign, many });
}

/// Whoever speaks MessagePack reads it, and is read.
#[test]
fn others_read_it_and_are_read() {
    fn both<T: LiveType + PartialEq + Debug>(value: T) {
        let ours = LiveData::save(&value).unwrap();
        let start = 5 + ours.schema().as_bytes().len();
        let (header, payload) = ours.as_bytes().split_at(start);
        assert_eq!(rmp_serde::from_slice::<T>(payload).unwrap(), value);
        let theirs = rmp_serde::to_vec_named(&value).unwrap();
        let theirs = LiveData::from_bytes(&[header, &theirs].concat()).unwrap();
        assert_eq!(theirs.restore::<T>().unwrap(), value);
    }
    both(vec![Some(Single("x".into())), None]);
    both(Shape::Dot);
    both((1_u64, -5_i16, 1.5_f32, 2.5_f64, 'c', true, vec![1_u8, 2]));
    both(HashMap::from([(
        "key".to_owned(),
        Duration::from_millis(5),
    )]));
    both(Ok::<[u16; 2], String>([1, 2]));
}

#[test]
fn what_is_too_deep_is_refused_when_it_is_saved() {
    #[live_data]
    #[derive(Debug, PartialEq)]
    struct Link {
        next: Option<Box<Link>>,
    }
    let chain = |len| {
        (1..len).fold(Link { next: None }, |link, _| Link {
            next: Some(Box::new(link)),
        })
    };
    same(chain(128));
    let error = LiveData::save(&chain(129)).unwrap_err();
    assert!(
        matches!(&error, LiveDataError::Save { path, .. } if path.starts_with("next.next.next"))
    );
    assert!(
        error.to_string().ends_with("next: is nested deeper than 128 levels; put the items into one list, and let them refer to each other by index"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn what_cannot_be_saved_is_named() {
    use std::os::unix::ffi::OsStringExt;
    let path = PathBuf::from(std::ffi::OsString::from_vec(vec![0xff]));
    let error = LiveData::save(&vec![(1_u8, PathBuf::new()), (2, path)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Vec<_> cannot be saved: [1][1]: path contains invalid UTF-8 characters"
    );
}

#[test]
fn it_crosses_as_its_bytes() {
    let data = LiveData::save(&Shape::Line(1.0)).unwrap();
    let value = Value::encode(&data);
    assert_eq!(value, Value::Bytes(data.as_bytes().to_vec()));
    assert_eq!(value.decode::<LiveData>().unwrap(), data);
    let error = Value::Bytes(vec![1]).decode::<LiveData>().unwrap_err();
    assert_eq!(error.to_string(), "expected live data, found bytes");
    assert_eq!(format!("{data:?}"), "LiveData(Shape 1, 15 bytes)");
}
