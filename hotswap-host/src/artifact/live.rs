//! Reads the live functions and types of an artifact from their section.
use super::history::History;
use super::parts::Parts;
use super::type_hash::TypeHash;
use hotswap_plugin::LiveKind;
use serde::{Deserialize, Serialize};

/// A live function or type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct LiveEntry {
    /// The path of its module, which begins with the name of its crate.
    pub module: String,
    /// The name.
    pub name: String,
    /// The kind.
    pub kind: LiveKind,
    /// The declaration as its author wrote it, without the name of a function.
    pub signature: String,
    /// The schema version of a type.
    pub version: Option<u32>,
    /// The earlier names of a type.
    pub was: Vec<String>,
    /// What a type declares of its earlier versions. `None` for a function, and in a build by an earlier hotswap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
    /// The hash that is compared for a function; zero for a type.
    pub hash: TypeHash,
}

#[derive(Deserialize)]
struct Raw {
    kind: LiveKind,
    name: String,
    signature: String,
    version: Option<u32>,
    #[serde(default)]
    was: Vec<String>,
    history: Option<History>,
    module: String,
}

/// Returns the entries of the section, sorted by module and name.
pub(super) fn entries(section: &[u8]) -> Result<Vec<LiveEntry>, String> {
    let parts = Parts::all(section).map_err(|reason| format!("live items: {reason}"))?;
    let (pairs, rest) = parts.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("a live item without its hash".into());
    }
    let mut entries = pairs
        .iter()
        .map(|pair| match pair {
            [(b"live", json), (b"liha", hash)] => entry(json, hash),
            [(tag, _), (other, _)] => Err(format!(
                "parts `{}` and `{}` where a live item should be",
                tag.escape_ascii(),
                other.escape_ascii()
            )),
        })
        .collect::<Result<Vec<_>, _>>()?;
    entries.sort();
    Ok(entries)
}

fn entry(json: &[u8], hash: &[u8]) -> Result<LiveEntry, String> {
    let Raw {
        kind,
        name,
        signature,
        version,
        was,
        history,
        module,
    } = serde_json::from_slice(json).map_err(|error| format!("part `live`: {error}"))?;
    let hash: [u8; 16] = hash
        .try_into()
        .map_err(|_| "part `liha` is not 16 bytes long")?;
    Ok(LiveEntry {
        module,
        name,
        kind,
        signature,
        version,
        was,
        history,
        hash: hash.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::entries;
    use crate::artifact::testing::part;

    const B: &[u8] = br#"{"kind":"function","name":"b","signature":"fn()","module":"m"}"#;
    const A: &[u8] =
        br#"{"kind":"type","name":"A","signature":"struct A","version":2,"was":["O"],"module":"m"}"#;

    fn section() -> Vec<u8> {
        let hash = |byte| part(b"liha", &[byte; 16]);
        [
            part(b"live", B),
            hash(1),
            vec![0; 3],
            part(b"live", A),
            hash(0),
        ]
        .concat()
    }

    #[test]
    fn are_sorted_by_module_and_name() {
        let entries = entries(&section()).unwrap();
        let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["A", "b"]);
        assert_eq!(entries[0].version, Some(2));
        assert_eq!(
            (&*entries[0].was, &*entries[1].was),
            (&["O".into()][..], &[][..])
        );
        assert_eq!(
            entries[0].history, None,
            "it is a build by an earlier hotswap"
        );
        assert_eq!(entries[1].hash.as_bytes(), &[1; 16]);
    }

    #[test]
    fn a_type_tells_its_migrations_and_fields() {
        let json = br#"{"kind":"type","name":"A","signature":"struct A","version":2,"module":"m","history":
            {"migrations":[{"from":1,"up":true,"down":false}],"fields":[{"names":["n","m"],"type":"u8","needed":true}]}}"#;
        let section = [part(b"live", json), part(b"liha", &[0; 16])].concat();
        let entry = entries(&section).unwrap().remove(0);
        let history = entry.history.unwrap();
        let migration = history.migrations[0];
        assert_eq!(
            (migration.from, migration.up, migration.down),
            (1, true, false)
        );
        assert_eq!(history.fields.unwrap()[0].names, ["n", "m"]);
    }

    #[test]
    fn a_section_that_is_cut_is_refused() {
        let whole = section();
        let cuts = (1..whole.len()).filter(|at| entries(&whole[..*at]).is_ok());
        // The places are after the first item, and in the zeros after that.
        let first = 12 + B.len() + 12 + 16;
        assert_eq!(
            cuts.collect::<Vec<_>>(),
            (first..=first + 3).collect::<Vec<_>>()
        );
    }
}
