//! The imports between the files of a crate.
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use syn::{Attribute, Item, UseTree, Visibility};

/// The names on the way from the root of the crate to a module or an item.
type Names = Vec<String>;

/// The modules of a crate with their imports.
pub struct Crate {
    src: PathBuf,
    modules: BTreeMap<Names, Module>,
}

#[derive(Default)]
struct Module {
    file: String,
    items: BTreeSet<String>,
    /// The items that the module names from its parents or the root, as absolute paths.
    named: BTreeSet<Names>,
    /// The items that its `use` declarations bring in, by name. Other modules may import them from here.
    brought: BTreeMap<String, Names>,
    globs: Vec<Names>,
    shown_globs: Vec<Names>,
    /// The names in `brought` that the module only re-exports, unless its own code uses them as well.
    shown: BTreeSet<String>,
    words: BTreeSet<String>,
}

impl Crate {
    /// Reads the crate whose root is `src/lib.rs`, without its tests.
    pub fn read(src: &Path) -> Self {
        let mut krate = Crate {
            src: src.to_owned(),
            modules: BTreeMap::new(),
        };
        krate.read_file(&src.join("lib.rs"), src, Vec::new());
        krate
    }

    pub fn files(&self) -> usize {
        self.modules
            .values()
            .map(|module| &module.file)
            .collect::<BTreeSet<_>>()
            .len()
    }

    fn read_file(&mut self, file: &Path, children: &Path, at: Names) {
        let text = std::fs::read_to_string(file).unwrap();
        let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        self.read_items(&parsed.items, file, children, at);
    }

    fn read_items(&mut self, items: &[Item], file: &Path, children: &Path, at: Names) {
        let name = file.strip_prefix(&self.src).unwrap().to_str().unwrap();
        let mut module = self.modules.remove(&at).unwrap_or_default();
        module.file = name.replace('\\', "/");
        for item in items {
            match item {
                Item::Mod(item) if is_test(&item.attrs) => {}
                Item::Mod(item) => {
                    let child = [at.as_slice(), &[item.ident.to_string()]].concat();
                    let folder = children.join(item.ident.to_string());
                    match &item.content {
                        Some((_, items)) => self.read_items(items, file, &folder, child),
                        None => {
                            let (file, folder) = place(item, file, children, &folder);
                            self.read_file(&file, &folder, child);
                        }
                    }
                }
                Item::Use(item) if is_test(&item.attrs) => {}
                Item::Use(item) => {
                    let mut brought = Module::default();
                    bring(&item.tree, &mut Vec::new(), &at, &mut brought);
                    if !matches!(item.vis, Visibility::Inherited) {
                        module.shown.extend(brought.brought.keys().cloned());
                        module.shown_globs.append(&mut brought.globs);
                    }
                    module.brought.extend(brought.brought);
                    module.globs.extend(brought.globs);
                }
                other => {
                    module.items.extend(name_of(other));
                    let tokens = quote::ToTokens::to_token_stream(other);
                    name_paths(tokens, &at, &mut module);
                }
            }
        }
        // A module exists once for each platform: the same name in several files.
        if let Some(other) = self.modules.get_mut(&at) {
            other.named.extend(module.named);
            other.items.extend(module.items);
            return;
        }
        self.modules.insert(at, module);
    }

    /// Returns the file that defines the item of this path.
    fn defined_in(&self, path: &[String], left: usize) -> Option<&str> {
        let mut at = 0;
        while at < path.len() && self.modules.contains_key(&path[..=at]) {
            at += 1;
        }
        let module = self.modules.get(&path[..at])?;
        let Some(item) = path.get(at) else {
            return Some(&module.file);
        };
        if module.items.contains(item) || left == 0 {
            return Some(&module.file);
        }
        if let Some(target) = module.brought.get(item) {
            let target = [target.as_slice(), &path[at + 1..]].concat();
            return self.defined_in(&target, left - 1);
        }
        let mut globs = module.globs.iter().chain(&module.shown_globs);
        let found = globs.find_map(|glob| {
            let inner = self.modules.get(glob)?;
            let has = inner.items.contains(item) || inner.brought.contains_key(item);
            has.then(|| [glob.as_slice(), &path[at..]].concat())
        });
        match found {
            Some(target) => self.defined_in(&target, left - 1),
            None => Some(&module.file),
        }
    }

    /// Returns the imports of each file: the file that it imports from, with a path of which the import consists. The
    /// root of the crate only re-exports, so its imports do not count.
    fn arrows(&self) -> BTreeMap<&str, BTreeMap<&str, String>> {
        let mut arrows: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
        for (_, module) in self.modules.iter().filter(|(at, _)| !at.is_empty()) {
            let only_shown =
                |name: &String| module.shown.contains(name) && !module.words.contains(name);
            let brought = module.brought.iter().filter(|(name, _)| !only_shown(name));
            let brought = brought.map(|(_, path)| path);
            for path in module.named.iter().chain(brought).chain(&module.globs) {
                let to = self.defined_in(path, 8);
                if let Some(to) = to.filter(|to| *to != module.file && *to != "lib.rs") {
                    let arrows = arrows.entry(&module.file).or_default();
                    arrows.entry(to).or_insert_with(|| path.join("::"));
                }
            }
        }
        arrows
    }

    /// Returns the groups of files in which each file reaches every other one.
    pub fn circles(&self) -> Vec<BTreeSet<String>> {
        let arrows = self.arrows();
        let reached = |from: &str| {
            let (mut found, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
            while let Some(file) = open.pop() {
                for to in arrows
                    .get(file.as_str())
                    .into_iter()
                    .flat_map(BTreeMap::keys)
                {
                    if found.insert((*to).to_owned()) {
                        open.push((*to).to_owned());
                    }
                }
            }
            found
        };
        let all: BTreeMap<&str, _> = arrows.keys().map(|file| (*file, reached(file))).collect();
        let circle = |file: &str| -> BTreeSet<String> {
            let others = all[file].iter();
            others
                .filter(|to| all.get(to.as_str()).is_some_and(|back| back.contains(file)))
                .cloned()
                .collect()
        };
        let circles: BTreeSet<_> = all
            .keys()
            .map(|file| circle(file))
            .filter(|files| files.len() > 1)
            .collect();
        circles.into_iter().collect()
    }

    /// Returns the imports between these files.
    pub fn arrows_within(&self, files: &BTreeSet<String>) -> Vec<String> {
        let arrows = self.arrows();
        let from = arrows.iter().filter(|(from, _)| files.contains(**from));
        from.flat_map(|(from, to)| {
            let to = to.iter().filter(|(to, _)| files.contains(**to));
            to.map(move |(to, path)| format!("{from} -> {to}: {path}"))
        })
        .collect()
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = quote::ToTokens::to_token_stream(attribute).to_string();
        attribute.path().is_ident("cfg") && text.contains("test")
    })
}

/// Returns the file of a module, and the folder of its submodules.
fn place(item: &syn::ItemMod, parent: &Path, children: &Path, folder: &Path) -> (PathBuf, PathBuf) {
    for attribute in item
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("path"))
    {
        let syn::Meta::NameValue(value) = &attribute.meta else {
            continue;
        };
        let syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(path),
            ..
        }) = &value.value
        else {
            continue;
        };
        return (
            parent.parent().unwrap().join(path.value()),
            folder.to_owned(),
        );
    }
    let file = children.join(format!("{}.rs", item.ident));
    match file.exists() {
        true => (file, folder.to_owned()),
        false => (folder.join("mod.rs"), folder.to_owned()),
    }
}

fn name_of(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        Item::Macro(item) => item.ident.as_ref()?.to_string(),
        Item::Static(item) => item.ident.to_string(),
        Item::Struct(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        Item::Union(item) => item.ident.to_string(),
        _ => return None,
    })
}

/// Makes a path absolute. Returns `None` if the path leads out of the crate or stays in the module.
fn absolute(path: &[String], at: &[String]) -> Option<Names> {
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([at, &path[1..]].concat()),
        "super" => {
            let ups = path.iter().take_while(|name| *name == "super").count();
            let above = at.get(..at.len().checked_sub(ups)?)?;
            Some([above, &path[ups..]].concat())
        }
        _ => None,
    }
}

fn bring(tree: &UseTree, before: &mut Names, at: &[String], module: &mut Module) {
    // A path without `crate`, `self`, or `super` may begin at a module of this one.
    let full = |path: &[String]| absolute(path, at).unwrap_or_else(|| [at, path].concat());
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            bring(&path.tree, before, at, module);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => {
            let last = before.last().cloned().unwrap_or_default();
            module.brought.insert(last, full(before));
        }
        UseTree::Name(name) => {
            let path = [before.as_slice(), &[name.ident.to_string()]].concat();
            module.brought.insert(name.ident.to_string(), full(&path));
        }
        UseTree::Rename(name) => {
            let path = [before.as_slice(), &[name.ident.to_string()]].concat();
            module.brought.insert(name.rename.to_string(), full(&path));
        }
        UseTree::Glob(_) => module.globs.push(full(before)),
        UseTree::Group(group) => {
            for tree in &group.items {
                bring(tree, before, at, module);
            }
        }
    }
}

/// Collects the paths in code, also within macros.
fn name_paths(tokens: TokenStream, at: &[String], module: &mut Module) {
    let mut path: Names = Vec::new();
    let mut colons = 0;
    let mut end = |path: &mut Names| {
        module
            .named
            .extend(absolute(path, at).filter(|_| path.len() > 1));
        module.words.extend(path.iter().cloned());
        path.clear();
    };
    let mut groups = Vec::new();
    let mut skipped = false;
    let tokens: Vec<_> = tokens.into_iter().collect();
    // The scope of `pub(in …)` is no import.
    if matches!(tokens.first(), Some(TokenTree::Ident(first)) if first == "in") {
        return;
    }
    for token in tokens {
        if skipped {
            // The item exists for tests only.
            let is_body = |group: &Group| group.delimiter() == Delimiter::Brace;
            skipped = match &token {
                TokenTree::Group(group) => !is_body(group),
                TokenTree::Punct(punct) => punct.as_char() != ';',
                _ => true,
            };
            continue;
        }
        match token {
            TokenTree::Group(group) if group.to_string().replace(' ', "") == "[cfg(test)]" => {
                end(&mut path);
                skipped = true;
            }
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    end(&mut path);
                }
                path.push(ident.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            other => {
                end(&mut path);
                colons = 0;
                if let TokenTree::Group(group) = other {
                    groups.push(group.stream());
                }
            }
        }
    }
    end(&mut path);
    for group in groups {
        name_paths(group, at, module);
    }
}
