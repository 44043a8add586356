//! Lists the libraries that the system's loader looks for when a library is opened, and the directories in which it
//! looks.
use object::read::elf::{DynamicTable, ElfFile, FileHeader};
use object::{Endianness, File, elf};
use serde::Serialize;

/// The libraries that a library asks the system's loader for, and the directories in which the loader looks for them.
///
/// Everyone who can write to one of these directories can run code in each host that opens the library.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Links {
    /// The libraries that it needs, by name or by path (`DT_NEEDED`).
    pub needed: Vec<String>,
    /// The directories that are searched after `LD_LIBRARY_PATH` (`DT_RUNPATH`).
    pub runpath: Vec<String>,
    /// The directories that are searched before that, unless there is a `runpath` (`DT_RPATH`).
    pub rpath: Vec<String>,
}

/// The maximum number of names, and of bytes of each name, that are read. A crafted file may have any number of names,
/// each as long as the file.
const MAX_NAMES: usize = 512;
const MAX_NAME: usize = 4096;

/// Returns the libraries that a library asks the system's loader for. The result is empty for a file that is not an ELF
/// file.
pub fn links(bytes: &[u8]) -> Links {
    match File::parse(bytes) {
        Ok(File::Elf32(elf)) => of_elf(&elf),
        Ok(File::Elf64(elf)) => of_elf(&elf),
        _ => Links::default(),
    }
}

fn of_elf<H: FileHeader<Endian = Endianness>>(file: &ElfFile<'_, H>) -> Links {
    let table = file.elf_dynamic_table().unwrap_or_default();
    let directories = |tag| {
        let lists = texts(&table, tag);
        let all = lists.iter().flat_map(|list| list.split(':'));
        all.take(MAX_NAMES).map(str::to_owned).collect()
    };
    Links {
        needed: texts(&table, elf::DT_NEEDED),
        runpath: directories(elf::DT_RUNPATH),
        rpath: directories(elf::DT_RPATH),
    }
}

/// Returns the texts of the entries with this tag, and `?` for a text that cannot be read.
pub(super) fn texts<H: FileHeader<Endian = Endianness>>(
    table: &DynamicTable<'_, H>,
    tag: elf::DynamicTag,
) -> Vec<String> {
    let entries = table.iter().filter(|entry| entry.tag == tag);
    let text = |name: &[u8]| {
        let name = &name[..name.len().min(MAX_NAME)];
        String::from_utf8_lossy(name).into_owned()
    };
    entries
        .take(MAX_NAMES)
        .map(|entry| text(table.string(entry).unwrap_or(b"?")))
        .collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{Links, links};
    use crate::artifact::testing::compile;

    #[test]
    fn what_the_loader_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let source = "#include <stdio.h>\nint f(void) { return puts(\"\"); }";
        let links_with = |args: &[&str]| {
            let args = [&["-shared", "-fPIC"], args].concat();
            let file = compile(dir.path(), "library.so", source, &args);
            links(&std::fs::read(file).unwrap())
        };
        let flags = ["-Wl,--enable-new-dtags", "-Wl,-rpath,/a:$ORIGIN/../b"];
        let found = links_with(&flags);
        assert_eq!(found.runpath, ["/a", "$ORIGIN/../b"]);
        assert!(found.rpath.is_empty());
        assert!(found.needed.iter().any(|name| name.starts_with("libc.so")));
        let found = links_with(&["-Wl,--disable-new-dtags", "-Wl,-rpath,/a"]);
        assert_eq!(found.rpath, ["/a"]);
        assert_eq!(links(b"no library"), Links::default());
    }
}
