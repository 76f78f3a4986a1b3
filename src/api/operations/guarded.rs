//! Routes that identify the operator before they read anything else.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::MethodFilter;
use tokio::sync::watch;

use super::access::{Door, Operator};
use super::api::Api;
use super::contract::Operation;
use super::contract::document::Document;
use super::problem::{Outcome, Problem};
use super::routes::{Routes, Threshold};
use crate::identity::Role;

/// A request of an identified operator.
pub struct Admitted {
    /// The parts of the server that the routes need.
    pub api: Arc<Api>,
    /// The operator.
    pub operator: Operator,
    /// The request. Nothing of its body was read.
    pub request: Request,
    /// Changes, or ends, when the server stops.
    pub stopped: watch::Receiver<()>,
}

/// The state of the routes of one listener or socket.
pub struct OperatorState {
    /// The parts of the server that the routes need.
    pub api: Arc<Api>,
    /// The way on which requests come in.
    pub door: Door,
    /// Changes, or ends, when the server stops.
    pub stopped: watch::Receiver<()>,
}

impl Threshold for Arc<OperatorState> {
    fn cross(&self, request: &Request) -> Result<(), Problem> {
        self.door.let_in(request)?;
        self.api.limits.count_request(request)
    }
}

/// The routes of one listener or socket.
pub struct GuardedRoutes(Routes<Arc<OperatorState>>);

impl GuardedRoutes {
    /// Makes an empty table. `title` is the title of its document.
    pub fn new(title: &'static str) -> Self {
        Self(Routes::new(title))
    }

    /// The document of these routes. It is ready when they are complete.
    pub fn document(&self) -> Arc<Document> {
        self.0.document()
    }

    /// Adds the routes of one file.
    pub fn with(self, routes: impl FnOnce(Self) -> Self) -> Self {
        routes(self)
    }

    /// Adds a route for operators with one of these roles.
    pub fn route<Answering>(
        self,
        roles: &'static [Role],
        method: MethodFilter,
        path: &'static str,
        handler: impl Fn(Admitted) -> Answering + Copy + Send + Sync + 'static,
        operation: Operation,
    ) -> Self
    where
        Answering: Future<Output = Outcome> + Send + 'static,
    {
        let answer = move |state: Arc<OperatorState>, request: Request| async move {
            let (parts, body) = request.into_parts();
            let operator = state.door.admit(&parts, roles, state.api.engine.now()).await?;
            let request = Request::from_parts(parts, body);
            let (api, stopped) = (Arc::clone(&state.api), state.stopped.clone());
            handler(Admitted { api, operator, request, stopped }).await
        };
        Self(self.0.route(method, path, answer, operation.of_operators(roles)))
    }

    /// Adds a route that needs no role.
    pub fn open_route<Answering>(
        self,
        method: MethodFilter,
        path: &'static str,
        handler: impl Fn(Arc<Api>, Request) -> Answering + Clone + Send + Sync + 'static,
        operation: Operation,
    ) -> Self
    where
        Answering: Future<Output = Outcome> + Send + 'static,
    {
        let answer = move |state: Arc<OperatorState>, request: Request| handler(Arc::clone(&state.api), request);
        Self(self.0.route(method, path, answer, operation.behind_a_door()))
    }

    /// Makes the router.
    pub fn complete(self, state: OperatorState) -> Router {
        self.0.complete(Arc::new(state))
    }
}
