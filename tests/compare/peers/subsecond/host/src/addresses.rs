//! The addresses of the functions, as subsecond knows them.
use crate::functions;
use subsecond::HotFn;

/// Returns the addresses by which this program or this library calls the functions, as long as there is no patch.
pub fn addresses() -> [u64; 3] {
    [
        HotFn::<(i64, i64), _, _>::current(functions::add)
            .ptr_address()
            .0,
        HotFn::<(&'static str, u64), _, _>::current(functions::hum)
            .ptr_address()
            .0,
        HotFn::<(), _, _>::current(functions::version)
            .ptr_address()
            .0,
    ]
}
