//! A server of the test's own, in a folder and on a port of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row};
use tempfile::TempDir;

use crate::contract;

/// The demo's fixed token of user 1.
pub const TOKEN_1: &str = "96cdc907-fbae-4ebb-8c60-b27fa841b60d";
/// The demo's fixed token of user 2.
pub const TOKEN_2: &str = "eca61a00-954d-4a88-ade7-d24fbd53d588";

/// How long an answer may take. The client has been seen to wait for ever where a server is killed while it connects.
const ANSWER_DEADLINE: Duration = Duration::from_secs(120);

/// A running server.
pub struct Server {
    child: Child,
    base: String,
    client: reqwest::Client,
    output: Arc<Mutex<String>>,
    /// Ends with the server's last word.
    listener: Option<std::thread::JoinHandle<()>>,
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

/// The program with these arguments, on this folder.
pub fn reprise(folder: &Path, arguments: &[&str]) -> Command {
    // The tests' client asks for a cryptography to be chosen, also for what is not encrypted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut command = Command::new(env!("CARGO_BIN_EXE_reprise"));
    command.args(arguments).arg("--data").arg(folder).stdin(Stdio::null());
    command
}

/// A log of so many events, all of them long ago, that was never served.
pub fn made(events: u64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, error) = run(reprise(folder.path(), &["bench", "make-log", "--events", &events.to_string()]));
    assert_eq!(code, 0, "{error}");
    folder
}

impl Server {
    /// A demo in a folder that goes away with it.
    pub fn demo() -> Self {
        Self::start(&["--demo"])
    }

    /// A server in a folder that goes away with it.
    pub fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self::start_in(folder.path(), arguments);
        server._temporary = Some(folder);
        server
    }

    /// A server in `folder`; returns once it listens.
    pub fn start_in(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_as(folder, arguments, &[])
    }

    /// The same, with more in its environment.
    pub fn start_as(folder: &Path, arguments: &[&str], environment: &[(&str, PathBuf)]) -> Self {
        let mut command = reprise(folder, &["serve", "--listen", "127.0.0.1:0"]);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let output = Arc::new(Mutex::new(String::new()));
        let base = loop {
            let mut line = String::new();
            let ended = lines.read_line(&mut line).unwrap() == 0;
            output.lock().unwrap().push_str(&line);
            assert!(!ended, "the server did not start: {}", output.lock().unwrap());
            if let Some((_, address)) = line.split_once("listening on ") {
                break address.trim().split('"').next().unwrap().to_owned();
            }
        };
        let said = Arc::clone(&output);
        let listener = std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                said.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        let client = reqwest::Client::builder().timeout(ANSWER_DEADLINE).build().unwrap();
        Self { child, base, client, output, listener: Some(listener), folder: folder.to_owned(), _temporary: None }
    }

    /// A request, with a token where one is given.
    pub fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        if token.is_empty() { request } else { request.header("Authorization", token) }
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        Answer::of(self.request(Method::GET, path, token)).await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::POST, path, token).json(&body)).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path, token)).await
    }

    /// What operators ask a server that listens for them.
    pub fn ask_operations(&self, path: &str) -> RequestBuilder {
        self.request_operations(Method::GET, path)
    }

    /// The same, by another method.
    pub fn request_operations(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.operations_address()))
    }

    /// Where it listens for operators, without the scheme.
    pub fn operations_address(&self) -> String {
        let output = self.output();
        output.split("operations on http://").nth(1).and_then(|rest| rest.lines().next()).unwrap().to_owned()
    }

    /// The user's token.
    pub async fn token(&self, user: u64) -> String {
        let answer = self.post("/api/tokens", "", serde_json::json!({ "userId": user })).await;
        answer.ok()["token"].as_str().unwrap().to_owned()
    }

    /// Where it listens, without the scheme.
    pub fn address(&self) -> &str {
        self.base.strip_prefix("http://").unwrap()
    }

    /// All that it has said.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it exited with, once it has ended by itself.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and what it exits with.
    pub fn terminate(&mut self) -> ExitStatus {
        let kill = Command::new("kill").arg(self.pid().to_string()).status().unwrap();
        assert!(kill.success());
        let status = self.child.wait().unwrap();
        if let Some(listener) = self.listener.take() {
            listener.join().unwrap();
        }
        status
    }

    /// The types of the events in its log.
    pub async fn event_types(&self) -> Vec<String> {
        rows(&self.folder, "SELECT type FROM log ORDER BY position").await
    }

    /// How many events of this type its log has.
    pub async fn count(&self, event_type: &str) -> usize {
        self.event_types().await.iter().filter(|name| *name == event_type).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first column of a query on a folder's log.
pub async fn rows(folder: &Path, query: &'static str) -> Vec<String> {
    rows_in(folder, "log.db", query).await
}

/// The first column of a query on a file in a folder.
pub async fn rows_in(folder: &Path, file: &str, query: &'static str) -> Vec<String> {
    let options = SqliteConnectOptions::new().filename(folder.join(file)).read_only(true);
    let mut connection = options.connect().await.unwrap();
    let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        Self::try_of(request).await.unwrap()
    }

    /// Sends it, and holds what comes back against the contract.
    pub async fn try_of(request: RequestBuilder) -> reqwest::Result<Self> {
        let (client, request) = request.build_split();
        let request = request?;
        let asked = request.try_clone().expect("requests of these tests have their body at hand");
        let response = client.execute(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        // A stream has no end.
        let is_stream = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let bytes = if is_stream { Default::default() } else { response.bytes().await? };
        contract::hold(&contract::Exchange { request: &asked, status, headers: &headers, body: &bytes });
        Ok(Self { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    /// The body of a 200.
    pub fn ok(&self) -> &Value {
        assert_eq!(self.status, 200, "{}", self.body);
        &self.body
    }

    /// Status and code of a problem, after a look at its shape.
    pub fn problem(&self) -> (u16, &str) {
        let text = |member: &str| self.body[member].as_str().unwrap_or_else(|| panic!("no {member} in {}", self.body));
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], self.status.as_u16());
        assert_eq!(text("type"), format!("/problems/{}", text("code")));
        assert_eq!(text("instance"), self.headers["x-request-id"]);
        assert!(!text("title").is_empty() && !text("detail").is_empty());
        (self.status.as_u16(), text("code"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).to_str().unwrap()
    }
}

/// Runs the program to its end, which must come soon: exit code, standard output and error.
pub fn run(mut command: Command) -> (i32, String, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("the program does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let (mut output, mut error) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    (child.wait().unwrap().code().unwrap_or(-1), output, error)
}
