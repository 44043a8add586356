//! `linked_plugins!`: the plugins that `cargo hotswap build --static` links into a program.
//!
//! That command writes a file with an expression, and names it in the environment, with the program that it is for. There is
//! no `cfg`, of which the compiler would warn in a user's crate.
use proc_macro2::TokenStream;
use quote::quote;
use std::env::var;

/// Names the file.
const FILE: &str = "HOTSWAP_LINKED";
/// Names the program: its package, a colon, and its name.
const PROGRAM: &str = "HOTSWAP_LINKED_INTO";

pub fn expand(root: &TokenStream) -> TokenStream {
    let program = [var("CARGO_PKG_NAME"), var("CARGO_BIN_NAME")];
    let program = program.map(Result::unwrap_or_default).join(":");
    let list = list(root, var(FILE).ok(), var(PROGRAM).ok(), &program);
    // Cargo compiles the program again when what is asked for here changes.
    quote! {{
        const _: [::core::option::Option<&str>; 2] =
            [::core::option_env!(#FILE), ::core::option_env!(#PROGRAM)];
        #list
    }}
}

/// The list, in a program which has the file with it or not.
fn list(
    root: &TokenStream,
    file: Option<String>,
    wanted: Option<String>,
    program: &str,
) -> TokenStream {
    match file {
        None => quote!(<#root::LinkedPlugins as ::core::default::Default>::default()),
        Some(file) if wanted.as_deref() == Some(program) => quote! {
            use #root::linked as __hotswap;
            ::core::include!(#file)
        },
        Some(_) => {
            let wanted = wanted.unwrap_or_default();
            let (package, binary) = wanted.split_once(':').unwrap_or_default();
            let error = format!(
                "`linked_plugins!` stands outside of the program that the plugins are linked into, the binary `{binary}` of \
                 `{package}`: use it there, and hand the list on"
            );
            quote!(::core::compile_error!(#error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::list;
    use quote::quote;

    fn made(file: Option<&str>, wanted: Option<&str>, program: &str) -> String {
        let text = |text: &str| text.to_owned();
        list(&quote!(host), file.map(text), wanted.map(text), program).to_string()
    }

    #[test]
    fn only_the_program_that_they_are_for_has_them() {
        let none = made(None, None, "hello:hello");
        assert!(none.contains("default"), "{none}");
        let linked = made(Some("/plugins.rs"), Some("hello:hello"), "hello:hello");
        assert!(linked.contains("include ! (\"/plugins.rs\")"), "{linked}");
        let elsewhere = made(Some("/plugins.rs"), Some("hello:hello"), "hello:");
        assert!(
            elsewhere.contains("the binary `hello` of `hello`"),
            "{elsewhere}"
        );
    }
}
