//! What is drawn by chance, and cannot be guessed.

use super::problem::Problem;

/// Sixteen bytes, for a secret.
///
/// # Errors
/// The system has none.
pub fn bytes() -> Result<[u8; 16], Problem> {
    let mut bytes = [0; 16];
    let none = |error| Problem::internal(&format!("the system has no randomness: {error}"));
    getrandom::fill(&mut bytes).map_err(none)?;
    Ok(bytes)
}
