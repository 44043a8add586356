use super::budget::Budget;
use super::{Metadata, bounds};
use hotswap_plugin::contract::shim::CALLS;
use memchr::memmem;
use object::{File, Object, ObjectSection, ObjectSymbol};
use serde::Serialize;
use std::fmt;

/// A use of something that the whole process has only once, which cannot be made safe for the library.
///
/// Its text completes a sentence that begins with the plugin's name. `docs/shared-process.md` says more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Caution {
    /// The library changes the environment.
    Environment {
        /// The functions for it that the library can reach.
        functions: Vec<String>,
    },
    /// The library contains a database that protects its files with locks of the process, and it has no hook that
    /// closes the database.
    Database {
        /// The name of the database.
        name: String,
    },
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caution::Environment { functions } => write!(
                f,
                "changes the environment of the whole process ({}), which other plugins and C code may be reading; \
                 change it before there are plugins, or pass the value as load data",
                functions.join(", ")
            ),
            Caution::Database { name } => write!(
                f,
                "contains {name} and has neither `on_stop` nor `save`: while two builds have one database open, each can \
                 undo the locks of the other, and writes are lost; close it in `on_stop`, or let the host own it"
            ),
        }
    }
}

/// The functions that change the environment.
const ENVIRONMENT: [&str; 4] = ["clearenv", "putenv", "setenv", "unsetenv"];

/// A database, and texts that only its code has.
struct Database {
    name: &'static str,
    texts: [&'static [u8]; 2],
}

const DATABASES: [Database; 3] = [
    Database {
        name: "SQLite",
        // The first is the beginning of each of its files, and the second is one of its ways to lock them.
        texts: [b"SQLite format 3\0", b"unix-dotfile\0"],
    },
    Database {
        name: "LMDB",
        texts: [
            b"/lock.mdb\0",
            b"MDB_PAGE_NOTFOUND: Requested page not found",
        ],
    },
    Database {
        name: "RocksDB",
        texts: [b"lock hold by current process, acquire time ", b"rocksdb."],
    },
];

/// Returns warnings for the author of a plugin.
///
/// `bytes` are those of the file that `metadata` comes from; for any other file there are none. Only ELF files are
/// examined.
pub fn cautions(bytes: &[u8], metadata: &Metadata) -> Vec<Caution> {
    let Some(file) = bounds::parse(bytes) else {
        return Vec::new();
    };
    let functions = environment(&file, Budget::of(bytes));
    let mut found = Vec::new();
    if !functions.is_empty() {
        found.push(Caution::Environment { functions });
    }
    let closes = |hook: &String| ["on_stop", "save"].contains(&hook.as_str());
    if !metadata.hooks.iter().any(closes) {
        found.extend(databases(&file, Budget::of(bytes)));
    }
    found
}

/// Returns the functions that change the environment and that the library can reach. These are the plugin's own, which
/// are marked, or those of the C library if it has none.
fn environment(file: &File<'_>, mut budget: Budget) -> Vec<String> {
    let mut names = Vec::new();
    for section in file.sections() {
        let name = section.name_bytes().unwrap_or_default();
        if !budget.covers(name) {
            break;
        }
        names.extend(name.strip_prefix(CALLS.as_bytes()));
    }
    for symbol in file.dynamic_symbols().filter(ObjectSymbol::is_undefined) {
        let name = symbol.name_bytes().unwrap_or_default();
        if !budget.covers(name) {
            break;
        }
        names.push(name);
    }
    let changes = |function: &&str| names.contains(&function.as_bytes());
    ENVIRONMENT
        .into_iter()
        .filter(changes)
        .map(str::to_owned)
        .collect()
}

fn databases(file: &File<'_>, mut budget: Budget) -> impl Iterator<Item = Caution> {
    let mut constants = Vec::new();
    for section in file.sections() {
        let name = section.name_bytes().unwrap_or_default();
        let data = match name.starts_with(b".rodata") {
            true => section.data().unwrap_or_default(),
            false => &[],
        };
        if !budget.covers(name) || !budget.covers(data) {
            break;
        }
        constants.push(data);
    }
    let has = move |text: &[u8]| {
        let finder = memmem::Finder::new(text);
        constants.iter().any(|data| finder.find(data).is_some())
    };
    let is_there = move |database: &&Database| database.texts.iter().all(|text| has(text));
    DATABASES
        .iter()
        .filter(is_there)
        .map(|database| Caution::Database {
            name: database.name.into(),
        })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{Caution, DATABASES, cautions};
    use crate::artifact::Metadata;
    use crate::artifact::testing::{compile, section, section_with};
    use std::fs;
    use std::path::Path;

    fn of(source: &str, metadata: &[u8]) -> Vec<Caution> {
        let dir = tempfile::tempdir().unwrap();
        let file = compile(dir.path(), "library.so", source, &["-shared", "-fPIC"]);
        let metadata = Metadata::parse(Path::new("it"), metadata, &[]).unwrap();
        cautions(&fs::read(file).unwrap(), &metadata)
    }

    #[test]
    fn a_library_without_definitions_of_its_own_imports_what_changes_the_environment() {
        let source = "void setenv(void); void f(void) { setenv(); }";
        let functions = vec!["setenv".to_owned()];
        assert_eq!(of(source, &section()), [Caution::Environment { functions }]);
        let reads = "void getenv(void); void f(void) { getenv(); }";
        assert_eq!(of(reads, &section()), []);
    }

    #[test]
    fn a_database_that_no_hook_closes() {
        let with = |hooks: &str| {
            let plugin = format!(
                r#"{{"name":"world","version":"1","crate":"world","reloadable":true,"hooks":[{hooks}],
                     "functions":[{{"name":"hum","signature":"fn()"}}]}}"#
            );
            section_with(b"plug", plugin.as_bytes())
        };
        for database in &DATABASES {
            let texts = database.texts.map(|text| {
                let text = str::from_utf8(text).unwrap().trim_end_matches('\0');
                format!("\"{text}\",")
            });
            let whole = format!("const char *const texts[] = {{ {} }};", texts.concat());
            let half = format!("const char *const texts[] = {{ {} }};", texts[0]);
            let name = database.name.to_owned();
            let expected = [Caution::Database { name }];
            assert_eq!(of(&whole, &with("")), expected);
            assert_eq!(of(&whole, &with(r#""on_start","on_free""#)), expected);
            assert_eq!(of(&whole, &with(r#""on_stop""#)), []);
            assert_eq!(of(&whole, &with(r#""save","restore""#)), []);
            assert_eq!(of(&half, &with("")), []);
        }
    }
}
