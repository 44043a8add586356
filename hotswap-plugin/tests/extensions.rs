//! Extensions with nothing loaded: what host and plugin compare, what a slot does, and a vault in unit tests.
use hotswap_plugin::boundary::{ExtensionDesc, mismatch};
use hotswap_plugin::prelude::*;
use hotswap_plugin::{Extension, ExtensionError};
use std::sync::Arc;

/// A version of a crate: the same names, with one difference each.
macro_rules! version {
    ($name:ident { $($slots:tt)* } { $($methods:tt)* }) => {
        mod $name {
            use hotswap_plugin::prelude::*;

            #[interface]
            #[allow(dead_code, reason = "only its description is looked at")]
            pub trait Meow: Send + Sync { $($methods)* }
            #[interface]
            #[allow(dead_code, reason = "only its description is looked at")]
            pub trait Weigh: Send + Sync { fn weigh(&self) -> u32; }
            #[extension]
            pub struct Sounds { $($slots)* }
        }
    };
}

version!(base { pub meow: Slot<dyn Meow>, weigh: Slot<dyn Weigh> } { fn meow(&self, times: u32) -> String; });
version!(equal { meow: Slot<dyn Meow>, weigh: Slot<dyn Weigh> } { fn meow(&self, often: u32) -> String; });
version!(method { meow: Slot<dyn Meow>, weigh: Slot<dyn Weigh> } { fn meow(&self, times: u64) -> String; });
version!(other { meow: Slot<dyn Weigh>, weigh: Slot<dyn Weigh> } { fn meow(&self, times: u32) -> String; });
version!(fewer { meow: Slot<dyn Meow> } { fn meow(&self, times: u32) -> String; });
version!(renamed { miau: Slot<dyn Meow>, weigh: Slot<dyn Weigh> } { fn meow(&self, times: u32) -> String; });
version!(order { weigh: Slot<dyn Weigh>, meow: Slot<dyn Meow> } { fn meow(&self, times: u32) -> String; });

/// What a plugin that was built with `base` is told by a host that was built with this version.
fn told(host: &ExtensionDesc) -> String {
    let own = <base::Sounds as Extension>::DESC;
    assert_ne!(own.hash, host.hash);
    let text = mismatch::extension("cat", own, host).expect("they differ");
    assert!(text.lines().count() <= 6, "{text}");
    let (first, rest) = text.split_once('\n').expect("there are more");
    assert_eq!(
        first,
        "cat cannot extend Sounds of the host: they were built with different versions of it"
    );
    let (rest, last) = rest.rsplit_once('\n').expect("there are more");
    assert_eq!(
        last,
        "  build the plugin again, and the host: cargo hotswap build -p cat"
    );
    let lines = rest.lines().map(str::trim_start);
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_same_in_another_build_is_the_same() {
    let (a, b) = (
        <base::Sounds as Extension>::DESC,
        <equal::Sounds as Extension>::DESC,
    );
    assert_eq!(a.hash, b.hash);
    assert_eq!(mismatch::extension("cat", a, b), None);
}

#[test]
fn the_first_difference_is_told() {
    assert_eq!(
        told(<method::Sounds as Extension>::DESC),
        "Meow::meow\nin slot meow\ncat expects  times: u32\nthe host has times: u64"
    );
    assert_eq!(
        told(<other::Sounds as Extension>::DESC),
        "in slot meow\n\
         cat expects  Meow of the crate hotswap-plugin\n\
         the host has Weigh of the crate hotswap-plugin"
    );
    assert_eq!(
        told(<fewer::Sounds as Extension>::DESC),
        "cat expects  the slot weigh\nthe host has no other slot"
    );
    assert_eq!(
        told(<renamed::Sounds as Extension>::DESC),
        "cat expects  the slot meow\nthe host has the slot miau"
    );
    assert_eq!(
        told(<order::Sounds as Extension>::DESC),
        "cat expects  the order meow, weigh\nthe host has the order weigh, meow"
    );
}

struct Tom(#[expect(dead_code, reason = "it is there to be counted")] Arc<()>);

impl base::Meow for Tom {
    fn meow(&self, times: u32) -> String {
        assert!(times != 0, "no cat meows 0 times");
        "meow ".repeat(times as usize)
    }
}

#[test]
fn a_slot_lends_its_object_and_drops_it() {
    let mut sounds = base::Sounds::default();
    assert!(sounds.meow.get().is_none());
    assert_eq!(sounds.meow.call(|cat| cat.meow(1)), Ok(None));
    let counted = Arc::new(());
    sounds.meow.fill(Held::new(Tom(counted.clone())));
    assert_eq!(
        sounds.meow.call(|cat| cat.meow(1)),
        Ok(Some("meow ".into()))
    );
    let panicked = sounds.meow.call(|cat| cat.meow(0)).unwrap_err();
    assert_eq!(panicked.text, "no cat meows 0 times");
    assert_eq!(Arc::strong_count(&counted), 2);
    // The first one stays.
    sounds.meow.fill(Held::new(Tom(Arc::new(()))));
    assert_eq!(Arc::strong_count(&counted), 2);
    drop(sounds);
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
#[should_panic(expected = "the caller's own")]
fn a_panic_of_the_caller_is_not_an_error_of_the_object() {
    let mut sounds = base::Sounds::default();
    sounds.meow.fill(Held::new(Tom(Arc::new(()))));
    let _ = sounds.meow.call(|_| panic!("the caller's own"));
}

#[test]
fn a_vault_of_a_unit_test_has_a_bag_and_any_extension() {
    let vault = Vault::for_test();
    assert_eq!(vault.get("port"), None);
    vault.set("port", 80).unwrap();
    vault
        .set_data("jobs", LiveData::with("Jobs", 1, &3).unwrap())
        .unwrap();
    let port = vault.get("port").unwrap();
    assert!(port.data().is_none());
    assert_eq!(port.into_value().decode::<u16>().unwrap(), 80);
    let jobs = vault.get("jobs").unwrap();
    assert!(jobs.value().is_none());
    assert_eq!(jobs.data().unwrap().restore_as::<u8>().unwrap(), 3);
    let decoded = jobs.into_value().decode::<LiveData>().unwrap();
    assert_eq!(decoded.type_name(), "Jobs");

    let tom = || Held::new(Tom(Arc::new(())));
    let once = vault.extend::<base::Sounds>(|sounds| sounds.meow.fill(tom()));
    assert_eq!(once, Ok(()));
    let twice = vault.extend::<base::Sounds>(|sounds| {
        sounds.meow.fill(tom());
        sounds.meow.fill(tom());
    });
    let Err(ExtensionError::Filled { slot, .. }) = twice else {
        panic!("{twice:?}")
    };
    assert_eq!(slot, "meow");
}
