//! Tests the data bag.
use crate::support::{cat, name, refused, stage, stage_with, swap};
use hotswap_host::{BagItem, Generation};
use insta::assert_snapshot;
use std::thread;

fn items(generation: &Generation) -> Vec<String> {
    generation.bag_items().map(BagItem::to_string).collect()
}

#[test]
fn the_host_finds_what_plugins_have_put_there() {
    let stage = stage(&["set:port data:Cat-Door", "set:alarm"]);
    let pin = stage.swapper.pin();
    assert_eq!(
        items(&pin),
        [
            "alarm = cat-number-1 build 00, of cat-number-1",
            "Cat-Door = LiveData(Cat 1, 22 bytes), of cat-number-0",
            "port = cat-number-0 build 00, of cat-number-0",
        ]
    );
    let port = pin.bag("Port").unwrap().value().unwrap();
    assert_eq!(port.as_str(), Some("cat-number-0 build 00"));
    let door = pin.bag("cat_door").unwrap().data().unwrap();
    assert_eq!(
        door.restore_as::<String>().unwrap(),
        "cat-number-0 build 00"
    );
    assert_eq!(pin.bag("ports"), None);
    drop(pin);
    stage.close();
}

#[test]
fn what_goes_on_is_there_and_what_is_replaced_is_as_new() {
    let stage = stage(&["set:a set:b", "set:c"]);
    let old = stage.swapper.pin().hold();
    let report = thread::scope(|scope| {
        let swap = scope.spawn(|| swap(&stage, 0, 1, "set:b set:d"));
        swap.join().unwrap()
    });
    assert_eq!(report, "cat-number-0: reloaded; cat-number-1: unchanged");
    assert_eq!(
        items(&stage.swapper.pin()),
        [
            "b = cat-number-0 build 01, of cat-number-0",
            "c = cat-number-1 build 00, of cat-number-1",
            "d = cat-number-0 build 01, of cat-number-0",
        ]
    );
    assert_eq!(
        items(&old),
        [
            "a = cat-number-0 build 00, of cat-number-0",
            "b = cat-number-0 build 00, of cat-number-0",
            "c = cat-number-1 build 00, of cat-number-1",
        ],
        "a generation does not change"
    );
    drop(old);
    stage.swapper.unload(&name(1)).unwrap();
    assert_eq!(stage.swapper.pin().bag("c"), None);
    stage.settle();
    stage.close();
}

#[test]
fn a_plugin_reads_what_those_before_it_have_put_there() {
    let stage = stage(&["tell:late set:early", "tell:early set:late"]);
    let early = "early: cat-number-0 build 00";
    assert_eq!(stage.desk.told(), ["late: nothing", early]);
    // The other plugin goes on, and its values stay in the bag.
    swap(&stage, 0, 1, "tell:late set:early");
    assert_eq!(stage.desk.told(), ["late: cat-number-1 build 00"]);
    // The plugin overwrites its own values.
    swap(&stage, 0, 2, "set:x tell:X data:x tell:x");
    let own = ["X: cat-number-0 build 02", "x: LiveData(Cat 1, 22 bytes)"];
    assert_eq!(stage.desk.told(), own);
    stage.settle();
    stage.close();
}

#[test]
fn a_name_is_for_one_plugin() {
    let stage = stage(&["set:cat-door"]);
    assert_snapshot!(refused(&stage, 1, &cat(1, 0, "set:x set:Cat_Door")), @"cat-number-1: on_init failed: cat-number-0 has already put cat-door into the data bag; choose another name (libcat_number_1.so)");
    assert_eq!(
        items(&stage.swapper.pin()),
        ["cat-door = cat-number-0 build 00, of cat-number-0"]
    );
    // The name is free as soon as the first plugin does not set it any more.
    stage.install(&name(0), &cat(0, 1, ""));
    stage.swapper.reload().unwrap();
    assert_eq!(
        stage.swapper.pin().bag("x").unwrap().to_string(),
        "cat-number-1 build 00"
    );
    stage.settle();
    stage.close();
}

#[test]
fn an_optional_plugin_whose_name_is_taken_is_left_out() {
    let stage = stage_with(&["set:door"], |builder| builder.optional([name(1)]));
    stage.install(&name(1), &cat(1, 0, "set:window set:door"));
    let report = stage.swapper.reload().unwrap();
    assert!(
        report
            .to_string()
            .contains("cat-number-0 has already put door into the data bag"),
        "{report}"
    );
    assert_eq!(
        items(&stage.swapper.pin()),
        ["door = cat-number-0 build 00, of cat-number-0"]
    );
    stage.close();
}
