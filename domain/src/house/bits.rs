//! Many bits, of which the next one that is set is found without looking at all of them.

use serde::{Deserialize, Serialize};

/// The number of bits in a word.
const WORD: u32 = u64::BITS;

/// A fixed number of bits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bits {
    words: Vec<u64>,
    /// A bit for each word: set if any bit of the word is set.
    some: Vec<u64>,
}

impl Bits {
    /// Makes `len` bits, all clear.
    pub fn none(len: u32) -> Self {
        let zeros = |bits: u32| vec![0; bits.div_ceil(WORD) as usize];
        Self { words: zeros(len), some: zeros(len.div_ceil(WORD)) }
    }

    /// Sets or clears a bit. Returns true if that changed it.
    pub fn put(&mut self, bit: u32, is_set: bool) -> bool {
        if !put(&mut self.words, bit, is_set) {
            return false;
        }
        let word = bit / WORD;
        put(&mut self.some, word, self.words[word as usize] != 0);
        true
    }

    /// The first bit that is set, at `from` or after it.
    pub fn next_set(&self, from: u32) -> Option<u32> {
        let word = from / WORD;
        let rest = self.words.get(word as usize)? >> (from % WORD);
        if rest != 0 {
            return Some(from + rest.trailing_zeros());
        }
        let word = next_in(&self.some, word + 1)?;
        Some(word * WORD + self.words[word as usize].trailing_zeros())
    }

    /// The first bit that is not set, at `from` or after it and before `end`; else `end`.
    pub fn next_clear(&self, mut from: u32, end: u32) -> u32 {
        while from < end {
            let left = WORD - from % WORD;
            let ones = (self.words[(from / WORD) as usize] >> (from % WORD)).trailing_ones();
            if ones < left {
                return (from + ones).min(end);
            }
            from += left;
        }
        end
    }
}

fn put(words: &mut [u64], bit: u32, is_set: bool) -> bool {
    let (index, mask) = ((bit / WORD) as usize, 1 << (bit % WORD));
    let before = words[index];
    words[index] = if is_set { before | mask } else { before & !mask };
    words[index] != before
}

/// The first bit of `words` that is set, at `from` or after it.
fn next_in(words: &[u64], from: u32) -> Option<u32> {
    let first = (from / WORD) as usize;
    let mut mask = u64::MAX << (from % WORD);
    (first..words.len()).find_map(|index| {
        let rest = words[index] & std::mem::replace(&mut mask, u64::MAX);
        (rest != 0).then(|| index as u32 * WORD + rest.trailing_zeros())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEN: u32 = 9_000;

    proptest! {
        #[test]
        fn they_are_what_plain_bits_are(changes in prop::collection::vec((0..LEN, any::<bool>()), 0..300), from in 0..LEN) {
            let (mut bits, mut plain) = (Bits::none(LEN), vec![false; LEN as usize]);
            for (bit, is_set) in changes {
                let changed = std::mem::replace(&mut plain[bit as usize], is_set) != is_set;
                prop_assert_eq!(bits.put(bit, is_set), changed);
            }
            let first = |is_set: bool| (from..LEN).find(|bit| plain[*bit as usize] == is_set);
            prop_assert_eq!(bits.next_set(from), first(true));
            prop_assert_eq!(bits.next_clear(from, LEN), first(false).unwrap_or(LEN));
        }

        #[test]
        fn a_run_is_as_long_as_it_was_made(start in 0..LEN - 200, len in 0_u32..200) {
            let mut bits = Bits::none(LEN);
            (start..start + len).for_each(|bit| { bits.put(bit, true); });
            prop_assert_eq!(bits.next_set(0), (len > 0).then_some(start));
            prop_assert_eq!(bits.next_clear(start, LEN), start + len);
            prop_assert_eq!(bits.next_clear(start, start + len), start + len);
        }
    }
}
