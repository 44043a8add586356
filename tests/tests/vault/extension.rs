//! Extensions, as hosts and plugins use them.
use crate::support::{cat, later_cat, meow, name, refused, stage, stage_with, swap, weighed};
use hotswap_tests::Stage;
use hotswap_tests::load::under_load;
use insta::assert_snapshot;
use sounds::Sounds;

#[test]
fn two_plugins_fill_slots_and_one_is_rebuilt() {
    let stage = stage(&["meow", "weigh"]);
    let pin = stage.swapper.pin();
    assert_eq!(meow(&pin).unwrap(), "meow cat-number-0 build 00");
    assert_eq!(weighed(&pin).unwrap(), "cat-number-1 build 00");
    drop(pin);
    for build in 1..=3 {
        let report = swap(&stage, 0, build, "meow");
        assert_eq!(report, "cat-number-0: reloaded; cat-number-1: unchanged");
        let pin = stage.swapper.pin();
        let expected = format!("meow cat-number-0 build {build:02}");
        assert_eq!(meow(&pin).unwrap(), expected);
        assert_eq!(weighed(&pin).unwrap(), "cat-number-1 build 00");
    }
    let report = swap(&stage, 1, 7, "weigh");
    assert_eq!(report, "cat-number-0: unchanged; cat-number-1: reloaded");
    let pin = stage.swapper.pin();
    assert_eq!(meow(&pin).unwrap(), "meow cat-number-0 build 03");
    assert_eq!(weighed(&pin).unwrap(), "cat-number-1 build 07");
    drop(pin);
    // Not a slot that went on for three generations, nor one that was filled anew in each, keeps what was replaced.
    assert_eq!(stage.settle().len(), 4);
    stage.close();
}

#[test]
fn under_load_each_generation_has_the_objects_of_its_own_plugins() {
    let stage = stage(&["meow", "weigh"]);
    let call = |_, _| {
        let pin = stage.swapper.pin();
        let who = |number| pin.invoke(&name(number), "who", &[]).unwrap().to_string();
        assert_eq!(meow(&pin).unwrap(), format!("meow {}", who(0)));
        assert_eq!(weighed(&pin).unwrap(), who(1));
    };
    let calls = under_load(call, || {
        for build in 1..=40 {
            match build % 2 {
                0 => swap(&stage, 0, build, "meow"),
                _ => swap(&stage, 1, build, "weigh"),
            };
        }
    });
    assert!(calls > 40, "{calls}");
    stage.settle();
    stage.close();
}

#[test]
fn what_is_not_filled_again_is_empty() {
    let stage = stage(&["meow", "weigh"]);
    swap(&stage, 0, 1, "");
    assert_eq!(meow(&stage.swapper.pin()), None);
    assert!(weighed(&stage.swapper.pin()).is_some());
    // Somebody else may fill it now.
    swap(&stage, 1, 1, "both");
    assert_eq!(
        meow(&stage.swapper.pin()).unwrap(),
        "meow cat-number-1 build 01"
    );
    stage.swapper.unload(&name(1)).unwrap();
    let pin = stage.swapper.pin();
    assert_eq!((meow(&pin), weighed(&pin)), (None, None));
    drop(pin);
    stage.settle();
    stage.close();
}

#[test]
fn a_generation_keeps_the_objects_it_has() {
    let stage = stage(&["meow"]);
    let hold = stage.swapper.pin().hold();
    let pin = stage.swapper.pin();
    std::thread::scope(|scope| drop(scope.spawn(|| swap(&stage, 0, 1, "meow")).join().unwrap()));
    assert_eq!(meow(&pin).unwrap(), "meow cat-number-0 build 00");
    drop(pin);
    assert_eq!(
        meow(&stage.swapper.pin()).unwrap(),
        "meow cat-number-0 build 01"
    );
    let silent = "cat-number-0 build 00 falls silent";
    let sounds = hold.extension::<Sounds>().unwrap();
    let kept = sounds.meow.get().unwrap();
    assert!(kept.is_retired());
    assert_eq!(kept.meow(2), "meow meow cat-number-0 build 00");
    assert!(!stage.desk.has_told(silent));
    drop(hold);
    stage.settle();
    assert!(stage.desk.has_told(silent));
    stage.close();
}

#[test]
fn a_panic_of_an_object_is_an_error_of_its_caller() {
    let stage = stage(&["meow"]);
    let pin = stage.swapper.pin();
    let sounds = pin.extension::<Sounds>().unwrap();
    let panicked = sounds.meow.call(|cat| cat.meow(0)).unwrap_err();
    assert_eq!(panicked.to_string(), "panicked: no cat meows 0 times");
    assert_eq!(meow(&pin).unwrap(), "meow cat-number-0 build 00");
    drop(pin);
    stage.close();
}

#[test]
fn a_slot_is_for_one_plugin() {
    let stage = stage(&["meow"]);
    assert_snapshot!(refused(&stage, 1, &cat(1, 0, "meow")), @"cat-number-1: on_init failed: the slot meow of Sounds is already filled by cat-number-0; fill another slot, or leave out one of the two objects (libcat_number_1.so)");
    assert_eq!(stage.swapper.generation(), 1);
    assert_eq!(
        meow(&stage.swapper.pin()).unwrap(),
        "meow cat-number-0 build 00"
    );
    // The one that refused to share is free to move.
    stage.install(&name(0), &cat(0, 1, "weigh"));
    stage.swapper.reload().unwrap();
    assert_eq!(
        meow(&stage.swapper.pin()).unwrap(),
        "meow cat-number-1 build 00"
    );
    stage.settle();
    stage.close();
}

#[test]
fn a_plugin_fills_a_slot_once() {
    let stage = stage(&[]);
    assert_snapshot!(refused(&stage, 0, &cat(0, 0, "twice")), @"cat-number-0: on_init failed: the slot meow of Sounds is already filled by cat-number-0; fill another slot, or leave out one of the two objects (libcat_number_0.so)");
    assert_snapshot!(refused(&stage, 0, &cat(0, 0, "meow meow")), @"cat-number-0: on_init failed: the slot meow of Sounds is already filled by cat-number-0; fill another slot, or leave out one of the two objects (libcat_number_0.so)");
    stage.settle();
    stage.close();
}

#[test]
fn where_one_slot_cannot_be_filled_none_is() {
    let stage = stage(&["meow", "try"]);
    let told = "the slot meow of Sounds is already filled by cat-number-0; fill another slot, or leave out one of the two objects";
    assert!(stage.desk.has_told(told), "{:?}", stage.desk.told());
    let pin = stage.swapper.pin();
    assert_eq!(meow(&pin).unwrap(), "meow cat-number-0 build 00");
    assert_eq!(weighed(&pin), None);
    drop(pin);
    stage.close();
}

#[test]
fn a_host_without_the_extension() {
    let stage = Stage::with(&[], |builder| builder.allow_empty(true));
    assert!(stage.swapper.pin().extension::<Sounds>().is_none());
    assert_snapshot!(refused(&stage, 0, &cat(0, 0, "meow")), @"cat-number-0: on_init failed: the host has no extension Sounds (it has none); add it with `Builder::extension::<Sounds>()` (libcat_number_0.so)");
    stage.settle();
    stage.close();
}

#[test]
fn another_version_is_refused_with_the_difference() {
    let stage = stage(&["meow"]);
    assert_snapshot!(refused(&stage, 1, &later_cat(1, 0, "meow")), @r"
    cat-number-1: on_init failed (libcat_number_1.so): cat-number-1 cannot extend Sounds of the host: they were built with different versions of it
      Weigh::weigh
      in slot weigh
      cat-number-1 expects result: (f64, String)
      the host has         result: (u32, String)
      build the plugin again, and the host: cargo hotswap build -p cat-number-1
    ");
    stage.settle();
    stage.close();
}

#[test]
fn an_optional_plugin_that_may_not_fill_a_slot_is_left_out() {
    let stage = stage_with(&["meow"], |builder| builder.optional([name(1)]));
    stage.install(&name(1), &cat(1, 0, "weigh meow"));
    let report = stage.swapper.reload().unwrap();
    assert!(
        report
            .to_string()
            .contains("the slot meow of Sounds is already filled"),
        "{report}"
    );
    let pin = stage.swapper.pin();
    assert_eq!(meow(&pin).unwrap(), "meow cat-number-0 build 00");
    assert_eq!(weighed(&pin), None);
    drop(pin);
    stage.close();
}

#[test]
fn after_the_shutdown_the_slots_are_empty() {
    let stage = stage(&["meow"]);
    let swapper = stage.swapper.clone();
    stage.close();
    assert_eq!(meow(&swapper.pin()), None);
    assert_eq!(swapper.pin().bag_items().len(), 0);
}

#[test]
fn a_set_that_cannot_be_opened_leaves_no_object() {
    let library = cat(0, 0, "meow fail");
    let opened = Stage::try_with(&[(&name(0), &library)], |b| b.extension::<Sounds>());
    let error = opened.err().expect("it fails").to_string();
    assert!(error.contains("would rather not"), "{error}");
    let stage = stage(&["meow"]);
    assert_snapshot!(
        refused(&stage, 0, &cat(0, 1, "meow fail")),
        @"cat-number-0: on_init failed: would rather not (libcat_number_0.so)"
    );
    assert!(stage.desk.has_told("cat-number-0 build 01 falls silent"));
    assert!(!stage.desk.has_told("cat-number-0 build 00 falls silent"));
    assert_eq!(
        meow(&stage.swapper.pin()).unwrap(),
        "meow cat-number-0 build 00"
    );
    stage.settle();
    stage.close();
}
