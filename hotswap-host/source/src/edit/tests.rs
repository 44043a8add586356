use super::*;

const LIB: &str = "\
mod jobs;
#[plugin]
impl World {
    /// Hums.
    #[invoke]
    pub fn hum(&self, times: u32) -> String {
        let hum = self.word();
        hum.repeat(times as usize)
    }
    fn word(&self) -> String { \"hum\".into() }
    const fn seven() -> u32 { 7 }
}
";

const JOBS: &str = "\
#[live]
fn kind(of: u32) -> &'static str {
    match of {
        0 => \"none\",
        1 => { \"one\" }
        _ => \"many\",
    }
}
";

fn of(files: &[(&str, &str)]) -> Sources {
    let files = files.iter();
    Sources::new(
        "world",
        files.map(|&(path, text)| (path.into(), text.into())),
    )
}

fn sources() -> Sources {
    of(&[("src/jobs.rs", JOBS), ("src/lib.rs", LIB)])
}

fn text<'a>(edited: &'a Edited, path: &str) -> &'a str {
    let mut files = edited.sources.files().iter();
    &files.find(|file| file.path == path).unwrap().text
}

fn injected(name: &str, injection: &str) -> Edited {
    sources().inject(name, &injection.parse().unwrap()).unwrap()
}

fn error<T: std::fmt::Debug>(result: Result<T, SourceError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_function_is_replaced_and_keeps_what_the_text_does_not_have() {
    let new = "\n\nfn hum(&self, n: u32) -> String {\n    format!(\"{n}\")\n}\n";
    let edited = sources().rewrite("hum", new).unwrap();
    let (before, after) = LIB.split_once("        let hum").unwrap();
    let before = before
        .strip_suffix("(&self, times: u32) -> String {\n")
        .unwrap();
    let after = after.split_once("    }\n").unwrap().1;
    let expected =
        format!("{before}(&self, n: u32) -> String {{\n    format!(\"{{n}}\")\n}}\n{after}");
    assert_eq!(text(&edited, "src/lib.rs"), expected);
    assert_eq!(text(&edited, "src/jobs.rs"), JOBS);
    let [change] = &*edited.changes else {
        panic!("{:?}", edited.changes)
    };
    assert_eq!((&*change.path, &*change.file), ("World::hum", "src/lib.rs"));
    assert_eq!((change.lines.clone(), change.before), (4..=8, 6));
    // The line with `format!` is the seventh of the file, and the fourth of the text.
    assert_eq!(7 - change.offset.unwrap(), 4);
}

#[test]
fn attributes_of_the_text_take_the_place_of_the_earlier_ones() {
    let rewritten = |new: &str| {
        let edited = sources().rewrite("hum", new).unwrap();
        let text = text(&edited, "src/lib.rs");
        let text = text.split_once("impl World {\n").unwrap().1;
        text.split_once("\n    fn word").unwrap().0.to_owned()
    };
    let body = "fn hum(&self, _: u32) -> String { String::new() }";
    assert_eq!(
        rewritten(&format!("/// Sings.\n    {body}")),
        format!("    #[invoke]\n    /// Sings.\n    pub {body}")
    );
    assert_eq!(
        rewritten(&format!("#[invoke(name = \"h\")] pub(crate) {body}")),
        format!("    #[invoke(name = \"h\")] pub(crate) {body}")
    );
}

#[test]
fn what_is_not_this_function_is_refused() {
    let rewrite = |text: &str| error(sources().rewrite("hum", text));
    assert_eq!(
        rewrite("fn hum(&self, times: u64) -> String { x() }"),
        "the signature of `World::hum` would change, and what calls it would not fit any more; change the sources, and \
         reload\n  the sources have: fn hum(&self, _: u32) -> String\n  the new text has: fn hum(&self, _: u64) -> \
         String"
    );
    assert_eq!(
        rewrite("fn hum(&self, _: u32) -> String { x() }\nfn x() {}"),
        "the new text has 2 functions; write the one that is replaced, and nothing else"
    );
    assert_eq!(
        rewrite(" "),
        "the new text has 0 functions; write the one that is replaced, and nothing else"
    );
    assert_eq!(
        rewrite("fn sing(&self, _: u32) -> String { x() }"),
        "the new text is the function `sing`, which cannot replace `World::hum`; keep the name"
    );
    let message = rewrite("fn hum(&self, _: u32) -> String {\n  let = 7; }");
    let expected = "line 2, column 7 of the new text: expected one of: identifier";
    assert!(message.starts_with(expected), "{message}");
    assert!(matches!(
        sources().rewrite("hun", "fn hun() {}"),
        Err(SourceError::NoFunction { .. })
    ));
    // A comma at the end of the parameters means nothing.
    sources()
        .rewrite("hum", "fn hum(&self, t: u32,) -> String { x(t) }")
        .unwrap();
}

#[test]
fn code_is_put_where_it_was_wanted() {
    let hum = |injection: &str| {
        let edited = injected("hum", injection);
        let text = text(&edited, "src/lib.rs");
        let text = text.split_once("-> String {").unwrap().1;
        text.split_once("\n    }").unwrap().0.to_owned()
    };
    let (word, value) = ("let hum = self.word();", "hum.repeat(times as usize)");
    let indent = "\n        ";
    assert_eq!(
        hum("start: log()"),
        format!("{indent}log();{indent}{word}{indent}{value}")
    );
    let before_value = format!("{indent}{word}{indent}a(); b();{indent}{value}");
    assert_eq!(hum("end: a(); b();"), before_value);
    assert_eq!(hum("statement 2: a(); b()"), before_value);
    let with_let = hum("statement 2: let times = 7");
    assert!(with_let.contains("let times = 7;\n"), "{with_let}");
}

#[test]
fn code_at_the_end_of_a_function_without_a_value() {
    let sources = of(&[("src/lib.rs", "fn all() {\n    one();\n}\n")]);
    let edited = sources
        .inject("all", &"end: two!()".parse().unwrap())
        .unwrap();
    let text = text(&edited, "src/lib.rs");
    assert_eq!(text, "fn all() {\n    one();\n    two!();\n}\n");
    assert_eq!(
        edited.diff(&sources),
        "--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1,3 +1,4 @@\n fn all() {\n     one();\n+    two!();\n }\n"
    );
}

#[test]
fn arms_with_and_without_braces() {
    let kind = |injection: &str| text(&injected("jobs::kind", injection), "src/jobs.rs").to_owned();
    assert_eq!(
        kind("arm 1: log()"),
        JOBS.replace("0 => \"none\"", "0 => { log(); \"none\" }")
    );
    assert_eq!(
        kind("arm 2: log()"),
        JOBS.replace("{ \"one\" }", "{\n    log(); \"one\" }")
    );
}

#[test]
fn code_in_all_functions_but_constant_ones() {
    let edited = injected("*", "start: log()");
    let paths: Vec<_> = edited.changes.iter().map(|change| &*change.path).collect();
    assert_eq!(paths, ["jobs::kind", "World::hum", "World::word"]);
    let all: String = edited.sources.files().iter().map(|f| &*f.text).collect();
    assert_eq!(all.matches("log();").count(), 3);
    for file in edited.sources.files() {
        syn::parse_str::<syn::File>(&file.text).unwrap();
    }
}

#[test]
fn places_that_are_not_there() {
    let inject =
        |name: &str, injection: &str| error(sources().inject(name, &injection.parse().unwrap()));
    assert_eq!(
        inject("hum", "statement 3: x()"),
        "`World::hum` has no place `statement 3`; it has 2 statements"
    );
    assert_eq!(
        inject("hum", "statement 0: x()"),
        "`World::hum` has no place `statement 0`; it has 2 statements"
    );
    assert_eq!(
        inject("kind", "arm 4: x()"),
        "`jobs::kind` has no place `arm 4`; it has 3 arms"
    );
    assert_eq!(
        inject("hum", "arm 1: x()"),
        "`World::hum` has no place `arm 1`; it has no `match`"
    );
    for wrong in [
        "middle: x()",
        "x()",
        "statement: x()",
        "arm one: x()",
        "start 1: x()",
    ] {
        assert!(
            matches!(wrong.parse::<Injection>(), Err(SourceError::Place(_))),
            "{wrong}"
        );
    }
    for wrong in ["start:", "start: )", "end: let"] {
        assert!(
            matches!(wrong.parse::<Injection>(), Err(SourceError::Code(_))),
            "{wrong}"
        );
    }
}
