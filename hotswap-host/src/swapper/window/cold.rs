//! A plugin that is kept cold: its instance is gone, and another one can be made.
use crate::artifact::{BuildId, Deployed, Fingerprint, Metadata};
use crate::base::name::PluginName;
use crate::instance::Instance;
use crate::platform;
use crate::saved_state::SavedState;
use crate::shown;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

/// What another instance of a plugin is made from.
pub(in crate::swapper) struct Cold {
    pub(in crate::swapper) name: PluginName,
    pub(in crate::swapper) build_id: BuildId,
    /// The artifact that the build was loaded from. It may have another build by now.
    pub(in crate::swapper) file: PathBuf,
    pub(in crate::swapper) fingerprint: Option<Fingerprint>,
    pub(in crate::swapper) imports: Vec<PluginName>,
    /// Set if the build was deployed.
    pub(in crate::swapper) deployed: Option<Deployed>,
    /// What the artifact says.
    pub(in crate::swapper) metadata: Metadata,
    /// The state as it was at the switch.
    pub(in crate::swapper) saved: Option<SavedState>,
    source: Source,
}

/// The place of a build's bytes.
enum Source {
    /// The journal has them.
    Journal,
    /// They are in the private copy, which stays on its disk for as long as it is open, although its name is gone. It has
    /// the address of the host in this range, where the artifact has zeros.
    Copy { file: File, shim: Range<u64> },
}

impl Cold {
    /// Finds out what another instance of this build can be made from, while the build is loaded. `stored` is true if the
    /// journal has its bytes.
    ///
    /// # Errors
    /// There is nothing. The error says why the private copy cannot be used.
    pub(in crate::swapper) fn of(instance: &Instance, stored: bool) -> Result<Self, String> {
        let source = match stored {
            true => Source::Journal,
            false => {
                let path = instance.library().path();
                let opened = platform::open_regular(path);
                Source::Copy {
                    file: opened.map_err(|error| format!("{}: {error}", shown::path(path)))?,
                    shim: instance.library().shim_range(),
                }
            }
        };
        let imports = instance.imports().iter();
        Ok(Cold {
            name: instance.name().clone(),
            build_id: instance.build_id(),
            file: instance.file().to_owned(),
            fingerprint: instance.fingerprint(),
            deployed: instance.deployed(),
            imports: imports.map(|import| import.name().clone()).collect(),
            metadata: instance.metadata().clone(),
            saved: None,
            source,
        })
    }

    /// Returns the bytes of the build, as its artifact had them. `stored` asks the journal.
    ///
    /// # Errors
    /// They cannot be read any more.
    pub(in crate::swapper) fn bytes(
        &self,
        stored: impl FnOnce(&PluginName, BuildId) -> Option<Vec<u8>>,
    ) -> Result<Vec<u8>, String> {
        let (mut file, shim) = match &self.source {
            Source::Copy { file, shim } => (file, shim),
            Source::Journal => {
                let build = stored(&self.name, self.build_id);
                return build.ok_or_else(|| "the journal does not have it any more".into());
            }
        };
        let mut bytes = Vec::new();
        let read = file.seek(SeekFrom::Start(0));
        let read = read.and_then(|_| file.read_to_end(&mut bytes));
        read.map_err(|error| format!("its private copy cannot be read: {error}"))?;
        erase(&mut bytes, shim);
        Ok(bytes)
    }
}

/// Makes the bytes of a private copy those of its artifact, which has zeros where the copy has the host's address.
pub(in crate::swapper) fn erase(copy: &mut [u8], shim: &Range<u64>) {
    let at = shim.start as usize..shim.end as usize;
    copy.get_mut(at).into_iter().for_each(|at| at.fill(0));
}
