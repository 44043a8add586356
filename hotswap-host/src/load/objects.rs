//! Objects of plugins that others own, counted here: `Held` is the other end.
//!
//! An object belongs to the library that made it: its functions and its drop are that library's code. So the library
//! is not unmapped before each of its objects has been dropped, and the count tells who is in the way of that.
//!
//! # Why an object is never used after its library
//! - Each `Held` is a count that its library took, and whoever calls through a `Held` borrows it: during a call, there
//!   is a count.
//! - With the last count the object is dropped, once, and only after that is its library one object lighter
//!   (`Activity::object_gone`); retiring closes no library that has objects.
//! - A future of an object's `async` method borrows the object. It is counted as an object of the same library, and its
//!   object has it as one more reason to stay: it is not dropped before the last of its futures has been, whoever loses
//!   which count first.
//! - [`revoke`] drops objects that are still counted, and [`end_futures`] futures. From then on a call or a poll panics in
//!   the caller's own stub, and what is left there leads to the count alone. It is for what nobody can be calling: see
//!   `retire::cycles`. All are marked before the first is dropped, so that a thread which is started by that finds none
//!   that it could call while it is dropped.
//! - [`forget_library`] takes the counts of a library that has left memory: what had them is gone, too.
//!
//! No lock is held while an object is dropped.
use crate::load::library::Library;
use crate::reclaim::code::Code;
use crate::retirement::Holder;
use hotswap_plugin::boundary::StrView;
use hotswap_plugin::contract::Ticket;
use hotswap_plugin::contract::shim::Token;
use hotswap_plugin::contract::ticket::{RawDrop, RawTicket};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An object that others than its library may own.
#[repr(C)]
struct Object {
    /// The front, which is what plugins know of it.
    ticket: Ticket,
    owner: Arc<Library>,
    /// The interface; of a task its name.
    name: Arc<str>,
    kind: Kind,
    object: RawDrop,
    counts: Mutex<Counts>,
}

/// The kinds of things that are counted.
enum Kind {
    Object,
    /// A task of the library's own, which is counted as an object is.
    Task,
    /// A future that borrows this object.
    Future(Arc<Object>),
}

// SAFETY: the object behind `object` is `Send + Sync`, as `Held::new` demands, or a future that is `Send` and is only dropped
// through this.
unsafe impl Send for Object {}
// SAFETY: a shared `Object` only drops what is behind `object`, once, as `counts` sees to; that may be sent to any thread.
unsafe impl Sync for Object {}

#[derive(Default)]
struct Counts {
    /// Who has how many: a plugin's library, or the host.
    by: Vec<(Option<Arc<Library>>, usize)>,
    /// Futures that borrow the object, and have not been dropped.
    futures: usize,
    /// The object has been dropped, or is being.
    dropped: bool,
}

/// All objects that are counted or not yet dropped, by the address of their ticket.
static OBJECTS: Mutex<BTreeMap<usize, Arc<Object>>> = Mutex::new(BTreeMap::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to count an object of the library that `token` names.
pub(crate) unsafe extern "C" fn count_object(
    token: Token,
    object: RawDrop,
    interface: StrView,
) -> RawTicket {
    // SAFETY: called by the library's code, which lends the name for this call.
    unsafe { count(token, object, interface, Kind::Object) }
}

/// Begins to count a task of the library that `token` names.
pub(crate) unsafe extern "C" fn count_task(token: Token, name: StrView) -> RawTicket {
    /// A task ends by itself.
    unsafe extern "C" fn nothing(_: *const ()) {}
    let object = RawDrop {
        object: std::ptr::null(),
        drop: nothing,
    };
    // SAFETY: called by code of the library that the token names, which lends the name for this call.
    unsafe { count(token, object, name, Kind::Task) }
}

/// # Safety
/// Called by the code of the library that `token` names, which lends the name for this call.
unsafe fn count(token: Token, object: RawDrop, name: StrView, kind: Kind) -> RawTicket {
    // SAFETY: the caller's promise.
    let (owner, name) = unsafe { (Library::of(token), name.get().into()) };
    let by = Some(owner.clone());
    list_new(owner, by, name, kind, object)
}

/// Begins to count a future of the object, for the library that `by` names.
unsafe extern "C" fn adopt(ticket: *const Ticket, future: RawDrop, by: Token) -> RawTicket {
    // SAFETY: the caller has a count of the object, and `by` is the token of the library that calls.
    let (object, by) = unsafe { (object_of(ticket), Library::of_any(by)) };
    lock(&object.counts).futures += 1;
    let (owner, name) = (object.owner.clone(), object.name.clone());
    list_new(owner, by, name, Kind::Future(object), future)
}

/// Begins to count something of the library `owner`, of which the library `by` has one count.
fn list_new(
    owner: Arc<Library>,
    by: Option<Arc<Library>>,
    name: Arc<str>,
    kind: Kind,
    object: RawDrop,
) -> RawTicket {
    owner.activity().object_made();
    let object = Arc::new(Object {
        ticket: Ticket::new(retain, release, adopt),
        owner,
        name,
        kind,
        object,
        counts: Mutex::new(Counts {
            by: vec![(by, 1)],
            ..Counts::default()
        }),
    });
    let ticket: *const Ticket = Arc::as_ptr(&object).cast();
    lock(&OBJECTS).insert(ticket.addr(), object.clone());
    // After it is listed: whoever replaces the plugin now either finds it in the list, or is seen here.
    if object.owner.is_replaced() {
        object.ticket.set_retired();
    }
    RawTicket(ticket.cast())
}

/// The object that a ticket is the front of.
///
/// # Safety
/// The ticket is one of [`count_object`]'s, and has a count.
unsafe fn object_of(ticket: *const Ticket) -> Arc<Object> {
    let object: *const Object = ticket.cast();
    // SAFETY: the front of what an `Arc` in the list owns, which stays there while there is a count.
    unsafe {
        Arc::increment_strong_count(object);
        Arc::from_raw(object)
    }
}

unsafe extern "C" fn retain(ticket: *const Ticket, by: Token) {
    // SAFETY: there is a count; the token is that of the library which calls this.
    let (object, by) = unsafe { (object_of(ticket), Library::of_any(by)) };
    lock(&object.counts).add(by);
    object.owner.activity().entered();
}

unsafe extern "C" fn release(ticket: *const Ticket, by: Token) {
    // SAFETY: the caller has the count that it gives up here, and `by` is the token of the library that calls.
    let (object, by) = unsafe { (object_of(ticket), Library::of_any(by)) };
    object.take(|counts| counts.remove(by.as_ref(), 1));
}

impl Counts {
    fn entry(&mut self, by: Option<&Arc<Library>>) -> Option<usize> {
        let same = |known: &Option<Arc<Library>>| match (known.as_ref(), by) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        self.by.iter().position(|(known, _)| same(known))
    }

    fn add(&mut self, by: Option<Arc<Library>>) {
        match self.entry(by.as_ref()) {
            Some(at) => self.by[at].1 += 1,
            None => self.by.push((by, 1)),
        }
    }

    fn remove(&mut self, by: Option<&Arc<Library>>, count: usize) {
        let Some(at) = self.entry(by) else { return };
        self.by[at].1 = self.by[at].1.saturating_sub(count);
        if self.by[at].1 == 0 {
            self.by.swap_remove(at);
        }
    }
}

impl Object {
    /// Takes counts away; drops the object if they were the last.
    fn take(&self, take: impl FnOnce(&mut Counts)) {
        let drop = {
            let mut counts = lock(&self.counts);
            take(&mut counts);
            if !counts.by.is_empty() || counts.futures != 0 {
                return;
            }
            !std::mem::replace(&mut counts.dropped, true)
        };
        // Nobody has a count, so nobody reads the ticket again.
        lock(&OBJECTS).remove(&(&raw const self.ticket).addr());
        if drop {
            self.drop_object();
        }
    }

    fn drop_object(&self) {
        // SAFETY: once, since `dropped` was false; nobody calls the object any more, and its library is mapped until
        // it hears of it here.
        unsafe { (self.object.drop)(self.object.object) };
        self.owner.activity().object_gone();
        if let Kind::Future(of) = &self.kind {
            of.take(|counts| counts.futures -= 1);
        }
    }

    /// Claims the right to drop it though it is counted, unless it has been dropped, or a future borrows it.
    fn claim(&self) -> bool {
        let mut counts = lock(&self.counts);
        if counts.futures != 0 || std::mem::replace(&mut counts.dropped, true) {
            return false;
        }
        self.ticket.set_revoked();
        true
    }

    fn is_future(&self) -> bool {
        matches!(self.kind, Kind::Future(_))
    }

    /// Returns true if one of these libraries has it.
    fn is_had_by(&self, libraries: &[Arc<Library>]) -> bool {
        let mut counts = lock(&self.counts);
        let had = |library: &Arc<Library>| counts.entry(Some(library)).is_some();
        libraries.iter().any(had)
    }

    fn is_of(&self, library: &Library) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.owner), library)
    }
}

/// The objects of this library.
fn of(library: &Library) -> Vec<Arc<Object>> {
    let objects = lock(&OBJECTS);
    let own = objects.values().filter(|object| object.is_of(library));
    own.cloned().collect()
}

/// Tells those who have objects of this library that it has been replaced.
pub(crate) fn set_replaced(library: &Library) {
    library.set_replaced();
    for object in of(library) {
        object.ticket.set_retired();
    }
}

/// Who keeps objects of this library, as reports name them.
pub(crate) fn holders(library: &Library) -> Vec<Holder> {
    let mut found: BTreeMap<(bool, String, String), usize> = BTreeMap::new();
    for object in of(library) {
        if matches!(object.kind, Kind::Task) {
            continue;
        }
        let counts = lock(&object.counts);
        for (by, _) in counts.by.iter().filter(|_| !counts.dropped) {
            let owner = by.as_ref().map_or("the host", |library| library.plugin());
            let named = (
                object.is_future(),
                object.name.to_string(),
                owner.to_owned(),
            );
            *found.entry(named).or_default() += 1;
        }
    }
    let holders = found
        .into_iter()
        .map(|((is_future, interface, owner), count)| match is_future {
            false => Holder::Objects {
                interface,
                owner,
                count,
            },
            true => Holder::Futures {
                interface,
                owner,
                count,
            },
        });
    holders.chain(tasks(library)).collect()
}

/// The tasks of this library's own, as reports name them; `None` where there are none.
pub(crate) fn tasks(library: &Library) -> Option<Holder> {
    let objects = of(library).into_iter();
    let tasks = objects.filter(|object| matches!(object.kind, Kind::Task));
    let names: Vec<_> = tasks.map(|task| task.name.to_string()).collect();
    (!names.is_empty()).then_some(Holder::Tasks { names })
}

/// The objects of a library, for who wants to know what leads to it.
#[derive(Default)]
pub(crate) struct Listed {
    /// The libraries that have them, `None` for the host.
    pub(crate) owners: Vec<Option<Arc<Library>>>,
    /// How many have not been dropped, and are not being.
    pub(crate) whole: usize,
    /// How many of these are tasks.
    pub(crate) tasks: usize,
    /// The libraries that have futures which have not been dropped, and are not being: one for each.
    pub(crate) futures: Vec<Option<Arc<Library>>>,
}

/// Lists the objects of this library.
pub(crate) fn list(library: &Library) -> Listed {
    let mut listed = Listed::default();
    for object in of(library) {
        let counts = lock(&object.counts);
        let owners = counts.by.iter().map(|(by, _)| by.clone());
        if object.is_future() && !counts.dropped {
            listed.futures.extend(owners.clone());
        }
        listed.owners.extend(owners);
        listed.whole += usize::from(!counts.dropped);
        listed.tasks += usize::from(!counts.dropped && matches!(object.kind, Kind::Task));
    }
    listed
}

/// Drops all objects of this library, though they are counted, but for those that a future borrows.
///
/// # Safety
/// No call of any of them is running, and no code can begin one but that of `Drop` of these objects, and code that runs
/// after this has returned.
pub(crate) unsafe fn revoke(library: &Library) {
    drop_counted(of(library), |object| !object.is_future());
}

/// Drops the futures of this library's objects, though they are counted: those that one of these libraries has.
///
/// # Safety
/// None of them is being polled, and no code can begin to poll one but that which their drop runs, and code that runs after
/// this has returned.
pub(crate) unsafe fn end_futures(library: &Library, had_by: &[Arc<Library>]) {
    drop_counted(of(library), |object| {
        object.is_future() && object.is_had_by(had_by)
    });
}

/// Claims those for which this is true, and drops them.
fn drop_counted(mut objects: Vec<Arc<Object>>, which: impl Fn(&Object) -> bool) {
    objects.retain(|object| which(object) && object.claim());
    // From here on there is none among them that could be called.
    objects.iter().for_each(|object| object.drop_object());
}

/// Takes the counts of a library that has left memory. Objects may be dropped by that, which runs code of their
/// plugins.
pub(crate) fn forget_library(library: &Arc<Library>) {
    let objects: Vec<_> = lock(&OBJECTS).values().cloned().collect();
    for object in objects {
        let owned = lock(&object.counts).entry(Some(library)).is_some();
        if owned {
            object.take(|counts| counts.remove(Some(library), usize::MAX));
        }
    }
}

/// Whether a library has counts of objects.
pub(crate) fn has_counts(library: &Arc<Library>) -> bool {
    let objects: Vec<_> = lock(&OBJECTS).values().cloned().collect();
    let has = |object: &Arc<Object>| lock(&object.counts).entry(Some(library)).is_some();
    objects.iter().any(has)
}
