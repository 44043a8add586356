//! Manifests, as files.
use hotswap_host::artifact::{BuildId, BuildSet};
use hotswap_signature::{Manifest, ManifestError};
use std::time::{Duration, UNIX_EPOCH};

fn set(builds: &[(&str, &str)]) -> BuildSet {
    let builds = builds.iter();
    builds
        .map(|(name, bytes)| ((*name).into(), BuildId::of(bytes.as_bytes())))
        .collect()
}

#[test]
fn a_manifest_is_read_as_it_was_written() {
    let builds = set(&[("one", "1"), ("Two-Three", "2")]);
    let manifest = Manifest::new(7, 1000, &builds);
    let json = serde_json::to_string(&manifest).unwrap();
    let read: Manifest = serde_json::from_str(&json).unwrap();
    assert_eq!(read, manifest);
    assert_eq!(read.builds(), builds);
}

#[test]
fn a_set_is_that_of_the_manifest_until_the_last_second() {
    let builds = set(&[("one", "1"), ("two", "2")]);
    let manifest = Manifest::new(1, 1000, &builds);
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    manifest.check(&builds, at(999)).unwrap();
    for now in [1000, 1001, u32::MAX.into()] {
        let error = manifest.check(&builds, at(now)).unwrap_err();
        assert!(matches!(error, ManifestError::Expired { .. }), "{error}");
    }
    for other in [
        set(&[]),
        set(&[("one", "1")]),
        set(&[("one", "1"), ("two", "1")]),
        set(&[("one", "1"), ("two", "2"), ("three", "3")]),
        set(&[("one", "2"), ("two", "1")]),
    ] {
        let error = manifest.check(&other, at(0)).unwrap_err();
        assert!(matches!(error, ManifestError::AnotherSet { .. }), "{error}");
    }
}
