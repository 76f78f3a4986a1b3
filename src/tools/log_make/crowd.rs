//! The people of a made log: they come, charge, hold seats, pay, think better of it, leave, or forget all about it.

use domain::{
    Action, AddSeats, Answer, CancelReservation, ChargePoints, Command, ConcertId, CreateLog, Credential, Fingerprint,
    HoldSeats, IdempotencyKey, IssueToken, LeaveRoom, PayReservation, Points, PublishConcert, PublishSchedule,
    Reservation, ScheduleId, ScheduleTimes, Seat, SeatId, Seed, Tick, Timestamp, TokenHash, UserId,
};
use uuid::Uuid;

use crate::engine::{Batch, Submission};
use crate::key::{ServerKey, token_hash};

/// Slots of the room: about as many as are wanted, so that now and then there is a line.
const CAPACITY: u64 = 8_000;
/// The longest line; while it is longer, nobody joins.
const MAX_LINE: usize = 5_000;
/// How many people there are. Who comes again keeps their wallet.
const PEOPLE: u64 = 200_000;
/// Seats of a schedule, and how many of them are sold before the next one is put on sale.
const SEATS: u64 = 5_000;
const SOLD_OUT: u64 = 4_000;
/// Seats in one event, far below its limit.
const SEATS_PER_EVENT: u64 = 500;
const PRICE: u64 = 1_000;
/// Sales that may still be taken back.
const MAX_SALES: usize = 10_000;
/// The largest tick: with fewer places than these left, no tick is made.
const MAX_TICK: u64 = domain::limits::MAX_TICK_EVENTS as u64;
/// The schedules' start after the log's beginning, in seconds: years, so that they stay on sale.
const STARTS_SECONDS: i64 = 3 * 365 * 24 * 60 * 60;

/// Random bytes.
pub fn bytes<const N: usize>(rng: &mut fastrand::Rng) -> [u8; N] {
    std::array::from_fn(|_| rng.u8(..))
}

/// Someone with a token.
#[derive(Clone, Copy)]
struct Guest {
    user_id: UserId,
    token: TokenHash,
}

/// A reservation, and whose it is.
struct Reserved {
    guest: Guest,
    reservation: Reservation,
}

/// The simulated users, with their tokens and holds.
pub struct Crowd {
    key: ServerKey,
    rng: fastrand::Rng,
    begins_at: Timestamp,
    guests: Vec<Guest>,
    holds: Vec<Reserved>,
    sales: Vec<Reserved>,
    /// The schedule on sale, and its sold seats.
    schedule: Option<ScheduleId>,
    sold: u64,
}

impl Crowd {
    pub fn new(key: ServerKey, rng: fastrand::Rng, begins_at: Timestamp) -> Self {
        let (guests, holds, sales) = (Vec::new(), Vec::new(), Vec::new());
        Self { key, rng, begins_at, guests, holds, sales, schedule: None, sold: 0 }
    }

    /// Asks for things until the batch has `most` records or no room; the log has `left` places left.
    pub fn fill(&mut self, batch: &mut Batch, most: usize, left: u64) {
        if batch.models.state.log.is_none() {
            let create =
                CreateLog { log_id: Uuid::from_bytes(self.bytes()), key_check: self.key.check(), capacity: CAPACITY };
            self.ask(batch, Credential::System, Action::CreateLog(create));
            return;
        }
        // What has several events could pass the end: the last places are filled by charges, of one event each.
        let is_end = left <= 2 * MAX_TICK;
        if !is_end {
            self.ask(batch, Credential::System, Action::Tick(Tick::ALONE));
            if self.schedule.is_none() || self.sold >= SOLD_OUT {
                self.put_on_sale(batch);
            }
        }
        while batch.records.len() < most {
            let went_in = if is_end { self.charge_anyone(batch) } else { self.do_something(batch) };
            if went_in.is_none() {
                return;
            }
        }
    }

    /// One wish of one person. `None`: the batch is full.
    fn do_something(&mut self, batch: &mut Batch) -> Option<()> {
        match self.rng.u32(..100) {
            0..25 => self.join(batch),
            25..55 => self.charge(batch),
            55..75 => self.hold(batch),
            75..86 => self.pay(batch),
            86..91 => self.cancel(batch),
            91..92 => self.refund(batch),
            _ => self.leave(batch),
        }
    }

    fn join(&mut self, batch: &mut Batch) -> Option<()> {
        if batch.models.state.room.waiting() >= MAX_LINE {
            return Some(());
        }
        let user_id = self.anyone();
        let seed = Seed::new(self.bytes());
        let token_hash = token_hash(&self.key.token(&seed));
        let issued = self.ask(
            batch,
            Credential::User(user_id),
            Action::IssueToken(IssueToken { user_id: Some(user_id), seed, token_hash }),
        )?;
        // Who has a token already has another one than this.
        if matches!(issued, Some(Answer::Token(token)) if token.seed == Some(seed)) {
            self.guests.push(Guest { user_id, token: token_hash });
        }
        Some(())
    }

    fn charge(&mut self, batch: &mut Batch) -> Option<()> {
        let Some(index) = self.guest() else { return Some(()) };
        let Guest { user_id, token } = self.guests[index];
        let token = Credential::Token(token);
        let amount = Points::new(PRICE * self.rng.u64(1..=4));
        if self.ask(batch, token, Action::ChargePoints(ChargePoints { user_id, amount }))?.is_none() {
            self.guests.swap_remove(index);
        }
        Some(())
    }

    fn charge_anyone(&mut self, batch: &mut Batch) -> Option<()> {
        let user_id = self.anyone();
        let charge = ChargePoints { user_id, amount: Points::new(PRICE) };
        self.ask(batch, Credential::User(user_id), Action::ChargePoints(charge)).map(drop)
    }

    fn hold(&mut self, batch: &mut Batch) -> Option<()> {
        let (Some(index), Some(schedule_id)) = (self.guest(), self.schedule) else { return Some(()) };
        let guest = self.guests[index];
        let (first, count) = (self.rng.u64(1..SEATS), self.rng.u64(1..=2));
        let seat_ids = (first..first + count).map(seat_id).collect();
        let (user_id, concert_id) = (guest.user_id, ConcertId::FIRST);
        let held = self.ask(
            batch,
            Credential::Token(guest.token),
            Action::HoldSeats(HoldSeats { user_id, concert_id, schedule_id, seat_ids }),
        )?;
        if let Some(Answer::Reservation(reservation)) = held {
            self.holds.push(Reserved { guest, reservation });
        }
        Some(())
    }

    fn pay(&mut self, batch: &mut Batch) -> Option<()> {
        let Some(held) = taken(&mut self.rng, &mut self.holds) else { return Some(()) };
        let hold = &held.reservation.hold;
        let (reservation_id, user_id, amount) = (hold.reservation_id, hold.user_id, hold.total_price);
        let paid = self.ask(
            batch,
            Credential::Token(held.guest.token),
            Action::PayReservation(PayReservation { reservation_id, user_id, amount }),
        )?;
        if paid.is_some() {
            self.sold += held.reservation.hold.seats.len() as u64;
            if self.sales.len() < MAX_SALES {
                self.sales.push(held);
            }
        }
        Some(())
    }

    fn cancel(&mut self, batch: &mut Batch) -> Option<()> {
        let Some(held) = taken(&mut self.rng, &mut self.holds) else { return Some(()) };
        let reservation_id = held.reservation.hold.reservation_id;
        self.ask(
            batch,
            Credential::Token(held.guest.token),
            Action::CancelReservation(CancelReservation { reservation_id, only_hold: false }),
        )
        .map(drop)
    }

    fn refund(&mut self, batch: &mut Batch) -> Option<()> {
        let Some(sale) = taken(&mut self.rng, &mut self.sales) else { return Some(()) };
        let reservation_id = sale.reservation.hold.reservation_id;
        self.ask(
            batch,
            Credential::Token(sale.guest.token),
            Action::CancelReservation(CancelReservation { reservation_id, only_hold: false }),
        )
        .map(drop)
    }

    fn leave(&mut self, batch: &mut Batch) -> Option<()> {
        let Some(guest) = taken(&mut self.rng, &mut self.guests) else { return Some(()) };
        self.ask(batch, Credential::Token(guest.token), Action::LeaveRoom(LeaveRoom)).map(drop)
    }

    fn put_on_sale(&mut self, batch: &mut Batch) {
        let concert_id = ConcertId::FIRST;
        let (name, artist, venue) = ("Made for measuring".to_owned(), "Nobody".to_owned(), "Nowhere".to_owned());
        self.ask(
            batch,
            Credential::OPERATOR,
            Action::PublishConcert(PublishConcert { concert_id, name, artist, venue }),
        );
        let schedule_id = self.schedule.map_or(ScheduleId::FIRST, ScheduleId::successor);
        for first in (1..=SEATS).step_by(SEATS_PER_EVENT as usize) {
            let seats = (first..first + SEATS_PER_EVENT).map(seat).collect();
            self.ask(batch, Credential::OPERATOR, Action::AddSeats(AddSeats { concert_id, schedule_id, seats }));
        }
        let times = ScheduleTimes {
            starts_at: self.begins_at.plus_seconds(STARTS_SECONDS),
            time_zone: "Asia/Seoul".to_owned(),
            sale_opens_at: self.begins_at,
            sale_closes_at: self.begins_at.plus_seconds(STARTS_SECONDS),
        };
        let (local_date, local_time) = ("2028-01-01".to_owned(), "09:00".to_owned());
        let publish = PublishSchedule {
            concert_id,
            schedule_id,
            times,
            local_date,
            local_time,
            seats_per_user: 4,
            import_id: None,
        };
        self.ask(batch, Credential::OPERATOR, Action::PublishSchedule(publish));
        (self.schedule, self.sold) = (Some(schedule_id), 0);
    }

    /// Decides a command. `Some(None)` if a rule refuses it, `None` if the batch has no room for its events.
    fn ask(&mut self, batch: &mut Batch, by: Credential, action: Action) -> Option<Option<Answer>> {
        let [key, request] = [self.bytes(), self.bytes()].map(Fingerprint::new);
        // One in four sends a key.
        let idempotency = (self.rng.u32(..4) == 0).then_some(IdempotencyKey { key, request });
        let id = Uuid::from_bytes(self.bytes());
        let request_id = Some(id.to_string());
        let command = Command { by, idempotency, action };
        let submission = Submission { command, command_id: id, correlation_id: id, request_id };
        Some(batch.make(&submission)?.ok())
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        bytes(&mut self.rng)
    }

    fn anyone(&mut self) -> UserId {
        UserId::try_from(self.rng.u64(1..=PEOPLE)).expect("it is from 1 to a small number")
    }

    /// Any guest's place in the list.
    fn guest(&mut self) -> Option<usize> {
        (!self.guests.is_empty()).then(|| self.rng.usize(..self.guests.len()))
    }
}

/// Takes any one out of a list.
fn taken<T>(rng: &mut fastrand::Rng, list: &mut Vec<T>) -> Option<T> {
    (!list.is_empty()).then(|| list.swap_remove(rng.usize(..list.len())))
}

fn seat_id(number: u64) -> SeatId {
    SeatId::try_from(number).expect("it is from 1 to a small number")
}

fn seat(number: u64) -> Seat {
    let (name, zone) = (format!("A-{number}").into(), "A".into());
    Seat { seat_id: seat_id(number), name, zone, price: Points::new(PRICE), row: None, number: None, x: None, y: None }
}
