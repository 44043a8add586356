//! What all macros share: lists of errors, options, and types as their author wrote them.
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use std::fmt::Display;
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{
    Attribute, GenericArgument, Path, PathArguments, Type, TypeParamBound, TypeReference,
    TypeTraitObject,
};

/// The errors of one use of a macro, which are reported together.
#[derive(Default)]
pub struct Errors {
    all: Option<syn::Error>,
    /// True if an error leaves nothing to expand.
    is_fatal: bool,
}

impl Errors {
    /// Adds an error on these tokens.
    pub fn at(&mut self, tokens: impl ToTokens, text: impl Display) {
        self.push(syn::Error::new_spanned(tokens, text));
    }

    /// Adds an error at this place.
    pub fn on(&mut self, span: Span, text: impl Display) {
        self.push(syn::Error::new(span, text));
    }

    /// Adds an error.
    pub fn push(&mut self, error: syn::Error) {
        self.is_fatal = true;
        self.add(error);
    }

    /// Adds an error about an option. The item can be expanded without the option.
    pub fn option(&mut self, error: syn::Error) {
        self.add(error);
    }

    fn add(&mut self, error: syn::Error) {
        match &mut self.all {
            Some(first) => first.combine(error),
            None => self.all = Some(error),
        }
    }

    /// Returns all errors, if there are any.
    pub fn finish(self) -> syn::Result<()> {
        self.all.map_or(Ok(()), Err)
    }

    /// Returns the expansion, with the errors beside it, so that the code around it does not miss the macro. Errors
    /// that leave nothing to expand come alone.
    pub fn beside(self, expand: impl FnOnce() -> TokenStream) -> syn::Result<TokenStream> {
        match self.all {
            Some(errors) if self.is_fatal => Err(errors),
            errors => {
                let errors = errors.map(syn::Error::into_compile_error);
                let expanded = expand();
                Ok(quote!(#errors #expanded))
            }
        }
    }
}

/// The path of the crate `hotswap_plugin` in generated code: the default, or that of the option `crate = path`.
pub struct Root(Path);

impl Default for Root {
    fn default() -> Self {
        Root(syn::parse_quote!(::hotswap_plugin))
    }
}

impl Root {
    /// Parses the options of a macro that has only `crate = path`.
    pub fn only(options: TokenStream) -> syn::Result<Self> {
        let mut root = Root::default();
        syn::meta::parser(|meta| match root.parse(&meta)? {
            true => Ok(()),
            false => Err(unknown_option(&meta, "`crate = path`")),
        })
        .parse2(options)?;
        Ok(root)
    }

    /// Does the same, but reports wrong options as errors, and uses the default in their place.
    pub fn only_or_default(options: TokenStream, errors: &mut Errors) -> Self {
        Root::only(options).unwrap_or_else(|error| {
            errors.option(error);
            Root::default()
        })
    }

    /// Reads the option `crate = path`. Returns false if this is another option.
    pub fn parse(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<bool> {
        if !meta.path.is_ident("crate") {
            return Ok(false);
        }
        self.0 = meta.value()?.call(Path::parse_mod_style)?;
        Ok(true)
    }

    /// Returns an attribute for code in `hotswap_plugin` itself, which denies unsafe code where it is not expected. The
    /// lint does not look into the expansions of other crates' macros.
    pub fn allow_unsafe(&self) -> Option<TokenStream> {
        self.0
            .is_ident("crate")
            .then(|| quote!(#[allow(unsafe_code)]))
    }

    /// Returns the path of the module `boundary`, which `use_boundary` brings into scope.
    pub fn boundary(&self) -> TokenStream {
        quote!(__hotswap)
    }

    /// Returns the first item of a generated scope.
    pub fn use_boundary(&self) -> TokenStream {
        let name = self.boundary();
        quote!(use #self::boundary as #name;)
    }
}

impl ToTokens for Root {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// Returns tokens as a person writes them: `Vec<&str>`, not `Vec < & str >`.
pub fn written(tokens: impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, tight) in [
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        ("& ", "&"),
        (" ,", ","),
        (" :: ", "::"),
        (":: ", "::"),
        (" ;", ";"),
        ("' ", "'"),
        ("( ", "("),
        (" )", ")"),
        ("[ ", "["),
        (" ]", "]"),
        (" (", "("),
        (" :", ":"),
        ("->", " -> "),
    ] {
        text = text.replace(spaced, tight);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Escapes a text for the inside of a JSON string.
pub fn json(text: &str) -> String {
    let mut escaped = String::new();
    for char in text.chars() {
        match char {
            '"' | '\\' => escaped.extend(['\\', char]),
            char if char < ' ' => escaped += &format!("\\u{:04x}", char as u32),
            char => escaped.push(char),
        }
    }
    escaped
}

/// Refuses a `cfg`, with which the two sides of the boundary would disagree about an item.
pub fn refuse_cfg(attrs: &[Attribute], what: &str, errors: &mut Errors) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("cfg")) {
        errors.at(
            attr,
            format!("a {what} has to exist in every build, since host and plugin must agree on it: remove the `cfg`"),
        );
    }
}

/// Returns the type without parentheses and invisible groups.
pub fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => bare(&inner.elem),
        Type::Group(inner) => bare(&inner.elem),
        ty => ty,
    }
}

/// Returns true if the type is a reference.
pub fn is_reference(ty: &Type) -> bool {
    matches!(bare(ty), Type::Reference(_))
}

/// Returns `T` of `Name<T>`.
pub fn argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = bare(ty) else {
        return None;
    };
    let last = path
        .path
        .segments
        .last()
        .filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first() {
        Some(GenericArgument::Type(ty)) => Some(ty),
        _ => None,
    }
}

/// Refuses a type that its receiver cannot own. `place` is the item with the type, such as `a field`.
pub fn check_owned(ty: &Type, place: &str, errors: &mut Errors) {
    struct Owned<'a> {
        place: &'a str,
        errors: &'a mut Errors,
    }
    impl Visit<'_> for Owned<'_> {
        fn visit_type(&mut self, ty: &Type) {
            let place = self.place;
            match ty {
                Type::Reference(reference) => {
                    let instead = owned(reference);
                    self.errors.at(ty, format!("{place} cannot borrow, since its value is copied to the other side: write `{instead}`"));
                }
                Type::Ptr(_) => self.errors.at(ty, format!("{place} cannot hold an address, which is valid on one side only")),
                Type::FnPtr(_) => self.errors.at(ty, format!("{place} cannot hold a function, which would be gone with its library: offer an `#[interface]`")),
                Type::ImplTrait(_) => self.errors.at(ty, format!("{place} cannot be `impl Trait`: write the concrete type")),
                Type::Infer(_) => self.errors.at(ty, "write the type"),
                Type::TraitObject(object) if !is_error(object) => {
                    let object = written(object);
                    self.errors.at(ty, format!("{place} cannot be a bare trait object, whose library may be unloaded: write `Held<{object}>`, which keeps the library loaded"));
                }
                ty if held(ty).is_some() => {}
                ty => syn::visit::visit_type(self, ty),
            }
        }
    }
    Owned { place, errors }.visit_type(ty);
}

/// Returns `dyn Trait` of `Held<dyn Trait>`.
pub fn held(ty: &Type) -> Option<&Type> {
    argument(ty, "Held").filter(|ty| matches!(bare(ty), Type::TraitObject(_)))
}

/// Returns true if the object is an error, which crosses as a string.
fn is_error(object: &TypeTraitObject) -> bool {
    object.bounds.iter().any(|bound| {
        matches!(bound, TypeParamBound::Trait(bound)
            if bound.path.segments.last().is_some_and(|last| last.ident == "Error"))
    })
}

/// Refuses a type that cannot be a parameter.
pub fn check_param(ty: &Type, errors: &mut Errors) {
    let Type::Reference(reference) = bare(ty) else {
        return check_owned(ty, "a parameter", errors);
    };
    if let Some(lifetime) = &reference.lifetime {
        errors.at(
            lifetime,
            "a borrowed parameter lives as long as the call: leave out the lifetime",
        );
    }
    if let Some(token) = &reference.mutability {
        errors.at(
            token,
            "a parameter cannot be changed across the boundary: take `&T`, and return the new value",
        );
    }
    match bare(&reference.elem) {
        Type::Slice(slice) => check_owned(&slice.elem, "an item", errors),
        inner => check_owned(inner, "a parameter", errors),
    }
}

/// Returns the type to write instead of a reference.
pub fn owned(reference: &TypeReference) -> String {
    match bare(&reference.elem) {
        Type::Path(path) if path.path.is_ident("str") => "String".into(),
        Type::Slice(slice) => format!("Vec<{}>", written(&slice.elem)),
        inner => written(inner),
    }
}

/// Returns an error for the first option that is not `crate`.
pub fn unknown_option(meta: &ParseNestedMeta<'_>, known: &str) -> syn::Error {
    meta.error(format!("there is no such option; the options are {known}"))
}

/// Returns the same tokens. Errors about them are reported on this span.
pub fn respan(tokens: &TokenStream, span: Span) -> TokenStream {
    let respanned = tokens.clone().into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    respanned.collect()
}

/// Returns the span on which to report an error about a type: that of its name.
pub fn name_span(ty: &Type) -> Span {
    match bare(ty) {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map_or(ty.span(), |last| last.ident.span()),
        ty => ty.span(),
    }
}

#[cfg(test)]
mod tests {
    use super::{json, written};

    #[test]
    fn types_are_written_as_by_their_author() {
        for text in [
            "&str",
            "Vec<&[Vector]>",
            "Result<HashMap<String, Option<(u8, u8)>>, std::num::ParseIntError>",
            "[u8; 16]",
            "()",
            "Box<dyn Error + Send + Sync>",
        ] {
            assert_eq!(written(syn::parse_str::<syn::Type>(text).unwrap()), text);
        }
    }

    #[test]
    fn json_is_escaped() {
        assert_eq!(json("a \"b\" \\ \n"), r#"a \"b\" \\ \u000a"#);
    }
}
