//! The way of a query through HTTP: the sender, the request, and the read models that serve it.
//!
//! Faults are reported in the contract's order: 401, 400, 422, 503 if the position of `minPosition` is not reached, and
//! then 403 and 404.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::{Position, Reservation, SaleTime, Timestamp, Token, TokenHash};
use projections::sql::SqlModel;
use projections::{ReadModels, Representation};
use tokio::time::Instant;

use super::api::Api;
use super::json::LOG_POSITION;
use super::parameters::Parameters;
use super::path::PathIds;
use super::problem::{Outcome, Problem};
use super::wire::ReservationShown;
use super::{auth, conditional, kinds};
use crate::engine::MAX_WAIT;
use crate::projector::{Projector, Snapshot};

/// The read models and the time that a query sees.
pub struct View {
    /// The read models as of one position.
    pub read_models: Arc<ReadModels>,
    /// The time with which deadlines are compared.
    pub now: Timestamp,
    headers: HeaderMap,
}

impl View {
    /// Answers with a representation, or 304 if the client has it.
    pub fn conditional(&self, cache_control: &'static str, shown: Representation) -> Response {
        conditional::respond(&self.headers, cache_control, shown)
    }

    /// Shows a reservation with its status at `now`.
    ///
    /// # Errors
    /// The catalogue does not have its seats; this cannot happen.
    pub fn reservation<'a>(&'a self, reservation: &Reservation) -> Result<ReservationShown<'a>, Problem> {
        let shown =
            ReservationShown::of(reservation, reservation.status_at(self.sale_time()), &self.read_models, self.now);
        shown.ok_or_else(|| Problem::internal("a reserved seat is in no list"))
    }

    /// `now` in sale time, which stands still during a pause. Deadlines of holds and of tokens in the room are in sale
    /// time.
    pub fn sale_time(&self) -> SaleTime {
        self.read_models.state.room.sale_time(self.now)
    }

    /// A header of the request, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"))
    }

    /// Answers with a list that is worth compressing, or 304 if the client has it.
    pub fn conditional_list(&self, cache_control: &'static str, shown: Representation) -> Response {
        conditional::respond_compressed(&self.headers, cache_control, shown)
    }

    fn known(&self, token: &TokenHash) -> Result<&Token, Problem> {
        Ok(self.read_models.state.room.identify(token, self.now)?)
    }

    /// Adds the position of the read models to an answer or a problem.
    fn located(&self, outcome: Outcome) -> Outcome {
        let position = self.read_models.state.head.position;
        let mut response = outcome.map_err(|problem| problem.at(position))?;
        response.headers_mut().insert(LOG_POSITION, position.get().into());
        Ok(response)
    }
}

/// Answers a query that needs no token.
///
/// # Errors
/// The problem with which the request is answered.
pub async fn by_anyone<T: Copy>(
    api: &Api,
    request: Request,
    parse: impl FnOnce(&PathIds, &mut Parameters) -> Result<T, Problem>,
    answer: impl Fn(&View, T) -> Outcome,
) -> Outcome {
    let (asked, min_position, headers) = read(request, parse).await?;
    let view = api.view(min_position, headers).await?;
    api.answer(view, |view| answer(view, asked)).await
}

/// Answers a query of the user whose token the request has.
///
/// # Errors
/// The problem with which the request is answered.
pub async fn by_holder<T: Copy>(
    api: &Api,
    request: Request,
    parse: impl FnOnce(&PathIds, &mut Parameters) -> Result<T, Problem>,
    answer: impl Fn(&View, &Token, T) -> Outcome,
) -> Outcome {
    let (token, asked, _, view) = read_by_holder(api, request, parse).await?;
    api.answer(view, |view| answer(view, view.known(&token)?, asked)).await
}

/// A query that is served from SQL.
pub struct SqlQuery<T> {
    /// The read models in memory.
    pub view: View,
    /// The parsed request.
    pub what: T,
    min_position: Position,
    deadline: Instant,
}

/// Reads a query that needs no token and is served from SQL.
///
/// # Errors
/// The problem with which the request is answered.
pub async fn sql_by_anyone<T>(
    api: &Api,
    request: Request,
    parse: impl FnOnce(&PathIds, &mut Parameters) -> Result<T, Problem>,
) -> Result<SqlQuery<T>, Problem> {
    let deadline = Instant::now() + MAX_WAIT;
    let (what, min_position, headers) = read(request, parse).await?;
    let view = api.view(min_position, headers).await?;
    Ok(SqlQuery { view, what, min_position, deadline })
}

/// Reads a query that needs a token and is served from SQL. Returns the token as well.
///
/// # Errors
/// The problem with which the request is answered.
pub async fn sql_by_holder<T>(
    api: &Api,
    request: Request,
    parse: impl FnOnce(&PathIds, &mut Parameters) -> Result<T, Problem>,
) -> Result<(SqlQuery<T>, Token), Problem> {
    let deadline = Instant::now() + MAX_WAIT;
    let (token, what, min_position, mut view) = read_by_holder(api, request, parse).await?;
    if view.known(&token).is_err() {
        api.renew(&mut view).await?;
    }
    let position = view.read_models.state.head.position;
    let token = view.known(&token).map_err(|problem| problem.at(position))?.clone();
    Ok((SqlQuery { view, what, min_position, deadline }, token))
}

impl<T> SqlQuery<T> {
    /// Requires rows as of the view or later. Otherwise a client that has just seen a newer state could get an older
    /// one.
    pub fn not_before_the_view(&mut self) {
        self.min_position = self.min_position.max(self.view.read_models.state.head.position);
    }

    /// Opens the rows of a model, at the requested position or a later one.
    ///
    /// # Errors
    /// The table has not reached the position in time, or cannot be read.
    pub async fn snapshot(&self, projector: &Projector, model: &SqlModel) -> Result<Snapshot, Problem> {
        Ok(projector.snapshot(model, self.min_position, self.deadline).await?)
    }
}

/// Makes the problem of rows that could not be read: the database was lost during the query.
pub fn unreadable(position: Position) -> impl FnOnce(sqlx::Error) -> Problem {
    move |error| {
        tracing::warn!("a read model cannot be read: {error}");
        Problem::new(&kinds::READ_MODEL_BEHIND, "The read model cannot be read at the moment. Try again later.")
            .at(position)
    }
}

async fn read<T>(
    request: Request,
    parse: impl FnOnce(&PathIds, &mut Parameters) -> Result<T, Problem>,
) -> Result<(T, Position, HeaderMap), Problem> {
    let (mut parts, _) = request.into_parts();
    let path = PathIds::of(&mut parts).await;
    let mut parameters = Parameters::of(&parts.uri);
    let asked = parse(&path, &mut parameters)?;
    let min_position = parameters.min_position();
    parameters.complete()?;
    Ok((asked, min_position, parts.headers))
}

/// Reads a query that needs a token, and takes its view. The token may still be unknown.
async fn read_by_holder<T>(
    api: &Api,
    request: Request,
    parse: impl FnOnce(&PathIds, &mut Parameters) -> Result<T, Problem>,
) -> Result<(TokenHash, T, Position, View), Problem> {
    let token = auth::presented(request.headers())?;
    let taken = async {
        let (asked, min_position, headers) = read(request, parse).await?;
        Ok((token, asked, min_position, api.view(min_position, headers).await?))
    };
    match taken.await {
        Ok(taken) => Ok(taken),
        Err(fault) => Err(api.unless_unknown(&token, fault).await),
    }
}

impl Api {
    async fn view(&self, min_position: Position, headers: HeaderMap) -> Result<View, Problem> {
        let read_models = self.engine.read_models_at(min_position).await?;
        let now = self.engine.now_at(&read_models);
        Ok(View { read_models, now, headers })
    }

    /// Answers from `view`. If that would be a refusal, the view is renewed first: another node may just have written
    /// what is missing here.
    async fn answer(&self, mut view: View, answer: impl Fn(&View) -> Outcome) -> Outcome {
        match answer(&view) {
            Err(problem) if problem.may_be_outdated() => {
                self.renew(&mut view).await?;
                view.located(answer(&view))
            }
            outcome => view.located(outcome),
        }
    }

    /// Moves the view on to the log's head.
    pub async fn renew(&self, view: &mut View) -> Result<(), Problem> {
        let seen = view.read_models.state.head.position;
        if let Some(read_models) =
            self.engine.newer_read_models(seen).await.map_err(|why| Problem::from(why).at(seen))?
        {
            (view.read_models, view.now) = (read_models, self.engine.now());
        }
        Ok(())
    }

    /// Chooses the problem of a request with a fault: an unknown token is reported before every other fault.
    pub async fn unless_unknown(&self, token: &TokenHash, fault: Problem) -> Problem {
        let mut view =
            View { read_models: self.engine.read_models(), now: self.engine.now(), headers: HeaderMap::new() };
        if view.known(token).is_err()
            && let Err(unavailable) = self.renew(&mut view).await
        {
            return unavailable;
        }
        view.known(token).err().unwrap_or(fault).at(view.read_models.state.head.position)
    }
}
