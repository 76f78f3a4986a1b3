//! The table of routes: each with its handler and its description. The router is made of it, and so is the document.

use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{MethodFilter, MethodRouter, on};

use super::contract::Operation;
use super::contract::document::{Document, Route};
use super::problem::{Outcome, Problem};
use super::{kinds, respond};

/// Routes whose handlers come to an [`Outcome`], which [`respond`] makes a response of. It stands around each handler and
/// not as a layer around them all: a layer costs every request some boxes, and does not know the route.
pub struct Routes<S> {
    router: Router<S>,
    table: Vec<Route>,
    document: Arc<Document>,
}

/// What stands before every route of a listener: who may not cross it gets no further, whatever they ask for.
pub trait Threshold: Clone + Send + Sync + 'static {
    /// That the request may come in.
    ///
    /// # Errors
    /// It may not.
    fn cross(&self, request: &Request) -> Result<(), Problem>;
}

impl<S: Threshold> Routes<S> {
    /// None yet. All of them together are called `title`.
    pub fn new(title: &'static str) -> Self {
        Self { router: Router::new(), table: Vec::new(), document: Document::new(title) }
    }

    /// The document of these routes, once they are complete.
    pub fn document(&self) -> Arc<Document> {
        Arc::clone(&self.document)
    }

    /// With one more.
    pub fn route<Answering>(
        mut self,
        method: MethodFilter,
        path: &'static str,
        handler: impl Fn(S, Request) -> Answering + Clone + Send + Sync + 'static,
        operation: Operation,
    ) -> Self
    where
        Answering: Future<Output = Outcome> + Send,
    {
        self.table.push(Route { method, path, operation });
        let handler = Arc::new(move |state: S, request: Request| -> respond::Answering {
            let handler = handler.clone();
            Box::pin(async move {
                state.cross(&request)?;
                handler(state, request).await
            })
        });
        Self { router: self.router.route(path, answered_by(method, path, handler)), ..self }
    }

    /// The router, which has an answer to all else, too.
    pub fn complete(self, state: S) -> Router {
        let otherwise = |kind, detail| {
            move |request| respond::respond("none", request, move |_| Box::pin(ready(Err(Problem::new(kind, detail)))))
        };
        self.document.complete(self.table);
        self.router
            .fallback(otherwise(&kinds::ROUTE_NOT_FOUND, "No route has this path."))
            .method_not_allowed_fallback(otherwise(
                &kinds::METHOD_NOT_ALLOWED,
                "The header `Allow` lists the methods of this route.",
            ))
            .with_state(state)
    }
}

/// A route of whichever handler: this is compiled once for each kind of state.
fn answered_by<S: Threshold>(
    method: MethodFilter,
    path: &'static str,
    handler: Arc<dyn Fn(S, Request) -> respond::Answering + Send + Sync>,
) -> MethodRouter<S> {
    on(method, move |State(state): State<S>, request: Request| {
        let handler = Arc::clone(&handler);
        respond::respond(path, request, move |request| handler(state, request))
    })
}
