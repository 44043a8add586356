//! Tests the links of all pages.
use crate::checkout;
use crate::pages::{Page, book, others, read, readme_and_book};
use pulldown_cmark::{BrokenLink, Event, LinkType, Options, Parser, Tag, TagEnd};
use std::collections::BTreeSet;
use std::path::Path;

/// The address of the checkout at the forge.
const FORGE: &str = "https://github.com/hotswap-rs/hotswap/";

#[test]
fn each_link_leads_to_a_file_and_a_heading() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in readme_and_book().iter().chain(&others()) {
        for link in links(page, &mut wrong) {
            count += 1;
            if let Err(why) = follow(page, &link) {
                wrong.push(format!("{}: {link}: {why}", page.file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 150, "{count} links were found");
}

/// Returns the targets of the links. Adds a reference without a definition to `wrong`.
fn links(page: &Page, wrong: &mut Vec<String>) -> Vec<String> {
    let undefined = |link: BrokenLink<'_>| {
        if link.link_type != LinkType::Shortcut {
            let file = page.file.display();
            wrong.push(format!("{file}: [{}] is not defined", link.reference));
        }
        None
    };
    let parser = Parser::new_with_broken_link_callback(&page.text, options(), Some(undefined));
    let links = parser.filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url),
        _ => None,
    });
    links.map(|link| link.to_string()).collect()
}

fn options() -> Options {
    Options::ENABLE_TABLES
}

fn follow(from: &Page, link: &str) -> Result<(), String> {
    let in_book = from.file.starts_with(book());
    let (place, heading) = link.split_once('#').unwrap_or((link, ""));
    let forge = place.strip_prefix(FORGE);
    let file = match forge.and_then(|rest| rest.split_once("/main")) {
        Some(("blob" | "tree", path)) => checkout().join(path.trim_start_matches('/')),
        Some(_) => return Err("that is no file at the forge".into()),
        None if place.contains("://") || place.starts_with("mailto:") => return Ok(()),
        None if place.is_empty() => from.file.clone(),
        None if in_book && place.contains('/') => {
            return Err("a page of the book links to its neighbours, or to the forge".into());
        }
        None => from.file.parent().unwrap_or(Path::new("")).join(place),
    };
    if !file.exists() {
        return Err(format!("there is no {}", file.display()));
    }
    if heading.is_empty() || headings(&read(&file)).contains(heading) {
        return Ok(());
    }
    Err(format!("{} has no such heading", file.display()))
}

/// Returns the anchors of the headings.
pub(crate) fn headings(page: &Page) -> BTreeSet<String> {
    let mut headings = BTreeSet::new();
    let mut heading = None;
    for event in Parser::new_ext(&page.text, options()) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                headings.extend(heading.take().map(|text| slug(&text)));
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    headings
}

fn slug(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c if c.is_alphanumeric() => Some(c.to_ascii_lowercase()),
        _ => None,
    });
    kept.collect()
}
