//! Tests `Held`: objects of one plugin that another plugin or the host owns.
use hotswap_host::prelude::*;
use hotswap_host::{Held, Holder, Retirement, RetirementState};
use hotswap_tests::{LIMIT, Stage, fixture, records, until};
use shapes::waves::Listener;
use std::time::Duration;

type Drum = Function<fn() -> Held<dyn Listener>>;
type Say = Function<fn(&str) -> Vec<String>>;

fn radio(build: &str) -> Vec<u8> {
    let first = fixture::Build::First.bytes("radio");
    fixture::variant(&first, "radio 00", &format!("radio {build}"))
}

fn listener(build: &str) -> Vec<u8> {
    ear_of(fixture::Build::First, build)
}

fn ear_of(first: fixture::Build, build: &str) -> Vec<u8> {
    let first = first.bytes("listener");
    fixture::variant(&first, "listener 00", &format!("listener {build}"))
}

/// Starts a host whose radio has a drum of listener's, and whose listener has an echo of radio's. The host soon names what holds
/// up a retirement.
fn stage() -> Stage {
    records::keep();
    let plugins = [("radio", &*radio("01")), ("listener", &*listener("01"))];
    Stage::with(&plugins, |builder| {
        builder.retire_limit(Duration::from_millis(20))
    })
}

fn say(stage: &Stage, text: &str) -> Vec<String> {
    let say: Say = stage.swapper.function("radio", "say").unwrap();
    say.call(text).unwrap()
}

fn prune(stage: &Stage) -> u64 {
    let prune: Function<fn() -> u64> = stage.swapper.function("radio", "prune").unwrap();
    prune.call().unwrap()
}

/// Returns the retirement of a plugin that is held up, as soon as its holders are known.
fn held_up(stage: &Stage, plugin: &str) -> Retirement {
    let find = || {
        let mut all = stage.swapper.retirements().into_iter();
        all.find(|r| r.plugin == plugin && !r.state.is_end() && !r.held_by.is_empty())
    };
    until("a holder to be named", || find().is_some());
    find().unwrap()
}

fn objects(owner: &str, count: usize) -> Holder {
    Holder::Objects {
        interface: "Listener".into(),
        owner: owner.into(),
        count,
    }
}

#[test]
fn a_listener_outlives_its_plugin() {
    let stage = stage();
    assert_eq!(say(&stage, "one"), ["listener 01 heard one"]);
    assert_eq!(prune(&stage), 0, "no plugin is retired");

    let report = stage.swap("listener", &listener("02"));
    assert_eq!(report.to_string(), "radio: unchanged; listener: reloaded");
    assert_eq!(
        say(&stage, "two"),
        ["listener 01 heard two", "listener 02 heard two"],
        "the old object still hears"
    );
    let held = held_up(&stage, "listener");
    assert_eq!(held.held_by, [objects("radio", 1)]);
    assert_eq!(held.generation, Some(1));
    assert!(
        held.to_string()
            .ends_with("held by 1 object (Listener) that radio has"),
        "{held}"
    );
    assert!(
        !stage
            .desk
            .has_told("listener 01 drops a drum, before radio 01")
    );

    assert_eq!(prune(&stage), 1);
    assert!(
        stage
            .desk
            .has_told("listener 01 drops a drum, before radio 01")
    );
    stage.settle();
    assert_eq!(say(&stage, "three"), ["listener 02 heard three"]);
    stage.close();
}

#[test]
fn plugins_that_own_objects_of_each_other_leave_together() {
    let stage = stage();
    // Values in listener's thread-locals wait for this thread.
    assert_eq!(say(&stage, "one"), ["listener 01 heard one"]);
    let report = stage.swap("radio", &radio("02"));
    assert_eq!(
        report.to_string(),
        "radio: reloaded; listener: followed radio"
    );
    let retirements = stage.settle();
    assert_eq!(retirements.len(), 2, "{retirements:?}");
    assert_eq!(
        stage.desk.told(),
        [
            // The instance of listener is dropped with its own echo. Its object is dropped later, while the plugin that it
            // calls is still there.
            "radio 01 drops an echo",
            "listener 01 drops a drum, before radio 01",
            "radio 01 freed: no listener may be called",
        ]
    );
    assert_eq!(say(&stage, "two"), ["listener 01 heard two"]);
    let echo: Function<fn(&str) -> String> = stage.swapper.function("listener", "echo").unwrap();
    assert_eq!(echo.call("echo").unwrap(), "echo");
    stage.close();
}

#[test]
fn again_and_again() {
    let stage = stage();
    for n in 0..40 {
        let build = format!("{n:02}");
        match n % 3 {
            0 => stage.swap("radio", &radio(&build)),
            1 => stage.swap("listener", &listener(&build)),
            _ => {
                stage.install("radio", &radio(&build));
                stage.swap("listener", &listener(&build))
            }
        };
        let heard = say(&stage, "you");
        assert!(
            heard.iter().all(|text| text.starts_with("listener ")),
            "{heard:?}"
        );
        prune(&stage);
    }
    stage.settle();
    stage.close();
}

#[test]
fn an_object_that_the_host_owns() {
    let stage = stage();
    let drum: Drum = stage.swapper.function("listener", "drum").unwrap();
    let held = drum.call().unwrap();
    assert!(!held.is_retired());
    assert_eq!(format!("{held:?}"), "Held<dyn Listener>");
    stage.swap("radio", &radio("02"));
    assert!(held.is_retired());
    assert_eq!(
        held.hear("me"),
        "listener 01 heard me",
        "this also holds while its plugin is on its way out of memory"
    );
    let listener = held_up(&stage, "listener");
    assert_eq!(
        listener.held_by,
        [objects("radio", 1), objects("the host", 1)]
    );
    // The plugin that the object calls stays, too.
    let radio = held_up(&stage, "radio");
    assert_eq!(
        radio.held_by,
        [Holder::User {
            plugin: "listener".into()
        }]
    );
    assert_eq!(radio.state, RetirementState::InUse);

    let another = std::thread::spawn({
        let held = held.clone();
        move || held.hear("him")
    });
    assert_eq!(another.join().unwrap(), "listener 01 heard him");
    drop(held);
    stage.settle();
    drop(drum);
    stage.close();
}

#[test]
fn an_object_that_is_handed_on() {
    let stage = stage();
    let drum: Drum = stage.swapper.function("listener", "drum").unwrap();
    let relay: Function<fn(Held<dyn Listener>) -> Option<Held<dyn Listener>>> =
        stage.swapper.function("radio", "relay").unwrap();
    let back = relay.call(drum.call().unwrap()).unwrap().unwrap();
    assert_eq!(back.hear("it"), "listener 01 heard it");
    drop(back);
    assert_eq!(
        stage.desk.told(),
        ["listener 01 drops a drum, before radio 01"],
        "the last owner drops it"
    );
    // Plugins may own the host's objects, too.
    let own = Own(stage.desk.clone());
    let back = relay.call(Held::new(own)).unwrap().unwrap();
    assert_eq!(back.hear("it"), "the host heard it");
    assert!(!back.is_retired());
    drop(back);
    assert_eq!(stage.desk.told(), ["the host drops its own"]);
    drop((drum, relay));
    stage.close();
}

/// While an object is dropped, nothing owns it, but its code runs and calls the objects that it owns.
#[test]
fn an_object_that_is_being_dropped_still_has_others() {
    let stage = stage();
    let drum: Drum = stage.swapper.function("listener", "drum").unwrap();
    let wrap: Function<fn(Held<dyn Listener>) -> Held<dyn Listener>> =
        stage.swapper.function("radio", "wrap").unwrap();
    let wrapped = wrap.call(drum.call().unwrap()).unwrap();
    drop((drum, wrap));
    std::thread::scope(|scope| {
        scope.spawn(|| drop(wrapped));
        stage.desk.until_waiting("unwrap");
        stage.swap("radio", &radio("02"));
        // There are two objects of listener's: the wrapped one, and the one that listens.
        assert_eq!(held_up(&stage, "listener").held_by, [objects("radio", 2)]);
        stage.desk.open("unwrap");
    });
    assert!(stage.desk.has_told("listener 01 heard the end"));
    stage.settle();
    stage.close();
}

struct Own(std::sync::Arc<hotswap_tests::Desk>);

impl Listener for Own {
    fn hear(&self, text: &str) -> String {
        format!("the host heard {text}")
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        shapes::Desk::tell(&*self.0, "the host drops its own");
    }
}

/// A library that has left memory cannot use an object that it never dropped.
#[test]
fn what_a_plugin_forgot_is_dropped_after_it() {
    let stage = stage();
    let forget: Function<fn(Held<dyn Listener>)> =
        stage.swapper.function("radio", "forget").unwrap();
    let drum: Drum = stage.swapper.function("listener", "drum").unwrap();
    forget.call(drum.call().unwrap()).unwrap();
    drop((drum, forget));
    stage.install("listener", &listener("02"));
    stage.swap("radio", &radio("02"));
    stage.settle();
    stage.close();
}

/// A held object keeps its own build in memory, and none of the builds that came later.
#[test]
fn others_leave_beside_those_that_are_held() {
    let stage = stage();
    let drum: Drum = stage.swapper.function("listener", "drum").unwrap();
    let held = drum.call().unwrap();
    drop(drum);
    stage.swap("radio", &radio("02"));
    assert_eq!(held_up(&stage, "listener").generation, Some(1));
    stage.swap("radio", &radio("03"));
    let gone = || {
        let retirements = stage.swapper.retirements().into_iter();
        let gone = retirements.filter(|r| r.state == RetirementState::Gone);
        gone.map(|r| (r.generation, r.plugin)).collect::<Vec<_>>()
    };
    until("the second pair to leave", || gone().len() == 2);
    assert!(gone().iter().all(|(generation, _)| *generation == Some(2)));
    drop(held);
    stage.settle();
    stage.close();
}

/// The plugin that made the object stays.
#[test]
fn what_a_plugin_forgot_of_another_is_dropped_after_it() {
    let tuner = |build| fixture::renamed(&radio(build), "radio", "tuner");
    let (first, second) = (tuner("01"), tuner("02"));
    let plugins = [
        ("radio", &*radio("01")),
        ("listener", &*listener("01")),
        ("tuner", &*first),
    ];
    let stage = Stage::open(&plugins);
    let forget: Function<fn(Held<dyn Listener>)> =
        stage.swapper.function("tuner", "forget").unwrap();
    let drum: Drum = stage.swapper.function("listener", "drum").unwrap();
    forget.call(drum.call().unwrap()).unwrap();
    drop((drum, forget));
    stage.swap("tuner", &second);
    stage
        .desk
        .until_told("listener 01 drops a drum, before radio 01");
    stage.settle();
    stage.close();
}

#[test]
fn a_build_that_is_refused_has_given_an_object_away() {
    let stage = stage();
    stage.install("listener", &listener("?!"));
    let error = stage.swapper.reload().unwrap_err().to_string();
    assert!(
        error.contains("listener: on_load failed: it does not want to"),
        "{error}"
    );
    assert_eq!(
        say(&stage, "you"),
        ["listener 01 heard you", "listener ?! heard you"]
    );
    let held = held_up(&stage, "listener");
    assert_eq!(
        (held.generation, held.held_by),
        (None, vec![objects("radio", 1)])
    );
    assert_eq!(prune(&stage), 1);
    stage.settle();
    stage.close();
}

#[test]
fn an_object_is_no_value() {
    let stage = stage();
    let value = stage.swapper.invoke("listener", "drum", &[]).unwrap();
    assert_eq!(value, Value::from("Held<dyn Listener>"));
    let error = stage
        .swapper
        .invoke("radio", "forget", &[value])
        .unwrap_err();
    insta::assert_snapshot!(error, @r#"radio.forget: argument 1 at listener: expected Held<dyn Listener>, found the string "Held<dyn Listener>""#);
    assert_eq!(
        stage.desk.told(),
        ["listener 01 drops a drum, before radio 01"],
        "nothing owns it"
    );
    stage.close();
}

#[test]
fn the_last_owner_is_a_thread_local_of_the_host() {
    thread_local! {
        static OWN: std::cell::RefCell<Option<Held<dyn Listener>>> =
            const { std::cell::RefCell::new(None) };
    }
    let stage = stage();
    let drum: Drum = stage.swapper.function("listener", "drum").unwrap();
    std::thread::scope(|scope| {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let held = drum.call().unwrap();
        let thread = scope.spawn(move || {
            OWN.set(Some(held));
            receiver.recv().unwrap_err();
        });
        stage.swap("listener", &listener("02"));
        assert_eq!(prune(&stage), 1);
        assert_eq!(
            held_up(&stage, "listener").held_by,
            [objects("the host", 1)]
        );
        drop(sender);
        // `join` waits for the destructors of the thread.
        thread.join().unwrap();
    });
    drop(drum);
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    stage.settle();
    stage.close();
}

/// There is no host yet that could count it.
#[test]
fn an_object_that_a_constructor_has_made_keeps_its_build() {
    let listener = |build| ear_of(fixture::Build::ListenerEarly, build);
    let plugins = [("radio", &*radio("01")), ("listener", &*listener("01"))];
    let stage = Stage::with(&plugins, |builder| {
        builder.retire_limit(Duration::from_millis(20))
    });
    let drum: Drum = stage.swapper.function("listener", "drum").unwrap();
    let held = drum.call().unwrap();
    stage.swap("listener", &listener("02"));
    let made = Holder::Objects {
        interface: "made by a constructor".into(),
        owner: "the host".into(),
        count: 1,
    };
    assert_eq!(held_up(&stage, "listener").held_by, [made]);
    assert_eq!(held.hear("it"), "listener 01 heard it early");
}

/// Its owners could call it only when the library is gone.
#[test]
fn a_library_that_is_being_closed_makes_no_object() {
    let late = ear_of(fixture::Build::ListenerLate, "01");
    let stage = Stage::open(&[("radio", &radio("01")), ("listener", &late)]);
    stage.swap("listener", &listener("02"));
    assert_eq!(prune(&stage), 1);
    stage.settle();
    assert!(
        stage
            .desk
            .has_told("listener 01 is closed, an object: false")
    );
    stage.close();
}
