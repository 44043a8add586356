//! Replaced plugins that wait for each other's objects.
//!
//! A plugin that has an object of another (a listener) keeps that one's library, and a library keeps the instances
//! that its plugin imports. So when alpha has a listener of beta's, and beta imports alpha, both wait for each other
//! once both are replaced. Nobody can get into either of them any more, so the listener can be dropped; then beta's
//! library leaves, and alpha is freed.
//!
//! # Which objects are dropped
//! What is looked at are the replaced plugins that are done but for this: their instance waits for those who import it
//! ([`State::Shared`]), or is freed, and their objects are waited for ([`State::Objects`]). One of them is *reachable*
//! when code that is not theirs can still run in it:
//! - somebody else than these has its instance,
//! - the host, or a plugin that is not one of these, has an object of it,
//! - it has a running thread, or an object that is being dropped,
//! - or a reachable one imports it, or has an object of it.
//!
//! No code of the others can run, except destructors of thread-locals that wait for their threads. These are asked for,
//! and waited for. After a look (see `activity`) that found none, and saw nothing enter any of them since before their
//! owners were listed, no code of any of them can run again unless it is begun here: whoever got an object or made a
//! thread after the list was made was given it by such code, and counted as an entrance. So no call of their objects is running, which is what
//! [`objects::revoke`] asks for. One library's objects are dropped at a time: their `Drop` may call objects and
//! instances of the others, which are all still there.
use super::look;
use super::state::State;
use super::{Work, spawn};
use crate::instance::Instance;
use crate::live::activity::Look;
use crate::live::objects::{self, Listed};
use crate::load::library::Library;
use std::sync::Arc;

/// Begins to drop the objects of one library that only unreachable plugins have. Returns whether there was one.
pub(super) fn resolve(open: &mut Vec<Work>) -> bool {
    if !open.iter().any(
        |work| matches!(&work.state, State::Objects { library, .. } if library.activity().objects() != 0),
    ) {
        return false;
    }
    let nodes: Vec<Node<'_>> = open
        .iter()
        .enumerate()
        .filter_map(|(index, work)| Node::of(index, &work.state))
        .collect();
    let dead = unreachable(&nodes);
    let first = dead.iter().find(|node| node.has_objects());
    let Some(index) = first.map(|node| node.index).filter(|_| are_quiet(&dead)) else {
        return false;
    };
    // Their destructors have run; what runs now is other code.
    dead.iter()
        .for_each(|node| node.library.activity().unretire());
    let work = open.swap_remove(index);
    let State::Objects { library, uses } = work.state else {
        return false;
    };
    // SAFETY: see the module's documentation.
    let revoke = |library: Arc<Library>| unsafe { objects::revoke(&library) };
    let (state, began) = match spawn(library.clone(), revoke) {
        Ok(thread) => {
            let state = State::Revoking {
                library,
                uses,
                thread,
            };
            (state, true)
        }
        // Another time.
        Err((library, _)) => (State::Objects { library, uses }, false),
    };
    open.push(Work::new(state));
    began
}

/// A replaced plugin that may wait for others of its kind.
struct Node<'a> {
    /// Its place in the list of what is retired.
    index: usize,
    library: &'a Arc<Library>,
    /// Where it is not freed yet.
    instance: Option<&'a Arc<Instance>>,
    imports: &'a [Arc<Instance>],
    /// Begun before its objects were listed.
    look: Look,
    objects: Listed,
}

impl<'a> Node<'a> {
    fn of(index: usize, state: &'a State) -> Option<Self> {
        let (library, instance, imports) = match state {
            State::Shared { instance, .. } => {
                (instance.library(), Some(instance), instance.imports())
            }
            State::Objects { library, uses } => (library, None, uses.imports()),
            _ => return None,
        };
        Some(Node {
            index,
            library,
            instance,
            imports,
            look: library.activity().look(),
            objects: objects::list(library),
        })
    }

    /// Whether its objects are what it waits for.
    fn has_objects(&self) -> bool {
        self.instance.is_none() && self.objects.whole != 0
    }

    fn imports(&self, other: &Node<'_>) -> bool {
        let other = other.instance;
        other.is_some_and(|other| self.imports.iter().any(|import| Arc::ptr_eq(import, other)))
    }

    fn has_object_of(&self, other: &Node<'_>) -> bool {
        let mut owners = other.objects.owners.iter().flatten();
        owners.any(|owner| Arc::ptr_eq(owner, self.library))
    }

    /// Whether code that is none of these plugins' can get into it.
    fn is_entered(&self, nodes: &[Node<'_>]) -> bool {
        let known = |owner: &Option<Arc<Library>>| {
            owner
                .as_ref()
                .is_some_and(|owner| nodes.iter().any(|node| Arc::ptr_eq(node.library, owner)))
        };
        let shared_with_others = self.instance.is_some_and(|instance| {
            let importers = nodes.iter().filter(|node| node.imports(self)).count();
            // One more is the retirement's own.
            Arc::strong_count(instance) > importers + 1
        });
        let activity = self.library.activity();
        shared_with_others
            || activity.threads() != 0
            || activity.objects() != self.objects.whole
            || !self.objects.owners.iter().all(known)
    }
}

/// Those that no code can get into.
fn unreachable<'n, 'a>(nodes: &'n [Node<'a>]) -> Vec<&'n Node<'a>> {
    let mut reached: Vec<bool> = nodes.iter().map(|node| node.is_entered(nodes)).collect();
    let mut next: Vec<usize> = (0..nodes.len()).filter(|&at| reached[at]).collect();
    while let Some(at) = next.pop() {
        for (other, node) in nodes.iter().enumerate() {
            if !reached[other] && (nodes[at].imports(node) || nodes[at].has_object_of(node)) {
                reached[other] = true;
                next.push(other);
            }
        }
    }
    let dead = nodes.iter().zip(reached).filter(|(_, reached)| !reached);
    dead.map(|(node, _)| node).collect()
}

/// Whether no code of any of them is running: nothing has entered since they were listed, and none has a destructor
/// that has not run.
fn are_quiet(dead: &[&Node<'_>]) -> bool {
    let looks: Vec<_> = dead.iter().map(|n| (n.library, &n.look)).collect();
    look::end(&looks, false).is_ok()
}
