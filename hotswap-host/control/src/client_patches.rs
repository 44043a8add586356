//! Asks for the patches of plugins, and for traces of their functions.
use crate::api::{Patches, PatchesRequest, TraceBegun, TraceRequest, TracedCall};
use crate::client::{Client, ClientError, path_of};
use crate::sse::Frames;
use serde::de::DeserializeOwned;

impl Client {
    /// Returns the patches of all plugins that have some.
    ///
    /// # Errors
    /// The endpoint cannot be reached.
    pub fn all_patches(&self) -> Result<Vec<Patches>, ClientError> {
        self.get("/v1/patches")
    }

    /// Returns the patches of a plugin.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or no such plugin is loaded.
    pub fn patches(&self, plugin: &str) -> Result<Patches, ClientError> {
        self.get(&path_of(plugin, "/patches"))
    }

    /// Rolls back the last patches of a plugin.
    ///
    /// # Errors
    /// The endpoint cannot be reached, no such plugin is loaded, there are fewer patches, or the host refused.
    pub fn rollback_patches(
        &self,
        plugin: &str,
        request: &PatchesRequest,
    ) -> Result<Patches, ClientError> {
        self.post(&path_of(plugin, "/patches/rollback"), request)
    }

    /// Applies patches of a plugin again that were rolled back.
    ///
    /// # Errors
    /// The endpoint cannot be reached, no such plugin is loaded, there are fewer patches, they do not fit any more, or the host
    /// refused.
    pub fn redo_patches(
        &self,
        plugin: &str,
        request: &PatchesRequest,
    ) -> Result<Patches, ClientError> {
        self.post(&path_of(plugin, "/patches/redo"), request)
    }

    /// Takes all patches of a plugin away.
    ///
    /// # Errors
    /// The endpoint cannot be reached, no such plugin is loaded, or the host refused.
    pub fn reset_patches(
        &self,
        plugin: &str,
        request: &PatchesRequest,
    ) -> Result<Patches, ClientError> {
        self.post(&path_of(plugin, "/patches/reset"), request)
    }

    /// Traces a function of a plugin, or all of its functions, until the result is dropped.
    ///
    /// # Errors
    /// The endpoint cannot be reached, no such plugin is loaded, or it has no such function.
    pub fn trace(&self, plugin: &str, request: &TraceRequest) -> Result<Traced, ClientError> {
        let frames = self.post_stream(&path_of(plugin, "/trace"), request)?;
        Ok(Traced(frames))
    }
}

/// The calls of a trace, one after the other. The iterator waits for the next one.
pub struct Traced(Frames);

/// What comes in a trace.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TraceNotice {
    /// The trace has begun.
    Begun(TraceBegun),
    /// A call has ended.
    Call(Box<TracedCall>),
    /// This number of calls was not told, because the client is too slow.
    Lost(u64),
    /// The trace has ended, for this reason.
    Ended(String),
}

impl Iterator for Traced {
    type Item = Result<TraceNotice, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        fn read<T: DeserializeOwned>(data: &str) -> Result<T, ClientError> {
            let wrong = || ClientError::Protocol(format!("no event: {data}"));
            serde_json::from_str(data).map_err(|_| wrong())
        }
        loop {
            let (name, data) = match self.0.next()? {
                Ok(frame) => frame,
                Err(error) => return Some(Err(ClientError::Connect(error))),
            };
            return Some(match name.as_str() {
                "begun" => read(&data).map(TraceNotice::Begun),
                "call" => read(&data).map(|call| TraceNotice::Call(Box::new(call))),
                "lost" => read(&data).map(TraceNotice::Lost),
                "ended" => read(&data).map(TraceNotice::Ended),
                // A later version may tell more.
                _ => continue,
            });
        }
    }
}
