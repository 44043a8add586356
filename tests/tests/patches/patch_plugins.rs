//! Functions of other plugins in the place of a plugin's: named by the host, or by the other plugin itself with `#[patch]`.
use crate::support::{Visit, append, guest, visit};
use hotswap_host::prelude::*;
use hotswap_host::{PatchError, PatchesOnReload, ReloadEventKind, Report};
use hotswap_tests::fixture::{Build, variant};
use hotswap_tests::load::under_load;
use hotswap_tests::{LIMIT, Stage};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;

fn choir(number: u8) -> Vec<u8> {
    let text = format!("songs {number:02}");
    variant(&Build::Choir.bytes("choir"), "songs 00", &text)
}

/// The guest, and a plugin that stands for its function.
fn stage() -> Stage {
    Stage::open(&[("guest", &guest(0)), ("choir", &choir(0))])
}

/// The guest alone.
fn guest_alone() -> Stage {
    Stage::open(&[("guest", &guest(0))])
}

fn listed(stage: &Stage) -> Vec<String> {
    let list = stage.swapper.patches("guest").list();
    list.iter().map(ToString::to_string).collect()
}

fn notes(report: &Report, plugin: &str) -> String {
    let mut plugins = report.plugins.iter();
    let found = plugins.find(|found| found.name == plugin).unwrap();
    found.notes.join("; ")
}

#[test]
fn a_plugin_that_is_loaded_stands_for_a_function() {
    let stage = guest_alone();
    let handle = visit(&stage);
    let pin = stage.swapper.pin();
    thread::scope(|scope| {
        let load = || stage.swap("choir", &choir(0));
        scope.spawn(load).join().unwrap();
    });
    assert_eq!(handle.on(&pin).unwrap().call(3).unwrap(), "3 days 00");
    drop(pin);
    assert_eq!(handle.call(3).unwrap(), "3 songs 00");
    let by_name = stage.swapper.invoke("guest", "visit", &[3_u32.into()]);
    assert_eq!(by_name.unwrap().as_str(), Some("3 songs 00"));
    assert_eq!(
        listed(&stage),
        ["1: rewrite visit by choir.sing (by plugin choir)"]
    );
    // Patches of the host go on top, and stay there when the plugin is replaced.
    append(&stage, "!").unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 songs 00!");
    stage.swap("choir", &choir(1));
    assert_eq!(handle.call(3).unwrap(), "3 songs 01!");
    stage.swap("guest", &guest(1));
    assert_eq!(handle.call(3).unwrap(), "3 songs 01!");
    stage.swapper.patches("guest").rollback(2).unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 days 01");
    // What was rolled back stays so when the plugin is replaced.
    stage.swap("choir", &choir(2));
    assert_eq!(handle.call(3).unwrap(), "3 days 01");
    stage.swapper.patches("guest").redo(1).unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 songs 02");
    drop(handle);
    stage.close();
}

#[test]
fn the_patches_of_a_plugin_leave_with_it() {
    let stage = stage();
    let handle = visit(&stage);
    append(&stage, "!").unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 songs 00!");
    // A call is inside the plugin when that leaves.
    let patch = stage.swapper.patch("guest");
    patch.rewrite_by("visit", "choir", "rest").apply().unwrap();
    let report = thread::scope(|scope| {
        let resting = scope.spawn(|| handle.call(4).unwrap());
        stage.desk.until_waiting("rest");
        let report = stage.swapper.unload("choir").unwrap();
        assert_eq!(handle.call(3).unwrap(), "3 days 00!");
        stage.desk.open("rest");
        assert_eq!(resting.join().unwrap(), "4 rests");
        report
    });
    insta::assert_snapshot!(notes(&report, "guest"), @"patch 1 has left with its plugin; patch 3 was dropped: no plugin choir is loaded: there is no plugin of a similar name");
    assert_eq!(listed(&stage), ["2: after visit"]);
    stage.settle();
    // No number is used twice.
    stage.swapper.load(stage.file("choir")).unwrap();
    let expected = [
        "2: after visit",
        "4: rewrite visit by choir.sing (by plugin choir)",
    ];
    assert_eq!(listed(&stage), expected);
    drop(handle);
    stage.close();
}

#[test]
fn the_plugin_that_is_patched_leaves_and_comes_back() {
    let stage = stage();
    stage.swapper.unload("guest").unwrap();
    assert_eq!(stage.swapper.listing().plugins.len(), 1);
    stage.swapper.load(stage.file("guest")).unwrap();
    let handle = visit(&stage);
    assert_eq!(handle.call(3).unwrap(), "3 songs 00");
    drop(handle);
    stage.close();
}

#[test]
fn a_plugin_may_come_before_the_one_that_it_patches() {
    let stage = Stage::open(&[("choir", &choir(0))]);
    let report = stage.swap("choir", &choir(1));
    insta::assert_snapshot!(notes(&report, "choir"), @"it stands for visit of guest, which is not loaded");
    stage.swap("guest", &guest(0));
    assert_eq!(visit(&stage).call(3).unwrap(), "3 songs 01");
    stage.close();
}

#[test]
fn another_signature_is_refused_and_the_running_function_stays() {
    let stage = guest_alone();
    let handle = visit(&stage);
    stage.install("choir", &Build::ChoirLater.bytes("choir"));
    let error = stage.swapper.reload().unwrap_err();
    insta::assert_snapshot!(error, @r"
    choir cannot stand for functions of guest: the host cannot patch visit of guest: the signatures differ
      the patch expects days: u64
      guest has         days: u32
      write the signature that the plugin has
    ");
    assert!(error.to_string().lines().count() <= 6);
    assert_eq!(error.reason(), "patch");
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    assert_eq!(stage.swapper.listing().plugins.len(), 1);
    // The same with a build that fitted before.
    stage.swap("choir", &choir(0));
    stage.install("choir", &Build::ChoirLater.bytes("choir"));
    assert!(matches!(
        stage.swapper.reload(),
        Err(ReloadError::PatchPlugin { .. })
    ));
    assert_eq!(handle.call(3).unwrap(), "3 songs 00");
    drop(handle);
    stage.close();
}

#[test]
fn a_build_without_the_function_drops_the_patch_or_is_refused() {
    for on_reload in [PatchesOnReload::Keep, PatchesOnReload::Fail] {
        let plugins: [(&str, &[u8]); 2] = [("guest", &guest(0)), ("choir", &choir(0))];
        let stage = Stage::with(&plugins, |builder| builder.patches_on_reload(on_reload));
        stage.install("guest", &Build::Later.bytes("guest"));
        match (stage.swapper.reload(), on_reload) {
            (Ok(report), PatchesOnReload::Keep) => {
                let notes = notes(&report, "guest");
                assert!(notes.contains("guest has no function visit"), "{notes}");
            }
            (Err(ReloadError::Patch { patch: 1, .. }), PatchesOnReload::Fail) => {
                assert_eq!(visit(&stage).call(3).unwrap(), "3 songs 00");
            }
            (other, _) => panic!("{other:?}"),
        }
        stage.close();
    }
}

#[test]
fn a_plugin_that_panics_on_load_is_refused() {
    let stage = guest_alone();
    let handle = visit(&stage);
    stage.install("choir", &variant(&choir(0), "mood: calm", "mood: wild"));
    let error = stage.swapper.reload().unwrap_err();
    assert!(error.to_string().contains("the choir is wild"), "{error}");
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    assert!(listed(&stage).is_empty());
    drop(handle);
    stage.close();
}

#[test]
fn what_is_sticky_is_not_patched_by_a_plugin() {
    for allowed in [false, true] {
        let stage = Stage::with(&[("guest", &guest(0))], |builder| {
            let builder = builder.sticky_function("guest", "visit");
            builder.allow_override_sticky(allowed)
        });
        let handle = visit(&stage);
        stage.install("choir", &choir(0));
        let error = stage.swapper.reload().unwrap_err();
        let text = "choir cannot stand for functions of guest: guest.visit is sticky";
        assert!(error.to_string().starts_with(text), "{error}");
        assert_eq!(handle.call(3).unwrap(), "3 days 00");
        let reload = stage.swapper.prepare_reload().override_sticky();
        assert_eq!(reload.run().is_ok(), allowed);
        let expected = if allowed { "3 songs 00" } else { "3 days 00" };
        assert_eq!(handle.call(3).unwrap(), expected);
        let list = stage.swapper.patches("guest").list();
        assert!(list.iter().all(|version| version.overrode_sticky));
        drop(handle);
        stage.close();
    }
}

#[test]
fn the_host_names_a_function_of_another_plugin() {
    let alpha = Build::First.bytes("alpha");
    let plugins: [(&str, &[u8]); 3] = [
        ("guest", &guest(0)),
        ("choir", &choir(0)),
        ("alpha", &alpha),
    ];
    let stage = Stage::open(&plugins);
    let handle = visit(&stage);
    stage.swapper.patches("guest").reset().unwrap();
    let patch = || stage.swapper.patch("guest");
    let version = patch().rewrite_by("visit", "choir", "hum").apply().unwrap();
    assert_eq!(version.to_string(), "2: rewrite visit by choir.hum");
    assert_eq!(handle.call(3).unwrap(), "3 hums");
    // Each of these changes nothing.
    let error = |patch: hotswap_host::Patch<'_>| patch.apply().unwrap_err().to_string();
    insta::assert_snapshot!(error(patch().rewrite_by("visit", "choir", "hmu")), @"choir has no function hmu: did you mean hum?");
    insta::assert_snapshot!(error(patch().rewrite_by("visit", "coir", "hum")), @"no plugin coir is loaded: did you mean choir?");
    insta::assert_snapshot!(error(patch().rewrite_by("visit", "choir", "sung")), @r"
    the host cannot patch visit of guest: the signatures differ
      the patch expects fn visit() -> u64
      guest has         fn visit(days: u32) -> String
      write the signature that the plugin has
    ");
    let method = stage.swapper.patch("alpha");
    let method = method.rewrite_by("Alpha::build", "choir", "hum").apply();
    assert!(
        matches!(method, Err(PatchError::MethodByPlugin { .. })),
        "{method:?}"
    );
    assert_eq!(handle.call(3).unwrap(), "3 hums");
    // With a closure around it, and a mock.
    append(&stage, "!").unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 hums!");
    let mock = stage
        .swapper
        .mock::<Visit, _>("guest", "visit", |_: u32| "mocked".into());
    let mock = mock.unwrap();
    assert_eq!(handle.call(3).unwrap(), "mocked");
    drop(mock);
    // The other plugin is replaced.
    stage.swap("choir", &choir(1));
    assert_eq!(handle.call(3).unwrap(), "3 hums!");
    stage.swapper.patches("guest").rollback(2).unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    drop(handle);
    stage.close();
}

/// The state of a plugin is handed over while others call it through a function of the guest. No call is lost.
#[test]
fn calls_of_a_patched_function_wait_while_the_state_of_the_other_plugin_is_handed_over() {
    let stage = stage();
    let (handle, calls) = (visit(&stage), AtomicU64::new(0));
    let call = |_: u64, _: u64| {
        let answer = handle.call(3).unwrap();
        assert!(answer.starts_with("3 songs"), "{answer}");
        calls.fetch_add(1, SeqCst);
    };
    under_load(call, || {
        for number in 1..=20 {
            stage.swap("choir", &choir(number));
        }
    });
    let sung: Function<fn() -> u64> = stage.swapper.function("choir", "sung").unwrap();
    assert_eq!(sung.call().unwrap(), calls.load(SeqCst));
    drop((handle, sung));
    stage.close();
}

#[test]
fn a_plugin_patches_itself_where_the_host_allows_it() {
    for allowed in [false, true] {
        let (tell, told) = mpsc::channel();
        let stage = Stage::with(&[("choir", &choir(0))], |builder| {
            let builder = builder.observe(move |event| {
                if let ReloadEventKind::Noted { text, .. } = &event.kind {
                    tell.send((*text).to_owned()).unwrap();
                }
            });
            let builder = builder.sticky_function("choir", "sung");
            builder.allow_plugin_patches(allowed)
        });
        let hum: Function<fn(u32) -> String> = stage.swapper.function("choir", "hum").unwrap();
        let ask = |function: &str, by: &str| {
            let args = [function.into(), by.into()];
            stage.swapper.invoke("choir", "ask", &args)
        };
        let asked = ask("hum", "sing");
        match allowed {
            false => {
                let error = asked.unwrap_err().to_string();
                let refused = "does not patch plugins at their request";
                assert!(error.contains(refused), "{error}");
                assert_eq!(hum.call(3).unwrap(), "3 hums");
            }
            true => {
                // The call that asks goes on as it began.
                assert_eq!(asked.unwrap().as_str(), Some("1 hums"));
                let patched =
                    "it has asked for patch 1: rewrite hum by choir.sing (by plugin choir)";
                assert_eq!(told.recv_timeout(LIMIT).unwrap(), patched);
                assert_eq!(hum.call(3).unwrap(), "3 songs 00");
                for (function, by, why) in [
                    (
                        "hmu",
                        "sing",
                        "choir has no function hmu: did you mean hum?",
                    ),
                    ("hum", "sung", "the signatures differ"),
                    ("sung", "hum", "choir.sung is sticky"),
                ] {
                    ask(function, by).unwrap();
                    let told = told.recv_timeout(LIMIT).unwrap();
                    let failed = "it has asked for a patch, which failed: ";
                    assert!(told.starts_with(failed) && told.contains(why), "{told}");
                }
                assert_eq!(hum.call(3).unwrap(), "3 songs 00");
                stage.swapper.patches("choir").rollback(1).unwrap();
                assert_eq!(hum.call(3).unwrap(), "3 hums");
            }
        }
        drop(hum);
        stage.close();
    }
}
