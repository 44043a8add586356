//! Writes the first inputs of the target `bytes` into a directory: a plugin of this contract, with a note and without
//! one.
use hotswap_fuzz::plugin;
use hotswap_host::artifact::Note;
use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let dir = env::args_os().nth(1).map(PathBuf::from);
    let dir = dir.ok_or_else(|| io::Error::other("which directory?"))?;
    fs::create_dir_all(&dir)?;
    let plugin = plugin::good();
    let note = Note {
        commit: "0123abc".into(),
        dirty: true,
        location: None,
    };
    let mut noted = plugin.clone();
    note.append_to(&mut noted);
    fs::write(dir.join("plugin.so"), plugin)?;
    fs::write(dir.join("noted.so"), noted)
}
