//! What can be watched: the line, one's own token, and the seats of a schedule.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use domain::{
    CatalogueEvent, ConcertId, Deadline, Event, HoldCancelled, HoldExpired, Position, ReservationPaid,
    ReservationRefunded, SaleEvent, ScheduleId, SeatId, SeatsHeld, Token, TokenId, TokenStatus,
};
use projections::{ReadModels, SeatLists};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use super::api::Api;
use super::path::PathIds;
use super::problem::Outcome;
use super::wire::{TokenShown, WatchedTokenShown};
use super::{GET, PublicRoutes, contract, kinds, parameters, query};
use crate::api::shared::streams::{
    COMMENT, COMMENT_EVERY, Frames, SeatShown, SeatsFrame, frame, queue_frame, seats_frame,
};

/// The routes, and what each says.
pub fn routes(routes: PublicRoutes) -> PublicRoutes {
    let not_found = [&kinds::CONCERT_NOT_FOUND, &kinds::SCHEDULE_NOT_FOUND];
    routes
        .route(
            GET,
            "/api/queue/stream",
            queue,
            contract::query("Tells the line, as it changes.").streams().may(&[&kinds::OVERLOADED]),
        )
        .route(
            GET,
            "/api/tokens/me/stream",
            token,
            contract::query("Tells one's own token and the room, as they change.")
                .of_holder()
                .streams()
                .may(&[&kinds::OVERLOADED]),
        )
        .route(
            GET,
            "/api/concerts/{concertId}/schedules/{scheduleId}/seats/stream",
            seats,
            contract::query("Tells which seats change.")
                .of_admitted()
                .streams()
                .may(&not_found)
                .may(&[&kinds::OVERLOADED]),
        )
}

/// How often a token is looked at.
const TOKEN_LOOK: Duration = Duration::from_millis(500);
/// How often a waiting token is shown, whether or not anything has changed.
const WAITING_EVERY: Duration = Duration::from_secs(3);
/// How many records are read up for whoever comes back to the seats of a schedule.
const MAX_READ_UP: u64 = 20_000;
/// How many of them at once.
const CHUNK_RECORDS: usize = 1_000;
/// How often it is looked whether this node has come to where the client was on another.
const CATCH_UP_LOOK: Duration = Duration::from_millis(50);

/// `GET /api/queue/stream`: the line, each time that it has changed.
pub async fn queue(api: Arc<Api>, request: Request) -> Outcome {
    let nothing = |_: &_, _: &mut _| Ok(());
    query::by_anyone(&api, request, nothing, |view, ()| {
        let (queue, first) = (api.streams.queue(), Some(queue_frame(&view.read_models, view.now)));
        Ok(api.streams.subscribe()?.respond(QueueFrames { queue, first, comment_at: Instant::now() + COMMENT_EVERY }))
    })
    .await
}

struct QueueFrames {
    queue: watch::Receiver<Bytes>,
    /// The line as it is now, which is told at once.
    first: Option<Bytes>,
    comment_at: Instant,
}

impl Frames for QueueFrames {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        let frame = tokio::select! {
            changed = self.queue.changed() => {
                changed.ok()?;
                self.queue.borrow_and_update().clone()
            }
            () = tokio::time::sleep_until(self.comment_at) => COMMENT,
        };
        self.comment_at = Instant::now() + COMMENT_EVERY;
        Some(frame)
    }
}

/// `GET /api/tokens/me/stream`: the token that is shown, each time that it or the room has changed.
pub async fn token(api: Arc<Api>, request: Request) -> Outcome {
    let nothing = |_: &_, _: &mut _| Ok(());
    query::by_holder(&api, request, nothing, |_, token, ()| {
        let now = Instant::now();
        let frames = TokenFrames {
            api: Arc::clone(&api),
            token_id: token.token_id,
            shown: None,
            shown_at: now,
            comment_at: now + COMMENT_EVERY,
        };
        Ok(api.streams.subscribe()?.respond(frames))
    })
    .await
}

struct TokenFrames {
    api: Arc<Api>,
    token_id: TokenId,
    /// What was told last of the token and of the room.
    shown: Option<(TokenStatus, &'static str)>,
    shown_at: Instant,
    comment_at: Instant,
}

impl TokenFrames {
    /// What there is to tell now; `None` where the token names nobody any more.
    fn look(&mut self) -> Option<Option<Bytes>> {
        let (read_models, now) = (self.api.engine.read_models(), self.api.engine.now());
        let room = read_models.room.room();
        let token = room.token(self.token_id)?;
        let names_somebody = match room.deadline(token, now) {
            Deadline::Sale(deadline) => room.sale_time(now) < deadline,
            Deadline::Clock(deadline) => token.status == TokenStatus::Finished && now < deadline,
        };
        if !names_somebody {
            return None;
        }
        let state = read_models.room.state(now);
        let is_due = token.status == TokenStatus::Waiting && self.shown_at.elapsed() >= WAITING_EVERY;
        if self.shown == Some((token.status, state)) && !is_due {
            return Some(None);
        }
        (self.shown, self.shown_at) = (Some((token.status, state)), Instant::now());
        let text = self.api.token_text(token).ok()?;
        let shown = TokenShown::of(token, text, &read_models, now);
        Some(Some(frame(&WatchedTokenShown::of(shown, &read_models, now))))
    }
}

impl Frames for TokenFrames {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let told = match self.look()? {
                Some(frame) => Some(frame),
                None if Instant::now() >= self.comment_at => Some(COMMENT),
                None => None,
            };
            if told.is_some() {
                self.comment_at = Instant::now() + COMMENT_EVERY;
                return told;
            }
            tokio::time::sleep(TOKEN_LOOK).await;
        }
    }
}

/// `GET /api/concerts/{concertId}/schedules/{scheduleId}/seats/stream`: seats that have changed, for who is admitted.
pub async fn seats(api: Arc<Api>, request: Request) -> Outcome {
    let parse = |path: &PathIds, _: &mut parameters::Parameters| {
        Ok((path.id::<ConcertId>("concertId")?, path.id::<ScheduleId>("scheduleId")?))
    };
    query::by_holder(&api, request, parse, |view, token, (concert_id, schedule_id)| {
        if !view.read_models.room.room().is_active(token, view.now) {
            return Err(view.read_models.room.room().not_admitted(token, view.now).into());
        }
        view.read_models.seat_lists.get(concert_id, schedule_id)?;
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
            reached: view.read_models.head.position,
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

/// From where on a subscriber is told.
enum Begin {
    /// From this moment on.
    Now,
    /// After this position; `None` is one that no log has.
    After(Option<Position>),
    /// It is told all that comes.
    Live,
}

struct SeatsFrames {
    api: Arc<Api>,
    token_id: TokenId,
    schedule_id: ScheduleId,
    live: broadcast::Receiver<SeatsFrame>,
    begin: Begin,
    /// Up to where it was told.
    reached: Position,
    comment_at: Instant,
}

impl Frames for SeatsFrames {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let read_models = self.api.engine.read_models();
            let room = read_models.room.room();
            let now = self.api.engine.now_at(&read_models);
            if !room.token(self.token_id).is_some_and(|token: &Token| room.is_active(token, now)) {
                return None;
            }
            let told = match self.begin {
                Begin::Now => Some(self.go_on_from(self.reached, &[])),
                Begin::After(after) => self.read_up(after, &read_models).await?,
                Begin::Live => self.live().await?,
            };
            if let Some(frame) = told {
                self.comment_at = Instant::now() + COMMENT_EVERY;
                return Some(frame);
            }
        }
    }
}

impl SeatsFrames {
    /// What comes next, if it is news; `None` where nothing will come any more.
    async fn live(&mut self) -> Option<Option<Bytes>> {
        let heard = tokio::select! {
            heard = self.live.recv() => heard,
            () = tokio::time::sleep_until(self.comment_at) => return Some(Some(COMMENT)),
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

    /// From here on it is told all that comes.
    fn go_on_from(&mut self, reached: Position, seats: &[SeatShown]) -> Bytes {
        (self.begin, self.reached) = (Begin::Live, reached);
        seats_frame(reached, seats).bytes
    }

    /// What has changed since the client was told last, read from the log.
    async fn read_up(&mut self, after: Option<Position>, read_models: &ReadModels) -> Option<Option<Bytes>> {
        let head = read_models.head.position;
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
        let lists = &read_models.seat_lists;
        let changed = self.changed(after, head, lists).await?;
        let shown = |seat_id| Some(SeatShown { seat_id, status: lists.status(self.schedule_id, seat_id)? });
        let seats: Vec<SeatShown> = changed.into_iter().filter_map(shown).collect();
        Some(Some(self.go_on_from(head, &seats)))
    }

    /// The seats that records of these positions name.
    async fn changed(&self, after: Position, head: Position, lists: &SeatLists) -> Option<Vec<SeatId>> {
        let (mut read, mut changed) = (after, Vec::new());
        while read < head {
            let records = self.api.log.read(read, CHUNK_RECORDS).await.ok()?;
            let last = records.last()?.position;
            for record in records.iter().filter(|record| record.position <= head) {
                changed.extend(seats_of(&record.decode().ok()?.event, self.schedule_id, lists));
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
fn seats_of(event: &Event, schedule_id: ScheduleId, lists: &SeatLists) -> Vec<SeatId> {
    match event {
        Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold }))
        | Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. }))
        | Event::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, .. }))
        | Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, .. }))
        | Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, .. })) => {
            hold.seat_ids().filter(|_| hold.schedule_id == schedule_id).collect()
        }
        Event::Catalogue(CatalogueEvent::ScheduleCancelled(cancelled)) if cancelled.schedule_id == schedule_id => {
            lists.changed_since(&SeatLists::default(), schedule_id).into_iter().map(|(seat_id, _)| seat_id).collect()
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
