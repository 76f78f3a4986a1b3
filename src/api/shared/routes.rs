//! The way from a route to its handler.

use std::future::ready;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{MethodFilter, on};

use super::problem::{Outcome, Problem};
use super::{kinds, respond};

/// Routes whose handlers come to an [`Outcome`], which [`respond`] makes a response of. It stands around each handler and
/// not as a layer around them all: a layer costs every request some boxes, and does not know the route.
pub struct Routes<S>(Router<S>);

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// None yet.
    pub fn new() -> Self {
        Self(Router::new())
    }

    /// With one more.
    pub fn route<Answering>(
        self,
        method: MethodFilter,
        path: &'static str,
        handler: impl Fn(S, Request) -> Answering + Copy + Send + Sync + 'static,
    ) -> Self
    where
        Answering: Future<Output = Outcome> + Send,
    {
        Self(self.0.route(
            path,
            on(method, move |State(state): State<S>, request: Request| {
                respond::respond(path, request, move |request| handler(state, request))
            }),
        ))
    }

    /// The router, which has an answer to all else, too.
    pub fn complete(self, state: S) -> Router {
        let otherwise = |kind, detail| {
            move |request| respond::respond("none", request, move |_| ready(Err(Problem::new(kind, detail))))
        };
        self.0
            .fallback(otherwise(&kinds::ROUTE_NOT_FOUND, "No route has this path."))
            .method_not_allowed_fallback(otherwise(
                &kinds::METHOD_NOT_ALLOWED,
                "The header `Allow` lists the methods of this route.",
            ))
            .with_state(state)
    }
}
