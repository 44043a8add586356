//! The last look, at libraries of the model.
use super::code::Code;
use super::look;
use crate::load::library::Library;
use std::sync::Arc;

/// Returns true if the last look finds nothing.
pub(crate) fn is_quiet(library: &Arc<Library>) -> bool {
    look::look(&**library, false).is_ok()
}

/// Returns true if a look at several libraries, in their order, finds nothing.
pub(crate) fn are_quiet(libraries: &[&Arc<Library>]) -> bool {
    let begin = |library: &&'_ Arc<Library>| library.activity().look();
    let looks: Vec<_> = libraries.iter().map(begin).collect();
    let entered = |l: &&Arc<Library>| l.activity().threads() + l.activity().objects() != 0;
    let code = libraries.iter().map(|library| &***library as &dyn Code);
    let looks: Vec<_> = code.zip(&looks).collect();
    !libraries.iter().any(entered) && look::end(&looks, false).is_ok()
}
