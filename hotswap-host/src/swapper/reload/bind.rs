//! Finds the objects that a plugin imports, in the host and in the plugins before it.
use crate::base::name::PluginName;
use crate::base::nearest::nearest;
use crate::error::{PluginErrorKind, ReloadError, exports_instead};
use crate::instance::Instance;
use crate::load::loaded::Loaded;
use crate::provide::Provided;
use hotswap_plugin::boundary::mismatch::{self, Party};
use hotswap_plugin::boundary::{ImportDesc, ImportKind, InterfaceDesc, RawObject};
use std::sync::Arc;

/// Returns an object for each import, and the instances that the objects belong to. `plugins` are the plugins before
/// this one.
///
/// # Errors
/// No plugin exports an import, or only another version of it, or the import is reloadable while the plugin itself is
/// not.
pub(super) fn bind(
    loaded: &Loaded,
    plugins: &[Arc<Instance>],
    provided: &Provided,
) -> Result<(Vec<RawObject>, Vec<Arc<Instance>>), ReloadError> {
    let mut imports: Vec<Arc<Instance>> = Vec::new();
    let mut objects = Vec::new();
    for import in loaded.tables.desc().imports.iter() {
        let object = match import.kind {
            ImportKind::Host => from_host(loaded, import, provided)?,
            ImportKind::Plugin | ImportKind::OrderOnly => {
                let from = PluginName::from(import.from.as_str());
                let found = plugins.iter().find(|plugin| *plugin.name() == from);
                if let (Some(exporter), ImportKind::Plugin) = (found, import.kind)
                    && !imports.iter().any(|known| Arc::ptr_eq(known, exporter))
                {
                    imports.push(exporter.clone());
                }
                match (found, import.interface) {
                    (Some(exporter), Some(need)) => from_plugin(loaded, need, exporter)?,
                    // The import is optional and absent, or it is not called: see `resolve::order`.
                    _ => RawObject::ABSENT,
                }
            }
        };
        objects.push(object);
    }
    check_reloadable(loaded, &imports)?;
    Ok((objects, imports))
}

/// Returns an error if a plugin that is not reloadable imports one that is. The imports of the import need no check: it
/// would follow them, so it is reloadable, too, or was refused here.
fn check_reloadable(loaded: &Loaded, imports: &[Arc<Instance>]) -> Result<(), ReloadError> {
    let reloadable = |imports: &[Arc<Instance>]| {
        let mut imports = imports.iter();
        imports.find(|import| import.is_reloadable()).cloned()
    };
    if loaded.is_reloadable || reloadable(imports).is_none() {
        return Ok(());
    }
    let mut chain = vec![loaded.name.clone()];
    let mut next = reloadable(imports);
    while let Some(import) = next {
        chain.push(import.name().clone());
        next = reloadable(import.imports());
    }
    Err(PluginErrorKind::NotReloadable { chain }
        .of(&loaded.name, &loaded.file)
        .into())
}

fn from_host(
    loaded: &Loaded,
    import: &ImportDesc,
    provided: &Provided,
) -> Result<RawObject, ReloadError> {
    let Some(need) = import.interface else {
        return Ok(RawObject::ABSENT);
    };
    let Some((have, object)) = provided.find(need.name.as_str()) else {
        if import.optional {
            return Ok(RawObject::ABSENT);
        }
        let provided = provided.names();
        let kind = PluginErrorKind::Import {
            import: format!("{} of the host", need.name),
            message: match provided.as_slice() {
                [] => "the host provides nothing; see `Builder::provide`".into(),
                names => format!("the host provides {}", names.join(", ")),
            },
        };
        return Err(kind.of(&loaded.name, &loaded.file).into());
    };
    check(loaded, need, Party::Host, have)?;
    Ok(object)
}

fn from_plugin(
    loaded: &Loaded,
    need: &InterfaceDesc,
    exporter: &Instance,
) -> Result<RawObject, ReloadError> {
    let Some(index) = exporter.export_index(need) else {
        let exports: Vec<_> = exporter.exports().map(str::to_owned).collect();
        let known = exports.iter().map(String::as_str);
        let nearest = nearest(need.name.as_str(), known).map(str::to_owned);
        let kind = PluginErrorKind::Import {
            import: format!("{} of {}", need.name, exporter.name()),
            message: exports_instead(&nearest, &exports),
        };
        return Err(kind.of(&loaded.name, &loaded.file).into());
    };
    check(
        loaded,
        need,
        Party::Plugin(exporter.name().as_str()),
        exporter.desc().exports[index].interface,
    )?;
    let table = exporter.export_tables().table(index);
    Ok(RawObject::lent(table, exporter.this()))
}

fn check(
    loaded: &Loaded,
    need: &InterfaceDesc,
    from: Party<'_>,
    have: &InterfaceDesc,
) -> Result<(), ReloadError> {
    match mismatch::interface((Party::Plugin(loaded.name.as_str()), need), (from, have)) {
        None => Ok(()),
        Some(message) => Err(PluginErrorKind::Mismatch(message)
            .of(&loaded.name, &loaded.file)
            .into()),
    }
}
