//! Decides, records and folds as the sequencer does it, and holds all of it against the books.

use std::collections::BTreeSet;

use domain::limits::REMEMBERED_SECONDS;
use domain::spec::slow_choice;
use domain::{
    Action, Actor, ActorName, CancelReservation, Command, Credential, Decided, Event, Fingerprint, IdempotencyKey,
    Metadata, NoChoice, PayReservation, Record, Rejection, ReservationId, RoomEvent, SaleEvent, SaleTime, ScheduleId,
    SeatId, SeatsHeld, State, Timestamp, TokenGranted, TokenHash, TokenIssued, UserId,
};
use uuid::Uuid;

use crate::books::Books;
use crate::steps::{seat_ids, users};

/// Decides, records and folds, one command after another.
pub struct Sequencer {
    pub state: State,
    pub now: Timestamp,
    pub log: Vec<Record>,
    books: Books,
    tokens: Vec<(UserId, TokenHash)>,
    pub commands: u64,
    /// What was asked for.
    pub asked: BTreeSet<&'static str>,
}

impl Sequencer {
    /// An empty log at this time, for users who know these credentials.
    pub fn new(now: Timestamp, tokens: Vec<(UserId, TokenHash)>) -> Self {
        Self {
            state: State::default(),
            now,
            log: vec![],
            books: Books::default(),
            tokens,
            commands: 0,
            asked: BTreeSet::new(),
        }
    }

    /// The user's last token but `back`.
    pub fn credential(&self, user_id: UserId, back: usize) -> Credential {
        let mut own = self.tokens.iter().rev().filter(|(owner, _)| *owner == user_id).cycle();
        Credential::Token(own.nth(back).unwrap().1)
    }

    /// The last reservation but `back`, and whose it is.
    pub fn reservation(&self, back: usize, otherwise: UserId) -> (ReservationId, UserId) {
        let owners = self.books.owners();
        owners.iter().rev().nth(back).copied().unwrap_or((ReservationId::FIRST, otherwise))
    }

    /// One command, from its decision to its fold.
    pub fn ask(&mut self, by: Credential, key: Option<u8>, action: Action) {
        self.commands += 1;
        self.asked.insert(action.name());
        // Of a request for a token, only the user is what a client wrote.
        let written = if let Action::IssueToken(issue) = &action {
            format!("issue {:?}", issue.user_id)
        } else {
            format!("{action:?}")
        };
        let idempotency =
            key.map(|key| IdempotencyKey { key: Fingerprint::new([key; 16]), request: request(&written) });
        let command = Command { by, idempotency, action };
        let decided = command.decide(&self.state, self.now);
        self.judge_choice(&command, &decided);
        match decided {
            Ok((actor, Decided::Events(events))) => {
                assert!(!events.is_empty(), "what happens is at least one event");
                let metadata = Metadata {
                    command_id: Uuid::from_u128(u128::from(self.commands)),
                    index: 0,
                    count: events.len() as u32,
                    correlation_id: Uuid::nil(),
                    causation_id: Uuid::nil(),
                    actor: actor.name(),
                    node_id: Uuid::nil(),
                    program: "0.1.0".into(),
                    request_id: None,
                    idempotency,
                };
                for (index, event) in (0..).zip(events) {
                    self.record(&event, &Metadata { index, ..metadata.clone() });
                }
                self.ask_again(&command, actor);
            }
            Ok((_, Decided::Already(_))) => {}
            Ok((actor, Decided::Repeated(position))) => {
                let first = self.log[position.get() as usize - 1].decode().unwrap();
                assert_eq!((&first.metadata.actor, first.metadata.idempotency), (&actor.name(), idempotency));
                assert!(first.metadata.is_last() && self.now < first.recorded_at.plus_seconds(REMEMBERED_SECONDS));
            }
            Err(rejection) => self.judge(&command, &rejection),
        }
        self.books.balance_with(&self.state, &users(), &seat_ids());
    }

    /// What has just happened does not happen again: only points come in once more, and more seats are held, where no key says that it is the same.
    fn ask_again(&self, command: &Command, actor: Actor) {
        let again = command.decide(&self.state, self.now).map(|(_, decided)| decided);
        match (again, command.idempotency, actor.user_id()) {
            (Ok(Decided::Repeated(position)), Some(_), _) => assert_eq!(position, self.state.head.position),
            (Ok(Decided::Events(_)) | Err(Rejection::InsufficientPoints { .. }), None, None)
                if matches!(command.action, Action::AdjustPoints(_)) => {}
            (Ok(Decided::Already(_)), _, None) | (Ok(Decided::Already(_)), None, Some(_)) => {}
            (Ok(Decided::Events(_)), None, Some(_)) if matches!(command.action, Action::ChargePoints(_)) => {}
            // What happens once is refused from then on.
            (Err(Rejection::NotExtendable { .. }), None, Some(_))
                if matches!(command.action, Action::ExtendHold(_)) => {}
            (Err(Rejection::OpeningExists), _, None) | (Err(Rejection::OpeningNotFound), _, None) => {}
            (Ok(Decided::Events(_)) | Err(_), None, Some(_)) if matches!(command.action, Action::HoldByQuantity(_)) => {
            }
            (again, ..) => panic!("{command:?} asked again gives {again:?}"),
        }
    }

    fn record(&mut self, event: &Event, metadata: &Metadata) {
        let record = Record::seal(&self.state.head, self.now, event, metadata);
        let recorded = record.decode().unwrap();
        assert_eq!((&recorded.event, &recorded.metadata), (event, metadata), "an event is not what was stored");
        if let Event::Room(RoomEvent::TokenIssued(TokenIssued { user_id, token_hash, .. }))
        | Event::Room(RoomEvent::TokenGranted(TokenGranted { user_id, token_hash, .. })) = event
        {
            self.tokens.retain(|(_, known)| known != token_hash);
            self.tokens.push((*user_id, *token_hash));
        }
        self.books.write(event, &metadata.actor, self.now, record.hash);
        self.state.apply(&recorded);
        self.log.push(record);
    }

    /// Seats by quantity are those that one would choose who looks at all of them, each time.
    fn judge_choice(&self, command: &Command, decided: &Result<(Actor, Decided), Rejection>) {
        let Action::HoldByQuantity(hold) = &command.action else { return };
        let is_free = |seat_id: SeatId| !self.books.is_taken(seat_id, self.now);
        let slowly = || slow_choice(self.books.seats(), is_free, &hold.wanted);
        match decided {
            Ok((_, Decided::Events(events))) => {
                let Some(Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold }))) = events.last() else {
                    panic!("{events:?}")
                };
                assert_eq!(Ok(hold.seat_ids().collect()), slowly());
            }
            Ok((_, Decided::Already(_) | Decided::Repeated(_))) => {}
            Err(Rejection::NoSeatsLeft) => assert_eq!(slowly(), Err(NoChoice::NoSeatsLeft)),
            Err(Rejection::NotTogether { largest_block }) => {
                assert_eq!(slowly(), Err(NoChoice::NotTogether { largest_block: *largest_block }));
            }
            Err(Rejection::ZoneNotFound { .. }) => assert_eq!(slowly(), Err(NoChoice::ZoneNotFound)),
            Err(Rejection::SeatLimitReached { limit }) => {
                assert!(self.books.live_seats(hold.user_id, self.now) + hold.wanted.quantity > *limit);
            }
            Err(_) => {}
        }
    }

    /// Holds a refusal against the books: it must have its reason.
    fn judge(&self, command: &Command, rejection: &Rejection) {
        if let (Rejection::SeatTaken { seat_ids }, Action::HoldSeats(hold)) = (rejection, &command.action) {
            let is_taken = |seat_id: &&SeatId| self.books.is_taken(**seat_id, self.now);
            assert_eq!(seat_ids, &hold.seat_ids.iter().filter(is_taken).copied().collect::<Vec<_>>());
        }
        if let (Rejection::SeatLimitReached { limit }, Action::HoldSeats(hold)) = (rejection, &command.action) {
            assert!(self.books.live_seats(hold.user_id, self.now) + hold.seat_ids.len() > *limit);
        }
        if let (Rejection::NotAdmitted { .. }, Credential::Token(hash)) = (rejection, &command.by) {
            assert!(!self.books.is_inside(hash, self.now));
        }
        if let (Rejection::InsufficientPoints { balance, required }, Action::PayReservation(pay)) =
            (rejection, &command.action)
        {
            assert_eq!(balance.get(), self.books.balance(pay.user_id));
            assert!(balance < required);
        }
        if let (Rejection::HoldExpired, Action::PayReservation(PayReservation { reservation_id, .. }))
        | (Rejection::HoldExpired, Action::CancelReservation(CancelReservation { reservation_id, .. })) =
            (rejection, &command.action)
        {
            assert!(!self.books.is_held(*reservation_id, self.now));
        }
    }

    /// All that the state's accessors tell, in one text.
    pub fn shown(&self, state: &State) -> String {
        let mut shown = vec![format!("{:?}", (state.head, state.recorded_at, &state.log))];
        let room = &state.room;
        let counts = (room.waiting(), room.active(), room.capacity(), room.admissions_per_second());
        let nexts = (room.serving_number(), room.next_queue_number(), room.next_token_id(), room.open_slots(self.now));
        shown.push(format!("{counts:?} {nexts:?}"));
        shown.extend(room.line().map(|token| format!("{token:?}")));
        shown.push(format!("{:?}", room.openings()));
        shown.extend(self.books.tokens().map(|token_id| format!("{:?}", room.token(token_id))));
        let hashes: BTreeSet<_> = self.tokens.iter().map(|(_, hash)| *hash).collect();
        shown.extend(hashes.iter().map(|hash| format!("{:?}", room.identify(hash, self.now))));
        let never = Timestamp::from_millis(i64::MAX);
        shown.push(format!("{:?}", room.sale_clock()));
        shown.extend(room.overdue(never).map(|token| format!("{token:?}")));
        shown.extend(
            state.reservations.overdue(SaleTime::from_millis(i64::MAX)).map(|reservation| format!("{reservation:?}")),
        );
        for (reservation_id, _) in self.books.owners() {
            let reservation = state.reservation(reservation_id, self.now);
            let payment = state.reservations.payment(reservation_id);
            shown.push(format!("{reservation:?} {payment:?}"));
        }
        for user_id in users() {
            let claims = state.seating.claims(ScheduleId::FIRST, user_id);
            let user = ActorName::User(user_id);
            let keys = (0..3).map(|key| state.idempotency.first_use(&user, Fingerprint::new([key; 16]), self.now));
            let keys: Vec<_> = keys.collect();
            let balance = state.wallets.balance(user_id);
            shown.push(format!("{:?} {balance:?} {claims:?} {keys:?}", room.in_room(user_id)));
        }
        shown.push(serde_json::to_string(&state.seating.house(ScheduleId::FIRST)).unwrap());
        let taken = seat_ids().into_iter().map(|seat_id| state.seating.taken(ScheduleId::FIRST, seat_id));
        shown.extend(taken.map(|taken| format!("{taken:?}")));
        shown.push(format!("{:?}", (state.catalogue.concerts(), state.catalogue.schedules())));
        shown.join("\n")
    }
}

/// A request as its fingerprint.
fn request(written: &str) -> Fingerprint {
    let mut bytes = [0; 16];
    for (index, byte) in written.bytes().enumerate() {
        bytes[index % 16] = u8::wrapping_add(bytes[index % 16], byte).rotate_left(3);
    }
    Fingerprint::new(bytes)
}
