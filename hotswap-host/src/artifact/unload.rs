use super::bounds;
use super::budget::Budget;
use super::links;
use crate::shown::Shown;
use object::read::elf::{ElfFile, FileHeader, Sym};
use object::{Architecture, Endianness, File, Object, RelocationFlags, elf};
use serde::Serialize;
use std::fmt;

/// A property of a library that keeps it from ever leaving memory once it was opened.
///
/// Its text completes a sentence that begins with the library's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnloadBlocker {
    /// The library takes its thread-local memory from the small amount that is set aside when a program starts.
    ///
    /// That memory is not given back reliably, so a later reload finds none left. C code gets it with the TLS model
    /// `initial-exec`. The allocator mimalloc uses that model unless its feature `local_dynamic_tls` is on, and
    /// jemalloc does unless `disable_initial_exec_tls` is on.
    StaticTls,
    /// The library was linked with `-z nodelete`.
    NoDelete,
    /// The library defines symbols of which a process has only one copy. C++ does this for statics in templates and
    /// inline functions. The system's loader pins every library that defines such a symbol.
    UniqueSymbols {
        /// The number of these symbols.
        count: usize,
        /// The first of them.
        first: String,
    },
    /// The library needs another one that hotswap knows nothing about. That one may have threads, handlers, and
    /// pointers into the plugin.
    Needs {
        /// The name of the other library.
        library: String,
    },
    /// The library uses a function or a variable of the C library that keeps addresses of the plugin in a way that
    /// cannot be watched.
    Calls {
        /// The function or the variable.
        function: String,
    },
}

impl fmt::Display for UnloadBlocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnloadBlocker::StaticTls => {
                f.write_str("uses static thread-local memory (linked with DF_STATIC_TLS)")
            }
            UnloadBlocker::NoDelete => f.write_str("is linked with `-z nodelete`"),
            UnloadBlocker::UniqueSymbols { count: 1, first } => {
                let first = Shown(first);
                write!(f, "defines a symbol that is unique in the process: {first}")
            }
            UnloadBlocker::UniqueSymbols { count, first } => {
                write!(
                    f,
                    "defines {count} symbols that are unique in the process, the first is {}",
                    Shown(first)
                )
            }
            UnloadBlocker::Needs { library } => write!(f, "needs the library {}", Shown(library)),
            UnloadBlocker::Calls { function } => {
                write!(
                    f,
                    "uses {}, which gives addresses of its code to the system",
                    Shown(function)
                )
            }
        }
    }
}

/// The C library and the libraries that the compiler itself needs. They stop using a plugin when the plugin ends.
const KNOWN_LIBRARIES: [&str; 8] = [
    "libc.so.",
    "libm.so.",
    "libgcc_s.so.",
    "libpthread.so.",
    "libdl.so.",
    "librt.so.",
    "ld-linux",
    "ld64.so.",
];

/// Sorted names of the C library that keep addresses of a plugin where the plugin's own definitions of its functions do
/// not see them. `docs/registrations.md` has the reason for each of them, and for those that are not listed here.
const CALL_BACKS: [&str; 35] = [
    "__clone",
    "__cxa_at_quick_exit",
    "__posix_getopt",
    "__rseq_offset",
    "addseverity",
    "aio_fsync",
    "aio_read",
    "aio_write",
    "argp_program_bug_address",
    "argp_program_version",
    "argp_program_version_hook",
    "clone",
    "error_at_line",
    "error_print_progname",
    "fopencookie",
    "getaddrinfo_a",
    "getopt",
    "getopt_long",
    "getopt_long_only",
    "hsearch",
    "initstate",
    "lio_listio",
    "mq_notify",
    "obstack_alloc_failed_handler",
    "on_exit",
    "openlog",
    "profil",
    "register_printf_function",
    "register_printf_specifier",
    "register_printf_type",
    "setstate",
    "sprofil",
    "thrd_create",
    "timer_create",
    "tss_create",
];

/// Returns the properties of a library that would keep it from ever leaving memory.
///
/// `bytes` are those of a file that [`Artifact::read`](super::Artifact::read) accepted; the result is empty for any
/// other file. Only ELF files are examined, because libraries stay in memory on platforms with other formats.
pub fn unload_blockers(bytes: &[u8]) -> Vec<UnloadBlocker> {
    match bounds::parse(bytes) {
        Some(File::Elf32(elf)) => of_elf(&elf, Budget::of(bytes)),
        Some(File::Elf64(elf)) => of_elf(&elf, Budget::of(bytes)),
        _ => Vec::new(),
    }
}

fn of_elf<H: FileHeader<Endian = Endianness>>(
    file: &ElfFile<'_, H>,
    budget: Budget,
) -> Vec<UnloadBlocker> {
    let mut found = Vec::new();
    let table = file.elf_dynamic_table().unwrap_or_default();
    let flagged = |tag, flag: u64| {
        table
            .iter()
            .any(|entry| entry.tag == tag && entry.val & flag != 0)
    };
    if flagged(elf::DT_FLAGS, elf::DF_STATIC_TLS.0) || relocates_static_tls(file) {
        found.push(UnloadBlocker::StaticTls);
    }
    if flagged(elf::DT_FLAGS_1, elf::DF_1_NODELETE.0) {
        found.push(UnloadBlocker::NoDelete);
    }
    for library in links::texts(&table, elf::DT_NEEDED) {
        if !KNOWN_LIBRARIES
            .iter()
            .any(|known| library.starts_with(known))
        {
            found.push(UnloadBlocker::Needs { library });
        }
    }
    found.extend(of_symbols(file, budget));
    found
}

/// Returns true if the library needs static thread-local memory without saying so. The GNU linker does not set
/// `DF_STATIC_TLS` for aarch64, so this looks at the relocations.
fn relocates_static_tls<H: FileHeader<Endian = Endianness>>(file: &ElfFile<'_, H>) -> bool {
    let is_one = |flags| matches!(flags, RelocationFlags::Elf { r_type } if r_type == elf::R_AARCH64_TLS_TPREL);
    file.architecture() == Architecture::Aarch64
        && file
            .dynamic_relocations()
            .into_iter()
            .flatten()
            .any(|(_, relocation)| is_one(relocation.flags()))
}

fn of_symbols<H: FileHeader<Endian = Endianness>>(
    file: &ElfFile<'_, H>,
    mut budget: Budget,
) -> Vec<UnloadBlocker> {
    let endian = file.endian();
    let symbols = file.elf_dynamic_symbol_table();
    let mut found = Vec::new();
    let mut unique = None::<(usize, String)>;
    for symbol in symbols.iter() {
        let name = || symbol.name(endian, symbols.strings()).unwrap_or(b"?");
        if symbol.is_undefined(endian) {
            let name = name();
            if !budget.covers(name) {
                break;
            }
            let function = str::from_utf8(name).unwrap_or("?");
            // The names of variants for large files end in 64.
            let calls_back = CALL_BACKS.binary_search(&function.trim_end_matches("64"));
            let blocker = || UnloadBlocker::Calls {
                function: function.to_owned(),
            };
            if calls_back.is_ok() && !found.contains(&blocker()) {
                found.push(blocker());
            }
        } else if symbol.st_bind() == elf::STB_GNU_UNIQUE {
            unique.get_or_insert_with(|| (0, text(name()))).0 += 1;
        }
    }
    found.extend(unique.map(|(count, first)| UnloadBlocker::UniqueSymbols { count, first }));
    found
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(all(test, target_os = "linux"))]
#[allow(unsafe_code)]
mod tests {
    use super::{CALL_BACKS, UnloadBlocker, unload_blockers};
    use crate::artifact::testing::{compile, run};
    use std::collections::BTreeSet;
    use std::ffi::CString;
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    fn of(dir: &Path, source: &str, args: &[&str]) -> Vec<UnloadBlocker> {
        let file = compile(
            dir,
            "library.so",
            source,
            &[&["-shared", "-fPIC"], args].concat(),
        );
        unload_blockers(&fs::read(file).unwrap())
    }

    fn calls_of(name: &str) -> UnloadBlocker {
        UnloadBlocker::Calls {
            function: name.into(),
        }
    }

    #[test]
    fn each_is_found_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let harmless = "#include <stdio.h>\nint f(void) { return puts(\"\"); }";
        assert_eq!(of(dir, harmless, &["-lm", "-lpthread", "-ldl"]), []);
        assert_eq!(
            of(dir, harmless, &["-Wl,-z,nodelete"]),
            [UnloadBlocker::NoDelete]
        );

        let local = "__thread int x; int *f(void) { return &x; }";
        assert_eq!(of(dir, local, &[]), []);
        assert_eq!(
            of(dir, local, &["-ftls-model=initial-exec"]),
            [UnloadBlocker::StaticTls]
        );

        let unique = "__asm__(\".globl a, b; .type a, %gnu_unique_object; .type b, %gnu_unique_object; \
                      .data; a: .byte 0; b: .byte 0\");";
        let [UnloadBlocker::UniqueSymbols { count: 2, first }] = &of(dir, unique, &[])[..] else {
            panic!()
        };
        assert!(first == "a" || first == "b");

        for name in ["timer_create", "aio_read64", "tss_create", "openlog"] {
            let calls = format!("void {name}(void); void f(void) {{ {name}(); }}");
            assert_eq!(of(dir, &calls, &[]), [calls_of(name)]);
        }
        let sets =
            "extern void (*error_print_progname)(void); void f(void) { error_print_progname = f; }";
        assert_eq!(of(dir, sets, &[]), [calls_of("error_print_progname")]);

        let other = compile(
            dir,
            "libother.so",
            "void other(void) {}",
            &["-shared", "-fPIC", "-Wl,-soname,libother.so"],
        );
        let needs = of(
            dir,
            "void other(void); void f(void) { other(); }",
            &[other.to_str().unwrap()],
        );
        assert_eq!(
            needs,
            [UnloadBlocker::Needs {
                library: "libother.so".into()
            }]
        );
    }

    #[test]
    fn an_ordinary_library_of_rustc_has_none() {
        let dir = tempfile::tempdir().unwrap();
        let (source, file) = (dir.path().join("plain.rs"), dir.path().join("plain.so"));
        fs::write(
            &source,
            "#[unsafe(no_mangle)] pub extern \"C\" fn f() { std::thread::spawn(|| println!()); }",
        )
        .unwrap();
        run(Command::new("rustc")
            .args(["--edition=2024", "--crate-type=cdylib", "-o"])
            .args([&file, &source]));
        assert_eq!(unload_blockers(&fs::read(file).unwrap()), []);
    }

    #[test]
    fn the_docs_have_this_list() {
        let docs = include_str!("../../docs/registrations.md");
        let rows = docs.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            Some((cells.next()?, cells.next()?))
        });
        let keeps = rows.filter(|row| row.1 == "keeps").map(|row| row.0);
        let in_the_docs: BTreeSet<_> = keeps
            .flat_map(|names| names.split('`').skip(1).step_by(2))
            .collect();
        assert_eq!(in_the_docs, BTreeSet::from(CALL_BACKS));
        assert!(
            CALL_BACKS.is_sorted(),
            "it is searched as a sorted list: {CALL_BACKS:?}"
        );
    }

    #[cfg(target_env = "gnu")]
    #[test]
    fn the_c_library_has_all_of_them() {
        for name in CALL_BACKS {
            let c_name = CString::new(name).unwrap();
            // SAFETY: `c_name` is a C string, which is all that `dlsym` requires.
            let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c_name.as_ptr()) };
            assert!(!found.is_null(), "{name}");
        }
    }
}
