use super::*;
use std::path::Path;
use std::process::Command;

/// A library like a plugin's. It calls back into the executable from a function with a name and a line.
const SOURCE: &str = r#"
#[unsafe(no_mangle)]
pub extern "C" fn enter(then: extern "C" fn()) {
    deep::down(then);
}

mod deep {
    #[inline(never)]
    pub fn down(then: extern "C" fn()) {
        then();
        std::hint::black_box(0);
    }
}
"#;

fn build(folder: &Path) -> PathBuf {
    let (source, library) = (folder.join("fixture.rs"), folder.join("libfixture.so"));
    std::fs::write(&source, SOURCE).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let status = Command::new(rustc)
        .args([
            "--edition=2024",
            "--crate-type=cdylib",
            "-Cdebuginfo=1",
            "-o",
        ])
        .args([&library, &source])
        .status();
    assert!(status.unwrap().success());
    library
}

thread_local! {
    static SEEN: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}

extern "C" fn look() {
    SEEN.set(here(false));
}

#[test]
fn names_and_lines_of_a_library_loaded_later_and_of_the_executable() {
    let folder = tempfile::tempdir().unwrap();
    // std remembers its list of libraries from the first backtrace on, and that list does not have the library loaded
    // below.
    let _ = std::backtrace::Backtrace::force_capture().to_string();
    // SAFETY: this is the library above, which has no constructors.
    let library = unsafe { libloading::Library::new(build(folder.path())) }.unwrap();
    // SAFETY: the function above has this type.
    let enter = unsafe {
        library
            .get::<extern "C" fn(extern "C" fn())>(b"enter")
            .unwrap()
    };
    enter(look);
    let seen = SEEN.take();
    assert!(seen.contains("fixture::deep::down"), "{seen}");
    assert!(seen.contains("fixture.rs:10"), "{seen}");
    assert!(seen.contains("backtrace::tests::look"), "{seen}");
    assert!(
        seen.contains("names_and_lines_of_a_library_loaded_later"),
        "{seen}"
    );
    let order = |name: &str| seen.find(name).unwrap();
    assert!(
        order("tests::look") < order("fixture::deep::down"),
        "{seen}"
    );
    assert!(
        order("fixture::deep::down") < order("names_and_lines"),
        "{seen}"
    );
}

#[test]
fn a_short_one_ends_where_the_thread_begins() {
    let short = std::thread::spawn(|| here(true)).join().unwrap();
    assert!(short.contains("a_short_one_ends"), "{short}");
    assert!(!short.contains(BEGIN), "{short}");
    assert!(!short.contains("clone3"), "{short}");
}
