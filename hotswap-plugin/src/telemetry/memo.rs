//! A map from addresses to values that only grows, lives in a static, and takes no lock.
//!
//! It is a static, because statics leave memory with the plugin's library, and allocations do not.
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::*};

const SLOTS: usize = 512;
/// How far from its first place a key may lie. A key that finds no room there goes to the next map.
const REACH: usize = 16;

/// A key with its value. Zero is no key.
struct Slot<V> {
    key: AtomicUsize,
    value: OnceLock<V>,
}

pub(super) struct Memo<V> {
    slots: [Slot<V>; SLOTS],
    /// The next map. Only plugins with hundreds of callsites allocate one, which is left behind when they are unloaded.
    next: OnceLock<Box<Memo<V>>>,
}

impl<V: Copy> Memo<V> {
    pub(super) const fn new() -> Self {
        Memo {
            slots: [const {
                Slot {
                    key: AtomicUsize::new(0),
                    value: OnceLock::new(),
                }
            }; SLOTS],
            next: OnceLock::new(),
        }
    }

    fn within_reach(&self, key: usize) -> impl Iterator<Item = &Slot<V>> {
        // Addresses are multiples of eight: the multiplication spreads them over the upper bits.
        let first = (key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
        (0..REACH).map(move |i| &self.slots[(first as usize + i) % SLOTS])
    }

    /// Returns the value of `key`.
    pub(super) fn get(&self, key: usize) -> Option<V> {
        for slot in self.within_reach(key) {
            match slot.key.load(Acquire) {
                0 => return None,
                // The value is missing while another thread is between the two stores of `insert`.
                found if found == key => return slot.value.get().copied(),
                _ => {}
            }
        }
        self.next.get()?.get(key)
    }

    /// Stores a value, unless the key has one already.
    pub(super) fn insert(&self, key: usize, value: V) {
        for slot in self.within_reach(key) {
            let before = slot.key.compare_exchange(0, key, AcqRel, Acquire);
            if before.is_ok() || before == Err(key) {
                let _ = slot.value.set(value);
                return;
            }
        }
        self.next
            .get_or_init(|| Box::new(Memo::new()))
            .insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_more_than_its_slots() {
        static MEMO: Memo<usize> = Memo::new();
        let keys = || (1..=4 * SLOTS).map(|i| i * 8);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| keys().for_each(|key| MEMO.insert(key, key + 1)));
            }
        });
        assert!(keys().all(|key| MEMO.get(key) == Some(key + 1)));
        assert_eq!(MEMO.get(4), None);
    }

    #[test]
    fn keeps_the_first_value() {
        let memo = Memo::new();
        memo.insert(8, 1);
        memo.insert(8, 2);
        assert_eq!(memo.get(8), Some(1));
    }
}
