//! The ready answers about the seats of one schedule: their bytes, in blocks.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use domain::{Head, SeatId};
use serde::{Deserialize, Serialize};

use crate::representation::Page;

/// How many ids a block spans, and so how many seats it has at most. Smaller blocks are made faster after a change;
/// larger ones are joined faster.
pub(crate) const SEATS_PER_BLOCK: u64 = 256;

/// The answers about one schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SeatPages {
    pub(crate) map: Page,
    pub(crate) available: Page,
    pub(crate) all: Page,
    /// By number. A hold in a large house makes only the bytes of its own block anew.
    pub(crate) blocks: Vec<Arc<Block>>,
}

/// The parts of both lists with the seats whose ids lie in one span of [`SEATS_PER_BLOCK`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Block {
    number: u64,
    /// The free seats, as a JSON array.
    #[serde(skip)]
    pub(crate) available: OnceLock<Bytes>,
    /// All seats, as a JSON array.
    #[serde(skip)]
    pub(crate) all: OnceLock<Bytes>,
}

impl Block {
    fn new(number: u64) -> Self {
        Self { number, available: OnceLock::new(), all: OnceLock::new() }
    }

    /// The ids of its seats lie from the first to the last of these.
    pub(crate) fn span(&self) -> (u64, u64) {
        let first = self.number * SEATS_PER_BLOCK;
        (first, first + SEATS_PER_BLOCK - 1)
    }

    /// The number of the block with this seat.
    pub(crate) fn number_of(seat_id: SeatId) -> u64 {
        seat_id.get() / SEATS_PER_BLOCK
    }
}

/// The lists that a change concerns.
#[derive(Clone, Copy, Default)]
pub(crate) struct Changed {
    pub(crate) available: bool,
    pub(crate) all: bool,
}

impl SeatPages {
    /// The pages of a schedule that becomes visible at `head`. `ids` are those of its seats, in order.
    pub(crate) fn new(ids: impl Iterator<Item = SeatId>, head: Head) -> Self {
        let mut blocks: Vec<u64> = ids.map(Block::number_of).collect();
        blocks.dedup();
        let blocks = blocks.into_iter().map(|number| Arc::new(Block::new(number))).collect();
        Self { map: Page::at(head), available: Page::at(head), all: Page::at(head), blocks }
    }

    /// Drops the bytes of changed lists, and keeps those of unchanged ones.
    pub(crate) fn renew(&mut self, number: u64, changed: Changed, head: Head) {
        if let Ok(index) = self.blocks.binary_search_by_key(&number, |block| block.number) {
            let available = if changed.available { OnceLock::new() } else { self.blocks[index].available.clone() };
            self.blocks[index] = Arc::new(Block { available, ..Block::new(number) });
        }
        if changed.available {
            self.available = Page::at(head);
        }
        self.all = Page::at(head);
    }

    /// The blocks that differ from those of `older`. A schedule's blocks are always the same ones.
    pub(crate) fn changed_since<'a>(&'a self, older: Option<&'a Self>) -> impl Iterator<Item = &'a Block> {
        let older = older.map_or(&[][..], |older| &older.blocks);
        let is_changed =
            |(index, block): &(usize, &Arc<Block>)| older.get(*index).is_none_or(|before| !Arc::ptr_eq(before, block));
        self.blocks.iter().enumerate().filter(is_changed).map(|(_, block)| block.as_ref())
    }
}
