//! Makers of events about the cast, each as it is at [`T0`](super::T0).

use uuid::Uuid;

use super::{CONCERT, PRICE, SALE_CLOSES, SCHEDULE, SEATS, STARTS, T0};
use crate::command::{Action, Credential};
use crate::decisions::*;
use crate::event::{
    CatalogImported, CatalogueEvent, Cause, ConcertPublished, Event, ExpiryCause, Hold, HoldCancelled, HoldExpired,
    HoldExtended, OpeningEvent, PointsAdjusted, PointsCharged, PointsEvent, PriceChanged, PricedSeat, ReservationPaid,
    ReservationRefunded, RoomConfigured, RoomEvent, RoomLeft, SaleEvent, SalePaused, SaleResumed, SaleWindowChanged,
    ScheduleCancelled, ScheduleMoved, SchedulePublished, Seat, SeatsAdded, SeatsHeld, TokenAdmitted, TokenArrived,
    TokenExpired, TokenGranted, TokenIssued, UserRegistered, UsersEvent,
};
use crate::limits::{
    ACTIVE_SECONDS, EXTENSION_SECONDS, GRANTED_SECONDS, HOLD_SECONDS, MAX_SEATS_PER_USER_IN_SCHEDULE, WAITING_SECONDS,
};
use crate::state::catalogue::ScheduleTimes;
use crate::values::{
    Hash, PaymentId, Points, ReservationId, RoomId, SaleTime, SeatId, Seed, Timestamp, TokenHash, TokenId, UserId,
};

const ROOM: RoomId = RoomId::FIRST;

/// [`T0`] as sale time: nothing was paused before.
pub const SALE_T0: SaleTime = SaleTime::from_millis(T0.millis());

/// Whoever runs the server.
pub const OPERATOR: Credential = Credential::OPERATOR;

fn token_id(number: u64) -> TokenId {
    TokenId::try_from(number).expect("a test's number is an id")
}

/// A user's id.
pub fn user_id(number: u64) -> UserId {
    UserId::try_from(number).expect("a test's number is an id")
}

/// A seat's id.
pub fn seat_id(number: u64) -> SeatId {
    SeatId::try_from(number).expect("a test's number is an id")
}

/// A reservation's id.
pub fn reservation_id(number: u64) -> ReservationId {
    ReservationId::try_from(number).expect("a test's number is an id")
}

fn payment_id(number: u64) -> PaymentId {
    PaymentId::try_from(number).expect("a test's number is an id")
}

fn bytes(user_id: UserId) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&user_id.get().to_be_bytes());
    bytes
}

/// The hash of the user's token. In this cast, each user has one token at a time.
pub fn token_hash(user_id: UserId) -> TokenHash {
    TokenHash::new(bytes(user_id))
}

/// The hash of the user's fixed token.
pub fn fixed_hash(user_id: UserId) -> TokenHash {
    let mut bytes = bytes(user_id);
    bytes[15] = 1;
    TokenHash::new(bytes)
}

/// The seed of the user's token.
pub fn seed(user_id: UserId) -> Seed {
    Seed::new(*bytes(user_id).first_chunk().expect("32 bytes have 16"))
}

/// The user shows their token.
pub fn token(user_id: UserId) -> Credential {
    Credential::Token(token_hash(user_id))
}

/// The user shows their fixed token.
pub fn fixed_token(user_id: UserId) -> Credential {
    Credential::Token(fixed_hash(user_id))
}

/// The edge knows the user.
pub fn user(user_id: UserId) -> Credential {
    Credential::User(user_id)
}

fn configured(capacity: u64, admissions_per_second: Option<u32>) -> RoomConfigured {
    RoomConfigured {
        room_id: ROOM,
        capacity,
        admissions_per_second,
        configured_at: T0,
        arrival_seconds: None,
        reason: None,
    }
}

/// The room has `capacity` slots and no pace.
pub fn room(capacity: u64) -> Event {
    configured(capacity, None).into()
}

/// The room admits `pace` in a second.
pub fn paced_room(capacity: u64, pace: u32) -> Event {
    configured(capacity, Some(pace)).into()
}

/// Whoever is admitted has so many seconds to arrive.
pub fn room_with_arrival(capacity: u64, seconds: u32) -> Event {
    RoomConfigured { arrival_seconds: Some(seconds), ..configured(capacity, None) }.into()
}

fn issued(user_id: UserId, number: u64, admitted: bool) -> Event {
    Event::from(TokenIssued {
        token_id: token_id(number),
        user_id,
        room_id: ROOM,
        token_hash: token_hash(user_id),
        seed: seed(user_id),
        queue_number: number,
        admitted,
        issued_at: T0,
        expires_at: SALE_T0.plus_seconds(if admitted { ACTIVE_SECONDS } else { WAITING_SECONDS }),
    })
}

/// Token `number` with that place in line is active at once.
pub fn admitted(user_id: UserId, number: u64) -> Event {
    issued(user_id, number, true)
}

/// Token `number` waits at that place in line.
pub fn waiting(user_id: UserId, number: u64) -> Event {
    issued(user_id, number, false)
}

/// Token `number` comes in from its place in line.
pub fn let_in(user_id: UserId, number: u64) -> Event {
    let expires_at = SALE_T0.plus_seconds(ACTIVE_SECONDS);
    let token_id = token_id(number);
    Event::from(TokenAdmitted { token_id, user_id, room_id: ROOM, queue_number: number, admitted_at: T0, expires_at })
}

/// Token `number`, let in at [`T0`], has its user there.
pub fn arrived(user_id: UserId, number: u64) -> Event {
    Event::from(TokenArrived {
        token_id: token_id(number),
        user_id,
        room_id: ROOM,
        seed: seed(user_id),
        queue_number: number,
        issued_at: T0,
        arrived_at: T0,
        expires_at: SALE_T0.plus_seconds(ACTIVE_SECONDS),
    })
}

/// Token `number` is over.
pub fn expired(user_id: UserId, number: u64) -> Event {
    Event::from(TokenExpired {
        token_id: token_id(number),
        user_id,
        room_id: ROOM,
        expired_at: T0,
        cause: ExpiryCause::Deadline,
        reason: None,
    })
}

/// The token with that place in line is given up; 0 is the fixed token, which is the cast's first or that user's.
pub fn left(user_id: UserId, queue_number: u64) -> Event {
    let fixed = queue_number == 0;
    let number = if fixed { user_id.get() } else { queue_number };
    Event::from(RoomLeft {
        token_id: token_id(number),
        user_id,
        room_id: ROOM,
        seed: (!fixed).then(|| seed(user_id)),
        queue_number,
        issued_at: T0,
        left_at: T0,
    })
}

/// The fixed token is active, as token `number`, in place of another.
pub fn granted(user_id: UserId, number: u64, replaced: Option<u64>) -> Event {
    Event::from(TokenGranted {
        token_id: token_id(number),
        user_id,
        room_id: ROOM,
        token_hash: fixed_hash(user_id),
        replaced_token_id: replaced.map(token_id),
        granted_at: T0,
        expires_at: SALE_T0.plus_seconds(GRANTED_SECONDS),
    })
}

/// Points came in.
pub fn charged(user_id: UserId, amount: u64, balance_after: u64) -> Event {
    Event::from(PointsCharged {
        user_id,
        amount: Points::new(amount),
        balance_after: Points::new(balance_after),
        charged_at: T0,
    })
}

/// The concert is there.
pub fn concert() -> Event {
    let (name, artist, venue) = ("Concert".to_owned(), "Artist".to_owned(), "Venue".to_owned());
    Event::from(ConcertPublished { concert_id: CONCERT, name, artist, venue })
}

/// A seat of the schedule.
pub fn seat(number: u64) -> Seat {
    let name = format!("A-{number}").into();
    let (zone, price) = ("A".into(), Points::new(PRICE));
    Seat { seat_id: seat_id(number), name, zone, price, row: None, number: None, x: None, y: None }
}

/// The same seat in a row.
pub fn seat_in_row(seat_number: u64, row: &str, number: u32) -> Seat {
    Seat { row: Some(row.into()), number: Some(number), ..seat(seat_number) }
}

/// Seats are in the schedule.
pub fn seats_added(seats: Vec<Seat>) -> Event {
    Event::from(SeatsAdded { concert_id: CONCERT, schedule_id: SCHEDULE, seats })
}

/// The schedule's times.
pub fn times() -> ScheduleTimes {
    ScheduleTimes {
        starts_at: T0.plus_seconds(STARTS),
        time_zone: "Asia/Seoul".to_owned(),
        sale_opens_at: T0,
        sale_closes_at: T0.plus_seconds(SALE_CLOSES),
    }
}

/// The concert is to be there.
pub fn publish_concert() -> PublishConcert {
    let (name, artist, venue) = ("Concert".to_owned(), "Artist".to_owned(), "Venue".to_owned());
    PublishConcert { concert_id: CONCERT, name, artist, venue }
}

/// The schedule is to be visible.
pub fn publish_schedule() -> PublishSchedule {
    PublishSchedule {
        concert_id: CONCERT,
        schedule_id: SCHEDULE,
        times: times(),
        local_date: "2026-12-24".to_owned(),
        local_time: "19:30".to_owned(),
        seats_per_user: MAX_SEATS_PER_USER_IN_SCHEDULE as u8,
        import_id: None,
    }
}

/// The schedule is visible.
pub fn schedule_published() -> Event {
    Event::from(published())
}

/// The schedule is visible; one user has so many seats of it at most.
pub fn schedule_limited(seats_per_user: u8) -> Event {
    Event::from(SchedulePublished { seats_per_user, ..published() })
}

/// The schedule will be visible with the end of this import.
pub fn schedule_imported(import_id: Uuid) -> Event {
    Event::from(SchedulePublished { import_id: Some(import_id), ..published() })
}

/// An import is complete.
pub fn catalog_imported(import_id: Uuid) -> Event {
    let import_id = Some(import_id);
    Event::from(CatalogImported { import_id, reason: None, schedules: 1, seats: SEATS, imported_at: T0 })
}

fn published() -> SchedulePublished {
    let PublishSchedule { times, local_date, local_time, seats_per_user, import_id, .. } = publish_schedule();
    SchedulePublished {
        concert_id: CONCERT,
        schedule_id: SCHEDULE,
        starts_at: times.starts_at,
        time_zone: times.time_zone,
        local_date,
        local_time,
        sale_opens_at: times.sale_opens_at,
        sale_closes_at: times.sale_closes_at,
        seats_total: SEATS,
        import_id,
        seats_per_user,
    }
}

fn hold<const N: usize>(number: u64, user_id: UserId, seats: [u64; N]) -> Hold {
    let price = Points::new(PRICE);
    Hold {
        reservation_id: reservation_id(number),
        user_id,
        concert_id: CONCERT,
        schedule_id: SCHEDULE,
        seats: seats.map(|seat| PricedSeat { seat_id: seat_id(seat), price }).to_vec(),
        total_price: Points::new(PRICE * N as u64),
        held_at: T0,
        expires_at: SALE_T0.plus_seconds(HOLD_SECONDS),
    }
}

/// Reservation `number` holds seats.
pub fn held<const N: usize>(number: u64, user_id: UserId, seats: [u64; N]) -> Event {
    Event::from(SeatsHeld { hold: hold(number, user_id, seats) })
}

/// Reservation `number` lasts longer.
pub fn extended<const N: usize>(number: u64, user_id: UserId, seats: [u64; N]) -> Event {
    let begun = hold(number, user_id, seats);
    let expires_at = begun.expires_at.plus_seconds(EXTENSION_SECONDS);
    Event::from(HoldExtended { hold: Hold { expires_at, ..begun }, extended_at: T0 })
}

/// Reservation `number` is over.
pub fn hold_expired<const N: usize>(number: u64, user_id: UserId, seats: [u64; N]) -> Event {
    Event::from(HoldExpired { hold: hold(number, user_id, seats), expired_at: T0 })
}

/// Reservation `number` is given up.
pub fn cancelled<const N: usize>(number: u64, user_id: UserId, seats: [u64; N]) -> Event {
    Event::from(HoldCancelled {
        hold: hold(number, user_id, seats),
        cancelled_at: T0,
        cause: Cause::Buyer,
        reason: None,
    })
}

/// Payment `payment` pays reservation `number`; no token is finished by it.
pub fn paid<const N: usize>(payment: u64, number: u64, user_id: UserId, seats: [u64; N], balance_after: u64) -> Event {
    Event::from(ReservationPaid {
        payment_id: payment_id(payment),
        hold: hold(number, user_id, seats),
        balance_after: Points::new(balance_after),
        room_id: ROOM,
        finished_token_id: None,
        paid_at: T0,
    })
}

/// Payment `payment` of reservation `number` is taken back.
pub fn refunded<const N: usize>(
    payment: u64,
    number: u64,
    user_id: UserId,
    seats: [u64; N],
    balance_after: u64,
) -> Event {
    Event::from(ReservationRefunded {
        payment_id: payment_id(payment),
        hold: hold(number, user_id, seats),
        balance_after: Points::new(balance_after),
        refunded_at: T0,
        cause: Cause::Buyer,
        reason: None,
    })
}

impl Event {
    /// The same event `seconds` later: what it begins moves along, what it ends keeps the time of its beginning.
    pub fn at_seconds(self, seconds: i64) -> Self {
        self.at(seconds, seconds)
    }

    /// The same event `clock` seconds later, and its deadlines `sale` seconds: the sale was paused meanwhile.
    pub fn at(mut self, clock: i64, sale: i64) -> Self {
        let (moved, deadline) = times_of(&mut self);
        if let Some(moved) = moved {
            *moved = moved.plus_seconds(clock);
        }
        if let Some(deadline) = deadline {
            *deadline = deadline.plus_seconds(sale);
        }
        self
    }

    /// This payment, finishing token `number`.
    pub fn finishing(mut self, number: u64) -> Self {
        if let Self::Sale(SaleEvent::ReservationPaid(ReservationPaid { finished_token_id, .. })) = &mut self {
            *finished_token_id = Some(token_id(number));
        }
        self
    }

    /// This end of a reservation, since its show is off.
    pub fn because(self, reason: &str) -> Self {
        self.caused(Cause::ScheduleCancelled, reason)
    }

    /// This end of a reservation, by an operator for its buyer.
    pub fn by_operator(self, reason: &str) -> Self {
        self.caused(Cause::Operator, reason)
    }

    fn caused(mut self, by: Cause, why: &str) -> Self {
        if let Self::Sale(
            SaleEvent::HoldCancelled(HoldCancelled { cause, reason, .. })
            | SaleEvent::ReservationRefunded(ReservationRefunded { cause, reason, .. }),
        ) = &mut self
        {
            (*cause, *reason) = (by, Some(why.to_owned()));
        }
        self
    }

    /// This end of a token, by this cause.
    pub fn ended_by(mut self, by: ExpiryCause) -> Self {
        if let Self::Room(RoomEvent::TokenExpired(TokenExpired { cause, .. })) = &mut self {
            *cause = by;
        }
        self
    }

    /// This end of a hold, of the one that `held` began.
    pub fn of(mut self, held: &Self) -> Self {
        if let (
            Self::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. }))
            | Self::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, .. }))
            | Self::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, .. }))
            | Self::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, .. })),
            Self::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold: begun })),
        ) = (&mut self, held)
        {
            *hold = begun.clone();
        }
        self
    }
}

/// When it was, and the deadline that it begins.
fn times_of(event: &mut Event) -> (Option<&mut Timestamp>, Option<&mut SaleTime>) {
    match event {
        Event::Log(_) => (None, None),
        Event::Room(event) => room_times(event),
        Event::Opening(event) => (Some(opening_time(event)), None),
        Event::Users(UsersEvent::UserRegistered(registered)) => (Some(&mut registered.registered_at), None),
        Event::Points(PointsEvent::PointsCharged(charged)) => (Some(&mut charged.charged_at), None),
        Event::Points(PointsEvent::PointsAdjusted(adjusted)) => (Some(&mut adjusted.adjusted_at), None),
        Event::Catalogue(event) => (catalogue_time(event), None),
        Event::Sale(event) => sale_times(event),
    }
}

fn room_times(event: &mut RoomEvent) -> (Option<&mut Timestamp>, Option<&mut SaleTime>) {
    match event {
        RoomEvent::RoomConfigured(configured) => (Some(&mut configured.configured_at), None),
        RoomEvent::TokenIssued(issued) => (Some(&mut issued.issued_at), Some(&mut issued.expires_at)),
        RoomEvent::TokenAdmitted(admitted) => (Some(&mut admitted.admitted_at), Some(&mut admitted.expires_at)),
        RoomEvent::TokenArrived(arrived) => (Some(&mut arrived.arrived_at), None),
        RoomEvent::TokenExpired(expired) => (Some(&mut expired.expired_at), None),
        RoomEvent::RoomLeft(left) => (Some(&mut left.left_at), None),
        RoomEvent::TokenGranted(granted) => (Some(&mut granted.granted_at), Some(&mut granted.expires_at)),
        RoomEvent::SalePaused(paused) => (Some(&mut paused.paused_at), None),
        RoomEvent::SaleResumed(resumed) => (Some(&mut resumed.resumed_at), None),
    }
}

fn opening_time(event: &mut OpeningEvent) -> &mut Timestamp {
    match event {
        OpeningEvent::OpeningScheduled(scheduled) => &mut scheduled.scheduled_at,
        OpeningEvent::OpeningMoved(moved) => &mut moved.moved_at,
        OpeningEvent::OpeningWithdrawn(withdrawn) => &mut withdrawn.withdrawn_at,
        OpeningEvent::EntryClosed(closed) => &mut closed.closed_at,
        OpeningEvent::BeaconReceived(received) => &mut received.received_at,
        OpeningEvent::QueueDrawn(drawn) => &mut drawn.drawn_at,
    }
}

fn catalogue_time(event: &mut CatalogueEvent) -> Option<&mut Timestamp> {
    match event {
        CatalogueEvent::ConcertPublished(_) | CatalogueEvent::SeatsAdded(_) | CatalogueEvent::SchedulePublished(_) => {
            None
        }
        CatalogueEvent::CatalogImported(imported) => Some(&mut imported.imported_at),
        CatalogueEvent::SaleWindowChanged(changed) => Some(&mut changed.changed_at),
        CatalogueEvent::ScheduleMoved(moved) => Some(&mut moved.moved_at),
        CatalogueEvent::PriceChanged(changed) => Some(&mut changed.changed_at),
        CatalogueEvent::ScheduleCancelled(cancelled) => Some(&mut cancelled.cancelled_at),
    }
}

fn sale_times(event: &mut SaleEvent) -> (Option<&mut Timestamp>, Option<&mut SaleTime>) {
    match event {
        SaleEvent::SeatsHeld(SeatsHeld { hold }) => (Some(&mut hold.held_at), Some(&mut hold.expires_at)),
        SaleEvent::HoldExtended(extended) => (Some(&mut extended.extended_at), None),
        SaleEvent::HoldExpired(expired) => (Some(&mut expired.expired_at), None),
        SaleEvent::HoldCancelled(cancelled) => (Some(&mut cancelled.cancelled_at), None),
        SaleEvent::ReservationPaid(paid) => (Some(&mut paid.paid_at), None),
        SaleEvent::ReservationRefunded(refunded) => (Some(&mut refunded.refunded_at), None),
    }
}

/// Token `number` is ended by an operator.
pub fn expelled(user_id: UserId, number: u64) -> Event {
    let (cause, reason) = (ExpiryCause::Expulsion, Some("a script".to_owned()));
    TokenExpired { token_id: token_id(number), user_id, room_id: ROOM, expired_at: T0, cause, reason }.into()
}

/// A subject of an identity provider, as the log knows it.
pub fn subject(number: u8) -> Hash {
    Hash::new([number; 32])
}

/// The subject with this number is that user.
pub fn registered(user_id: UserId, number: u8) -> Event {
    UserRegistered { user_id, subject: subject(number), registered_at: T0 }.into()
}

/// An operator puts a wallet right.
pub fn adjusted(user_id: UserId, amount: i64, balance_after: u64) -> Event {
    let (balance_after, reason) = (Points::new(balance_after), "charged twice".to_owned());
    PointsAdjusted { user_id, amount, balance_after, reason, corrects: None, adjusted_at: T0 }.into()
}

/// The schedule's sale opens and closes so many seconds after [`T0`].
pub fn window_changed(opens: i64, closes: i64) -> Event {
    SaleWindowChanged {
        concert_id: CONCERT,
        schedule_id: SCHEDULE,
        sale_opens_at: T0.plus_seconds(opens),
        sale_closes_at: T0.plus_seconds(closes),
        reason: "the singer is ill".to_owned(),
        changed_at: T0,
    }
    .into()
}

/// The schedule starts so many seconds after [`T0`].
pub fn moved(starts: i64) -> Event {
    ScheduleMoved {
        concert_id: CONCERT,
        schedule_id: SCHEDULE,
        starts_at: T0.plus_seconds(starts),
        local_date: "2026-12-25".to_owned(),
        local_time: "20:00".to_owned(),
        reason: "the singer is ill".to_owned(),
        moved_at: T0,
    }
    .into()
}

/// Every seat costs this much.
pub fn price_changed(price: u64) -> Event {
    let (zone, price, reason) = ("A".to_owned(), Points::new(price), "a zero too many".to_owned());
    PriceChanged { concert_id: CONCERT, schedule_id: SCHEDULE, zone, price, reason, changed_at: T0 }.into()
}

/// The show is off.
pub fn called_off() -> Event {
    let reason = "the singer is ill".to_owned();
    ScheduleCancelled { concert_id: CONCERT, schedule_id: SCHEDULE, reason, cancelled_at: T0 }.into()
}

/// The sale is paused, until so many seconds after [`T0`] where it ends by itself.
pub fn paused(resumes: Option<i64>) -> Event {
    let (reason, resumes_at) = ("rain".to_owned(), resumes.map(|seconds| T0.plus_seconds(seconds)));
    SalePaused { room_id: ROOM, reason, resumes_at, paused_at: T0 }.into()
}

/// An operator lets the sale go on, so many seconds after [`T0`].
pub fn resumed(seconds: i64) -> Event {
    let reason = Some("the sun is out".to_owned());
    SaleResumed { room_id: ROOM, reason, resumed_at: T0.plus_seconds(seconds) }.into()
}

/// The pause ended by itself, so many seconds after [`T0`].
pub fn resumed_by_itself(seconds: i64) -> Event {
    SaleResumed { room_id: ROOM, reason: None, resumed_at: T0.plus_seconds(seconds) }.into()
}

macro_rules! actions {
    ($($command:ident)*) => {$(
        impl From<$command> for Action {
            fn from(command: $command) -> Self {
                Self::$command(command)
            }
        }
    )*};
}

actions! {
    CreateLog ConfigureRoom IssueToken Arrive LeaveRoom GrantToken ChargePoints HoldSeats HoldByQuantity ExtendHold
    CancelReservation PayReservation PublishConcert AddSeats PublishSchedule ImportCatalogue PauseSale ResumeSale
    ScheduleOpening MoveOpening WithdrawOpening ReceiveBeacon DrawQueue AdjustPoints RegisterUser ExpelUser ChangeSchedule
    ChangePrice CancelSchedule CancelForBuyer Tick
}
