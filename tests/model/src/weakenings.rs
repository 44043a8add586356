//! The weakenings of the protocol, each with the test that has to notice it.

/// One change of one shipped file.
pub(crate) struct Weakening {
    /// The part of the protocol that is taken away.
    pub(crate) what: &'static str,
    /// The file, relative to `hotswap-host/src/reclaim`.
    pub(crate) file: &'static str,
    /// The text that is replaced. It is in the file exactly once.
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    /// The test that has to fail.
    pub(crate) fails: Test,
}

/// A test of this crate.
#[derive(Clone, Copy)]
pub(crate) enum Test {
    /// A test under the model checker.
    Protocol(&'static str),
    /// A test that races on this machine.
    Machine(&'static str),
}

use Test::{Machine, Protocol};

const PIN: &str = "pin/mod.rs";
const AGAIN: &str = "pin/again.rs";
const RECORD: &str = "record/mod.rs";
const SLOT: &str = "slot.rs";
const DESTRUCTORS: &str = "record/destructors.rs";
const ACTIVITY: &str = "activity.rs";
const LOOK: &str = "look.rs";
const BARRIER: &str = "barrier.rs";

const fn weaken(
    what: &'static str,
    file: &'static str,
    [from, to]: [&'static str; 2],
    fails: Test,
) -> Weakening {
    Weakening {
        what,
        file,
        from,
        to,
        fails,
    }
}

/// All orderings, barriers, and checks that the argument needs.
///
/// On a machine with a working `membarrier`, a pin without P3 compiles to the same code: P3 only keeps the compiler
/// from reordering, and the compiler had no reason to do so. The tests show that P3 has to be where it is on systems
/// where it is a fence. P4 and S1 order accesses that the barriers, which are fences in the model, order as well. They
/// are therefore weakened together with these barriers, under a test that passes without the barriers alone.
pub(crate) const WEAKENINGS: &[Weakening] = &[
    weaken(
        "P2: the slot is written with Release",
        PIN,
        [
            "slot.at().store(at.cast(), Release)",
            "slot.at().store(at.cast(), Relaxed)",
        ],
        Protocol("pins::a_pin_after_a_pin"),
    ),
    weaken(
        "P2 for a hold that an earlier pin has left",
        PIN,
        [
            "slot.at().store(at.cast(), Release)",
            "slot.at().store(at.cast(), Relaxed)",
        ],
        Protocol("pins::a_hold_outlives_its_pin"),
    ),
    weaken(
        "P3: the pin's barrier",
        PIN,
        ["self.barriers.light(); // P3", ""],
        Protocol("pins::a_pin_and_a_switch"),
    ),
    weaken(
        "P3 on the machine, where it is a fence",
        PIN,
        ["self.barriers.light(); // P3", ""],
        Machine("by_fences_where_membarrier_is_forbidden"),
    ),
    weaken(
        "P4: the second look acquires, where P3 is not a fence that does",
        PIN,
        [
            "self.barriers.light(); // P3\n        if self.now.load(Acquire) != at {",
            "if self.now.load(Relaxed) != at {",
        ],
        Protocol("pins::a_new_value_is_whole"),
    ),
    weaken(
        "P4: another value is followed by another try",
        PIN,
        ["if self.now.load(Acquire) != at {", "if false {"],
        Protocol("pins::a_pin_and_a_switch"),
    ),
    weaken(
        "S1: the new value is released, where S2 is not a fence that does",
        PIN,
        [
            "self.now.swap(next, Release) // S1\n        };\n        let ordered = self.barriers.heavy();",
            "self.now.swap(next, Relaxed)\n        };\n        let ordered = true;",
        ],
        Protocol("pins::a_new_value_is_whole"),
    ),
    weaken(
        "S1: the store is under the lock",
        PIN,
        [
            "            let _switching = self.switching();\n            self.now.swap",
            "            self.now.swap",
        ],
        Protocol("pins::a_nested_pin_of_a_newer_value"),
    ),
    weaken(
        "S2: the switch's barrier",
        PIN,
        ["self.barriers.heavy();", "true;"],
        Protocol("pins::a_pin_and_a_switch"),
    ),
    weaken(
        "S2 on the machine, where it is membarrier",
        PIN,
        ["self.barriers.heavy();", "true;"],
        Machine("a_pin_or_a_switch_is_seen"),
    ),
    weaken(
        "S2 on the machine: membarrier itself",
        BARRIER,
        ["!self.asymmetric || membarrier::run()", "true"],
        Machine("a_pin_or_a_switch_is_seen"),
    ),
    weaken(
        "S2 reports that membarrier is forbidden",
        BARRIER,
        [
            "!self.asymmetric || membarrier::run()",
            "{ let _ = membarrier::run(); true }",
        ],
        Machine("nothing_is_said_of_pins_where_membarrier_is_forbidden_later"),
    ),
    weaken(
        "the fence of the light side",
        BARRIER,
        [
            "fn light_fence() {\n    fence(SeqCst);",
            "fn light_fence() {",
        ],
        Protocol("pins::a_pin_and_a_switch"),
    ),
    weaken(
        "the fence of the heavy side",
        BARRIER,
        [
            "        fence(SeqCst);\n        !self.asymmetric",
            "        !self.asymmetric",
        ],
        Protocol("pins::a_pin_and_a_switch"),
    ),
    weaken(
        "S3: the scan acquires",
        SLOT,
        [
            "Address::of(self.at.load(Acquire)) == address",
            "Address::of(self.at.load(Relaxed)) == address",
        ],
        Protocol("pins::a_pin_and_a_switch"),
    ),
    weaken(
        "S3: the scan",
        PIN,
        ["record::is_pinned(self.address()) || ", ""],
        Protocol("pins::a_pin_and_a_switch"),
    ),
    weaken(
        "unpinning releases",
        SLOT,
        [
            "self.at.store(null_mut(), Release)",
            "self.at.store(null_mut(), Relaxed)",
        ],
        Protocol("pins::a_pin_and_a_switch"),
    ),
    weaken(
        "a nested pin counts its hold under the lock",
        PIN,
        [
            "        let _switching = self.switching();\n        let at",
            "        let at",
        ],
        Protocol("pins::a_nested_pin_of_a_newer_value"),
    ),
    weaken(
        "a nested pin keeps the slot of the outer one",
        SLOT,
        ["        if sharing == 0 {", "        if true {"],
        Protocol("pins::nested_pins_of_one_value"),
    ),
    weaken(
        "a pin of what is pinned already keeps the slot",
        AGAIN,
        [
            "        slot.set_sharing(slot.sharing() + 1);",
            "        slot.set_sharing(slot.sharing());",
        ],
        Protocol("pins::a_pin_of_what_is_pinned_already"),
    ),
    weaken(
        "a pin of what is held already holds it",
        AGAIN,
        ["            counted.holds.fetch_add(1, Relaxed);\n", ""],
        Protocol("pins::a_pin_of_what_is_held_already"),
    ),
    weaken(
        "a call does not take the slot of another pin",
        PIN,
        [
            "slot.wants_attention() || slot.has_pin()",
            "slot.wants_attention()",
        ],
        Protocol("pins::a_call_under_a_pin"),
    ),
    weaken(
        "a call that shares the slot leaves it to the outer one",
        SLOT,
        [
            "        self.set_sharing(sharing - 1);",
            "        self.unpin();\n        self.set_sharing(sharing - 1);",
        ],
        Protocol("pins::calls_under_a_call"),
    ),
    weaken(
        "a look reads the slots before the holds",
        PIN,
        [
            "record::is_pinned(self.address()) || self.holds() != 0",
            "self.holds() != 0 || record::is_pinned(self.address())",
        ],
        Protocol("pins::a_hold_outlives_its_pin"),
    ),
    weaken(
        "a look reads the holds",
        PIN,
        [" || self.holds() != 0", ""],
        Protocol("pins::a_hold_outlives_its_pin"),
    ),
    weaken(
        "reading the holds acquires",
        PIN,
        ["holds.load(Acquire)", "holds.load(Relaxed)"],
        Protocol("pins::a_hold_moves_to_another_thread"),
    ),
    weaken(
        "dropping the hold of a nested pin releases",
        PIN,
        [
            " counted.holds.fetch_sub(1, Release)",
            " counted.holds.fetch_sub(1, Relaxed)",
        ],
        Protocol("pins::a_nested_pin_of_a_newer_value"),
    ),
    weaken(
        "dropping a hold releases",
        PIN,
        [
            "self.counted().holds.fetch_sub(1, Release)",
            "self.counted().holds.fetch_sub(1, Relaxed)",
        ],
        Protocol("pins::a_hold_moves_to_another_thread"),
    ),
    weaken(
        "P0: a call records the plugin that it enters",
        PIN,
        ["slot.set_entered(entering); // P0", ""],
        Protocol("gate::a_call"),
    ),
    weaken(
        "N1: a nested call records that it may be in any plugin",
        PIN,
        ["slot.set_entered(outer.with_nested()); // N1", ""],
        Protocol("gate::a_nested_call"),
    ),
    weaken(
        "N2: the barrier of a nested call",
        PIN,
        ["self.barriers.light(); // N2", ""],
        Protocol("gate::a_nested_call"),
    ),
    weaken(
        "N3: a nested call looks again",
        PIN,
        [
            "if self.now.load(Acquire) == pinned {\n            return true; // N3",
            "if true {\n            return true;",
        ],
        Protocol("gate::a_nested_call"),
    ),
    weaken(
        "N1 undone: the effects of a nested call are released",
        SLOT,
        [
            "self.entered.store(entered.0, Release)",
            "self.entered.store(entered.0, Relaxed)",
        ],
        Protocol("gate::after_a_nested_call"),
    ),
    weaken(
        "N1 undone: reading the entered plugin acquires",
        SLOT,
        [
            "CallTarget(self.entered.load(Acquire))",
            "CallTarget(self.entered.load(Relaxed))",
        ],
        Protocol("gate::after_a_nested_call"),
    ),
    weaken(
        "the scan finds a new record",
        RECORD,
        ["        all.push(record);\n", ""],
        Protocol("pins::a_pin_and_a_switch"),
    ),
    weaken(
        "a destructor is listed as running",
        DESTRUCTORS,
        [
            "        state.running.push(Address::of(Arc::as_ptr(&library)));\n",
            "",
        ],
        Protocol("looks::a_destructor_that_waits_for_a_pin"),
    ),
    weaken(
        "a look waits for a destructor that runs",
        DESTRUCTORS,
        ["if left == 0 && !running {", "if left == 0 {"],
        Protocol("looks::a_destructor_that_waits_for_a_pin"),
    ),
    weaken(
        "no destructor runs inside another one",
        DESTRUCTORS,
        ["if self.state().running.is_empty() {", "if true {"],
        Protocol("looks::a_thread_local_that_a_destructor_uses"),
    ),
    weaken(
        "dropping an object releases",
        ACTIVITY,
        [
            "self.objects.fetch_sub(1, Release)",
            "self.objects.fetch_sub(1, Relaxed)",
        ],
        Protocol("looks::an_object_without_destructors"),
    ),
    weaken(
        "counting objects acquires",
        ACTIVITY,
        ["self.objects.load(Acquire)", "self.objects.load(Relaxed)"],
        Protocol("looks::an_object_without_destructors"),
    ),
    weaken(
        "an entrance releases the counts before it",
        ACTIVITY,
        [
            "self.entrances.fetch_add(1, Release)",
            "self.entrances.fetch_add(1, Relaxed)",
        ],
        Protocol("looks::a_destructor_that_gives_an_object_away"),
    ),
    weaken(
        "the begin of a look acquires the counts",
        ACTIVITY,
        [
            "entrances: self.entrances.load(Acquire)",
            "entrances: self.entrances.load(Relaxed)",
        ],
        Protocol("looks::a_destructor_that_gives_an_object_away"),
    ),
    weaken(
        "entrances are counted after objects",
        ACTIVITY,
        [
            "        self.objects.fetch_add(1, Relaxed);\n        self.entered();",
            "        self.entered();\n        self.objects.fetch_add(1, Relaxed);",
        ],
        Protocol("looks::a_destructor_that_gives_an_object_away"),
    ),
    weaken(
        "entrances are counted after threads",
        ACTIVITY,
        [
            "        self.threads.fetch_add(1, Relaxed);\n        self.entered();",
            "        self.entered();\n        self.threads.fetch_add(1, Relaxed);",
        ],
        Protocol("looks::a_destructor_that_starts_a_thread"),
    ),
    weaken(
        "a look sees entrances during the look",
        ACTIVITY,
        ["self.entrances.load(Relaxed) == look.entrances\n", "true\n"],
        Protocol("looks::a_destructor_that_gives_an_object_away"),
    ),
    weaken(
        "a look sees destructors that are listed during the look",
        ACTIVITY,
        ["&& self.listings.load(Relaxed) == look.listings", ""],
        Protocol("looks::a_destructor_that_lists_one_of_another_library"),
    ),
    weaken(
        "destructors wait while a call is inside",
        ACTIVITY,
        [
            "self.retiring.load(Relaxed) == self.entrances.load(Relaxed)",
            "self.retiring.load(Relaxed) != NOT_YET",
        ],
        Protocol("looks::a_thread_local_that_an_object_uses"),
    ),
    weaken(
        "a look counts threads and objects before it reads the records",
        LOOK,
        [
            "    if activity.threads() != 0 || activity.objects() != 0 {\n        return Err(Pending::default());\n    }\n    end(&[(library, &look)], skip)\n",
            "    let ended = end(&[(library, &look)], skip);\n    if activity.threads() != 0 || activity.objects() != 0 {\n        return Err(Pending::default());\n    }\n    ended\n",
        ],
        Protocol("looks::a_destructor_that_an_object_lists"),
    ),
    weaken(
        "a look reads the records",
        LOOK,
        [
            "all.destructors += pending.destructors;",
            "let _ = pending.destructors;",
        ],
        Protocol("looks::a_destructor_that_an_object_lists"),
    ),
];
