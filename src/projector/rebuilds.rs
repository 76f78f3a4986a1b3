//! What operators ask for: tables built anew, one request after the other.

use domain::Position;
use projections::sql::SqlModel;
use tokio::sync::{mpsc, oneshot};

use super::Projector;

/// What stands for every projection.
pub const ALL: &str = "all";
/// How many requests wait; one more is refused.
pub(super) const MAX_WAITING: usize = 64;

/// A request that waits to be carried out.
pub(super) struct Request {
    /// The name that it was asked for by.
    pub name: String,
    /// What is to be built.
    pub models: Vec<&'static SqlModel>,
    pub done: oneshot::Sender<Result<Position, String>>,
}

/// The projector's end of the requests.
pub(super) type Requests = mpsc::Receiver<Request>;

/// A request that is carried out by and by.
pub struct Rebuilding(pub(super) oneshot::Receiver<Result<Position, String>>);

impl Rebuilding {
    /// Waits until it is done, with the log up to the position that is told.
    ///
    /// # Errors
    /// Why it was not done. What served before serves on.
    pub async fn done(self) -> Result<Position, String> {
        self.0.await.unwrap_or_else(|_| Err("the server stopped, or has too many requests for rebuilds".to_owned()))
    }
}

impl Projector {
    /// Has the projection of this name built anew, or `all`, beside the ones that serve meanwhile; `None` where there is no
    /// such projection.
    pub fn rebuild(&self, name: &str) -> Option<Rebuilding> {
        let all = self.0.models.iter().copied();
        let models: Vec<_> = all.filter(|model| name == ALL || name == model.name).collect();
        if models.is_empty() {
            return None;
        }
        let (done, built) = oneshot::channel();
        // A request that is refused is dropped, and so is told to have failed.
        let _ = self.0.requests.try_send(Request { name: name.to_owned(), models, done });
        Some(Rebuilding(built))
    }
}
