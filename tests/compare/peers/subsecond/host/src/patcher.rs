//! Stands in for `dx`: makes the table of a patch from a library that has all functions, and applies it.
use libloading::os::unix::Library;
use std::error::Error;
use std::path::Path;
use subsecond::JumpTable;

/// Applies the patch in this library.
pub fn apply(original: [u64; 3], lib: &Path) -> Result<(), Box<dyn Error>> {
    // SAFETY: the library is the plugin of this comparison, whose constructors are those of the standard library.
    let library = unsafe { Library::new(lib) }?;
    // SAFETY: the plugin has these functions with these types.
    let (main, patched) = unsafe {
        let main = library.get::<unsafe extern "C" fn()>(b"main\0")?;
        let patched = library.get::<extern "C" fn(&mut [u64; 3])>(b"addresses\0")?;
        (*main as usize as u64, *patched)
    };
    let mut addresses = [0; 3];
    patched(&mut addresses);
    // The addresses are those of this process, so that nothing has to be added to them.
    let table = JumpTable {
        lib: lib.to_owned(),
        map: original.into_iter().zip(addresses).collect(),
        aslr_reference: subsecond::aslr_reference() as u64,
        new_base_address: main,
        ifunc_count: 0,
    };
    // SAFETY: both sides were compiled from the same functions by the same compiler, and the library stays open.
    unsafe { subsecond::apply_patch(table) }?;
    Ok(())
}
