//! What clients ask, one request after another.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::requests;
use crate::sale::Guest;

/// How many seats of a schedule one guest takes: as many as the rules allow.
const SEATS_A_GUEST: u64 = domain::limits::MAX_SEATS_PER_USER_IN_SCHEDULE as u64;

/// One client's part.
pub trait Script: Send {
    /// Writes the next request; `false` where nothing is left to ask.
    fn ask(&mut self, request: &mut Vec<u8>) -> bool;

    /// Hears its answer.
    fn hear(&mut self, _status: u16, _body: &[u8]) {}
}

/// The same request again and again.
pub struct Again(pub Vec<u8>);

impl Script for Again {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        request.extend_from_slice(&self.0);
        true
    }
}

/// One request.
pub struct Once(pub Option<Vec<u8>>);

impl Script for Once {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        let Some(only) = self.0.take() else { return false };
        request.extend_from_slice(&only);
        true
    }
}

/// Seats that are given out in order, each once, to guests who take as many of a schedule as they may.
pub struct Seats {
    guests: Vec<Guest>,
    seats: u64,
    schedules: std::ops::Range<u64>,
    given: AtomicU64,
    held: Mutex<Vec<(u64, Guest)>>,
}

impl Seats {
    /// The seats of these schedules, `seats` in each.
    pub fn of(schedules: std::ops::Range<u64>, seats: u64, guests: Vec<Guest>) -> Arc<Self> {
        Arc::new(Self { guests, seats, schedules, given: AtomicU64::new(0), held: Mutex::default() })
    }

    /// The schedule whose seats are being given out.
    pub fn schedule(&self) -> u64 {
        (self.schedules.start + self.given.load(Ordering::Relaxed) / self.seats).min(self.schedules.end - 1)
    }

    fn next(&self) -> Option<(u64, u64, Guest)> {
        let given = self.given.fetch_add(1, Ordering::Relaxed);
        let schedule = self.schedules.start + given / self.seats;
        let guest = self.guests[usize::try_from(given / SEATS_A_GUEST).ok()? % self.guests.len()];
        self.schedules.contains(&schedule).then_some((schedule, 1 + given % self.seats, guest))
    }
}

/// Holds one seat after another, as long as there are any.
pub struct Holds {
    seats: Arc<Seats>,
    holder: Option<Guest>,
}

impl Holds {
    /// Seats of these.
    pub fn of(seats: &Arc<Seats>) -> Self {
        Self { seats: Arc::clone(seats), holder: None }
    }
}

impl Script for Holds {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        let Some((schedule, seat, guest)) = self.seats.next() else { return false };
        self.holder = Some(guest);
        request.extend_from_slice(&requests::reserve(schedule, seat, &guest));
        true
    }

    fn hear(&mut self, status: u16, body: &[u8]) {
        if let (200, Some(guest), Some(reservation)) = (status, self.holder, reservation_id(body)) {
            self.seats.held.lock().expect("nobody panics with it").push((reservation, guest));
        }
    }
}

/// A reservation's answer begins with its id.
pub fn reservation_id(body: &[u8]) -> Option<u64> {
    let rest = str::from_utf8(body).ok()?.strip_prefix(r#"{"reservationId":"#)?;
    rest.split(',').next()?.parse().ok()
}

/// Pays what is held, as long as there is any.
pub struct Payments(Arc<Seats>);

impl Payments {
    /// Holds of these seats.
    pub fn of(seats: &Arc<Seats>) -> Self {
        Self(Arc::clone(seats))
    }
}

impl Script for Payments {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        let held = self.0.held.lock().expect("nobody panics with it").pop();
        let Some((reservation, guest)) = held else { return false };
        request.extend_from_slice(&requests::pay(reservation, &guest));
        true
    }
}

/// Reads the list of the schedule that is being sold.
pub struct Lists {
    seats: Arc<Seats>,
    reader: Guest,
}

impl Lists {
    /// Read by `reader`.
    pub fn of(seats: &Arc<Seats>, reader: Guest) -> Self {
        Self { seats: Arc::clone(seats), reader }
    }
}

impl Script for Lists {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        request.extend_from_slice(&requests::seats(self.seats.schedule(), &self.reader, None));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sale;
    use reprise::key::{KEY_FILE, ServerKey};

    #[test]
    fn every_seat_is_given_once_and_nobody_gets_more_of_a_schedule_than_they_may() {
        let folder = tempfile::tempdir().unwrap();
        let key = ServerKey::known([7; 32], &folder.path().join(KEY_FILE)).unwrap();
        let guests: Vec<Guest> = (1..=13).map(|n| sale::guest(n, &key, domain::Seed::new([n as u8; 16]))).collect();
        let seats = Seats::of(1..5, 50, guests);
        let mut given = std::collections::BTreeMap::<(u64, u64), u64>::new();
        let mut seen = std::collections::BTreeSet::new();
        while let Some((schedule, seat, guest)) = seats.next() {
            assert!((1..=50).contains(&seat) && seen.insert((schedule, seat)));
            *given.entry((schedule, guest.user_id.get())).or_default() += 1;
        }
        assert_eq!(seen.len(), 200);
        assert!(given.values().all(|taken| *taken <= SEATS_A_GUEST), "{given:?}");
    }

    #[test]
    fn a_reservation_s_id_is_read_off_its_answer() {
        assert_eq!(reservation_id(br#"{"reservationId":17,"userId":3}"#), Some(17));
        assert_eq!(reservation_id(br#"{"type":"/problems/seat-taken"}"#), None);
    }
}
