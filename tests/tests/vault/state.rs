//! Tests plugins with state that fill slots.
use crate::support::stage_with;
use hotswap_tests::fixture::{Build, variant};
use hotswap_tests::load::under_load;
use hotswap_tests::{LIMIT, Stage};
use sounds::Sounds;

fn meow(stage: &Stage, times: u32) -> String {
    let pin = stage.swapper.pin();
    let sounds = pin
        .extension::<Sounds>()
        .expect("the host has the extension");
    let heard = sounds.meow.call(|tom| tom.meow(times));
    heard
        .expect("the slot's object does not panic")
        .expect("the slot is filled")
}

#[test]
fn what_is_counted_through_a_slot_is_exact_over_hand_overs() {
    let first = Build::CountingCat.bytes("counting-cat");
    let stage = stage_with(&[], |builder| builder.gate_limit(LIMIT));
    stage.swap("counting-cat", &first);
    let call = |_, _| _ = meow(&stage, 1);
    let calls = under_load(call, || {
        for build in 1..=20 {
            let report = stage.swap(
                "counting-cat",
                &variant(&first, "build 00", &format!("build {build:02}")),
            );
            assert!(
                report
                    .to_string()
                    .starts_with("counting-cat: reloaded, state handed over"),
                "{report}"
            );
        }
    });
    assert_eq!(meow(&stage, 0), format!("{calls} of build 20"));
    stage.settle();
    stage.close();
}
