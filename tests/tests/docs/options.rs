//! The table of the options of reloads, which is made from the code.
use crate::pages::book;
use hotswap_host::ReloadOptions;
use std::fmt::Write;

/// `INSTA_UPDATE=always` writes the present table into the page.
#[test]
fn the_table_of_options_is_that_of_the_code() {
    let mut table =
        String::from("| option | type | default | variable | meaning |\n|---|---|---|---|---|\n");
    for option in ReloadOptions::describe() {
        // In a page of the book, links to the code do not lead anywhere.
        let mut meaning = String::new();
        let mut rest = option.meaning;
        while let Some((before, after)) = rest.split_once("](") {
            let (before, text) = before.rsplit_once('[').expect("the link begins");
            let (_, after) = after.split_once(')').expect("the link ends");
            write!(meaning, "{before}{text}").unwrap();
            rest = after;
        }
        meaning.push_str(rest);
        writeln!(
            table,
            "| `{}` | {} | `{}` | `{}` | {meaning} |",
            option.name, option.type_name, option.default, option.variable
        )
        .unwrap();
    }
    let page = book().join("careful.md");
    let source = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = source.split_once("<!-- options -->\n").unwrap();
    let (found, after) = rest.split_once("<!-- end of options -->").unwrap();
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        let new = format!("{before}<!-- options -->\n{table}<!-- end of options -->{after}");
        std::fs::write(page, new).unwrap();
    } else {
        assert_eq!(found, table);
    }
}
