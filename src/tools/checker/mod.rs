//! Checks a log against the rules of the business, independently of the code that decided it.
//!
//! Each event is compared with books that are kept here from events alone. The domain's state is not used, since a
//! fault there would not be found. After a violation the books follow the event, so that one wrong event is reported
//! once. The chain of hashes is not checked here: [`walk`](crate::past::walk) has proved it.

mod catalogue;
pub(super) mod openings;
mod pauses;
mod points;
mod room;
mod seats;
#[cfg(test)]
mod tests;

use std::fmt;

use domain::{Event, Metadata, Position, RecordedEvent, SaleTime, ScheduleId, Timestamp, UserId};
use serde::Serialize;
use uuid::Uuid;

use pauses::PausesCheck;
use points::PointsCheck;
pub use points::Totals;
use room::RoomCheck;
use seats::SeatsCheck;

/// How many violations are kept for each proof. Further ones are only counted.
const VIOLATIONS_KEPT: usize = 20;

/// The proofs of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Proof {
    /// The log begins with its id; commands are whole; every event has its record's time.
    CommandsAreWhole,
    /// Sold seats are in the catalogue; a price, a time or a seat changes only by an event for it.
    CatalogueChangesAreSaid,
    /// A seat is held or sold only while nobody has it.
    NoSeatSoldTwice,
    /// Every payment, expiry and cancellation has its hold, in time; every refund its payment.
    PaymentsHaveHolds,
    /// No limit is exceeded: seats of one user and of one hold, charges, balances, and lengths of holds and tokens.
    NoCapPassed,
    /// Every balance is the sum of its movements, and none is below zero.
    NoWalletBelowZero,
    /// Tokens, places, reservations and payments are numbered one by one.
    NumbersAreConsecutive,
    /// Openings: the commitment was in time, the list was whole and closed, and the draw follows from both.
    DrawsAreFair,
    /// The order of the line, the room's capacity and its pace were kept; only users inside have held seats.
    PlacesWereKept,
    /// Charged + adjusted = balances + takings, net of refunds.
    PointsAreConserved,
}

impl Proof {
    /// All proofs, in the order in which they are printed.
    pub const ALL: [Self; 10] = [
        Self::CommandsAreWhole,
        Self::CatalogueChangesAreSaid,
        Self::NoSeatSoldTwice,
        Self::PaymentsHaveHolds,
        Self::NoCapPassed,
        Self::NoWalletBelowZero,
        Self::NumbersAreConsecutive,
        Self::DrawsAreFair,
        Self::PlacesWereKept,
        Self::PointsAreConserved,
    ];
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::CommandsAreWhole => "commands are complete and in order of time",
            Self::CatalogueChangesAreSaid => "the catalogue changes only by events",
            Self::NoSeatSoldTwice => "no seat was held or sold twice",
            Self::PaymentsHaveHolds => "every payment has its hold",
            Self::NoCapPassed => "no limit was exceeded",
            Self::NoWalletBelowZero => "no wallet was below zero",
            Self::NumbersAreConsecutive => "numbers are consecutive",
            Self::DrawsAreFair => "draws follow from their commitments",
            Self::PlacesWereKept => "places in the room were kept",
            Self::PointsAreConserved => "charged + adjusted = balances + takings",
        })
    }
}

/// An event that must not have happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The position of the event.
    pub position: Position,
    /// The proof that it breaks.
    pub proof: Proof,
    /// The reason.
    pub reason: String,
}

/// The counts of one proof.
#[derive(Debug, Clone, Default)]
struct ProofCount {
    checked: u64,
    violated: u64,
}

/// The collector of an event's checks.
#[derive(Debug, Default)]
struct Findings {
    position: Position,
    outcomes: [ProofCount; Proof::ALL.len()],
    violations: Vec<Violation>,
}

impl Findings {
    /// Counts a check of `proof`. If it fails, the violation is stored with its reason.
    fn holds(&mut self, proof: Proof, is_so: bool, reason: impl FnOnce() -> String) {
        let outcome = &mut self.outcomes[proof as usize];
        outcome.checked += 1;
        if !is_so {
            outcome.violated += 1;
            if outcome.violated <= VIOLATIONS_KEPT as u64 {
                self.violations.push(Violation { position: self.position, proof, reason: reason() });
            }
        }
    }
}

/// The time of an event, by the clock and in sale time, and whether the sale was paused then.
#[derive(Debug, Clone, Copy)]
struct Now {
    clock: Timestamp,
    sale: SaleTime,
    is_paused: bool,
}

impl Now {
    fn of(clock: Timestamp, pauses: &PausesCheck) -> Self {
        Self { clock, sale: pauses.sale_time(clock), is_paused: pauses.is_paused(clock) }
    }
}

/// Books of a log, kept from its first event on.
#[derive(Debug, Default)]
pub struct Checker {
    findings: Findings,
    pauses: PausesCheck,
    room: RoomCheck,
    seats: SeatsCheck,
    points: PointsCheck,
    recorded_at: Timestamp,
    /// The command whose events have not all come yet.
    unfinished: Option<(Uuid, u32)>,
}

impl Checker {
    /// Checks the next event against all events before it.
    pub fn check(&mut self, recorded: &RecordedEvent) {
        self.findings.position = recorded.head.position;
        self.recorded_at = recorded.recorded_at;
        self.check_command(&recorded.metadata);
        self.check_time(&recorded.event);
        let is_first = recorded.head.position.get() == 1;
        let is_name = recorded.event.log_created().is_some();
        self.findings.holds(Proof::CommandsAreWhole, is_first == is_name, || {
            "a log must begin with LogCreated, and have it only once".to_owned()
        });
        let (event, findings) = (&recorded.event, &mut self.findings);
        let now = Now::of(recorded.recorded_at, &self.pauses);
        self.room.check(event, now, findings);
        self.seats.check(event, now, findings);
        self.points.check(event, findings);
        let opened_at = self.room.opens_at().map(|opens_at| self.pauses.sale_time(opens_at));
        self.room.fold(event, recorded.head, now, opened_at);
        self.room.hear(&recorded.metadata.actor, now);
        match event {
            Event::Room(event) => self.pauses.check(event, now.clock, findings),
            Event::Log(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Catalogue(_)
            | Event::Sale(_) => {}
        }
    }

    /// Checks the rules that need the whole log.
    pub fn finish(&mut self) {
        let unfinished = self.unfinished.take();
        let reason = || "the log ends in the middle of a command".to_owned();
        self.findings.holds(Proof::CommandsAreWhole, unfinished.is_none(), reason);
        self.points.finish(&mut self.findings);
    }

    /// Checks that a command's events are complete, consecutive and in order.
    fn check_command(&mut self, metadata: &Metadata) {
        let (expected_id, expected_index) = self.unfinished.unwrap_or((metadata.command_id, 0));
        let is_next = metadata.command_id == expected_id && metadata.index == expected_index;
        self.findings.holds(Proof::CommandsAreWhole, is_next && metadata.index < metadata.count, || {
            format!("event {} of {} of a command; event {expected_index} was expected", metadata.index, metadata.count)
        });
        let next = metadata.index.saturating_add(1);
        self.unfinished = (next < metadata.count).then_some((metadata.command_id, next));
    }

    /// Checks that an event has the time of its record.
    fn check_time(&mut self, event: &Event) {
        let Some(at) = event.decided_at() else { return };
        let recorded_at = self.recorded_at;
        self.findings.holds(Proof::CommandsAreWhole, at == recorded_at, || {
            format!("the event has the time {} ms, and was recorded at {} ms", at.millis(), recorded_at.millis())
        });
    }

    /// The events that must not have happened, at most 20 of each kind, in the log's order.
    pub fn violations(&self) -> &[Violation] {
        &self.findings.violations
    }

    /// How often `proof` was checked, and how often it failed.
    pub fn outcome(&self, proof: Proof) -> (u64, u64) {
        let ProofCount { checked, violated } = &self.findings.outcomes[proof as usize];
        (*checked, *violated)
    }

    /// The balances of all users by these books.
    pub fn balances(&self) -> impl Iterator<Item = (UserId, u64)> {
        self.points.balances()
    }

    /// The sums of points: charged, adjusted, in wallets, and taken in, net of refunds.
    pub fn totals(&self) -> Totals {
        self.points.totals()
    }

    /// The number of free seats of each published schedule.
    pub fn seats_available(&self) -> impl Iterator<Item = (ScheduleId, u64)> {
        self.seats.available()
    }
}
