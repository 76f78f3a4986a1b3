//! Every route, asked as the router is asked, on an engine with a log in memory. What a socket adds is not here.

mod catalog;
mod commands;
mod histories;
mod nodes;
mod openapi;
mod openings;
mod operations;
mod precedence;
mod queries;
mod sales;
mod streams;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use domain::spec::*;
use domain::*;
use http_body_util::BodyExt;
use projections::sql::{Location, READ_MODELS_FILE};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

use super::operations::{self as operators, Door, OperatorState};
use super::{Api, Pages, Settings, public};
use crate::engine::{Clock, Engine, Submission, replay};
use crate::identity::Charging;
use crate::key::ServerKey;
use crate::log::EventLog;
use crate::log::memory::MemoryLog;
use crate::projector::Projector;

/// A server with a concert on sale.
struct Server {
    router: Router,
    operations: Router,
    stop: Arc<tokio::sync::watch::Sender<()>>,
    log: MemoryLog,
    clock: Arc<AtomicI64>,
    /// Not running unless a test starts it: then nothing is in SQL.
    projector: Projector,
    folder: Arc<TempDir>,
}

/// What was answered.
#[derive(Debug)]
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Server {
    /// With a room of this many slots.
    async fn start(capacity: u64) -> Self {
        Self::start_with(capacity).await.0
    }

    async fn start_with(capacity: u64) -> (Self, Engine) {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let clock = Arc::new(AtomicI64::new(T0.millis()));
        let log = MemoryLog::new();
        let (server, engine, key) = Self::on(log.clone(), Arc::new(log), clock, folder).await;
        open_sale(&engine, key.check(), capacity).await;
        (server, engine)
    }

    /// One that projects, on a log in which all this has happened already.
    async fn start_after(past: impl IntoIterator<Item = Event>) -> Self {
        let Self { log, clock, folder, .. } = Self::start(10).await;
        let before = log.head().await.unwrap();
        let mut head = before;
        let seal = |event| {
            let record = Record::seal(&head, T0, &event, &metadata());
            head = record.head();
            record
        };
        let records: Vec<Record> = past.into_iter().map(seal).collect();
        log.append(&before, &records).await.unwrap();
        let server = Self::on(log.clone(), Arc::new(log), clock, folder).await.0;
        tokio::spawn(server.projector.clone().run());
        server
    }

    /// One more server on the same log, whom nobody tells that it has grown.
    async fn beside(&self) -> Self {
        let log = self.log.clone();
        let unheard = Arc::new(nodes::Unheard(log.clone()));
        Self::on(log, unheard, Arc::clone(&self.clock), Arc::clone(&self.folder)).await.0
    }

    async fn on(
        log: MemoryLog,
        shared: Arc<dyn EventLog>,
        clock: Arc<AtomicI64>,
        folder: Arc<TempDir>,
    ) -> (Self, Engine, ServerKey) {
        let time = Arc::clone(&clock);
        let now: Clock = Arc::new(move || Timestamp::from_millis(time.load(Ordering::Relaxed)));
        let replayed = replay(&shared, |_| {}).await.unwrap();
        let (engine, sequencer) = Engine::new(Arc::clone(&shared), replayed, now, Uuid::nil());
        let key = ServerKey::load_or_create(&folder.path().join("server.key")).unwrap();
        let seeds = key.clone();
        let seeds = Arc::new(move |log_id: &Uuid, nonce: &Nonce| seeds.draw_seed(log_id, nonce));
        tokio::spawn(sequencer.with_seeds(seeds).run());
        let read_models = Location::File(folder.path().join(READ_MODELS_FILE));
        let projector = Projector::new(read_models, Arc::clone(&shared));
        let settings = Settings { identity: "open", charge: "own", login: None, roles_claim: "roles".to_owned() };
        let pages = Pages::new(&settings, true);
        let (engine_too, key_too, projector_too) = (engine.clone(), key.clone(), projector.clone());
        let (stop, stopped) = tokio::sync::watch::channel(());
        let streams = crate::api::Streams::start(engine.clone(), crate::api::MAX_STREAMS, stopped.clone());
        let api = Api {
            engine: engine_too,
            key: key_too,
            projector: projector_too,
            pages,
            streams,
            identity: None,
            limits: Arc::default(),
            charging: Charging::Own,
            log: shared,
        };
        let (api, door) = (Arc::new(api), Door::Listener(None));
        let operations = operators::router(OperatorState { api: Arc::clone(&api), door, stopped });
        let router = public::router(api, true);
        (Self { router, operations, stop: Arc::new(stop), log, clock, projector, folder }, engine, key)
    }

    /// The same, with read models in SQL.
    async fn start_projecting(capacity: u64) -> Self {
        let server = Self::start(capacity).await;
        tokio::spawn(server.projector.clone().run());
        server
    }

    fn pass_seconds(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }

    /// Asks as operators do.
    async fn operations(&self, path: &str) -> Answered {
        let asked = request(Method::GET, path, "", &[("host", "localhost")], Body::empty());
        Answered::of(self.operations.clone().oneshot(asked).await.unwrap()).await
    }

    /// Asks as operators do, with these headers.
    async fn operators(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Response {
        let asked = request(method, path, "", &[&[("host", "localhost")], headers].concat(), body);
        self.operations.clone().oneshot(asked).await.unwrap()
    }

    /// Changes something as operators do, under a key.
    async fn change(&self, method: Method, path: &str, key: &str, body: &Value) -> Answered {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        Answered::of(self.operators(method, path, &headers, Body::from(body.to_string())).await).await
    }

    async fn ask(&self, request: Request<Body>) -> Answered {
        Answered::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    async fn get(&self, path: &str, token: &str) -> Answered {
        self.ask(request(Method::GET, path, token, &[], Body::empty())).await
    }

    async fn delete(&self, path: &str, token: &str) -> Answered {
        self.ask(request(Method::DELETE, path, token, &[], Body::empty())).await
    }

    async fn post(&self, path: &str, token: &str, body: &Value) -> Answered {
        let json = [("content-type", "application/json")];
        self.ask(request(Method::POST, path, token, &json, Body::from(body.to_string()))).await
    }

    /// The text of the user's token.
    async fn token(&self, user_id: UserId) -> String {
        let issued = self.post("/api/tokens", "", &json!({ "userId": user_id })).await;
        issued.body["token"].as_str().unwrap().to_owned()
    }

    async fn reserve(&self, token: &str, user_id: UserId, seat_ids: &[u64]) -> Answered {
        let body = json!({ "concertId": CONCERT, "scheduleId": SCHEDULE, "userId": user_id, "seatIds": seat_ids });
        self.post("/api/concerts/reservation", token, &body).await
    }

    async fn charge(&self, token: &str, user_id: UserId, amount: u64) -> Answered {
        self.post(&format!("/api/users/{user_id}/points/charge"), token, &json!({ "amount": amount })).await
    }
}

impl Answered {
    async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Self { status: parts.status, headers: parts.headers, body }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The code of a problem, after seeing to it that it is a whole one.
    fn problem(&self) -> &str {
        let code = self.body["code"].as_str().unwrap_or_else(|| panic!("no problem: {self:?}"));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.body["type"], format!("/problems/{code}"));
        assert_eq!(self.body["status"], self.status.as_u16());
        assert_eq!(self.body["instance"], self.header("x-request-id").unwrap());
        assert!(self.body["title"].is_string() && self.body["detail"].is_string());
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.headers.contains_key("www-authenticate"), self.status == StatusCode::UNAUTHORIZED);
        code
    }
}

/// `token` may be empty: then none is shown.
fn request(method: Method, path: &str, token: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if headers.iter().all(|(name, _)| *name != "host") {
        request = request.header(header::HOST, "reprise.example");
    }
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, token);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).unwrap()
}

async fn open_sale(engine: &Engine, key_check: Hash, capacity: u64) {
    let named = |name: &str| name.to_owned();
    let (name, artist, venue) = (named("Concert"), named("Artist"), named("Venue"));
    submit(engine, Action::CreateLog(CreateLog { log_id: Uuid::nil(), key_check, capacity })).await;
    submit(engine, Action::PublishConcert(PublishConcert { concert_id: CONCERT, name, artist, venue })).await;
    publish(engine, SCHEDULE).await;
}

/// Puts this schedule of the concert on sale.
async fn publish(engine: &Engine, schedule_id: ScheduleId) {
    let concert_id = CONCERT;
    let (local_date, local_time) = ("2027-01-15".to_owned(), "19:00".to_owned());
    let seats = (1..=SEATS).map(seat).collect();
    submit(engine, Action::AddSeats(AddSeats { concert_id, schedule_id, seats })).await;
    let published = PublishSchedule {
        concert_id,
        schedule_id,
        times: times(),
        local_date,
        local_time,
        seats_per_user: 4,
        import_id: None,
    };
    submit(engine, Action::PublishSchedule(published)).await;
}

async fn submit(engine: &Engine, action: Action) {
    let command = Command { by: Credential::System, idempotency: None, action };
    engine.submit(Submission::new(command, None)).await.unwrap().outcome.unwrap();
}
