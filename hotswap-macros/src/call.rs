//! A function of a plugin or of an interface that is called across the boundary.
use crate::support::{Errors, check_owned, check_param, is_reference, respan, written};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{FnArg, Ident, Pat, ReceiverKind, ReturnType, Safety, Signature, Token, Type};

/// The signature of the function, without `&self`.
pub struct Call<'a> {
    pub ident: &'a Ident,
    /// Set for an `async fn`. Then `result` is the type of the awaited value.
    pub asyncness: Option<Token![async]>,
    pub params: Vec<(&'a Ident, &'a Type)>,
    pub result: Type,
}

impl<'a> Call<'a> {
    /// Reads the signature of a method, and refuses what cannot cross.
    pub fn parse(sig: &'a Signature, errors: &mut Errors) -> Self {
        check_receiver(sig, errors);
        Call::without_receiver(sig, errors)
    }

    /// Reads a signature with any receiver, and refuses what cannot cross.
    pub fn without_receiver(sig: &'a Signature, errors: &mut Errors) -> Self {
        check(sig, errors);
        let params = sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(param) => match &*param.pat {
                Pat::Ident(pat) => Some((&pat.ident, &*param.ty)),
                _ => None,
            },
            FnArg::Receiver(_) => None,
        });
        let result = match &sig.output {
            ReturnType::Default => syn::parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        let call = Call {
            ident: &sig.ident,
            asyncness: sig.asyncness,
            params: params.collect(),
            result,
        };
        call.types().for_each(|ty| NoSelf(errors).visit_type(ty));
        call
    }

    /// Returns the function's name.
    pub fn name(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// Returns `fn` or `async fn`.
    pub fn keyword(&self) -> &'static str {
        match self.asyncness {
            Some(_) => "async fn",
            None => "fn",
        }
    }

    /// Returns the parameters and the result for people, such as `times: u32`. `first` comes before the parameters.
    pub fn written(&self, first: &str) -> String {
        let params = self
            .params
            .iter()
            .map(|(name, ty)| format!("{}: {}", name.unraw(), written(ty)));
        let first = (!first.is_empty()).then(|| first.to_owned());
        let params = first
            .into_iter()
            .chain(params)
            .collect::<Vec<_>>()
            .join(", ");
        match written(&self.result).as_str() {
            "()" => format!("({params})"),
            result => format!("({params}) -> {result}"),
        }
    }

    /// Returns the types of the parameters and of the result.
    pub fn types(&self) -> impl Iterator<Item = &Type> {
        self.params.iter().map(|(_, ty)| *ty).chain([&self.result])
    }

    /// Returns the parameters of the C function between the object and `Out`.
    pub fn crossing(&self, b: &TokenStream) -> TokenStream {
        self.params
            .iter()
            .map(|(name, ty)| quote!(#name: <#ty as #b::Arg>::Cross,))
            .collect()
    }

    /// Returns the type of the C function's result.
    pub fn given(&self, b: &TokenStream) -> TokenStream {
        let result = &self.result;
        match self.asyncness {
            Some(_) => quote!(#b::Later<#result>),
            None => quote!(#result),
        }
    }

    /// Returns the type of the last parameter of the C function.
    pub fn out(&self, b: &TokenStream) -> TokenStream {
        let given = self.given(b);
        quote!(*mut #b::Out<<#given as #b::Shared>::View>)
    }

    /// Returns the statements with which the callee takes the parameters.
    pub fn take(&self, b: &TokenStream) -> TokenStream {
        let take = |(name, ty): &(&Ident, &Type)| match is_reference(ty) {
            true => quote!(let mut #name = <#ty as #b::Arg>::take(#name);),
            // The type may be another name for a reference, which does not compile here.
            false => quote!(let mut #name = #b::arg::take_owned::<#ty>(#name);),
        };
        self.params.iter().map(take).collect()
    }

    /// Returns the statements with which the callee copies the parameters, to have them for longer than the call.
    pub fn keep(&self, b: &TokenStream) -> TokenStream {
        self.params
            .iter()
            .map(|(name, ty)| quote!(let #name = <#ty as #b::Arg>::keep(#name);))
            .collect()
    }

    /// Returns the parameters, borrowed from their copies.
    pub fn of_owned(&self) -> TokenStream {
        let params = self.params.iter().map(|(name, ty)| match is_reference(ty) {
            true => quote!(&#name),
            false => quote!(#name),
        });
        quote!(#(#params),*)
    }

    /// Returns the callee's answer to an `async` call: a future that owns the locals `this` and the parameters.
    /// `convert` converts the result.
    pub fn later(
        &self,
        b: &TokenStream,
        callee: &TokenStream,
        this: &Ident,
        convert: impl FnOnce(TokenStream) -> TokenStream,
    ) -> TokenStream {
        let params = self.of_owned();
        // On the tokens of the function, since its future may not be `Send`.
        let span = self.ident.span();
        let b = respan(b, span);
        let body = convert(quote_spanned!(span=> #callee(#this, #params).await));
        quote_spanned!(span=> #b::Later::new(async move { #body }))
    }

    /// Returns the parameters in the callee.
    pub fn get(&self, b: &TokenStream) -> TokenStream {
        let gets = self
            .params
            .iter()
            .map(|(name, ty)| quote!(<#ty as #b::Arg>::get(&mut #name)));
        quote!(#(#gets),*)
    }

    /// Returns the descriptions of the parameters, and that of the result.
    pub fn descriptions(&self, b: &TokenStream) -> TokenStream {
        let params = self.params.iter().map(|(name, ty)| {
            let name = name.unraw().to_string();
            quote!(#b::ParamDesc::new(#name, <#ty as #b::Arg>::TYPE))
        });
        let given = self.given(b);
        quote!(&[#(#params),*], <#given as #b::Shared>::TYPE)
    }
}

/// Returns a local of generated code, which cannot clash with a parameter.
pub fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The largest number of parameters: a call by handle has one trait for each number.
const PARAMS: usize = 8;

/// Refuses a function with more parameters than a handle can be called with.
pub fn check_count(sig: &Signature, errors: &mut Errors) {
    let mut params = sig
        .inputs
        .iter()
        .filter(|input| matches!(input, FnArg::Typed(_)));
    if let Some(param) = params.nth(PARAMS) {
        errors.at(
            param,
            format!("a function has at most {PARAMS} parameters: put some of them into a `#[shared]` struct"),
        );
    }
}

/// Refuses a method that does not take `&self`.
fn check_receiver(sig: &Signature, errors: &mut Errors) {
    let Some(receiver) = sig.receiver() else {
        return errors.at(
            &sig.ident,
            "the function is called on the instance: begin the parameters with `&self`",
        );
    };
    match &receiver.kind {
        ReceiverKind::Reference(_, lifetime, mutability) => {
            if let Some(lifetime) = lifetime {
                errors.at(
                    lifetime,
                    "the result cannot borrow from `self`: leave out the lifetime",
                );
            }
            if let Some(token) = mutability {
                errors.at(token, "several threads may call the function at once: take `&self`, and keep what changes in a `Mutex` or an atomic");
            }
        }
        _ => errors.at(receiver, "a call cannot move the instance: take `&self`"),
    }
}

/// Refuses a signature that cannot be called across the boundary.
fn check(sig: &Signature, errors: &mut Errors) {
    if let Safety::Unsafe(token) = &sig.safety {
        errors.at(
            token,
            "callers in other libraries cannot know the safety contract: remove `unsafe`",
        );
    }
    if let Some(abi) = &sig.abi {
        errors.at(
            abi,
            "the boundary has a calling convention of its own: remove this",
        );
    }
    for param in &sig.generics.params {
        errors.at(param, "a call across the boundary has one signature: write the types, and leave out lifetimes");
    }
    if let Some(clause) = &sig.generics.where_clause {
        errors.at(
            clause,
            "a function that is called across the boundary cannot have a `where` clause: remove it",
        );
    }
    if let Some(variadic) = &sig.variadic {
        errors.at(variadic, "write the parameters, or take a slice");
    }
    for input in &sig.inputs {
        if let FnArg::Typed(param) = input {
            if !matches!(&*param.pat, Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none())
            {
                errors.at(
                    &param.pat,
                    "give the parameter a name: it is part of the signature that callers see",
                );
            }
            check_param(&param.ty, errors);
        }
    }
    if let ReturnType::Type(_, ty) = &sig.output {
        check_owned(ty, "a result", errors);
    }
}

/// Refuses `Self` in a type.
struct NoSelf<'a>(&'a mut Errors);

impl Visit<'_> for NoSelf<'_> {
    fn visit_ident(&mut self, ident: &Ident) {
        if ident == "Self" {
            self.0.at(
                ident,
                "`Self` is another type in each library: write a `#[shared]` type",
            );
        }
    }
}
