//! The table of routes: each with its handler and its description. The router and the OpenAPI document are made from
//! it.

use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{MethodFilter, MethodRouter, on};

use super::contract::Operation;
use super::contract::document::{Document, Route};
use super::problem::{Outcome, Problem};
use super::{kinds, respond};

/// Routes whose handlers return an [`Outcome`]. [`respond`] makes a response of it. It stands around each handler, and
/// not as a layer around all: a layer costs every request some allocations, and does not know the route.
pub struct Routes<S> {
    router: Router<S>,
    table: Vec<Route>,
    document: Arc<Document>,
}

/// A check before every route of a listener.
pub trait Threshold: Clone + Send + Sync + 'static {
    /// Fails if the request may not come in.
    ///
    /// # Errors
    /// The request may not come in.
    fn cross(&self, request: &Request) -> Result<(), Problem>;
}

impl<S: Threshold> Routes<S> {
    /// Makes an empty table. `title` is the title of its document.
    pub fn new(title: &'static str) -> Self {
        Self { router: Router::new(), table: Vec::new(), document: Document::new(title) }
    }

    /// The document of these routes. It is ready when they are complete.
    pub fn document(&self) -> Arc<Document> {
        Arc::clone(&self.document)
    }

    /// Adds the routes of one file.
    pub fn with(self, routes: impl FnOnce(Self) -> Self) -> Self {
        routes(self)
    }

    /// Adds a route.
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

    /// Makes the router. It also answers unknown paths and methods.
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

/// Makes a route of any handler. This is compiled only once for each type of state.
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
