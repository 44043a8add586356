//! Reads the sources of a library from the dep-info file that Cargo writes beside its output. The file has a line in
//! the form of a makefile rule, with the sources of all path dependencies, the included files, and the files that build
//! scripts have declared.

use std::path::{Path, PathBuf};

/// Returns the files and directories that the dep-info file `path` lists, or nothing if there is no such file. Relative
/// names lie below `base` or, if Cargo is configured so, below a directory above it.
pub(crate) fn read(path: &Path, base: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let absolute = |name: String| {
        let mut places = base.ancestors().map(|base| base.join(&name));
        let found = places.find(|path| path.exists());
        found.unwrap_or_else(|| base.join(name))
    };
    parse(&text).into_iter().map(absolute).collect()
}

/// Returns the files that rustc lists beside its output `file`, where Cargo has let rustc write it: the sources of this
/// crate alone. Returns nothing if there is no list.
pub(crate) fn of_unit(file: &Path, base: &Path) -> Vec<PathBuf> {
    if file.extension().is_some() {
        return read(&beside(file), base);
    }
    // A build script has another name there, and a directory of its own.
    let directory = file.parent().unwrap_or(file);
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let lists = entries.map(|entry| entry.path());
    let lists = lists.filter(|path| path.extension().is_some_and(|it| it == "d"));
    lists.flat_map(|list| read(&list, base)).collect()
}

/// Returns the list that rustc writes beside its output `file`.
pub(crate) fn beside(file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    // `util-0123.d` for `libutil-0123.rlib`, and `world.d` for `libworld.so`.
    let name = stem.strip_prefix("lib").unwrap_or(&stem);
    file.with_file_name(format!("{name}.d"))
}

fn parse(text: &str) -> Vec<String> {
    let mut names = vec![];
    for line in text.lines() {
        // The rule's target may contain a colon. It ends at a colon and a space, or at the end of the line.
        let Some(list) = line
            .split_once(": ")
            .map(|(_, list)| list)
            .filter(|_| !line.starts_with('#'))
        else {
            continue;
        };
        let mut name = String::new();
        let mut chars = list.chars().peekable();
        while let Some(character) = chars.next() {
            match character {
                '\\' if chars.peek() == Some(&' ') => name.extend(chars.next()),
                ' ' => {
                    names.extend(Some(std::mem::take(&mut name)).filter(|name| !name.is_empty()))
                }
                other => name.push(other),
            }
        }
        names.extend(Some(name).filter(|name| !name.is_empty()));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_spaces_stay_whole() {
        let text = "/a\\ b/target/debug/libworld.so: /a\\ b/src/lib.rs /a\\ b/src/text\n";
        assert_eq!(parse(text), ["/a b/src/lib.rs", "/a b/src/text"]);
    }

    #[test]
    fn the_list_of_a_unit_lies_beside_its_output() {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let root = temp.path();
        let write = |name: &str, text: &str| {
            std::fs::write(root.join(name), text).expect("it can be written");
        };
        write("util-01.d", "libutil-01.rlib: util.rs\n\nutil.rs:\n");
        write(
            "build_script_build-02.d",
            "build_script_build-02: build.rs\n",
        );
        let of_unit = |name: &str| of_unit(&root.join(name), Path::new("/ws"));
        assert_eq!(of_unit("libutil-01.rmeta"), [Path::new("/ws/util.rs")]);
        assert!(of_unit("libworld.so").is_empty());
        let script = of_unit("build-script-build");
        assert!(script.contains(&PathBuf::from("/ws/build.rs")));
    }

    #[test]
    fn a_rule_without_anything_names_nothing() {
        assert!(parse("/target/debug/libworld.so:\n").is_empty());
        assert!(parse("").is_empty());
    }
}
