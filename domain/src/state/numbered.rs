//! A persistent map for things whose numbers only grow. With growing keys the leaves of a B-tree stay half empty. Here
//! neighbours stand in full blocks, and a copy shares all blocks that it did not change.

use std::ops::RangeInclusive;
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::changed;

/// How many numbers a block spans. A change copies one block if another copy of the map shares it.
const SPAN: u64 = 16;

/// A thing that knows its own number.
pub trait Number {
    /// The number: unique in a map, and never changed.
    fn number(&self) -> u64;
}

/// Things by number.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
pub struct Numbered<T> {
    /// Blocks by number / [`SPAN`]. Each block is ordered, and none is empty.
    blocks: OrdMap<u64, Arc<Vec<T>>>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { blocks: OrdMap::new() }
    }
}

impl<T: Number + Clone> Numbered<T> {
    /// Finds the thing with this number.
    pub fn get(&self, number: u64) -> Option<&T> {
        let block = self.blocks.get(&(number / SPAN))?;
        Some(&block[index(block, number).ok()?])
    }

    /// The thing with the lowest number.
    pub fn first(&self) -> Option<&T> {
        self.blocks.get_min()?.1.first()
    }

    /// Finds the thing with this number, to change it. Its number must stay.
    pub fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let block = self.blocks.get_mut(&(number / SPAN))?;
        let index = index(block, number).ok()?;
        Some(&mut Arc::make_mut(block)[index])
    }

    /// Inserts a thing. It replaces a thing with the same number.
    pub fn insert(&mut self, thing: T) {
        let number = thing.number();
        changed(&mut self.blocks, number / SPAN, |block| match index(block, number) {
            Ok(index) => Arc::make_mut(block)[index] = thing,
            Err(index) => Arc::make_mut(block).insert(index, thing),
        });
    }

    /// Removes the thing with this number, and returns it.
    pub fn remove(&mut self, number: u64) -> Option<T> {
        let block = self.blocks.get_mut(&(number / SPAN))?;
        let index = index(block, number).ok()?;
        let thing = Arc::make_mut(block).remove(index);
        if block.is_empty() {
            self.blocks.remove(&(number / SPAN));
        }
        Some(thing)
    }

    /// The things with these numbers, in the order of their numbers.
    pub fn range(&self, numbers: RangeInclusive<u64>) -> impl Iterator<Item = &T> {
        let blocks = self.blocks.range(numbers.start() / SPAN..=numbers.end() / SPAN);
        blocks.flat_map(|(_, block)| block.iter()).filter(move |thing| numbers.contains(&thing.number()))
    }

    /// All things, in the order of their numbers.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.blocks.values().flat_map(|block| block.iter())
    }

    /// True if the map is empty.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}

/// Finds the index of a number in its block; `Err` holds the index where it would be inserted.
fn index<T: Number>(block: &[T], number: u64) -> Result<usize, usize> {
    block.binary_search_by_key(&number, Number::number)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    impl Number for (u64, u8) {
        fn number(&self) -> u64 {
            self.0
        }
    }

    /// What is done with a map: a thing put in or changed (`Some`), or one taken out.
    fn changes() -> impl Strategy<Value = Vec<(u64, Option<u8>)>> {
        prop::collection::vec((0..3 * SPAN, any::<Option<u8>>()), 0..200)
    }

    proptest! {
        #[test]
        fn it_is_what_a_plain_map_is_and_its_copies_stay_as_they_were(changes in changes()) {
            let (mut numbered, mut plain) = (Numbered::default(), BTreeMap::new());
            for (number, change) in changes {
                let copy = numbered.clone();
                let before: Vec<(u64, u8)> = plain.iter().map(|(number, thing)| (*number, *thing)).collect();
                match change {
                    Some(thing) if thing % 2 == 0 => {
                        numbered.insert((number, thing));
                        plain.insert(number, thing);
                    }
                    Some(thing) => {
                        let changed = numbered.get_mut(number).map(|had| had.1 = thing);
                        prop_assert_eq!(changed, plain.get_mut(&number).map(|had| *had = thing));
                    }
                    None => {
                        let taken = plain.remove(&number).map(|thing| (number, thing));
                        prop_assert_eq!(numbered.remove(number), taken);
                    }
                }
                prop_assert!(copy.values().copied().eq(before));
                prop_assert_eq!(numbered.get(number).map(|thing| &thing.1), plain.get(&number));
                prop_assert!(numbered.values().copied().eq(plain.iter().map(|(number, thing)| (*number, *thing))));
                let middle = SPAN - 1..=2 * SPAN;
                let in_range = plain.range(middle.clone()).map(|(number, thing)| (*number, *thing));
                prop_assert!(numbered.range(middle).copied().eq(in_range));
                prop_assert_eq!(numbered.first().copied(), plain.first_key_value().map(|(number, thing)| (*number, *thing)));
                prop_assert_eq!(numbered.is_empty(), plain.is_empty());
            }
        }
    }
}
