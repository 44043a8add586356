//! `linked_plugins!`: the plugins that `cargo hotswap build --static` links into a program.
//!
//! The command writes a file with an expression, and names the file and its program in environment variables. It uses
//! no `cfg`, since the compiler would warn about an unknown one in a user's crate.
use proc_macro2::TokenStream;
use quote::quote;
use std::env::var;

/// The variable with the path of the file.
const FILE: &str = "HOTSWAP_LINKED";
/// The variable with the program: its package, a colon, and its name.
const PROGRAM: &str = "HOTSWAP_LINKED_INTO";

pub fn expand(root: &TokenStream) -> TokenStream {
    let program = [var("CARGO_PKG_NAME"), var("CARGO_BIN_NAME")];
    let program = program.map(Result::unwrap_or_default).join(":");
    let list = list(root, var(FILE).ok(), var(PROGRAM).ok(), &program);
    // Cargo compiles the program again when one of these variables changes.
    quote! {{
        const _: [::core::option::Option<&str>; 2] =
            [::core::option_env!(#FILE), ::core::option_env!(#PROGRAM)];
        #list
    }}
}

/// Returns the list, in the program of the file or in another one.
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
                "`linked_plugins!` is used outside of the program that the plugins are linked into: use it in the binary `{binary}` \
                 of `{package}`, and pass the list on"
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
