//! `where` clauses for types in an item that may not be shared.
//!
//! Each generated item gets them. The compiler reports an unmet bound at the clause, and assumes it within the item. So
//! a type that is not shared is one error, on its own tokens, however often generated code uses it.
use crate::call::Call;
use crate::support::{bare, held, name_span, respan};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{GenericArgument, PathArguments, Type};

/// Returns the clause for types that are used through `Shared`.
pub fn of_types<'a>(b: &TokenStream, types: impl IntoIterator<Item = &'a Type>) -> TokenStream {
    clause(leaves(types).into_iter().map(|ty| shared(b, ty)))
}

/// Returns the clause for the types of the parameters and the result of one function.
pub fn of_call(b: &TokenStream, call: &Call<'_>) -> TokenStream {
    of_calls(b, [call], None)
}

/// Returns the clause for types of parameters and results, with one more bound.
pub fn of_calls<'a>(
    b: &TokenStream,
    calls: impl IntoIterator<Item = &'a Call<'a>> + Clone,
    more: Option<TokenStream>,
) -> TokenStream {
    let all = leaves(calls.clone().into_iter().flat_map(Call::types));
    // Every shared type can be a parameter and a result, so one error about a type is enough: a bound with a lifetime
    // is assumed, and not checked where it stands.
    let assumed = |ty: &&Type, trait_: TokenStream| quote!(for<'__a> #ty: #b::#trait_);
    let whole = |types: Vec<&'a Type>| {
        let types = types
            .into_iter()
            .map(bare)
            .filter(|ty| !matches!(ty, Type::Reference(_)) && held(ty).is_none());
        all.iter()
            .filter(|leaf| types.clone().any(|ty| ty == **leaf))
            .collect::<Vec<_>>()
    };
    let params = whole(
        calls
            .clone()
            .into_iter()
            .flat_map(|call| call.params.iter().map(|(_, ty)| *ty))
            .collect(),
    );
    let results = whole(calls.into_iter().map(|call| &call.result).collect());
    clause(
        all.iter()
            .map(|ty| shared(b, ty))
            .chain(params.into_iter().map(|ty| assumed(ty, quote!(Arg))))
            .chain(results.into_iter().map(|ty| assumed(ty, quote!(Return))))
            .chain(more),
    )
}

fn shared(b: &TokenStream, ty: &Type) -> TokenStream {
    // The compiler points at the whole bound, from its first token to its last.
    let end = name_span(ty);
    let b = respan(b, end);
    match held(ty) {
        // It is shared if this is an interface. A bound on the whole type would hide its associated types.
        Some(interface) => quote_spanned!(end=> #interface: #b::Interface),
        None => quote_spanned!(end=> #ty: #b::Shared),
    }
}

fn clause(bounds: impl Iterator<Item = TokenStream>) -> TokenStream {
    let bounds: Vec<_> = bounds.collect();
    if bounds.is_empty() {
        TokenStream::new()
    } else {
        quote!(where #(#bounds),*)
    }
}

fn leaves<'a>(types: impl IntoIterator<Item = &'a Type>) -> Vec<&'a Type> {
    let mut leaves = Vec::new();
    for ty in types {
        collect(ty, &mut leaves);
    }
    leaves
}

/// Containers, which are shared if their parameters are.
const CONTAINERS: [&str; 9] = [
    "Vec", "VecDeque", "Option", "Result", "Box", "HashMap", "BTreeMap", "HashSet", "BTreeSet",
];

/// Types that are known to be shared.
const SHARED: [&str; 22] = [
    "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32",
    "f64", "bool", "char", "str", "String", "PathBuf", "Duration", "Value", "Error",
];

fn collect<'a>(ty: &'a Type, leaves: &mut Vec<&'a Type>) {
    match bare(ty) {
        Type::Reference(inner) => collect(&inner.elem, leaves),
        Type::Slice(inner) => collect(&inner.elem, leaves),
        Type::Array(inner) => collect(&inner.elem, leaves),
        Type::Tuple(inner) => inner.elems.iter().for_each(|ty| collect(ty, leaves)),
        leaf => {
            if let Type::Path(path) = leaf
                && let Some(last) = path.path.segments.last()
            {
                if SHARED.iter().any(|known| last.ident == known) {
                    return;
                }
                if let PathArguments::AngleBracketed(arguments) = &last.arguments
                    && CONTAINERS.iter().any(|known| last.ident == known)
                    && !leaf.to_token_stream().to_string().contains("dyn ")
                {
                    for argument in &arguments.args {
                        if let GenericArgument::Type(ty) = argument {
                            collect(ty, leaves);
                        }
                    }
                    return;
                }
            }
            if !leaves.contains(&leaf) {
                leaves.push(leaf);
            }
        }
    }
}
