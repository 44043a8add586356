//! Every type that may cross arrives as it was, through its view and through a value, and shares no memory.
use hotswap_plugin::boundary::{Arena, Arg, Shared};
use hotswap_plugin::{Error, Value, shared};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

/// What a receiver makes of a value; the value and its views are gone before it looks.
fn cross<T: Shared>(value: T) -> T {
    let arena = Arena::new();
    let view = value.view(&arena);
    // SAFETY: value and arena are alive.
    let copy = unsafe { T::from_view(view) };
    drop((value, arena));
    copy
}

fn arrives<T: Shared + Clone + PartialEq + Debug>(value: T) {
    assert_eq!(cross(value.clone()), value);
    assert_eq!(T::from_value(value.to_value()).as_ref(), Ok(&value));
    assert_eq!(cross(value.to_value()), value.to_value());
    // What is not plain is not read as if it were.
    assert!(!T::PLAIN || (!T::BORROWS && size_of::<T>() == size_of::<T::View>()));
}

#[shared]
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Vector {
    x: i64,
    label: String,
}

#[shared]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    x: f64,
    near: bool,
}

#[shared]
#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Nothing,
    Named(String),
    Pair(u8, Vector),
    Path {
        points: Vec<Point>,
        r#type: Option<char>,
    },
    Empty {},
}

#[shared]
#[derive(Clone, Debug, PartialEq)]
struct Unit;

#[shared]
#[derive(Clone, Debug, PartialEq)]
struct Id(u64);

#[shared]
#[derive(Clone, Debug, PartialEq)]
struct Range(Id, Id);

#[shared]
#[derive(Clone, Debug, PartialEq)]
struct Scene {
    name: String,
    all: Vec<Vector>,
    first: Option<Vector>,
    by: HashMap<String, Vec<Option<Shape>>>,
    corners: [Point; 2],
    unit: Unit,
}

fn vector(x: i64, label: &str) -> Vector {
    Vector {
        x,
        label: label.into(),
    }
}

fn shapes() -> Vec<Shape> {
    vec![
        Shape::Nothing,
        Shape::Named("böse".into()),
        Shape::Pair(7, vector(-1, "")),
        Shape::Path {
            points: vec![Point { x: 0.5, near: true }; 3],
            r#type: Some('ß'),
        },
        Shape::Empty {},
    ]
}

#[test]
fn primitives() {
    arrives(0_u8);
    arrives(u16::MAX);
    arrives(u32::MAX);
    arrives(u64::MAX);
    arrives(u128::MAX);
    arrives(usize::MAX);
    arrives(i8::MIN);
    arrives(i16::MIN);
    arrives(i32::MIN);
    arrives(i64::MIN);
    arrives(i128::MIN);
    arrives(isize::MIN);
    arrives(0.5_f32);
    arrives(-0.1_f64);
    arrives(true);
    arrives('ß');
    arrives(());
}

#[test]
fn types_of_the_standard_library() {
    for text in ["", "hum", "höm 哼"] {
        arrives(text.to_owned());
        arrives(PathBuf::from(text));
    }
    arrives(Box::new(vector(1, "boxed")));
    arrives(Duration::new(u64::MAX, 999_999_999));
    arrives(Some(3));
    arrives(None::<String>);
    arrives(Ok::<String, u8>("fine".into()));
    arrives(Err::<String, u8>(2));
    arrives((1_u8, String::from("two")));
    arrives((1_u8, 2_i64, vec![3_u16]));
    arrives(('a', false, Some(0.5_f32), [1, 2]));
}

#[test]
fn a_path_that_is_no_text() {
    use std::os::unix::ffi::OsStringExt;
    arrives(PathBuf::from(std::ffi::OsString::from_vec(vec![
        b'/', 0xff,
    ])));
}

#[test]
fn collections() {
    arrives(Vec::<u8>::new());
    arrives(vec![1_u64, 2, 3]);
    arrives(vec![String::new(), "two".into()]);
    arrives(vec![vec![vec![1_u8], vec![]], vec![]]);
    arrives([vector(1, "a"), vector(2, "b")]);
    arrives([[1_u8; 3]; 2]);
    arrives(VecDeque::from([vector(1, "a"), vector(2, "b")]));
    arrives(HashMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]));
    arrives(HashMap::from([
        (1_u32, "a".to_owned()),
        (2, "b".to_owned()),
    ]));
    arrives(HashMap::<u32, u32>::new());
    arrives(BTreeMap::from([(vector(1, "key"), vec![0.5])]));
    arrives(HashSet::from([1_u8, 2, 3]));
    arrives(BTreeSet::from([vector(1, "a"), vector(2, "b")]));
}

#[test]
fn a_deque_that_is_not_in_one_piece() {
    let mut deque = VecDeque::from([1, 2, 3, 4]);
    deque.rotate_left(2);
    deque.push_front(0);
    arrives(deque);
}

#[test]
fn shared_types() {
    arrives(vector(1, "a"));
    arrives(vec![Point { x: 0.5, near: true }; 5]);
    arrives(shapes());
    arrives(Unit);
    arrives(Id(7));
    arrives(Range(Id(1), Id(2)));
    arrives(Scene {
        name: "scene".into(),
        all: vec![vector(1, "a"), vector(2, "b")],
        first: Some(Vector::default()),
        by: HashMap::from([(
            "k".to_owned(),
            shapes().into_iter().map(Some).chain([None]).collect(),
        )]),
        corners: [
            Point {
                x: 1.0,
                near: false,
            },
            Point { x: 2.0, near: true },
        ],
        unit: Unit,
    });
}

#[test]
fn a_struct_is_plain_when_all_of_it_is() {
    struct_is::<Point>(true, false);
    struct_is::<Id>(true, false);
    struct_is::<Vector>(false, true);
    struct_is::<Shape>(false, true);

    #[shared]
    #[allow(dead_code, reason = "only its description is looked at")]
    struct Dropped {
        x: u8,
    }
    impl Drop for Dropped {
        fn drop(&mut self) {}
    }
    struct_is::<Dropped>(false, false);

    #[shared]
    #[repr(align(16))]
    #[allow(dead_code, reason = "only its description is looked at")]
    struct Aligned {
        x: u8,
    }
    struct_is::<Aligned>(false, false);

    #[shared]
    #[repr(C)]
    #[repr(align(16))]
    #[allow(dead_code, reason = "only its description is looked at")]
    struct AlignedC {
        x: u8,
    }
    struct_is::<AlignedC>(false, false);

    fn struct_is<T: Shared>(plain: bool, borrows: bool) {
        assert_eq!((T::PLAIN, T::BORROWS), (plain, borrows), "{:?}", T::TYPE);
    }
}

#[test]
fn an_error_crosses_as_text_with_its_sources() {
    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("no port")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let error: Error = Outer("x".parse::<u16>().unwrap_err()).into();
    assert_eq!(
        cross(error).to_string(),
        "no port: invalid digit found in string"
    );
}

#[test]
fn parameters() {
    fn take<A: Arg>(arg: A, look: impl FnOnce(A)) {
        let arena = Arena::new();
        let lent = arg.lend(&arena);
        // SAFETY: what was lent is alive until `look` has returned, and so is `held`.
        unsafe {
            let mut held = A::take(A::cross(&lent));
            look(A::get(&mut held));
        }
    }
    take(7_u32, |n| assert_eq!(n, 7));
    take((), |()| ());
    take("text", |text| assert_eq!(text, "text"));
    take("", |text| assert_eq!(text, ""));
    take(&[1_u8, 2][..], |items| assert_eq!(items, [1, 2]));
    take(&[] as &[String], |items| assert!(items.is_empty()));
    take(&["a".to_owned(), "b".to_owned()][..], |items| {
        assert_eq!(items, ["a", "b"])
    });
    take(&vector(1, "a"), |v| assert_eq!(*v, vector(1, "a")));
    take(vector(1, "a"), |v| assert_eq!(v, vector(1, "a")));
    take(Some(vec![1]), |v| assert_eq!(v, Some(vec![1])));
}

#[test]
fn values_as_one_writes_them() {
    let written = [
        (().to_value(), "nil"),
        (
            shapes().to_value(),
            r#"["Nothing", {Named: "böse"}, {Pair: [7, {label: "", x: -1}]}, {Path: {points: [{near: true, x: 0.5}, {near: true, x: 0.5}, {near: true, x: 0.5}], type: "ß"}}, "Empty"]"#,
        ),
        (Id(3).to_value(), "3"),
        (Range(Id(1), Id(2)).to_value(), "[1, 2]"),
        (Some("text".to_owned()).to_value(), "text"),
        (
            HashMap::from([(1, "a".to_owned())]).to_value(),
            r#"[[1, "a"]]"#,
        ),
    ];
    for (value, text) in written {
        assert_eq!(value.to_string(), text);
    }
}

#[test]
fn a_value_of_another_type_names_the_place() {
    fn error<T: Shared + Debug>(value: Value) -> String {
        value.decode::<T>().unwrap_err().to_string()
    }
    let scene = |points: Value| {
        Value::Map(BTreeMap::from([(
            "Path".to_owned(),
            Value::Map(BTreeMap::from([("points".to_owned(), points)])),
        )]))
    };
    assert_eq!(
        error::<u8>(Value::from(256)),
        "expected u8, found the integer 256"
    );
    assert_eq!(
        error::<Vec<u8>>(Value::from(vec!["a"])),
        r#"expected u8 at [0], found the string "a""#
    );
    assert_eq!(
        error::<Shape>(Value::from("Square")),
        r#"expected a variant of Shape, found the string "Square""#
    );
    assert_eq!(
        error::<Shape>(scene(Value::Nil)),
        "expected Vec at Path.points, found nothing"
    );
    assert_eq!(
        error::<Shape>(scene(Value::List(vec![Value::Map(BTreeMap::from([(
            "x".to_owned(),
            Value::from(true)
        )]))]))),
        "expected f64 at Path.points[0].x, found a bool"
    );
    assert_eq!(
        error::<Vector>(Value::Map(BTreeMap::from([
            ("x".to_owned(), Value::from(1)),
            ("label".to_owned(), Value::from("")),
            ("lable".to_owned(), Value::from("")),
        ]))),
        r#"expected a field of Vector, found "lable""#
    );
    assert_eq!(
        error::<(u8, u8)>(Value::from(vec![1])),
        "expected a tuple of 2, found a list of 1"
    );
}
