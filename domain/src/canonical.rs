//! Hash maps in an order of their own would give one state many snapshots. In key order it has one.

use imbl::HashMap;
use serde::{Serialize, Serializer};

/// Writes a map in the order of its keys, for `#[serde(serialize_with = "…")]`: equal maps have equal bytes.
///
/// # Errors
/// Those of the serializer.
pub fn in_key_order<K, V, S>(map: &HashMap<K, V>, serializer: S) -> Result<S::Ok, S::Error>
where
    K: Ord + Serialize,
    V: Serialize,
    S: Serializer,
{
    let mut entries: Vec<(&K, &V)> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    serializer.collect_map(entries)
}
