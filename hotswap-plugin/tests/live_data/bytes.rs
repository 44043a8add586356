//! The bytes, as they are documented.
use hotswap_plugin::LiveDataError;
use hotswap_plugin::prelude::*;

#[live_data(version = 2)]
#[derive(Debug, PartialEq)]
struct Fire {
    name: String,
    guns: Vec<Gun>,
    bytes: Vec<u8>,
    twice: Option<Option<u8>>,
}

#[live_data(version = 7, migrate(4, up = nothing))]
#[derive(Debug, PartialEq)]
struct Gun(i128);

fn nothing(_: &mut Fields) -> Result<()> {
    Ok(())
}

fn fire() -> Fire {
    Fire {
        name: "x".into(),
        guns: vec![Gun(-1), Gun(1 << 64)],
        bytes: vec![1, 255],
        twice: Some(None),
    }
}

/// What was written to a disk yesterday.
const WRITTEN: &[u8] = b"HSLD\x01\
    \x02\x00\
    \x04\x00Fire\x02\x00\x00\x00\x00\x00\x00\x00\
    \x03\x00Gun\x07\x00\x00\x00\x05\x00\x00\x00\
    \x84\
    \xa4name\xa1x\
    \xa4guns\x92\xff\xd8\x02\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\
    \xa5bytes\xc4\x02\x01\xff\
    \xa5twice\xd4\x01\x01";

/// Where the value begins.
const HEADER: usize = 34;

#[test]
fn they_are_as_documented() {
    let data = LiveData::save(&fire()).unwrap();
    assert_eq!(
        data.as_bytes().escape_ascii().to_string(),
        WRITTEN.escape_ascii().to_string()
    );
    let read = LiveData::from_bytes(WRITTEN).unwrap();
    assert_eq!(read, data);
    assert_eq!(read.restore::<Fire>().unwrap(), fire());
}

#[test]
fn what_is_no_live_data_is_refused() {
    let refused = |bytes: &[u8]| LiveData::from_bytes(bytes).unwrap_err().to_string();
    assert_eq!(refused(b""), "not live data: it does not begin with HSLD");
    assert_eq!(
        refused(b"HSLD\x02"),
        "live data has format 2, which this build does not know; read it with a newer hotswap"
    );
    assert_eq!(
        refused(b"HSLD\x01\0\0\xc0"),
        "not live data: the table of types is broken"
    );
    assert_eq!(
        refused(&WRITTEN[..HEADER]),
        "not live data: there is no value"
    );
    for len in 0..HEADER {
        assert!(LiveData::from_bytes(&WRITTEN[..len]).is_err());
    }
}

/// Whatever happened to the bytes, they are refused or give a value.
#[test]
fn cut_and_changed_bytes() {
    for len in 0..WRITTEN.len() {
        let data = LiveData::from_bytes(&WRITTEN[..len]);
        assert!(
            data.and_then(|data| data.restore::<Fire>()).is_err(),
            "{len}"
        );
    }
    let longer = [WRITTEN, b"\xc0"].concat();
    let error = LiveData::from_bytes(&longer).unwrap().restore::<Fire>();
    assert!(matches!(error, Err(LiveDataError::Restore { .. })));
    for at in 0..WRITTEN.len() {
        for bit in 0..8 {
            let mut bytes = WRITTEN.to_vec();
            bytes[at] ^= 1 << bit;
            if let Ok(data) = LiveData::from_bytes(&bytes) {
                let _ = data.restore::<Fire>();
                let _ = data.restore_into(&mut fire());
                let _ = data.lower::<Fire>(1);
                let _ = (data.schema().to_string(), format!("{data:?}"));
            }
        }
    }
}

/// A length that nothing backs takes no memory.
#[test]
fn lengths_are_not_believed() {
    let header = &WRITTEN[..HEADER];
    for claim in [
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
    ] {
        let data = LiveData::from_bytes(&[header, claim].concat()).unwrap();
        assert!(data.restore_as::<Vec<[u64; 30]>>().is_err());
        assert!(
            data.restore_as::<std::collections::HashMap<u64, u64>>()
                .is_err()
        );
        assert!(data.restore_as::<String>().is_err());
        assert!(data.lower::<Fire>(1).is_err());
    }
}

/// A thousand lists in each other do not overflow a stack.
#[test]
fn depth_is_limited() {
    let header = &WRITTEN[..HEADER];
    #[live_data]
    #[derive(Debug)]
    struct Nest(Vec<Nest>);
    let data = LiveData::from_bytes(&[header, &[0x91; 100_000][..]].concat()).unwrap();
    assert!(
        data.restore_as::<Nest>()
            .unwrap_err()
            .to_string()
            .contains("deeper than 128 levels")
    );
    assert!(
        data.lower::<Fire>(1)
            .unwrap_err()
            .to_string()
            .contains("deeper than 128 levels")
    );
}
