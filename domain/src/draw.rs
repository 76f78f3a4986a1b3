//! The draw: which entrant of a pre-queue gets which place in line.
//!
//! `place` is `compute_shuffled_index` of Ethereum's consensus specification (phase 0, `specs/phase0/beacon-chain.md`):
//! the swap-or-not shuffle of Hoang, Morris and Rogaway ("An Enciphering Scheme Based on a Card Shuffle", 2012) with 90
//! rounds and SHA-256. Each round is its own inverse, so the entrant of a place is found by running the rounds
//! backwards: nothing is sorted or stored. `docs/fairness.md` says what is hashed into the key, and what that proves.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::values::Hash;

/// Rounds of the shuffle: `SHUFFLE_ROUND_COUNT` of the specification.
pub const ROUNDS: u8 = 90;
/// Entrants that one draw can order: the specification's bound, far above what a log can hold.
pub const MAX_ENTRANTS: u64 = 1 << 40;
/// How many positions one hash decides: it has 256 bits.
const POSITIONS_PER_HASH: u64 = 256;

/// The commitment, SHA-256(seed): it fixes a draw's seed before anyone joins.
pub fn commitment(seed: &Hash) -> Hash {
    Hash::new(Sha256::digest(seed.as_bytes()).into())
}

/// The key of a draw: SHA-256("reprise/draw/1" ‖ seed ‖ beacon or nothing ‖ hash of the close ‖ entrants), all raw bytes, the
/// last one 8 of them, big-endian.
pub fn key(seed: &Hash, beacon: Option<&Hash>, closed: &Hash, entrants: u64) -> Hash {
    let mut hasher = Sha256::new_with_prefix(b"reprise/draw/1");
    hasher.update(seed.as_bytes());
    if let Some(beacon) = beacon {
        hasher.update(beacon.as_bytes());
    }
    hasher.update(closed.as_bytes());
    hasher.update(entrants.to_be_bytes());
    Hash::new(hasher.finalize().into())
}

/// An order of 0..`count` that follows from a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Hash, u64)", into = "(Hash, u64)")]
pub struct Shuffle {
    key: Hash,
    count: u64,
    /// The pivot of each round, computed once, so that a place costs 90 hashes and not 180.
    pivots: [u64; ROUNDS as usize],
}

impl Shuffle {
    /// The order of 0..`count` under this key.
    ///
    /// # Panics
    /// There are more than [`MAX_ENTRANTS`].
    pub fn new(key: Hash, count: u64) -> Self {
        assert!(count <= MAX_ENTRANTS, "an order is of at most {MAX_ENTRANTS} entrants");
        let pivot = |round| {
            let hash: [u8; 32] = Sha256::new_with_prefix(key.as_bytes()).chain_update([round]).finalize().into();
            let number = u64::from_le_bytes(*hash.first_chunk().expect("32 bytes have 8"));
            // With 0 entrants the pivots are never used.
            number.checked_rem(count).unwrap_or(0)
        };
        let mut pivots = [0; ROUNDS as usize];
        for (round, slot) in (0..).zip(&mut pivots) {
            *slot = pivot(round);
        }
        Self { key, count, pivots }
    }

    /// The number of entrants.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The place, from 0, of entrant `entrant`.
    ///
    /// # Panics
    /// There is no such entrant.
    pub fn place(&self, entrant: u64) -> u64 {
        self.walk(entrant, 0..ROUNDS)
    }

    /// The entrant who has place `place`: the inverse of [`place`](Self::place).
    ///
    /// # Panics
    /// There is no such place.
    pub fn entrant(&self, place: u64) -> u64 {
        self.walk(place, (0..ROUNDS).rev())
    }

    fn walk(&self, from: u64, rounds: impl Iterator<Item = u8>) -> u64 {
        assert!(from < self.count, "{from} is none of {}", self.count);
        rounds.fold(from, |index, round| self.swap_or_not(index, round))
    }

    /// Runs one round: each pair of positions around the pivot swaps or stays.
    fn swap_or_not(&self, index: u64, round: u8) -> u64 {
        let pivot = self.pivots[usize::from(round)];
        let flip = (pivot + self.count - index) % self.count;
        let position = index.max(flip);
        let block = u32::try_from(position / POSITIONS_PER_HASH).expect("there are at most 2^40 positions");
        let source: [u8; 32] = Sha256::new_with_prefix(self.key.as_bytes())
            .chain_update([round])
            .chain_update(block.to_le_bytes())
            .finalize()
            .into();
        let byte = source[(position % POSITIONS_PER_HASH) as usize / 8];
        if (byte >> (position % 8)) & 1 == 1 { flip } else { index }
    }
}

impl From<(Hash, u64)> for Shuffle {
    fn from((key, count): (Hash, u64)) -> Self {
        Self::new(key, count)
    }
}

impl From<Shuffle> for (Hash, u64) {
    fn from(shuffle: Shuffle) -> Self {
        (shuffle.key, shuffle.count)
    }
}

#[cfg(test)]
mod tests;
