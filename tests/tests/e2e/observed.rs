//! Tests the checks and observers of the host, which see every generation.
use hotswap_host::prelude::*;
use hotswap_host::{Builder, Change, ReloadEvent, ReloadEventKind, signal};
use hotswap_tests::fixture::{Build, ordered};
use hotswap_tests::{LIMIT, Stage, records};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

/// Not the usual signal, since other tests may listen for that one.
const SIGNAL: i32 = libc::SIGWINCH;

fn probe() -> Vec<u8> {
    Build::First.bytes("probe")
}

/// The channels to which the check and the observer of a host send what they see.
struct Seen {
    checked: Receiver<String>,
    told: Receiver<String>,
    /// The answer that the check gives.
    veto: Arc<Mutex<Option<&'static str>>>,
}

impl Seen {
    fn new() -> (Self, impl FnOnce(Builder) -> Builder) {
        let (check, checked) = channel();
        let (tell, told) = channel();
        let veto = Arc::new(Mutex::new(None));
        let of_check = veto.clone();
        let settings = move |builder: Builder| {
            let look = move |change: &Change<'_>| {
                let (live, next) = (change.live(), change.next());
                let builds = next.listing().plugins.len();
                let text = format!("{} -> {}: {builds}", live.number(), next.number());
                check.send(format!("{}: {text}", change.cause())).unwrap();
                of_check.lock().unwrap().map_or(Ok(()), Err)
            };
            let note = move |event: &ReloadEvent<'_>| {
                let kind = match &event.kind {
                    ReloadEventKind::Completed(report) => format!("{report}"),
                    ReloadEventKind::Refused(error) => format!("refused: {error}"),
                    _ => return,
                };
                let text = format!("{}: {}: {kind}", event.attempt, event.cause);
                tell.send(text).unwrap();
            };
            builder.check(look).observe(note)
        };
        let seen = Seen {
            checked,
            told,
            veto,
        };
        (seen, settings)
    }

    fn veto(&self, why: Option<&'static str>) {
        *self.veto.lock().unwrap() = why;
    }

    /// Compares the next messages: the check sends one only if there is a new generation, and the observer always does.
    fn expect(&self, checked: Option<&str>, told: &str) {
        assert_eq!(self.told.recv_timeout(LIMIT).unwrap(), told);
        assert_eq!(self.checked.try_recv().ok().as_deref(), checked);
    }
}

#[test]
fn every_generation_passes_whoever_asked_for_it() {
    let probe = probe();
    let build = |number: u8| ordered(&probe, &format!("build {number}"));
    let (seen, settings) = Seen::new();
    let stage = Stage::with(&[("probe", &probe)], settings);
    let start = "the start of the host";
    seen.expect(
        Some(&format!("{start}: 0 -> 1: 1")),
        &format!("0: {start}: probe: loaded"),
    );
    let code = "the host's own code";
    let by_code = |attempt: u8, report: &str| format!("{attempt}: {code}: {report}");
    stage.swap("probe", &build(1));
    let checked = format!("{code}: 1 -> 2: 1");
    seen.expect(Some(&checked), &by_code(1, "probe: reloaded"));
    // Without anything new, there is nothing to check.
    stage.swapper.reload().unwrap();
    seen.expect(None, &by_code(2, "probe: unchanged"));
    let guest = tempfile::tempdir().unwrap();
    let guest = guest.path().join("libguest.so");
    std::fs::write(&guest, Build::First.bytes("guest")).unwrap();
    stage.swapper.load(&guest).unwrap();
    let checked = format!("{code}: 2 -> 3: 2");
    seen.expect(
        Some(&checked),
        &by_code(3, "guest: loaded; probe: unchanged"),
    );
    stage.swapper.unload("guest").unwrap();
    let checked = format!("{code}: 3 -> 4: 1");
    seen.expect(
        Some(&checked),
        &by_code(4, "probe: unchanged; guest: removed"),
    );

    let listener = signal::reload_on(SIGNAL, &stage.swapper).unwrap();
    stage.install("probe", &build(2));
    // SAFETY: `kill` touches no memory, and this process has a handler for the signal.
    assert_eq!(unsafe { libc::raise(SIGNAL) }, 0);
    // SAFETY: this function has no preconditions.
    let user = unsafe { libc::getuid() };
    let by = format!(
        "signal {SIGNAL} of process {} of user {user}",
        std::process::id()
    );
    seen.expect(
        Some(&format!("{by}: 4 -> 5: 1")),
        &format!("5: {by}: probe: reloaded"),
    );
    drop(listener);

    stage.install("probe", &build(3));
    let ask: Function<fn()> = stage.probe("request_reload");
    ask.call().unwrap();
    seen.expect(
        Some("the plugin probe: 5 -> 6: 1"),
        "6: the plugin probe: probe: reloaded",
    );

    seen.veto(Some("not on a Sunday"));
    stage.install("probe", &build(4));
    let error = stage.swapper.reload().unwrap_err();
    assert!(matches!(error, ReloadError::Vetoed(_)));
    let refused = by_code(
        7,
        "refused: the new generation was refused: not on a Sunday",
    );
    seen.expect(Some(&format!("{code}: 6 -> 7: 1")), &refused);
    assert_eq!(stage.swapper.generation(), 6);
    // A refusal before there is a generation is reported as well.
    std::fs::write(stage.file("bad"), "").unwrap();
    let error = stage.swapper.reload().unwrap_err();
    seen.expect(None, &by_code(8, &format!("refused: {error}")));
    std::fs::remove_file(stage.file("bad")).unwrap();
    drop(ask);
    stage.install("probe", &build(3));
    stage.settle();
    stage.close();
    assert!(seen.told.try_recv().is_err());
}

#[test]
fn the_first_load_can_be_vetoed() {
    let (seen, settings) = Seen::new();
    seen.veto(Some("not today"));
    let opened = Stage::try_with(&[("probe", &probe())], settings);
    let error = opened.err().unwrap();
    assert_eq!(
        error.to_string(),
        "the new generation was refused: not today"
    );
    seen.expect(
        Some("the start of the host: 0 -> 1: 1"),
        "0: the start of the host: refused: the new generation was refused: not today",
    );
}

#[test]
fn a_reload_has_its_own_check_after_those_of_all() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let note = |who: &'static str| {
        let order = order.clone();
        move |_: &Change<'_>| -> Result<(), String> {
            order.lock().unwrap().push(who);
            Ok(())
        }
    };
    let probe = probe();
    let stage = Stage::with(&[("probe", &probe)], |builder| {
        builder.check(note("first")).check(note("second"))
    });
    stage.install("probe", &ordered(&probe, "another build"));
    let reload = stage.swapper.prepare_reload().check(note("own"));
    reload.run().unwrap();
    let order = std::mem::take(&mut *order.lock().unwrap());
    assert_eq!(order, ["first", "second", "first", "second", "own"]);
    stage.settle();
    stage.close();
}

#[test]
fn checks_and_observers_that_panic_or_ask_for_a_reload() {
    records::keep();
    let swapper = Arc::new(Mutex::new(None::<Swapper>));
    let of_observer = swapper.clone();
    let (tell, told) = channel();
    let (panics, probe) = (Arc::new(Mutex::new(false)), probe());
    let of_check = panics.clone();
    let stage = Stage::with(&[("probe", &probe)], |builder| {
        let check = move |_: &Change<'_>| -> Result<(), String> {
            assert!(!*of_check.lock().unwrap(), "no idea");
            Ok(())
        };
        builder
            .check(check)
            .observe(|_| panic!("this one has seen enough"))
            .observe(move |event| {
                if matches!(event.kind, ReloadEventKind::Step(_)) {
                    return;
                }
                let swapper = of_observer.lock().unwrap();
                let error = swapper
                    .as_ref()
                    .map(|swapper| swapper.reload().unwrap_err());
                tell.send(error.map(|error| error.to_string())).unwrap();
            })
    });
    // The second observer is called although the first one has panicked.
    assert_eq!(told.recv_timeout(LIMIT).unwrap(), None);
    records::wait_for(&["an observer of reloads panicked: this one has seen enough"]);
    *swapper.lock().unwrap() = Some(stage.swapper.clone());
    stage.swapper.reload().unwrap();
    let error = told.recv_timeout(LIMIT).unwrap().unwrap();
    let expected = "a reload cannot run from inside a hook or a callback of a reload";
    assert!(error.starts_with(expected), "{error}");
    *panics.lock().unwrap() = true;
    stage.install("probe", &ordered(&probe, "another build"));
    let error = stage.swapper.reload().unwrap_err();
    let expected = "the new generation was refused: the check panicked: no idea";
    assert_eq!(error.to_string(), expected);
    assert_eq!(stage.swapper.generation(), 1);
    *swapper.lock().unwrap() = None;
    stage.settle();
    stage.close();
}

/// The check sees only the generation without the optional plugin, and never one with it.
#[test]
fn they_see_the_generation_without_an_optional_plugin_that_failed() {
    let (seen, settings) = Seen::new();
    let probe = probe();
    let failing = ordered(&probe, "fail on_init");
    let guest = Build::First.bytes("guest");
    let stage = Stage::with(&[("probe", &failing), ("guest", &guest)], |builder| {
        settings(builder.optional(["probe"]))
    });
    let told = seen.told.recv_timeout(LIMIT).unwrap();
    assert!(told.contains("guest: loaded; probe: failed"), "{told}");
    let checked: Vec<_> = seen.checked.try_iter().collect();
    assert_eq!(checked, ["the start of the host: 0 -> 1: 1"]);
    stage.close();
}
