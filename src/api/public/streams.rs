//! The streams: the room, the user's own token, and the seats of a schedule (`streams/seats.rs`).

mod seats;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use domain::{Deadline, TokenId, TokenStatus};
use tokio::sync::watch;
use tokio::time::Instant;

use super::api::Api;
use super::problem::Outcome;
use super::wire::{TokenShown, WatchedTokenShown};
use super::{GET, PublicRoutes, contract, kinds, query};
use crate::api::shared::streams::{COMMENT, COMMENT_EVERY, Frames, frame, queue_frame};

/// Adds the routes, each with its description.
pub fn routes(routes: PublicRoutes) -> PublicRoutes {
    let not_found = [&kinds::CONCERT_NOT_FOUND, &kinds::SCHEDULE_NOT_FOUND];
    routes
        .route(
            GET,
            "/api/queue/stream",
            queue,
            contract::query("Streams the state of the waiting room and its line.").streams().may(&[&kinds::OVERLOADED]),
        )
        .route(
            GET,
            "/api/tokens/me/stream",
            token,
            contract::query("Streams the token that was sent, and the state of the waiting room.")
                .of_holder()
                .streams()
                .may(&[&kinds::OVERLOADED]),
        )
        .route(
            GET,
            "/api/concerts/{concertId}/schedules/{scheduleId}/seats/stream",
            seats::seats,
            contract::query("Streams the changes of the seats of a schedule.")
                .of_admitted()
                .streams()
                .may(&not_found)
                .may(&[&kinds::OVERLOADED]),
        )
}

/// How often a stream looks at its token.
const TOKEN_LOOK: Duration = Duration::from_millis(500);
/// How often a waiting token is sent, even if nothing has changed.
const WAITING_EVERY: Duration = Duration::from_secs(3);

/// `GET /api/queue/stream`: the room, after each change.
pub async fn queue(api: Arc<Api>, request: Request) -> Outcome {
    let nothing = |_: &_, _: &mut _| Ok(());
    query::by_anyone(&api, request, nothing, |view, ()| {
        let mut queue = api.streams.queue();
        // What was told to all before is not newer than the first frame.
        queue.mark_unchanged();
        let shown = queue_frame(&view.read_models, view.now);
        let comment_at = Instant::now() + COMMENT_EVERY;
        Ok(api.streams.subscribe()?.respond(QueueFrames { queue, shown, is_sent: false, comment_at }))
    })
    .await
}

struct QueueFrames {
    queue: watch::Receiver<Bytes>,
    /// The frame that was sent last. The first one is the room as it is now, and is sent at once.
    shown: Bytes,
    is_sent: bool,
    comment_at: Instant,
}

impl Frames for QueueFrames {
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.is_sent, true) {
            return Some(self.shown.clone());
        }
        loop {
            let is_quiet = tokio::select! {
                changed = self.queue.changed() => changed.map(|()| false).ok()?,
                () = tokio::time::sleep_until(self.comment_at) => true,
            };
            // The room may be again what it was before the first frame. Then nothing changed for all, but it did for
            // this client.
            let newest = self.queue.borrow_and_update().clone();
            let is_news = newest != self.shown;
            if is_news || is_quiet {
                self.comment_at = Instant::now() + COMMENT_EVERY;
                self.shown = newest;
                return Some(if is_news { self.shown.clone() } else { COMMENT });
            }
        }
    }
}

/// `GET /api/tokens/me/stream`: the sender's token, after each change of the token or the room.
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
    /// The status and the state that were sent last.
    shown: Option<(TokenStatus, &'static str)>,
    shown_at: Instant,
    comment_at: Instant,
}

impl TokenFrames {
    /// Makes the next frame, if there is news. The outer `None`: the token does not identify its user any more.
    fn look(&mut self) -> Option<Option<Bytes>> {
        let (read_models, now) = (self.api.engine.read_models(), self.api.engine.now());
        let room = &read_models.state.room;
        let token = room.token(self.token_id)?;
        let names_somebody = match room.deadline(token, now) {
            Deadline::Sale(deadline) => room.sale_time(now) < deadline,
            Deadline::Clock(deadline) => token.status == TokenStatus::Finished && now < deadline,
        };
        if !names_somebody {
            return None;
        }
        let state = read_models.room().state(now);
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
