//! Examiners, which see each build before it is loaded.
use crate::support::{checked, host, orders};
use hotswap_host::artifact::BuildId;
use hotswap_host::{BuildOrigin, ExaminedBuild, Examiner, PluginErrorKind, Refusal, ReloadOptions};
use hotswap_operate::{EntryResult, History};
use hotswap_tests::fixture;
use std::fs;
use std::sync::{Arc, Mutex};

/// Replaces the file by another build while it is being examined, and panics at one.
struct Meddling {
    by: Vec<u8>,
    panics_at: BuildId,
}

impl Examiner for Meddling {
    fn examine(&self, build: &ExaminedBuild<'_>) -> Result<Option<Vec<u8>>, Refusal> {
        assert_ne!(build.build_id, self.panics_at, "this one");
        fs::write(build.file.with_extension("new"), &self.by).unwrap();
        fs::rename(build.file.with_extension("new"), build.file).unwrap();
        Ok(None)
    }
}

#[test]
fn what_is_examined_is_what_is_loaded() {
    let panics = checked("panics");
    let meddling = Meddling {
        by: checked("evil"),
        panics_at: fixture::build_id(&panics),
    };
    let stage = host(&checked("first"), |builder| builder.examiner(meddling));
    assert_eq!(fs::read(stage.file("checked")).unwrap(), checked("evil"));
    assert_eq!(orders(&stage), "first");
    stage.swap("checked", &checked("second"));
    assert_eq!(orders(&stage), "second");
    stage.install("checked", &panics);
    let error = stage.swapper.reload().unwrap_err();
    assert!(matches!(error.kind(), Some(PluginErrorKind::Refused(_))));
    let text = error.to_string();
    assert!(
        text.contains("may not be loaded: the examiner panicked: "),
        "{text}"
    );
    assert_eq!(orders(&stage), "second");
    stage.close();
}

/// What an examiner has seen: builds, where they came from, and the evidence with them.
type Seen = Arc<Mutex<Vec<(BuildId, BuildOrigin, Option<Vec<u8>>)>>>;

/// Notes what it sees. The evidence of a build is its id. It refuses the build with the orders `forbidden`.
struct Noting(Seen);

impl Examiner for Noting {
    fn examine(&self, build: &ExaminedBuild<'_>) -> Result<Option<Vec<u8>>, Refusal> {
        if build.build_id == fixture::build_id(&checked("forbidden")) {
            return Err("it is forbidden; ask for another".into());
        }
        let evidence = build.evidence.map(<[u8]>::to_vec);
        let seen = (build.build_id, build.origin, evidence);
        self.0.lock().unwrap().push(seen);
        Ok(Some(build.build_id.to_string().into_bytes()))
    }
}

/// An instance that is made again, for a smoke test or after a crash, is of bytes that were examined.
#[test]
fn an_examiner_sees_each_build_once_and_a_journal_keeps_its_evidence() {
    let dir = tempfile::tempdir().unwrap();
    let ids = ["first", "second"].map(|orders| fixture::build_id(&checked(orders)));
    let evidence = |id: BuildId| Some(id.to_string().into_bytes());
    let open = |build: &[u8], seen: &Seen| {
        let history = History::open(dir.path()).unwrap();
        let mut options = ReloadOptions::development();
        options.smoke = true;
        let (journal, noting) = (history.clone(), Noting(seen.clone()));
        let stage = host(build, |builder| {
            let builder = builder.journal(journal).examiner(noting);
            builder.reload_options(options)
        });
        (stage, history)
    };
    let seen = Seen::default();
    let take = |seen: &Seen| std::mem::take(&mut *seen.lock().unwrap());
    let (stage, history) = open(&checked("first"), &seen);
    assert_eq!(take(&seen), [(ids[0], BuildOrigin::File, None)]);
    stage.swapper.reload().unwrap();
    assert_eq!(take(&seen), []);
    stage.swap("checked", &checked("second"));
    assert_eq!(take(&seen), [(ids[1], BuildOrigin::File, None)]);
    stage.swapper.restart("checked").unwrap();
    assert_eq!(take(&seen), []);
    stage.install("checked", &checked("forbidden"));
    let error = stage.swapper.reload().unwrap_err();
    assert_eq!(error.reason(), "refused");
    assert!(
        error
            .to_string()
            .ends_with("may not be loaded: it is forbidden; ask for another")
    );
    let entries = history.entries(1).unwrap();
    assert_eq!(entries[0].result, EntryResult::Refused);
    assert!(
        entries[0].detail.contains("it is forbidden"),
        "{:?}",
        entries[0]
    );
    stage.close();
    drop(history);

    // The next start is on the second build, and the plugin directory has it, too.
    let (stage, history) = open(&checked("second"), &seen);
    assert_eq!(
        take(&seen)[0],
        (ids[1], BuildOrigin::Start, evidence(ids[1]))
    );
    history.rollback(&stage.swapper, 1).unwrap();
    assert_eq!(orders(&stage), "first");
    assert_eq!(
        take(&seen),
        [(ids[0], BuildOrigin::Earlier, evidence(ids[0]))]
    );
    // What an earlier rollback has passed to the journal again is still there.
    history.redo(&stage.swapper, 1).unwrap();
    assert_eq!(
        take(&seen),
        [(ids[1], BuildOrigin::Earlier, evidence(ids[1]))]
    );
    stage.close();
}

#[test]
fn evidence_leaves_the_store_with_its_build() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open_keeping(dir.path(), 1).unwrap();
    let noting = Noting(Seen::default());
    let stage = host(&checked("first"), |builder| {
        builder.journal(history).examiner(noting)
    });
    stage.swap("checked", &checked("second"));
    stage.swap("checked", &checked("third"));
    let entries = fs::read_dir(dir.path().join("builds")).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let third = fixture::build_id(&checked("third"));
    assert_eq!(names, [format!("{third}"), format!("{third}.evidence")]);
    stage.close();
}
