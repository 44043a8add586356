//! What a host asks of a probe, and how it travels.
use crate::base::name::PluginName;
use crate::swapper::stored_build::StoredBuild;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::path::PathBuf;

/// What a host asks of a probe.
#[derive(Default)]
pub(in crate::swapper) struct Request {
    pub(in crate::swapper) builds: Vec<StoredBuild>,
    /// The states of live instances, by plugin.
    pub(in crate::swapper) states: Vec<(PluginName, Vec<u8>)>,
    pub(in crate::swapper) limits: Limits,
    /// True if tests run that take longer.
    pub(in crate::swapper) deep: bool,
}

/// The limits of a probe.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(in crate::swapper) struct Limits {
    /// The seconds of processor time.
    pub(in crate::swapper) seconds: u64,
    /// The bytes of address space.
    pub(in crate::swapper) memory: u64,
}

/// What comes before the bytes.
#[derive(Serialize, Deserialize)]
struct Head {
    builds: Vec<(String, PathBuf, u64)>,
    states: Vec<(String, u64)>,
    limits: Limits,
    deep: bool,
}

impl Request {
    /// Writes the request.
    pub(in crate::swapper) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let builds = self.builds.iter();
        let head = Head {
            builds: builds
                .map(|b| (b.plugin.to_string(), b.file.clone(), b.bytes.len() as u64))
                .collect(),
            states: {
                let states = self.states.iter();
                states
                    .map(|(name, bytes)| (name.to_string(), bytes.len() as u64))
                    .collect()
            },
            limits: self.limits,
            deep: self.deep,
        };
        let head = serde_json::to_vec(&head)?;
        to.write_all(&(head.len() as u64).to_le_bytes())?;
        to.write_all(&head)?;
        let builds = self.builds.iter().map(|build| &build.bytes);
        let states = self.states.iter().map(|(_, bytes)| bytes);
        builds
            .chain(states)
            .try_for_each(|bytes| to.write_all(bytes))
    }

    /// Reads a request.
    pub(in crate::swapper) fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut length = [0; 8];
        from.read_exact(&mut length)?;
        let head = bytes(from, u64::from_le_bytes(length))?;
        let head: Head = serde_json::from_slice(&head)?;
        let mut request = Request {
            limits: head.limits,
            deep: head.deep,
            ..Request::default()
        };
        for (plugin, file, length) in head.builds {
            let bytes = bytes(from, length)?;
            request
                .builds
                .push(StoredBuild::new(plugin.into(), file, bytes));
        }
        for (plugin, length) in head.states {
            request.states.push((plugin.into(), bytes(from, length)?));
        }
        Ok(request)
    }
}

fn bytes(from: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(length).unwrap_or(usize::MAX))?;
    from.take(length).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == length {
        true => Ok(bytes),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let request = Request {
            builds: vec![StoredBuild::new(
                "one".into(),
                "/one.so".into(),
                vec![1, 2, 3],
            )],
            states: vec![("one".into(), Vec::new()), ("two".into(), vec![4])],
            limits: Limits {
                seconds: 5,
                memory: 6,
            },
            deep: true,
        };
        let mut written = Vec::new();
        request.write(&mut written).unwrap();
        let read = Request::read(&mut &written[..]).unwrap();
        assert_eq!(read.builds[0].bytes, [1, 2, 3]);
        assert_eq!(read.states, request.states);
        assert_eq!((read.limits.seconds, read.deep), (5, true));
        for length in 0..written.len() {
            assert!(
                Request::read(&mut &written[..length]).is_err(),
                "{length} bytes"
            );
        }
    }
}
