//! Roots: directories in which commands run as in a container. What is mounted there leaves with the mount namespace of
//! this process.
use hotswap_tests::{fixture, run};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the directory with the roots that `tests/containers/roots` has made.
pub fn made() -> PathBuf {
    let target = fixture::target();
    target.parent().unwrap().join("containers")
}

/// Mounts something.
fn mount(args: &[&OsStr]) {
    run(Command::new("mount").args(args));
}

/// Mounts a file system, with these options.
pub fn mount_fs(kind: &str, options: &str, at: &Path) {
    fs::create_dir_all(at).unwrap();
    let args = ["-t", kind, "-o", options, kind].map(OsStr::new);
    mount(&[&args[..], &[at.as_os_str()]].concat());
}

pub fn bind(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    mount(&["--bind".as_ref(), from.as_os_str(), to.as_os_str()]);
}

fn remount(options: &str, at: &Path) {
    let options = format!("remount,bind,{options}");
    mount(&["-o".as_ref(), options.as_ref(), at.as_os_str()]);
}

/// A volume: a directory that is mounted without programs.
pub fn volume(from: &Path, to: &Path) {
    bind(from, to);
    remount("nosuid,nodev,noexec", to);
}

/// The space in which everything lies that is written.
pub struct Space(PathBuf);

impl Space {
    /// Makes the space, in memory.
    pub fn new() -> Self {
        let at = made().join("space");
        mount_fs("tmpfs", "mode=755", &at);
        Space(at)
    }

    pub fn dir(&self, name: &str) -> PathBuf {
        let dir = self.0.join(name);
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    /// Mounts a directory as it is, so that what is written there is kept in this space, under this name.
    pub fn copy_on_write(&self, of: &Path, name: &str, at: &Path) {
        let [upper, work] = ["upper", "work"].map(|kind| self.dir(&format!("{name}/{kind}")));
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            of.display(),
            upper.display(),
            work.display()
        );
        mount_fs("overlay", &options, at);
    }

    /// Returns a root that begins as this directory is.
    pub fn root(&self, of: &Path, name: &str) -> Root {
        let at = self.dir(&format!("{name}/root"));
        self.copy_on_write(of, name, &at);
        let root = Root(at);
        root.mount_devices();
        root
    }

    /// Returns a root with what another one has, in which nothing can be written.
    pub fn read_only(&self, of: &Root, name: &str) -> Root {
        let root = Root(self.dir(&format!("{name}/root")));
        bind(&of.0, &root.0);
        remount("ro", &root.0);
        root.mount_devices();
        root
    }
}

/// A root.
pub struct Root(PathBuf);

impl Root {
    fn mount_devices(&self) {
        mount_fs("proc", "nosuid,nodev,noexec", &self.path("/proc"));
        bind(Path::new("/dev"), &self.path("/dev"));
    }

    /// Returns where this path of the root is.
    pub fn path(&self, path: &str) -> PathBuf {
        self.0.join(path.trim_start_matches('/'))
    }

    /// Returns a command that runs in the root, as this user with no rights of root's, or as root, and with this
    /// environment alone.
    pub fn command(
        &self,
        user: Option<&str>,
        dir: &str,
        env: &[(String, String)],
        words: &[String],
    ) -> Command {
        let mut command = Command::new("chroot");
        command.arg(&self.0);
        if let Some((user, group)) = user.map(|user| user.split_once(':').unwrap()) {
            command.arg("setpriv");
            command.args(["--reuid", user, "--regid", group, "--clear-groups"]);
            command.args(["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]);
        }
        command.args(["env", "-i", "-C", dir]);
        command.args(env.iter().map(|(name, value)| format!("{name}={value}")));
        command.args(words);
        command
    }
}
