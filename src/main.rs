//! The program. What it does begins in [`reprise::main`]: a library is compiled once, for the program and for its tests.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    reprise::main()
}
