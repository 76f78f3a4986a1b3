//! Enters events into the books of the room.

use domain::{
    ActorName, Event, Head, ReservationPaid, RoomConfigured, RoomEvent, RoomLeft, SaleEvent, SaleTime, Timestamp,
    TokenAdmitted, TokenExpired, TokenGranted, TokenId, TokenIssued, UserId,
};

use super::{RoomCheck, Ticket, second};
use crate::tools::checker::Now;
use crate::tools::checker::openings::Drawn;

impl RoomCheck {
    /// Enters the arrival of the user who caused an event.
    pub fn hear(&mut self, actor: &ActorName, now: Now) {
        if let ActorName::User(user_id) = actor {
            self.arrive(*user_id, now.sale);
        }
    }

    /// Enters a user's arrival: every command of a user confirms it.
    fn arrive(&mut self, user_id: UserId, now: SaleTime) {
        if let Some(token_id) = self.of_user.get(&user_id)
            && let Some(ticket) = self.tickets.get_mut(token_id)
        {
            ticket.arrive_by = ticket.arrive_by.filter(|by| now >= *by);
        }
    }

    /// Enters an event. If it closes entry, the opening time was `opened_at`.
    pub fn fold(&mut self, event: &Event, head: Head, now: Now, opened_at: Option<SaleTime>) {
        match event {
            Event::Room(RoomEvent::RoomConfigured(RoomConfigured {
                capacity,
                admissions_per_second,
                arrival_seconds,
                ..
            })) => {
                (self.capacity, self.pace) = (*capacity, *admissions_per_second);
                self.arrival_seconds = *arrival_seconds;
            }
            Event::Opening(event) => {
                if let Some(drawn) = self.openings.fold(event, head, opened_at) {
                    self.draw(&drawn);
                }
            }
            Event::Room(RoomEvent::TokenArrived(arrived)) => self.arrive(arrived.user_id, now.sale),
            Event::Room(RoomEvent::TokenIssued(TokenIssued {
                token_id,
                user_id,
                queue_number,
                admitted,
                issued_at,
                expires_at,
                ..
            })) => {
                self.last_queue_number = *queue_number;
                let (user_id, queue_number) = (*user_id, *queue_number);
                let deadline = *expires_at;
                self.seat(*token_id, Ticket { user_id, is_inside: false, queue_number, deadline, arrive_by: None });
                if *admitted {
                    self.admit(*token_id, *issued_at, *expires_at);
                }
            }
            Event::Room(RoomEvent::TokenAdmitted(TokenAdmitted { token_id, admitted_at, expires_at, .. })) => {
                self.admit(*token_id, *admitted_at, *expires_at);
                if let (Some(seconds), Some(ticket)) = (self.arrival_seconds, self.tickets.get_mut(token_id)) {
                    ticket.arrive_by = Some(now.sale.plus_seconds(seconds.into()));
                }
            }
            Event::Room(RoomEvent::TokenExpired(TokenExpired { token_id, .. }))
            | Event::Room(RoomEvent::RoomLeft(RoomLeft { token_id, .. })) => self.end(*token_id),
            Event::Room(RoomEvent::TokenGranted(TokenGranted {
                token_id,
                user_id,
                token_hash,
                replaced_token_id,
                expires_at,
                ..
            })) => {
                replaced_token_id.iter().for_each(|replaced| self.end(*replaced));
                self.end(*token_id);
                self.granted.insert(*token_hash, *token_id);
                let (user_id, deadline) = (*user_id, *expires_at);
                let ticket = Ticket { user_id, is_inside: true, queue_number: 0, deadline, arrive_by: None };
                self.seat(*token_id, ticket);
            }
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { finished_token_id, .. })) => {
                finished_token_id.iter().for_each(|finished| self.end(*finished));
            }
            Event::Room(RoomEvent::SalePaused(_) | RoomEvent::SaleResumed(_))
            | Event::Log(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Catalogue(_)
            | Event::Sale(
                SaleEvent::SeatsHeld(_)
                | SaleEvent::HoldExtended(_)
                | SaleEvent::HoldExpired(_)
                | SaleEvent::HoldCancelled(_)
                | SaleEvent::ReservationRefunded(_),
            ) => {}
        }
    }

    /// Gives every waiting entrant the place of the draw.
    fn draw(&mut self, drawn: &Drawn) {
        let behind = self.line.split_off(&drawn.close.end);
        let entrants = std::mem::replace(&mut self.line, behind);
        for (number, token_id) in entrants {
            let place = drawn.place(number);
            self.line.insert(place, token_id);
            if let Some(ticket) = self.tickets.get_mut(&token_id) {
                ticket.queue_number = place;
            }
        }
    }

    fn seat(&mut self, token_id: TokenId, ticket: Ticket) {
        self.last_token = self.last_token.max(token_id.get());
        if !ticket.is_inside {
            self.line.insert(ticket.queue_number, token_id);
        }
        self.of_user.insert(ticket.user_id, token_id);
        self.tickets.insert(token_id, ticket);
    }

    fn admit(&mut self, token_id: TokenId, admitted_at: Timestamp, deadline: SaleTime) {
        let Some(ticket) = self.tickets.get_mut(&token_id).filter(|ticket| !ticket.is_inside) else { return };
        (ticket.is_inside, ticket.deadline) = (true, deadline);
        self.line.remove(&ticket.queue_number);
        self.active += 1;
        self.serving_number = self.serving_number.max(ticket.queue_number);
        let before = if self.paced.0 == second(admitted_at) { self.paced.1 } else { 0 };
        self.paced = (second(admitted_at), before + 1);
    }

    fn end(&mut self, token_id: TokenId) {
        let Some(ticket) = self.tickets.remove(&token_id) else { return };
        if self.of_user.get(&ticket.user_id) == Some(&token_id) {
            self.of_user.remove(&ticket.user_id);
        }
        if !ticket.is_inside {
            self.line.remove(&ticket.queue_number);
        } else if ticket.queue_number > 0 {
            self.active -= 1;
        }
    }
}
