//! Tests the chapter about troubleshooting: the errors that it quotes are those of the code, its commands exist, and each
//! section that an error names is there.
use crate::checkout;
use crate::links::headings;
use crate::pages::{book, read};
use cargo_hotswap::Topic;
use cargo_hotswap::cli::Cli;
use clap::Parser;
use proc_macro2::{TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use syn::{Lit, LitStr};

/// The chapters whose commands have to exist.
const WITH_COMMANDS: [&str; 3] = ["troubleshooting.md", "backup.md", "systemd.md"];

/// Returns the lines of the blocks of this language.
fn blocks(chapter: &str, language: &str) -> Vec<String> {
    let page = read(&book().join(chapter));
    let begin = format!("```{language}");
    let mut lines = page.text.lines();
    let mut found = Vec::new();
    while lines.any(|line| line == begin) {
        let block = lines.by_ref().take_while(|line| *line != "```");
        found.extend(block.map(str::to_owned));
    }
    found
}

#[test]
fn each_section_that_an_error_names_is_in_the_chapter() {
    let headings = headings(&read(&book().join("troubleshooting.md")));
    let anchors: BTreeSet<_> = Topic::ALL.iter().map(|topic| topic.anchor()).collect();
    assert_eq!(anchors.len(), Topic::ALL.len());
    for topic in Topic::ALL {
        assert!(headings.contains(topic.anchor()), "{topic:?}");
        let end = format!("/blob/main/book/src/troubleshooting.md#{}", topic.anchor());
        assert!(topic.url().ends_with(&end), "{}", topic.url());
    }
}

#[test]
fn each_error_of_the_chapter_is_one_of_the_code() {
    let known = texts();
    let quotes = blocks("troubleshooting.md", "text");
    assert!(quotes.len() > 50, "{quotes:#?}");
    let is_known = |quote: &&String| known.iter().any(|text| text.contains(quote.as_str()));
    let wrong: Vec<_> = quotes.iter().filter(|quote| !is_known(quote)).collect();
    assert!(wrong.is_empty(), "no code says this: {wrong:#?}");
}

/// Returns the texts in the sources of the crates, and in what their tests expect, with `…` for what is filled in.
fn texts() -> Vec<String> {
    let mut texts = Vec::new();
    for dir in ["cargo-hotswap/src", "hotswap-host", "tests/tests/commands"] {
        add(&checkout().join(dir), &mut texts);
    }
    texts
}

fn add(dir: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() && !path.ends_with("target") {
            add(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let tokens: TokenStream = source.parse().expect("the source is Rust");
            literals(tokens, texts);
        }
    }
}

/// Adds the texts of a source, but for those of comments.
fn literals(tokens: TokenStream, texts: &mut Vec<String>) {
    let mut is_doc = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => literals(group.stream(), texts),
            TokenTree::Literal(literal) if !is_doc => {
                if let Lit::Str(text) = Lit::new(literal) {
                    texts.push(with_gaps(&text));
                }
            }
            TokenTree::Ident(name) => is_doc = name == "doc",
            _ => {}
        }
    }
}

/// Replaces what a format string fills in, and several of that in a row, by `…`.
fn with_gaps(text: &LitStr) -> String {
    let mut with_gaps = String::new();
    let text = text.value();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '{' | '}' if letters.peek() == Some(&letter) => {
                letters.next();
                with_gaps.push(letter);
            }
            '{' => {
                letters
                    .by_ref()
                    .take_while(|letter| *letter != '}')
                    .for_each(drop);
                if !with_gaps.ends_with('…') {
                    with_gaps.push('…');
                }
            }
            letter => with_gaps.push(letter),
        }
    }
    with_gaps
}

#[test]
fn each_command_of_these_chapters_exists() {
    let mut count = 0;
    for chapter in WITH_COMMANDS {
        for line in blocks(chapter, "console") {
            let Some((_, command)) = line.split_once("cargo hotswap ") else {
                continue;
            };
            if !line.starts_with("$ ") {
                continue;
            }
            count += 1;
            let args = ["cargo-hotswap".to_owned()]
                .into_iter()
                .chain(words(command));
            if let Err(error) = Cli::try_parse_from(args) {
                panic!("{chapter}: {line}\n{error}");
            }
        }
    }
    assert!(count > 40, "{count} commands were found");
}

/// Splits a command as a shell does, as far as the chapters need it.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for letter in command.chars() {
        match letter {
            '\'' | '"' if quote.is_none() => quote = Some(letter),
            letter if quote == Some(letter) => quote = None,
            ' ' if quote.is_none() => words.push(String::new()),
            letter => words.last_mut().expect("there is a word").push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
