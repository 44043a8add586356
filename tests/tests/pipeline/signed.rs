//! Hosts that require signatures: what is refused, when, and what is kept for a start and a rollback.
use crate::support::checked;
use hotswap_host::artifact::Note;
use hotswap_host::prelude::*;
use hotswap_host::{Builder, Outcome, PluginErrorKind, Value};
use hotswap_operate::{EntryResult, History};
use hotswap_signature::{Keys, PublicKey, RequireSignatures, Signature, SignatureError};
use hotswap_tests::{Desk, LIMIT, fixture, records, run};
use minisign::KeyPair;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

pub fn pair() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().expect("there are random numbers")
}

pub fn public(pair: &KeyPair) -> PublicKey {
    pair.pk.to_base64().parse().expect("it is a key")
}

pub fn sign(bytes: &[u8], pair: &KeyPair) -> String {
    let signed = minisign::sign(None, &pair.sk, bytes, Some("a comment"), None);
    signed.expect("it can be signed").into_string()
}

/// A plugin directory.
pub struct Dir(pub TempDir);

impl Dir {
    pub fn new() -> Self {
        Dir(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join(fixture::file_name("checked"))
    }

    fn signature(&self) -> PathBuf {
        Signature::path(&self.file())
    }

    /// Installs a build and its signature.
    pub fn signed(&self, build: &[u8], by: &KeyPair) {
        fs::write(self.signature(), sign(build, by)).unwrap();
        fixture::install(build, "checked", self.0.path());
    }

    /// Installs a build without a signature.
    fn unsigned(&self, build: &[u8]) {
        let _ = fs::remove_file(self.signature());
        fixture::install(build, "checked", self.0.path());
    }

    pub fn open(&self, settings: impl FnOnce(Builder) -> Builder) -> Result<Host, ReloadError> {
        let builder = Swapper::builder()
            .plugin_dir(self.0.path())
            .provide::<dyn shapes::Desk>(Arc::new(Desk::default()));
        settings(builder).open().map(Host)
    }

    /// Opens a host with these settings and a journal.
    pub fn open_with(
        &self,
        state: &Path,
        signatures: Option<RequireSignatures>,
    ) -> (Host, Arc<History>) {
        let history = History::open(state).unwrap();
        let journal = history.clone();
        let opened = self.open(|builder| {
            let builder = builder.journal(journal);
            match signatures {
                Some(signatures) => builder.examiner(signatures),
                None => builder,
            }
        });
        (opened.unwrap(), history)
    }
}

pub struct Host(pub Swapper);

impl Host {
    pub fn live(&self) -> String {
        match self.0.invoke("checked", "orders", &[]) {
            Ok(Value::Str(orders)) => orders,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the reason for which the next reload is refused, and the text of the error.
    fn refused(&self) -> (SignatureError, String) {
        let before = self.live();
        let error = self.0.reload().unwrap_err();
        assert_eq!(self.live(), before);
        assert_eq!(error.reason(), "refused");
        reason(error)
    }

    pub fn close(self) {
        assert!(self.0.shutdown(LIMIT).unwrap().is_empty());
    }
}

fn reason(error: ReloadError) -> (SignatureError, String) {
    let text = error.to_string();
    assert_eq!(error.plugin(), Some("checked".into()), "{text}");
    assert!(error.file().is_some(), "{text}");
    let ReloadError::Plugin(error) = error else {
        panic!("{text}");
    };
    let PluginErrorKind::Refused(reason) = error.kind else {
        panic!("{text}");
    };
    let reason = reason.downcast::<SignatureError>();
    (*reason.expect("it is an error of a signature"), text)
}

/// Returns the number of warnings about a build that was run before.
fn warnings(build: &[u8]) -> usize {
    let build = format!("(build {}), which it has run before", short(build));
    let warned = records::with(&[&build]);
    assert!(warned.iter().all(|it| it.level == tracing::Level::WARN));
    warned.len()
}

fn short(build: &[u8]) -> String {
    fixture::build_id(build).short()
}

#[test]
fn a_build_that_is_not_signed_is_refused_with_a_way_out_and_recorded() {
    let (dir, state, key) = (Dir::new(), tempfile::tempdir().unwrap(), pair());
    let (first, second) = (checked("first"), checked("second"));
    dir.signed(&first, &key);
    let signatures = RequireSignatures::by(public(&key).into());
    let (host, history) = dir.open_with(state.path(), Some(signatures));
    assert_eq!(host.live(), "first");
    dir.unsigned(&second);
    let (reason, text) = host.refused();
    assert!(matches!(reason, SignatureError::Missing { .. }), "{text}");
    let text = text.replace(dir.0.path().to_str().unwrap(), "<dir>");
    let expected = "checked (<dir>/libchecked.so) may not be loaded: it is not signed: there is no \
        <dir>/libchecked.so.minisig; sign it with `cargo hotswap sign`, and install the signature before the artifact";
    assert_eq!(text, expected);
    let entries = history.entries(1).unwrap();
    assert_eq!(entries[0].result, EntryResult::Refused);
    assert!(
        entries[0].detail.contains("it is not signed"),
        "{:?}",
        entries[0]
    );
    // A dry run says the same.
    let (reason, _) = reason_of(host.0.prepare_reload().validate().map(drop));
    assert!(matches!(reason, SignatureError::Missing { .. }));
    dir.signed(&second, &key);
    host.0.reload().unwrap();
    assert_eq!(host.live(), "second");
    host.close();
}

fn reason_of(result: Result<(), ReloadError>) -> (SignatureError, String) {
    reason(result.unwrap_err())
}

#[test]
fn a_host_does_not_open_with_a_build_that_is_not_signed() {
    let (dir, key) = (Dir::new(), pair());
    dir.unsigned(&checked("first"));
    let opened = dir.open(|builder| builder.examiner(RequireSignatures::by(public(&key).into())));
    let (reason, _) = reason_of(opened.map(drop));
    assert!(matches!(reason, SignatureError::Missing { .. }));
}

#[test]
fn what_does_not_count_is_refused() {
    let (dir, key, other, revoked) = (Dir::new(), pair(), pair(), pair());
    let (first, second) = (checked("first"), checked("second"));
    dir.signed(&first, &key);
    let keys: Keys = [&key, &revoked].into_iter().map(public).collect();
    let signatures = RequireSignatures::by(keys).revoked(public(&revoked).into());
    let host = dir.open(|builder| builder.examiner(signatures)).unwrap();
    dir.signed(&second, &other);
    let (reason, text) = host.refused();
    let expected = public(&other).id();
    assert!(
        matches!(&reason, SignatureError::UnknownKey { key, trusted } if *key == expected && trusted.len() == 2),
        "{text}"
    );
    dir.signed(&second, &revoked);
    let (reason, text) = host.refused();
    assert!(matches!(reason, SignatureError::Revoked { .. }), "{text}");
    fs::write(dir.signature(), sign(&first, &key)).unwrap();
    let (reason, text) = host.refused();
    assert!(matches!(reason, SignatureError::Wrong { .. }), "{text}");
    fs::write(dir.signature(), "trust me").unwrap();
    let (reason, text) = host.refused();
    assert!(matches!(reason, SignatureError::Malformed), "{text}");
    fs::remove_file(dir.signature()).unwrap();
    fs::create_dir(dir.signature()).unwrap();
    let (reason, text) = host.refused();
    assert!(
        matches!(reason, SignatureError::Unreadable { .. }),
        "{text}"
    );
    fs::remove_dir(dir.signature()).unwrap();
    // The note is signed, too: another one makes it another file, though not another build.
    let mut renoted = second.clone();
    let (mut note, sources) = Note::take_from(&mut renoted).expect("it has a note");
    note.commit = "another".into();
    note.append_with(&mut renoted, sources.as_deref());
    assert_eq!(fixture::build_id(&renoted), fixture::build_id(&second));
    dir.signed(&second, &key);
    fixture::install(&renoted, "checked", dir.0.path());
    let (reason, text) = host.refused();
    assert!(matches!(reason, SignatureError::Wrong { .. }), "{text}");
    host.close();
}

/// The signature comes first: in between, nothing has changed. If it comes last, the reload in between is refused, and the
/// next one is not.
#[test]
fn an_artifact_and_its_signature_are_replaced_one_after_the_other() {
    let (dir, key) = (Dir::new(), pair());
    let builds = ["first", "second", "third"].map(checked);
    dir.signed(&builds[0], &key);
    let signatures = RequireSignatures::by(public(&key).into());
    let host = dir.open(|builder| builder.examiner(signatures)).unwrap();
    fs::write(dir.signature(), sign(&builds[1], &key)).unwrap();
    let report = host.0.reload().unwrap();
    assert_eq!(
        report.plugin("checked").unwrap().outcome,
        Outcome::Unchanged
    );
    fixture::install(&builds[1], "checked", dir.0.path());
    host.0.reload().unwrap();
    assert_eq!(host.live(), "second");
    fixture::install(&builds[2], "checked", dir.0.path());
    let (reason, _) = host.refused();
    assert!(matches!(reason, SignatureError::Wrong { .. }));
    fs::write(dir.signature(), sign(&builds[2], &key)).unwrap();
    host.0.reload().unwrap();
    assert_eq!(host.live(), "third");
    host.close();
}

#[test]
fn keys_in_a_file_change_while_the_host_runs() {
    let (dir, first, second) = (Dir::new(), pair(), pair());
    let keys = tempfile::tempdir().unwrap();
    let [trusted, revoked] = ["trusted.pub", "revoked.pub"].map(|name| keys.path().join(name));
    fs::write(&trusted, first.pk.to_box().unwrap().into_string()).unwrap();
    fs::write(&revoked, "# None so far.\n").unwrap();
    dir.signed(&checked("first"), &first);
    let signatures =
        RequireSignatures::by(Keys::in_file(&trusted)).revoked(Keys::in_file(&revoked));
    let host = dir.open(|builder| builder.examiner(signatures)).unwrap();
    dir.signed(&checked("second"), &second);
    assert!(matches!(
        host.refused().0,
        SignatureError::UnknownKey { .. }
    ));
    let both = [&first, &second].map(|pair| pair.pk.to_box().unwrap().into_string());
    fs::write(&trusted, both.concat()).unwrap();
    host.0.reload().unwrap();
    assert_eq!(host.live(), "second");
    // What is live goes on.
    fs::write(&revoked, second.pk.to_base64()).unwrap();
    host.0.reload().unwrap();
    assert_eq!(host.live(), "second");
    dir.signed(&checked("third"), &second);
    assert!(matches!(host.refused().0, SignatureError::Revoked { .. }));
    dir.signed(&checked("third"), &first);
    // A list that cannot be read revokes everything.
    fs::write(&revoked, "RW, or something like it\n").unwrap();
    let (reason, text) = host.refused();
    assert!(matches!(reason, SignatureError::Keys(_)), "{text}");
    fs::remove_file(&revoked).unwrap();
    assert!(matches!(host.refused().0, SignatureError::Keys(_)));
    fs::write(&revoked, "").unwrap();
    host.0.reload().unwrap();
    assert_eq!(host.live(), "third");
    host.close();
}

#[test]
fn the_journal_keeps_signatures_with_the_builds() {
    records::keep();
    let (dir, state, key) = (Dir::new(), tempfile::tempdir().unwrap(), pair());
    let builds = ["kept 1", "kept 2"].map(checked);
    let strict = || RequireSignatures::by(public(&key).into()).also_at_start(true);
    dir.signed(&builds[0], &key);
    let (host, history) = dir.open_with(state.path(), Some(strict()));
    dir.signed(&builds[1], &key);
    host.0.reload().unwrap();
    host.close();
    drop(history);
    // The plugin directory has neither the build nor its signature any more.
    dir.unsigned(&builds[0]);
    let (host, history) = dir.open_with(state.path(), Some(strict()));
    assert_eq!(host.live(), "kept 2");
    history.rollback(&host.0, 1).unwrap();
    assert_eq!(host.live(), "kept 1");
    assert_eq!(builds.iter().map(|build| warnings(build)).sum::<usize>(), 0);
    // The bytes of the same build with another note replace those in the store, and so does their signature.
    let mut renoted = builds[1].clone();
    let (mut note, sources) = Note::take_from(&mut renoted).expect("it has a note");
    note.commit = "another".into();
    note.append_with(&mut renoted, sources.as_deref());
    dir.signed(&renoted, &key);
    host.0.reload().unwrap();
    assert_eq!(host.live(), "kept 2");
    host.close();
    drop(history);
    let (host, history) = dir.open_with(state.path(), Some(strict()));
    assert_eq!(host.live(), "kept 2");
    let build = fixture::build_id(&renoted);
    let (_, bytes) = history.build(&build.to_string()).unwrap();
    assert_eq!(bytes, renoted);
    let kept = history.evidence(build).expect("it was signed");
    let signature = Signature::parse(std::str::from_utf8(&kept).unwrap()).unwrap();
    signature.verify(&bytes, &[public(&key)], &[]).unwrap();
    assert_eq!(warnings(&builds[1]), 0);
    host.close();
    drop(history);
    // A build that is copied out of the store has its signature beside it.
    let copy = dir.0.path().join("copy");
    let mut export = fixture::hotswap();
    export
        .args(["store", "export", &build.to_string()])
        .arg(&copy);
    run(export.arg("--state-dir").arg(state.path()));
    let mut verify = fixture::hotswap();
    run(verify
        .arg("verify")
        .arg(&copy)
        .args(["-k", &key.pk.to_base64()]));
}

#[test]
fn permanent_builds_of_a_revoked_key_start_with_a_warning_unless_that_is_refused() {
    records::keep();
    let (dir, state, old, new) = (Dir::new(), tempfile::tempdir().unwrap(), pair(), pair());
    let builds = ["revoked 1", "revoked 2"].map(checked);
    let signatures = || {
        let keys: Keys = [&old, &new].into_iter().map(public).collect();
        RequireSignatures::by(keys)
    };
    dir.signed(&builds[0], &old);
    let (host, history) = dir.open_with(state.path(), Some(signatures()));
    host.close();
    drop(history);
    let revoked = || signatures().revoked(public(&old).into());
    let (host, history) = dir.open_with(state.path(), Some(revoked()));
    assert_eq!(host.live(), "revoked 1");
    assert_eq!(warnings(&builds[0]), 1);
    host.close();
    drop(history);
    dir.signed(&builds[1], &new);
    let (host, history) = dir.open_with(state.path(), Some(revoked().also_at_start(true)));
    assert_eq!(host.live(), "revoked 2");
    let entries = history.entries(10).unwrap();
    assert!(
        entries
            .iter()
            .any(|entry| entry.detail.contains("which was revoked")),
        "{entries:#?}"
    );
    host.close();
}

/// A host that begins to require signatures starts, and can go back to what it ran before.
#[test]
fn builds_from_before_signatures_were_required() {
    records::keep();
    let (dir, state, key) = (Dir::new(), tempfile::tempdir().unwrap(), pair());
    let builds = ["before 1", "before 2"].map(checked);
    dir.unsigned(&builds[0]);
    let (host, history) = dir.open_with(state.path(), None);
    host.close();
    drop(history);
    let signatures = RequireSignatures::by(public(&key).into());
    let (host, history) = dir.open_with(state.path(), Some(signatures));
    assert_eq!(host.live(), "before 1");
    assert_eq!(warnings(&builds[0]), 1);
    dir.signed(&builds[1], &key);
    host.0.reload().unwrap();
    assert_eq!(host.live(), "before 2");
    history.rollback(&host.0, 1).unwrap();
    assert_eq!(host.live(), "before 1");
    assert_eq!(warnings(&builds[0]), 2);
    host.close();
}

#[test]
fn a_file_from_elsewhere_and_an_optional_plugin_are_examined_too() {
    let (dir, elsewhere, key) = (Dir::new(), Dir::new(), pair());
    dir.signed(&checked("first"), &key);
    let signatures = RequireSignatures::by(public(&key).into());
    let settings = |builder: Builder| builder.examiner(signatures).optional(["checked"]);
    let host = dir.open(settings).unwrap();
    dir.unsigned(&checked("second"));
    let report = host.0.reload().unwrap();
    let outcome = &report.plugin("checked").unwrap().outcome;
    assert!(
        matches!(outcome, Outcome::Failed { error, stays: true } if error.contains("it is not signed")),
        "{outcome:?}"
    );
    assert_eq!(host.live(), "first");
    elsewhere.unsigned(&checked("third"));
    let report = host.0.load(elsewhere.file()).unwrap();
    assert!(matches!(
        report.plugin("checked").unwrap().outcome,
        Outcome::Failed { .. }
    ));
    elsewhere.signed(&checked("third"), &key);
    host.0.load(elsewhere.file()).unwrap();
    assert_eq!(host.live(), "third");
    host.close();
}
