//! `#[derive(Import)]`.
use crate::support::{Errors, Root, argument, bare, respan, unknown_option};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Field, Fields, Ident, LitStr, Type, TypeParamBound};

/// Expands the derive on an item.
pub fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let item: DeriveInput = syn::parse2(item)?;
    let imports = Imports::parse(&item, &mut errors);
    Ok(match errors.finish() {
        Ok(()) => imports.generate(),
        Err(errors) => {
            let errors = errors.into_compile_error();
            // With the placeholder, a plugin's `new` does not miss the derive. Without it, a type that is not an
            // interface is one error.
            let placeholder = has_only_interfaces(&item).then(|| placeholder(&item, &imports.root));
            quote!(#errors #placeholder)
        }
    })
}

/// Returns true if each `Imported<…>` is one of a trait object.
fn has_only_interfaces(item: &DeriveInput) -> bool {
    let Data::Struct(data) = &item.data else {
        return true;
    };
    data.fields.iter().all(|field| {
        let inner = argument(&field.ty, "Option").unwrap_or(&field.ty);
        argument(inner, "Imported").is_none_or(|ty| matches!(bare(ty), Type::TraitObject(_)))
    })
}

/// Returns an empty implementation for an item with errors.
fn placeholder(item: &DeriveInput, root: &Root) -> TokenStream {
    let ident = &item.ident;
    let (parameters, arguments, bounds) = item.generics.split_for_impl();
    let (b, use_boundary) = (&root.boundary(), root.use_boundary());
    quote! {
        #[allow(clippy::all, clippy::pedantic)]
        const _: () = {
            #use_boundary

            #[automatically_derived]
            impl #parameters #root::Import for #ident #arguments #bounds {
                const IMPORTS: &'static [#b::ImportDesc] = &[];
                const METADATA: &'static str = "[]";
                fn bind(_: &#b::Bindings<'_>) -> Self {
                    ::core::unreachable!()
                }
            }
        };
    }
}

struct Imports<'a> {
    root: Root,
    ident: &'a Ident,
    fields: Vec<Import<'a>>,
}

struct Import<'a> {
    ident: &'a Ident,
    source: Source<'a>,
}

enum Source<'a> {
    Interface {
        interface: &'a Type,
        from: Option<String>,
        optional: bool,
    },
    OrderOnly {
        from: String,
    },
    Skip,
}

/// The options in `#[import(…)]` on a field.
#[derive(Default)]
struct Options {
    from: Option<LitStr>,
    host: bool,
    optional: bool,
    order_only: bool,
    skip: bool,
}

impl<'a> Imports<'a> {
    fn parse(item: &'a DeriveInput, errors: &mut Errors) -> Self {
        let mut root = Root::default();
        for attr in item
            .attrs
            .iter()
            .filter(|attr| attr.path().is_ident("import"))
        {
            let parsed = attr.parse_nested_meta(|meta| match root.parse(&meta)? {
                true => Ok(()),
                false => Err(unknown_option(&meta, "`crate = path`")),
            });
            parsed.unwrap_or_else(|error| errors.push(error));
        }
        for param in &item.generics.params {
            errors.at(
                param,
                "a struct of imports cannot have generic parameters, since the host fills it: write the type",
            );
        }
        let mut fields = Vec::new();
        match &item.data {
            Data::Struct(data) => match &data.fields {
                Fields::Named(named) => {
                    fields.extend(
                        named
                            .named
                            .iter()
                            .filter_map(|field| Import::parse(field, errors)),
                    );
                }
                Fields::Unit => {}
                Fields::Unnamed(unnamed) => {
                    errors.at(
                        unnamed,
                        "an import has the name of its field: write a struct with named fields",
                    );
                }
            },
            _ => errors.at(
                &item.ident,
                "the imports of a plugin are the fields of a struct",
            ),
        }
        Imports {
            root,
            ident: &item.ident,
            fields,
        }
    }
}

impl<'a> Import<'a> {
    fn parse(field: &'a Field, errors: &mut Errors) -> Option<Self> {
        let ident = field.ident.as_ref()?;
        let options = Options::parse(field, errors);
        let from = || {
            options
                .from
                .as_ref()
                .map_or_else(|| ident.unraw().to_string(), LitStr::value)
        };
        let source = if options.skip {
            Source::Skip
        } else if options.order_only {
            if !matches!(bare(&field.ty), Type::Tuple(tuple) if tuple.elems.is_empty()) {
                errors.at(
                    &field.ty,
                    "an `order_only` import is not called: write `()`",
                );
            }
            Source::OrderOnly { from: from() }
        } else {
            let (inner, optional) = match argument(&field.ty, "Option") {
                Some(inner) => (inner, true),
                None => (&field.ty, false),
            };
            let Some(interface) =
                argument(inner, "Imported").filter(|ty| matches!(bare(ty), Type::TraitObject(_)))
            else {
                errors.at(
                    &field.ty,
                    "an import is an `Imported<dyn Trait>`: write that, or `#[import(skip)]` for a field with a default",
                );
                return None;
            };
            if optional != options.optional {
                let text = match optional {
                    true => "write `#[import(optional)]` on a field that may be `None`",
                    false => {
                        "an optional import may be absent: write `Option<Imported<dyn Trait>>`"
                    }
                };
                errors.at(&field.ty, text);
            }
            Source::Interface {
                interface,
                from: (!options.host).then(from),
                optional,
            }
        };
        Some(Import { ident, source })
    }
}

impl Options {
    fn parse(field: &Field, errors: &mut Errors) -> Self {
        let mut options = Options::default();
        for attr in field
            .attrs
            .iter()
            .filter(|attr| attr.path().is_ident("import"))
        {
            let parsed = attr.parse_nested_meta(|meta| {
                let flags = [
                    ("host", &mut options.host),
                    ("optional", &mut options.optional),
                    ("order_only", &mut options.order_only),
                    ("skip", &mut options.skip),
                ];
                if meta.path.is_ident("from") {
                    options.from = Some(meta.value()?.parse()?);
                } else if let Some((_, flag)) =
                    flags.into_iter().find(|(name, _)| meta.path.is_ident(name))
                {
                    *flag = true;
                } else {
                    return Err(unknown_option(
                        &meta,
                        "`from = \"plugin\"`, `host`, `optional`, `order_only` and `skip`",
                    ));
                }
                Ok(())
            });
            parsed.unwrap_or_else(|error| errors.push(error));
            if options.host && (options.from.is_some() || options.order_only) {
                errors.at(
                    attr,
                    "the host exists before any plugin: `host` can be combined only with `optional`",
                );
            }
            if options.skip
                && (options.host
                    || options.optional
                    || options.order_only
                    || options.from.is_some())
            {
                errors.at(
                    attr,
                    "a skipped field imports nothing: `skip` cannot be combined with other options",
                );
            }
            if options.order_only && options.optional {
                errors.at(
                    attr,
                    "an `order_only` import names a plugin that has to exist: remove `optional`",
                );
            }
        }
        options
    }
}

impl Imports<'_> {
    fn generate(&self) -> TokenStream {
        let (root, ident) = (&self.root, self.ident);
        let (b, use_boundary) = (&root.boundary(), root.use_boundary());
        let descriptions = self
            .fields
            .iter()
            .filter_map(|import| import.description(b));
        let bounds = self
            .fields
            .iter()
            .filter_map(|import| match &import.source {
                // The compiler reports a type that is not an interface here, once.
                Source::Interface { interface, .. } => {
                    let (span, b) = (interface.span(), respan(b, interface.span()));
                    Some(quote_spanned!(span=> #interface: #b::Interface))
                }
                _ => None,
            });
        let json = self
            .fields
            .iter()
            .filter_map(Import::json)
            .collect::<Vec<_>>();
        let json = format!("[{}]", json.join(","));
        let mut index = 0usize;
        let fields = self.fields.iter().map(|import| {
            let name = import.ident;
            let value = import.value(index);
            index += usize::from(!matches!(import.source, Source::Skip));
            quote!(#name: #value)
        });
        // A `()` has no fields to read, and should cause no warning.
        let read = self.fields.iter().filter_map(|import| {
            let name = import.ident;
            let order_only = matches!(import.source, Source::OrderOnly { .. });
            order_only.then(|| quote!(let _ = |imports: &Self| imports.#name;))
        });
        quote! {
            #[allow(clippy::all, clippy::pedantic)]
            #[allow(trivial_bounds)]
            const _: () = {
                #use_boundary

                #[automatically_derived]
                impl #root::Import for #ident where #(#bounds),* {
                    const IMPORTS: &'static [#b::ImportDesc] = &[#(#descriptions),*];
                    const METADATA: &'static str = #json;
                    fn bind(objects: &#b::Bindings<'_>) -> Self {
                        #(#read)*
                        Self { #(#fields),* }
                    }
                }
            };
        }
    }
}

impl Import<'_> {
    fn description(&self, b: &TokenStream) -> Option<TokenStream> {
        let field = self.ident.unraw().to_string();
        match &self.source {
            Source::Interface {
                interface,
                from: Some(from),
                optional,
            } => Some(quote!(#b::ImportDesc::plugin::<#interface>(#field, #from, #optional))),
            Source::Interface {
                interface,
                from: None,
                optional,
            } => Some(quote!(#b::ImportDesc::host::<#interface>(#field, #optional))),
            Source::OrderOnly { from } => Some(quote!(#b::ImportDesc::order_only(#field, #from))),
            Source::Skip => None,
        }
    }

    fn value(&self, index: usize) -> TokenStream {
        match &self.source {
            // The field's type may be another name for an import of another interface, which does not compile here.
            Source::Interface {
                interface,
                optional: false,
                ..
            } => quote!(objects.required::<#interface>(#index)),
            Source::Interface {
                interface,
                optional: true,
                ..
            } => quote!(objects.optional::<#interface>(#index)),
            Source::OrderOnly { .. } => quote!(()),
            Source::Skip => quote!(::core::default::Default::default()),
        }
    }

    fn json(&self) -> Option<String> {
        let field = self.ident.unraw();
        let quoted = |text: &str| format!("\"{text}\"");
        let (from, interface, kind, optional) = match &self.source {
            Source::Interface {
                interface,
                from,
                optional,
            } => {
                let kind = if from.is_some() { "plugin" } else { "host" };
                (
                    from.as_deref().map(quoted),
                    Some(quoted(&name(interface))),
                    kind,
                    *optional,
                )
            }
            Source::OrderOnly { from } => (Some(quoted(from)), None, "order_only", false),
            Source::Skip => return None,
        };
        let or_null = |text: Option<String>| text.unwrap_or_else(|| "null".into());
        let (from, interface) = (or_null(from), or_null(interface));
        Some(format!(
            r#"{{"field":"{field}","from":{from},"interface":{interface},"kind":"{kind}","optional":{optional}}}"#
        ))
    }
}

/// Returns the last part of the trait's path.
fn name(interface: &Type) -> String {
    let Type::TraitObject(object) = bare(interface) else {
        return String::new();
    };
    let name = object.bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound
            .path
            .segments
            .last()
            .map(|last| last.ident.unraw().to_string()),
        _ => None,
    });
    name.unwrap_or_default()
}
