//! Nodes on one log, which can be killed, frozen and started again.

use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::shopper::Shopper;
use crate::server::{Server, reprise, run};

/// Where each node can be asked just now; it is another port after a restart.
pub type Nodes = Arc<Vec<RwLock<String>>>;

pub struct Cluster {
    log: String,
    /// What every node is told besides.
    more: Vec<String>,
    folder: TempDir,
    nodes: Nodes,
    /// `None` while a node is down.
    servers: Vec<Mutex<Option<Server>>>,
}

impl Cluster {
    /// So many nodes, started at the same time on a log that nobody has made yet.
    pub fn start(log: &str, count: usize) -> Self {
        Self::start_with(log, count, &[])
    }

    /// The same, each with these arguments too.
    pub fn start_with(log: &str, count: usize, more: &[&str]) -> Self {
        let more = more.iter().map(|argument| (*argument).to_owned()).collect();
        let folder = tempfile::tempdir().unwrap();
        let nodes = (0..count).map(|_| RwLock::default()).collect();
        let servers = (0..count).map(|_| Mutex::default()).collect();
        let cluster = Self { log: log.to_owned(), more, folder, nodes: Arc::new(nodes), servers };
        std::thread::scope(|threads| {
            for number in 0..count {
                let cluster = &cluster;
                threads.spawn(move || cluster.restart(number));
            }
        });
        cluster
    }

    pub fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    pub fn folders(&self) -> impl Iterator<Item = PathBuf> {
        (0..self.servers.len()).map(|number| self.folder_of(number))
    }

    /// The key that they share.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    /// kill -9, if it runs, and a start.
    pub fn restart(&self, number: usize) {
        let key = self.key();
        let arguments = ["--identity", "open", "--capacity", "100000", "--log", &self.log, "--key-file"];
        let more: Vec<&str> = self.more.iter().map(String::as_str).collect();
        self.kill(number);
        let arguments = [&arguments[..], &[key.to_str().unwrap()], &more].concat();
        let server = Server::start_in(&self.folder_of(number), &arguments);
        *self.nodes[number].write().unwrap() = format!("http://{}", server.address());
        *self.servers[number].lock().unwrap() = Some(server);
    }

    /// kill -9, if it runs.
    pub fn kill(&self, number: usize) {
        drop(self.servers[number].lock().unwrap().take());
    }

    pub fn signal(&self, number: usize, name: &str) {
        let pid = self.with(number, |server| server.pid());
        let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until a node has stopped by itself: what it said.
    pub async fn stopped(&self, number: usize) -> String {
        while self.with(number, Server::has_ended).is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Its last line comes through a pipe.
        tokio::time::sleep(Duration::from_millis(200)).await;
        self.with(number, |server| server.output())
    }

    pub fn output(&self) -> String {
        (0..self.servers.len()).map(|number| self.output_of(number)).collect()
    }

    /// What one of them has said.
    pub fn output_of(&self, number: usize) -> String {
        self.with(number, |server| server.output())
    }

    /// SIGTERM, and what it exits with.
    pub fn terminate(&self, number: usize) -> ExitStatus {
        self.with(number, Server::terminate)
    }

    /// People who charge their wallets without pause, each request at another node, until they are told to stop.
    pub fn load(&self, people: u64) -> (Load, watch::Sender<bool>) {
        let (stop, stopped) = watch::channel(false);
        let charging = (1..=people).map(|user| {
            let (shopper, stopped) = (Shopper::new(user, &self.nodes), stopped.clone());
            tokio::spawn(async move {
                shopper.join().await;
                while !*stopped.borrow() {
                    shopper.charge(1 + user).await;
                }
                shopper
            })
        });
        (Load(charging.collect()), stop)
    }

    /// Imports a catalogue.
    pub fn import(&self, catalogue: &str) {
        let (file, folder) = (self.folder.path().join("catalogue.json"), self.folder.path().join("operator"));
        std::fs::write(&file, catalogue).unwrap();
        let key = self.key();
        let arguments = ["catalog", "import", file.to_str().unwrap(), "--log", &self.log, "--key-file"];
        let (code, _, error) = run(reprise(&folder, &[&arguments[..], &[key.to_str().unwrap()]].concat()));
        assert_eq!(code, 0, "{error}");
    }

    /// Proves the log from end to end, with every rule, beside the running nodes.
    pub fn audit(&self) {
        for tool in [["log", "verify"], ["audit", "all"]] {
            let (code, output, error) = run(reprise(self.folder.path(), &[&tool[..], &["--log", &self.log]].concat()));
            assert_eq!(code, 0, "{tool:?}: {output}{error}");
        }
    }

    fn folder_of(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("node{number}"))
    }

    fn with<T>(&self, number: usize, ask: impl FnOnce(&mut Server) -> T) -> T {
        ask(self.servers[number].lock().unwrap().as_mut().expect("it was started"))
    }
}

/// People who are charging.
pub struct Load(Vec<JoinHandle<Shopper>>);

impl Load {
    /// Once they have stopped: everything that was answered is there, once. Tells how much that was.
    pub async fn settle(self) -> usize {
        let mut answered = 0;
        for shopper in self.0 {
            answered += shopper.await.unwrap().settle().await;
        }
        answered
    }
}
