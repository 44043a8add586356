//! A function that is called across the boundary: of a plugin, or of an interface.
use crate::support::{Errors, check_owned, check_param, is_reference, respan, written};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{FnArg, Ident, Pat, ReceiverKind, ReturnType, Safety, Signature, Token, Type};

/// Its signature, without `&self`.
pub struct Call<'a> {
    pub ident: &'a Ident,
    /// Where it is an `async fn`, `result` is what comes later.
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

    /// Reads a signature whatever its receiver, and refuses what cannot cross.
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

    /// Its name.
    pub fn name(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// `fn` or `async fn`.
    pub fn keyword(&self) -> &'static str {
        match self.asyncness {
            Some(_) => "async fn",
            None => "fn",
        }
    }

    /// `times: u32`, for people. `first` is what comes before the parameters.
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

    /// The types of parameters and result.
    pub fn types(&self) -> impl Iterator<Item = &Type> {
        self.params.iter().map(|(_, ty)| *ty).chain([&self.result])
    }

    /// The parameters of the C function, between the object and `Out`.
    pub fn crossing(&self, b: &TokenStream) -> TokenStream {
        self.params
            .iter()
            .map(|(name, ty)| quote!(#name: <#ty as #b::Arg>::Cross,))
            .collect()
    }

    /// The type that the C function gives.
    pub fn given(&self, b: &TokenStream) -> TokenStream {
        let result = &self.result;
        match self.asyncness {
            Some(_) => quote!(#b::Later<#result>),
            None => quote!(#result),
        }
    }

    /// The type of the last parameter of the C function.
    pub fn out(&self, b: &TokenStream) -> TokenStream {
        let given = self.given(b);
        quote!(*mut #b::Out<<#given as #b::Shared>::View>)
    }

    /// The statements with which the callee takes the parameters.
    pub fn take(&self, b: &TokenStream) -> TokenStream {
        self.params
            .iter()
            .map(|(name, ty)| quote!(let mut #name = <#ty as #b::Arg>::take(#name);))
            .collect()
    }

    /// The statements with which the callee copies the parameters, to have them for longer than the call.
    pub fn keep(&self, b: &TokenStream) -> TokenStream {
        self.params
            .iter()
            .map(|(name, ty)| quote!(let #name = <#ty as #b::Arg>::keep(#name);))
            .collect()
    }

    /// The parameters, of what owns them.
    pub fn of_owned(&self) -> TokenStream {
        let params = self.params.iter().map(|(name, ty)| match is_reference(ty) {
            true => quote!(&#name),
            false => quote!(#name),
        });
        quote!(#(#params),*)
    }

    /// What the callee answers with where the call is `async`: a future that has the locals `this` and the parameters.
    /// `convert` is what becomes of the result.
    pub fn later(
        &self,
        b: &TokenStream,
        callee: &TokenStream,
        this: &Ident,
        convert: impl FnOnce(TokenStream) -> TokenStream,
    ) -> TokenStream {
        let params = self.of_owned();
        // On the tokens of the function, whose future may not be `Send`.
        let span = self.ident.span();
        let b = respan(b, span);
        let body = convert(quote_spanned!(span=> #callee(#this, #params).await));
        quote_spanned!(span=> #b::Later::new(async move { #body }))
    }

    /// The parameters, in the callee.
    pub fn get(&self, b: &TokenStream) -> TokenStream {
        let gets = self
            .params
            .iter()
            .map(|(name, ty)| quote!(<#ty as #b::Arg>::get(&mut #name)));
        quote!(#(#gets),*)
    }

    /// The descriptions of the parameters, and that of the result.
    pub fn descriptions(&self, b: &TokenStream) -> TokenStream {
        let params = self.params.iter().map(|(name, ty)| {
            let name = name.unraw().to_string();
            quote!(#b::ParamDesc::new(#name, <#ty as #b::Arg>::TYPE))
        });
        let given = self.given(b);
        quote!(&[#(#params),*], <#given as #b::Shared>::TYPE)
    }
}

/// A local of generated code, which no parameter can be mistaken for.
pub fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// How many parameters a function may have: a call by handle has one trait for each number.
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
            format!("a function has up to {PARAMS} parameters: put some of them into a `#[shared]` struct"),
        );
    }
}

/// Refuses a method that is not called with `&self`.
fn check_receiver(sig: &Signature, errors: &mut Errors) {
    let Some(receiver) = sig.receiver() else {
        return errors.at(
            &sig.ident,
            "it is called on the instance: begin the parameters with `&self`",
        );
    };
    match &receiver.kind {
        ReceiverKind::Reference(_, lifetime, mutability) => {
            if let Some(lifetime) = lifetime {
                errors.at(
                    lifetime,
                    "leave the lifetime out: nothing borrowed is returned",
                );
            }
            if let Some(token) = mutability {
                errors.at(token, "many threads may call at once: take `&self`, and change a `Mutex` or an atomic");
            }
        }
        _ => errors.at(receiver, "the instance stays where it is: take `&self`"),
    }
}

/// Refuses what cannot be called across the boundary.
fn check(sig: &Signature, errors: &mut Errors) {
    if let Safety::Unsafe(token) = &sig.safety {
        errors.at(
            token,
            "a caller in another library cannot keep a promise that no type tells: remove `unsafe`",
        );
    }
    if let Some(abi) = &sig.abi {
        errors.at(
            abi,
            "the boundary has a calling convention of its own: remove this",
        );
    }
    for param in &sig.generics.params {
        errors.at(param, "a call across the boundary has one signature: write the types, and leave lifetimes out");
    }
    if let Some(clause) = &sig.generics.where_clause {
        errors.at(
            clause,
            "a call across the boundary has one signature, without conditions: remove this",
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
