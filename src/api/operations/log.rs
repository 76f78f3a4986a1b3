//! The log: its head, which operators should note elsewhere, and its records.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::{Event, Hash, Position, Record, UserId};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use super::access::READS;
use super::api::Api;
use super::contract::schema::{self, count, integer, text};
use super::contract::shapes::HEAD;
use super::guarded::{Admitted, GuardedRoutes};
use super::parameters::Parameters;
use super::problem::{Outcome, Problem};
use super::streams::{COMMENT, COMMENT_EVERY};
use super::{GET, contract, json, kinds, paging};
use crate::log::{EventLog, RecordLine, names_user};

/// Adds the routes, each with its description.
pub fn routes(routes: GuardedRoutes) -> GuardedRoutes {
    let listed = contract::query("Lists records, exactly as they are stored, one a line.")
        .media("application/x-ndjson")
        .parameter("after", count(), "Only records after this position.")
        .parameter("limit", integer(1..=MAX_RECORDS as u64), "The most records on the page.")
        .parameter("types", text(), "Only events of these types, separated by commas.")
        .parameter("userId", schema::id(), "Only events that name this user.")
        .linked();
    routes
        .route(
            READS,
            GET,
            "/api/operations/head",
            head,
            contract::query("Shows the last position and its hash. An auditor can note them elsewhere.")
                .answers_a(HEAD),
        )
        .route(READS, GET, "/api/operations/events", events, listed)
        .route(
            READS,
            GET,
            "/api/operations/events/stream",
            stream,
            contract::file("Streams records as they are written.", "text/event-stream")
                .at_a_position()
                .streams()
                .parameter("after", count(), "Only records after this position."),
        )
}

/// The most records of a page.
const MAX_RECORDS: usize = 10_000;
/// The most records that are searched for a page.
const MAX_LOOKED_AT: usize = 100_000;
/// How many records are read at once.
const CHUNK: usize = 1_000;

/// The filter of a request.
struct Filter {
    after: Position,
    limit: usize,
    types: Option<BTreeSet<String>>,
    user_id: Option<UserId>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HeadShown {
    position: Position,
    hash: Hash,
    log_id: Uuid,
}

/// `GET /api/operations/head`.
pub async fn head(Admitted { api, request, .. }: Admitted) -> Outcome {
    let mut parameters = Parameters::of(request.uri());
    let min_position = parameters.min_position();
    parameters.complete()?;
    let head = api.engine.read_models_at(min_position).await?.state.head;
    let log_id = id(&api).await?;
    Ok(paging::at(head.position, json::answer(&HeadShown { position: head.position, hash: head.hash, log_id })))
}

/// Reads the log's id.
///
/// # Errors
/// The log cannot be read.
pub async fn id(api: &Api) -> Result<Uuid, Problem> {
    Ok(api.log.id().await.map_err(|error| unreadable(&error))?.unwrap_or_default())
}

/// `GET /api/operations/events`: records as they are stored, one per line.
pub async fn events(Admitted { api, request, .. }: Admitted) -> Outcome {
    let (filter, min_position) = filter(request.uri())?;
    // Records after the read models' head are left out: they may not be durable yet.
    let head = api.engine.read_models_at(min_position).await?.state.head.position;
    let (mut body, mut found, mut looked_at, mut reached) = (Vec::new(), 0, 0, filter.after);
    'page: while reached < head && looked_at < MAX_LOOKED_AT {
        let left = usize::try_from(head.get() - reached.get()).unwrap_or(CHUNK);
        let limit = CHUNK.min(left).min(MAX_LOOKED_AT - looked_at);
        let records = api.log.read(reached, limit).await.map_err(|error| unreadable(&error))?;
        if records.is_empty() {
            break;
        }
        for record in records {
            if found == filter.limit {
                break 'page;
            }
            (reached, looked_at) = (record.position, looked_at + 1);
            if filter.takes(&record) {
                found += 1;
                write(&mut body, record);
            }
        }
    }
    let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    let mut response = paging::at(head, ([content_type], body).into_response());
    if reached < head
        && let Ok(link) = HeaderValue::try_from(paging::next(request.uri(), &reached.to_string()))
    {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

fn filter(uri: &Uri) -> Result<(Filter, Position), Problem> {
    let mut parameters = Parameters::of(uri);
    let min_position = parameters.min_position();
    let after = after(&mut parameters);
    let limit = parameters.read("limit", format!("must be a whole number from 1 to {MAX_RECORDS}"), |text| {
        text.parse().ok().filter(|limit| (1..=MAX_RECORDS).contains(limit) && limit.to_string() == text)
    });
    let types = parameters.read("types", "must be types of events, separated by commas", |text| {
        let is_known = |name: &&str| Event::TYPES.iter().any(|(known, _)| known == name);
        let types: Vec<&str> = text.split(',').collect();
        types.iter().all(is_known).then(|| types.into_iter().map(str::to_owned).collect())
    });
    let user_id = parameters.optional_id("userId");
    parameters.complete()?;
    Ok((Filter { after, limit: limit.unwrap_or(MAX_RECORDS), types, user_id }, min_position))
}

fn after(parameters: &mut Parameters) -> Position {
    let after = parameters.read("after", "must be a position", position);
    after.unwrap_or(Position::START)
}

fn position(text: &str) -> Option<Position> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok().map(Position::new)).flatten()
}

impl Filter {
    fn takes(&self, record: &Record) -> bool {
        let is_of_type = self.types.as_ref().is_none_or(|types| types.contains(&*record.event_type));
        is_of_type && self.user_id.is_none_or(|user_id| names_user(record, user_id.get()))
    }
}

fn write(body: &mut Vec<u8>, record: Record) {
    body.extend_from_slice(&json::bytes(&RecordLine::from(record)));
    body.push(b'\n');
}

/// Makes the problem of a log that cannot be read. The reason is only in the server's lines.
pub fn unreadable(error: &impl Display) -> Problem {
    tracing::warn!("the log cannot be read: {error}");
    Problem::new(&kinds::LOG_UNAVAILABLE, "The log cannot be read at the moment. Try again later.")
}

/// `GET /api/operations/events/stream`: records as they come.
pub async fn stream(Admitted { api, operator, request, stopped }: Admitted) -> Outcome {
    let after = begin(&request)?;
    let until = operator.until.map(|until| {
        let left = until.millis().saturating_sub(api.engine.now().millis());
        Instant::now() + Duration::from_millis(u64::try_from(left).unwrap_or(0))
    });
    let following = Following { log: Arc::clone(&api.log), reached: after, until, stopped };
    let position = api.engine.read_models().state.head.position;
    drop(api);
    let frames = stream::unfold(following, |mut following| async move {
        let frame = following.next().await?;
        Some((Ok::<_, Infallible>(frame), following))
    });
    Ok(paging::at(position, event_stream(Body::from_stream(frames))))
}

/// `Last-Event-ID` wins over `after`.
fn begin(request: &Request) -> Result<Position, Problem> {
    let mut parameters = Parameters::of(request.uri());
    let after = after(&mut parameters);
    parameters.complete()?;
    match last_event_id(request.headers()) {
        None => Ok(after),
        Some(id) => position(id).ok_or_else(|| {
            Problem::new(&kinds::MALFORMED_HEADER, "Last-Event-ID must be the position that the last event had.")
        }),
    }
}

fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default()).filter(|id| !id.is_empty())
}

fn event_stream(body: Body) -> Response {
    let headers = [("content-type", "text/event-stream"), ("x-accel-buffering", "no"), ("cache-control", "no-store")];
    (headers, body).into_response()
}

/// A stream of records. It holds the log and no engine handle, since the sequencer ends only after the last handle.
struct Following {
    log: Arc<dyn EventLog>,
    reached: Position,
    /// The time when the JWT expires, and with it the stream.
    until: Option<Instant>,
    stopped: watch::Receiver<()>,
}

impl Following {
    /// Waits for the next frame. `None` at the end of the stream.
    async fn next(&mut self) -> Option<Bytes> {
        let comment_at = Instant::now() + COMMENT_EVERY;
        loop {
            let over = self.until;
            if over.is_some_and(|until| Instant::now() >= until) {
                return None;
            }
            let records = self.log.read(self.reached, CHUNK).await.ok()?;
            if let Some(last) = records.last() {
                self.reached = last.position;
                return Some(frames(records));
            }
            if Instant::now() >= comment_at {
                return Some(COMMENT);
            }
            let ends = async move {
                match over {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = self.stopped.changed() => return None,
                () = ends => return None,
                () = tokio::time::sleep_until(comment_at) => {}
                () = self.log.wait_past(self.reached) => {}
            }
        }
    }
}

fn frames(records: Vec<Record>) -> Bytes {
    let mut frames = Vec::new();
    for record in records {
        frames.extend_from_slice(format!("id: {}\ndata: ", record.position).as_bytes());
        frames.extend_from_slice(&json::bytes(&RecordLine::from(record)));
        frames.extend_from_slice(b"\n\n");
    }
    frames.into()
}
