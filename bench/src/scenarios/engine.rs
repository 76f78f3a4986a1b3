//! The engine without HTTP: clients in this process submit charges and wait until they are durable.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{Action, ChargePoints, Command, Credential, Points};
use reprise::engine::{Engine, Submission};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::node::Node;
use crate::process::Cpu;
use crate::sale::{self, Guest};
use crate::sample::Sample;
use crate::scenarios::one_each;
use crate::table::Row;
use crate::{BenchError, Options};

const NAME: &str = "engine";

/// Runs it for each number of clients, on one log.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    let folder = options.folder()?;
    let log = options.open_log(folder.path()).await?;
    let guests = sale::prepare(log.as_ref(), folder.path(), one_each(options)).await?;
    let node = Node::start(log, folder.path()).await?;
    let mut rows = Vec::new();
    for clients in options.connections.iter().copied() {
        let sample = charge(&node.engine, &guests[..clients], options.round()).await?;
        rows.push(Row::of(NAME, "durable charge", clients, &sample));
    }
    node.stop().await?;
    Ok(rows)
}

/// Every guest charges one point after another for so long.
pub async fn charge(engine: &Engine, guests: &[Guest], lasting: Duration) -> Result<Sample, BenchError> {
    let sample = Arc::new(Mutex::new(Sample::default()));
    let cpu_before = Cpu::of(std::process::id());
    let until = Instant::now() + lasting;
    let mut clients = JoinSet::new();
    for &guest in guests {
        let (engine, sample) = (engine.clone(), Arc::clone(&sample));
        clients.spawn(async move {
            while Instant::now() < until {
                let (asked, status) = (Instant::now(), charge_once(&engine, &guest).await);
                if Instant::now() <= until {
                    sample.lock().expect("nobody panics with it").record(status, asked.elapsed());
                }
            }
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended?;
    }
    let cpu = Cpu::of(std::process::id()).since(&cpu_before);
    let mut sample = std::mem::take(&mut *sample.lock().expect("nobody panics with it"));
    (sample.seconds, sample.cpu) = (lasting.as_secs_f64(), cpu);
    Ok(sample)
}

/// What HTTP would answer.
async fn charge_once(engine: &Engine, guest: &Guest) -> u16 {
    let action = Action::ChargePoints(ChargePoints { user_id: guest.user_id, amount: Points::new(1) });
    let command = Command { by: Credential::Token(guest.token_hash), idempotency: None, action };
    match engine.submit(Submission::new(command, None)).await {
        Ok(reply) if reply.outcome.is_ok() => 200,
        Ok(_) => 409,
        Err(_) => 503,
    }
}
