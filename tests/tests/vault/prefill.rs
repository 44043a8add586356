//! Tests the values that the host puts into each generation before the plugins do.
use crate::support::{cat, meow, name, refused, stage_with, swap, weighed};
use hotswap_host::{BagItem, Held, LiveData, Prefill};
use hotswap_tests::Stage;
use insta::assert_snapshot;
use sounds::{Meow, Sounds};
use std::error::Error;

/// The host's own object.
struct Parrot;

impl Meow for Parrot {
    fn meow(&self, _: u32) -> String {
        "a parrot's meow".into()
    }
}

fn parrot(next: &mut Prefill<'_>) -> Result<(), Box<dyn Error>> {
    next.extend::<Sounds>(|sounds| sounds.meow.fill(Held::new(Parrot)))?;
    Ok(())
}

fn numbers(next: &mut Prefill<'_>) -> Result<(), Box<dyn Error>> {
    next.set("Made-For", i64::try_from(next.generation())?)?;
    let plugins = i64::try_from(next.plugins().len())?;
    next.set_data("plugins", LiveData::with("Count", 1, &plugins)?)?;
    Ok(())
}

#[test]
fn plugins_find_its_values_in_the_bag_of_each_generation() {
    let orders = ["tell:made_for set:door", "tell:made_for tell:plugins"];
    let stage = stage_with(&orders, |builder| builder.prefill(numbers));
    let count = "plugins: LiveData(Count 1, 10 bytes)";
    let told = stage.desk.told();
    assert_eq!(told[..2], ["made_for: 1", "made_for: 1"]);
    assert!(told[2].starts_with(&count[..24]), "{told:?}");
    // The values are made anew for each generation, also if a plugin goes on.
    swap(&stage, 0, 1, "tell:made_for");
    assert_eq!(stage.desk.told(), ["made_for: 2"]);
    let pin = stage.swapper.pin();
    let items: Vec<_> = pin.bag_items().map(BagItem::to_string).collect();
    assert_eq!(items[0], "Made-For = 2, of the host");
    assert!(items[1].ends_with(", of the host"), "{items:?}");
    let data = pin.bag("plugins").unwrap().data().unwrap();
    assert_eq!(data.restore_as::<i64>().unwrap(), 2);
    drop(pin);
    assert_snapshot!(refused(&stage, 1, &cat(1, 1, "set:made_for")), @"cat-number-1: on_init failed: the host has already put Made-For into the data bag; choose another name (libcat_number_1.so)");
    stage.install(&name(1), &cat(1, 0, ""));
    stage.settle();
    stage.close();
}

#[test]
fn it_fills_slots_of_its_extension() {
    let stage = stage_with(&["weigh"], |builder| builder.prefill(parrot));
    let pin = stage.swapper.pin();
    assert_eq!(meow(&pin).as_deref(), Some("a parrot's meow"));
    assert_eq!(weighed(&pin).as_deref(), Some("cat-number-0 build 00"));
    drop(pin);
    assert_snapshot!(refused(&stage, 0, &cat(0, 1, "try meow")), @"cat-number-0: on_init failed: the slot meow of Sounds is already filled by the host; fill another slot, or leave out one of the two objects (libcat_number_0.so)");
    swap(&stage, 0, 2, "");
    let pin = stage.swapper.pin();
    assert_eq!(meow(&pin).as_deref(), Some("a parrot's meow"));
    assert_eq!(weighed(&pin), None);
    drop(pin);
    stage.settle();
    stage.close();
}

#[test]
fn what_fails_or_panics_refuses_the_generation() {
    let open = |prefill: fn(&mut Prefill<'_>) -> Result<(), Box<dyn Error>>| {
        let opened = Stage::try_with(&[], |builder| builder.allow_empty(true).prefill(prefill));
        opened.err().expect("the directory is refused").to_string()
    };
    assert_snapshot!(open(|_| Err("no port is free".into())), @"the host could not prefill the new generation: no port is free");
    assert_snapshot!(open(|_| panic!("no idea")), @"the host could not prefill the new generation: it panicked: no idea");
    assert_snapshot!(open(parrot), @"the host could not prefill the new generation: the host has no extension Sounds (it has none); add it with `Builder::extension::<Sounds>()`");
    assert_snapshot!(open(|next| {
        next.set("port", 1)?;
        // The host may overwrite its own values.
        next.set("Port", 2)?;
        Err("but not this".into())
    }), @"the host could not prefill the new generation: but not this");
}
