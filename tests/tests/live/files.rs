//! Tests the list of live items in a plugin's file, in builds of every kind.
use crate::support::office;
use hotswap_host::LiveItem;
use hotswap_host::artifact::Artifact;
use hotswap_tests::Stage;
use hotswap_tests::fixture::{artifact, file_name, hotswap, run, target};
use std::fs;

/// Returns the items as the running host lists them.
fn listed(stage: &Stage) -> Vec<String> {
    let items = stage.swapper.pin().live_items();
    items.iter().map(LiveItem::to_string).collect()
}

/// Returns the items of the file in the same form.
fn written(artifact: &Artifact) -> Vec<String> {
    let entries = artifact.metadata.live.iter();
    let item = entries.map(|entry| LiveItem {
        module: entry.module.clone(),
        name: entry.name.clone(),
        kind: entry.kind,
        plugin: artifact.metadata.name.to_string(),
        signature: entry.signature.clone(),
        version: entry.version,
    });
    item.map(|item| item.to_string()).collect()
}

#[test]
fn the_file_and_the_running_host_tell_the_same_sorted_by_module_and_name() {
    let stage = Stage::open(&[("office", &office())]);
    let listed = listed(&stage);
    assert_eq!(written(&artifact(&office())), listed);
    insta::assert_snapshot!(listed.join("\n"), @r"
    office: struct Alarm { place: String, bells: u32 }, version 1, in office
    office: enum Idea { Good { of: String }, Bad(u8) }, version 1, in office
    office: fn add(a: i64, b: i64) -> i64 in office
    office: fn fall(why: &str) in office
    office: fn refuse(why: &str) -> Result<u8> in office
    office: fn roll_call(department: &str) -> String in office
    office: struct LiveNote(String), version 1, in office::jobs
    office: fn live_hum(live_hum: u32) -> String in office::jobs
    office: fn live_deep() -> u8 in office::jobs::nested
    office: fn job_eight(a: u8, b: u16, c: u32, d: u64, e: &str, f: bool, g: &[i32], h: f64) -> String in office::others
    office: fn who_is_there(day: u8) -> Vec<String> in rota
    ");
    let json = serde_json::to_value(stage.swapper.pin().live_items()).unwrap();
    assert_eq!(json[0]["plugin"], "office");
    assert_eq!(json[0]["kind"], "type");
    stage.close();
}

#[test]
fn a_release_build_with_link_time_optimisation_and_without_symbols_has_them_all() {
    let out = target().join("live-release");
    let mut command = hotswap();
    command.args(["build", "--quiet", "--release", "--package", "office"]);
    command.arg("--out-dir").arg(&out);
    command.env("CARGO_PROFILE_RELEASE_LTO", "fat");
    command.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    run(command.env("CARGO_PROFILE_RELEASE_STRIP", "symbols"));
    let library = fs::read(out.join(file_name("office"))).unwrap();
    assert_eq!(written(&artifact(&library)), written(&artifact(&office())));
    let stage = Stage::open(&[("office", &library)]);
    assert_eq!(listed(&stage), written(&artifact(&office())));
    let called = stage.swapper.invoke_live("who_is_there", &[0.into()]);
    assert_eq!(called.unwrap().to_string(), r#"["Ada", "Ben"]"#);
    stage.close();
}

#[test]
fn another_prefix_makes_other_items_live_and_is_another_build() {
    let out = target().join("live-prefix");
    let names = |options: &[&str]| {
        let mut command = hotswap();
        command.args(["build", "--quiet", "--package", "office", "--out-dir"]);
        run(command.arg(&out).args(options));
        let library = fs::read(out.join(file_name("office"))).unwrap();
        let live = artifact(&library).metadata.live.into_iter();
        let of_jobs = live.filter(|item| item.module.starts_with("office::jobs"));
        of_jobs.map(|item| item.name).collect::<Vec<_>>()
    };
    let all = ["LiveNote", "live_hum", "live_deep"];
    assert_eq!(names(&[]), all);
    assert_eq!(names(&["--live-prefix", "LIVE_H"]), ["live_hum"]);
    assert_eq!(names(&[]), all);
}
