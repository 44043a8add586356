//! A function of a plugin with its links, in one generation.
//!
//! Unsafe code: the description of a function has the addresses of its links, which are called through it.
#![allow(unsafe_code)]
use super::by_name::{ByName, TracedByName};
use super::link::{Layer, Linked, Shape};
use super::trace::Tracer;
use crate::instance::made::FunctionOf;
use hotswap_plugin::boundary::{FunctionDesc, RawFunction};
use std::ptr::null;
use std::sync::Arc;

/// A function of a plugin with its links, in one generation.
pub(crate) struct PatchedFunction {
    desc: FunctionDesc,
    /// The links, the topmost one last.
    _links: Vec<Box<dyn Linked>>,
    /// True if the topmost one is a link, and not a function of another plugin.
    is_link: bool,
    /// The links of calls by name, the topmost one last.
    #[allow(
        clippy::vec_box,
        reason = "each link has the address of the one below it, and the list moves"
    )]
    by_name: Vec<Box<TracedByName>>,
    /// The topmost link, or the plugin's own function.
    raw: RawFunction,
}

// SAFETY: the description has addresses of functions that may be called from any thread, and constants. The links are
// `Send`.
unsafe impl Send for PatchedFunction {}
// SAFETY: the description has addresses of functions that may be called from any thread, and constants. The links are
// `Sync`.
unsafe impl Sync for PatchedFunction {}

/// A plugin's own function.
#[derive(Clone, Copy)]
pub(crate) struct Own {
    pub(crate) raw: RawFunction,
    /// The function for calls by name. A method has none.
    pub(crate) by_name: Option<ByName>,
}

impl Own {
    /// A function that is only called with types.
    pub(crate) fn typed(raw: RawFunction) -> Self {
        Own { raw, by_name: None }
    }
}

/// What a patch puts above a function.
#[derive(Clone)]
pub(crate) enum Above<'p> {
    /// A closure of the host.
    Layer(Arc<dyn Layer>),
    /// A function of another plugin of the same generation, which answers instead of what is below.
    Function(FunctionOf<'p>),
}

impl PatchedFunction {
    /// Links these layers, the lowest one first, to the function of the plugin, which the generation keeps. All of them
    /// have its signature. Above them, `tracers` tell of its calls by name. Returns `None` if there are none of either.
    pub(crate) fn link<'p>(
        shape: &Shape,
        own: Option<Own>,
        layers: impl Iterator<Item = Above<'p>>,
        tracers: &[Arc<Tracer>],
    ) -> Option<Self> {
        let nothing = RawFunction {
            call: null(),
            this: null(),
        };
        let mut raw = own.map_or(nothing, |own| own.raw);
        let mut links = Vec::new();
        let mut called = own.and_then(|own| own.by_name);
        let (mut top, mut is_link) = (None, false);
        for layer in layers {
            is_link = matches!(layer, Above::Layer(_));
            let desc = match layer {
                Above::Layer(layer) => {
                    let link = layer.link(raw, shape.names());
                    raw = link.function();
                    let desc = link.describe(shape);
                    links.push(link);
                    desc
                }
                Above::Function(function) => {
                    raw = RawFunction {
                        call: function.typed,
                        this: function.this(),
                    };
                    function.named(shape.name)
                }
            };
            called = Some(ByName::of(&desc, raw.this));
            top = Some(desc);
        }
        let is_any = top.is_some() || !tracers.is_empty();
        let mut desc = match top {
            Some(desc) => desc,
            // SAFETY: `raw` and the function for calls by name are the plugin's own, with this signature. Both are called
            // with the first arguments that `function` returns.
            None => unsafe { called?.describe(shape.name, shape.params, shape.result, raw.call) },
        };
        let mut by_name = Vec::new();
        for tracer in tracers {
            let link = TracedByName::of(called?, tracer.clone());
            link.put_into(&mut desc);
            called = Some(link.function());
            by_name.push(link);
        }
        is_any.then_some(PatchedFunction {
            desc,
            _links: links,
            is_link,
            by_name,
            raw,
        })
    }

    /// The function, in the place of that of the plugin.
    pub(crate) fn function(&self) -> FunctionOf<'_> {
        let by_name = self.by_name.last().map(|link| link.this());
        // SAFETY: the description is that of the topmost links, and these are the addresses of those links, or what the
        // plugin's own function is called with. `self` belongs to a generation that keeps the instance to which the links
        // lead.
        unsafe { FunctionOf::patched(&self.desc, self.raw.this, by_name.unwrap_or(self.raw.this)) }
    }

    /// The C function and the address of its link.
    pub(crate) fn raw(&self) -> RawFunction {
        self.raw
    }

    /// Returns true if a target leads to one of its topmost links.
    pub(crate) fn is_behind(&self, leads_to: impl Fn(*const ()) -> bool) -> bool {
        let by_name = self.by_name.last().map(|link| link.this());
        let typed = self.is_link.then_some(self.raw.this);
        typed.into_iter().chain(by_name).any(leads_to)
    }
}
