//! When an event happened, as it tells itself.

use domain::{CatalogueEvent, Event, OpeningEvent, PointsEvent, RoomEvent, SaleEvent, Timestamp, UsersEvent};

/// When it happened; nothing where it does not tell, or where it was published later: the tick tells late of a pause's end.
pub(super) fn time_of(event: &Event) -> Option<Timestamp> {
    match event {
        Event::Log(_) => None,
        Event::Room(event) => time_in_room(event),
        Event::Opening(event) => Some(time_in_opening(event)),
        Event::Users(UsersEvent::UserRegistered(registered)) => Some(registered.registered_at),
        Event::Points(PointsEvent::PointsCharged(charged)) => Some(charged.charged_at),
        Event::Points(PointsEvent::PointsAdjusted(adjusted)) => Some(adjusted.adjusted_at),
        Event::Catalogue(event) => time_in_catalogue(event),
        Event::Sale(event) => Some(time_in_sale(event)),
    }
}

fn time_in_room(event: &RoomEvent) -> Option<Timestamp> {
    match event {
        RoomEvent::RoomConfigured(configured) => Some(configured.configured_at),
        RoomEvent::TokenIssued(issued) => Some(issued.issued_at),
        RoomEvent::TokenAdmitted(admitted) => Some(admitted.admitted_at),
        RoomEvent::TokenArrived(arrived) => Some(arrived.arrived_at),
        RoomEvent::TokenExpired(expired) => Some(expired.expired_at),
        RoomEvent::RoomLeft(left) => Some(left.left_at),
        RoomEvent::TokenGranted(granted) => Some(granted.granted_at),
        RoomEvent::SalePaused(paused) => Some(paused.paused_at),
        RoomEvent::SaleResumed(_) => None,
    }
}

fn time_in_opening(event: &OpeningEvent) -> Timestamp {
    match event {
        OpeningEvent::OpeningScheduled(scheduled) => scheduled.scheduled_at,
        OpeningEvent::OpeningMoved(moved) => moved.moved_at,
        OpeningEvent::OpeningWithdrawn(withdrawn) => withdrawn.withdrawn_at,
        OpeningEvent::EntryClosed(closed) => closed.closed_at,
        OpeningEvent::BeaconReceived(received) => received.received_at,
        OpeningEvent::QueueDrawn(drawn) => drawn.drawn_at,
    }
}

fn time_in_catalogue(event: &CatalogueEvent) -> Option<Timestamp> {
    match event {
        CatalogueEvent::ConcertPublished(_) | CatalogueEvent::SeatsAdded(_) | CatalogueEvent::SchedulePublished(_) => {
            None
        }
        CatalogueEvent::CatalogImported(imported) => Some(imported.imported_at),
        CatalogueEvent::SaleWindowChanged(changed) => Some(changed.changed_at),
        CatalogueEvent::ScheduleMoved(moved) => Some(moved.moved_at),
        CatalogueEvent::PriceChanged(changed) => Some(changed.changed_at),
        CatalogueEvent::ScheduleCancelled(cancelled) => Some(cancelled.cancelled_at),
    }
}

fn time_in_sale(event: &SaleEvent) -> Timestamp {
    match event {
        SaleEvent::SeatsHeld(held) => held.hold.held_at,
        SaleEvent::HoldExtended(extended) => extended.extended_at,
        SaleEvent::HoldExpired(expired) => expired.expired_at,
        SaleEvent::HoldCancelled(cancelled) => cancelled.cancelled_at,
        SaleEvent::ReservationPaid(paid) => paid.paid_at,
        SaleEvent::ReservationRefunded(refunded) => refunded.refunded_at,
    }
}
