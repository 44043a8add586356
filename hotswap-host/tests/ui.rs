//! What the compiler says when a host is written wrong. `TRYBUILD=overwrite cargo test -p hotswap-host --test ui` accepts
//! what it says now.

#[test]
fn what_would_break_the_types_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
