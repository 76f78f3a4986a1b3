//! How what was found is said.

use clap::Args;

/// How a tool says what it found.
#[derive(Debug, Clone, Copy, Args)]
pub struct Output {
    /// Print one JSON document, and nothing else.
    #[arg(long, global = true, display_order = 101)]
    pub json: bool,
}
