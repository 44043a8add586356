//! The files of `hotswap-plugin` that have unsafe code. The compiler refuses it elsewhere, by the lint `unsafe_code` of
//! the crate. Tests may have it anywhere.
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::path::Path;

/// The files, each with the reason why no type can carry the proof for it.
const UNSAFE: &[(&str, &str)] = &[
    // Views have no lifetimes, since they cross.
    (
        "boundary/view.rs",
        "strings and slices behind their addresses",
    ),
    (
        "boundary/shared.rs",
        "the promise of a type that its view can be read",
    ),
    ("boundary/std_types.rs", "the same promise for types of std"),
    // A call lends addresses of memory on the caller's stack.
    ("boundary/call.rs", "both ends of a call"),
    ("boundary/dynamic.rs", "both ends of a call by name"),
    ("boundary/arg.rs", "parameters that a caller lends"),
    ("boundary/signature.rs", "functions behind their addresses"),
    ("boundary/relay.rs", "functions behind their addresses"),
    // Others keep what is behind the address.
    ("boundary/object.rs", "objects of other libraries"),
    ("boundary/later/future.rs", "futures of other libraries"),
    ("boundary/later/waker.rs", "wakers of other libraries"),
    // The contract, and its two ends in a plugin.
    (
        "contract/linked.rs",
        "statics that the linker lays side by side",
    ),
    (
        "contract/live.rs",
        "live items of other crates, and their functions",
    ),
    ("host.rs", "the functions of the host"),
    ("expand/glue.rs", "the functions that the host calls"),
    ("expand/shim.rs", "functions in place of the C library's"),
    ("expand/alloc.rs", "the allocator"),
];

/// Returns the Rust files below a folder, by their paths from `src`.
fn files(src: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(src, &path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            let path = path.strip_prefix(src).unwrap().to_str().unwrap();
            found.push(path.replace('\\', "/"));
        }
    }
}

/// Returns true if there is an unsafe block, function, `impl`, or trait, also in the text of a macro. The type of an
/// unsafe function is none of these.
fn has_unsafe_code(tokens: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is = |at: usize, word: &str| matches!(tokens.get(at), Some(TokenTree::Ident(ident)) if ident == word);
    let is_block = |at: usize| matches!(tokens.get(at), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace);
    tokens.iter().enumerate().any(|(at, token)| {
        if let TokenTree::Group(group) = token {
            return has_unsafe_code(group.stream());
        }
        if !is(at, "unsafe") {
            return false;
        }
        // `unsafe extern "C" fn` has two tokens more before the function's name.
        let function = if is(at + 1, "extern") { at + 3 } else { at + 1 };
        let named =
            is(function, "fn") && !matches!(tokens.get(function + 1), Some(TokenTree::Group(_)));
        is_block(at + 1) || is_block(at + 3) || is(at + 1, "impl") || is(at + 1, "trait") || named
    })
}

#[test]
fn unsafe_code_is_in_these_files_of_hotswap_plugin_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let src = root.join("hotswap-plugin/src");
    let read = |file: &str| std::fs::read_to_string(src.join(file)).unwrap();
    assert!(read("lib.rs").contains("#![deny(missing_docs, unsafe_code,"));
    let mut all = Vec::new();
    files(&src, &src, &mut all);
    // Whatever switches the lint off has its name.
    let exempt = all
        .iter()
        .filter(|file| *file != "lib.rs" && !file.ends_with("tests.rs"))
        .filter(|file| read(file).contains("unsafe_code"));
    let exempt: BTreeSet<&str> = exempt.map(String::as_str).collect();
    let listed: BTreeSet<&str> = UNSAFE.iter().map(|(file, _)| *file).collect();
    assert_eq!(
        exempt, listed,
        "the files that may have unsafe code (left), and the list of them"
    );
    for file in listed {
        assert!(
            has_unsafe_code(read(file).parse().unwrap()),
            "{file} has no unsafe code any more: remove its `#![allow(unsafe_code)]`, and take it out of the list"
        );
    }
}

#[test]
fn the_macros_themselves_have_no_unsafe_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = std::fs::read_to_string(root.join("hotswap-macros/src/lib.rs")).unwrap();
    assert!(text.contains("#![forbid(unsafe_code)]"));
}
