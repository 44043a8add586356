use super::{CopyDir, Patch, PrivateCopy};
use crate::artifact::testing::{compile, section};
use crate::artifact::{Artifact, Note};
use crate::runtime::{HostDir, RuntimeError};
use std::env;
use std::ffi::{CStr, CString};
use std::fmt::Write;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::ptr::null;
use std::sync::Arc;
use tempfile::tempdir;

mod race;

/// Compiles a plugin with a counter, of at least 200 kB, and returns its bytes.
fn plugin(dir: &Path) -> (Artifact, Vec<u8>) {
    let mut source = "static int count; int bump(void) { return ++count; }\n\
                      const char big[200000] = {1};\n\
                      __attribute__((section(\".hotswap\"), used)) const unsigned char metadata[] = {"
        .to_owned();
    section()
        .iter()
        .for_each(|byte| write!(source, "{byte},").unwrap());
    source += "};\n";
    let file = compile(dir, "libworld.so", &source, &["-shared", "-fPIC"]);
    let mut bytes = fs::read(&file).unwrap();
    Note {
        commit: "unknown".into(),
        dirty: false,
        location: None,
    }
    .append_to(&mut bytes);
    (Artifact::from_bytes(&file, &bytes).unwrap(), bytes)
}

/// An opened copy, which is closed before the copy is removed.
struct Opened {
    library: libloading::Library,
    copy: PrivateCopy,
}

impl Opened {
    fn new(copy: PrivateCopy) -> Self {
        // SAFETY: the library has no constructors.
        let library = unsafe { libloading::Library::new(copy.path()) }.unwrap();
        Opened { library, copy }
    }

    fn bump(&self) -> i32 {
        // SAFETY: the source above declares the function with this type.
        unsafe {
            self.library
                .get::<extern "C" fn() -> i32>(b"bump\0")
                .unwrap()()
        }
    }

    fn close(self) -> PrivateCopy {
        self.library.close().unwrap();
        self.copy
    }
}

#[test]
fn a_copy_is_private_and_leaves_with_its_owner() {
    let base = tempdir().unwrap();
    let (artifact, bytes) = plugin(base.path());
    let host = Arc::new(HostDir::create_in(base.path()).unwrap());
    let dir = host.path().to_owned();
    let copies = CopyDir::new(host);

    let copy = copies.make(&artifact, &bytes, &Patch::default()).unwrap();
    let name = copy.path().file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with(&format!("world-{:.8}-", artifact.build_id)) && name.ends_with(".so"),
        "{name}"
    );
    assert!(fs::read(copy.path()).unwrap() == bytes);
    assert_eq!(
        fs::metadata(copy.path()).unwrap().permissions().mode() & 0o7777,
        0o400
    );
    assert_eq!(
        fs::metadata(&dir).unwrap().permissions().mode() & 0o7777,
        0o700
    );
    assert_eq!(copy.fallback(), None);

    // The swapper may be dropped first.
    drop(copies);
    assert!(copy.path().exists());
    copy.remove();
    assert!(!dir.exists());
}

#[test]
fn a_patch_is_in_the_copy_alone() {
    let base = tempdir().unwrap();
    let (artifact, bytes) = plugin(base.path());
    let patch = Patch {
        at: 16..32,
        bytes: *b"hotswap!",
    };
    let on_disk = CopyDir::new(Arc::new(HostDir::create_in(base.path()).unwrap()));
    let in_memory = CopyDir::in_memory(&RuntimeError::NotADirectory {
        dir: base.path().into(),
    });
    for copies in [&on_disk, &in_memory] {
        let copy = copies.make(&artifact, &bytes, &patch).unwrap();
        let mut copied = fs::read(copy.path()).unwrap();
        assert_eq!(&copied[16..32], b"hotswap!hotswap!");
        copied[16..32].copy_from_slice(&bytes[16..32]);
        assert!(copied == bytes);
    }
}

#[test]
fn each_copy_is_a_library_of_its_own() {
    let base = tempdir().unwrap();
    let (artifact, bytes) = plugin(base.path());
    let on_disk = CopyDir::new(Arc::new(HostDir::create_in(base.path()).unwrap()));
    let in_memory = CopyDir::in_memory(&RuntimeError::NotADirectory {
        dir: base.path().into(),
    });
    for copies in [&on_disk, &in_memory] {
        let first = Opened::new(copies.make(&artifact, &bytes, &Patch::default()).unwrap());
        let second = Opened::new(copies.make(&artifact, &bytes, &Patch::default()).unwrap());
        assert_eq!((first.bump(), first.bump(), second.bump()), (1, 2, 1));
        // Descriptors and inodes are used again, but each of them leads to a new copy.
        first.close().remove();
        let third = Opened::new(copies.make(&artifact, &bytes, &Patch::default()).unwrap());
        assert_eq!((third.bump(), second.bump()), (1, 2));
    }
}

#[test]
fn a_library_that_stays_keeps_its_file() {
    let base = tempdir().unwrap();
    let (artifact, bytes) = plugin(base.path());
    let copies = CopyDir::new(Arc::new(HostDir::create_in(base.path()).unwrap()));
    let copy = copies.make(&artifact, &bytes, &Patch::default()).unwrap();
    let path = copy.path().to_owned();
    drop(copy);
    drop(copies);
    drop(HostDir::create_in(base.path()).unwrap());
    assert!(path.exists());
}

#[test]
fn a_directory_that_was_removed_is_made_again() {
    let sources = tempdir().unwrap();
    let (artifact, bytes) = plugin(sources.path());
    let base = tempdir().unwrap().keep();
    let host = Arc::new(HostDir::create_in(&base).unwrap());
    let copies = CopyDir::new(host.clone());
    let before = Opened::new(copies.make(&artifact, &bytes, &Patch::default()).unwrap());
    for gone in [&base, &host.path()] {
        fs::remove_dir_all(gone).unwrap();
        let copy = copies.make(&artifact, &bytes, &Patch::default()).unwrap();
        assert_eq!(copy.fallback(), None);
        assert_eq!(copy.path().parent(), Some(&*host.path()));
        assert_eq!(Opened::new(copy).bump(), 1);
    }
    assert_eq!(before.bump(), 1);
    // Something else that is made at its place is not taken for it.
    fs::remove_dir_all(&base).unwrap();
    fs::create_dir_all(host.path()).unwrap();
    fs::write(host.path().join("lock"), "").unwrap();
    fs::set_permissions(&base, fs::Permissions::from_mode(0o777)).unwrap();
    let copy = copies.make(&artifact, &bytes, &Patch::default()).unwrap();
    assert!(!copy.path().starts_with(&base), "{}", copy.path().display());
    fs::remove_dir_all(&base).unwrap();
}

/// The variable that names the file system on the base directory, in the process that has mount points of its own.
const MOUNT: &str = "HOTSWAP_TEST_MOUNT";

#[test]
fn a_file_system_that_takes_no_library_is_done_without() {
    let unshare = ["--map-root-user", "--mount"];
    for mount in ["noexec", "full", "read-only"] {
        let output = Command::new("unshare")
            .args(unshare)
            .arg(env::current_exe().unwrap())
            .args([
                "--exact",
                "load::copy::tests::with_a_mount",
                "--ignored",
                "--nocapture",
            ])
            .env(MOUNT, mount)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{mount}: {text}{errors}"
        );
    }
}

#[test]
#[ignore = "the other process of another test"]
fn with_a_mount() {
    let Ok(mount) = env::var(MOUNT) else { return };
    let (base, sources) = (tempdir().unwrap(), tempdir().unwrap());
    let (artifact, bytes) = plugin(sources.path());
    // This is too small for one plugin.
    let options = Some(c"size=64k,mode=700");
    let (flags, expected) = match &*mount {
        "noexec" => (libc::MS_NOEXEC, "mounted noexec"),
        "full" => (0, "No space left on device"),
        _ => (libc::MS_RDONLY, "Read-only file system"),
    };
    mount_on(base.path(), c"tmpfs", flags, options);
    let host = HostDir::create_in(base.path()).map(Arc::new);
    let copies = match &host {
        Ok(host) => CopyDir::new(host.clone()),
        Err(error) => CopyDir::in_memory(error),
    };
    assert_eq!(host.is_ok(), mount != "read-only");
    let copy = copies.make(&artifact, &bytes, &Patch::default()).unwrap();
    let reason = copy.fallback().unwrap();
    // If the user is not root, `unshare` makes the root directory belong to someone else.
    let above = reason.contains("could be exchanged");
    assert!(
        (reason.contains(expected) || above) && reason.contains(base.path().to_str().unwrap()),
        "{reason}"
    );
    assert!(fs::read(copy.path()).unwrap() == bytes);
    assert!(fs::write(copy.path(), "").is_err(), "it is sealed");
    assert_eq!(Opened::new(copy).bump(), 1);
    if let Ok(host) = host {
        let left = fs::read_dir(host.path()).unwrap();
        let left: Vec<_> = left.map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["lock"]);
    }
}

fn mount_on(dir: &Path, source: &CStr, flags: libc::c_ulong, options: Option<&CStr>) {
    let dir = CString::new(dir.as_os_str().as_bytes()).unwrap();
    let options = options.map_or(null(), CStr::as_ptr).cast();
    // SAFETY: all texts end in a zero. Only this process sees the mount point.
    let answer = unsafe {
        libc::mount(
            source.as_ptr(),
            dir.as_ptr(),
            c"tmpfs".as_ptr(),
            flags,
            options,
        )
    };
    assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
}
