//! The state of a plugin on its way from one instance to the next.
use crate::boundary::Result;
use crate::contract::state::{StateDesc, StateView};
use crate::live_data::LiveDataView;
use crate::{LiveData, LiveType};
use abi_stable::std_types::RSlice;
use std::cell::RefCell;

#[cfg(unix)]
mod handed;

#[cfg(unix)]
pub use handed::Handed;
/// No state has descriptors on a platform without them.
#[cfg(not(unix))]
pub(crate) use std::convert::Infallible as OwnedFd;
#[cfg(unix)]
pub(crate) use std::os::fd::OwnedFd;

thread_local! {
    /// The descriptors of the state that this thread is saving or restoring.
    static DESCRIPTORS: RefCell<Descriptors> = const { RefCell::new(Descriptors::Nothing) };
}

/// The use of descriptors on this thread at this time.
#[derive(Default)]
enum Descriptors {
    #[default]
    Nothing,
    /// A state is being saved, with these descriptors.
    Saving(Vec<OwnedFd>),
    /// A state that was saved with these descriptors is read back, to see that it can be restored.
    Checking(Vec<OwnedFd>),
    /// A state is being restored, and these descriptors belong to it until they are taken.
    #[cfg_attr(
        not(unix),
        expect(dead_code, reason = "only Unix has descriptors to take")
    )]
    Restoring(Vec<Option<OwnedFd>>),
}

/// Ends the use of descriptors when one `save` or `restore` is over, also if it panics.
struct DescriptorsInUse;

impl DescriptorsInUse {
    fn begin(descriptors: Descriptors) -> Self {
        DESCRIPTORS.replace(descriptors);
        DescriptorsInUse
    }

    /// Returns what became of the descriptors.
    fn end(self) -> Descriptors {
        DESCRIPTORS.take()
    }
}

impl Drop for DescriptorsInUse {
    fn drop(&mut self) {
        drop(DESCRIPTORS.take());
    }
}

/// Reads back what is being saved. The descriptors in the result are duplicates, which are closed with it.
pub(crate) fn while_checking<T>(read: impl FnOnce() -> T) -> T {
    /// Ends the check, also if `read` panics.
    struct Checking;
    impl Drop for Checking {
        fn drop(&mut self) {
            DESCRIPTORS.with_borrow_mut(|now| {
                if let Descriptors::Checking(all) = now {
                    *now = Descriptors::Saving(std::mem::take(all));
                }
            });
        }
    }
    DESCRIPTORS.with_borrow_mut(|now| {
        if let Descriptors::Saving(all) = now {
            *now = Descriptors::Checking(std::mem::take(all));
        }
    });
    let _checking = Checking;
    read()
}

/// Returns the description of a state of this type, as it is part of the contract.
pub const fn describe<S: LiveType>() -> StateDesc {
    StateDesc::new(S::NAME, S::VERSION)
}

/// Returns the state in the form that a plugin can restore which knows its type as of `version`. The state is migrated
/// only if that version is an older one.
///
/// # Errors
/// Returns an error if the state cannot be saved, or cannot be migrated to that version.
pub fn save_as<S: LiveType>(state: &S, version: u32) -> Result<LiveData> {
    let saved = LiveData::save(state)?;
    match version < S::VERSION {
        true => Ok(saved.lower::<S>(version)?),
        false => Ok(saved),
    }
}

/// Runs `save`, and passes the state to `put`, which takes over its descriptors.
///
/// # Errors
/// Returns the error of `save`.
pub(crate) fn save(
    save: impl FnOnce() -> Result<LiveData>,
    put: impl FnOnce(StateView<'_>),
) -> Result<()> {
    let in_use = DescriptorsInUse::begin(Descriptors::Saving(Vec::new()));
    let saved = save()?;
    let descriptors = match in_use.end() {
        Descriptors::Saving(all) => into_raw(all),
        _ => Vec::new(),
    };
    let view = StateView {
        bytes: RSlice::from_slice(saved.as_bytes()),
        descriptors: RSlice::from_slice(&descriptors),
    };
    put(view);
    Ok(())
}

/// Gives up the ownership of the descriptors, and returns their numbers.
#[cfg(unix)]
fn into_raw(descriptors: Vec<OwnedFd>) -> Vec<i32> {
    let descriptors = descriptors.into_iter();
    descriptors
        .map(std::os::fd::IntoRawFd::into_raw_fd)
        .collect()
}

#[cfg(not(unix))]
fn into_raw(_: Vec<OwnedFd>) -> Vec<i32> {
    Vec::new()
}

/// Reads a state, and runs `restore` with it. Descriptors that `restore` does not take are closed.
///
/// # Errors
/// Returns the error of `restore`, or an error if the bytes are not a state.
pub(crate) fn restore(
    bytes: &[u8],
    descriptors: Vec<OwnedFd>,
    restore: impl FnOnce(&LiveDataView<'_>) -> Result<()>,
) -> Result<()> {
    let _in_use = DescriptorsInUse::begin(Descriptors::Restoring(
        descriptors.into_iter().map(Some).collect(),
    ));
    restore(&LiveDataView::new(bytes)?)
}
