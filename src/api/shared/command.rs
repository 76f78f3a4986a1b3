//! The way of a command through the door: who asks, what is asked, the engine's decision, its answer.
//!
//! What is wrong is told in the contract's order: 401, 415, 413, 400, 422, and then what the engine decides. The engine
//! knows best whether a token is known, since it decides in order; only where a command never gets to it do the read
//! models say whether 401 goes before what else is wrong.

use axum::body::{Bytes, HttpBody};
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Uri};
use axum::response::Response;
use domain::{Action, Answer, Command, Credential, IdempotencyKey, Position};

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

/// What a command makes of its request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// It says what is asked.
    Json,
    /// It is a catalogue file.
    Catalog,
    /// The path says all. A body that comes all the same is part of the request that an idempotency key stands for.
    Optional,
}

/// A command's request as it came, with a body that is whole and not too large.
pub struct CommandRequest {
    /// The ids in its path.
    pub path: PathIds,
    uri: Uri,
    takes: Body,
    body: Bytes,
    idempotency: Option<IdempotencyKey>,
}

impl CommandRequest {
    /// Reads it.
    ///
    /// # Errors
    /// The first thing that is wrong with its body or its key.
    pub async fn read(request: Request, takes: Body) -> Result<Self, Problem> {
        let (mut parts, unread) = request.into_parts();
        let body = match takes {
            Body::Optional if unread.is_end_stream() => Bytes::new(),
            Body::Json | Body::Optional => body::read(&parts.headers, unread).await?,
            Body::Catalog => body::read_catalog(&parts.headers, unread).await?,
        };
        let idempotency = idempotency::key(&parts.headers, &parts.method, asked_at(&parts.uri), &body)?;
        Ok(Self { path: PathIds::of(&mut parts).await, uri: parts.uri, takes, body, idempotency })
    }

    /// What stands after its path's question mark.
    pub fn parameters(&self) -> Parameters {
        Parameters::of(&self.uri)
    }

    /// Its body as it came.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// What a repeated request is known by.
    pub fn idempotency(&self) -> Option<IdempotencyKey> {
        self.idempotency
    }

    /// The body's members; those of none, where no body need come and none came.
    ///
    /// # Errors
    /// It is no JSON object.
    pub fn members(&self) -> Result<Members<'_>, Problem> {
        if self.takes == Body::Optional && self.body.is_empty() {
            return Ok(Members::none());
        }
        Members::of(&self.body)
    }
}

/// What a request is asked of: its path, with all that stands after it.
fn asked_at(uri: &Uri) -> &str {
    uri.path_and_query().map_or("", PathAndQuery::as_str)
}

/// A command of whoever shows a token.
///
/// # Errors
/// The problem that it is answered with.
pub async fn by_holder(
    api: &Api,
    request: Request,
    takes: Body,
    parse: impl FnOnce(&CommandRequest) -> Result<Action, Problem>,
) -> Outcome {
    let token = auth::presented(request.headers())?;
    let parsed = match CommandRequest::read(request, takes).await {
        Ok(asked) => parse(&asked).map(|action| (asked, action)),
        Err(fault) => Err(fault),
    };
    match parsed {
        Ok((asked, action)) => {
            api.judge(&Credential::Token(token))?;
            decide(api, Credential::Token(token), &asked, action).await
        }
        Err(fault) => Err(api.unless_unknown(&token, fault).await),
    }
}

/// A command of somebody whom the edge knows without a token of the room: by an identity provider's word, or by their own.
///
/// # Errors
/// The problem that it is answered with.
pub async fn by_whom_the_edge_knows(
    api: &Api,
    request: Request,
    takes: Body,
    parse: impl FnOnce(&CommandRequest) -> Result<(Credential, Action), Problem>,
) -> Outcome {
    let at_the_door = |fault: Problem| fault.at(api.engine.read_models().head.position);
    let asked = CommandRequest::read(request, takes).await.map_err(at_the_door)?;
    let (by, action) = parse(&asked).map_err(at_the_door)?;
    api.judge(&by)?;
    decide(api, by, &asked, action).await
}

impl Api {
    /// That whoever asks may command once more. Whom this node does not know is not counted, and operators are not.
    fn judge(&self, by: &Credential) -> Result<(), Problem> {
        if !self.limits.counts_users() {
            return Ok(());
        }
        let read_models = self.engine.read_models();
        let room = read_models.room.room();
        let commander = match by {
            Credential::Token(token) => {
                room.identify(token, self.engine.now()).ok().map(|token| Commander::User(token.user_id))
            }
            Credential::User(user_id) => Some(Commander::User(*user_id)),
            Credential::Subject(subject) => Some(Commander::Subject(*subject)),
            Credential::System | Credential::Operator(_) => None,
        };
        let judged = commander.map_or(Ok(()), |commander| self.limits.judge_commander(commander));
        judged.map_err(|problem| problem.at(read_models.head.position))
    }
}

/// Has a command decided, and shows its answer.
///
/// # Errors
/// It was refused, or not decided.
pub async fn decide(api: &Api, by: Credential, asked: &CommandRequest, action: Action) -> Outcome {
    let is_by_quantity = matches!(action, Action::HoldByQuantity(_));
    let (decided, answer) = decided(api, by, asked, action).await?;
    let shown = show(api, answer, is_by_quantity).map_err(|problem| problem.at(decided.position))?;
    Ok(decided.told(shown))
}

/// Where a decision stands, and whether it was told before.
pub struct Told {
    /// Of its last event; of what wrote nothing, the position decided on.
    pub position: Position,
    /// Whether it was.
    pub replayed: bool,
}

impl Told {
    /// What was told first.
    pub fn of(position: Position) -> Self {
        Self { position, replayed: false }
    }

    /// What was told before.
    pub fn again(position: Position) -> Self {
        Self { position, replayed: true }
    }

    /// The answer, which tells both.
    pub fn told(&self, mut response: Response) -> Response {
        response.headers_mut().insert(LOG_POSITION, self.position.get().into());
        if self.replayed {
            response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// Has a command decided.
///
/// # Errors
/// It was refused, or not decided.
pub async fn decided(
    api: &Api,
    by: Credential,
    asked: &CommandRequest,
    action: Action,
) -> Result<(Told, Answer), Problem> {
    let command = Command { by, idempotency: asked.idempotency, action };
    // Nothing was decided, so the position is that of what the client can see by now.
    let undecided = |why| Problem::from(why).at(api.engine.read_models().head.position);
    let submission = Submission::new(command, logging::request_id());
    let Reply { position, outcome, replayed } = api.engine.submit(submission).await.map_err(undecided)?;
    let answer = outcome.map_err(|rejection| Problem::from(rejection).at(position))?;
    Ok((Told { position, replayed }, answer))
}

/// An answer tells what was decided, also where it is told again; what counts seconds or people is as of now.
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
