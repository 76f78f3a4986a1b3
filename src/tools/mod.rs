//! The tools beside `serve`: they read a log to its end and print what is in it. Each has its own file. None of them
//! makes decisions.
//!
//! [`walk`](crate::past::walk) reads, proves and decodes. [`checker`] checks each event against the rules,
//! independently of the code that decided it. [`output`] prints the result: a document for scripts, or aligned text for
//! people.

mod audit_all;
mod audit_points;
mod backup;
pub mod checker;
mod copying;
mod draw_verify;
mod error;
mod fold_thread;
mod log_copy;
mod log_export;
mod log_import;
mod log_make;
mod log_replay;
mod log_stat;
mod log_tail;
mod log_verify;
mod output;
mod projections_rebuild;
mod projections_repair;
mod projections_status;
mod projections_verify;
mod read_models;
mod sales;
mod show;
mod source;
mod why;

use std::process::ExitCode;

pub use error::ToolError;
#[cfg(test)]
pub(crate) use log_make::{made as made_log, make_in as make_log_in};

use crate::config::{AuditCommand, DrawCommand, LogCommand, ProjectionsCommand, Tool};
use crate::place::Place;
use output::Said;

/// Runs a tool. Returns 0 if all is well, and 1 after a fault, which is printed.
pub async fn run(place: &Place, tool: &Tool) -> ExitCode {
    let (json, said) = match tool {
        Tool::Log(log) => (log.output.json, run_log(place, &log.command, log.output.json).await),
        Tool::Backup(backup) => (backup.output.json, backup::run(place, &backup.folder, backup.output.json).await),
        Tool::Audit(audit) => {
            let json = audit.output.json;
            let said = match &audit.command {
                AuditCommand::All => audit_all::run(place, json).await,
                AuditCommand::Points { user, when } => audit_points::run(place, *user, when.as_of, json).await,
            };
            (json, said)
        }
        Tool::Show(show) => {
            (show.output.json, show::run(place, &show.command, show.when.as_of, show.output.json).await)
        }
        Tool::Projections(tool) => (tool.output.json, run_projections(place, &tool.command, tool.output.json).await),
        Tool::Draw(draw) => {
            let DrawCommand::Verify { token_id } = draw.command;
            (draw.output.json, draw_verify::run(place, token_id, draw.output.json).await)
        }
        Tool::Why(why) => (why.output.json, why::run(place, why.schedule, why.seat, why.output.json).await),
    };
    output::say(said, json)
}

async fn run_log(place: &Place, command: &LogCommand, json: bool) -> Result<Said, ToolError> {
    match command {
        LogCommand::Verify { expect } => log_verify::run(place, *expect, json).await,
        LogCommand::Stat => log_stat::run(place, json).await,
        LogCommand::Tail(asked) => log_tail::run(place, asked, json).await,
        LogCommand::Export { file, part } => log_export::run(place, file, part.until(), json).await,
        LogCommand::Copy { from, to, part } => log_copy::run(from, to, part.until(), json).await,
        LogCommand::Make(options) => log_make::run(place, options).await,
        LogCommand::Replay => log_replay::run(place).await,
        LogCommand::Import { file, expect } => log_import::run(place, file, *expect, json).await,
    }
}

async fn run_projections(place: &Place, command: &ProjectionsCommand, json: bool) -> Result<Said, ToolError> {
    match command {
        ProjectionsCommand::Rebuild { name } => projections_rebuild::run(place, name, json).await,
        ProjectionsCommand::Repair { name, rows } => projections_repair::run(place, name, *rows).await,
        ProjectionsCommand::Status => projections_status::run(place).await,
        ProjectionsCommand::Verify => projections_verify::run(place, json).await,
    }
}
