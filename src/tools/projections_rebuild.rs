//! `reprise projections rebuild`: the running server builds, or else this command.

use std::time::Instant;

use domain::Position;
use indicatif::ProgressBar;
use projections::sql::{MODELS, SqlModel};
use reqwest::Method;
use serde::Serialize;

use super::output::{Said, count};
use super::{ToolError, source};
use crate::data_folder;
use crate::log::FolderLock;
use crate::operations::{ClientError, Server};
use crate::place::Place;
use crate::projector::{ALL, BuildError, Database, Which, rebuild, set_aside};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rebuilt<'a> {
    projections: Vec<&'static str>,
    position: u64,
    /// `server` if a running server built, else `command`.
    by: &'a str,
    seconds: f64,
    events_per_second: u64,
}

/// Builds the projection `name`, or all, and replaces the live ones.
pub async fn run(place: &Place, name: &str, json: bool) -> Result<Said, ToolError> {
    data_folder::must_exist(place)?;
    let models: Vec<_> = MODELS.iter().copied().filter(|model| name == ALL || name == model.name).collect();
    let names: Vec<&str> = MODELS.iter().map(|model| model.name).collect();
    if models.is_empty() {
        let known = names.join(", ");
        return Err(ToolError::NotFound(format!("there is no read model {name}; give one of {known}, or all")));
    }
    let started = Instant::now();
    let bar = source::progress_bar("rebuilding", Position::START, json);
    let not_built = |error: ClientError| ToolError::NotBuilt(error.to_string());
    let (position, by) = match Server::of(&place.data).await.map_err(not_built)? {
        Some(server) => {
            let path = format!("/api/operations/projections/{name}/rebuild");
            (server.ask(Method::POST, &path, None, None).await.map_err(not_built)?.position, "server")
        }
        None => {
            let lock = FolderLock::take(&place.data)?;
            (here(place, &lock, &models, &bar).await?, "command")
        }
    };
    bar.finish_and_clear();
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

/// Builds without a server, in the folder that this command has locked.
async fn here(
    place: &Place,
    held: &FolderLock,
    models: &[&'static SqlModel],
    bar: &ProgressBar,
) -> Result<Position, ToolError> {
    let log = data_folder::open_log(place, held).await?;
    bar.set_length(log.head().await?.position.get());
    let log_id = log.id().await?.ok_or(BuildError::Empty)?;
    let location = place.read_models()?;
    let build = async || {
        let database = Database::open_anew(&location, log_id).await?;
        let progress = |position: Position| bar.set_position(position.get());
        let built = rebuild(&database, log.as_ref(), models, Which::All, progress).await;
        let closed = database.close().await;
        Ok::<_, ToolError>(built.and_then(|position| Ok(closed.map(|()| position)?)))
    };
    let mut built = build().await?;
    if built.as_ref().is_err_and(BuildError::is_ruined) {
        set_aside(&location).map_err(sqlx::Error::Io)?;
        built = build().await?;
    }
    log.close().await;
    Ok(built?)
}
