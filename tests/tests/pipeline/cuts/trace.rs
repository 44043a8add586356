//! What a process does to the files below a directory, as strace records it.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The calls that change files, or bring changes to the disk. SQLite and the standard library use no others here; what
/// is written through a mapping does not appear, and the one file that SQLite maps is rebuilt after a power failure.
const CALLS: &str = "open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,rename,\
                     renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,mkdir,mkdirat,rmdir,fsync,fdatasync,\
                     sync,syncfs,sync_file_range,msync,copy_file_range,sendfile";

/// One change. Paths are relative to the directory.
#[derive(Clone, Debug)]
pub enum Change {
    MakeDir(String),
    /// Opens a file that may be new.
    Create {
        path: String,
        truncate: bool,
    },
    /// Writes at a place, or at the end.
    Write {
        path: String,
        at: Option<usize>,
        bytes: Vec<u8>,
    },
    Truncate {
        path: String,
        len: usize,
    },
    Rename(String, String),
    Remove(String),
    /// Syncs a file or a directory.
    Sync(String),
}

impl Change {
    /// Describes it without its bytes.
    pub fn name(&self) -> String {
        match self {
            Change::Write { path, at, bytes } => {
                format!("{} bytes to {path} at {at:?}", bytes.len())
            }
            other => format!("{other:?}"),
        }
    }
}

/// Returns a command that runs this program under strace.
pub fn recorded(record: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-qq", "-xx", "-s", "100000000", "--seccomp-bpf"]);
    command.args(["-e", "signal=none", "-e"]);
    command.arg(format!("trace={CALLS}"));
    command.arg("-o").arg(record);
    command.arg("--").arg(std::env::current_exe().unwrap());
    command
}

/// Reads what a process has done to the files below `root`, in the order in which it was done.
pub fn read(record: &Path, root: &Path) -> Vec<Change> {
    let text = std::fs::read_to_string(record).unwrap();
    // The beginnings of calls that another thread's call has interrupted in the record.
    let mut begun: BTreeMap<&str, &str> = BTreeMap::new();
    let mut changes = Vec::new();
    for line in text.lines() {
        let (thread, call) = line.split_once(' ').unwrap();
        let call = call.trim_start();
        if let Some(start) = call.strip_suffix("<unfinished ...>") {
            begun.insert(thread, start);
            continue;
        }
        let call = match call.strip_prefix("<... ") {
            Some(rest) => {
                let start = begun.remove(thread).expect("it has begun");
                format!("{start}{}", rest.split_once(" resumed>").unwrap().1)
            }
            None => call.to_owned(),
        };
        changes.extend(Call::parse(&call).and_then(|call| call.change(root)));
    }
    changes
}

/// A call that has succeeded.
struct Call<'c> {
    name: &'c str,
    args: Vec<&'c str>,
    result: &'c str,
}

impl<'c> Call<'c> {
    fn parse(line: &'c str) -> Option<Self> {
        let (name, rest) = line.split_once('(')?;
        let (args, result) = rest.rsplit_once(" = ")?;
        let args = args.trim_end().strip_suffix(')')?;
        if result.starts_with('-') || result.starts_with('?') {
            return None;
        }
        // No text has a comma in it, because all bytes are in hexadecimal digits.
        Some(Call {
            name,
            args: args.trim_end().split(", ").collect(),
            result,
        })
    }

    fn change(&self, root: &Path) -> Option<Change> {
        let below = |path: PathBuf| {
            let path = path.strip_prefix(root).ok()?;
            Some(path.to_str().unwrap().to_owned())
        };
        // The path of a descriptor, unless its file has been removed.
        let of = |descriptor: &str| {
            let (_, path) = descriptor.split_once('<')?;
            below(PathBuf::from(text(path.strip_suffix('>')?)))
        };
        let named = |at: usize| below(PathBuf::from(text(self.args[at])));
        // The name may be relative to a descriptor.
        let named_at = |at: usize| {
            let (_, dir) = self.args[at].split_once('<')?;
            let dir = PathBuf::from(text(dir.strip_suffix('>')?));
            below(dir.join(text(self.args[at + 1])))
        };
        let number = |at: usize| self.args[at].parse::<usize>().unwrap();
        let change = match self.name {
            "open" | "openat" | "creat" => {
                let flags = |flag: &str| self.args.iter().any(|arg| arg.contains(flag));
                let truncate = flags("O_TRUNC") || self.name == "creat";
                if !truncate && !flags("O_CREAT") {
                    return None;
                }
                assert!(!flags("O_TMPFILE"));
                Change::Create {
                    path: of(self.result)?,
                    truncate,
                }
            }
            "write" => Change::Write {
                path: of(self.args[0])?,
                at: None,
                bytes: written(self.args[1], self.result),
            },
            "pwrite64" => Change::Write {
                path: of(self.args[0])?,
                at: Some(number(3)),
                bytes: written(self.args[1], self.result),
            },
            "ftruncate" => Change::Truncate {
                path: of(self.args[0])?,
                len: number(1),
            },
            "rename" => Change::Rename(named(0)?, named(1)?),
            "renameat" | "renameat2" => Change::Rename(named_at(0)?, named_at(2)?),
            "unlink" => Change::Remove(named(0)?),
            "unlinkat" => Change::Remove(named_at(0)?),
            "mkdir" => Change::MakeDir(named(0)?),
            "mkdirat" => Change::MakeDir(named_at(0)?),
            "fsync" | "fdatasync" => Change::Sync(of(self.args[0])?),
            _ => {
                let touches = |arg: &&str| of(arg).is_some() || below(text(arg).into()).is_some();
                let unknown = self.args.iter().copied().find(touches);
                assert!(unknown.is_none(), "the model does not know {}", self.name);
                return None;
            }
        };
        Some(change)
    }
}

/// Returns the bytes that have been written, which may be fewer than were given.
fn written(given: &str, count: &str) -> Vec<u8> {
    let mut bytes = bytes(given);
    bytes.truncate(count.parse().unwrap());
    bytes
}

fn text(quoted: &str) -> String {
    String::from_utf8(bytes(quoted)).unwrap()
}

/// Reads a text such as `"\x2f\x62"`.
fn bytes(quoted: &str) -> Vec<u8> {
    let digits = quoted.trim_matches('"').as_bytes();
    let digit = |digit: u8| (digit as char).to_digit(16).map(|digit| digit as u8);
    let byte = |of: &[u8]| match of {
        [b'\\', b'x', high, low] => Some((digit(*high)? << 4) | digit(*low)?),
        _ => None,
    };
    let read: Option<Vec<u8>> = digits.chunks(4).map(byte).collect();
    read.unwrap_or_default()
}
