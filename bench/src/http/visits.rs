//! A visit of 15 requests, as somebody makes them who looks around and then buys.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::UserId;

use super::buyers::joined;
use super::requests::{self, anyone, get};
use super::scripts::{Script, reservation_id};
use crate::sale::{self, Guest};

/// All visits. Each has a user and a seat of its own.
pub struct Visits {
    next: AtomicU64,
    seats: u64,
    most: u64,
    whole: AtomicU64,
}

impl Visits {
    /// As many as there are seats in so many schedules of `seats` seats.
    pub fn of(schedules: u64, seats: u64) -> Arc<Self> {
        Arc::new(Self { next: AtomicU64::new(0), seats, most: schedules * seats, whole: AtomicU64::new(0) })
    }

    /// How many bought.
    pub fn whole(&self) -> u64 {
        self.whole.load(Ordering::Relaxed)
    }
}

/// What is asked, in this order. What stands after the joining has a token.
#[derive(Debug, Clone, Copy)]
enum Step {
    Concerts,
    Dates,
    Queue,
    Join,
    Place,
    Map,
    Seats,
    Hold,
    Reservation,
    SeatsAgain,
    Charge,
    Balance,
    Pay,
    Reservations,
    History,
}

const STEPS: [Step; 15] = [
    Step::Concerts,
    Step::Dates,
    Step::Queue,
    Step::Join,
    Step::Place,
    Step::Map,
    Step::Seats,
    Step::Hold,
    Step::Reservation,
    Step::SeatsAgain,
    Step::Charge,
    Step::Balance,
    Step::Pay,
    Step::Reservations,
    Step::History,
];

/// One client, who makes one visit after another.
pub struct Visiting {
    all: Arc<Visits>,
    step: usize,
    user: UserId,
    schedule: u64,
    seat: u64,
    guest: Option<Guest>,
    reservation: u64,
}

impl Visiting {
    /// A client.
    pub fn of(all: &Arc<Visits>) -> Self {
        let (all, user) = (Arc::clone(all), sale::user_id(1));
        Self { all, step: 0, user, schedule: 1, seat: 1, guest: None, reservation: 0 }
    }

    /// Somebody else comes; `false` where every seat has had its visit.
    fn begin(&mut self) -> bool {
        let visit = self.all.next.fetch_add(1, Ordering::Relaxed);
        (self.schedule, self.seat) = (visit / self.all.seats + 1, visit % self.all.seats + 1);
        (self.user, self.guest) = (sale::user_id(visit + 1), None);
        visit < self.all.most
    }

    fn of_guest(&self, step: Step, guest: &Guest) -> Vec<u8> {
        let (concert, schedule, user) = (sale::concert_of(self.schedule), self.schedule, self.user);
        let read = |path: String| get(&path, &guest.token, None);
        match step {
            Step::Concerts => anyone("/api/concerts"),
            Step::Dates => anyone(&format!("/api/concerts/{concert}/dates")),
            Step::Queue => anyone("/api/queue"),
            Step::Join => requests::join(user),
            Step::Place => requests::me(guest),
            Step::Map => anyone(&format!("/api/concerts/{concert}/schedules/{schedule}/map")),
            Step::Seats | Step::SeatsAgain => requests::seats(schedule, guest, None),
            Step::Hold => requests::reserve(schedule, self.seat, guest),
            Step::Reservation => read(format!("/api/reservations/{}", self.reservation)),
            Step::Charge => requests::charge_points(guest, sale::PRICE),
            Step::Balance => requests::balance(guest),
            Step::Pay => requests::pay(self.reservation, guest),
            Step::Reservations => read(format!("/api/users/{user}/reservations")),
            Step::History => read(format!("/api/users/{user}/points/history")),
        }
    }
}

impl Script for Visiting {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        if self.step == 0 && !self.begin() {
            return false;
        }
        let nobody = Guest::holding(self.user, uuid::Uuid::nil());
        request.extend_from_slice(&self.of_guest(STEPS[self.step], &self.guest.unwrap_or(nobody)));
        true
    }

    fn hear(&mut self, status: u16, body: &[u8]) {
        let step = STEPS[self.step];
        match step {
            Step::Join => self.guest = joined(self.user, body),
            Step::Hold => self.reservation = reservation_id(body).unwrap_or_default(),
            Step::Concerts
            | Step::Dates
            | Step::Queue
            | Step::Place
            | Step::Map
            | Step::Seats
            | Step::Reservation
            | Step::SeatsAgain
            | Step::Charge
            | Step::Balance
            | Step::Pay
            | Step::Reservations
            | Step::History => {}
        }
        // A refused buyer leaves, and the next one comes.
        self.step = if status == 200 { (self.step + 1) % STEPS.len() } else { 0 };
        if status == 200 && self.step == 0 {
            self.all.whole.fetch_add(1, Ordering::Relaxed);
        }
    }
}
