//! Patches that a host with a state directory applies again when it starts: which ones, and from when on.
use crate::support::{Visit, guest, visit};
use hotswap_host::prelude::*;
use hotswap_host::{
    Builder, Journal, JournalError, PatchError, PatchesOnReload, ReloadEvent, ReloadOptions, Start,
    StoredPatches, Trial,
};
use hotswap_operate::{Entry, EntryResult, History};
use hotswap_tests::fixture::{self, Build};
use hotswap_tests::{Desk, LIMIT, Stage};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// A state directory and a plugin directory, for one host after the other.
struct Place {
    state: TempDir,
    plugins: TempDir,
}

/// A host in a process of its own, whose rollback windows stay open.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Place {
    fn new(plugins: &[(&str, &[u8])]) -> Self {
        let place = Place {
            state: tempfile::tempdir().unwrap(),
            plugins: tempfile::tempdir().unwrap(),
        };
        for (name, bytes) in plugins {
            fixture::install(bytes, name, place.plugins.path());
        }
        place
    }

    /// Starts a host, which stops where the journal was told of patches on trial if this is set.
    fn start_to(&self, stop: bool) -> Process {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "restarts::host", "--ignored", "--nocapture"]);
        command.env("HOTSWAP_TEST_STATE", self.state.path());
        command.env("HOTSWAP_TEST_PLUGINS", self.plugins.path());
        command.env("HOTSWAP_TEST_STOP", if stop { "stop" } else { "" });
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        Process {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn start(&self) -> Process {
        self.start_to(false)
    }

    fn history(&self) -> Arc<History> {
        History::open(self.state.path()).unwrap()
    }

    /// Returns the results of the attempts whose cause this is, the newest one first.
    fn results(&self, cause: &str) -> Vec<EntryResult> {
        let entries = self.history().entries(100).unwrap();
        let of_cause = entries.into_iter().filter(|entry| entry.cause == cause);
        of_cause.map(|entry| entry.result).collect()
    }
}

impl Process {
    /// Gives an order, and returns the answer.
    fn told(&mut self, order: &str) -> String {
        writeln!(self.input, "{order}").unwrap();
        self.says()
    }

    fn says(&mut self) -> String {
        loop {
            let mut line = String::new();
            let read = self.output.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "the host has ended");
            // The test harness has words of its own, on the same line.
            if let Some((_, said)) = line.trim_end().split_once("host: ") {
                return said.to_owned();
            }
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it in an orderly way.
    fn end(mut self) {
        assert_eq!(self.told("end"), "over");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A journal that stops, if it is to, once patches are on trial.
struct Stopping(Arc<History>, bool);

impl Journal for Stopping {
    fn start(&self) -> Result<Option<Start>, JournalError> {
        self.0.start()
    }
    fn misfit(&self, reason: &str) -> Result<(), JournalError> {
        self.0.misfit(reason)
    }
    fn trying(&self, trial: &Trial<'_>) -> Result<(), JournalError> {
        self.0.trying(trial)
    }
    fn event(&self, event: &ReloadEvent<'_>) {
        self.0.event(event);
    }
    fn keep_patches(&self, patches: &StoredPatches, provisional: bool) -> Result<(), JournalError> {
        self.0.keep_patches(patches, provisional)?;
        if self.1 && provisional {
            say("stopped");
            loop {
                std::thread::park();
            }
        }
        Ok(())
    }
    fn shut_down(&self) {
        self.0.shut_down();
    }
}

fn say(text: &str) {
    println!("host: {text}");
    std::io::stdout().flush().unwrap();
}

#[test]
#[ignore = "runs in a process of its own, which other tests start"]
fn host() {
    let set = |name: &str| std::env::var(format!("HOTSWAP_TEST_{name}")).unwrap();
    let history = History::open(set("STATE")).unwrap();
    let mut options = ReloadOptions::development();
    options.healthy_deadline = Duration::from_secs(600);
    options.min_healthy_time = Duration::from_secs(600);
    let swapper = Swapper::builder()
        .plugin_dir(set("PLUGINS"))
        .provide::<dyn shapes::Desk>(Arc::new(Desk::default()))
        .reload_options(options)
        .journal(Arc::new(Stopping(history, !set("STOP").is_empty())))
        .open()
        .unwrap();
    for order in std::io::stdin().lines() {
        let order = order.unwrap();
        match obey(&swapper, &order) {
            Some(answer) => say(&answer),
            None => break,
        }
    }
    assert!(swapper.shutdown(LIMIT).unwrap().is_empty());
    say("over");
}

/// Returns the answer to an order, or `None` if it is to end.
fn obey(swapper: &Swapper, order: &str) -> Option<String> {
    let patch = || swapper.patch("guest").by("ops").persistent();
    let patches = swapper.patches("guest");
    let done = |error: Option<PatchError>| error.map_or("done".to_owned(), |e| e.to_string());
    Some(match order {
        "end" => return None,
        "call" => match swapper.invoke("guest", "visit", &[3_u32.into()]) {
            Ok(answer) => answer.as_str().unwrap().to_owned(),
            Err(error) => error.to_string(),
        },
        "list" => {
            let list = |versions: Vec<hotswap_host::PatchVersion>| {
                let versions = versions.iter().map(ToString::to_string);
                versions.collect::<Vec<_>>().join(", ")
            };
            format!("[{}] [{}]", list(patches.list()), list(patches.undone()))
        }
        "hum" => done(patch().rewrite_by("visit", "choir", "hum").apply().err()),
        "remove" => done(patch().remove_function("visit").apply().err()),
        "roll back both" => done(patches.rollback(2).err()),
        "redo one" => done(patches.redo(1).err()),
        "redo both" => done(patches.redo(2).err()),
        "reload" => swapper.reload().unwrap().to_string(),
        "revert" => swapper.rollback().unwrap().to_string(),
        "confirm" => {
            let window = swapper.open_window().unwrap();
            swapper.confirm().unwrap();
            window.wait(LIMIT).unwrap().to_string()
        }
        other => panic!("{other}"),
    })
}

const SING: &str = "1: rewrite visit by choir.sing (by plugin choir)";
const HUM: &str = "2: rewrite visit by choir.hum (by ops)";

fn both() -> Place {
    let choir = Build::Choir.bytes("choir");
    Place::new(&[("guest", &guest(0)), ("choir", &choir)])
}

#[test]
fn a_patch_survives_a_kill_once_it_is_permanent_and_not_before() {
    let place = both();
    let mut host = place.start();
    assert_eq!(host.told("list"), format!("[{SING}] []"));
    assert_eq!(host.told("hum"), "done");
    assert_eq!(host.told("call"), "3 hums");
    host.kill();

    // It was in its window.
    let mut host = place.start();
    assert_eq!(host.told("call"), "3 songs 00");
    assert_eq!(host.told("list"), format!("[{SING}] []"));
    assert_eq!(host.told("hum"), "done");
    assert_eq!(host.told("confirm"), "permanent");
    host.kill();
    let cause = format!("a patch of guest: {HUM}");
    let results = [EntryResult::Permanent, EntryResult::Died];
    assert_eq!(place.results(&cause), results);
    assert!(place.history().held().unwrap().is_empty());

    let mut host = place.start();
    assert_eq!(host.told("call"), "3 hums");
    assert_eq!(host.told("list"), format!("[{SING}, {HUM}] []"));
    // What is rolled back stays so, also what a plugin brings along. It needs no window.
    assert_eq!(host.told("roll back both"), "done");
    assert_eq!(host.told("call"), "3 days 00");
    host.kill();

    let mut host = place.start();
    assert_eq!(host.told("call"), "3 days 00");
    assert_eq!(host.told("list"), format!("[] [{SING}, {HUM}]"));
    let too_far = "guest has 0 patches to roll back, and 2 were asked for";
    assert_eq!(host.told("roll back both"), too_far);
    assert_eq!(host.told("redo one"), "done");
    assert_eq!(host.told("call"), "3 songs 00");
    host.end();
    let redo = |count| format!("a patch of guest: redo of {count}");
    assert_eq!(place.results(&redo(1)), [EntryResult::Interrupted]);

    let mut host = place.start();
    assert_eq!(host.told("list"), format!("[] [{SING}, {HUM}]"));
    assert_eq!(host.told("redo both"), "done");
    assert_eq!(host.told("confirm"), "permanent");
    host.kill();

    let mut host = place.start();
    assert_eq!(host.told("call"), "3 hums");
    assert_eq!(host.told("remove"), "done");
    assert_eq!(host.told("call"), "guest.visit was removed by patch 3");
    assert_eq!(host.told("revert"), "choir: unchanged; guest: unchanged");
    assert_eq!(host.told("call"), "3 hums");
    assert_eq!(host.told("list"), format!("[{SING}, {HUM}] []"));
    host.kill();
    let removed = "a patch of guest: 3: remove visit (by ops)";
    assert_eq!(place.results(removed), [EntryResult::Reverted]);
    assert!(place.history().held().unwrap().is_empty());

    let mut host = place.start();
    assert_eq!(host.told("call"), "3 hums");
    host.end();
}

#[test]
fn a_patch_that_kills_the_host_while_it_is_applied_is_not_applied_again() {
    let place = both();
    let mut host = place.start_to(true);
    assert_eq!(host.told("hum"), "stopped");
    host.kill();
    for _ in 0..2 {
        let mut host = place.start();
        assert_eq!(host.told("call"), "3 songs 00");
        host.end();
    }
    let died = |entry: &&Entry| entry.result == EntryResult::Died;
    let entries = place.history().entries(100).unwrap();
    let died: Vec<_> = entries.iter().filter(died).collect();
    assert_eq!(died.len(), 1);
    insta::assert_snapshot!(died[0].detail, @"the host has ended while a patch was applied, which is not applied again");
}

#[test]
fn a_patch_with_which_the_host_was_killed_may_be_confirmed_before_the_next_start() {
    let place = both();
    let mut host = place.start();
    assert_eq!(host.told("hum"), "done");
    host.kill();
    assert!(place.history().confirm_offline().unwrap());
    assert!(!place.history().confirm_offline().unwrap());
    let mut host = place.start();
    assert_eq!(host.told("call"), "3 hums");
    host.end();
}

#[test]
fn a_plugin_that_stands_for_a_function_is_on_trial_like_any_build() {
    let place = Place::new(&[("guest", &guest(0))]);
    let mut host = place.start();
    assert_eq!(host.told("call"), "3 days 00");
    let choir = Build::Choir.bytes("choir");
    fixture::install(&choir, "choir", place.plugins.path());
    assert_eq!(host.told("reload"), "choir: loaded; guest: unchanged");
    assert_eq!(host.told("call"), "3 songs 00");
    // One that the host makes meanwhile is on trial with it.
    assert_eq!(host.told("hum"), "done");
    host.kill();

    let mut host = place.start();
    assert_eq!(host.told("call"), "3 days 00");
    assert_eq!(host.told("list"), "[] []");
    host.end();
    assert_eq!(place.history().unhold(None).unwrap(), 1);

    let mut host = place.start();
    assert_eq!(host.told("call"), "3 songs 00");
    assert_eq!(host.told("hum"), "done");
    assert_eq!(host.told("confirm"), "permanent");
    host.kill();
    let cause = format!("a patch of guest: {HUM}");
    let noted = [EntryResult::Noted, EntryResult::Noted];
    assert_eq!(place.results(&cause), noted);

    let mut host = place.start();
    assert_eq!(host.told("call"), "3 hums");
    assert_eq!(host.told("list"), format!("[{SING}, {HUM}] []"));
    host.end();
}

/// Opens a host on this state directory, with builds in a plugin directory of its own.
fn open(
    state: &TempDir,
    plugins: &[(&str, &[u8])],
    settings: impl FnOnce(Builder) -> Builder,
) -> Result<Stage, ReloadError> {
    let history = History::open(state.path()).unwrap();
    Stage::try_with(plugins, |builder| settings(builder.journal(history)))
}

#[test]
fn a_patch_that_does_not_fit_the_builds_of_a_start_is_handled_as_the_host_is_set() {
    for on_reload in [PatchesOnReload::Keep, PatchesOnReload::Drop] {
        let state = tempfile::tempdir().unwrap();
        let later = Build::Later.bytes("guest");
        let stage = open(&state, &[("guest", &later)], |builder| builder).unwrap();
        stage.swap("guest", &guest(0));
        let patch = stage.swapper.patch("guest").remove_function("visit");
        assert!(patch.persistent().apply().unwrap().persistent);
        stage.close();
        // A start is no reload, so what fits is kept whatever the host does with patches then.
        let open_with = |on_reload| {
            open(&state, &[("guest", &guest(0))], |builder| {
                builder.patches_on_reload(on_reload)
            })
        };
        let stage = open_with(on_reload).unwrap();
        assert_eq!(stage.swapper.patches("guest").version(), 1);
        stage.close();

        History::open(state.path())
            .unwrap()
            .roll_back_offline(1)
            .unwrap();
        let refused = open_with(PatchesOnReload::Fail).err().unwrap();
        assert!(
            matches!(refused, ReloadError::Patch { patch: 1, .. }),
            "{refused}"
        );
        let stage = open_with(on_reload).unwrap();
        assert!(stage.swapper.patches("guest").list().is_empty());
        stage.close();
        let entries = History::open(state.path()).unwrap().entries(100).unwrap();
        let dropped = "guest: loaded (patch 1 was dropped: guest has no function visit";
        let mut details = entries.iter().map(|entry| entry.detail.as_str());
        assert!(
            details.any(|detail| detail.starts_with(dropped)),
            "{entries:#?}"
        );
        let refused = |entry: &&Entry| entry.result == EntryResult::Refused;
        assert_eq!(entries.iter().filter(refused).count(), 1);
    }
}

#[test]
fn what_was_allowed_although_it_is_sticky_is_allowed_at_the_next_start() {
    let state = tempfile::tempdir().unwrap();
    let choir = Build::Choir.bytes("choir");
    let sticky = |builder: Builder| {
        let builder = builder.sticky_function("guest", "visit");
        builder.allow_override_sticky(true)
    };
    let stage = open(&state, &[("guest", &guest(0))], sticky).unwrap();
    stage.install("choir", &choir);
    let reload = stage.swapper.prepare_reload().override_sticky();
    reload.run().unwrap();
    stage.close();
    let plugins: [(&str, &[u8]); 2] = [("guest", &guest(0)), ("choir", &choir)];
    let stage = open(&state, &plugins, sticky).unwrap();
    assert_eq!(visit(&stage).call(3).unwrap(), "3 songs 00");
    assert!(stage.swapper.patches("guest").list()[0].overrode_sticky);
    stage.close();
}

#[test]
fn what_cannot_be_stored_is_refused() {
    let state = tempfile::tempdir().unwrap();
    let stage = open(&state, &[("guest", &guest(0))], |builder| builder).unwrap();
    let patch = stage.swapper.patch("guest").persistent();
    let patch = patch.rewrite::<Visit, _>("visit", |_: u32| String::new());
    insta::assert_snapshot!(patch.apply().unwrap_err(), @"the patch of visit of guest is a closure, which cannot be stored; build it into a plugin, with `#[patch]` or for `rewrite_by`, or apply it without `persistent`");
    assert_eq!(visit(&stage).call(3).unwrap(), "3 days 00");
    stage.close();
    let stage = Stage::open(&[("guest", &guest(0))]);
    let patch = stage.swapper.patch("guest").remove_function("visit");
    insta::assert_snapshot!(patch.persistent().apply().unwrap_err(), @"the patch of guest cannot be stored, because this host has no journal; give it one with `Builder::journal`, or apply the patch without `persistent`");
    assert_eq!(visit(&stage).call(3).unwrap(), "3 days 00");
    stage.close();
}
