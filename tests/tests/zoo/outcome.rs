//! The outcomes for a build that was replaced.
use crate::caller::Caller;
use hotswap_host::{Holder, Retirement, RetirementState};
use std::fmt;

/// The outcome for a build that was replaced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// The build leaves memory.
    Gone,
    /// The build leaves memory, except for the parts of its file that the standard library has read.
    Debris,
    /// Values of its thread-locals hold it, on a thread that neither calls nor ends.
    Locals,
    /// Threads that it started hold it until they end.
    Threads,
    /// Threads that it started hold it, and never end.
    ForEver,
    /// The build stays mapped for this reason.
    Kept(&'static str),
}

impl Outcome {
    /// Returns true if the retirement is in the expected state, and has no other holder.
    pub fn fits(self, retirement: &Retirement) -> bool {
        let holders = &retirement.held_by[..];
        let state = retirement.state;
        match self {
            Outcome::Gone | Outcome::Debris => state == RetirementState::Gone,
            Outcome::Locals => {
                let caller = format!("\"{}\"", Caller::NAME);
                state == RetirementState::Freeing
                    && matches!(holders, [Holder::Destructors { threads, .. }]
                        if matches!(&threads[..], [thread] if thread.ends_with(&caller)))
            }
            Outcome::Threads | Outcome::ForEver => {
                state == RetirementState::Freeing
                    && matches!(holders, [Holder::Threads { names }] if !names.is_empty())
            }
            Outcome::Kept(reason) => {
                state == RetirementState::Kept
                    && matches!(holders, [holder] if holder.to_string() == reason)
            }
        }
    }
}

/// Returns the words of the table.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Gone => f.write_str("gone"),
            Outcome::Debris => f.write_str("gone, but its file stays mapped as data"),
            Outcome::Locals => f.write_str("held by its thread-local values until then"),
            Outcome::Threads => f.write_str("held by its threads until they end"),
            Outcome::ForEver => f.write_str("held by its threads, which never end"),
            Outcome::Kept(reason) => write!(f, "kept: {reason}"),
        }
    }
}
