//! `cargo hotswap keygen`

use hotswap_host::shown;
use minisign::KeyPair;

use crate::Error;
use crate::cli::KeygenArgs;
use crate::error::exit;
use crate::session::Session;
use crate::signing::{self, SigningError};

/// Makes a pair of keys, and prints the public key.
pub(crate) fn execute(session: &Session, args: &KeygenArgs) -> Result<u8, Error> {
    let pair = match args.no_password {
        true => KeyPair::generate_unencrypted_keypair(),
        false => {
            let password = signing::choose(session, &args.password)?;
            KeyPair::generate_encrypted_keypair(Some(password.into_text()))
        }
    };
    let pair = pair.map_err(|source| SigningError::Failed {
        action: "make a key",
        source,
    })?;
    let file = session.absolute(&args.file);
    let public = signing::write_pair(&file, &pair, args.force)?;
    let files = (shown::path(&file), shown::path(&public));
    session.ui.status(
        "Made",
        format_args!("the secret key {} and the public key {}", files.0, files.1),
    );
    session.ui.result(pair.pk.to_base64());
    Ok(exit::SUCCESS)
}
