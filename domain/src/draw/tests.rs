//! The order against what was published, and against chance. Keys come from counting, so every run sees the same.

use super::*;

/// A case of `ethereum/consensus-spec-tests`; where it stands there is the first member of the file.
#[derive(Deserialize)]
struct Vector {
    seed: String,
    count: u64,
    mapping: Vec<u64>,
    /// Of the published `mapping.yaml`.
    sha256: String,
}

#[derive(Deserialize)]
struct Published {
    vectors: Vec<Vector>,
}

/// A list as the published files have it: a new line once one is longer than 80 characters.
fn wrapped(mapping: &[u64]) -> String {
    let mut column = "mapping: [".len();
    let mut text = String::new();
    for (index, place) in mapping.iter().enumerate() {
        if index > 0 {
            text.push(',');
            (column, text) = if column + 1 > 80 { (2, text + "\n  ") } else { (column + 2, text + " ") };
        }
        let place = place.to_string();
        column += place.len();
        text.push_str(&place);
    }
    text
}

fn published() -> Vec<Vector> {
    let file: Published = serde_json::from_str(include_str!("published_vectors.json")).unwrap();
    file.vectors
}

/// The order of `count` under key number `number`.
fn shuffle(number: u64, count: u64) -> Shuffle {
    Shuffle::new(Hash::new(Sha256::digest(number.to_be_bytes()).into()), count)
}

fn places(shuffle: &Shuffle) -> Vec<u64> {
    (0..shuffle.count()).map(|entrant| shuffle.place(entrant)).collect()
}

/// How far counts are from all being equal.
fn chi_square(counts: &[u64]) -> f64 {
    let expected = counts.iter().sum::<u64>() as f64 / counts.len() as f64;
    counts.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum()
}

/// What chance alone passes once in a million times, for this many degrees of freedom (Wilson and Hilferty, 1931).
fn bound(degrees: usize) -> f64 {
    const ONCE_IN_A_MILLION: f64 = 4.753;
    let spread = 2.0 / (9.0 * degrees as f64);
    degrees as f64 * (1.0 - spread + ONCE_IN_A_MILLION * spread.sqrt()).powi(3)
}

#[test]
fn the_published_cases_come_out_as_published() {
    let cases = published();
    assert_eq!(cases.iter().map(|case| case.count).collect::<Vec<_>>(), [33, 1_000, 2, 10]);
    for Vector { seed, count, mapping, sha256 } in cases {
        let key = serde_json::from_value(seed.clone().into()).unwrap();
        let ours = places(&Shuffle::new(key, count));
        assert_eq!(ours, mapping);
        let yaml = format!("seed: '0x{seed}'\ncount: {count}\nmapping: [{}]\n", wrapped(&mapping));
        assert_eq!(Hash::new(Sha256::digest(yaml).into()).to_string(), sha256);
    }
}

#[test]
fn every_place_leads_back_to_its_entrant() {
    for (number, count) in (0..).zip([1, 2, 3, 255, 256, 257, 600]) {
        let shuffle = shuffle(number, count);
        let mut taken = places(&shuffle);
        assert!((0..count).all(|entrant| shuffle.entrant(taken[entrant as usize]) == entrant));
        taken.sort_unstable();
        assert!(taken.into_iter().eq(0..count), "every place is taken once");
    }
    let millions = shuffle(7, 5_000_000);
    for place in [0, 1, 4_999_999, 2_500_000] {
        assert_eq!(millions.place(millions.entrant(place)), place);
    }
}

#[test]
fn an_order_of_nobody_has_no_place() {
    assert!(places(&shuffle(1, 0)).is_empty());
}

#[test]
#[should_panic(expected = "3 is none of 3")]
fn who_did_not_enter_has_no_place() {
    shuffle(1, 3).place(3);
}

#[test]
fn whole_orders_of_a_few_are_equally_likely() {
    for (count, orders) in [(2, 2), (3, 6), (5, 120)] {
        let mut seen = std::collections::BTreeMap::<Vec<u64>, u64>::new();
        for number in 0..10_000 {
            *seen.entry(places(&shuffle(number, count))).or_default() += 1;
        }
        assert_eq!(seen.len(), orders, "every order of {count} comes about");
        let counts: Vec<u64> = seen.into_values().collect();
        let distance = chi_square(&counts);
        assert!(distance < bound(orders - 1), "orders of {count}: chi-square {distance}");
    }
}

#[test]
fn every_place_is_equally_likely_for_the_first_and_the_last_to_come() {
    for (count, keys) in [(10, 4_000), (100, 8_000)] {
        for entrant in [0, count - 1] {
            let mut counts = vec![0; count as usize];
            for number in 0..keys {
                counts[shuffle(number, count).place(entrant) as usize] += 1;
            }
            let distance = chi_square(&counts);
            assert!(distance < bound(counts.len() - 1), "entrant {entrant} of {count}: chi-square {distance}");
        }
    }
}

/// A shuffle that reaches only half of all orders reaches only the even ones.
#[test]
fn orders_of_16_are_as_often_even_as_odd() {
    let is_odd = |places: Vec<u64>| {
        let later_is_smaller =
            |(index, place): (usize, &u64)| places[index + 1..].iter().filter(|later| *later < place).count();
        places.iter().enumerate().map(later_is_smaller).sum::<usize>() % 2
    };
    let mut counts = [0; 2];
    for number in 0..2_000 {
        counts[is_odd(places(&shuffle(number, 16)))] += 1;
    }
    let distance = chi_square(&counts);
    assert!(distance < bound(1), "{counts:?}: chi-square {distance}");
}

#[test]
fn a_key_is_of_all_that_it_is_made_of() {
    let hash = |byte| Hash::new([byte; 32]);
    let plain = key(&hash(1), None, &hash(3), 7);
    // sha256(b"reprise/draw/1" + b"\1" * 32 + b"\3" * 32 + (7).to_bytes(8, "big")), by another program.
    assert_eq!(plain.to_string(), "d2e5ba67703f1f86ad7be416397187d5c426b37130cbb117e4922853f3fe5775");
    let with_beacon = key(&hash(1), Some(&hash(2)), &hash(3), 7);
    assert_eq!(with_beacon.to_string(), "78d051f1a1a8ccfdbb784ce2ef8ca3b54f807f8aeca7fc2b041fbadf59a8536e");
    for other in [key(&hash(9), None, &hash(3), 7), key(&hash(1), None, &hash(9), 7), key(&hash(1), None, &hash(3), 8)]
    {
        assert_ne!(other, plain);
    }
    assert_eq!(commitment(&hash(1)).to_string(), "72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793");
}

#[test]
fn a_snapshot_keeps_what_fixes_the_order() {
    let shuffle = shuffle(5, 1_000);
    let stored = serde_json::to_string(&shuffle).unwrap();
    assert_eq!(serde_json::from_str::<Shuffle>(&stored).unwrap(), shuffle);
}
