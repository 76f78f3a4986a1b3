//! Whole visits: people who come, want a seat, and pay where they got one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::UserId;
use uuid::Uuid;

use super::requests;
use super::scripts::{Script, reservation_id};
use crate::sale::{self, Guest};

/// Which seat somebody wants.
#[derive(Debug, Clone, Copy)]
pub enum Choice {
    /// Any, whether or not it is free.
    Random,
    /// The next that nobody has asked for.
    InOrder,
}

/// All who come.
pub struct Buyers {
    next: AtomicU64,
    last: u64,
    seats: u64,
    choice: Choice,
    held: AtomicU64,
    paid: AtomicU64,
}

impl Buyers {
    /// The users of these numbers, each for one of `seats` seats of the first schedule.
    pub fn of(users: std::ops::RangeInclusive<u64>, seats: u64, choice: Choice) -> Arc<Self> {
        let (next, last) = (AtomicU64::new(*users.start()), *users.end());
        Arc::new(Self { next, last, seats, choice, held: AtomicU64::new(0), paid: AtomicU64::new(0) })
    }

    /// How many got a seat, and how many have paid it.
    pub fn sold(&self) -> [u64; 2] {
        [&self.held, &self.paid].map(|count| count.load(Ordering::Relaxed))
    }
}

/// What a buyer asks next.
enum Step {
    Join,
    Hold(Guest),
    Charge(Guest, u64),
    Pay(Guest, u64),
}

/// One client, who is one buyer after another.
pub struct Buying {
    all: Arc<Buyers>,
    user: u64,
    step: Step,
    rng: fastrand::Rng,
}

impl Buying {
    /// The client of this number.
    pub fn of(all: &Arc<Buyers>, number: usize) -> Self {
        let rng = fastrand::Rng::with_seed(number as u64);
        Self { all: Arc::clone(all), user: 0, step: Step::Join, rng }
    }

    fn join(&mut self) -> Option<Vec<u8>> {
        self.user = self.all.next.fetch_add(1, Ordering::Relaxed);
        (self.user <= self.all.last).then(|| requests::join(sale::user_id(self.user)))
    }

    fn seat(&mut self) -> u64 {
        match self.all.choice {
            Choice::Random => self.rng.u64(1..=self.all.seats),
            Choice::InOrder => self.user % self.all.seats + 1,
        }
    }
}

impl Script for Buying {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        let asked = match self.step {
            Step::Join => self.join(),
            Step::Hold(guest) => Some(requests::reserve(1, self.seat(), &guest)),
            Step::Charge(guest, _) => Some(requests::charge_points(&guest, sale::PRICE)),
            Step::Pay(guest, reservation) => Some(requests::pay(reservation, &guest)),
        };
        let Some(asked) = asked else { return false };
        request.extend_from_slice(&asked);
        true
    }

    fn hear(&mut self, status: u16, body: &[u8]) {
        // A buyer who gets another answer than the expected one leaves.
        self.step = match self.step {
            Step::Join if status == 200 => joined(sale::user_id(self.user), body).map_or(Step::Join, Step::Hold),
            Step::Hold(guest) if status == 200 => reservation_id(body).map_or(Step::Join, |reservation| {
                self.all.held.fetch_add(1, Ordering::Relaxed);
                Step::Charge(guest, reservation)
            }),
            Step::Charge(guest, reservation) if status == 200 => Step::Pay(guest, reservation),
            Step::Pay(..) if status == 200 => {
                self.all.paid.fetch_add(1, Ordering::Relaxed);
                Step::Join
            }
            Step::Join | Step::Hold(_) | Step::Charge(..) | Step::Pay(..) => Step::Join,
        };
    }
}

/// Who joined, as the answer names the token.
pub fn joined(user: UserId, body: &[u8]) -> Option<Guest> {
    let (_, rest) = str::from_utf8(body).ok()?.split_once(r#""token":""#)?;
    Some(Guest::holding(user, Uuid::parse_str(rest.split('"').next()?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOINED: &[u8] = br#"{"tokenId":4,"token":"00000000-0000-0000-0000-000000000007","status":"ACTIVE"}"#;

    fn asked(buying: &mut Buying) -> String {
        let mut request = Vec::new();
        buying.ask(&mut request);
        String::from_utf8(request).unwrap().lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn who_gets_a_seat_pays_it_and_who_does_not_goes() {
        let buyers = Buyers::of(1..=2, 50, Choice::InOrder);
        let mut buying = Buying::of(&buyers, 0);
        let steps = [
            ("POST /api/tokens HTTP/1.1", JOINED),
            ("POST /api/concerts/reservation HTTP/1.1", br#"{"reservationId":9,"userId":1}"#),
            ("POST /api/users/1/points/charge HTTP/1.1", b"{}"),
            ("POST /api/payments HTTP/1.1", b"{}"),
            ("POST /api/tokens HTTP/1.1", JOINED),
        ];
        for (request, answer) in steps {
            assert_eq!(asked(&mut buying), request);
            buying.hear(200, answer);
        }
        assert_eq!(asked(&mut buying), "POST /api/concerts/reservation HTTP/1.1");
        buying.hear(409, b"{}");
        assert_eq!((asked(&mut buying), buyers.sold()), (String::new(), [1, 1]));
    }
}
