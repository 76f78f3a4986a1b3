//! The same event at another time, or with another cause.

use super::cast::token_id;
use crate::event::{
    CatalogueEvent, Cause, Event, ExpiryCause, HoldCancelled, HoldExpired, OpeningEvent, PointsEvent, ReservationPaid,
    ReservationRefunded, RoomEvent, SaleEvent, SeatsHeld, TokenExpired, UsersEvent,
};
use crate::values::{SaleTime, Timestamp};

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
