//! The hooks, which the host calls of its own accord, and the forms in which each may be written.
use crate::support::{Errors, bare, is_reference, written};
use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Ident, ImplItemFn, Receiver, ReceiverKind, ReturnType, Token, Type};

/// The form of a hook.
struct Rule {
    name: &'static str,
    form: &'static str,
    receiver: Option<Access>,
    params: usize,
    result: Output,
}

#[derive(Clone, Copy, PartialEq)]
enum Access {
    Shared,
    /// The plugin is not live yet. Only plugins that import it may be calling it.
    Early,
    Exclusive,
}

#[derive(PartialEq)]
enum Output {
    /// The hook cannot fail.
    Nothing,
    /// The hook may return a `Result`.
    Fallible,
    /// The hook has to return a value.
    Something,
}

const RULES: [Rule; 10] = [
    rule(
        "new",
        "fn new(cx: &Context, deps: Deps) -> Result<Self>",
        None,
        2,
        Output::Something,
    ),
    rule(
        "reloadable",
        "fn reloadable(cx: &Context) -> bool",
        None,
        1,
        Output::Something,
    ),
    rule(
        "on_load",
        "fn on_load(&mut self, data: &LoadData<'_>) -> Result<()>",
        Some(Access::Early),
        1,
        Output::Fallible,
    ),
    rule(
        "on_init",
        "fn on_init(&mut self, vault: &Vault<'_>) -> Result<()>",
        Some(Access::Early),
        1,
        Output::Fallible,
    ),
    rule(
        "on_start",
        "fn on_start(&self) -> Result<()>",
        Some(Access::Shared),
        0,
        Output::Fallible,
    ),
    rule(
        "on_stop",
        "fn on_stop(&self)",
        Some(Access::Shared),
        0,
        Output::Nothing,
    ),
    rule(
        "save",
        "fn save(&self) -> Result<State>",
        Some(Access::Shared),
        0,
        Output::Something,
    ),
    rule(
        "restore",
        "fn restore(&mut self, state: State) -> Result<()>",
        Some(Access::Early),
        1,
        Output::Fallible,
    ),
    rule(
        "on_free",
        "fn on_free(&mut self)",
        Some(Access::Exclusive),
        0,
        Output::Nothing,
    ),
    rule(
        "invoke_func",
        "fn invoke_func(&self, name: &str, args: &[Value]) -> Result<Value>",
        Some(Access::Shared),
        2,
        Output::Something,
    ),
];

const fn rule(
    name: &'static str,
    form: &'static str,
    receiver: Option<Access>,
    params: usize,
    result: Output,
) -> Rule {
    Rule {
        name,
        form,
        receiver,
        params,
        result,
    }
}

/// Returns true if the attribute marks a function that is called by name, and so is not a hook.
pub fn is_invoke(attr: &Attribute) -> bool {
    attr.path().is_ident("invoke")
}

/// Returns true if a function of this name is a hook.
pub fn is_hook(name: &Ident) -> bool {
    RULES.iter().any(|rule| name == rule.name)
}

/// The hooks of one plugin.
#[derive(Default)]
pub struct Hooks<'a> {
    pub new: Option<&'a ImplItemFn>,
    pub reloadable: Option<&'a ImplItemFn>,
    pub on_load: Option<&'a ImplItemFn>,
    pub on_init: Option<&'a ImplItemFn>,
    pub on_start: Option<&'a ImplItemFn>,
    pub on_stop: Option<&'a ImplItemFn>,
    pub save: Option<&'a ImplItemFn>,
    pub restore: Option<&'a ImplItemFn>,
    pub on_free: Option<&'a ImplItemFn>,
    pub invoke_func: Option<&'a ImplItemFn>,
}

impl<'a> Hooks<'a> {
    /// Finds the hooks among the methods, and checks their forms. `exports` is true if the plugin has exports.
    pub fn parse(
        methods: impl Iterator<Item = &'a ImplItemFn>,
        exports: bool,
        errors: &mut Errors,
    ) -> Self {
        let mut hooks = Hooks::default();
        for method in methods {
            let Some(rule) = RULES.iter().find(|rule| method.sig.ident == rule.name) else {
                continue;
            };
            if !method.attrs.iter().any(is_invoke) {
                rule.check(method, exports, errors);
            }
            let slot = match rule.name {
                "new" => &mut hooks.new,
                "reloadable" => &mut hooks.reloadable,
                "on_load" => &mut hooks.on_load,
                "on_init" => &mut hooks.on_init,
                "on_start" => &mut hooks.on_start,
                "on_stop" => &mut hooks.on_stop,
                "save" => &mut hooks.save,
                "restore" => &mut hooks.restore,
                "on_free" => &mut hooks.on_free,
                _ => &mut hooks.invoke_func,
            };
            *slot = Some(method);
        }
        hooks.check_state(exports, errors);
        hooks
    }
}

impl Hooks<'_> {
    /// Returns the names of the hooks that the plugin has.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let found = [
            self.new,
            self.reloadable,
            self.on_load,
            self.on_init,
            self.on_start,
            self.on_stop,
            self.save,
            self.restore,
            self.on_free,
            self.invoke_func,
        ];
        let there = move |rule: &&Rule| {
            let mut found = found.iter().flatten();
            found.any(|hook| hook.sig.ident == rule.name)
        };
        RULES.iter().filter(there).map(|rule| rule.name)
    }

    /// Checks that a plugin with `save` has `restore`, and the other way round.
    fn check_state(&self, exports: bool, errors: &mut Errors) {
        let (one, other) = match (self.save, self.restore) {
            (Some(save), None) => (save, "restore"),
            (None, Some(restore)) => (restore, "save"),
            _ => return,
        };
        let form = RULES.iter().find(|rule| rule.name == other);
        let form = form.map(|rule| rule.form(exports)).unwrap_or_default();
        let text = format!("`save` and `restore` belong together: also write `{form}`");
        errors.at(&one.sig.ident, text);
    }
}

impl Rule {
    /// Returns the form as an author writes it.
    fn form(&self, exports: bool) -> String {
        match self.receiver {
            Some(Access::Early) if exports => self.form.replace("&mut self", "&self"),
            _ => self.form.to_owned(),
        }
    }

    /// Reports one error at most, since it shows the whole form.
    fn check(&self, method: &ImplItemFn, exports: bool, errors: &mut Errors) {
        let sig = &method.sig;
        let text = format!("this is a hook: write it as `{}`", self.form(exports));
        if let Some(attr) = method.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
            let text = "a hook has to exist in every build, since the host calls it: put the `cfg` into its body";
            return errors.on(attr.span(), text);
        }
        if let Some(token) = &sig.asyncness {
            let more = "a hook is not `async`: spawn a task for longer work";
            return errors.at(token, format!("{text}; {more}"));
        }
        if !sig.generics.params.is_empty() {
            return errors.at(&sig.generics, text);
        }
        if let Some(wrong) = self.wrong_receiver(sig.receiver(), &sig.ident) {
            return errors.on(wrong, text);
        }
        if let Some(token) = mutable(method).filter(|_| exports && self.is_early()) {
            let text = format!(
                "this plugin has exports, and plugins that import it may be calling it while this hook runs: write `{}`, \
                 and keep what the hook sets in a `Mutex`, a `OnceLock` or an atomic",
                self.form(true)
            );
            return errors.at(token, text);
        }
        let params: Vec<_> = params(method).collect();
        if let Some(extra) = sig
            .inputs
            .iter()
            .filter(|input| matches!(input, FnArg::Typed(_)))
            .nth(self.params)
        {
            return errors.at(extra, text);
        }
        match self.name {
            // `cx` is borrowed, and comes first. `deps` is owned.
            "new" if params.len() == 2 && (!is_reference(params[0]) || is_reference(params[1])) => {
                return errors.at(
                    if is_reference(params[0]) {
                        params[1]
                    } else {
                        params[0]
                    },
                    text,
                );
            }
            "invoke_func" if params.len() < 2 => return errors.at(&sig.ident, text),
            "restore" if params.is_empty() => return errors.at(&sig.ident, text),
            "restore" if is_reference(params[0]) => return errors.at(params[0], text),
            "new" | "invoke_func" | "restore" => {}
            _ => {
                if let Some(owned) = params.iter().find(|ty| !is_reference(ty)) {
                    return errors.at(owned, text);
                }
            }
        }
        match (&sig.output, &self.result) {
            (ReturnType::Default, Output::Something) => errors.at(&sig.ident, text),
            (ReturnType::Type(_, ty), Output::Nothing) if !is_unit(ty) => errors.at(ty, text),
            (ReturnType::Type(_, ty), _) if self.name == "reloadable" && written(ty) != "bool" => {
                errors.at(ty, text);
            }
            _ => {}
        }
    }

    fn is_early(&self) -> bool {
        self.receiver == Some(Access::Early)
    }

    fn wrong_receiver(&self, found: Option<&Receiver>, ident: &Ident) -> Option<proc_macro2::Span> {
        match (self.receiver, found) {
            (None, None) => None,
            (None, Some(found)) => Some(found.span()),
            (Some(_), None) => Some(ident.span()),
            (Some(access), Some(found)) => {
                let right = match &found.kind {
                    ReceiverKind::Reference(_, None, mutability) => {
                        mutability.is_none() || access != Access::Shared
                    }
                    _ => false,
                };
                (!right).then(|| found.self_token.span())
            }
        }
    }
}

/// Returns the `mut` of a method that takes `&mut self`.
fn mutable(method: &ImplItemFn) -> Option<&Token![mut]> {
    match &method.sig.receiver()?.kind {
        ReceiverKind::Reference(_, _, mutability) => mutability.as_ref(),
        _ => None,
    }
}

/// Returns the receiver of a hook that runs before the plugin is live.
pub fn early(hook: &ImplItemFn) -> TokenStream {
    match mutable(hook) {
        Some(_) => quote!(this.exclusive()),
        None => quote!(this.shared()),
    }
}

/// Returns the types of a function's parameters, without `self`.
pub fn params(method: &ImplItemFn) -> impl Iterator<Item = &Type> {
    method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(param) => Some(&*param.ty),
        FnArg::Receiver(_) => None,
    })
}

/// Returns true if a function with this output returns a `Result`.
pub fn is_result(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => false,
        ReturnType::Type(_, ty) => is_named(ty, "Result"),
    }
}

/// Returns true if the last part of the type's path is this name.
pub fn is_named(ty: &Type, name: &str) -> bool {
    match bare(ty) {
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|last| last.ident == name)
        }
        _ => false,
    }
}

fn is_unit(ty: &Type) -> bool {
    matches!(bare(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}
