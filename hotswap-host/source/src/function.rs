//! Functions and syntax trees in the sources of a plugin.
use crate::{SourceError, SourceFile, Sources};
use hotswap_host::shown::nearest;
use proc_macro2::Span;
use serde::Serialize;
use serde_json::{Value, json};
use std::ops::Range;
use syn::spanned::Spanned;
use syn::{Attribute, Block, ImplItem, Item, Signature, TraitItem, Visibility};

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
    /// The bytes of the text in the file.
    #[serde(skip)]
    pub(crate) range: Range<usize>,
    /// The number of characters before the text on its first line.
    #[serde(skip)]
    pub(crate) column: usize,
    /// True if hotswap calls the function by its name.
    #[serde(skip)]
    is_called: bool,
    #[serde(skip)]
    pub(crate) node: Node,
}

/// The syntax of a function that has a body.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Free(syn::ItemFn),
    Method(syn::ImplItemFn),
    /// The function of a trait, and its body.
    Declared(syn::TraitItemFn, syn::Block),
}

impl Node {
    pub(crate) fn signature(&self) -> &Signature {
        match self {
            Node::Free(function) => &function.sig,
            Node::Method(function) => &function.sig,
            Node::Declared(function, _) => &function.sig,
        }
    }

    pub(crate) fn block(&self) -> &Block {
        match self {
            Node::Free(function) => &function.block,
            Node::Method(function) => &function.block,
            Node::Declared(_, block) => block,
        }
    }

    /// Returns the attributes, and the visibility unless it is that of a trait.
    pub(crate) fn head(&self) -> (&[Attribute], Option<&Visibility>) {
        match self {
            Node::Free(function) => (&function.attrs, Some(&function.vis)),
            Node::Method(function) => (&function.attrs, Some(&function.vis)),
            Node::Declared(function, _) => (&function.attrs, None),
        }
    }

    fn span(&self) -> Span {
        match self {
            Node::Free(function) => function.span(),
            Node::Method(function) => function.span(),
            Node::Declared(function, _) => function.span(),
        }
    }
}

impl Function {
    /// Returns the syntax tree, as [`syn-serde`](https://docs.rs/syn-serde) writes it.
    pub fn ast(&self) -> Value {
        let text = match &self.node {
            Node::Free(function) => tree(&syn::Item::Fn(function.clone())),
            Node::Method(function) => tree(&syn::ImplItem::Fn(function.clone())),
            Node::Declared(function, _) => tree(&syn::TraitItem::Fn(function.clone())),
        };
        serde_json::from_str(&text).expect("the tree is JSON")
    }
}

/// Returns the syntax tree of an expression, such as a closure that a host has put into the place of a function, as
/// [`syn-serde`](https://docs.rs/syn-serde) writes it.
///
/// ```
/// let tree = hotswap_source::expression_ast("|times: u32| times + 1")?;
/// assert!(tree.get("closure").is_some());
/// # Ok::<(), hotswap_source::SourceError>(())
/// ```
///
/// # Errors
/// The text is no expression that this crate can read. The line of [`SourceError::Syntax`] is counted in the text.
pub fn expression_ast(text: &str) -> Result<Value, SourceError> {
    let expression =
        syn::parse_str::<syn::Expr>(text).map_err(|error| syntax("the expression", &error))?;
    Ok(serde_json::from_str(&tree(&expression)).expect("the tree is JSON"))
}

fn syntax(file: &str, error: &syn::Error) -> SourceError {
    SourceError::Syntax {
        file: file.to_owned(),
        line: error.span().start().line,
        message: error.to_string(),
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
            .filter(|&at| ends_with(&all[at].path, name))
            .collect();
        let called: Vec<usize> = wanted
            .iter()
            .copied()
            .filter(|&at| all[at].is_called)
            .collect();
        match (called.as_slice(), wanted.as_slice()) {
            (&[at], _) | (&[], &[at]) => Ok(all.swap_remove(at)),
            (&[], &[]) => {
                let known = all.iter().map(|function| last(&function.path));
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
                    .map(|&at| format!("crate::{}", all[at].path))
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

    /// Returns all functions that have a body.
    ///
    /// # Errors
    /// [`SourceError::Syntax`].
    pub fn functions(&self) -> Result<Vec<Function>, SourceError> {
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
    syn::parse_str::<syn::File>(&file.text).map_err(|error| syntax(&file.path, &error))
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
    found: &'a mut Vec<Function>,
}

impl Walk<'_> {
    fn items(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Fn(function) => self.add(Node::Free(function.clone())),
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
                                walk.add(Node::Method(function.clone()));
                            }
                        }
                    });
                }
                Item::Trait(block) => self.inside(block.ident.to_string(), |walk| {
                    for item in &block.items {
                        if let TraitItem::Fn(function) = item
                            && let Some(body) = &function.default
                        {
                            walk.add(Node::Declared(function.clone(), body.clone()));
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

    fn add(&mut self, node: Node) {
        let is_called = node.head().0.iter().any(|attr| {
            let name = attr.path().segments.last();
            name.is_some_and(|name| name.ident == "invoke" || name.ident == "live")
        });
        let mut path = self.path.clone();
        path.push(node.signature().ident.to_string());
        let span = node.span();
        let range = span.byte_range();
        self.found.push(Function {
            path: path.join("::"),
            file: self.file.path.clone(),
            line: span.start().line,
            text: self.file.text[range.clone()].to_owned(),
            range,
            column: span.start().column,
            is_called,
            node,
        });
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
