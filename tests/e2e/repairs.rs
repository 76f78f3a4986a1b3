//! Rows of read models that were altered by hand, set right while everyone else is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use reqwest::Method;
use serde_json::json;
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use tokio::task::JoinSet;

use crate::server::{Answer, Server};

const USERS: u64 = 20;
const CHARGES: u64 = 10;
/// Who is set right, and whose row is as wrong and is left alone.
const MENDED: u64 = 3;
const LEFT: u64 = 4;
/// Those who ask meanwhile, and how many answers they get at least.
const READERS: u64 = 8;
const QUERIES: u64 = 2_000;

/// Where the read models are.
enum Tables {
    File,
    Postgres { url: String, name: String },
}

impl Tables {
    /// Runs a statement, or tells the first column of a query's rows.
    async fn sql(&self, server: &Server, sql: &str) -> Vec<String> {
        match self {
            Self::File => {
                let file = server.folder().join("read-models.db");
                let mut connection = sqlx::sqlite::SqliteConnectOptions::new().filename(file).connect().await.unwrap();
                let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            Self::Postgres { name, .. } => {
                let postgres = private_postgres::shared().unwrap();
                let schema = "SELECT schemaname FROM pg_tables WHERE tablename = 'point_history'";
                let schema = postgres.sql(name, schema);
                let sql = format!("SET search_path = {schema}; {sql}");
                postgres.sql(name, &sql).lines().map(str::to_owned).collect()
            }
        }
    }

    /// Rows of a table, as text.
    async fn rows(&self, server: &Server, table: &str, which: &str) -> Vec<String> {
        let changing = if table == "balances" { "balance" } else { "balance_after" };
        let columns = format!("user_id || ' ' || position || ' ' || {changing}");
        self.sql(server, &format!("SELECT {columns} FROM {table} WHERE {which} ORDER BY user_id, position")).await
    }

    /// Rows of whoever else, and who has written each, as far as the database knows.
    async fn others(&self, server: &Server, table: &str) -> (Vec<String>, Vec<String>) {
        let others = format!("user_id <> {MENDED}");
        let writers = match self {
            Self::File => Vec::new(),
            Self::Postgres { .. } => {
                let writers = format!("SELECT xmin::text FROM {table} WHERE {others} ORDER BY user_id, position");
                self.sql(server, &writers).await
            }
        };
        (self.rows(server, table, &others).await, writers)
    }
}

/// Asks for histories and the line until it is told to stop.
async fn read_on(server: Arc<Server>, user: u64, stop: Arc<AtomicBool>, answered: Arc<AtomicU64>) {
    let token = server.token(user).await;
    let history = format!("/api/users/{user}/points/history");
    while !stop.load(Ordering::Relaxed) {
        for path in [&*history, "/api/queue"] {
            server.get(path, &token).await.ok();
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn are_set_right(tables: Tables) {
    let read_models = match &tables {
        Tables::File => Vec::new(),
        Tables::Postgres { url, .. } => vec!["--read-models", url],
    };
    let server = Arc::new(Server::start(&[&["--demo", "--operations", "127.0.0.1:0"], &read_models[..]].concat()));
    let ask = async |path: &str, body| {
        Answer::of(server.request_operations(Method::POST, path).json(&body)).await.ok().clone()
    };
    for user in 1..=USERS {
        server.token(user).await;
        for _ in 0..CHARGES {
            ask(&format!("/api/operations/users/{user}/charges"), json!({ "amount": 5 })).await;
        }
    }
    let end = Answer::of(server.ask_operations("/api/operations/head")).await.ok()["position"].clone();
    for path in [format!("/api/operations/users/{LEFT}/points/history"), "/api/operations/sales".to_owned()] {
        Answer::of(server.ask_operations(&format!("{path}?minPosition={end}"))).await.ok();
    }
    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut readers = JoinSet::new();
    for reader in 0..READERS {
        readers.spawn(read_on(Arc::clone(&server), 10 + reader, Arc::clone(&stop), Arc::clone(&answered)));
    }
    let mut rounds = 0;
    while rounds < 3 || answered.load(Ordering::Relaxed) < QUERIES {
        for (table, wrong, repaired) in
            [("balances", "balance = 1", 1), ("point_history", "balance_after = balance_after + 1", CHARGES)]
        {
            let right = tables.rows(&server, table, "true").await;
            let spoil = async |user: u64| {
                tables.sql(&server, &format!("UPDATE {table} SET {wrong} WHERE user_id = {user}")).await;
            };
            let mend = async |user: u64| {
                let path = format!("/api/operations/projections/{table}/repair");
                assert_eq!(ask(&path, json!({ "userId": user })).await["repaired"], repaired, "{table}");
            };
            spoil(MENDED).await;
            spoil(LEFT).await;
            let others = tables.others(&server, table).await;
            mend(MENDED).await;
            assert_eq!(tables.others(&server, table).await, others, "{table}: no other row is touched");
            mend(LEFT).await;
            assert_eq!(tables.rows(&server, table, "true").await, right, "{table}");
        }
        rounds += 1;
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(read) = readers.join_next().await {
        read.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_one_user_are_set_right_and_no_others_while_thousands_of_queries_are_answered() {
    are_set_right(Tables::File).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_holds_of_rows_in_postgres() {
    let Some(postgres) = private_postgres::shared() else { return };
    let url = postgres.database();
    let name = url.rsplit('/').next().unwrap().to_owned();
    are_set_right(Tables::Postgres { url, name }).await;
}
