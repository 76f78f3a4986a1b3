//! The stream of a schedule's seats: from now on, or from the client's last position.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use domain::{
    CatalogueEvent, ConcertId, Event, HoldCancelled, HoldExpired, Position, ReservationPaid, ReservationRefunded,
    SaleEvent, ScheduleId, SeatId, SeatsHeld, Token, TokenId,
};
use projections::{ReadModels, SeatList};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::TOKEN_LOOK;
use crate::api::shared::api::Api;
use crate::api::shared::parameters::Parameters;
use crate::api::shared::path::PathIds;
use crate::api::shared::problem::Outcome;
use crate::api::shared::query;
use crate::api::shared::streams::{COMMENT, COMMENT_EVERY, Frames, SeatShown, SeatsFrame, seats_frame};

/// How many records are read for a client that comes back with its last position.
const MAX_READ_UP: u64 = 20_000;
/// How many of these records are read at once.
const CHUNK_RECORDS: usize = 1_000;
/// How often the stream looks whether this node has reached the client's position from another node.
const CATCH_UP_LOOK: Duration = Duration::from_millis(50);

/// `GET /api/concerts/{concertId}/schedules/{scheduleId}/seats/stream`: changed seats, only for admitted users.
pub async fn seats(api: Arc<Api>, request: Request) -> Outcome {
    let parse = |path: &PathIds, _: &mut Parameters| {
        Ok((path.id::<ConcertId>("concertId")?, path.id::<ScheduleId>("scheduleId")?))
    };
    query::by_holder(&api, request, parse, |view, token, (concert_id, schedule_id)| {
        if !view.read_models.state.room.is_active(token, view.now) {
            return Err(view.read_models.state.room.not_admitted(token, view.now).into());
        }
        view.read_models.seats(concert_id, schedule_id)?;
        let live = api.streams.seats(schedule_id);
        let begin = match view.header("last-event-id").filter(|id| !id.is_empty()) {
            None => Begin::Now,
            Some(id) => Begin::After(position(id)),
        };
        let frames = SeatsFrames {
            api: Arc::clone(&api),
            token_id: token.token_id,
            schedule_id,
            live,
            begin,
            // Read after the frames are subscribed to: a change is in what the client was told, or in a frame.
            reached: api.engine.read_models().state.head.position,
            comment_at: Instant::now() + COMMENT_EVERY,
        };
        Ok(api.streams.subscribe()?.respond(frames))
    })
    .await
}

fn position(id: &str) -> Option<Position> {
    let is_whole = id.bytes().all(|byte| byte.is_ascii_digit());
    is_whole.then(|| id.parse().ok().map(Position::new)).flatten()
}

/// The begin of a subscriber's stream.
enum Begin {
    /// From this moment on.
    Now,
    /// After this position. `None` is a position that no log has.
    After(Option<Position>),
    /// The subscriber gets all new frames.
    Live,
}

struct SeatsFrames {
    api: Arc<Api>,
    token_id: TokenId,
    schedule_id: ScheduleId,
    live: broadcast::Receiver<SeatsFrame>,
    begin: Begin,
    /// The position up to which it was told.
    reached: Position,
    comment_at: Instant,
}

impl Frames for SeatsFrames {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let told = match self.begin {
                Begin::Now => Some(self.go_on_from(self.reached, &[])),
                Begin::After(after) => {
                    let read_models = self.api.engine.read_models();
                    self.read_up(after, &read_models).await?
                }
                Begin::Live => self.live().await?,
            };
            // The frame was waited for, and the token may have ended meanwhile.
            if !self.is_admitted() {
                return None;
            }
            if let Some(frame) = told {
                self.comment_at = Instant::now() + COMMENT_EVERY;
                return Some(frame);
            }
        }
    }
}

impl SeatsFrames {
    fn is_admitted(&self) -> bool {
        let read_models = self.api.engine.read_models();
        let (room, now) = (&read_models.state.room, self.api.engine.now_at(&read_models));
        room.token(self.token_id).is_some_and(|token: &Token| room.is_active(token, now))
    }

    /// Waits for the next frame, and returns it if it is news. The outer `None`: no frame will come any more.
    async fn live(&mut self) -> Option<Option<Bytes>> {
        let heard = tokio::select! {
            heard = self.live.recv() => heard,
            () = tokio::time::sleep_until(self.comment_at.min(Instant::now() + TOKEN_LOOK)) => {
                return Some((Instant::now() >= self.comment_at).then_some(COMMENT));
            }
        };
        match heard {
            Ok(SeatsFrame { position, bytes }) if position > self.reached => {
                self.reached = position;
                Some(Some(bytes))
            }
            Ok(_) => Some(None),
            Err(RecvError::Lagged(_)) => {
                self.begin = Begin::After(Some(self.reached));
                Some(None)
            }
            Err(RecvError::Closed) => None,
        }
    }

    /// Lets the subscriber get all new frames after this position.
    fn go_on_from(&mut self, reached: Position, seats: &[SeatShown]) -> Bytes {
        (self.begin, self.reached) = (Begin::Live, reached);
        seats_frame(reached, seats).bytes
    }

    /// Reads from the log what has changed since the client's position.
    async fn read_up(&mut self, after: Option<Position>, read_models: &ReadModels) -> Option<Option<Bytes>> {
        let head = read_models.state.head.position;
        let Some(after) = after else { return Some(Some(self.reset(head))) };
        if after > head {
            // The client was on a node that is ahead of this one, or its position is of another log.
            if self.api.log.head().await.ok()?.position < after {
                return Some(Some(self.reset(head)));
            }
            tokio::time::sleep(CATCH_UP_LOOK).await;
            return Some((Instant::now() >= self.comment_at).then_some(COMMENT));
        }
        if head.get() - after.get() > MAX_READ_UP {
            return Some(Some(self.reset(head)));
        }
        let list = read_models.seats_of(self.schedule_id)?;
        let changed = self.changed(after, head, list).await?;
        let shown = |seat_id| Some(SeatShown { seat_id, status: list.status(seat_id)? });
        let seats: Vec<SeatShown> = changed.into_iter().filter_map(shown).collect();
        Some(Some(self.go_on_from(head, &seats)))
    }

    /// The seats that the records after `after` up to `head` change.
    async fn changed(&self, after: Position, head: Position, list: SeatList<'_>) -> Option<Vec<SeatId>> {
        let (mut read, mut changed) = (after, Vec::new());
        while read < head {
            let records = self.api.log.read(read, CHUNK_RECORDS).await.ok()?;
            let last = records.last()?.position;
            for record in records.iter().filter(|record| record.position <= head) {
                changed.extend(seats_of(&record.decode().ok()?.event, self.schedule_id, list));
            }
            read = last;
        }
        changed.sort_unstable();
        changed.dedup();
        Some(changed)
    }

    /// Tells the client to read anew, from a list at or past `head`.
    fn reset(&mut self, head: Position) -> Bytes {
        (self.begin, self.reached) = (Begin::Live, head);
        format!("id: {head}\nevent: reset\ndata: {{\"position\":{head}}}\n\n").into()
    }
}

/// The seats of a schedule that an event changes.
fn seats_of(event: &Event, schedule_id: ScheduleId, list: SeatList<'_>) -> Vec<SeatId> {
    match event {
        Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold }))
        | Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. }))
        | Event::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, .. }))
        | Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, .. }))
        | Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, .. })) => {
            hold.seat_ids().filter(|_| hold.schedule_id == schedule_id).collect()
        }
        Event::Catalogue(CatalogueEvent::ScheduleCancelled(cancelled)) if cancelled.schedule_id == schedule_id => {
            list.ids().collect()
        }
        // The seats of a hold that goes on are held as before; seats that are added cannot be seen yet.
        Event::Sale(SaleEvent::HoldExtended(_))
        | Event::Opening(_)
        | Event::Log(_)
        | Event::Room(_)
        | Event::Users(_)
        | Event::Points(_)
        | Event::Catalogue(_) => Vec::new(),
    }
}
