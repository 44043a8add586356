use crate::shown::{Shown, path};
use std::fmt;
use std::path::PathBuf;

/// The reason why the system's loader did not open a library, determined from its message.
///
/// Its text names the missing library or symbol and says what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenFailure {
    /// A library that it needs was not found.
    MissingLibrary {
        /// The name of the missing library.
        library: String,
    },
    /// No library defines a symbol that it needs.
    MissingSymbol {
        /// The symbol's name, as the linker has it.
        symbol: String,
    },
    /// A library that it needs is installed in an older version.
    OldLibrary {
        /// The file of that library.
        library: String,
        /// The version that is needed, such as `GLIBC_2.38`.
        version: String,
    },
    /// It needs thread-local memory of the kind that is handed out when a program starts, and none is left.
    StaticTls,
    /// The file system or a security policy forbids running code from the library's directory.
    NotExecutable,
    /// The loader took the copy for a library that is already loaded, because both have the same device and inode
    /// number, or the same path.
    TakenFor {
        /// The private copy.
        copy: PathBuf,
        /// The library that is already loaded.
        other: PathBuf,
    },
    /// This host cannot load any library.
    Unsupported {
        /// The reason.
        reason: &'static str,
    },
    /// Another reason.
    Other {
        /// The loader's message.
        text: String,
    },
}

impl OpenFailure {
    /// Determines the reason from `text`, the answer of `dlerror`. It knows the texts of glibc and musl.
    pub fn from_loader_text(text: &str) -> Self {
        make_out(text).unwrap_or_else(|| OpenFailure::Other {
            text: text.trim().to_owned(),
        })
    }
}

fn make_out(text: &str) -> Option<OpenFailure> {
    if text.contains("static TLS block") {
        return Some(OpenFailure::StaticTls);
    }
    if text.contains("failed to map segment")
        || text.contains("cannot apply additional memory protection")
    {
        return Some(OpenFailure::NotExecutable);
    }
    // glibc: `/a/b.so: undefined symbol: name, version V`
    if let Some((_, symbol)) = text.split_once("undefined symbol: ") {
        return Some(OpenFailure::MissingSymbol {
            symbol: first_word(symbol),
        });
    }
    // musl: `Error relocating /a/b.so: name: symbol not found`
    if let Some(rest) = text.strip_suffix(": symbol not found") {
        let symbol = rest.rsplit(": ").next()?;
        return Some(OpenFailure::MissingSymbol {
            symbol: symbol.to_owned(),
        });
    }
    // glibc: "/lib/libc.so.6: version `GLIBC_2.99' not found (required by /a/b.so)"
    if let Some((library, rest)) = text.split_once(": version `") {
        let (version, _) = rest.split_once("' not found")?;
        return Some(OpenFailure::OldLibrary {
            library: library.to_owned(),
            version: version.to_owned(),
        });
    }
    // glibc: `libx.so.1: cannot open shared object file: No such file or directory`
    if let Some((library, _)) = text.split_once(": cannot open shared object file: No such file") {
        return Some(OpenFailure::MissingLibrary {
            library: library.to_owned(),
        });
    }
    // musl: `Error loading shared library libx.so.1: No such file or directory (needed by /a/b.so)`
    let (library, _) = text
        .strip_prefix("Error loading shared library ")?
        .split_once(": No such file")?;
    Some(OpenFailure::MissingLibrary {
        library: library.to_owned(),
    })
}

fn first_word(text: &str) -> String {
    text.chars()
        .take_while(|c| !c.is_whitespace() && *c != ',')
        .collect()
}

impl fmt::Display for OpenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenFailure::MissingLibrary { library } => write!(
                f,
                "needs the library {}, which was not found; install it, or add its directory to LD_LIBRARY_PATH",
                Shown(library)
            ),
            OpenFailure::TakenFor { copy, other } => write!(
                f,
                "was not opened: the system's loader took its private copy {} for {}, which is already loaded; try again, \
                 with HOTSWAP_RUNTIME_DIR on another file system if it happens again",
                path(copy),
                path(other)
            ),
            OpenFailure::MissingSymbol { symbol } => write!(
                f,
                "needs the symbol {}, which no library defines; link the library that has it into the plugin",
                Shown(symbol)
            ),
            OpenFailure::OldLibrary { library, version } => write!(
                f,
                "needs version {} of {}, but the installed one is older; build the plugin on this system, or on one that is as old",
                Shown(version),
                Shown(library)
            ),
            OpenFailure::StaticTls => f.write_str(
                "needs static thread-local memory, and none is left; build what it links with \
                 `-ftls-model=global-dynamic` (mimalloc with its feature `local_dynamic_tls`, jemalloc with \
                 `disable_initial_exec_tls`), and restart the host to go on meanwhile",
            ),
            OpenFailure::NotExecutable => f.write_str(
                "may not be mapped as code; set HOTSWAP_RUNTIME_DIR to a directory that is not mounted noexec",
            ),
            OpenFailure::Unsupported { reason } => write!(
                f,
                "is a library, but this host cannot load libraries: {reason}; use `cargo hotswap build --static`"
            ),
            OpenFailure::Other { text } => {
                write!(f, "is refused by the system's loader: {}", Shown(text))
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OpenFailure::{self, *};

    fn made_out(text: &str) -> OpenFailure {
        OpenFailure::from_loader_text(text)
    }

    #[test]
    fn texts_of_glibc() {
        let library = "libx.so.1".to_owned();
        assert_eq!(
            made_out("libx.so.1: cannot open shared object file: No such file or directory"),
            MissingLibrary { library }
        );
        let symbol = "some_function".to_owned();
        assert_eq!(
            made_out("/d/a.so: undefined symbol: some_function"),
            MissingSymbol {
                symbol: symbol.clone()
            }
        );
        assert_eq!(
            made_out("/d/a.so: undefined symbol: some_function, version V_1"),
            MissingSymbol { symbol }
        );
        assert_eq!(
            made_out("/lib/libc.so.6: version `GLIBC_2.99' not found (required by /d/a.so)"),
            OldLibrary {
                library: "/lib/libc.so.6".into(),
                version: "GLIBC_2.99".into()
            }
        );
        assert_eq!(
            made_out("/d/a.so: cannot allocate memory in static TLS block"),
            StaticTls
        );
        assert_eq!(
            made_out("/d/a.so: failed to map segment from shared object: Operation not permitted"),
            NotExecutable
        );
        assert_eq!(
            made_out("/d/a.so: file too short"),
            Other {
                text: "/d/a.so: file too short".into()
            }
        );
    }

    #[test]
    fn texts_of_musl() {
        assert_eq!(
            made_out(
                "Error loading shared library libx.so.1: No such file or directory (needed by /d/a.so)"
            ),
            MissingLibrary {
                library: "libx.so.1".into()
            }
        );
        assert_eq!(
            made_out("Error relocating /d/a.so: some_function: symbol not found"),
            MissingSymbol {
                symbol: "some_function".into()
            }
        );
    }
}
