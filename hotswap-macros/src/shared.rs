//! `#[shared]`.
use crate::support::{Errors, Root, check_owned, refuse_cfg, unknown_option};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Attribute, Fields, Generics, Ident, Item, Member, Variant};

/// The expansion of the attribute on an item.
pub fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let root = options_of(options)?;
    let item: Item = syn::parse2(item)?;
    let shared = Shared::parse(&item)?;
    shared.check()?;
    Ok(shared.generate(&root, &item))
}

fn options_of(options: TokenStream) -> syn::Result<Root> {
    let mut root = Root::default();
    syn::meta::parser(|meta| match root.parse(&meta)? {
        true => Ok(()),
        false => Err(unknown_option(&meta, "`crate = path`")),
    })
    .parse2(options)?;
    Ok(root)
}

/// A type to be shared.
struct Shared<'a> {
    ident: &'a Ident,
    generics: &'a Generics,
    attrs: &'a [Attribute],
    body: Body<'a>,
}

enum Body<'a> {
    Struct(&'a Fields),
    Enum(Vec<&'a Variant>),
}

impl<'a> Shared<'a> {
    fn parse(item: &'a Item) -> syn::Result<Self> {
        let (ident, generics, attrs, body) = match item {
            Item::Struct(item) => (
                &item.ident,
                &item.generics,
                &item.attrs,
                Body::Struct(&item.fields),
            ),
            Item::Enum(item) => (
                &item.ident,
                &item.generics,
                &item.attrs,
                Body::Enum(item.variants.iter().collect()),
            ),
            Item::Union(item) => {
                return Err(syn::Error::new_spanned(
                    item.union_token,
                    "nobody can tell which field of a union is the right one: write an enum",
                ));
            }
            Item::Trait(item) => {
                return Err(syn::Error::new_spanned(
                    item.trait_token,
                    "`#[shared]` is for structs and enums: write `#[interface]` on a trait",
                ));
            }
            item => {
                return Err(syn::Error::new_spanned(
                    item,
                    "`#[shared]` is for structs and enums",
                ));
            }
        };
        Ok(Shared {
            ident,
            generics,
            attrs,
            body,
        })
    }

    fn check(&self) -> syn::Result<()> {
        let mut errors = Errors::default();
        for param in &self.generics.params {
            errors.at(
                param,
                "a shared type has no parameters, since both sides must agree on one layout: write a type for each use",
            );
        }
        if let Some(clause) = &self.generics.where_clause {
            errors.at(
                clause,
                "a shared type has no parameters, and so no conditions: remove this",
            );
        }
        match &self.body {
            Body::Struct(fields) => self.check_fields(fields, &mut errors),
            Body::Enum(variants) => {
                if variants.is_empty() {
                    errors.at(
                        self.ident,
                        "a value of an enum without variants cannot exist: add a variant",
                    );
                }
                for variant in variants {
                    refuse_cfg(&variant.attrs, "variant of a shared enum", &mut errors);
                    self.check_fields(&variant.fields, &mut errors);
                }
            }
        }
        errors.finish()
    }

    fn check_fields(&self, fields: &Fields, errors: &mut Errors) {
        for field in fields {
            refuse_cfg(&field.attrs, "field of a shared type", errors);
            check_owned(&field.ty, "a field", errors);
            let mut recursion = Recursion {
                ident: self.ident,
                errors,
            };
            recursion.visit_type(&field.ty);
        }
    }

    /// Whether the view of a struct has the layout of the struct.
    fn is_repr_c(&self) -> bool {
        let mut c = true;
        for attr in self
            .attrs
            .iter()
            .filter(|attr| attr.path().is_ident("repr"))
        {
            c = attr.parse_args::<Ident>().is_ok_and(|repr| repr == "C");
        }
        c
    }

    fn generate(&self, root: &Root, item: &Item) -> TokenStream {
        let b = root.boundary();
        let ident = self.ident;
        let view = format_ident!("__{}View", ident.unraw());
        let name = ident.unraw().to_string();
        // Only a struct whose layout is promised can be its own view.
        let is_struct = matches!(self.body, Body::Struct(_));
        let repr = (is_struct && !self.attrs.iter().any(|attr| attr.path().is_ident("repr")))
            .then(|| quote!(#[repr(C)]));
        let all = match &self.body {
            Body::Struct(fields) => vec![*fields],
            Body::Enum(variants) => variants.iter().map(|variant| &variant.fields).collect(),
        };
        let types = || {
            all.iter()
                .flat_map(|fields| fields.iter())
                .map(|field| &field.ty)
        };
        let borrows = types().map(|ty| quote!(|| <#ty as #b::Shared>::BORROWS));
        let plain = match is_struct && self.is_repr_c() {
            true => {
                let plain = types().map(|ty| quote!(&& <#ty as #b::Shared>::PLAIN));
                quote!(!::core::mem::needs_drop::<Self>() #(#plain)*)
            }
            false => quote!(false),
        };
        let (view_item, kind, parts, to_view, from_view, to_value, from_value) = match &self.body {
            Body::Struct(fields) => {
                let items = view_fields(&b, fields);
                let semi = (!matches!(fields, Fields::Named(_))).then(|| quote!(;));
                let to_view = shape(fields, |m, _| quote!(#b::Shared::view(&self.#m, arena)));
                let from_view = shape(fields, |m, _| quote!(#b::Shared::from_view(view.#m)));
                let values = values(&b, fields, |m| quote!(&self.#m));
                let read = read(&b, fields, quote!(Self), &name);
                (
                    quote!(#[repr(C)] #[derive(Clone, Copy)] pub struct #view #items #semi),
                    quote!(Struct),
                    descriptions(&b, fields),
                    quote!(#view #to_view),
                    quote!(Self #from_view),
                    values,
                    read,
                )
            }
            Body::Enum(variants) => {
                let each = |f: &dyn Fn(&Variant, &Ident, &Fields) -> TokenStream| -> TokenStream {
                    variants
                        .iter()
                        .map(|variant| f(variant, &variant.ident, &variant.fields))
                        .collect()
                };
                let items = each(&|_, ident, fields| {
                    let items = view_fields(&b, fields);
                    quote!(#ident #items,)
                });
                let parts = each(&|variant, _, fields| {
                    let (name, parts) =
                        (variant.ident.unraw().to_string(), descriptions(&b, fields));
                    quote!(#b::FieldDesc::new(#name, &#b::TypeDesc::variant(&[#parts])),)
                });
                let to_view = each(&|_, ident, fields| {
                    let pattern = pattern(fields);
                    let value = shape(fields, |_, local| quote!(#b::Shared::view(#local, arena)));
                    quote!(Self::#ident #pattern => #view::#ident #value,)
                });
                let from_view = each(&|_, ident, fields| {
                    let pattern = pattern(fields);
                    let value = shape(fields, |_, local| quote!(#b::Shared::from_view(#local)));
                    quote!(#view::#ident #pattern => Self::#ident #value,)
                });
                let to_value = each(&|_, ident, fields| {
                    let (name, pattern) = (ident.unraw().to_string(), pattern(fields));
                    if fields.is_empty() {
                        return quote!(Self::#ident #pattern => #b::Value::from(#name),);
                    }
                    let mut locals = locals(fields).into_iter();
                    let values = values(&b, fields, |_| locals.next().to_token_stream());
                    quote!(Self::#ident #pattern => #b::parts::variant(#name, #values),)
                });
                let from_value = each(&|_, ident, fields| {
                    let name = ident.unraw().to_string();
                    let read = read(&b, fields, quote!(Self::#ident), &name);
                    quote!(#name => #b::parts::within(#name, || #read),)
                });
                (
                    quote!(#[repr(u32)] #[derive(Clone, Copy)] pub enum #view { #items }),
                    quote!(Enum),
                    parts,
                    quote!(match self { #to_view }),
                    quote!(match view { #from_view }),
                    quote!(match self { #to_value }),
                    quote! {{
                        let (name, value) = #b::parts::into_variant(value, #name)?;
                        match name.as_str() {
                            #from_value
                            _ => #b::parts::unknown_variant(#name, name),
                        }
                    }},
                )
            }
        };
        quote! {
            #repr
            #item

            #[allow(unsafe_code, unused_variables, unused_unsafe)]
            const _: () = {
                #[doc(hidden)]
                #view_item

                #[automatically_derived]
                unsafe impl #b::Shared for #ident {
                    const TYPE: &'static #b::TypeDesc = &#b::TypeDesc::new::<#view>(
                        ::core::env!("CARGO_PKG_NAME"),
                        #name,
                        #b::Kind::#kind,
                        &[#parts],
                    );
                    type View = #view;
                    const BORROWS: bool = false #(#borrows)*;
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
                #root::__returned!([] #ident);
                #root::__arg!([] #ident);
            };
        }
    }
}

/// Refuses a field whose type names the type it is in.
struct Recursion<'a> {
    ident: &'a Ident,
    errors: &'a mut Errors,
}

impl Visit<'_> for Recursion<'_> {
    fn visit_path(&mut self, path: &syn::Path) {
        let own = path
            .get_ident()
            .filter(|ident| *ident == self.ident || *ident == "Self");
        if let Some(ident) = own {
            self.errors.at(
                ident,
                "a shared type cannot contain itself: put the items in one `Vec`, and let them name each other by index",
            );
        }
        syn::visit::visit_path(self, path);
    }
}

/// The fields of the view.
fn view_fields(b: &TokenStream, fields: &Fields) -> TokenStream {
    let field = |ident: &Option<Ident>, ty: &syn::Type| {
        let name = ident.iter();
        let view = quote_spanned!(ty.span()=> <#ty as #b::Shared>::View);
        quote!(#(#name:)* #view)
    };
    let items = fields.iter().map(|f| field(&f.ident, &f.ty));
    match fields {
        Fields::Named(_) => quote!({ #(#items),* }),
        Fields::Unnamed(_) => quote!((#(#items),*)),
        Fields::Unit => quote!(),
    }
}

/// The descriptions of the fields.
fn descriptions(b: &TokenStream, fields: &Fields) -> TokenStream {
    let items = fields.iter().zip(fields.members()).map(|(field, member)| {
        let (name, ty) = (name_of(&member), &field.ty);
        quote!(#b::FieldDesc::new(#name, <#ty as #b::Shared>::TYPE))
    });
    quote!(#(#items),*)
}

/// Each field with an expression, which may use the field's member or the local that a pattern binds.
fn shape(fields: &Fields, mut value: impl FnMut(&Member, &Ident) -> TokenStream) -> TokenStream {
    let values = fields.members().zip(locals(fields)).map(|(member, local)| {
        let value = value(&member, &local);
        match member {
            Member::Named(name) => quote!(#name: #value),
            Member::Unnamed(_) => value,
        }
    });
    match fields {
        Fields::Named(_) => quote!({ #(#values),* }),
        Fields::Unnamed(_) => quote!((#(#values),*)),
        Fields::Unit => quote!(),
    }
}

/// Binds each field to a local.
fn pattern(fields: &Fields) -> TokenStream {
    shape(fields, |_, local| local.to_token_stream())
}

fn locals(fields: &Fields) -> Vec<Ident> {
    (0..fields.len()).map(|i| format_ident!("f{i}")).collect()
}

/// The fields as a value: a map, a list, or the value of the only field without a name.
fn values(
    b: &TokenStream,
    fields: &Fields,
    mut place: impl FnMut(&Member) -> TokenStream,
) -> TokenStream {
    let mut value = |member: &Member| {
        let place = place(member);
        quote!(#b::Shared::to_value(#place))
    };
    match fields {
        Fields::Named(_) => {
            let items = fields.members().map(|member| {
                let (name, value) = (name_of(&member), value(&member));
                quote!((#name, #value))
            });
            quote!(#b::parts::map([#(#items),*]))
        }
        Fields::Unnamed(_) if fields.len() == 1 => value(&Member::from(0)),
        Fields::Unnamed(_) => {
            let items = fields.members().map(|member| value(&member));
            quote!(#b::Value::List(::std::vec![#(#items),*]))
        }
        Fields::Unit => quote!(#b::Value::Nil),
    }
}

/// Reads the fields of `what` from `value`.
fn read(b: &TokenStream, fields: &Fields, what: TokenStream, name: &str) -> TokenStream {
    let ok = quote!(::core::result::Result::Ok);
    match fields {
        Fields::Named(_) => {
            let items = shape(fields, |member, _| {
                let name = name_of(member);
                quote!(fields.take(#name)?)
            });
            quote! {{
                let mut fields = #b::parts::into_fields(value, #name)?;
                let this = #what #items;
                fields.end()?;
                #ok(this)
            }}
        }
        Fields::Unnamed(_) if fields.len() == 1 => {
            quote!(#ok(#what(#b::Shared::from_value(value)?)))
        }
        Fields::Unnamed(_) => {
            let len = fields.len();
            let items = shape(fields, |_, _| quote!(items.take()?));
            quote! {{
                let mut items = #b::parts::into_items(value, #name, #len)?;
                #ok(#what #items)
            }}
        }
        Fields::Unit => quote!(<() as #b::Shared>::from_value(value).map(|()| #what)),
    }
}

fn name_of(member: &Member) -> String {
    match member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}
