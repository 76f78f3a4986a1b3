//! `reprise projections rebuild`: the server beside us builds, or we do where there is none.

use std::path::Path;
use std::time::Instant;

use domain::Position;
use indicatif::ProgressBar;
use projections::sql::{MODELS, SqlModel};
use serde::Serialize;

use super::output::{Said, count};
use super::{ToolError, source};
use crate::config::Place;
use crate::log::{self, FolderError, FolderLock};
use crate::projector::requests::{ALL, LOOK_AGAIN, Outcome, Request};
use crate::projector::{Database, Which, rebuild};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rebuilt<'a> {
    projections: Vec<&'static str>,
    position: u64,
    /// `server` where a running one built, else `command`.
    by: &'a str,
    seconds: f64,
    events_per_second: u64,
}

/// Builds the projection called `name`, or all, and puts them in the live ones' place.
pub async fn run(place: &Place, name: &str, json: bool) -> Result<Said, ToolError> {
    log::must_exist(&place.log, &place.data)?;
    let models: Vec<_> = MODELS.iter().copied().filter(|model| name == ALL || name == model.name).collect();
    let names: Vec<&str> = MODELS.iter().map(|model| model.name).collect();
    if models.is_empty() {
        let known = names.join(", ");
        return Err(ToolError::NotFound(format!("there is no read model {name}; give one of {known}, or all")));
    }
    let started = Instant::now();
    let bar = source::progress_bar("rebuilding", Position::START, json);
    let (position, by) = match FolderLock::take(&place.data) {
        Ok(_lock) => (here(place, &models, &bar).await?, "command"),
        Err(FolderError::Held { .. }) => (by_the_server(&place.data, name, &bar).await?, "server"),
        Err(error) => return Err(error.into()),
    };
    let seconds = started.elapsed().as_secs_f64();
    let events_per_second = (position.get() as f64 / seconds.max(f64::EPSILON)) as u64;
    let projections: Vec<_> = models.iter().map(|model| model.name).collect();
    let text = format!(
        "rebuilt {} from {} events by the {by} ({seconds:.3} s, {} events/s)",
        projections.join(", "),
        count(position.get()),
        count(events_per_second)
    );
    Ok(Said::new(&Rebuilt { projections, position: position.get(), by, seconds, events_per_second }, text))
}

/// Nobody serves: the folder is ours, and we build.
async fn here(place: &Place, models: &[&'static SqlModel], bar: &ProgressBar) -> Result<Position, ToolError> {
    let log = log::open(&place.log, &place.data).await?;
    bar.set_length(log.head().await?.position.get());
    let database = Database::open(&place.read_models()?).await?;
    let built = rebuild(&database, log.as_ref(), models, Which::All, |position| bar.set_position(position.get())).await;
    database.close().await?;
    log.close().await;
    Ok(built?)
}

/// A server holds the folder: it is asked to, and waited for.
async fn by_the_server(folder: &Path, name: &str, bar: &ProgressBar) -> Result<Position, ToolError> {
    let request = Request::leave(folder, name).map_err(ToolError::file(folder))?;
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        match request.outcome() {
            Some(Outcome::Built { position }) => {
                request.forget();
                return Ok(Position::new(position));
            }
            Some(Outcome::Failed { reason }) => {
                request.forget();
                return Err(ToolError::NotBuilt(reason));
            }
            Some(Outcome::Building { position, end }) => {
                bar.set_length(end);
                bar.set_position(position);
            }
            None if request.is_lost() => {
                return Err(ToolError::NotBuilt("somebody removed the request's file".to_owned()));
            }
            None => {}
        }
        if FolderLock::take(folder).is_ok() {
            let reason = "the server stopped; it rebuilds them when it starts again".to_owned();
            return Err(ToolError::NotBuilt(reason));
        }
    }
}
