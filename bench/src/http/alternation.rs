//! Two sides that take turns: a ratio of figures from different minutes says more of the machine than of either.

use std::net::SocketAddr;
use std::time::Duration;

use super::child::Server;
use super::connection::Connection;
use super::load::{Client, closed};
use super::scripts::Script;
use crate::BenchError;
use crate::process::Cpu;
use crate::sample::Sample;

/// How often each side gets its turn.
const TURNS: u32 = 4;
/// How long each side runs before anything counts.
pub const WARM_UP: Duration = Duration::from_millis(100);

/// A server, and who asks it.
pub struct Side<'a> {
    server: &'a Server,
    clients: Vec<Client>,
}

impl<'a> Side<'a> {
    /// So many clients of a server.
    pub async fn of<S: Script + 'static>(
        server: &'a Server,
        clients: usize,
        script: impl Fn(usize) -> S,
    ) -> Result<Self, BenchError> {
        let clients = Client::all(server.address, (0..clients).map(script)).await?;
        Ok(Self { server, clients })
    }

    /// One turn.
    pub async fn turn(&mut self, lasting: Duration) -> Result<Sample, BenchError> {
        let before = Cpu::of(self.server.pid());
        let mut sample = closed(&mut self.clients, lasting).await?;
        sample.cpu = Cpu::of(self.server.pid()).since(&before);
        Ok(sample)
    }
}

/// Both sides by turns, each for so long in all.
pub async fn by_turns(
    first: &mut Side<'_>,
    second: &mut Side<'_>,
    lasting: Duration,
) -> Result<(Sample, Sample), BenchError> {
    first.turn(WARM_UP).await?;
    second.turn(WARM_UP).await?;
    let mut both = (Sample::default(), Sample::default());
    for _ in 0..TURNS {
        both.0.add(&first.turn(lasting / TURNS).await?);
        both.1.add(&second.turn(lasting / TURNS).await?);
    }
    Ok(both)
}

/// The body of an answer, and its `ETag`.
pub async fn look(address: SocketAddr, request: &[u8]) -> Result<(Vec<u8>, Option<String>), BenchError> {
    let mut connection = Connection::open(address).await?;
    let answer = connection.look(request).await?;
    if answer.status != 200 {
        return Err(BenchError::Unexpected {
            status: answer.status,
            body: String::from_utf8_lossy(answer.body).into(),
        });
    }
    Ok((answer.body.to_vec(), answer.etag))
}
