//! Functions and syntax trees in the sources of a plugin.
use crate::{SourceError, SourceFile, Sources};
use hotswap_host::shown::nearest;
use serde::Serialize;
use serde_json::{Value, json};
use syn::spanned::Spanned;
use syn::{ImplItem, Item, TraitItem};

/// The source of a function.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Function {
    /// The path below the crate, such as `World::hum` or `jobs::roll_call`.
    pub path: String,
    /// The file, relative to the directory of the package.
    pub file: String,
    /// The line on which it begins, with its attributes and comments, counted from 1.
    pub line: usize,
    /// The text, from its first attribute or doc comment to its last brace, without the indentation of the first line.
    pub text: String,
    #[serde(skip)]
    node: Node,
}

#[derive(Clone, Debug)]
enum Node {
    Free(syn::ItemFn),
    Method(syn::ImplItemFn),
    Declared(syn::TraitItemFn),
}

impl Function {
    /// Returns the syntax tree, as [`syn-serde`](https://docs.rs/syn-serde) writes it.
    pub fn ast(&self) -> Value {
        let text = match &self.node {
            Node::Free(function) => tree(&syn::Item::Fn(function.clone())),
            Node::Method(function) => tree(&syn::ImplItem::Fn(function.clone())),
            Node::Declared(function) => tree(&syn::TraitItem::Fn(function.clone())),
        };
        serde_json::from_str(&text).expect("the tree is JSON")
    }
}

fn tree<T: syn_serde::Syn>(node: &T) -> String {
    syn_serde::json::to_string(node)
}

impl Sources {
    /// Returns the function with this name. The name may begin with the type or the modules that it is in, as in
    /// `World::hum`, or be the whole path, as in `crate::helper`, which tells functions apart that have the same name. A
    /// function with `#[invoke]` or `#[live]` comes
    /// before others with its name.
    ///
    /// # Errors
    /// [`SourceError::NoFunction`], [`SourceError::Ambiguous`], or [`SourceError::Syntax`].
    pub fn function(&self, name: &str) -> Result<Function, SourceError> {
        let mut all = self.functions()?;
        let wanted: Vec<usize> = (0..all.len())
            .filter(|&at| ends_with(&all[at].1.path, name))
            .collect();
        let called: Vec<usize> = wanted.iter().copied().filter(|&at| all[at].0).collect();
        match (called.as_slice(), wanted.as_slice()) {
            (&[at], _) | (&[], &[at]) => Ok(all.swap_remove(at).1),
            (&[], &[]) => {
                let known = all.iter().map(|(_, function)| last(&function.path));
                Err(SourceError::NoFunction {
                    package: self.package().to_owned(),
                    name: name.to_owned(),
                    nearest: nearest(last(name), known).map(str::to_owned),
                })
            }
            (&[], many) | (many, _) => Err(SourceError::Ambiguous {
                name: name.to_owned(),
                paths: many
                    .iter()
                    .map(|&at| format!("crate::{}", all[at].1.path))
                    .collect(),
            }),
        }
    }

    /// Returns the syntax trees of all files: an object with a tree for each path.
    ///
    /// # Errors
    /// [`SourceError::Syntax`].
    pub fn ast(&self) -> Result<Value, SourceError> {
        let mut trees = serde_json::Map::new();
        for file in self.files() {
            let tree: Value = serde_json::from_str(&tree(&parse(file)?)).expect("the tree is JSON");
            trees.insert(file.path.clone(), tree);
        }
        Ok(json!({ "package": self.package(), "files": trees }))
    }

    /// Returns all functions, each with whether hotswap calls it by its name.
    fn functions(&self) -> Result<Vec<(bool, Function)>, SourceError> {
        let mut found = Vec::new();
        for file in self.files() {
            let mut walk = Walk {
                file,
                path: modules(&file.path),
                found: &mut found,
            };
            walk.items(&parse(file)?.items);
        }
        Ok(found)
    }
}

fn parse(file: &SourceFile) -> Result<syn::File, SourceError> {
    syn::parse_file(&file.text).map_err(|error| SourceError::Syntax {
        file: file.path.clone(),
        line: error.span().start().line,
        message: error.to_string(),
    })
}

/// Returns the modules that a file is, if no `#[path]` says otherwise: `src/jobs/mod.rs` is `jobs`.
fn modules(path: &str) -> Vec<String> {
    let path = path.strip_prefix("src/").unwrap_or(path);
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    if let Some("lib" | "main" | "mod") = parts.last().map(String::as_str) {
        parts.pop();
    }
    parts
}

/// True if the last names of `path` are those of `name`.
fn ends_with(path: &str, name: &str) -> bool {
    if let Some(whole) = name.strip_prefix("crate::") {
        return path == whole;
    }
    match path.strip_suffix(name) {
        Some("") => true,
        Some(before) => before.ends_with("::"),
        None => false,
    }
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// Walks through the items of a file, and collects the functions.
struct Walk<'a> {
    file: &'a SourceFile,
    /// The names of the modules and the type around the current item.
    path: Vec<String>,
    found: &'a mut Vec<(bool, Function)>,
}

impl Walk<'_> {
    fn items(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Fn(function) => self.add(
                    &function.attrs,
                    &function.sig,
                    function.span(),
                    Node::Free(function.clone()),
                ),
                Item::Mod(module) => {
                    let items = module.content.as_ref().map(|(_, items)| items);
                    self.inside(module.ident.to_string(), |walk| {
                        walk.items(items.map_or(&[], Vec::as_slice));
                    });
                }
                Item::Impl(block) => {
                    let name = match &*block.self_ty {
                        syn::Type::Path(path) => path.path.segments.last(),
                        _ => None,
                    };
                    let name = name.map_or_else(|| "_".to_owned(), |name| name.ident.to_string());
                    self.inside(name, |walk| {
                        for item in &block.items {
                            if let ImplItem::Fn(function) = item {
                                walk.add(
                                    &function.attrs,
                                    &function.sig,
                                    function.span(),
                                    Node::Method(function.clone()),
                                );
                            }
                        }
                    });
                }
                Item::Trait(block) => self.inside(block.ident.to_string(), |walk| {
                    for item in &block.items {
                        if let TraitItem::Fn(function) = item
                            && function.default.is_some()
                        {
                            walk.add(
                                &function.attrs,
                                &function.sig,
                                function.span(),
                                Node::Declared(function.clone()),
                            );
                        }
                    }
                }),
                _ => {}
            }
        }
    }

    fn inside(&mut self, name: String, walk: impl FnOnce(&mut Self)) {
        self.path.push(name);
        walk(self);
        self.path.pop();
    }

    fn add(
        &mut self,
        attrs: &[syn::Attribute],
        sig: &syn::Signature,
        span: proc_macro2::Span,
        node: Node,
    ) {
        let is_called = attrs.iter().any(|attr| {
            let name = attr.path().segments.last();
            name.is_some_and(|name| name.ident == "invoke" || name.ident == "live")
        });
        let mut path = self.path.clone();
        path.push(sig.ident.to_string());
        let range = span.byte_range();
        let text = self.file.text.get(range).unwrap_or_default().to_owned();
        self.found.push((
            is_called,
            Function {
                path: path.join("::"),
                file: self.file.path.clone(),
                line: span.start().line,
                text,
                node,
            },
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sources;

    fn sources() -> (tempfile::TempDir, Sources) {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let file = dir.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, text).unwrap();
            file
        };
        let files = [
            write(
                "src/lib.rs",
                "mod jobs;\nstruct World;\n#[plugin]\nimpl World {\n    /// Hums.\n    #[invoke]\n    fn hum(&self) -> u32 {\n        \
                 helper()\n    }\n}\nfn helper() -> u32 { 7 }\n",
            ),
            write(
                "src/jobs.rs",
                "#[live]\nfn roll_call() {}\nfn hum() {}\nmod more { fn helper() {} }\n",
            ),
            write("src/notes.txt", "no Rust"),
            std::path::PathBuf::from("/elsewhere/src/lib.rs"),
        ];
        let sources = Sources::read("world", dir.path(), &files).unwrap();
        (dir, sources)
    }

    #[test]
    fn sources_come_back_from_their_packed_form() {
        let (_dir, sources) = sources();
        let paths: Vec<_> = sources.files().iter().map(|file| &*file.path).collect();
        assert_eq!(paths, ["src/jobs.rs", "src/lib.rs"]);
        assert_eq!(Sources::unpack(&sources.pack()).unwrap(), sources);
    }

    #[test]
    fn a_function_is_found_by_its_name() {
        let (_dir, sources) = sources();
        let hum = sources.function("hum").unwrap();
        assert_eq!(
            (&*hum.path, &*hum.file, hum.line),
            ("World::hum", "src/lib.rs", 5)
        );
        assert!(hum.text.starts_with("/// Hums."), "{}", hum.text);
        assert!(hum.text.ends_with("helper()\n    }"), "{}", hum.text);
        assert_eq!(hum.ast()["fn"]["ident"], "hum");
        assert_eq!(sources.function("jobs::hum").unwrap().line, 3);
        assert_eq!(
            sources.function("roll_call").unwrap().path,
            "jobs::roll_call"
        );
    }

    #[test]
    fn names_that_mean_nothing_or_too_much() {
        let (_dir, sources) = sources();
        let error = |name| sources.function(name).unwrap_err().to_string();
        assert_eq!(
            error("helper"),
            "several functions are called `helper`; name one of crate::jobs::more::helper, crate::helper"
        );
        assert_eq!(sources.function("crate::helper").unwrap().path, "helper");
        assert_eq!(
            error("hun"),
            "world has no function `hun` in its sources: did you mean `hum`?"
        );
    }

    #[test]
    fn all_trees_are_one_object() {
        let (_dir, sources) = sources();
        let ast = sources.ast().unwrap();
        assert_eq!(ast["package"], "world");
        assert!(ast["files"]["src/jobs.rs"]["items"].is_array(), "{ast}");
    }

    #[test]
    fn damage_is_an_error() {
        let (_dir, sources) = sources();
        let mut packed = sources.pack();
        packed.truncate(packed.len() / 2);
        assert!(matches!(
            Sources::unpack(&packed),
            Err(SourceError::Damaged(_))
        ));
    }
}
