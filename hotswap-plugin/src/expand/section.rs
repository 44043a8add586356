//! The metadata section, as a plugin's crate emits it.
use super::glue::Parts;
use crate::contract::metadata::{BUILD, CONTRACT, Hashes, Part};
use crate::contract::state::StateDesc;

/// All parts, in the order in which a reader meets them. They have no alignment, and so there is no padding between
/// them.
#[repr(C)]
pub struct Section<
    const PLUGIN: usize,
    const FUNCTIONS: usize,
    const EXPORT_TEXT: usize,
    const EXPORTS: usize,
    const IMPORT_TEXT: usize,
    const IMPORTS: usize,
    const STATE: usize,
    const HISTORY: usize,
> {
    contract: Part<4>,
    plugin: Part<PLUGIN>,
    functions: Hashes<FUNCTIONS>,
    export_text: Part<EXPORT_TEXT>,
    exports: Hashes<EXPORTS>,
    import_text: Part<IMPORT_TEXT>,
    imports: Hashes<IMPORTS>,
    state: Part<STATE>,
    history: Part<HISTORY>,
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
    const STATE: usize,
    const HISTORY: usize,
> Section<PLUGIN, FUNCTIONS, EXPORT_TEXT, EXPORTS, IMPORT_TEXT, IMPORTS, STATE, HISTORY>
{
    /// Returns the section of a plugin. `unwinds` is true if the plugin's own crate unwinds on a panic.
    ///
    /// # Panics
    /// Panics at compile time if a text or a list is shorter than its length.
    pub const fn new(
        plugin: &'static str,
        export_text: &[&str],
        parts: &Parts,
        unwinds: bool,
    ) -> Self {
        let Parts {
            functions,
            exports,
            import_text,
            imports,
            state,
            state_history,
            ..
        } = *parts;
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
            state: Part::new(b"stat", state_bytes(state)),
            history: Part::text(b"sthi", state_history),
            build: Part::text(b"bild", BUILD),
            panics: Part::new(b"pani", [if unwinds { b'u' } else { b'a' }]),
        }
    }
}

/// Returns how many bytes describe the state.
pub const fn state_len(state: Option<&StateDesc>) -> usize {
    match state {
        Some(state) => 4 + state.ty().len(),
        None => 0,
    }
}

const fn state_bytes<const N: usize>(state: Option<&StateDesc>) -> [u8; N] {
    let mut bytes = [0; N];
    let Some(state) = state else { return bytes };
    let (version, ty) = (state.version.to_le_bytes(), state.ty().as_bytes());
    let mut i = 0;
    while i < N {
        bytes[i] = if i < 4 { version[i] } else { ty[i - 4] };
        i += 1;
    }
    bytes
}

/// Returns the length of the texts, joined.
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

/// Defines the metadata of a plugin, for which [`__entry!`](crate::__entry) or [`__linked!`](crate::__linked) is used,
/// too.
#[doc(hidden)]
#[macro_export]
macro_rules! __metadata {
    ($text:expr, [$($exports:expr),*]) => {
        const TEXT: &str = $text;
        const EXPORTS: &[&str] = &[$($exports),*];

        type Metadata = $crate::expand::section::Section<
            { TEXT.len() },
            { PLUGIN.functions.len() },
            { $crate::expand::section::joined(EXPORTS) },
            { PLUGIN.exports.len() },
            { PLUGIN.import_text.len() },
            { PLUGIN.imports.len() },
            { $crate::expand::section::state_len(PLUGIN.state) },
            { PLUGIN.state_history.len() },
        >;
        const METADATA: Metadata = $crate::expand::section::Section::new(
            TEXT,
            EXPORTS,
            &PLUGIN,
            ::core::cfg!(panic = "unwind"),
        );
    };
}
