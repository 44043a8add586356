//! The macros go by the names of types. A type under another name does not compile where the generated code would
//! take it for what it is not.
use hotswap_plugin::boundary::Later;
use hotswap_plugin::prelude::*;

#[interface]
pub trait Alpha: Send + Sync {}

#[interface]
pub trait Beta: Send + Sync {}

trait Other {
    type Import;
    type Place;
}

impl Other for dyn Alpha {
    type Import = hotswap_plugin::Imported<dyn Beta>;
    type Place = hotswap_plugin::Slot<dyn Beta>;
}

mod borrowed {
    use super::*;

    type Duration = &'static str;
    type Vec<T> = &'static [T];
    type Box<T> = &'static T;

    #[interface]
    pub trait Borrowed: Send + Sync {
        fn text(&self, text: Duration);
        fn items(&self, items: Vec<String>);
        fn item(&self, item: Box<String>);
    }
}

mod uncounted {
    use super::*;

    type Value = Later<u32>;

    #[interface]
    pub trait Uncounted: Send + Sync {
        fn later(&self) -> Value;
    }
}

mod imported {
    use super::*;

    type Imported<T> = <T as Other>::Import;

    #[derive(Import)]
    struct Deps {
        alpha: Imported<dyn Alpha>,
        #[import(optional)]
        maybe: Option<Imported<dyn Alpha>>,
    }
}

mod extended {
    use super::*;

    type Slot<T> = <T as Other>::Place;

    #[extension]
    pub struct Sounds {
        alpha: Slot<dyn Alpha>,
    }
}

fn main() {}
