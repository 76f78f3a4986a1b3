//! Rules that no sequence of commands may break: random ones are decided, recorded and folded as the sequencer does it,
//! and every event is held against books that are kept beside the domain.

#![expect(clippy::unwrap_used, reason = "what serves tests only is a test")]

use std::cell::RefCell;
use std::collections::BTreeSet;

mod books;
mod sequencer;
mod steps;

use domain::{
    Action, AddSeats, AdjustPoints, Arrive, Beacon, CancelForBuyer, CancelReservation, CancelSchedule, ChangePrice,
    ChangeSchedule, ChargePoints, ConcertId, ConfigureRoom, CreateLog, Credential, DrawQueue, ExpelUser, ExtendHold,
    GrantToken, Hash, Head, HoldByQuantity, HoldSeats, IssueToken, LeaveRoom, MoveOpening, NewStart, Nonce, PauseSale,
    PayReservation, Points, PublishConcert, PublishSchedule, ReceiveBeacon, Record, ResumeSale, ScheduleId,
    ScheduleOpening, ScheduleTimes, SeatId, Seed, State, Tick, Timestamp, Together, TokenHash, UserId, Wanted,
    WithdrawOpening,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use sequencer::Sequencer;
use steps::{Does, PRICE, Step, seats, step, users};
use uuid::Uuid;

const T0: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const DRAW_SEED: Hash = Hash::new([5; 32]);
const DAY: i64 = 24 * 60 * 60;

fn fixed_hash(user_id: UserId) -> TokenHash {
    TokenHash::new([user_id.get() as u8; 32])
}

impl Sequencer {
    /// A log with a schedule that is sold for two days and starts on the third, and everyone in the room or in line.
    fn opened() -> Self {
        let tokens = users().into_iter().map(|user_id| (user_id, fixed_hash(user_id))).collect();
        let mut sequencer = Self::new(T0, tokens);
        let name = "Concert".to_owned();
        let concert = PublishConcert {
            concert_id: ConcertId::FIRST,
            name: name.clone(),
            artist: name.clone(),
            venue: name.clone(),
        };
        let seats = seats();
        let seats = AddSeats { concert_id: ConcertId::FIRST, schedule_id: ScheduleId::FIRST, seats };
        let times = ScheduleTimes {
            starts_at: T0.plus_seconds(3 * DAY),
            time_zone: "Asia/Seoul".to_owned(),
            sale_opens_at: T0,
            sale_closes_at: T0.plus_seconds(2 * DAY),
        };
        let schedule = PublishSchedule {
            concert_id: ConcertId::FIRST,
            schedule_id: ScheduleId::FIRST,
            times,
            local_date: "2027-01-18".to_owned(),
            local_time: "17:00".to_owned(),
            seats_per_user: 3,
            import_id: None,
        };
        let created = CreateLog { log_id: Uuid::nil(), key_check: Hash::new([1; 32]), capacity: 3 };
        sequencer.ask(Credential::System, None, Action::CreateLog(created));
        sequencer.ask(Credential::OPERATOR, None, Action::PublishConcert(concert));
        sequencer.ask(Credential::OPERATOR, None, Action::AddSeats(seats));
        sequencer.ask(Credential::OPERATOR, None, Action::PublishSchedule(schedule));
        for user_id in users() {
            sequencer.ask(Credential::User(user_id), None, sequencer.issue(user_id));
        }
        assert_eq!(sequencer.log.len(), 5 + users().len());
        sequencer
    }

    fn take(&mut self, step: &Step) {
        self.now = Timestamp::from_millis(self.now.millis() + step.after_millis);
        let user_id = users()[step.user];
        let (by, action) = match &step.does {
            Does::Tick => (Credential::System, Action::Tick(Tick::ALONE)),
            Does::Issue => (Credential::User(user_id), self.issue(user_id)),
            Does::Grant => {
                let token_hash = fixed_hash(user_id);
                (Credential::System, Action::GrantToken(GrantToken { user_id, token_hash }))
            }
            Does::Leave => (self.credential(user_id, step.token), Action::LeaveRoom(LeaveRoom)),
            Does::Configure { capacity, pace, arrival } => {
                let configure = ConfigureRoom {
                    capacity: *capacity,
                    admissions_per_second: *pace,
                    arrival_seconds: *arrival,
                    reason: None,
                };
                (Credential::OPERATOR, Action::ConfigureRoom(configure))
            }
            Does::Pause { seconds } => {
                let resumes_at = seconds.map(|seconds| self.now.plus_seconds(seconds));
                let pause = PauseSale { reason: "rain".to_owned(), resumes_at };
                (Credential::OPERATOR, Action::PauseSale(pause))
            }
            Does::Resume => {
                let resume = ResumeSale { reason: "the sun is out".to_owned() };
                (Credential::OPERATOR, Action::ResumeSale(resume))
            }
            Does::Adjust { amount } => {
                let adjust =
                    AdjustPoints { user_id, amount: *amount, reason: "charged twice".to_owned(), corrects: None };
                (Credential::OPERATOR, Action::AdjustPoints(adjust))
            }
            Does::Expel => {
                let expel = ExpelUser { user_id, reason: "a script".to_owned() };
                (Credential::OPERATOR, Action::ExpelUser(expel))
            }
            Does::CancelForBuyer { pick } => {
                let (reservation_id, _) = self.reservation(*pick, user_id);
                let cancel = CancelForBuyer { reservation_id, reason: "by telephone".to_owned() };
                (Credential::OPERATOR, Action::CancelForBuyer(cancel))
            }
            Does::Charge { amount } => {
                let charge = ChargePoints { user_id, amount: Points::new(*amount) };
                (self.credential(user_id, step.token), Action::ChargePoints(charge))
            }
            Does::Hold { seats } => {
                let hold = HoldSeats {
                    user_id,
                    concert_id: ConcertId::FIRST,
                    schedule_id: ScheduleId::FIRST,
                    seat_ids: seats.iter().map(|number| SeatId::try_from(*number).unwrap()).collect(),
                };
                (self.credential(user_id, step.token), Action::HoldSeats(hold))
            }
            Does::HoldSome { quantity, zone, max_price, is_required } => {
                let together = if *is_required { Together::Required } else { Together::Preferred };
                let (zone, max_price) = (zone.map(str::to_owned), max_price.map(Points::new));
                let wanted = Wanted { quantity: *quantity, zone, max_price, together };
                let (concert_id, schedule_id) = (ConcertId::FIRST, ScheduleId::FIRST);
                let hold = HoldByQuantity { user_id, concert_id, schedule_id, wanted };
                (self.credential(user_id, step.token), Action::HoldByQuantity(hold))
            }
            Does::Pay { pick, by_owner, amount } => {
                let (reservation_id, owner) = self.reservation(*pick, user_id);
                let user_id = if *by_owner { owner } else { user_id };
                let held = self.state.reservation(reservation_id, self.now);
                let price = held.map_or(Points::ZERO, |reservation| reservation.hold.total_price);
                let amount = if *amount == 0 { Points::new(PRICE + 1) } else { price };
                let pay = PayReservation { reservation_id, user_id, amount };
                (self.credential(user_id, step.token), Action::PayReservation(pay))
            }
            Does::Extend { pick } => {
                let (reservation_id, owner) = self.reservation(*pick, user_id);
                (self.credential(owner, step.token), Action::ExtendHold(ExtendHold { reservation_id }))
            }
            Does::Arrive => (self.credential(user_id, step.token), Action::Arrive(Arrive)),
            Does::Announce { prequeue_in, opens_in, beacon_in } => {
                let opens_at = self.now.plus_seconds(*opens_in);
                let announce = ScheduleOpening {
                    prequeue_from: self.now.plus_seconds(*prequeue_in),
                    opens_at,
                    beacon: beacon_in.map(|seconds| self.beacon(opens_at.plus_seconds(seconds))),
                    nonce: Nonce::new([1; 16]),
                    commitment: domain::draw::commitment(&DRAW_SEED),
                    reason: String::new(),
                };
                (Credential::OPERATOR, Action::ScheduleOpening(announce))
            }
            Does::Move { later } => {
                let announced = self.state.room.openings().announced();
                let opens_at = announced.map_or(self.now, |opening| opening.opens_at).plus_seconds(*later);
                let beacon = announced.and_then(|opening| opening.beacon.as_ref());
                let beacon = beacon.map(|_| self.beacon(opens_at.plus_seconds(1)));
                let moved = MoveOpening { opens_at, beacon, reason: String::new() };
                (Credential::OPERATOR, Action::MoveOpening(moved))
            }
            Does::Withdraw => {
                (Credential::OPERATOR, Action::WithdrawOpening(WithdrawOpening { reason: String::new() }))
            }
            Does::Beacon { value } => {
                let receive = ReceiveBeacon { value: Hash::new([*value; 32]), reason: String::new() };
                (Credential::OPERATOR, Action::ReceiveBeacon(receive))
            }
            Does::Reprice { zone, price } => {
                let (schedule_id, zone) = (ScheduleId::FIRST, (*zone).to_owned());
                let change = ChangePrice { schedule_id, zone, price: Points::new(*price), reason: String::new() };
                (Credential::OPERATOR, Action::ChangePrice(change))
            }
            Does::Retime { opens_in, closes_in, starts_in } => {
                let at = |seconds: Option<i64>| seconds.map(|seconds| self.now.plus_seconds(seconds));
                let (local_date, local_time) = ("2027-01-19".to_owned(), "18:00".to_owned());
                let start = at(*starts_in).map(|starts_at| NewStart { starts_at, local_date, local_time });
                let (schedule_id, reason) = (ScheduleId::FIRST, String::new());
                let (sale_opens_at, sale_closes_at) = (at(*opens_in), at(*closes_in));
                let change = ChangeSchedule { schedule_id, sale_opens_at, sale_closes_at, start, reason };
                (Credential::OPERATOR, Action::ChangeSchedule(change))
            }
            Does::CallOff => {
                let cancel = CancelSchedule { schedule_id: ScheduleId::FIRST, reason: String::new() };
                (Credential::OPERATOR, Action::CancelSchedule(cancel))
            }
            Does::Draw => (Credential::System, Action::DrawQueue(DrawQueue { seed: DRAW_SEED })),
            Does::Cancel { pick, by_owner } => {
                let (reservation_id, owner) = self.reservation(*pick, user_id);
                let user_id = if *by_owner { owner } else { user_id };
                let cancel = CancelReservation { reservation_id, only_hold: *by_owner && *pick % 2 == 1 };
                (self.credential(user_id, step.token), Action::CancelReservation(cancel))
            }
        };
        self.ask(by, step.key, action);
    }

    /// A public value of another name each time.
    fn beacon(&self, at: Timestamp) -> Beacon {
        Beacon { source: format!("round {}", self.commands).into(), at }
    }

    fn issue(&self, user_id: UserId) -> Action {
        let mut bytes = [0xff; 32];
        bytes[..8].copy_from_slice(&self.commands.to_be_bytes());
        Action::IssueToken(IssueToken {
            user_id: Some(user_id),
            seed: Seed::new([0; 16]),
            token_hash: TokenHash::new(bytes),
        })
    }
}

/// What no random user or operator does: catalogues have tests of their own, and users are registered by subject.
const NOT_AT_RANDOM: [&str; 2] = ["import-catalogue", "register-user"];

#[test]
fn no_sequence_of_commands_breaks_a_rule_and_its_log_folds_to_the_same_state() {
    let config = ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() };
    let asked = RefCell::new(BTreeSet::from(NOT_AT_RANDOM));
    let tried = TestRunner::new(config).run(&proptest::collection::vec(step(), 1..240), |steps| {
        let mut sequencer = Sequencer::opened();
        for step in &steps {
            sequencer.take(step);
        }
        let mut folded = State::default();
        for record in &sequencer.log {
            prop_assert!(record.verify(&folded.head).is_ok());
            folded.apply(&record.decode().unwrap());
        }
        prop_assert_eq!(folded.head, sequencer.log.last().map_or(Head::EMPTY, Record::head));
        prop_assert_eq!(sequencer.shown(&folded), sequencer.shown(&sequencer.state));
        asked.borrow_mut().extend(&sequencer.asked);
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
    let all = BTreeSet::from_iter(Action::NAMES.iter().copied());
    assert_eq!(asked.into_inner(), all, "an action that no random step asks for: add one to steps.rs");
}
