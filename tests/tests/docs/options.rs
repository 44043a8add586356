//! The tables of the options of reloads and of the metrics, which are made from the code.
use crate::pages::book;
use hotswap_host::ReloadOptions;
use hotswap_operate::HostMetrics;
use std::fmt::Write;

/// `INSTA_UPDATE=always` writes the present tables into the pages.
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
    compare("careful.md", "options", &table);
}

#[test]
fn the_table_of_metrics_is_that_of_the_code() {
    let mut table = String::from("| metric | kind | labels | meaning |\n|---|---|---|---|\n");
    for metric in HostMetrics::describe() {
        let (name, kind) = (metric.name, metric.kind);
        let labels = metric.labels.split(", ").filter(|label| !label.is_empty());
        let labels = labels.map(|label| format!("`{label}`")).collect::<Vec<_>>();
        let (labels, meaning) = (labels.join(", "), metric.meaning);
        writeln!(table, "| `{name}` | {kind} | {labels} | {meaning} |").unwrap();
    }
    compare("metrics.md", "metrics", &table);
}

/// Compares the table between two comments of a page.
fn compare(page: &str, name: &str, table: &str) {
    let (begin, end) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let page = book().join(page);
    let source = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = source.split_once(&begin).unwrap();
    let (found, after) = rest.split_once(&end).unwrap();
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(page, format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(found, table);
    }
}
