//! The metadata section as a plugin's crate emits it.
use super::metadata::{BUILD, CONTRACT, Hashes, Part};
use crate::boundary::{ExportDesc, FunctionDesc, ImportDesc};

/// All parts, in the order in which a reader meets them. They have no alignment, and so no padding between them.
#[repr(C)]
pub struct Section<
    const PLUGIN: usize,
    const FUNCTIONS: usize,
    const EXPORT_TEXT: usize,
    const EXPORTS: usize,
    const IMPORT_TEXT: usize,
    const IMPORTS: usize,
> {
    contract: Part<4>,
    plugin: Part<PLUGIN>,
    functions: Hashes<FUNCTIONS>,
    export_text: Part<EXPORT_TEXT>,
    exports: Hashes<EXPORTS>,
    import_text: Part<IMPORT_TEXT>,
    imports: Hashes<IMPORTS>,
    build: Part<{ BUILD.len() }>,
    panics: Part<1>,
}

impl<
    const PLUGIN: usize,
    const FUNCTIONS: usize,
    const EXPORT_TEXT: usize,
    const EXPORTS: usize,
    const IMPORT_TEXT: usize,
    const IMPORTS: usize,
> Section<PLUGIN, FUNCTIONS, EXPORT_TEXT, EXPORTS, IMPORT_TEXT, IMPORTS>
{
    /// The section of a plugin. `unwinds` is that of the plugin's own crate.
    ///
    /// # Panics
    /// At compile time, when a text or a list is shorter than its length.
    pub const fn new(
        plugin: &'static str,
        functions: &[FunctionDesc],
        export_text: &[&str],
        exports: &[ExportDesc],
        import_text: &'static str,
        imports: &[ImportDesc],
        unwinds: bool,
    ) -> Self {
        let mut function_hashes = [[0; 2]; FUNCTIONS];
        let mut export_hashes = [[0; 2]; EXPORTS];
        let mut import_hashes = [[0; 2]; IMPORTS];
        let mut i = 0;
        while i < FUNCTIONS {
            function_hashes[i] = functions[i].hash;
            i += 1;
        }
        i = 0;
        while i < EXPORTS {
            export_hashes[i] = exports[i].interface.hash;
            i += 1;
        }
        i = 0;
        while i < IMPORTS {
            if let Some(interface) = imports[i].interface {
                import_hashes[i] = interface.hash;
            }
            i += 1;
        }
        Section {
            contract: CONTRACT,
            plugin: Part::text(b"plug", plugin),
            functions: Hashes::new(b"fnha", function_hashes),
            export_text: Part::new(b"expo", join(export_text)),
            exports: Hashes::new(b"exha", export_hashes),
            import_text: Part::text(b"impo", import_text),
            imports: Hashes::new(b"imha", import_hashes),
            build: Part::text(b"bild", BUILD),
            panics: Part::new(b"pani", [if unwinds { b'u' } else { b'a' }]),
        }
    }
}

/// The length of the texts one after the other.
pub const fn joined(texts: &[&str]) -> usize {
    let (mut len, mut i) = (0, 0);
    while i < texts.len() {
        len += texts[i].len();
        i += 1;
    }
    len
}

const fn join<const N: usize>(texts: &[&str]) -> [u8; N] {
    let mut bytes = [0; N];
    let (mut at, mut i) = (0, 0);
    while i < texts.len() {
        let (text, mut j) = (texts[i].as_bytes(), 0);
        while j < text.len() {
            bytes[at] = text[j];
            (at, j) = (at + 1, j + 1);
        }
        i += 1;
    }
    bytes
}

/// Emits the metadata section of a plugin, where [`__entry!`](crate::__entry) has been used for it.
#[doc(hidden)]
#[macro_export]
macro_rules! __metadata {
    ($text:expr, [$($exports:expr),*]) => {
        const TEXT: &str = $text;
        const EXPORTS: &[&str] = &[$($exports),*];

        #[used]
        #[unsafe(no_mangle)]
        #[unsafe(link_section = ".hotswap")]
        static HOTSWAP_METADATA: $crate::contract::section::Section<
            { TEXT.len() },
            { PLUGIN.functions.len() },
            { $crate::contract::section::joined(EXPORTS) },
            { PLUGIN.exports.len() },
            { PLUGIN.import_text.len() },
            { PLUGIN.imports.len() },
        > = $crate::contract::section::Section::new(
            TEXT,
            PLUGIN.functions,
            EXPORTS,
            PLUGIN.exports,
            PLUGIN.import_text,
            PLUGIN.imports,
            ::core::cfg!(panic = "unwind"),
        );
    };
}
