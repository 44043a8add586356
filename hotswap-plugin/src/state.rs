//! The state of a plugin, while it goes from one instance to the next.
use crate::boundary::Result;
use crate::contract::state::{StateDesc, StateSink, StateView};
use crate::live_data::LiveDataView;
use crate::{LiveData, LiveType};
use abi_stable::std_types::RSlice;
use std::cell::RefCell;

#[cfg(unix)]
mod descriptors;
#[cfg(not(unix))]
#[path = "state/no_descriptors.rs"]
mod descriptors;
#[cfg(unix)]
mod handed;

use descriptors::{OwnedFd, from_raw, into_raw};
#[cfg(unix)]
pub use handed::Handed;

thread_local! {
    /// The descriptors of the state that this thread is saving or restoring.
    static DESCRIPTORS: RefCell<Descriptors> = const { RefCell::new(Descriptors::Nothing) };
}

/// What happens on this thread.
#[derive(Default)]
enum Descriptors {
    #[default]
    Nothing,
    /// A state is saved, with these.
    Saving(Vec<OwnedFd>),
    /// A state that is saved with these is read back, to see whether that can be done.
    Checking(Vec<OwnedFd>),
    /// A state is restored, to which these belong until they are taken.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are none to take"))]
    Restoring(Vec<Option<OwnedFd>>),
}

/// For the time of one `save` or `restore`, also where that panics.
struct Handing;

impl Handing {
    fn begin(descriptors: Descriptors) -> Self {
        DESCRIPTORS.replace(descriptors);
        Handing
    }

    /// What has become of the descriptors.
    fn end(self) -> Descriptors {
        DESCRIPTORS.take()
    }
}

impl Drop for Handing {
    fn drop(&mut self) {
        drop(DESCRIPTORS.take());
    }
}

/// Reads back what is being saved. Descriptors in it are duplicates, which end with what was read.
pub(crate) fn while_checking<T>(read: impl FnOnce() -> T) -> T {
    /// Ends it, also where that panics.
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

/// What the contract says of a state of this type.
pub const fn describe<S: LiveType>() -> StateDesc {
    StateDesc::new(S::NAME, S::VERSION)
}

/// The state as a plugin can restore it that knows its type as of `version`: as it is, unless that is an older one.
///
/// # Errors
/// It cannot be saved, or there is no way down to that version.
pub fn save_as<S: LiveType>(state: &S, version: u32) -> Result<LiveData> {
    let saved = LiveData::save(state)?;
    match version < S::VERSION {
        true => Ok(saved.lower::<S>(version)?),
        false => Ok(saved),
    }
}

/// Has a state saved, and puts it into the sink.
///
/// # Errors
/// Those of `save`.
///
/// # Safety
/// The sink is the caller's, for this call.
pub(crate) unsafe fn save(sink: StateSink, save: impl FnOnce() -> Result<LiveData>) -> Result<()> {
    let handing = Handing::begin(Descriptors::Saving(Vec::new()));
    let saved = save()?;
    let descriptors = match handing.end() {
        Descriptors::Saving(all) => into_raw(all),
        _ => Vec::new(),
    };
    let view = StateView {
        bytes: RSlice::from_slice(saved.as_bytes()),
        descriptors: RSlice::from_slice(&descriptors),
    };
    // SAFETY: the caller's promise; the state is alive.
    unsafe { (sink.put)(sink.data, view) };
    Ok(())
}

/// Has a state restored. Descriptors that nobody takes are closed.
///
/// # Errors
/// Those of `restore`, and where the state is none.
///
/// # Safety
/// The view is the caller's, for this call, and its descriptors belong to nobody else.
pub(crate) unsafe fn restore(
    view: StateView<'_>,
    restore: impl FnOnce(&LiveDataView<'_>) -> Result<()>,
) -> Result<()> {
    // SAFETY: the caller's promise.
    let descriptors = unsafe { from_raw(view.descriptors.as_slice()) };
    let _handing = Handing::begin(Descriptors::Restoring(
        descriptors.into_iter().map(Some).collect(),
    ));
    restore(&LiveDataView::new(view.bytes.as_slice())?)
}
