//! Resolves cycles of replaced plugins that wait for each other's objects.
//!
//! A plugin that has an object of another plugin (a listener) keeps that plugin's library, and a library keeps the
//! instances that its plugin imports. For example, when alpha has a listener of beta's, and beta imports alpha, each
//! waits for the other once both are replaced. No code can enter either of them any more, so the listener can be
//! dropped. Then beta's library leaves, and alpha is freed.
//!
//! # Which objects are dropped
//! The host looks at the replaced plugins that wait for nothing else: their instance waits for the plugins that import
//! it ([`RetireState::Shared`]), or it has been freed and their objects are waited for ([`RetireState::Objects`]). One
//! of them is *reachable* if code that does not belong to these plugins can still run in it:
//! - something other than these plugins has its instance, or nothing has, so that it is about to be freed,
//! - the host, or a plugin that is not one of these, has an object of it,
//! - it has a running thread, or an object that is being dropped,
//! - or a reachable plugin imports it, or has an object of it.
//!
//! A future of an object counts as an object here.
//!
//! No code of the unreachable plugins can run, except for destructors of thread-locals that wait for their threads. The
//! host asks for these and waits for them. Suppose that a look (see `activity`) found none, and saw nothing enter any
//! of these plugins since before the owners of their objects were listed. Then no code of any of them can run again
//! unless it is begun here: only their own code could have given away an object or made a thread after the list was
//! made, and that would have been counted as an entrance. So no call of their objects is running, and no poll of their
//! futures. This is what [`objects::revoke`] and [`objects::end_futures`] rely on.
//!
//! # The order of the drops
//! A drop runs code of these plugins, which may use the others, start threads, and make objects. So the host drops the
//! futures of one library, or the objects of one library, at a time, and then looks at everything again.
//! - Futures come first: they borrow objects, and may use any of them when they are dropped. Objects are dropped once
//!   no future is left that belongs to a plugin whose objects are waited for, or that borrows an object of such a
//!   plugin. What a plugin has made of its own objects stays until the plugin itself has been freed, since its
//!   `on_free` may use it.
//! - The `Drop` of an object may use objects and instances of the others, which all still exist, and may make futures
//!   of them. Those end before the next library's objects are dropped.
//! - The owners of what has ended do not touch it any more: they ask its ticket, which belongs to the host, and which
//!   has a count until they are gone. So its library may leave before them.
//!
//! # Threads of runtimes
//! A plugin with a runtime of its own (the feature `tokio`) has threads as long as an object of it exists, so the
//! plugins that wait for each other would never be without threads. If only threads of such runtimes make any of them
//! reachable, the runtimes are stopped first, each on a thread that its retirement waits for. This ends their tasks and
//! their threads. It proves nothing. The host looks at everything again, and the argument above holds unchanged: while
//! one thread is left, its plugin is reachable. A task that does not end keeps the plugins, and its thread is named.
//!
//! Code that runs later may make another runtime. If the drop of objects makes one, it ends with the last of them, or
//! it is stopped in the same way; `on_free` finds one, too. Other threads that the plugin has started are not stopped.
//! The host counts all threads of a plugin, the plugin counts those of its runtime, and a runtime is stopped if both
//! counts are equal.
use super::Work;
use super::own_thread::spawn;
use super::state::RetireState;
use crate::hook_thread;
use crate::instance::Instance;
use crate::load::library::Library;
use crate::load::objects::{self, Listed};
use crate::reclaim::activity::Look;
use crate::reclaim::code::Code;
use crate::reclaim::look::{self, Quiet};
use std::sync::Arc;

/// Begins to drop the futures of one library, or its objects, that only unreachable plugins have. Returns true if there
/// were any.
pub(super) fn resolve(open: &mut Vec<Work>) -> bool {
    if !open.iter().any(
        |work| matches!(&work.state, RetireState::Objects { library, .. } if library.activity().objects() != 0),
    ) {
        return false;
    }
    let nodes: Vec<Node<'_>> = open
        .iter()
        .enumerate()
        .filter_map(|(index, work)| Node::of(index, &work.state))
        .collect();
    let dead = unreachable(&nodes, |threads, _| threads != 0);
    let drops = next_drops(&dead).and_then(|next| Some((next, are_quiet(&dead)?)));
    if let Some(((index, drops), quiet)) = drops {
        // Their destructors have run. The code that runs from now on is other code.
        dead.iter()
            .for_each(|node| node.library.activity().unretire());
        return run_aside(open, index, move || drops.run(&quiet));
    }
    let stops = |threads, library: &Library| {
        let runtime = library.own_runtime();
        runtime.is_some_and(|runtime| runtime.threads() == threads)
    };
    let idle = unreachable(&nodes, |threads, library| {
        threads != 0 && !stops(threads, library)
    });
    let stop: Vec<_> = held_by_threads(&idle)
        .filter_map(|node| {
            Some((
                node.index,
                node.library.clone(),
                node.library.own_runtime()?,
            ))
        })
        .collect();
    let idle = unreachable(&nodes, |_, _| false);
    let by_threads: Vec<_> = held_by_threads(&idle).map(|node| node.index).collect();
    for (index, work) in open.iter_mut().enumerate() {
        work.by_threads = by_threads.contains(&index);
    }
    // The last ones come first, so that the others keep their places.
    let mut moved = false;
    for (index, library, runtime) in stop.into_iter().rev() {
        library.activity().unretire();
        moved |= run_aside(open, index, move || runtime.stop());
    }
    moved
}

/// The drops that come next.
enum Drops {
    /// Futures of the objects of the first library, which the other libraries have.
    Futures(Arc<Library>, Vec<Arc<Library>>),
    /// The objects of this library.
    Objects(Arc<Library>),
}

impl Drops {
    /// Drops them. No code can get into the libraries, and `quiet` says that none is running in them.
    fn run(self, quiet: &Quiet) {
        match self {
            Drops::Futures(library, had_by) => objects::end_futures(&library, &had_by, quiet),
            Drops::Objects(library) => objects::revoke(&library, quiet),
        }
    }
}

/// Returns the next drops for plugins that no code can get into, with the place of their plugin in the list.
fn next_drops(dead: &[&Node<'_>]) -> Option<(usize, Drops)> {
    let libraries = |which: fn(&Node<'_>) -> bool| -> Vec<Arc<Library>> {
        let these = dead.iter().filter(|node| which(node));
        these.map(|node| node.library.clone()).collect()
    };
    let (all, freed) = (libraries(|_| true), libraries(|node| node.is_freed()));
    let futures = dead.iter().find_map(|node| {
        let had_by = if node.is_freed() { &all } else { &freed };
        let drops = || Drops::Futures(node.library.clone(), had_by.clone());
        node.has_futures(had_by).then(|| (node.index, drops()))
    });
    futures.or_else(|| {
        let node = dead.iter().find(|node| node.has_objects())?;
        Some((node.index, Drops::Objects(node.library.clone())))
    })
}

/// Runs code of a plugin on a thread of its own, while its retirement waits for nothing else. Returns true if the
/// thread was started; if not, the caller tries again later.
fn run_aside(open: &mut Vec<Work>, index: usize, run: impl FnOnce() + Send + 'static) -> bool {
    let thread = spawn((), |()| run());
    let began = thread.map(|thread| {
        let state = Box::new(open.swap_remove(index).state);
        open.push(Work::new(RetireState::Aside { state, thread }));
    });
    began.is_ok()
}

/// A replaced plugin that may wait for others of its kind.
struct Node<'a> {
    /// Its place in the list of retirements.
    index: usize,
    library: &'a Arc<Library>,
    /// The instance, if it has not been freed yet.
    instance: Option<&'a Arc<Instance>>,
    imports: &'a [Arc<Instance>],
    /// The look that was begun before the objects were listed.
    look: Look,
    objects: Listed,
}

impl<'a> Node<'a> {
    fn of(index: usize, state: &'a RetireState) -> Option<Self> {
        let (library, instance, imports) = match state {
            RetireState::Shared { instance, .. } => {
                (instance.library(), Some(instance), instance.imports())
            }
            RetireState::Objects { library, uses } => (library, None, uses.imports()),
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

    /// Returns true once its instance is gone.
    fn is_freed(&self) -> bool {
        self.instance.is_none()
    }

    /// Returns true if it waits for its objects.
    fn has_objects(&self) -> bool {
        self.is_freed() && self.objects.whole != 0
    }

    /// Returns true if it waits for objects that others have, and not only for tasks of its own.
    fn waits_for_others(&self) -> bool {
        self.is_freed() && self.objects.whole > self.objects.tasks
    }

    /// Returns true if one of these libraries has a future of its objects.
    fn has_futures(&self, libraries: &[Arc<Library>]) -> bool {
        let mut owners = self.objects.futures.iter().flatten();
        owners.any(|owner| libraries.iter().any(|library| Arc::ptr_eq(library, owner)))
    }

    fn imports(&self, other: &Node<'_>) -> bool {
        let other = other.instance;
        other.is_some_and(|other| self.imports.iter().any(|import| Arc::ptr_eq(import, other)))
    }

    fn has_object_of(&self, other: &Node<'_>) -> bool {
        let mut owners = other.objects.owners.iter().flatten();
        owners.any(|owner| Arc::ptr_eq(owner, self.library))
    }

    /// Returns true if its code can get into the other one.
    fn leads_to(&self, other: &Node<'_>) -> bool {
        self.imports(other) || self.has_object_of(other)
    }

    /// Returns true if code that belongs to none of these plugins can get into it. `is_running` says whether this
    /// number of threads of a library counts.
    fn is_entered(&self, nodes: &[Node<'_>], is_running: impl Fn(usize, &Library) -> bool) -> bool {
        let known = |owner: &Option<Arc<Library>>| {
            owner
                .as_ref()
                .is_some_and(|owner| nodes.iter().any(|node| Arc::ptr_eq(node.library, owner)))
        };
        let shared_with_others = self.instance.is_some_and(|instance| {
            let importers = nodes.iter().filter(|node| node.imports(self)).count();
            // The retirement itself has one more.
            importers == 0 || Arc::strong_count(instance) > importers + 1
        });
        let activity = self.library.activity();
        shared_with_others
            || is_running(activity.threads(), self.library)
            || activity.objects() != self.objects.whole
            || !self.objects.owners.iter().all(known)
    }
}

/// Returns the plugins that no code can get into. `is_running` says whether this number of threads of a library counts.
fn unreachable<'n, 'a>(
    nodes: &'n [Node<'a>],
    is_running: impl Fn(usize, &Library) -> bool,
) -> Vec<&'n Node<'a>> {
    let entered = nodes.iter().map(|node| node.is_entered(nodes, &is_running));
    let mut reached: Vec<bool> = entered.collect();
    let mut next: Vec<usize> = (0..nodes.len()).filter(|&at| reached[at]).collect();
    while let Some(at) = next.pop() {
        for (other, node) in nodes.iter().enumerate() {
            if !reached[other] && nodes[at].leads_to(node) {
                reached[other] = true;
                next.push(other);
            }
        }
    }
    let dead = nodes.iter().zip(reached).filter(|(_, reached)| !reached);
    dead.map(|(node, _)| node).collect()
}

/// Returns the plugins that have threads among those that wait for each other. Their code can get to objects that one
/// of the plugins waits for.
fn held_by_threads<'n, 'a>(idle: &[&'n Node<'a>]) -> impl Iterator<Item = &'n Node<'a>> {
    let mut found: Vec<_> = idle
        .iter()
        .copied()
        .filter(|n| n.waits_for_others())
        .collect();
    let mut at = 0;
    while let Some(&to) = found.get(at) {
        for &node in idle {
            if node.leads_to(to) && !found.iter().any(|known| known.index == node.index) {
                found.push(node);
            }
        }
        at += 1;
    }
    found.sort_by_key(|node| node.index);
    let found = found.into_iter();
    found.filter(|node| node.library.activity().threads() != 0)
}

/// Returns the proof that no code of any of them is running: nothing has entered since they were listed, and none of them
/// has a destructor that has not run.
fn are_quiet<'n>(dead: &[&'n Node<'_>]) -> Option<Quiet> {
    let of = |node: &&'n Node<'_>| (&**node.library as &dyn Code, &node.look);
    let looks: Vec<_> = dead.iter().map(of).collect();
    let ended = look::end(&looks, false);
    if ended.is_err() {
        // Threads that run hooks come back when they are asked.
        hook_thread::run_pending_destructors_on_all();
    }
    ended.ok()
}
