//! Somebody who asks another node with each request, and asks again, under the same key, until there is an answer.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::cluster::Nodes;
use crate::server::Answer;

/// How long a request waits for a node that does not answer.
const PATIENCE: Duration = Duration::from_secs(8);

/// A command under a key of its own, and its answer.
struct Asked {
    method: Method,
    path: String,
    body: Value,
    key: String,
    answer: Answer,
}

pub struct Shopper {
    pub user: u64,
    nodes: Nodes,
    /// The nodes that are asked, in turn.
    circle: Vec<usize>,
    next: AtomicUsize,
    token: Mutex<String>,
    asked: Mutex<Vec<Asked>>,
    client: reqwest::Client,
}

impl Shopper {
    pub fn new(user: u64, nodes: &Nodes) -> Self {
        let client = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        Self {
            user,
            nodes: Arc::clone(nodes),
            circle: (0..nodes.len()).collect(),
            next: AtomicUsize::new(user as usize),
            token: Mutex::default(),
            asked: Mutex::default(),
            client,
        }
    }

    /// Asks only these.
    pub fn only_on(self, circle: impl IntoIterator<Item = usize>) -> Self {
        Self { circle: circle.into_iter().collect(), ..self }
    }

    /// Enters the room.
    pub async fn join(&self) {
        let joined = self.command(Method::POST, "/api/tokens", json!({ "userId": self.user })).await;
        *self.token.lock().unwrap() = joined.ok()["token"].as_str().unwrap().to_owned();
    }

    /// Charges, and sees at another node what that came to.
    pub async fn charge(&self, amount: u64) {
        let path = format!("/api/users/{}/points/charge", self.user);
        let charged = self.command(Method::POST, &path, json!({ "amount": amount })).await;
        let balance = charged.ok()["currentBalance"].as_u64().unwrap();
        let position = charged.header("log-position").to_owned();
        assert_eq!(self.balance(&position).await, balance, "user {} at position {position}", self.user);
    }

    /// The balance as of a position, at the next node.
    pub async fn balance(&self, position: &str) -> u64 {
        let path = format!("/api/users/{}/points/balance?minPosition={position}", self.user);
        self.until_answered(Method::GET, &path, None).await.ok()["balance"].as_u64().unwrap()
    }

    /// The newest movements of points as of what was charged last, at the next node: what each came to.
    pub async fn history(&self) -> Vec<u64> {
        let last = self.asked.lock().unwrap().last().unwrap().answer.header("log-position").to_owned();
        let path = format!("/api/users/{}/points/history?minPosition={last}", self.user);
        let answer = self.until_answered(Method::GET, &path, None).await;
        answer.ok().as_array().unwrap().iter().map(|movement| movement["balanceAfter"].as_u64().unwrap()).collect()
    }

    /// A command, asked until it is answered: what it was answered, and that is kept.
    pub async fn command(&self, method: Method, path: &str, body: Value) -> Answer {
        let key = format!("{}-{}", self.user, self.asked.lock().unwrap().len());
        let answer = self.until_answered(method.clone(), path, Some((&body, &key))).await;
        assert_ne!(answer.status, 401, "{}: a node did not know the token: {}", self.user, answer.body);
        let asked = Asked { method, path: path.to_owned(), body, key, answer: answer.clone() };
        self.asked.lock().unwrap().push(asked);
        answer
    }

    /// Asks one node after the other until one answers. A 503 and a broken connection answer nothing.
    async fn until_answered(&self, method: Method, path: &str, command: Option<(&Value, &str)>) -> Answer {
        loop {
            let number = self.circle[self.next.fetch_add(1, Ordering::Relaxed) % self.circle.len()];
            let url = format!("{}{path}", self.nodes[number].read().unwrap());
            let mut request = self.client.request(method.clone(), url);
            let token = self.token.lock().unwrap().clone();
            if !token.is_empty() {
                request = request.header("Authorization", token);
            }
            if let Some((body, key)) = command {
                request = request.header("Idempotency-Key", key).json(body);
            }
            match Answer::try_of(request).await {
                Ok(answer) if answer.status != 503 => return answer,
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Everything again under its key: it has the same answer, and so has happened once. Tells how much that was.
    pub async fn settle(self) -> usize {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        for Asked { method, path, body, key, answer: first } in asked.iter().filter(|asked| asked.answer.status == 200)
        {
            let again = self.until_answered(method.clone(), path, Some((body, key))).await;
            if again.headers.contains_key("idempotent-replayed") {
                assert_eq!(again.header("log-position"), first.header("log-position"));
            }
            assert_eq!(timeless(again.ok()), timeless(first.ok()), "{key} was answered and is lost");
        }
        asked.len()
    }
}

/// Without what counts seconds and people, which is as of now.
fn timeless(body: &Value) -> Value {
    let mut body = body.clone();
    for member in ["expiresInSeconds", "ahead", "estimatedWaitSeconds"] {
        body.as_object_mut().unwrap().remove(member);
    }
    body
}
