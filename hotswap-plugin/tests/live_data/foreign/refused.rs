//! What would not come back as it was.
use super::*;
use serde::de::IgnoredAny;

/// What a buffer cannot tell apart is not guessed.
#[test]
fn variants_that_look_the_same() {
    foreign! {
        #[serde(untagged)]
        enum Size { Small(u8), Large(u32) }
        #[serde(untagged)]
        enum Float { First(f64), Then(i64) }
        #[serde(untagged)]
        enum Text { One(char), More(String) }
    }
    assert_eq!(saved!(Size::Small(7), Size), Ok(()));
    assert_eq!(saved!(Size::Large(300), Size), Ok(()));
    let error = saved!(vec![Size::Small(7), Size::Large(7)], Vec<Size>).unwrap_err();
    assert!(
        error.starts_with(
            "Holder cannot be saved: field[1]: would be restored as another value: two variants"
        ),
        "{error}"
    );
    assert!(saved!(Float::Then(7), Float).is_err());
    assert_eq!(saved!(Float::First(7.0), Float), Ok(()));
    assert!(saved!(Text::More("x".into()), Text).is_err());
    assert_eq!(saved!(Text::More("xy".into()), Text), Ok(()));
    let inner = Plain {
        held: BTreeMap::from([("key".to_owned(), (1_u8, Size::Large(7)))]),
    };
    let error = saved!(inner, Plain<BTreeMap<String, (u8, Size)>>).unwrap_err();
    assert!(
        error.starts_with("Holder cannot be saved: field.held.key[1]: would"),
        "{error}"
    );
}

/// A type that reads something else than it writes.
#[test]
fn what_a_type_changes_on_the_way() {
    foreign! {
        struct Lost { #[serde(skip_deserializing)] lost: u8, kept: u8 }
        struct Skipped { #[serde(skip)] skipped: u8, kept: u8 }
        struct OneWay { #[serde(serialize_with = "as_text")] number: u8 }
        struct Missing { #[serde(skip_serializing_if = "zero")] number: u8 }
    }
    fn as_text<S: Serializer>(number: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }
    fn zero(number: &u8) -> bool {
        *number == 0
    }
    assert_eq!(
        saved!(
            Skipped {
                skipped: 0,
                kept: 1
            },
            Skipped
        ),
        Ok(())
    );
    assert_eq!(saved!(Missing { number: 1 }, Missing), Ok(()));
    for (error, path) in [
        (saved!(Lost { lost: 1, kept: 2 }, Lost), "field.lost: "),
        (saved!(OneWay { number: 1 }, OneWay), "field.number: "),
        (saved!(Missing { number: 0 }, Missing), "field.number: "),
    ] {
        let error = error.unwrap_err();
        assert!(
            error.starts_with(&format!("Holder cannot be saved: {path}")),
            "{error}"
        );
    }
}

/// The order of a list counts; that of a hash map, as above, does not.
#[test]
fn lists_have_an_order() {
    #[derive(Debug, PartialEq)]
    struct Stack(Vec<u8>);
    impl Serialize for Stack {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(self.0.iter().rev())
        }
    }
    impl<'de> Deserialize<'de> for Stack {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Vec::deserialize(deserializer).map(Stack)
        }
    }
    assert!(saved!(Stack(vec![1, 2]), Stack).is_err());
}

/// A value that says something else each time cannot be compared, and is saved as before.
#[test]
fn a_value_that_is_never_the_same() {
    thread_local! { static TIME: Cell<u32> = const { Cell::new(0) }; }
    #[derive(Debug)]
    struct Age;
    impl PartialEq for Age {
        fn eq(&self, _: &Self) -> bool {
            true
        }
    }
    impl Serialize for Age {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_u32(TIME.replace(TIME.get() + 1))
        }
    }
    impl<'de> Deserialize<'de> for Age {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            u32::deserialize(deserializer).map(|_| Age)
        }
    }
    assert_eq!(saved!(Age, Age), Ok(()));
}

/// Values of a crate's own kind that are written as structs with private names.
#[test]
fn structs_with_private_names() {
    /// As `serde_json` writes its numbers with `arbitrary_precision`.
    #[derive(Debug, PartialEq, Clone)]
    struct Number(&'static str, String);
    impl Serialize for Number {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut number = serializer.serialize_struct(self.0, 1)?;
            number.serialize_field(self.0, &self.1)?;
            number.end()
        }
    }
    let of = |name, text: &str| LiveData::with("Number", 1, &vec![Number(name, text.into())]);
    let number = |text: &str| of("$serde_json::private::Number", text);
    assert_eq!(number("7").unwrap().restore_as::<Vec<u8>>().unwrap(), [7]);
    assert_eq!(number("-7").unwrap().restore_as::<Vec<i8>>().unwrap(), [-7]);
    assert_eq!(
        number("1.5").unwrap().restore_as::<Vec<f64>>().unwrap(),
        [1.5]
    );
    let most = u128::MAX.to_string();
    assert_eq!(
        number(&most).unwrap().restore_as::<Vec<u128>>().unwrap(),
        [u128::MAX]
    );
    assert_eq!(
        number("1e400").unwrap_err().to_string(),
        "Number cannot be saved: [0]: is the number 1e400, which neither an integer of 128 bits nor an f64 holds exactly; keep it as a `String`"
    );
    assert_eq!(
        of("$serde_json::private::RawValue", "[]")
            .unwrap_err()
            .to_string(),
        "Number cannot be saved: [0]: is raw JSON (`RawValue`), which only serde_json can read; keep it as a `String`"
    );
    // Whoever reads its own private name has it back.
    assert!(
        of("$other::private::Date", "2026")
            .unwrap()
            .restore_as::<Vec<BTreeMap<String, IgnoredAny>>>()
            .is_ok()
    );
}

/// A field of a type with `#[live_data]` is looked into wherever it is.
#[test]
fn the_path_leads_through_live_data() {
    #[live_data]
    #[derive(Debug, PartialEq)]
    enum Way {
        Named { coins: Internal<u128> },
        Single(Option<Box<Link>>),
        Pair(u8, Vec<Internal<u128>>),
    }
    #[live_data]
    #[derive(Debug, PartialEq)]
    struct Link {
        ways: BTreeMap<String, (u8, Way)>,
    }
    let coins = || Internal::Named { held: 7_u128 };
    let link = |way| Link {
        ways: BTreeMap::from([("key".to_owned(), (1, way))]),
    };
    let ways = [
        (Way::Named { coins: coins() }, "field[0].Named.coins"),
        (Way::Pair(1, vec![coins()]), "field[0].Pair[1][0]"),
        (
            Way::Single(Some(Box::new(link(Way::Named { coins: coins() })))),
            "field[0].Single.ways.key[1].Named.coins",
        ),
    ];
    for (way, path) in ways {
        let error = saved!(vec![way], Vec<Way>).unwrap_err();
        assert!(
            error.starts_with(&format!("Holder cannot be saved: {path}: could be written")),
            "{error}"
        );
    }
    assert_eq!(saved!(vec![Way::Single(None)], Vec<Way>), Ok(()));
}
