//! Signatures that fit, and all that nearly do.
use hotswap_signature::{Keys, PublicKey, Signature, SignatureError};
use minisign::KeyPair;

fn pair() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

fn public(pair: &KeyPair) -> PublicKey {
    pair.pk.to_base64().parse().unwrap()
}

fn sign(pair: &KeyPair, bytes: &[u8], comment: &str) -> String {
    let signed = minisign::sign(None, &pair.sk, bytes, Some(comment), None);
    signed.unwrap().into_string()
}

#[test]
fn a_signature_fits_its_bytes_and_comment_only() {
    let pair = pair();
    let (keys, bytes) = ([public(&pair)], b"a library".to_vec());
    let text = sign(&pair, &bytes, "timestamp:1\tplugin:world\tbuild:12");
    let signature = Signature::parse(&text).unwrap();
    let verified = signature.verify(&bytes, &keys, &[]).unwrap();
    assert_eq!(verified.key, keys[0].id());
    assert_eq!(verified.value("plugin"), Some("world"));
    assert_eq!(verified.value("build"), Some("12"));
    assert_eq!(verified.value("nothing"), None);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let error = signature.verify(&changed, &keys, &[]).unwrap_err();
            assert!(matches!(error, SignatureError::Wrong { .. }), "{error}");
        }
    }
    for changed in [&bytes[1..], &bytes[..bytes.len() - 1], b""] {
        assert!(signature.verify(changed, &keys, &[]).is_err());
    }
    // Only the first comment and the white space between the lines are not signed.
    let first = text.find('\n').unwrap();
    for at in first + 1..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
        let changed = String::from_utf8(changed).unwrap();
        let verified =
            Signature::parse(&changed).and_then(|signature| signature.verify(&bytes, &keys, &[]));
        assert!(verified.is_err() || at + 1 == text.len(), "{at}: {changed}");
    }
    for end in 0..text.len() - 1 {
        let cut = Signature::parse(&text[..end]);
        assert!(cut.and_then(|it| it.verify(&bytes, &keys, &[])).is_err());
    }
}

/// The id of a key is no proof of anything.
#[test]
fn a_key_with_the_id_of_another_one() {
    let (one, other) = (pair(), pair());
    let mut bytes = other.pk.to_bytes();
    bytes[2..10].copy_from_slice(&one.pk.to_bytes()[2..10]);
    let impostor = minisign::PublicKey::from_bytes(&bytes).unwrap();
    let impostor: PublicKey = impostor.to_base64().parse().unwrap();
    let one_key = public(&one);
    assert_eq!(impostor.id(), one_key.id());
    assert_ne!(impostor, one_key);
    let signature = Signature::parse(&sign(&one, b"bytes", "")).unwrap();
    let verify = |trusted: &[PublicKey]| signature.verify(b"bytes", trusted, &[]);
    let error = verify(std::slice::from_ref(&impostor)).unwrap_err();
    assert!(matches!(error, SignatureError::Wrong { .. }), "{error}");
    verify(&[impostor.clone(), one_key.clone()]).unwrap();
    verify(&[one_key, impostor]).unwrap();
}

#[test]
fn nothing_is_signed_where_no_key_is_trusted() {
    let pair = pair();
    let signature = Signature::parse(&sign(&pair, b"bytes", "")).unwrap();
    let error = signature.verify(b"bytes", &[], &[]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("which is not trusted (no key is)"),
        "{error}"
    );
    let keys = [public(&pair)];
    let error = signature.verify(b"bytes", &keys, &keys).unwrap_err();
    assert!(matches!(error, SignatureError::Revoked { .. }), "{error}");
}

#[test]
fn lists_of_keys() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keys");
    let (one, other) = (pair(), pair());
    let keys = Keys::in_file(&file);
    assert!(
        keys.read()
            .unwrap_err()
            .to_string()
            .contains("cannot be read")
    );
    let boxed = [&one, &other].map(|pair| pair.pk.to_box().unwrap().into_string());
    std::fs::write(&file, format!("# Keys.\r\n\n{}\n  {}", boxed[0], boxed[1])).unwrap();
    assert_eq!(keys.read().unwrap()[..], [public(&one), public(&other)]);
    for wrong in [
        &boxed[0][..boxed[0].len() - 2],
        "untrusted comment: none\nRWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO",
        "key",
        "\u{0}",
    ] {
        std::fs::write(&file, format!("{}\n{wrong}\n", boxed[1])).unwrap();
        assert!(keys.read().is_err(), "{wrong:?}");
    }
    std::fs::write(&file, [0xff, 0xfe]).unwrap();
    assert!(keys.read().is_err());
    std::fs::write(&file, "#".repeat(1 << 21)).unwrap();
    assert!(keys.read().unwrap_err().to_string().contains("longer than"));
    // Two keys are not one.
    assert!(boxed.concat().parse::<PublicKey>().is_err());
    assert!("".parse::<PublicKey>().is_err());
    assert!(boxed[0].parse::<PublicKey>().is_ok());
}
