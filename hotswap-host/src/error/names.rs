//! Names of plugins in the texts of errors.
use crate::base::name::PluginName;

pub(super) fn list(names: &[PluginName]) -> String {
    match names {
        [] => "nothing".into(),
        names => joined(names, ", "),
    }
}

pub(super) fn arrows(names: &[PluginName]) -> String {
    joined(names, " -> ")
}

fn joined(names: &[PluginName], between: &str) -> String {
    let names: Vec<_> = names.iter().map(PluginName::to_string).collect();
    names.join(between)
}
