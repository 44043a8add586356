//! The pages of the documentation, and the book's table of contents.
use crate::checkout;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A page as a reader sees it.
pub(crate) struct Page {
    pub(crate) file: PathBuf,
    /// The text in the file.
    pub(crate) source: String,
    /// The text with everything that the page includes.
    pub(crate) text: String,
}

/// Returns the README, and the pages of the book in their order.
pub(crate) fn readme_and_book() -> Vec<Page> {
    let mut pages = vec![read(&checkout().join("README.md"))];
    pages.extend(chapters().iter().map(|chapter| read(&book().join(chapter))));
    pages
}

/// Returns all other pages, except those of the fixtures.
pub(crate) fn others() -> Vec<Page> {
    let mut pages = Vec::new();
    add(&checkout(), &mut pages);
    pages.retain(|page| page.file != checkout().join("README.md"));
    pages
}

fn add(dir: &Path, pages: &mut Vec<Page>) {
    let skipped = ["target", "fixtures", ".git", "book"];
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str());
        if path.is_dir() && !path.is_symlink() {
            if !name.is_some_and(|name| skipped.contains(&name)) {
                add(&path, pages);
            }
        } else if path.extension().is_some_and(|ext| ext == "md") {
            pages.push(read(&path));
        }
    }
}

pub(crate) fn book() -> PathBuf {
    checkout().join("book/src")
}

/// Returns the page with everything that it includes: `{{#include FILE}}`, or the part between two comments,
/// `{{#include FILE:PART}}`.
pub(crate) fn read(file: &Path) -> Page {
    let source = fs::read_to_string(file)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
    let text = if file.starts_with(book()) {
        included(&source)
    } else {
        source.clone()
    };
    Page {
        file: file.to_owned(),
        source,
        text,
    }
}

fn included(text: &str) -> String {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{#include ") {
        let (what, after) = after.split_once("}}").expect("an include ends");
        let (file, part) = what.split_once(':').unwrap_or((what, ""));
        let text = fs::read_to_string(book().join(file))
            .unwrap_or_else(|error| panic!("cannot include {what}: {error}"));
        whole += before;
        whole += match part {
            "" => &text,
            part => between(&text, part),
        };
        rest = after;
    }
    whole + rest
}

fn between<'t>(text: &'t str, part: &str) -> &'t str {
    let begin = format!("<!-- ANCHOR: {part} -->\n");
    let end = format!("<!-- ANCHOR_END: {part} -->");
    let (_, text) = text.split_once(&begin).expect("the part begins");
    text.split_once(&end).expect("the part ends").0
}

/// Returns the files that the table of contents names.
fn chapters() -> Vec<String> {
    let summary = fs::read_to_string(book().join("SUMMARY.md")).expect("the book has one");
    let links = summary.split("](").skip(1);
    links
        .map(|link| link.split(')').next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn each_page_of_the_book_is_in_its_table_of_contents_once() {
    let chapters = chapters();
    let named: BTreeSet<_> = chapters.iter().cloned().collect();
    assert_eq!(named.len(), chapters.len(), "one is named twice");
    let files = fs::read_dir(book()).unwrap();
    let files = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let (pages, pictures): (Vec<_>, Vec<_>) = files.partition(|name| name.ends_with(".md"));
    let mut pages = BTreeSet::from_iter(pages);
    assert!(pages.remove("SUMMARY.md"));
    assert_eq!(named, pages);
    for picture in pictures {
        let shown = format!("]({picture})");
        let mut pages = readme_and_book().into_iter();
        assert!(pages.any(|page| page.text.contains(&shown)), "{picture}");
    }
    for page in readme_and_book() {
        let titles = page.text.lines().filter(|line| line.starts_with("# "));
        assert_eq!(titles.count(), 1, "titles of {}", page.file.display());
    }
}

/// Pages of `hotswap-host/docs` have the same name in the book, so that their links work in both places.
#[test]
fn each_page_of_the_host_is_in_the_book_under_its_name() {
    let pages = fs::read_dir(checkout().join("hotswap-host/docs")).unwrap();
    for page in pages {
        let name = page.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            let text = fs::read_to_string(book().join(&name))
                .unwrap_or_else(|error| panic!("the book has no {name}: {error}"));
            let include = format!("{{{{#include ../../hotswap-host/docs/{name}}}}}");
            assert!(text.contains(&include), "{name} should have {include}");
        }
    }
}
