use super::rewrite;
use crate::list::{Genre, Mutant};

/// Rewrites a text with the mutants whose places it shows: `‹5:&&→||›` is the mutant 5, which makes `||` of `&&`.
fn rewritten(shown: &str, genre: Genre) -> (String, Vec<usize>) {
    let (mut text, mut mutants) = (String::new(), Vec::new());
    let mut parts = shown.split('‹');
    text.push_str(parts.next().unwrap());
    for part in parts {
        let (mutant, after) = part.split_once('›').unwrap();
        let (id, change) = mutant.split_once(':').unwrap();
        let (from, to) = change.split_once('→').unwrap();
        let start = text.len();
        text.push_str(from);
        mutants.push(Mutant {
            id: id.parse().unwrap(),
            name: mutant.to_owned(),
            file: String::new(),
            genre,
            span: start..text.len(),
            replacement: to.to_owned(),
            return_type: String::new(),
        });
        text.push_str(after);
    }
    let result = rewrite(&text, &mutants.iter().collect::<Vec<_>>()).unwrap();
    (result.text, result.impossible.into_iter().collect())
}

#[track_caller]
fn check(shown: &str, genre: Genre, text: &str) {
    let text = text.replace("on(", "crate::switched::on(");
    assert_eq!(rewritten(shown, genre), (text, vec![]));
}

#[test]
fn operators_of_one_expression_have_one_place() {
    check(
        "fn f() { g(a ‹1:==→!=› b ‹2:&&→||› c) }",
        Genre::BinaryOperator,
        "fn f() { g((if on(1) { (a != b && c) } else if on(2) { (a == b || c) } else { (a == b && c) })) }",
    );
}

#[test]
fn an_expression_in_an_operand_has_its_own() {
    check(
        "fn f() { a ‹1:+→-› g(b ‹2:*→/› c) }",
        Genre::BinaryOperator,
        "fn f() { (if on(1) { (a - g(b * c)) } else { (a + g((if on(2) { (b / c) } else { (b * c) }))) }) }",
    );
}

#[test]
fn a_condition_with_let_has_no_or() {
    let (text, impossible) = rewritten(
        "fn f() { if let A = a ‹1:&&→||› b ‹2:==→!=› c {} }",
        Genre::BinaryOperator,
    );
    assert_eq!(impossible, [1]);
    let rest =
        "fn f() { if let A = a && (if crate::switched::on(2) { (b != c) } else { (b == c) }) {} }";
    assert_eq!(text, rest);
}

#[test]
fn a_unary_operator() {
    check(
        "fn f() -> bool { ‹1:!→›a.b() }",
        Genre::UnaryOperator,
        "fn f() -> bool { (if on(1) { (a.b()) } else { (!a.b()) }) }",
    );
}

#[test]
fn bodies() {
    check(
        "fn f() -> bool { ‹1:a == b→true› }",
        Genre::FnValue,
        "fn f() -> bool { if on(1) { return true; } a == b }",
    );
}

#[test]
fn arms() {
    check(
        "fn f() { match a { ‹1:X | Y => b,→› _ => {} } }",
        Genre::MatchArm,
        "fn f() { match a { X | Y if true && !on(1) => b, _ => {} } }",
    );
}

#[test]
fn guards() {
    check(
        "fn f() { match a { X if ‹1:b→true› => {} Y if ‹2:c→false› => {} _ => {} } }",
        Genre::MatchArmGuard,
        "fn f() { match a { X if on(1) || ((b)) => {} Y if (!on(2) && (c)) => {} _ => {} } }",
    );
}

#[test]
fn fields() {
    check(
        "fn f() { A { ‹1:b: c,→› ..d } }",
        Genre::StructField,
        "fn f() { (if on(1) { (A {  ..d }) } else { (A { b: c, ..d }) }) }",
    );
}
