//! `#[interface]`.
use crate::bounds;
use crate::call::{Call, local};
use crate::support::{Errors, Root, bare, held, refuse_cfg};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{
    Attribute, Ident, ItemTrait, ReturnType, TraitItem, TraitItemFn, Type, TypeParamBound,
    parse_quote, parse_quote_spanned,
};

/// Expands the attribute on an item.
pub fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let root = Root::only_or_default(options, &mut errors);
    let item: ItemTrait = syn::parse2(item.clone()).map_err(|_| {
        let text = "`#[interface]` is for traits: write it on `pub trait Name: Send + Sync`";
        syn::Error::new_spanned(item, text)
    })?;
    let interface = Interface::parse(&item, &mut errors);
    errors.beside(|| interface.generate(&root))
}

/// Names of methods that handles have themselves, through traits that are always in scope.
const TAKEN: [&str; 6] = [
    "clone",
    "clone_into",
    "deref",
    "into",
    "to_owned",
    "try_into",
];

/// A trait that has been checked.
struct Interface<'a> {
    item: &'a ItemTrait,
    methods: Vec<Method<'a>>,
}

struct Method<'a> {
    attrs: &'a [Attribute],
    call: Call<'a>,
}

impl<'a> Interface<'a> {
    fn parse(item: &'a ItemTrait, errors: &mut Errors) -> Self {
        check_trait(item, errors);
        let item_name = &item.ident;
        let methods = item.items.iter().filter_map(|item| match item {
            TraitItem::Fn(method) => Some(Method::parse(method, item_name, errors)),
            item => {
                errors.at(item, "an interface has only methods, since nothing else can be called across the boundary");
                None
            }
        });
        Interface {
            item,
            methods: methods.collect(),
        }
    }
}

/// Returns the trait as the compiler should see it. An `async` method becomes one that returns a future which any
/// thread may poll. Such a method is not called through the trait object, which only names the interface.
fn as_implemented(item: &ItemTrait) -> ItemTrait {
    let mut item = item.clone();
    for item in &mut item.items {
        let TraitItem::Fn(method) = item else {
            continue;
        };
        let Some(keyword) = method.sig.asyncness.take() else {
            continue;
        };
        let result = match &method.sig.output {
            ReturnType::Default => quote!(()),
            ReturnType::Type(_, ty) => quote!(#ty),
        };
        let output = later(&result);
        method.sig.output = parse_quote_spanned!(keyword.span=> -> #output);
        method.sig.generics.where_clause = Some(parse_quote!(where Self: ::core::marker::Sized));
        if let Some(body) = &method.default {
            method.default = Some(parse_quote!({ async move #body }));
            method
                .attrs
                .push(parse_quote!(#[allow(clippy::manual_async_fn)]));
        }
    }
    item
}

/// Returns the type that an `async` method returns.
fn later(result: impl ToTokens) -> TokenStream {
    quote!(impl ::core::future::Future<Output = #result> + ::core::marker::Send)
}

fn check_trait(item: &ItemTrait, errors: &mut Errors) {
    if let Some(token) = &item.unsafety {
        errors.at(
            token,
            "implementations in other libraries cannot know the safety contract: remove `unsafe`",
        );
    }
    for param in &item.generics.params {
        errors.at(param, "an interface cannot have generic parameters, since both sides must agree on one table: write a trait for each use");
    }
    if let Some(clause) = &item.generics.where_clause {
        errors.at(
            clause,
            "an interface cannot have a `where` clause: remove it",
        );
    }
    let mut missing = vec!["Send", "Sync"];
    for bound in &item.supertraits {
        let name = match bound {
            TypeParamBound::Trait(bound) => bound
                .path
                .segments
                .last()
                .map(|last| last.ident.to_string()),
            TypeParamBound::Lifetime(lifetime) if lifetime.ident == "static" => continue,
            _ => None,
        };
        match missing.iter().position(|missing| name.as_deref() == Some(missing)) {
            Some(found) => drop(missing.remove(found)),
            None => errors.at(bound, "an interface has no supertraits but `Send + Sync`: write what it needs of another trait as a method"),
        }
    }
    if !missing.is_empty() {
        errors.at(
            &item.ident,
            format!(
                "any thread may call an interface: write `trait {}: Send + Sync`",
                item.ident
            ),
        );
    }
}

/// Refuses an interface in its own description.
struct NotItself<'a> {
    interface: &'a Ident,
    errors: &'a mut Errors,
}

impl Visit<'_> for NotItself<'_> {
    fn visit_type(&mut self, ty: &Type) {
        match held(ty).map(bare) {
            Some(Type::TraitObject(object)) => {
                let name = object.bounds.iter().find_map(|bound| match bound {
                    TypeParamBound::Trait(bound) => bound.path.get_ident(),
                    _ => None,
                });
                if name == Some(self.interface) {
                    self.errors.at(
                        ty,
                        "an interface cannot refer to itself: pass an object of another interface",
                    );
                }
            }
            _ => syn::visit::visit_type(self, ty),
        }
    }
}

impl<'a> Method<'a> {
    fn parse(method: &'a TraitItemFn, interface: &Ident, errors: &mut Errors) -> Self {
        let sig = &method.sig;
        refuse_cfg(&method.attrs, "method of an interface", errors);
        if TAKEN.iter().any(|taken| sig.ident == taken) {
            errors.at(
                &sig.ident,
                format!("handles have a method `{}` of their own, which would be called instead: choose another name", sig.ident),
            );
        }
        let call = Call::parse(sig, errors);
        for ty in call.types() {
            NotItself { interface, errors }.visit_type(ty);
        }
        Method {
            attrs: &method.attrs,
            call,
        }
    }

    /// Returns the attributes that the users of the trait should see.
    fn shown(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attr| {
            ["doc", "must_use"]
                .iter()
                .any(|shown| attr.path().is_ident(shown))
        })
    }
}

impl Interface<'_> {
    fn generate(&self, root: &Root) -> TokenStream {
        let (b, use_boundary) = (&root.boundary(), root.use_boundary());
        let (item, vis, ident) = (self.item, &self.item.vis, &self.item.ident);
        let name = ident.unraw().to_string();
        let (table, proxy) = (
            format_ident!("__{name}Table"),
            format_ident!("__{name}Proxy"),
        );
        let all = bounds::of_calls(b, self.methods.iter().map(|method| &method.call), None);
        let signature = self.methods.iter().map(|Method { call, .. }| {
            format!(
                "{} {}{}",
                call.keyword(),
                call.name(),
                call.written("&self")
            )
        });
        let signature = signature.collect::<Vec<_>>().join("; ");
        let fields = self.methods.iter().map(|method| method.field(b));
        let descriptions = self.methods.iter().map(|Method { call, .. }| {
            let (name, descriptions) = (call.name(), call.descriptions(b));
            quote!(#b::MethodDesc::new(#name, #descriptions))
        });
        let entries = self.methods.iter().map(|method| method.entry(b, ident));
        let relays = self.methods.iter().enumerate();
        let relays = relays.map(|(number, method)| method.relay(b, number));
        let stubs = self.methods.iter().map(|method| method.stub(b, vis));
        let forwards = self.methods.iter().map(|method| method.forward(&proxy));
        let item = as_implemented(item);
        quote! {
            #item

            #[allow(clippy::all, clippy::pedantic)]
            #[allow(improper_ctypes_definitions, trivial_bounds)]
            const _: () = {
                #use_boundary

                #[doc(hidden)]
                #[repr(C)]
                #vis struct #table #all {
                    #(#fields)*
                }

                #[doc(hidden)]
                #vis struct #proxy(#b::Object<#table>) #all;

                #[automatically_derived]
                unsafe impl<'__i> #b::Interface for dyn #ident + '__i #all {
                    type Table = #table;
                    type Proxy = #proxy;
                    const DESC: &'static #b::InterfaceDesc =
                        &#b::InterfaceDesc::new(::core::env!("CARGO_PKG_NAME"), #name, &[#(#descriptions),*]);
                    const SIGNATURE: &'static str = #signature;
                    const RELAYS: &'static #table = &#table { #(#relays)* };
                    fn proxy(object: #b::Object<#table>) -> #proxy {
                        #proxy(object)
                    }
                    fn object(proxy: &#proxy) -> &#b::Object<#table> {
                        &proxy.0
                    }
                }

                #[automatically_derived]
                unsafe impl<'__i, __T: #ident + 'static> #b::Provides<__T> for dyn #ident + '__i #all {
                    const TABLE: &'static #table = &#table { #(#entries)* };
                }

                #[automatically_derived]
                impl #proxy #all {
                    #(#stubs)*
                }

                #[automatically_derived]
                impl #ident for #proxy #all {
                    #(#forwards)*
                }
            };
        }
    }
}

impl Method<'_> {
    /// Returns the method's field in the table.
    fn field(&self, b: &TokenStream) -> TokenStream {
        let (ident, out) = (self.call.ident, self.call.out(b));
        let params = self
            .call
            .params
            .iter()
            .map(|(_, ty)| quote!(<#ty as #b::Arg>::Cross,));
        quote!(#ident: unsafe extern "C" fn(*const (), #(#params)* #out) -> #b::Status,)
    }

    /// Returns the callee's end of the method.
    fn entry(&self, b: &TokenStream, trait_: &Ident) -> TokenStream {
        let [this, out] = ["this", "out"].map(local);
        let call = &self.call;
        let (ident, crossing, out_type) = (call.ident, call.crossing(b), call.out(b));
        let (take, get, bounds) = (call.take(b), call.get(b), bounds::of_call(b, call));
        let get = (!call.params.is_empty()).then(|| quote!(, #get));
        let (body, lives) = if call.asyncness.is_some() {
            let (keep, callee) = (call.keep(b), quote!(<__T as #trait_>::#ident));
            let later = call.later(b, &callee, &this, |awaited| awaited);
            // The caller ends the future before the object: see `Awaited`.
            let receiver = quote!(let #this: &'static __T = &*#this.cast::<__T>(););
            (quote!(#keep #receiver #later), Some(quote!(+ 'static)))
        } else {
            let callee = quote!(<__T as #trait_>::#ident);
            (quote!(#take #callee(&*#this.cast::<__T>() #get)), None)
        };
        quote! {
            #ident: {
                unsafe extern "C" fn #ident<__T: #trait_ #lives>(
                    #this: *const (),
                    #crossing
                    #out: #out_type,
                ) -> #b::Status #bounds {
                    unsafe {
                        #b::answer(#out, || { #body })
                    }
                }
                #ident::<__T>
            },
        }
    }

    /// Returns the function that passes a call on to the function with this number of a list.
    fn relay(&self, b: &TokenStream, number: usize) -> TokenStream {
        let [this, out, call] = ["this", "out", "call"].map(local);
        let (ident, crossing, out_type) =
            (self.call.ident, self.call.crossing(b), self.call.out(b));
        let bounds = bounds::of_call(b, &self.call);
        let names = self.call.params.iter().map(|(name, _)| name);
        let types = self
            .call
            .params
            .iter()
            .map(|(_, ty)| quote!(<#ty as #b::Arg>::Cross,));
        quote! {
            #ident: {
                unsafe extern "C" fn #ident(
                    #this: *const (),
                    #crossing
                    #out: #out_type,
                ) -> #b::Status #bounds {
                    unsafe {
                        let (#call, #this) = #b::relayed::<
                            unsafe extern "C" fn(*const (), #(#types)* #out_type) -> #b::Status,
                        >(#this, #number);
                        #call(#this, #(#names,)* #out)
                    }
                }
                #ident
            },
        }
    }

    /// Returns the caller's end. It is also an inherent method, so that callers need not import the trait.
    fn stub(&self, b: &TokenStream, vis: &syn::Visibility) -> TokenStream {
        let [arena, out, answer] = ["arena", "out", "answer"].map(local);
        let [method, this, table] = ["method", "this", "table"].map(local);
        let Call { ident, result, .. } = &self.call;
        let (shown, params) = (self.shown(), self.params());
        let lend = self.call.params.iter().map(|(name, ty)| {
            // The parameter itself lives as long as what it lends.
            quote!(let #name = <#ty as #b::Arg>::lend(&#name, &#arena);)
        });
        let cross = self
            .call
            .params
            .iter()
            .map(|(name, ty)| quote!(<#ty as #b::Arg>::cross(&#name),));
        let arena_of =
            (!self.call.params.is_empty()).then(|| quote!(let #arena = #b::Arena::new();));
        let lend = quote!(#arena_of #(#lend)*);
        let find = quote! {
            let (#method, #this) = self.0.method(|#table| &raw const (*#table).#ident);
        };
        let call = quote!(|#out| #method(#this, #(#cross)* #out));
        match self.call.asyncness {
            None => quote! {
                #(#shown)*
                #[inline]
                #vis fn #ident(&self, #params) -> #result {
                    #lend
                    let #answer = unsafe {
                        #find
                        #b::receive(#call)
                    };
                    self.0.note(&#answer);
                    #answer
                }
            },
            // The future borrows the object, and none of the parameters, which are copied.
            Some(_) => quote! {
                #(#shown)*
                #[inline]
                #vis fn #ident<'__a>(&'__a self, #params) -> #b::Awaited<'__a, #result> {
                    #lend
                    unsafe {
                        #find
                        #b::Awaited::receive(&self.0, #call)
                    }
                }
            },
        }
    }

    /// Returns the trait's method, which calls the proxy's own.
    fn forward(&self, proxy: &Ident) -> TokenStream {
        let Call {
            ident,
            result,
            params,
            asyncness,
        } = &self.call;
        let (declared, names) = (self.params(), params.iter().map(|(name, _)| name));
        let output = match asyncness {
            Some(_) => later(result),
            None => quote!(#result),
        };
        quote! {
            #[inline]
            fn #ident(&self, #declared) -> #output {
                #proxy::#ident(self, #(#names),*)
            }
        }
    }

    fn params(&self) -> TokenStream {
        let params = self.call.params.iter().map(|(name, ty)| quote!(#name: #ty));
        quote!(#(#params),*)
    }
}
