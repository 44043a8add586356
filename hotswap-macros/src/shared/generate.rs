//! `#[shared]`: the generated code.
use super::{Body, Shared};
use crate::bounds;
use crate::support::Root;
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Fields, Ident, Item, Member, Type};

/// Returns the item, its view, and the implementations that let it cross.
pub fn shared(root: &Root, shared: &Shared<'_>, item: &Item) -> TokenStream {
    let (b, use_boundary) = (&root.boundary(), root.use_boundary());
    let allow_unsafe = root.allow_unsafe();
    let ident = shared.ident;
    let name = ident.unraw().to_string();
    let view = format_ident!("__{name}View");
    let Code {
        repr,
        kind,
        view_item,
        parts,
        plain,
        to_view,
        from_view,
        to_value,
        from_value,
    } = match &shared.body {
        Body::Struct(fields) => of_struct(b, shared, &view, &Group::new(b, fields)),
        Body::Enum(variants) => {
            let variants = variants
                .iter()
                .map(|v| (&v.ident, Group::new(b, &v.fields)));
            of_enum(b, shared, &view, &variants.collect::<Vec<_>>())
        }
    };
    let bounds = bounds::of_types(b, shared.types());
    let borrows = any(shared.types().map(|ty| via(b, ty, "BORROWS")));
    quote! {
        #repr
        #item

        #allow_unsafe
        #[allow(clippy::all, clippy::pedantic)]
        #[allow(trivial_bounds, unused_unsafe, unused_variables)]
        const _: () = {
            #use_boundary

            #[doc(hidden)]
            #view_item

            #[automatically_derived]
            impl ::core::clone::Clone for #view #bounds {
                #[inline]
                fn clone(&self) -> Self {
                    *self
                }
            }
            #[automatically_derived]
            impl ::core::marker::Copy for #view #bounds {}

            #[automatically_derived]
            unsafe impl #b::Shared for #ident #bounds {
                const TYPE: &'static #b::TypeDesc = &#b::TypeDesc::new::<#view>(
                    ::core::env!("CARGO_PKG_NAME"),
                    #name,
                    #b::Kind::#kind,
                    &[#parts],
                );
                type View = #view;
                const BORROWS: bool = #borrows;
                const PLAIN: bool = #plain;
                #[inline]
                fn view(&self, arena: &#b::Arena) -> #view {
                    #to_view
                }
                #[inline]
                unsafe fn from_view(view: #view) -> Self {
                    unsafe { #from_view }
                }
                fn to_value(&self) -> #b::Value {
                    #to_value
                }
                fn from_value(value: #b::Value) -> ::core::result::Result<Self, #b::ValueError> {
                    #from_value
                }
            }
            #root::__returned!([] #ident #bounds);
            #root::__arg!([] #ident #bounds);
        };
    }
}

fn any(terms: impl Iterator<Item = TokenStream>) -> TokenStream {
    terms
        .reduce(|all, term| quote!(#all || #term))
        .unwrap_or_else(|| quote!(false))
}

/// The code that differs between a struct and an enum.
struct Code {
    repr: Option<TokenStream>,
    kind: TokenStream,
    view_item: TokenStream,
    parts: TokenStream,
    plain: TokenStream,
    to_view: TokenStream,
    from_view: TokenStream,
    to_value: TokenStream,
    from_value: TokenStream,
}

fn of_struct(b: &TokenStream, shared: &Shared<'_>, view: &Ident, group: &Group<'_>) -> Code {
    let bounds = bounds::of_types(b, shared.types());
    let declared = group.views();
    let view_fields = match group.fields {
        Fields::Named(_) => quote!(#bounds #declared),
        _ => quote!(#declared #bounds;),
    };
    let to_view = group.build(|p| p.via("view", quote!((&self.#p, arena))));
    let from_view = group.build(|p| p.via("from_view", quote!((view.#p))));
    let repr = || {
        let attrs = shared.attrs.iter();
        attrs.filter(|attr| attr.path().is_ident("repr"))
    };
    // A view has the layout of the struct if that is the one of `repr(C)` alone. There may be several attributes.
    let is_c = |repr: &Attribute| repr.parse_args::<Ident>().is_ok_and(|repr| repr == "C");
    let plain = match repr().all(is_c) {
        true => {
            let plain = shared.types().map(|ty| via(b, ty, "PLAIN"));
            // Another macro may add a `repr` below this one.
            let same = ["size_of", "align_of"].map(|of| {
                let of = format_ident!("{of}");
                quote!(::core::mem::#of::<Self>() == ::core::mem::#of::<#view>())
            });
            quote!(!::core::mem::needs_drop::<Self>() #(&& #same)* #(&& #plain)*)
        }
        false => quote!(false),
    };
    Code {
        repr: repr().next().is_none().then(|| quote!(#[repr(C)])),
        kind: quote!(Struct),
        view_item: quote!(#[repr(C)] pub struct #view #view_fields),
        parts: group.descriptions(),
        plain,
        to_view: quote!(#view #to_view),
        from_view: quote!(Self #from_view),
        to_value: group.to_value(|p| quote!(&self.#p)),
        from_value: group.read_value(&quote!(Self), &shared.ident.unraw().to_string()),
    }
}

fn of_enum(
    b: &TokenStream,
    shared: &Shared<'_>,
    view: &Ident,
    variants: &[(&Ident, Group<'_>)],
) -> Code {
    let (name, bounds) = (
        shared.ident.unraw().to_string(),
        bounds::of_types(b, shared.types()),
    );
    let each = |code: &dyn Fn(&Ident, &str, &Group<'_>) -> TokenStream| -> TokenStream {
        variants
            .iter()
            .map(|(ident, group)| code(ident, &ident.unraw().to_string(), group))
            .collect()
    };
    let declared = each(&|ident, _, group| {
        let views = group.views();
        quote!(#ident #views,)
    });
    let parts = each(&|_, name, group| {
        let fields = group.descriptions();
        quote!(#b::FieldDesc::new(#name, &#b::TypeDesc::variant(&[#fields])),)
    });
    let to_view = each(&|ident, _, group| {
        let (pattern, value) = (
            group.pattern(),
            group.build(|p| p.local_via("view", quote!(, arena))),
        );
        quote!(Self::#ident #pattern => #view::#ident #value,)
    });
    let from_view = each(&|ident, _, group| {
        let (pattern, value) = (
            group.pattern(),
            group.build(|p| p.local_via("from_view", quote!())),
        );
        quote!(#view::#ident #pattern => Self::#ident #value,)
    });
    let to_value = each(&|ident, name, group| {
        let pattern = group.pattern();
        if group.parts.is_empty() {
            return quote!(Self::#ident #pattern => #b::Value::from(#name),);
        }
        let value = group.to_value(|part| part.local.to_token_stream());
        quote!(Self::#ident #pattern => #b::value_shape::variant(#name, #value),)
    });
    let from_value = each(&|ident, name, group| {
        let read = group.read_value(&quote!(Self::#ident), name);
        quote!(#name => #b::value_shape::within(#name, || { #read }),)
    });
    Code {
        repr: None,
        kind: quote!(Enum),
        view_item: quote!(#[repr(u32)] pub enum #view #bounds { #declared }),
        parts,
        plain: quote!(false),
        to_view: quote!(match self { #to_view }),
        from_view: quote!(match view { #from_view }),
        to_value: quote!(match self { #to_value }),
        from_value: quote! {
            let (name, value) = #b::value_shape::into_variant(value, #name)?;
            match name.as_str() {
                #from_value
                _ => #b::value_shape::unknown_variant(#name, name),
            }
        },
    }
}

/// The fields of a struct or variant.
struct Group<'a> {
    boundary: &'a TokenStream,
    fields: &'a Fields,
    parts: Vec<Part<'a>>,
}

struct Part<'a> {
    boundary: &'a TokenStream,
    member: Member,
    /// The local that a pattern binds it to.
    local: Ident,
    name: String,
    ty: &'a Type,
}

impl<'a> Group<'a> {
    fn new(boundary: &'a TokenStream, fields: &'a Fields) -> Self {
        let parts = fields
            .members()
            .zip(fields)
            .enumerate()
            .map(|(i, (member, field))| {
                let (local, name) = match &member {
                    Member::Named(ident) => (ident.clone(), ident.unraw().to_string()),
                    Member::Unnamed(index) => (format_ident!("item{i}"), index.index.to_string()),
                };
                Part {
                    boundary,
                    member,
                    local,
                    name,
                    ty: &field.ty,
                }
            });
        Group {
            boundary,
            fields,
            parts: parts.collect(),
        }
    }

    /// Returns the fields with an expression for each: `{ a: x, b: y }`, `(x, y)`, or nothing.
    fn build(&self, item: impl Fn(&Part<'_>) -> TokenStream) -> TokenStream {
        let items = self.parts.iter().map(|part| {
            let (item, member) = (item(part), &part.member);
            match self.fields {
                Fields::Named(_) => quote!(#member: #item),
                _ => item,
            }
        });
        match self.fields {
            Fields::Named(_) => quote!({ #(#items),* }),
            Fields::Unnamed(_) => quote!((#(#items),*)),
            Fields::Unit => quote!(),
        }
    }

    fn views(&self) -> TokenStream {
        self.build(|part| part.via("View", quote!()))
    }

    fn pattern(&self) -> TokenStream {
        match self.fields {
            Fields::Named(_) => {
                let members = self.parts.iter().map(|part| &part.member);
                quote!({ #(#members),* })
            }
            _ => self.build(|part| part.local.to_token_stream()),
        }
    }

    fn descriptions(&self) -> TokenStream {
        let b = self.boundary;
        let items = self.parts.iter().map(|part| {
            let (name, ty) = (&part.name, part.via("TYPE", quote!()));
            quote!(#b::FieldDesc::new(#name, #ty))
        });
        quote!(#(#items),*)
    }

    /// Returns nothing, a map, a list, or the value of the only field without a name.
    fn to_value(&self, place: impl Fn(&Part<'_>) -> TokenStream) -> TokenStream {
        let b = self.boundary;
        if self.parts.is_empty() {
            return quote!(#b::Value::Nil);
        }
        let value = |part: &Part<'_>| {
            let place = place(part);
            part.via("to_value", quote!((#place)))
        };
        match self.fields {
            Fields::Named(_) => {
                let items = self.parts.iter().map(|part| {
                    let (name, value) = (&part.name, value(part));
                    quote!((#name, #value))
                });
                quote!(#b::value_shape::map([#(#items),*]))
            }
            Fields::Unnamed(_) if self.parts.len() == 1 => value(&self.parts[0]),
            _ => {
                let items = self.parts.iter().map(value);
                quote!(#b::Value::List(::std::vec::Vec::from([#(#items),*])))
            }
        }
    }

    /// Returns the reverse: the end of a block with `value` in scope.
    fn read_value(&self, what: &TokenStream, name: &str) -> TokenStream {
        let b = self.boundary;
        if self.parts.is_empty() {
            let empty = self.build(|_| quote!());
            return quote!(#b::value_shape::into_nothing(value).map(|()| #what #empty));
        }
        let ok = quote!(::core::result::Result::Ok);
        match self.fields {
            Fields::Named(_) => {
                let items = self.build(|part| {
                    let (name, read) = (&part.name, part.via("from_value", quote!()));
                    quote!(fields.take(#name, #read)?)
                });
                quote! {
                    let mut fields = #b::value_shape::into_fields(value, #name)?;
                    let this = #what #items;
                    fields.end()?;
                    #ok(this)
                }
            }
            Fields::Unnamed(_) if self.parts.len() == 1 => {
                let read = self.parts[0].via("from_value", quote!((value)));
                quote!(#ok(#what(#read?)))
            }
            _ => {
                let len = self.parts.len();
                let items = self.build(|part| {
                    let read = part.via("from_value", quote!());
                    quote!(items.take(#read)?)
                });
                quote! {
                    let mut items = #b::value_shape::into_items(value, #name, #len)?;
                    #ok(#what #items)
                }
            }
        }
    }
}

impl Part<'_> {
    /// Returns `<T as Shared>::item`, applied to `args`.
    fn via(&self, item: &str, args: TokenStream) -> TokenStream {
        let path = via(self.boundary, self.ty, item);
        quote!(#path #args)
    }

    /// Returns `<T as Shared>::item`, applied to the local of the field and to `more`.
    fn local_via(&self, item: &str, more: TokenStream) -> TokenStream {
        let local = &self.local;
        let local = quote!(#local);
        self.via(item, quote!((#local #more)))
    }
}

impl ToTokens for Part<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.member.to_tokens(tokens);
    }
}

/// Returns `<ty as Shared>::item`.
fn via(b: &TokenStream, ty: &Type, item: &str) -> TokenStream {
    let item = format_ident!("{item}");
    quote!(<#ty as #b::Shared>::#item)
}
