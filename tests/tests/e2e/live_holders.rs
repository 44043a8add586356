//! Tests who is listed as a user of a live plugin, and what the listing and the report say about each plugin.
use hotswap_host::prelude::*;
use hotswap_host::{Holder, Outcome};
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, build_id, ordered};

fn names(holders: &[Holder]) -> Vec<String> {
    holders.iter().map(Holder::to_string).collect()
}

#[test]
fn calls_pins_holds_and_importers_are_named() {
    let [probe, alpha, beta] = ["probe", "alpha", "beta"].map(|name| Build::First.bytes(name));
    let plugins = [("probe", &*probe), ("alpha", &*alpha), ("beta", &*beta)];
    let stage = Stage::open(&plugins);
    let holders = |plugin: &str| stage.swapper.holders(plugin).unwrap();
    assert_eq!(stage.swapper.holders("nobody"), None);
    assert_eq!(holders("probe"), []);
    assert_eq!(names(&holders("Alpha")), ["beta, which imports it"]);

    let hold = stage.swapper.pin().hold();
    assert_eq!(holders("beta"), [Holder::Holds { count: 1 }]);
    let wait: Function<fn(&str) -> String> = stage.probe("wait");
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("caller".into());
        let call = || wait.call("counter").unwrap();
        thread.spawn_scoped(scope, call).unwrap();
        stage.desk.until_waiting("counter");
        let of_probe = names(&holders("probe"));
        assert!(
            matches!(&of_probe[..], [call, hold] if call.starts_with("a call of probe on ") && call.ends_with("\"caller\"") && hold == "1 hold"),
            "{of_probe:?}"
        );
        // The call does not concern the other plugins, either.
        assert_eq!(names(&holders("beta")), ["1 hold"]);
        let pin = stage.swapper.pin();
        let of_beta = names(&holders("beta"));
        assert!(of_beta[0].starts_with("a pin of "), "{of_beta:?}");
        drop(pin);
        stage.desk.open("counter");
    });
    drop(hold);
    // An instance that goes on is also used by the holders of an older generation.
    let older = stage.swapper.pin().hold();
    stage.swap("probe", &ordered(&probe, "another build"));
    assert_eq!(holders("beta"), [Holder::Holds { count: 1 }]);
    assert_eq!(holders("probe"), []);
    drop(older);
    assert_eq!(holders("beta"), []);
    drop(wait);
    stage.settle();
    stage.close();
}

#[test]
fn the_listing_and_the_report_say_the_file_of_each() {
    let [probe, guest] = ["probe", "guest"].map(|name| Build::First.bytes(name));
    let stage = Stage::with(&[("probe", &probe), ("guest", &guest)], |builder| {
        builder.optional(["Broken"])
    });
    let listing = stage.swapper.listing();
    let listed = listing.plugin("Probe").unwrap();
    assert_eq!(listed.build_id, build_id(&probe));
    assert_eq!(listed.file, stage.file("probe"));
    assert!(listing.plugin("nobody").is_none());

    let broken = ordered(&probe, "fail new");
    let broken =
        hotswap_tests::fixture::renamed(&broken, r#"{"name":"probe""#, r#"{"name":"broke""#);
    let stage_broken = stage.file("broke");
    std::fs::write(&stage_broken, broken).unwrap();
    std::fs::remove_file(stage.file("guest")).unwrap();
    let error = stage.swapper.reload().unwrap_err();
    assert_eq!(error.file(), Some(&*stage_broken));
    std::fs::remove_file(stage_broken).unwrap();
    // This file holds no plugin at all.
    std::fs::write(stage.file("broken"), "").unwrap();
    let report = stage.swapper.reload().unwrap();
    for row in ["probe", "guest", "broken"] {
        let file = report.plugin(row).unwrap().file.clone();
        assert_eq!(file, Some(stage.file(row)), "{report}");
    }
    let outcome = &report.plugin("broken").unwrap().outcome;
    assert!(matches!(outcome, Outcome::Failed { stays: false, .. }));
    let json = serde_json::to_value(&report).unwrap();
    let file = stage.file("probe");
    assert_eq!(json["plugins"][0]["file"], file.to_str().unwrap());
    std::fs::remove_file(stage.file("broken")).unwrap();
    stage.settle();
    stage.close();
}
