//! Hosts that require a signed manifest: neither an older set of builds nor a mixture becomes live.
use crate::signed::{Dir, Host, public, sign};
use crate::support::checked;
use hotswap_host::artifact::BuildSet;
use hotswap_host::{PluginName, ReloadError};
use hotswap_operate::{EntryResult, History};
use hotswap_signature::{Manifest, ManifestError, RequireSignatures, Signature, SignatureError};
use hotswap_tests::fixture;
use minisign::KeyPair;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A plugin directory with a manifest, and the state of its host.
struct Signed {
    dir: Dir,
    state: TempDir,
    key: KeyPair,
}

impl Signed {
    fn new() -> Self {
        Signed {
            dir: Dir::new(),
            state: tempfile::tempdir().unwrap(),
            key: crate::signed::pair(),
        }
    }

    fn manifest(&self) -> PathBuf {
        self.dir.0.path().join("set.json")
    }

    fn memory(&self) -> PathBuf {
        self.state.path().join("set-version")
    }

    /// Installs a build, and a manifest with these builds.
    fn install(&self, build: &[u8], version: u64, expires: SystemTime, set: &[(&str, &[u8])]) {
        self.dir.signed(build, &self.key);
        let builds = set.iter();
        let builds: BuildSet = builds
            .map(|(name, build)| (PluginName::from(*name), fixture::build_id(build)))
            .collect();
        let expires = expires.duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.write(&Manifest::new(version, expires, &builds));
    }

    fn write(&self, manifest: &Manifest) {
        let text = serde_json::to_string(manifest).unwrap();
        fs::write(self.manifest(), &text).unwrap();
        let signature = sign(text.as_bytes(), &self.key);
        fs::write(Signature::path(&self.manifest()), signature).unwrap();
    }

    /// Installs a build, and a manifest with that alone, for a day.
    fn version(&self, version: u64, build: &[u8]) {
        let expires = SystemTime::now() + DAY;
        self.install(build, version, expires, &[("checked", build)]);
    }

    fn policy(&self) -> RequireSignatures {
        let signatures = RequireSignatures::by(public(&self.key).into());
        signatures.manifest(self.manifest(), self.memory())
    }

    fn open(&self) -> Host {
        self.dir
            .open(|builder| builder.examiner(self.policy()))
            .unwrap()
    }
}

/// Returns the reason for which the next reload is refused.
fn refused(host: &Host) -> ManifestError {
    let before = host.live();
    let dry = reason(host.0.prepare_reload().validate().unwrap_err());
    let reason = reason(host.0.reload().unwrap_err());
    assert_eq!(dry.to_string(), reason.to_string());
    assert_eq!(host.live(), before);
    reason
}

fn reason(error: ReloadError) -> ManifestError {
    assert_eq!(error.reason(), "refused");
    let ReloadError::SetRefused(reason) = error else {
        panic!("{error}");
    };
    *reason.downcast().expect("it is an error of a manifest")
}

#[test]
fn an_older_set_cannot_be_slipped_in() {
    let signed = Signed::new();
    let builds = ["set 1", "set 2", "set 3"].map(checked);
    signed.version(1, &builds[0]);
    let history = History::open(signed.state.path()).unwrap();
    let journal = history.clone();
    let settings =
        |builder: hotswap_host::Builder| builder.journal(journal).examiner(signed.policy());
    let host = signed.dir.open(settings).unwrap();
    signed.version(2, &builds[1]);
    // A dry run remembers nothing.
    host.0.prepare_reload().validate().unwrap();
    assert!(
        fs::read_to_string(signed.memory())
            .unwrap()
            .starts_with("1 ")
    );
    host.0.reload().unwrap();
    assert_eq!(host.live(), "set 2");
    // All of this was signed.
    signed.version(1, &builds[0]);
    let error = refused(&host);
    assert!(
        matches!(
            error,
            ManifestError::Older {
                version: 1,
                last: 2
            }
        ),
        "{error}"
    );
    let entries = history.entries(1).unwrap();
    assert_eq!(entries[0].result, EntryResult::Refused);
    assert!(
        entries[0]
            .detail
            .contains("version 1, but version 2 was accepted before"),
        "{:?}",
        entries[0]
    );
    // The operator may go back, by the journal, or with a new manifest for the same builds.
    history.rollback(&host.0, 1).unwrap();
    assert_eq!(host.live(), "set 1");
    signed.version(3, &builds[1]);
    host.0.reload().unwrap();
    assert_eq!(host.live(), "set 2");
    signed.version(3, &builds[2]);
    let error = refused(&host);
    assert!(
        matches!(error, ManifestError::Reused { version: 3 }),
        "{error}"
    );
    host.close();
    drop(history);

    // The next start is on what was permanent, whatever the manifest says by then.
    let past = SystemTime::now() - DAY;
    signed.install(&builds[2], 4, past, &[("checked", &builds[2])]);
    let (host, history) = signed
        .dir
        .open_with(signed.state.path(), Some(signed.policy()));
    assert_eq!(host.live(), "set 2");
    let error = refused(&host);
    assert!(
        matches!(error, ManifestError::Expired { version: 4, .. }),
        "{error}"
    );
    // A plugin that starts anew is no new set.
    host.0.restart("checked").unwrap();
    drop(history);
    host.close();
}

#[test]
fn a_mixture_of_two_sets_is_refused() {
    let signed = Signed::new();
    let builds = ["mixed 1", "mixed 2"].map(checked);
    signed.version(1, &builds[0]);
    let host = signed.open();
    let tomorrow = SystemTime::now() + DAY;
    let expires = || tomorrow;
    // The manifest is older than the build.
    signed.dir.signed(&builds[1], &signed.key);
    let error = refused(&host).to_string();
    let [first, second] = builds
        .each_ref()
        .map(|build| fixture::build_id(build).short());
    assert_eq!(
        error,
        format!(
            "checked has build {second}, but the manifest of version 1 has build {first}; install the whole set with its manifest"
        )
    );
    // A plugin of the set is missing, or one is there that does not belong to it.
    signed.install(
        &builds[1],
        2,
        expires(),
        &[("checked", &builds[1]), ("guest", &builds[0])],
    );
    let error = refused(&host).to_string();
    assert!(
        error.starts_with("guest is missing, but the manifest of version 2 has build"),
        "{error}"
    );
    signed.install(&builds[1], 2, expires(), &[]);
    let error = refused(&host).to_string();
    assert!(
        error.contains("but the manifest of version 2 has no such plugin"),
        "{error}"
    );
    // What was refused has not used up the version.
    signed.install(&builds[1], 2, expires(), &[("checked", &builds[1])]);
    host.0.reload().unwrap();
    assert_eq!(host.live(), "mixed 2");
    host.close();
}

#[test]
fn a_manifest_that_does_not_count_is_refused() {
    let signed = Signed::new();
    let builds = ["list 1", "list 2"].map(checked);
    signed.version(1, &builds[0]);
    let host = signed.open();
    signed.version(2, &builds[1]);
    let text = fs::read_to_string(signed.manifest()).unwrap();
    let signature = fs::read_to_string(Signature::path(&signed.manifest())).unwrap();
    fs::write(
        signed.manifest(),
        text.replace("\"version\":2", "\"version\":9"),
    )
    .unwrap();
    let error = refused(&host);
    assert!(
        matches!(
            &error,
            ManifestError::NotSigned {
                reason: SignatureError::Wrong { .. },
                ..
            }
        ),
        "{error}"
    );
    fs::remove_file(Signature::path(&signed.manifest())).unwrap();
    let error = refused(&host);
    assert!(
        matches!(
            &error,
            ManifestError::NotSigned {
                reason: SignatureError::Missing { .. },
                ..
            }
        ),
        "{error}"
    );
    fs::remove_file(signed.manifest()).unwrap();
    let error = refused(&host);
    assert!(matches!(error, ManifestError::Unreadable { .. }), "{error}");
    let write = |text: &str| {
        fs::write(signed.manifest(), text).unwrap();
        let signature = sign(text.as_bytes(), &signed.key);
        fs::write(Signature::path(&signed.manifest()), signature).unwrap();
    };
    for wrong in [
        "",
        "[]",
        "{\"format\":1}",
        "no JSON",
        &text.replace(":2,", ":-2,"),
    ] {
        write(wrong);
        let error = refused(&host);
        assert!(
            matches!(error, ManifestError::Malformed { .. }),
            "{wrong}: {error}"
        );
    }
    // A later layout may have other fields. In this one, unknown fields are skipped.
    write("{\"format\":2}");
    let error = refused(&host);
    assert!(
        matches!(error, ManifestError::Newer { format: 2 }),
        "{error}"
    );
    write(&text.replace("\"format\":1", "\"format\":1,\"note\":\"a new field\""));
    host.0.prepare_reload().validate().unwrap();
    // Where the last version cannot be read, nothing is accepted.
    fs::write(signed.manifest(), &text).unwrap();
    fs::write(Signature::path(&signed.manifest()), &signature).unwrap();
    let memory = fs::read_to_string(signed.memory()).unwrap();
    fs::write(signed.memory(), "none").unwrap();
    let error = refused(&host);
    assert!(matches!(error, ManifestError::Memory { .. }), "{error}");
    fs::write(signed.memory(), memory).unwrap();
    host.0.reload().unwrap();
    assert_eq!(host.live(), "list 2");
    host.close();
}
