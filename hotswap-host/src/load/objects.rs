//! Counts objects of plugins that others own. `Held` is the other end.
//!
//! An object belongs to the library that made it: its functions and its drop are code of that library. So the library
//! is not unmapped before each of its objects has been dropped, and the counts say who prevents that.
//!
//! # Why an object is never used after its library
//! - Each `Held` is a count that its library took, and a caller that calls through a `Held` borrows it. So there is a
//!   count during each call.
//! - When the last count goes, the object is dropped, once, and only after that is the object subtracted from its
//!   library's count (`Activity::object_gone`). The retiring side closes no library that has objects.
//! - A future of an object's `async` method borrows the object. It is counted as an object of the same library, and its
//!   object counts it as one more reason to stay. The object is not dropped before the last of its futures has been
//!   dropped, in whichever order the counts go.
//! - [`revoke`] drops objects that are still counted, and [`end_futures`] does so with futures. From then on, a call or
//!   a poll panics in the caller's own stub, and what is left there leads only to the count. Both are for objects that
//!   no code can be calling: see `retire::cycles`. All are marked before the first one is dropped, so that a thread
//!   that a drop starts finds none that it could call while it is being dropped.
//! - [`forget_library`] removes the counts of a library that has left memory. Its values that had these counts are
//!   gone, too.
//!
//! No lock is held while an object is dropped.
//!
//! Unsafe code: plugins name libraries and objects by addresses, and the drop of an object is a C function of its
//! library.
#![allow(unsafe_code)]
use super::counts::Counts;
use super::library::Library;
use crate::reclaim::code::Code;
use crate::reclaim::look::Quiet;
use crate::retirement::Holder;
use hotswap_plugin::boundary::StrView;
use hotswap_plugin::contract::Ticket;
use hotswap_plugin::contract::shim::Token;
use hotswap_plugin::contract::ticket::{RawDrop, RawTicket};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An object that its library and others may own.
#[repr(C)]
struct Object {
    /// The front of the object, which is all that plugins know of it.
    ticket: Ticket,
    owner: Arc<Library>,
    /// The name of the interface, or of a task.
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

// SAFETY: `Held::new` requires that the object behind `object` is `Send + Sync`. A future is `Send`, and is only
// dropped through this.
unsafe impl Send for Object {}
// SAFETY: a shared `Object` only drops what is behind `object`. `counts` makes sure that this happens once, and it may
// happen on any thread.
unsafe impl Sync for Object {}

/// All objects that are counted or not yet dropped, by the address of their ticket.
static OBJECTS: Mutex<BTreeMap<usize, Arc<Object>>> = Mutex::new(BTreeMap::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the library that a token names.
///
/// # Safety
/// Code of the library runs, as it does while it passes the token to a function of the host.
pub(crate) unsafe fn library_of(token: Token) -> Arc<Library> {
    let library: *const Library = token.cast();
    // SAFETY: `Library::new` makes the token of the address of an `Arc<Library>`. `Library::forget` keeps the token's
    // count while code of the library is mapped, and the caller guarantees that it runs.
    unsafe {
        Arc::increment_strong_count(library);
        Arc::from_raw(library)
    }
}

/// Returns the library that a token names, or `None` for the host's token, which is null.
///
/// # Safety
/// The token is null, or code of its library runs.
unsafe fn library_or_host(token: Token) -> Option<Arc<Library>> {
    // SAFETY: the caller guarantees that code of the library runs whose token is not null.
    (!token.is_null()).then(|| unsafe { library_of(token) })
}

/// Begins to count an object of the library that `token` names.
pub(crate) unsafe extern "C" fn count_object(
    token: Token,
    object: RawDrop,
    interface: StrView,
) -> RawTicket {
    // SAFETY: the code of the library that `token` names calls this, and lends the name for the duration of the call.
    unsafe { count(token, object, interface, Kind::Object) }
}

/// Begins to count a task of the library that `token` names.
pub(crate) unsafe extern "C" fn count_task(token: Token, name: StrView) -> RawTicket {
    /// A task ends by itself, so its drop does nothing.
    unsafe extern "C" fn nothing(_: *const ()) {}
    let object = RawDrop {
        object: std::ptr::null(),
        drop: nothing,
    };
    // SAFETY: the code of the library that `token` names calls this, and lends the name for the duration of the call.
    unsafe { count(token, object, name, Kind::Task) }
}

/// Returns no ticket to a destructor of a library that is being closed: the library is gone when an owner of the object
/// could call it.
///
/// # Safety
/// The code of the library that `token` names calls this, and lends the name for the duration of the call.
unsafe fn count(token: Token, object: RawDrop, name: StrView, kind: Kind) -> RawTicket {
    // SAFETY: the caller guarantees that the token's library is running and that the name is lent.
    let (owner, name) = unsafe { (library_of(token), name.get().into()) };
    if owner.is_parting() {
        return RawTicket::NONE;
    }
    let by = Some(owner.clone());
    list_new(owner, by, name, kind, object)
}

/// Begins to count a future of the object, for the library that `by` names.
unsafe extern "C" fn adopt(ticket: *const Ticket, future: RawDrop, by: Token) -> RawTicket {
    // SAFETY: the caller has a count of the object, and `by` is the token of the library that makes the call.
    let (object, by) = unsafe { (object_of(ticket), library_or_host(by)) };
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
    // This comes after the object is listed. A thread that replaces the plugin now either finds the object in the list,
    // or is seen here.
    if object.owner.is_replaced() {
        object.ticket.set_retired();
    }
    RawTicket(ticket.cast())
}

/// Returns the object that a ticket is the front of.
///
/// # Safety
/// The ticket comes from [`count_object`], [`count_task`], or [`adopt`], and has a count.
unsafe fn object_of(ticket: *const Ticket) -> Arc<Object> {
    let object: *const Object = ticket.cast();
    // SAFETY: the ticket is the front of an object that an `Arc` in the list owns. It stays in the list while there is
    // a count, which the caller guarantees.
    unsafe {
        Arc::increment_strong_count(object);
        Arc::from_raw(object)
    }
}

unsafe extern "C" fn retain(ticket: *const Ticket, by: Token) {
    // SAFETY: the caller has a count, and `by` is the token of the library that makes the call.
    let (object, by) = unsafe { (object_of(ticket), library_or_host(by)) };
    lock(&object.counts).add(by);
    object.owner.activity().entered();
}

unsafe extern "C" fn release(ticket: *const Ticket, by: Token) {
    // SAFETY: the caller has the count that it gives up here, and `by` is the token of the library that makes the call.
    let (object, by) = unsafe { (object_of(ticket), library_or_host(by)) };
    object.take(|counts| counts.remove(by.as_ref(), 1));
}

impl Object {
    /// Takes counts away, and drops the object if they were the last ones.
    fn take(&self, take: impl FnOnce(&mut Counts)) {
        let drop = {
            let mut counts = lock(&self.counts);
            take(&mut counts);
            if !counts.by.is_empty() || counts.futures != 0 {
                return;
            }
            !std::mem::replace(&mut counts.dropped, true)
        };
        // There is no count any more, so the ticket is not read again.
        lock(&OBJECTS).remove(&(&raw const self.ticket).addr());
        if drop {
            self.drop_object();
        }
    }

    fn drop_object(&self) {
        // SAFETY: `take` and `claim` let this happen once, since they find `dropped` false and set it. The object is no
        // longer called: it has no count any more, or it was revoked. Its library is mapped, because `retire::state`
        // closes none before `object_gone` says that each of its objects has been dropped.
        unsafe { (self.object.drop)(self.object.object) };
        self.owner.activity().object_gone();
        if let Kind::Future(of) = &self.kind {
            of.take(|counts| counts.futures -= 1);
        }
    }

    /// Claims the right to drop a counted object, unless it has been dropped or a future borrows it.
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

/// Returns the objects of this library.
fn of(library: &Library) -> Vec<Arc<Object>> {
    let objects = lock(&OBJECTS);
    let own = objects.values().filter(|object| object.is_of(library));
    own.cloned().collect()
}

/// Tells the owners of this library's objects that it has been replaced.
pub(crate) fn set_replaced(library: &Library) {
    library.set_replaced();
    for object in of(library) {
        object.ticket.set_retired();
    }
}

/// Returns the owners of this library's objects, as reports name them.
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

/// Returns the library's own tasks, as reports name them, or `None` if there are none.
pub(crate) fn tasks(library: &Library) -> Option<Holder> {
    let objects = of(library).into_iter();
    let tasks = objects.filter(|object| matches!(object.kind, Kind::Task));
    let names: Vec<_> = tasks.map(|task| task.name.to_string()).collect();
    (!names.is_empty()).then_some(Holder::Tasks { names })
}

/// The objects of a library, for a caller that has to know what leads to it.
#[derive(Default)]
pub(crate) struct Listed {
    /// The libraries that have them. `None` stands for the host.
    pub(crate) owners: Vec<Option<Arc<Library>>>,
    /// The number of objects that have not been dropped and are not being dropped.
    pub(crate) whole: usize,
    /// The number of tasks among these.
    pub(crate) tasks: usize,
    /// The libraries that have futures which have not been dropped and are not being dropped, one entry for each
    /// future.
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

/// Drops all counted objects of this library, except for those that a future borrows.
///
/// `quiet` is the proof that no call of any of them is running, and that no code can begin one, except for the `Drop` of
/// these objects and code that runs after this has returned. The module `retire::cycles` has the whole argument.
///
/// # Panics
/// Panics if the proof is of other libraries.
pub(crate) fn revoke(library: &Library, quiet: &Quiet) {
    assert!(quiet.is_of(library), "a look has found nothing of it");
    drop_counted(of(library), |object| !object.is_future());
}

/// Drops the counted futures of this library's objects that one of the libraries in `had_by` has.
///
/// `quiet` is the proof that none of them is being polled, and that no code can begin to poll one, except for code that
/// their drop runs and code that runs after this has returned. The module `retire::cycles` has the whole argument.
///
/// # Panics
/// Panics if the proof is of other libraries.
pub(crate) fn end_futures(library: &Library, had_by: &[Arc<Library>], quiet: &Quiet) {
    let all = had_by.iter().map(|had_by| &**had_by).chain([library]);
    all.for_each(|library| assert!(quiet.is_of(library), "a look has found nothing of it"));
    drop_counted(of(library), |object| {
        object.is_future() && object.is_had_by(had_by)
    });
}

/// Claims the objects that `which` selects, and drops them.
fn drop_counted(mut objects: Vec<Arc<Object>>, which: impl Fn(&Object) -> bool) {
    objects.retain(|object| which(object) && object.claim());
    // From here on, none of them can be called.
    objects.iter().for_each(|object| object.drop_object());
}

/// Removes the counts of a library that has left memory. This may drop objects, which runs code of their plugins.
pub(crate) fn forget_library(library: &Arc<Library>) {
    let objects: Vec<_> = lock(&OBJECTS).values().cloned().collect();
    for object in objects {
        let owned = lock(&object.counts).entry(Some(library)).is_some();
        if owned {
            object.take(|counts| counts.remove(Some(library), usize::MAX));
        }
    }
}

/// Returns true if a library has counts of objects.
pub(crate) fn has_counts(library: &Arc<Library>) -> bool {
    let objects: Vec<_> = lock(&OBJECTS).values().cloned().collect();
    let has = |object: &Arc<Object>| lock(&object.counts).entry(Some(library)).is_some();
    objects.iter().any(has)
}
