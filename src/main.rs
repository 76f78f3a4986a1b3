//! The program. All its code is in the library, beginning with [`reprise::main`]: so it is compiled once for the
//! program and its tests.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    reprise::main()
}
