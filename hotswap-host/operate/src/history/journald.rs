//! [`Journald`], the journal of the system, which gets a copy of the audit.
use super::audit::{AuditRecord, AuditResult};
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

/// The journal of the system, `systemd-journald`. Root owns what it keeps, so the user of a host cannot change it.
///
/// Each record becomes an entry with the fields `MESSAGE`, `PRIORITY`, and `SYSLOG_IDENTIFIER=hotswap`, and with
/// `HOTSWAP_AUDIT_` before `ID`, `HASH`, `RECORD` (the text that was hashed), `WHO`, `WHAT`, `RESULT`, `REASON`, and
/// `DEPLOYMENT`: `journalctl -t hotswap HOTSWAP_AUDIT_RESULT=denied`. The journal itself adds who has sent the entry.
///
/// ```no_run
/// use hotswap_operate::{History, Journald};
///
/// let history = History::open("/var/lib/shop")?;
/// history.copy_audit(Journald::system());
/// # Ok::<(), hotswap_operate::HistoryError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Journald(PathBuf);

impl Journald {
    /// Returns the journal of this system.
    pub fn system() -> Self {
        Journald("/run/systemd/journal/socket".into())
    }

    /// Returns the journal that listens on this socket.
    pub fn at(socket: impl AsRef<Path>) -> Self {
        Journald(socket.as_ref().to_owned())
    }

    /// Sends a record. A journal that does not take it at once, because it is overloaded, does not get it.
    pub(super) fn send(&self, record: &AuditRecord) -> io::Result<()> {
        let priority = match record.result {
            AuditResult::Begun | AuditResult::Done => "5",
            _ => "4",
        };
        let mut entry = Vec::new();
        let mut add = |name: &str, value: &str| field(&mut entry, name, value);
        add("MESSAGE", &record.to_string());
        add("PRIORITY", priority);
        add("SYSLOG_IDENTIFIER", "hotswap");
        add("HOTSWAP_AUDIT_ID", &record.id.to_string());
        add("HOTSWAP_AUDIT_HASH", &record.hash);
        add("HOTSWAP_AUDIT_RECORD", &record.text);
        add("HOTSWAP_AUDIT_WHO", &record.who);
        add("HOTSWAP_AUDIT_WHAT", &record.what);
        add("HOTSWAP_AUDIT_RESULT", &record.result.to_string());
        if let Some(reason) = &record.reason {
            add("HOTSWAP_AUDIT_REASON", reason);
        }
        if let Some(deployment) = &record.deployment {
            add("HOTSWAP_AUDIT_DEPLOYMENT", deployment);
        }
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to(&entry, &self.0).map(drop)
    }
}

/// Adds a field in the journal's native protocol: a value of several lines follows its length.
fn field(entry: &mut Vec<u8>, name: &str, value: &str) {
    entry.extend(name.as_bytes());
    match value.contains('\n') {
        false => entry.push(b'='),
        true => {
            entry.push(b'\n');
            entry.extend((value.len() as u64).to_le_bytes());
        }
    }
    entry.extend(value.as_bytes());
    entry.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn a_value_of_several_lines_follows_its_length() {
        let mut entry = Vec::new();
        field(&mut entry, "A", "b=c");
        field(&mut entry, "D", "e\nf");
        assert_eq!(entry, b"A=b=c\nD\n\x03\0\0\0\0\0\0\0e\nf\n");
    }
}
