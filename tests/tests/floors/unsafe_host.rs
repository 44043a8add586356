//! Tests that the unsafe code of hotswap-host stays in the files that are listed here.
//!
//! The crate denies unsafe code, and each of these files allows it for itself. Its header says why, in a paragraph that
//! begins with `Unsafe code:`. Code that needs an address or a foreign call goes into one of them, behind a type that a
//! caller cannot use wrongly.
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use syn::{Attribute, Expr, Lit, Meta};

/// The files with unsafe code, besides tests.
const UNSAFE: &[&str] = &[
    "generation/bindings.rs",
    "generation/pinned.rs",
    "instance/made.rs",
    "load/mapped.rs",
    "load/objects.rs",
    "load/signals/slots.rs",
    "load/watched_functions.rs",
    "patch/by_name.rs",
    "patch/dispatch.rs",
    "patch/function.rs",
    "patch/kinds.rs",
    "patch/link.rs",
    "patch/mock.rs",
    "patch/params.rs",
    "patch/trace.rs",
    "platform/linux.rs",
    "platform/linux_objects.rs",
    "platform/thread_key.rs",
    "platform/unix.rs",
    "reclaim/code.rs",
    "reclaim/pin/again.rs",
    "reclaim/pin/mod.rs",
    "reclaim/slot.rs",
    "requests.rs",
];

#[test]
fn unsafe_code_of_the_host_is_in_few_files() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let src = src.join("hotswap-host/src");
    let mut wrong = String::new();
    let known: BTreeSet<&str> = UNSAFE.iter().copied().collect();
    let mut found = BTreeSet::new();
    for file in files(&src) {
        let name = file.strip_prefix(&src).unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        if !is_unsafe(parsed.items.iter().map(ToTokens::to_token_stream).collect()) {
            continue;
        }
        if !known.contains(name) {
            wrong += &format!("{name} has unsafe code\n");
        }
        if !parsed.attrs.iter().any(is_allowance) {
            wrong += &format!("{name} does not allow unsafe code itself\n");
        }
        let mut lines = parsed.attrs.iter().filter_map(doc_line);
        if !lines.any(|line| line.trim().starts_with("Unsafe code:")) {
            wrong += &format!("the header of {name} does not say why it has unsafe code\n");
        }
        found.insert(name.to_owned());
    }
    for gone in known.iter().filter(|name| !found.contains(**name)) {
        wrong += &format!("{gone} has no unsafe code any more: take it out of the list\n");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Returns the source files in this directory, without tests.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        match path.is_dir() {
            _ if is_test => {}
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

fn is_allowance(attribute: &Attribute) -> bool {
    let text = attribute.to_token_stream().to_string().replace(' ', "");
    text == "#![allow(unsafe_code)]"
}

/// Returns the text of a documentation comment.
fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(value) = &attribute.meta else {
        return None;
    };
    match &value.value {
        Expr::Lit(literal) if value.path.is_ident("doc") => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// Returns true if there is unsafe code besides that of tests. The type of an unsafe function is no unsafe code.
fn is_unsafe(tokens: TokenStream) -> bool {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut skipped = false;
    for (at, token) in tokens.iter().enumerate() {
        let is_body = |group: &proc_macro2::Group| group.delimiter() == Delimiter::Brace;
        if skipped {
            // The item exists for tests only.
            skipped = match token {
                TokenTree::Group(group) => !is_body(group),
                TokenTree::Punct(punct) => punct.as_char() != ';',
                _ => true,
            };
            continue;
        }
        match token {
            TokenTree::Group(group) => {
                let text = group.to_string().replace(' ', "");
                if text.starts_with("[cfg(") && text.contains("test") && !text.contains("not(test")
                {
                    skipped = true;
                } else if is_unsafe(group.stream()) {
                    return true;
                }
            }
            TokenTree::Ident(word) if word == "unsafe" => {
                let mut next = tokens[at + 1..]
                    .iter()
                    .filter(|token| !matches!(token, TokenTree::Literal(_)))
                    .filter(|token| !matches!(token, TokenTree::Ident(word) if word == "extern"));
                let is_type = matches!(next.next(), Some(TokenTree::Ident(word)) if word == "fn")
                    && matches!(next.next(), Some(TokenTree::Group(_)));
                if !is_type {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}
