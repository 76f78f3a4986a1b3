//! Ids, as arguments give them.

/// Every id of the log is one of these numbers.
pub fn id(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (1..=domain::MAX_SAFE_INTEGER).contains(number));
    number.ok_or_else(|| domain::NotAnId.to_string())
}
