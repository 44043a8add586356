//! What two libraries compare, and what is said when they were built with different versions of something.
use hotswap_plugin::boundary::{
    FunctionDesc, Interface, InterfaceDesc, ParamDesc, Party, Shared, Signature, TypeDesc,
    mismatch, same,
};
use hotswap_plugin::{Held, Plugin, plugin};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

/// A version of a crate: the same names, with one difference each.
macro_rules! version {
    (
        $name:ident { $($fields:tt)* } [$($variants:tt)*]
        { $($methods:tt)* }
    ) => {
        mod $name {
            use hotswap_plugin::{interface, shared};

            #[shared]
            #[allow(dead_code, reason = "only its description is looked at")]
            pub struct Origin { $($fields)* }
            #[shared]
            #[allow(dead_code, reason = "only its description is looked at")]
            pub struct Place { origins: Vec<Origin>, name: String }
            #[shared]
            #[allow(dead_code, reason = "only its description is looked at")]
            pub struct Vector { place: Option<Place> }
            #[shared]
            #[allow(dead_code, reason = "only its description is looked at")]
            pub enum Refused { $($variants)* }
            #[interface]
            #[allow(dead_code, reason = "only its description is looked at")]
            pub trait Alpha: Send + Sync { $($methods)* }
        }
    };
}

version!(base { at: u32 } [TooFar { limit: i64 }, No] {
    fn one(&self, text: &str, at: Vector) -> Result<String, Refused>;
    fn sum(&self, xs: &[i64], from: u64) -> i64;
});
version!(equal { at: u32 } [TooFar { limit: i64 }, No] {
    fn one(&self, renamed: &str, at: Vector) -> Result<String, Refused>;
    fn sum(&self, xs: &[i64], from: u64) -> i64;
});
version!(parameter { at: u32 } [TooFar { limit: i64 }, No] {
    fn one(&self, text: &str, at: Vector) -> Result<String, Refused>;
    fn sum(&self, xs: &[i64], from: u32) -> i64;
});
version!(item { at: u32 } [TooFar { limit: i64 }, No] {
    fn one(&self, text: &str, at: Vector) -> Result<String, Refused>;
    fn sum(&self, xs: &[u64], from: u64) -> i64;
});
version!(result { at: u32 } [TooFar { limit: i64 }, No] {
    fn one(&self, text: &str, at: Vector) -> Result<Vec<u8>, Refused>;
    fn sum(&self, xs: &[i64], from: u64) -> i64;
});
version!(deep { at: String } [TooFar { limit: i64 }, No] {
    fn one(&self, text: &str, at: Vector) -> Result<String, Refused>;
    fn sum(&self, xs: &[i64], from: u64) -> i64;
});
version!(renamed { to: u32 } [TooFar { limit: i64 }, No] {
    fn one(&self, text: &str, at: Vector) -> Result<String, Refused>;
    fn sum(&self, xs: &[i64], from: u64) -> i64;
});
version!(more_fields { at: u32, to: u32 } [TooFar { limit: i64 }, No] {
    fn one(&self, text: &str, at: Vector) -> Result<String, Refused>;
    fn sum(&self, xs: &[i64], from: u64) -> i64;
});
version!(variants { at: u32 } [TooFar { limit: i64 }, No, Yes(u8)] {
    fn one(&self, text: &str, at: Vector) -> Result<String, Refused>;
    fn sum(&self, xs: &[i64], from: u64) -> i64;
});
version!(variant_field { at: u32 } [TooFar { limit: u8 }, No] {
    fn one(&self, text: &str, at: Vector) -> Result<String, Refused>;
    fn sum(&self, xs: &[i64], from: u64) -> i64;
});
version!(more { at: u32 } [TooFar { limit: i64 }, No] {
    fn one(&self, text: &str, at: Vector) -> Result<String, Refused>;
    fn sum(&self, xs: &[i64], from: u64) -> i64;
    fn third(&self);
});
version!(order { at: u32 } [TooFar { limit: i64 }, No] {
    fn sum(&self, xs: &[i64], from: u64) -> i64;
    fn one(&self, text: &str, at: Vector) -> Result<String, Refused>;
});
version!(extra { at: u32 } [TooFar { limit: i64 }, No] {
    fn one(&self, text: &str, at: Vector) -> Result<String, Refused>;
    fn sum(&self, xs: &[i64], from: u64, by: u8) -> i64;
});

/// What beta, built with `base`, is told of an alpha that was built with `have`.
fn told(have: &InterfaceDesc) -> String {
    let need = <dyn base::Alpha as Interface>::DESC;
    assert_ne!(need.hash, have.hash);
    let text = mismatch::interface(
        (Party::Plugin("beta"), need),
        (Party::Plugin("alpha"), have),
    )
    .unwrap();
    assert!(text.lines().count() <= 6, "{text}");
    let (first, rest) = text.split_once('\n').unwrap();
    assert_eq!(
        first,
        "beta cannot use Alpha of alpha: they were built with different versions of it"
    );
    let (rest, last) = rest.rsplit_once('\n').unwrap();
    assert_eq!(
        last,
        "  build both again: cargo hotswap build -p beta -p alpha"
    );
    rest.lines()
        .map(str::trim_start)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_same_in_another_build_is_the_same() {
    let (a, b) = (
        <dyn base::Alpha as Interface>::DESC,
        <dyn equal::Alpha as Interface>::DESC,
    );
    assert_eq!(a.hash, b.hash);
    assert!(a.same(b));
    assert_eq!(
        mismatch::interface((Party::Host, a), (Party::Host, b)),
        None
    );
}

#[test]
fn a_difference_is_found_wherever_it_is() {
    let told_of = [
        (
            <dyn parameter::Alpha as Interface>::DESC,
            "Alpha::sum\nbeta expects from: u64\nalpha has    from: u32",
        ),
        (
            <dyn item::Alpha as Interface>::DESC,
            "Alpha::sum\nbeta expects xs: &[i64]\nalpha has    xs: &[u64]",
        ),
        (
            <dyn result::Alpha as Interface>::DESC,
            "Alpha::one\nbeta expects result: Result<String, Refused>\nalpha has    result: Result<Vec<u8>, Refused>",
        ),
        (
            <dyn deep::Alpha as Interface>::DESC,
            "Alpha::one\nin at: Vector, place: Option<Place>, origins: Vec<Origin>\nbeta expects at: u32\nalpha has    at: String",
        ),
        (
            <dyn renamed::Alpha as Interface>::DESC,
            "Alpha::one\nin at: Vector, place: Option<Place>, origins: Vec<Origin>\nbeta expects at: u32\nalpha has    to: u32",
        ),
        (
            <dyn more_fields::Alpha as Interface>::DESC,
            "Alpha::one\nin at: Vector, place: Option<Place>, origins: Vec<Origin>\nbeta expects nothing\nalpha has    to: u32",
        ),
        (
            <dyn variants::Alpha as Interface>::DESC,
            "Alpha::one\nin result: Result<String, Refused>\nbeta expects nothing\nalpha has    Yes { 0: u8 }",
        ),
        (
            <dyn variant_field::Alpha as Interface>::DESC,
            "Alpha::one\nin result: Result<String, Refused>, TooFar\nbeta expects limit: i64\nalpha has    limit: u8",
        ),
        (
            <dyn more::Alpha as Interface>::DESC,
            "beta expects no other method\nalpha has    the method third",
        ),
        (
            <dyn order::Alpha as Interface>::DESC,
            "beta expects the order one, sum\nalpha has    the order sum, one",
        ),
        (
            <dyn extra::Alpha as Interface>::DESC,
            "Alpha::sum\nbeta expects fn sum(xs: &[i64], from: u64) -> i64\nalpha has    fn sum(xs: &[i64], from: u64, by: u8) -> i64",
        ),
    ];
    for (have, text) in told_of {
        assert_eq!(told(have), text);
    }
}

#[test]
fn a_signature_that_the_host_has_differently() {
    #[derive(Default)]
    struct World;
    #[plugin]
    impl World {
        #[invoke]
        fn hum(&self, times: u32) -> String {
            times.to_string()
        }
    }
    let hum: &FunctionDesc = &World::FUNCTIONS[0];
    fn told<A, F: Signature<A>>(have: &FunctionDesc) -> Option<String> {
        mismatch::function(Party::Host, "world", F::PARAMS, F::RESULT, have)
    }
    assert_eq!(told::<_, fn(u32) -> String>(hum), None);
    assert_eq!(
        told::<_, fn(u64) -> String>(hum).unwrap(),
        "the host cannot call hum of world: the signatures differ\n\
         \x20 the host expects times: u64\n\
         \x20 world has        times: u32\n\
         \x20 build the plugin again, and the host: cargo hotswap build -p world"
    );
    let two = told::<_, fn(&str, &[u8])>(hum).unwrap();
    assert_eq!(
        two.lines().nth(1).unwrap(),
        "  the host expects fn hum(&str, &[u8])"
    );
    assert_eq!(
        two.lines().nth(2).unwrap(),
        "  world has        fn hum(times: u32) -> String"
    );
}

#[test]
fn data_that_the_host_has_differently() {
    assert_eq!(
        mismatch::value("load data", "world", <Vec<u8>>::TYPE, <Vec<u8>>::TYPE),
        None
    );
    assert_eq!(
        mismatch::value("load data", "world", base::Vector::TYPE, deep::Vector::TYPE).unwrap(),
        "world cannot read the load data of the host: the types differ\n\
         \x20 in load data: Vector, place: Option<Place>, origins: Vec<Origin>\n\
         \x20 world expects at: u32\n\
         \x20 the host has  at: String\n\
         \x20 build the plugin again, and the host: cargo hotswap build -p world"
    );
}

#[test]
fn an_object_is_as_different_as_its_interface() {
    fn told(have: &InterfaceDesc) -> String {
        let need = <dyn radio::Radio as Interface>::DESC;
        let parties = (Party::Plugin("ear"), Party::Plugin("radio"));
        let text = mismatch::interface((parties.0, need), (parties.1, have)).unwrap();
        assert!(text.lines().count() <= 6, "{text}");
        text
    }
    assert_eq!(
        told(<dyn loud_radio::Radio as Interface>::DESC),
        "ear cannot use Radio of radio: they were built with different versions of it\n\
         \x20 Radio::listen\n\
         \x20 in by: Held<dyn Listener>, Listener::hear\n\
         \x20 ear expects text: &str\n\
         \x20 radio has   text: &[u8]\n\
         \x20 build both again: cargo hotswap build -p ear -p radio"
    );
    assert_eq!(
        told(<dyn other_radio::Radio as Interface>::DESC),
        "ear cannot use Radio of radio: they were built with different versions of it\n\
         \x20 Radio::listen\n\
         \x20 in by: Held<dyn Listener>\n\
         \x20 ear expects Listener of the crate hotswap-plugin\n\
         \x20 radio has   Hearer of the crate hotswap-plugin\n\
         \x20 build both again: cargo hotswap build -p ear -p radio"
    );
}

/// The same names, with one difference each.
macro_rules! radio {
    ($name:ident, $listener:ident { $($hear:tt)* }) => {
        mod $name {
            use hotswap_plugin::{Held, interface};

            #[interface]
            pub trait $listener: Send + Sync { $($hear)* }
            #[interface]
            #[allow(dead_code, reason = "only its description is looked at")]
            pub trait Radio: Send + Sync {
                fn listen(&self, by: Held<dyn $listener>);
            }
        }
    };
}
radio!(radio, Listener { fn hear(&self, text: &str); });
radio!(loud_radio, Listener { fn hear(&self, text: &[u8]); });
radio!(other_radio, Hearer { fn hear(&self, text: &str); });

#[test]
fn no_two_types_have_one_hash() {
    let all: &[&TypeDesc] = &[
        u8::TYPE,
        i8::TYPE,
        bool::TYPE,
        <()>::TYPE,
        String::TYPE,
        <Vec<u8>>::TYPE,
        <Vec<i8>>::TYPE,
        <VecDeque<u8>>::TYPE,
        <HashSet<u8>>::TYPE,
        <Option<u8>>::TYPE,
        <Box<u8>>::TYPE,
        <[u8; 2]>::TYPE,
        <[u8; 3]>::TYPE,
        <[(); 2]>::TYPE,
        <[(); 3]>::TYPE,
        <(u8, i8)>::TYPE,
        <(i8, u8)>::TYPE,
        <Result<u8, i8>>::TYPE,
        <HashMap<u8, i8>>::TYPE,
        <BTreeMap<u8, i8>>::TYPE,
        base::Origin::TYPE,
        renamed::Origin::TYPE,
        deep::Origin::TYPE,
        more_fields::Origin::TYPE,
        <Held<dyn radio::Listener>>::TYPE,
        <Held<dyn loud_radio::Listener>>::TYPE,
        <Held<dyn other_radio::Hearer>>::TYPE,
    ];
    for (i, a) in all.iter().enumerate() {
        for (j, b) in all.iter().enumerate() {
            assert_eq!(a.hash == b.hash, i == j, "{a:?} {b:?}");
            assert_eq!(same(a, b), i == j, "{a:?} {b:?}");
        }
    }
}

#[test]
fn names_of_parameters_are_for_people() {
    let params = |name| [ParamDesc::new(name, u8::TYPE)];
    let hash =
        |params: &[ParamDesc]| hotswap_plugin::boundary::describe::function_hash(params, u8::TYPE);
    assert_eq!(hash(&params("a")), hash(&params("b")));
}
