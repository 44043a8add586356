//! Records which library has installed which handler, and in which order. All of this is under one lock.
use super::kernel::{Call, DEFAULT, SIGNALS, has_info, is_same, kernel, set_kernel, set_kernel_by};
use super::slots::{self, Below, COUNT, OUTSIDERS, slot};
use crate::platform;
use std::ffi::c_int;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// The number of libraries that may know the function of one slot. If one more learns of it, the slot is never used
/// again.
const KNOWERS: usize = 8;

/// A library, identified by its token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner(pub(super) usize);

/// The outcome of installing a handler.
pub(super) enum Installed {
    /// The handler is in a chain. The value is the previous disposition, as its plugin may know it.
    Done(libc::sigaction),
    /// The system refuses, and `errno` says why.
    Refused,
    /// There is no place for the handler.
    Full,
}

/// The host's knowledge of a slot.
#[derive(Clone, Copy)]
struct Page {
    /// The only signal that the slot is ever used for, or 0 before its first use.
    signal: c_int,
    is_free: bool,
    /// The library whose handler it is, or whose handler it was and may still be running.
    owner: Option<Owner>,
    /// The disposition that this library has asked for.
    action: libc::sigaction,
    /// Other libraries that were told of the slot's function.
    knowers: [Option<Owner>; KNOWERS],
    /// Code that the host does not know may have the slot's function.
    is_known_elsewhere: bool,
}

pub(super) struct Chains {
    pages: [Page; COUNT],
    outsiders: [libc::sigaction; OUTSIDERS],
    outsider_count: usize,
    /// The slots whose functions were last given to the kernel.
    expected: [Option<usize>; SIGNALS + 1],
}

static CHAINS: Mutex<Chains> = Mutex::new(Chains {
    pages: [Page {
        signal: 0,
        is_free: true,
        owner: None,
        action: DEFAULT,
        knowers: [None; KNOWERS],
        is_known_elsewhere: false,
    }; COUNT],
    outsiders: [DEFAULT; OUTSIDERS],
    outsider_count: 0,
    expected: [None; SIGNALS + 1],
});

/// Runs this under the lock. A signal handler may install handlers, so no signal arrives on this thread meanwhile, and
/// the code that runs here allocates nothing.
pub(super) fn locked<R>(run: impl FnOnce(&mut Chains) -> R) -> R {
    platform::without_signals(|| {
        let mut chains = CHAINS.lock().unwrap_or_else(PoisonError::into_inner);
        run(&mut chains)
    })
}

impl Chains {
    /// Installs a library's own handler.
    pub(super) fn install(
        &mut self,
        owner: Owner,
        signal: c_int,
        call: Call<'_>,
        handler: usize,
    ) -> Installed {
        let Some(at) = self.free_slot(signal) else {
            return Installed::Full;
        };
        let has_info = matches!(call, Call::Action(action) if has_info(action));
        let page = &mut self.pages[at];
        let free = *page;
        (page.signal, page.is_free, page.owner) = (signal, false, Some(owner));
        slot(at).fill(handler, has_info);
        let Some(before) = set_kernel_by(call, signal, slots::function_of(at, has_info)) else {
            slot(at).empty();
            *page = free;
            return Installed::Refused;
        };
        let asked = match call {
            Call::Action(action) => *action,
            Call::Signal => kernel(signal).unwrap_or(DEFAULT),
        };
        page.action = libc::sigaction {
            sa_sigaction: handler,
            ..asked
        };
        self.see(signal, &before, Some(at));
        let below = match slots::slot_of(before.sa_sigaction) {
            Some(below) => self.filled(Below::Slot(below), Some(owner)),
            None => self.outsider(&before),
        };
        slot(at).set_below(below);
        let told = self.tell(before, owner);
        self.reclaim(signal);
        Installed::Done(told)
    }

    /// Passes on a disposition that is not a handler of the library's own, and returns the previous one.
    pub(super) fn pass(
        &mut self,
        owner: Owner,
        signal: c_int,
        call: Call<'_>,
        handler: usize,
    ) -> Option<libc::sigaction> {
        let (before, now) = match slots::slot_of(handler) {
            // The library was told of this function and sets it back.
            Some(at) => {
                let to = self.filled(Below::Slot(at), None);
                let now = match to {
                    Below::Slot(at) => Some(at),
                    _ => None,
                };
                (set_kernel(signal, &self.action(to))?, now)
            }
            None => (set_kernel_by(call, signal, handler)?, None),
        };
        self.see(signal, &before, now);
        let told = self.tell(before, owner);
        self.reclaim(signal);
        Some(told)
    }

    /// Returns the kernel's disposition, as a plugin may know it.
    pub(super) fn ask(&mut self, owner: Owner, signal: c_int) -> Option<libc::sigaction> {
        let action = kernel(signal)?;
        let now = slots::slot_of(action.sa_sigaction);
        self.see(signal, &action, now);
        Some(self.tell(action, owner))
    }

    /// Translates the previous handler that a function of the C library has returned, so that the plugin may know it.
    pub(super) fn tell_handler(&mut self, owner: Owner, signal: c_int, handler: usize) -> usize {
        let before = libc::sigaction {
            sa_sigaction: handler,
            ..DEFAULT
        };
        if let Some(now) = kernel(signal) {
            self.see(signal, &before, slots::slot_of(now.sa_sigaction));
        }
        plain(&self.tell(before, owner))
    }

    /// Takes a library's handlers out of all chains. Returns the first signal whose handler is still running.
    pub(super) fn withdraw(&mut self, owner: Owner) -> Option<c_int> {
        let is_own = |page: &Page| page.owner == Some(owner);
        for at in 0..COUNT {
            if is_own(&self.pages[at]) && slot(at).is_filled() {
                self.restore(at, owner);
            }
        }
        let mut running = None;
        for at in 0..COUNT {
            if is_own(&self.pages[at]) {
                slot(at).empty();
            }
        }
        self.shorten();
        for at in 0..COUNT {
            if !is_own(&self.pages[at]) {
                continue;
            }
            let signal = self.pages[at].signal;
            if slot(at).is_idle() {
                self.pages[at].owner = None;
                self.reclaim(signal);
            } else {
                running.get_or_insert(signal);
            }
        }
        running
    }

    /// Forgets a library that has left memory.
    pub(super) fn forget(&mut self, owner: Owner) {
        for at in 0..COUNT {
            let knowers = &mut self.pages[at].knowers;
            if knowers.contains(&Some(owner)) {
                knowers
                    .iter_mut()
                    .filter(|knower| **knower == Some(owner))
                    .for_each(|knower| *knower = None);
                self.reclaim(self.pages[at].signal);
            }
        }
    }

    /// Returns true if a handler in this range is below one that was installed later.
    pub(super) fn is_below_others(&self, range: &Range<usize>) -> bool {
        let known = &self.outsiders[..self.outsider_count];
        known
            .iter()
            .any(|action| range.contains(&action.sa_sigaction))
    }

    /// The number of slots that are in use for the signal.
    #[cfg(test)]
    pub(super) fn in_use(&self, signal: c_int) -> usize {
        let used = |page: &&Page| page.signal == signal && !page.is_free;
        self.pages.iter().filter(used).count()
    }

    /// Gives the kernel the disposition below the slot, if the kernel has the slot's function.
    fn restore(&mut self, at: usize, leaving: Owner) {
        let signal = self.pages[at].signal;
        let slot_in = |action: &libc::sigaction| slots::slot_of(action.sa_sigaction);
        let Some(now) = kernel(signal) else { return };
        self.see(signal, &now, slot_in(&now));
        if slot_in(&now) != Some(at) {
            return;
        }
        let below = self.filled(slot(at).below(), Some(leaving));
        let before = set_kernel(signal, &self.action(below));
        self.expected[signal as usize] = match below {
            Below::Slot(below) => Some(below),
            _ => None,
        };
        // Other code was faster and has been told of the slot.
        if let Some(before) = before.filter(|before| slot_in(before) != Some(at)) {
            set_kernel(signal, &before);
            self.pages[at].is_known_elsewhere = true;
        }
    }

    /// Returns a slot for the signal. Makes sure that there is room for one more outsider, too.
    fn free_slot(&mut self, signal: c_int) -> Option<usize> {
        if !(1..=SIGNALS as c_int).contains(&signal) || self.outsider_count == OUTSIDERS {
            return None;
        }
        // Code that was told of a slot's function long ago may have put it back.
        let in_kernel = kernel(signal).and_then(|now| slots::slot_of(now.sa_sigaction));
        let free = |of| {
            let mut pages = self.pages.iter().enumerate();
            let free = |(at, page): &(usize, &Page)| {
                page.is_free && page.signal == of && in_kernel != Some(*at)
            };
            Some(pages.find(free)?.0)
        };
        free(signal).or_else(|| free(0))
    }

    /// Notes the dispositions that the kernel had and has. If it had another one than expected, code that the host does
    /// not know has installed a handler, and may call the previous one.
    fn see(&mut self, signal: c_int, had: &libc::sigaction, has: Option<usize>) {
        let Some(expected) = self.expected.get_mut(signal as usize) else {
            return;
        };
        if let Some(expected) = *expected
            && slots::slot_of(had.sa_sigaction) != Some(expected)
        {
            self.pages[expected].is_known_elsewhere = true;
        }
        *expected = has;
    }

    /// Returns the first entry of those below that still exists and does not belong to this library.
    fn filled(&self, mut below: Below, but: Option<Owner>) -> Below {
        while let Below::Slot(at) = below
            && (!slot(at).is_filled() || (but.is_some() && self.pages[at].owner == but))
        {
            below = slot(at).below();
        }
        below
    }

    /// Puts a disposition that belongs to no plugin into the list. `free_slot` has made sure that there is room.
    fn outsider(&mut self, action: &libc::sigaction) -> Below {
        if let Some(at) = self.find_outsider(action) {
            return Below::Outsider(at);
        }
        let at = self.outsider_count;
        let Some(entry) = self.outsiders.get_mut(at) else {
            return Below::Nothing;
        };
        *entry = *action;
        self.outsider_count += 1;
        slots::write_outsider(at, action.sa_sigaction, has_info(action));
        Below::Outsider(at)
    }

    fn find_outsider(&self, action: &libc::sigaction) -> Option<usize> {
        let known = &self.outsiders[..self.outsider_count];
        known.iter().position(|other| is_same(other, action))
    }

    /// Returns the disposition that the kernel is to have for this entry.
    fn action(&self, of: Below) -> libc::sigaction {
        match of {
            Below::Nothing => DEFAULT,
            Below::Outsider(at) => self.outsiders[at],
            Below::Slot(at) => {
                let asked = self.pages[at].action;
                libc::sigaction {
                    sa_sigaction: slots::function_of(at, has_info(&asked)),
                    ..asked
                }
            }
        }
    }

    /// Returns the kernel's previous disposition as a library may know it: its own handler, a function of the host, or
    /// a disposition that belongs to no plugin.
    fn tell(&mut self, action: libc::sigaction, to: Owner) -> libc::sigaction {
        let Some(at) = slots::slot_of(action.sa_sigaction) else {
            return action;
        };
        match self.filled(Below::Slot(at), None) {
            Below::Slot(at) if self.pages[at].owner == Some(to) => self.pages[at].action,
            Below::Slot(at) => {
                let page = &mut self.pages[at];
                if !page.knowers.contains(&Some(to)) {
                    match page.knowers.iter_mut().find(|knower| knower.is_none()) {
                        Some(place) => *place = Some(to),
                        None => page.is_known_elsewhere = true,
                    }
                }
                self.action(Below::Slot(at))
            }
            other => self.action(other),
        }
    }

    /// Removes slots without a handler from the entries below others.
    fn shorten(&self) {
        for at in 0..COUNT {
            let below = slot(at).below();
            let filled = self.filled(below, None);
            if filled != below {
                slot(at).set_below(filled);
            }
        }
    }

    /// Frees the slots of the signal that can no longer be called. A thread that the kernel has sent to one of them,
    /// and that has not arrived yet, goes on to the disposition that the kernel has now.
    fn reclaim(&mut self, signal: c_int) {
        let Some(now) = kernel(signal) else { return };
        let in_kernel = slots::slot_of(now.sa_sigaction);
        self.see(signal, &now, in_kernel);
        let instead = match in_kernel {
            Some(at) => Below::Slot(at),
            None => match self.find_outsider(&now) {
                Some(at) => Below::Outsider(at),
                None => Below::Nothing,
            },
        };
        let mut again = true;
        while std::mem::take(&mut again) {
            for at in 0..COUNT {
                let page = &self.pages[at];
                let is_candidate = page.signal == signal && !page.is_free && in_kernel != Some(at);
                if !is_candidate || self.is_known(at) {
                    continue;
                }
                if slot(at).is_filled() {
                    slot(at).set_below(instead);
                    slot(at).empty();
                    self.shorten();
                    again = true;
                }
                if slot(at).is_idle() {
                    slot(at).set_below(instead);
                    let page = &mut self.pages[at];
                    (page.is_free, page.owner) = (true, None);
                    again = true;
                }
            }
        }
    }

    /// Returns true if anything except the kernel may call the slot.
    fn is_known(&self, at: usize) -> bool {
        let page = &self.pages[at];
        let is_above =
            |above: usize| !self.pages[above].is_free && slot(above).below() == Below::Slot(at);
        page.is_known_elsewhere
            || page.knowers.iter().any(Option::is_some)
            || (0..COUNT).any(is_above)
    }
}

/// Returns the handler of an action, for a caller that passes only the signal.
pub(super) fn plain(action: &libc::sigaction) -> usize {
    match slots::slot_of(action.sa_sigaction) {
        Some(at) => slots::function_of(at, false),
        None => action.sa_sigaction,
    }
}
