//! The way of a command through HTTP: the sender, the request, the engine's decision, and the answer.
//!
//! Faults are reported in the contract's order: 401, 415, 413, 400, 422, and then the engine's decision. The engine
//! finds out whether a token is known, because it decides in order. If a request has another fault, it does not reach
//! the engine. Then the read models tell whether the answer is 401.

use std::sync::Arc;

use axum::body::{Bytes, HttpBody};
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Uri};
use axum::response::Response;
use domain::{Action, Answer, Command, Credential, IdempotencyKey, Position};
use projections::ReadModels;

use super::api::Api;
use super::idempotency::{self, IDEMPOTENT_REPLAYED};
use super::json::{self, LOG_POSITION};
use super::limits::Commander;
use super::members::Members;
use super::parameters::Parameters;
use super::path::PathIds;
use super::problem::{Outcome, Problem};
use super::wire::{ChargeShown, PaymentShown, ReservationShown, TokenShown};
use super::{auth, body};
use crate::engine::{Reply, Submission};
use crate::logging;

/// The meaning of the request's body for a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// The body is JSON with the command's members.
    Json,
    /// The body is a catalogue file.
    Catalog,
    /// No body is needed. If one comes, it belongs to the request of the idempotency key.
    Optional,
}

/// A command's request, after the whole body was read.
pub struct CommandRequest {
    /// The ids in its path.
    pub path: PathIds,
    uri: Uri,
    takes: BodyKind,
    body: Bytes,
    idempotency: Option<IdempotencyKey>,
}

impl CommandRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// The first fault of the body or the idempotency key.
    pub async fn read(request: Request, takes: BodyKind) -> Result<Self, Problem> {
        let (mut parts, unread) = request.into_parts();
        let body = match takes {
            BodyKind::Optional if unread.is_end_stream() => Bytes::new(),
            BodyKind::Json | BodyKind::Optional => body::read(&parts.headers, unread).await?,
            BodyKind::Catalog => body::read_catalog(&parts.headers, unread).await?,
        };
        let idempotency = idempotency::key(&parts.headers, &parts.method, asked_at(&parts.uri), &body)?;
        Ok(Self { path: PathIds::of(&mut parts).await, uri: parts.uri, takes, body, idempotency })
    }

    /// The query's parameters.
    pub fn parameters(&self) -> Parameters {
        Parameters::of(&self.uri)
    }

    /// The body's bytes.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The idempotency key, if the request has one.
    pub fn idempotency(&self) -> Option<IdempotencyKey> {
        self.idempotency
    }

    /// Parses the body's members. There are none if no body is needed and none came.
    ///
    /// # Errors
    /// The body is not a JSON object.
    pub fn members(&self) -> Result<Members<'_>, Problem> {
        if self.takes == BodyKind::Optional && self.body.is_empty() {
            return Ok(Members::none());
        }
        Members::of(&self.body)
    }
}

/// The path with the query.
fn asked_at(uri: &Uri) -> &str {
    uri.path_and_query().map_or("", PathAndQuery::as_str)
}

/// Carries out a command of the user whose token the request has.
///
/// # Errors
/// The problem with which the request is answered.
pub async fn by_holder(
    api: &Api,
    request: Request,
    takes: BodyKind,
    parse: impl FnOnce(&CommandRequest) -> Result<Action, Problem>,
) -> Outcome {
    let token = auth::presented(request.headers())?;
    let parsed = match CommandRequest::read(request, takes).await {
        Ok(asked) => parse(&asked).map(|action| (asked, action)),
        Err(fault) => Err(fault),
    };
    match parsed {
        Ok((asked, action)) => {
            api.count_command(&Credential::Token(token))?;
            decide(api, Credential::Token(token), &asked, action).await
        }
        Err(fault) => Err(api.unless_unknown(&token, fault).await),
    }
}

/// Carries out a command of a sender who needs no token of the room: one named by an identity provider, or by the
/// request itself.
///
/// # Errors
/// The problem with which the request is answered.
pub async fn by_whom_the_edge_knows(
    api: &Api,
    request: Request,
    takes: BodyKind,
    parse: impl FnOnce(&CommandRequest) -> Result<(Credential, Action), Problem>,
) -> Outcome {
    let at_the_door = |fault: Problem| fault.at(api.engine.read_models().state.head.position);
    let asked = CommandRequest::read(request, takes).await.map_err(at_the_door)?;
    let (by, action) = parse(&asked).map_err(at_the_door)?;
    api.count_command(&by)?;
    decide(api, by, &asked, action).await
}

impl Api {
    /// Fails if the sender has sent too many commands. Unknown tokens and operators are not counted.
    fn count_command(&self, by: &Credential) -> Result<(), Problem> {
        if !self.limits.counts_users() {
            return Ok(());
        }
        let read_models = self.engine.read_models();
        let room = &read_models.state.room;
        let commander = match by {
            Credential::Token(token) => {
                room.identify(token, self.engine.now()).ok().map(|token| Commander::User(token.user_id))
            }
            Credential::User(user_id) => Some(Commander::User(*user_id)),
            Credential::Subject(subject) => Some(Commander::Subject(*subject)),
            Credential::System | Credential::Operator(_) => None,
        };
        let counted = commander.map_or(Ok(()), |commander| self.limits.count_command(commander));
        counted.map_err(|problem| problem.at(read_models.state.head.position))
    }
}

/// Lets the engine decide a command, and shows the answer.
///
/// # Errors
/// The command was refused or not decided.
pub async fn decide(api: &Api, by: Credential, asked: &CommandRequest, action: Action) -> Outcome {
    let is_by_quantity = matches!(action, Action::HoldByQuantity(_));
    let (decided, answer) = decided(api, by, asked, action).await?;
    let shown = show(api, answer, is_by_quantity).map_err(|problem| problem.at(decided.position))?;
    Ok(decided.told(shown))
}

/// The headers of a decision's answer.
pub struct Told {
    /// The position of the last event. If the command wrote nothing, the position that it was decided on.
    pub position: Position,
    /// True for a repeated request.
    pub replayed: bool,
    /// What queries would have seen right after an operator's command. `None` for a repeated one.
    pub then: Option<Arc<ReadModels>>,
}

impl Told {
    /// Makes the headers of a first answer.
    pub fn of(position: Position) -> Self {
        Self { position, replayed: false, then: None }
    }

    /// Makes the headers of a repeated answer.
    pub fn again(position: Position) -> Self {
        Self { position, replayed: true, then: None }
    }

    /// Adds the headers to a response.
    pub fn told(&self, mut response: Response) -> Response {
        response.headers_mut().insert(LOG_POSITION, self.position.get().into());
        if self.replayed {
            response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// Lets the engine decide a command.
///
/// # Errors
/// The command was refused or not decided.
pub async fn decided(
    api: &Api,
    by: Credential,
    asked: &CommandRequest,
    action: Action,
) -> Result<(Told, Answer), Problem> {
    let command = Command { by, idempotency: asked.idempotency, action };
    // Nothing was decided, so the position is that of the current read models.
    let undecided = |why| Problem::from(why).at(api.engine.read_models().state.head.position);
    let submission = Submission::new(command, logging::request_id());
    let Reply { position, outcome, replayed, then } = api.engine.submit(submission).await.map_err(undecided)?;
    let answer = outcome.map_err(|rejection| Problem::from(rejection).at(position))?;
    Ok((Told { position, replayed, then }, answer))
}

/// Shows an answer. A repeated answer shows what was decided first; only waiting counts and remaining seconds are
/// computed anew.
fn show(api: &Api, answer: Answer, is_by_quantity: bool) -> Outcome {
    match answer {
        Answer::Token(token) => {
            let text = api.token_text(&token)?;
            let read_models = api.engine.read_models();
            Ok(json::answer(&TokenShown::of(&token, text, &read_models, api.engine.now_at(&read_models))))
        }
        Answer::Charge(charge) => Ok(json::answer(&ChargeShown::from(charge))),
        Answer::Payment(payment) => Ok(json::answer(&PaymentShown::from(payment))),
        Answer::Reservation(reservation) => {
            let read_models = api.engine.read_models();
            let now = api.engine.now_at(&read_models);
            let shown = ReservationShown::of(&reservation, reservation.status, &read_models, now);
            let shown =
                shown.map(|shown| if is_by_quantity { shown.telling_whether_together(&read_models) } else { shown });
            shown.as_ref().map(json::answer).ok_or_else(|| Problem::internal("a reserved seat is in no list"))
        }
        Answer::User(_) | Answer::Done => Err(Problem::internal("a command of no route was decided")),
    }
}
