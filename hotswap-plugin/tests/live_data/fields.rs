//! Fields that come, go, and are called otherwise.
use crate::{again, same};
use hotswap_plugin::prelude::*;
use std::collections::BTreeMap;

mod before {
    use hotswap_plugin::prelude::*;

    #[live_data]
    pub struct Fire {
        pub name: String,
        pub colour: String,
        pub shots: u32,
        pub crew: Vec<Man>,
        pub gone: Option<Vec<u64>>,
    }

    #[live_data]
    pub struct Man {
        pub name: String,
        pub speed: String,
    }

    pub fn fire() -> Fire {
        let man = |speed: &str| Man {
            name: "Ann".into(),
            speed: speed.into(),
        };
        Fire {
            name: "kitchen".into(),
            colour: "red".into(),
            shots: 3,
            crew: vec![man("1"), man("x")],
            gone: Some(vec![1, 2]),
        }
    }
}

fn seven() -> u8 {
    7
}

#[live_data]
#[derive(Debug, Default, PartialEq)]
struct Fire {
    #[live_data(was = "tint", was = "colour")]
    color: String,
    name: String,
    shots: u64,
    crew: Vec<Man>,
    #[live_data(default)]
    default: Vec<u8>,
    #[live_data(default = seven())]
    seven: u8,
    #[live_data(default = "x".repeat(2))]
    text: String,
    option: Option<String>,
    #[live_data(skip)]
    cache: Cache,
    #[live_data(skip, default = Cache(3))]
    other: Cache,
}

#[live_data]
#[derive(Debug, Default, PartialEq)]
struct Man {
    speed: String,
}

/// Neither `serde` nor live data knows it.
#[derive(Debug, Default, PartialEq)]
struct Cache(u8);

#[test]
fn by_their_names() {
    let man = |speed: &str| Man {
        speed: speed.into(),
    };
    assert_eq!(
        again::<Fire>(&before::fire()).unwrap(),
        Fire {
            color: "red".into(),
            name: "kitchen".into(),
            shots: 3,
            crew: vec![man("1"), man("x")],
            default: vec![],
            seven: 7,
            text: "xx".into(),
            option: None,
            cache: Cache(0),
            other: Cache(3),
        }
    );
}

#[test]
fn defaults_of_the_whole() {
    #[live_data(name = "Fire", default)]
    #[derive(Debug, PartialEq)]
    struct Whole {
        name: String,
        more: u8,
    }
    impl Default for Whole {
        fn default() -> Self {
            Whole {
                name: "nobody".into(),
                more: 9,
            }
        }
    }
    let whole: Whole = again(&before::fire()).unwrap();
    assert_eq!((&*whole.name, whole.more), ("kitchen", 9));
}

#[test]
fn what_does_not_fit_is_named() {
    #[live_data]
    #[derive(Debug)]
    struct Fire {
        crew: Vec<Man>,
    }
    #[live_data]
    #[derive(Debug)]
    struct Man {
        speed: Speed,
    }
    #[live_data]
    #[derive(Debug)]
    struct Speed(u32);
    assert_eq!(
        again::<Fire>(&before::fire()).unwrap_err(),
        r#"Fire of version 1 cannot be restored: crew[0].speed: expected u32, found "1""#
    );
}

#[test]
fn what_is_missing_is_named() {
    #[live_data]
    #[derive(Debug)]
    struct Fire {
        crew: Vec<Man>,
    }
    #[live_data]
    #[derive(Debug)]
    struct Man {
        age: u8,
    }
    assert_eq!(
        again::<Fire>(&before::fire()).unwrap_err(),
        "Fire of version 1 cannot be restored: crew[0].age: is missing, and has no default"
    );
}

#[test]
fn keys_are_in_the_path() {
    let map = BTreeMap::from([("a".to_owned(), (1_u8, Some(-1_i8)))]);
    assert_eq!(
        again::<BTreeMap<String, (u8, u8)>>(&map).unwrap_err(),
        "BTreeMap<_> cannot be restored: a[1]: expected u8, found -1"
    );
    let map = BTreeMap::from([(5_u8, Err::<(), _>(String::from("x")))]);
    assert_eq!(
        again::<BTreeMap<u8, std::result::Result<(), char>>>(&BTreeMap::from([(
            5_u8,
            Err::<(), _>("xy".to_owned())
        )]))
        .unwrap_err(),
        r#"BTreeMap<_> cannot be restored: [5].Err: expected a character, found "xy""#
    );
    same(map);
}

/// Names decide, never the place or the number of something.
#[test]
fn nothing_is_guessed() {
    #[live_data(name = "T")]
    #[derive(Debug, PartialEq)]
    struct Named {
        a: u8,
        b: u8,
    }
    #[live_data(name = "T")]
    #[derive(Debug)]
    struct Pair(u8, u8);
    #[live_data(name = "T")]
    #[derive(Debug)]
    struct Triple(u8, u8, u8);
    #[live_data(name = "T")]
    #[derive(Debug)]
    enum Number {
        Zero,
        One,
    }
    let cases = [
        (
            again::<Named>(&Pair(1, 2)).map(drop),
            "T of version 1 cannot be restored: expected struct Named, found a list",
        ),
        (
            again::<Named>(&BTreeMap::from([(0_u8, 1_u8), (1, 2)])).map(drop),
            "BTreeMap<_> cannot be restored as T; if the type has a new name, write `#[live_data(was = \"BTreeMap<_>\")]` on it",
        ),
        (
            again::<Pair>(&Named { a: 1, b: 2 }).map(drop),
            "T of version 1 cannot be restored: expected tuple struct Pair, found named fields",
        ),
        (
            again::<Pair>(&Triple(1, 2, 3)).map(drop),
            "T of version 1 cannot be restored: expected 2 items, found 3",
        ),
        (
            again::<Triple>(&Pair(1, 2)).map(drop),
            "T of version 1 cannot be restored: expected tuple struct Triple with 3 elements, found 2 items",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found.unwrap_err(), expected);
    }
    let data = LiveData::with("T", 1, &1_u8).unwrap();
    let error = data.restore::<Number>().unwrap_err().to_string();
    assert_eq!(
        error,
        "T of version 1 cannot be restored: expected enum Number, found 1"
    );
    let data = LiveData::with("T", 1, &BTreeMap::from([(0_u8, 1_u8), (1, 2)])).unwrap();
    let error = data.restore::<Named>().unwrap_err().to_string();
    assert_eq!(
        error,
        "T of version 1 cannot be restored: [0]: expected a name, found 0"
    );
}

/// A number is the same number, or an error.
#[test]
fn numbers_grow_and_never_change() {
    assert_eq!(again::<u64>(&7_u8), Ok(7));
    assert_eq!(again::<u8>(&7_i64), Ok(7));
    assert_eq!(again::<f64>(&1.5_f32), Ok(1.5));
    assert_eq!(again::<f32>(&1.5_f64), Ok(1.5));
    assert_eq!(again::<f64>(&3_u8), Ok(3.0));
    assert_eq!(again::<i128>(&u64::MAX), Ok(u64::MAX.into()));
    assert_eq!(again::<u64>(&7_u128), Ok(7));
    for error in [
        again::<u8>(&256_u16).map(drop),
        again::<u64>(&-1_i8).map(drop),
        again::<f32>(&0.1_f64).map(drop),
        again::<f32>(&1e300_f64).map(drop),
        again::<f64>(&(u64::MAX)).map(drop),
        again::<f32>(&16_777_217_u32).map(drop),
        again::<u8>(&1.0_f64).map(drop),
        again::<u128>(&-1_i128).map(drop),
        again::<i128>(&u128::MAX).map(drop),
        again::<u64>(&u128::MAX).map(drop),
        again::<bool>(&1_u8).map(drop),
        again::<String>(&1_u8).map(drop),
    ] {
        let error = error.unwrap_err();
        assert!(error.contains("expected "), "{error}");
    }
    assert_eq!(
        again::<f32>(&0.1_f64).unwrap_err(),
        "f64 cannot be restored: expected f32, found 0.1, which does not fit"
    );
}

#[test]
fn variants() {
    mod before {
        use hotswap_plugin::prelude::*;
        #[live_data]
        pub enum State {
            Idle,
            Busy { with: String, since: u32 },
            Old(u8),
            Gone,
        }
    }
    use before::State as Before;
    #[live_data]
    #[derive(Debug, PartialEq)]
    enum State {
        #[live_data(was = "Idle")]
        Free {
            #[live_data(default = 5)]
            since: u32,
        },
        Busy {
            #[live_data(was = "with")]
            on: String,
        },
        Old(u16),
    }
    assert_eq!(again(&Before::Idle), Ok(State::Free { since: 5 }));
    let busy = Before::Busy {
        with: "x".into(),
        since: 1,
    };
    assert_eq!(again(&busy), Ok(State::Busy { on: "x".into() }));
    assert_eq!(again(&Before::Old(1)), Ok(State::Old(1)));
    assert_eq!(
        again::<State>(&Before::Gone).unwrap_err(),
        r#"State of version 1 cannot be restored: expected one of Free, Idle, Busy, Old, found "Gone""#
    );
}

#[test]
fn into_a_value_only_what_the_data_has() {
    #[live_data(name = "Fire")]
    struct Little {
        shots: u64,
        inner: Inner,
        list: Vec<Inner>,
        some: Option<Inner>,
    }
    #[live_data(name = "Inner")]
    struct Inner {
        a: u8,
    }
    #[live_data(name = "Inner", default)]
    #[derive(Debug, Default, PartialEq)]
    struct Big {
        a: u8,
        b: u8,
        #[live_data(skip)]
        cache: Cache,
    }
    #[live_data(name = "Fire")]
    #[derive(Debug, PartialEq)]
    struct Fire {
        name: String,
        shots: u64,
        inner: Big,
        list: Vec<Big>,
        some: Option<Big>,
        #[live_data(skip)]
        cache: Cache,
    }
    let big = |a, b, cache| Big {
        a,
        b,
        cache: Cache(cache),
    };
    let mut fire = Fire {
        name: "kept".into(),
        shots: 1,
        inner: big(1, 2, 3),
        list: vec![big(1, 2, 3)],
        some: Some(big(1, 2, 3)),
        cache: Cache(9),
    };
    let inner = || Inner { a: 5 };
    let little = Little {
        shots: 2,
        inner: inner(),
        list: vec![inner(), inner()],
        some: Some(inner()),
    };
    LiveData::save(&little)
        .unwrap()
        .restore_into(&mut fire)
        .unwrap();
    assert_eq!(
        fire,
        Fire {
            name: "kept".into(),
            shots: 2,
            inner: big(5, 2, 3),
            list: vec![big(5, 0, 0), big(5, 0, 0)],
            some: Some(big(5, 2, 3)),
            cache: Cache(9),
        }
    );
}

#[test]
fn into_a_value_all_or_nothing() {
    #[live_data(name = "Fire")]
    struct Wrong {
        shots: u8,
        inner: (u8, bool),
    }
    #[live_data]
    #[derive(Debug, PartialEq, Clone)]
    struct Fire {
        shots: u8,
        inner: (u8, u8),
    }
    let before = Fire {
        shots: 1,
        inner: (1, 1),
    };
    let mut fire = before.clone();
    let data = LiveData::save(&Wrong {
        shots: 2,
        inner: (2, true),
    });
    let error = data.unwrap().restore_into(&mut fire).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Fire of version 1 cannot be restored: inner[1]: expected u8, found true"
    );
    assert_eq!(error.path(), Some("inner[1]"));
    assert_eq!(fire, before);
}
