//! `FnType`, the `fn` types whose parameters have open lifetimes.
use super::params::{Lent, Plain};

/// An `fn` type. `Passed` says what each parameter is, and whether it is a reference with an open lifetime. A type parameter
/// cannot stand for such a reference, so each combination has an implementation of its own.
pub trait FnType<Passed> {}

macro_rules! fn_types {
    ([$($lifetime:lifetime)*] [$($generic:tt)*] [$($passed:ty,)*] [$($param:ty,)*]) => {
        impl<R, $($generic)*> FnType<($($passed,)*)> for for<$($lifetime),*> fn($($param),*) -> R {}
    };
    (
        [$($lifetime:lifetime)*] [$($generic:tt)*] [$($passed:ty,)*] [$($param:ty,)*]
        $a:lifetime $A:ident $($rest:tt)*
    ) => {
        fn_types!([$($lifetime)*] [$($generic)* $A,] [$($passed,)* Plain<$A>,] [$($param,)* $A,] $($rest)*);
        fn_types!(
            [$($lifetime)* $a] [$($generic)* $A: ?Sized,] [$($passed,)* Lent<$A>,] [$($param,)* &$a $A,] $($rest)*
        );
    };
}
fn_types!([] [] [] []);
fn_types!([] [] [] [] 'a A);
fn_types!([] [] [] [] 'a A 'b B);
fn_types!([] [] [] [] 'a A 'b B 'c C);
fn_types!([] [] [] [] 'a A 'b B 'c C 'd D);
fn_types!([] [] [] [] 'a A 'b B 'c C 'd D 'e E);
fn_types!([] [] [] [] 'a A 'b B 'c C 'd D 'e E 'f F);
fn_types!([] [] [] [] 'a A 'b B 'c C 'd D 'e E 'f F 'g G);
fn_types!([] [] [] [] 'a A 'b B 'c C 'd D 'e E 'f F 'g G 'h H);
