//! The description of a function, with the two C functions through which it is called.
use crate::bounds;
use crate::call::{Call, local};
use crate::support::is_reference;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Ident, Type};

/// The function that is called.
pub enum Callee<'a> {
    /// A method of this type. The C functions get the instance first.
    Method(&'a Type),
    /// A function of the module in which the generated code stands.
    Function,
}

impl Callee<'_> {
    /// Returns the path before the parentheses, and the first argument in them.
    fn parts(&self, ident: &Ident, this: &Ident) -> (TokenStream, TokenStream) {
        match self {
            Callee::Method(ty) => (quote!(#ty::#ident), quote!(&*#this.cast::<#ty>(),)),
            // Called by its path, since a parameter may have the function's name.
            Callee::Function => (quote!(self::#ident), TokenStream::new()),
        }
    }
}

/// Returns the description of a function, which contains its two C functions.
pub fn described(b: &TokenStream, callee: &Callee<'_>, function: &Call<'_>) -> TokenStream {
    let [this, args, out] = ["this", "args", "out"].map(local);
    let (name, result) = (function.name(), &function.result);
    let (path, receiver) = callee.parts(function.ident, &this);
    if let (Some(_), Callee::Method(ty)) = (function.asyncness, callee) {
        return described_later(b, ty, function);
    }
    let (crossing, out_type, bounds) = (
        function.crossing(b),
        function.out(b),
        bounds::of_call(b, function),
    );
    let (take, get, descriptions) = (function.take(b), function.get(b), function.descriptions(b));
    let owned = function.of_owned();
    let read = read(b, function, &args);
    let count = function.params.len() as u32;
    // A function without parameters does not need the arguments.
    let mutable = (count > 0).then(|| quote!(let mut #args =));
    quote! {{
        unsafe extern "C" fn typed(#this: *const (), #crossing #out: #out_type) -> #b::Status #bounds {
            unsafe {
                #b::answer(#out, || {
                    #take
                    #path(#receiver #get)
                })
            }
        }
        unsafe extern "C" fn dynamic(
            #this: *const (),
            #args: #b::SliceView<#b::ValueView>,
            #out: *mut #b::DynamicOut,
        ) -> #b::Status #bounds {
            unsafe {
                #b::dynamic::answer_dynamic(#out, || {
                    #mutable #b::dynamic::arguments(#args, #count)?;
                    #read
                    let result: #result = #path(#receiver #owned);
                    #b::Return::into_dynamic(result)
                })
            }
        }
        unsafe { #b::FunctionDesc::new(#name, #descriptions, typed as *const (), dynamic) }
    }}
}

/// Returns the statements that read the arguments of a call by name.
fn read(b: &TokenStream, function: &Call<'_>, args: &Ident) -> TokenStream {
    let read = function.params.iter().map(|(param, ty)| {
        let name = param.unraw().to_string();
        let owned = if is_reference(ty) {
            quote!(<#ty as #b::Arg>::Owned)
        } else {
            quote!(#ty)
        };
        quote!(let #param = #args.next::<#owned>(#name)?;)
    });
    read.collect()
}

/// Returns the description of an `async fn`. Its C functions copy the parameters and return a future.
fn described_later(b: &TokenStream, ty: &Type, function: &Call<'_>) -> TokenStream {
    let [this, args, out] = ["this", "args", "out"].map(local);
    let (name, result, ident) = (function.name(), &function.result, function.ident);
    let (crossing, out_type, bounds) = (
        function.crossing(b),
        function.out(b),
        bounds::of_call(b, function),
    );
    let (keep, descriptions) = (function.keep(b), function.descriptions(b));
    let (read, count) = (read(b, function, &args), function.params.len() as u32);
    // The caller keeps the instance for as long as it has the future.
    let receiver = quote!(let #this: &'static #ty = &*#this.cast::<#ty>(););
    let callee = quote!(#ty::#ident);
    let typed = function.later(b, &callee, &this, |awaited| awaited);
    let dynamic = function.later(b, &callee, &this, |awaited| {
        quote! {
            let result: #result = #awaited;
            #b::Return::into_dynamic(result)
        }
    });
    let mutable = (count > 0).then(|| quote!(let mut #args =));
    quote! {{
        unsafe extern "C" fn typed(#this: *const (), #crossing #out: #out_type) -> #b::Status #bounds {
            unsafe {
                #b::answer(#out, || {
                    #keep
                    #receiver
                    #typed
                })
            }
        }
        unsafe extern "C" fn dynamic(
            #this: *const (),
            #args: #b::SliceView<#b::ValueView>,
            #out: *mut #b::Out<#b::LaterView>,
        ) -> #b::Status #bounds {
            unsafe {
                #b::later::answer_later(#out, || {
                    #mutable #b::dynamic::arguments(#args, #count)?;
                    #read
                    #receiver
                    ::core::result::Result::Ok(#dynamic)
                })
            }
        }
        unsafe { #b::FunctionDesc::new_async(#name, #descriptions, typed as *const (), dynamic) }
    }}
}
