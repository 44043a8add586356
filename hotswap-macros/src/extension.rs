//! `#[extension]`.
use crate::support::{Errors, Root, argument, bare, refuse_cfg, respan};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Field, Fields, Ident, ItemStruct, Type};

/// Expands the attribute on an item.
pub fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let root = Root::only_or_default(options, &mut errors);
    let item: ItemStruct = syn::parse2(item.clone()).map_err(|_| {
        let text =
            "`#[extension]` is for structs: write it on `pub struct Name { pub field: Slot<dyn Trait> }`";
        syn::Error::new_spanned(item, text)
    })?;
    let extension = Extension::parse(&item, &mut errors);
    errors.beside(|| extension.generate(&root))
}

/// A struct that has been checked.
struct Extension<'a> {
    item: &'a ItemStruct,
    slots: Vec<Slot<'a>>,
}

struct Slot<'a> {
    ident: &'a Ident,
    /// `dyn Trait`
    interface: &'a Type,
}

impl<'a> Extension<'a> {
    fn parse(item: &'a ItemStruct, errors: &mut Errors) -> Self {
        for param in &item.generics.params {
            errors.at(param, "an extension cannot have generic parameters, since host and plugins must agree on one type: write a struct for each use");
        }
        if let Some(clause) = &item.generics.where_clause {
            errors.at(
                clause,
                "an extension cannot have a `where` clause: remove it",
            );
        }
        let slots = match &item.fields {
            Fields::Named(fields) => {
                let slots = fields.named.iter();
                slots
                    .filter_map(|field| Slot::parse(field, errors))
                    .collect()
            }
            Fields::Unit => Vec::new(),
            Fields::Unnamed(fields) => {
                errors.at(
                    fields,
                    "a slot has the name of its field: write a struct with named fields",
                );
                Vec::new()
            }
        };
        Extension { item, slots }
    }

    fn generate(&self, root: &Root) -> TokenStream {
        let (b, use_boundary) = (&root.boundary(), root.use_boundary());
        let (item, ident) = (self.item, &self.item.ident);
        let name = ident.unraw().to_string();
        // The field's type may be another name for a slot of another interface, which does not compile here.
        let slots = self.slots.iter().map(|Slot { ident, interface }| {
            quote!({
                let slot: &#root::Slot<#interface> = &self.#ident;
                slot
            })
        });
        let slots_mut = self.slots.iter().map(|Slot { ident, interface }| {
            quote!({
                let slot: &mut #root::Slot<#interface> = &mut self.#ident;
                slot
            })
        });
        let fields: Vec<_> = self.slots.iter().map(|slot| slot.ident).collect();
        let descriptions = self.slots.iter().map(|Slot { ident, interface }| {
            let name = ident.unraw().to_string();
            quote!(#b::SlotDesc::new(#name, <#interface as #b::Interface>::DESC))
        });
        // On the tokens of the trait. Generated code assumes the bounds, so a trait that is not an interface is one
        // error.
        let bounds = self.slots.iter().map(|Slot { interface, .. }| {
            let b = respan(b, interface.span());
            quote_spanned!(interface.span()=> #interface: #b::Interface)
        });
        let bounds: Vec<_> = bounds.collect();
        let bounds = (!bounds.is_empty()).then(|| quote!(where #(#bounds),*));
        quote! {
            #item

            #[allow(clippy::all, clippy::pedantic)]
            #[allow(trivial_bounds)]
            const _: () = {
                #use_boundary

                #[automatically_derived]
                impl ::core::default::Default for #ident #bounds {
                    fn default() -> Self {
                        Self { #(#fields: ::core::default::Default::default()),* }
                    }
                }

                #[automatically_derived]
                impl #root::Extension for #ident #bounds {
                    const DESC: &'static #b::ExtensionDesc =
                        &#b::ExtensionDesc::new(::core::env!("CARGO_PKG_NAME"), #name, &[#(#descriptions),*]);
                    fn slots(&self) -> ::std::vec::Vec<&dyn #root::extension::AnySlot> {
                        ::std::vec![#(#slots),*]
                    }
                    fn slots_mut(&mut self) -> ::std::vec::Vec<&mut dyn #root::extension::AnySlot> {
                        ::std::vec![#(#slots_mut),*]
                    }
                }
            };
        }
    }
}

impl<'a> Slot<'a> {
    fn parse(field: &'a Field, errors: &mut Errors) -> Option<Self> {
        refuse_cfg(&field.attrs, "slot of an extension", errors);
        let interface = argument(&field.ty, "Slot").map(bare);
        let Some(interface @ Type::TraitObject(_)) = interface else {
            errors.at(
                &field.ty,
                "a slot holds an object with an `#[interface]`: write `Slot<dyn Trait>`",
            );
            return None;
        };
        Some(Slot {
            ident: field.ident.as_ref()?,
            interface,
        })
    }
}
