//! What the compiler says when a macro is misused. `TRYBUILD=overwrite cargo test -p hotswap-plugin --test ui` accepts
//! what it says now.

#[test]
fn misuse() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
