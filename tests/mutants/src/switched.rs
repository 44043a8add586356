//! Which mutant is switched on. Compiled into the programs that are tested, not into the driver.
use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Not looked up yet.
const UNKNOWN: usize = usize::MAX;
/// No mutant: what is reached is written down.
const NOTE: usize = usize::MAX - 1;
/// More than there are.
const MOST: usize = 4096;

static ACTIVE: AtomicUsize = AtomicUsize::new(UNKNOWN);

/// Whether this mutant is switched on.
#[inline]
pub(crate) fn on(mutant: usize) -> bool {
    let active = ACTIVE.load(Relaxed);
    active == mutant || active >= NOTE && reached(mutant)
}

#[cold]
fn reached(mutant: usize) -> bool {
    static REACHED: [AtomicBool; MOST] = [const { AtomicBool::new(false) }; MOST];
    if ACTIVE.load(Relaxed) == UNKNOWN {
        let number = std::env::var("HOTSWAP_MUTANT").ok();
        let number = number.and_then(|number| number.parse().ok());
        ACTIVE.store(number.unwrap_or(NOTE), Relaxed);
        return on(mutant);
    }
    if !REACHED[mutant].swap(true, Relaxed)
        && let Some(notes) = std::env::var_os("HOTSWAP_MUTANTS_REACHED")
        && let Ok(mut notes) = File::options().append(true).create(true).open(notes)
    {
        let _ = notes.write_all(format!("{mutant}\n").as_bytes());
    }
    false
}
