//! `cargo hotswap token`

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use hotswap_control::TokenLine;
use hotswap_host::shown;

use crate::Error;
use crate::cli::TokenArgs;
use crate::error::{exit, io};
use crate::session::Session;

const DAY: Duration = Duration::from_secs(86_400);

/// Makes a token, adds its line to the file of a host, and prints it.
pub(crate) fn execute(session: &Session, args: &TokenArgs) -> Result<u8, Error> {
    let path = session.absolute(&args.file);
    let mut text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(io("read", &path)(error)),
    };
    let token = random()?;
    // The day on which it expires is the one after the last on which it counts.
    let expires = SystemTime::now() + DAY * args.days.saturating_add(1);
    let line = TokenLine::new(&args.id, args.role, Some(expires), &token)?;
    if text
        .lines()
        .any(|line| line.split_whitespace().next() == Some(&args.id))
    {
        return Err(Error::TokenExists {
            id: args.id.clone(),
            path,
        });
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text += &format!("{line}\n");
    replace(&path, &text)?;
    let added = format_args!("{} to {}", line.id(), shown::path(&path));
    session.ui.status("Added", added);
    session.ui.result(token);
    Ok(exit::SUCCESS)
}

/// Returns 32 random bytes in hexadecimal digits.
fn random() -> Result<String, Error> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0; 32];
    let read = File::open(source).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(io("read", source))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Writes the file anew in one step, so that the host never reads a half of it.
fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mode = fs::metadata(path).ok();
    let new = tempfile::NamedTempFile::new_in(directory).map_err(io("write", path))?;
    let mut file = new.as_file();
    file.write_all(text.as_bytes()).map_err(io("write", path))?;
    if let Some(metadata) = mode {
        let kept = file.set_permissions(metadata.permissions());
        kept.map_err(io("write", path))?;
    }
    file.sync_all().map_err(io("write", path))?;
    new.persist(path)
        .map_err(|error| io("write", path)(error.error))?;
    Ok(())
}
