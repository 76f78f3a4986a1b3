//! Random bytes that cannot be guessed.

use super::problem::Problem;

/// Returns sixteen random bytes, for a secret.
///
/// # Errors
/// The system has no random bytes.
pub fn bytes() -> Result<[u8; 16], Problem> {
    let mut bytes = [0; 16];
    let none = |error| Problem::internal(&format!("the system has no randomness: {error}"));
    getrandom::fill(&mut bytes).map_err(none)?;
    Ok(bytes)
}
