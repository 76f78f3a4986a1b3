//! A PostgreSQL server of the tests' own: in a temporary folder, on a free port of 127.0.0.1, with `fsync` on, gone when its
//! test is, however that ends. It can be killed, started again, followed by a standby, and promoted.

mod pooler;
mod programs;

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub use crate::pooler::Pooler;
use crate::programs::{Programs, User};

/// How long a server may take to start, crash recovery included.
const START_DEADLINE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Settings of every server, beside PostgreSQL's own defaults, of which `fsync = on` is one.
const SETTINGS: &str = "unix_socket_directories = ''\nlisten_addresses = '127.0.0.1'\nmax_connections = 200\n";

/// Runs the server until its standard input says `stop`, or ends because the test did; then its folder goes too.
const KEEPER: &str = r#"
trap '' INT TERM HUP
"$1/postgres" -D "$2" -p "$3" >>"$4/server.log" 2>&1 &
server=$!
read -r word
kill -QUIT "$server" 2>/dev/null
wait "$server"
[ "$word" = stop ] || rm -rf "$4"
"#;

/// What a database, or a role, can have set, as unlike the defaults as can be and still durable. Whoever depends on one of
/// them must set it.
pub const UNUSUAL_SETTINGS: [&str; 32] = [
    "array_nulls = off",
    "backslash_quote = off",
    "bytea_output = escape",
    "client_encoding = LATIN1",
    "client_min_messages = error",
    "cursor_tuple_fraction = 1",
    "datestyle = 'SQL, DMY'",
    "default_transaction_deferrable = on",
    "default_transaction_isolation = serializable",
    "enable_bitmapscan = off",
    "enable_hashagg = off",
    "enable_indexscan = off",
    "enable_nestloop = off",
    "enable_sort = off",
    "escape_string_warning = off",
    "extra_float_digits = -15",
    "from_collapse_limit = 1",
    "idle_in_transaction_session_timeout = 1",
    "intervalstyle = sql_standard",
    "jit_above_cost = 0",
    "lc_numeric = 'C'",
    "lock_timeout = 1",
    "plan_cache_mode = force_custom_plan",
    "quote_all_identifiers = on",
    "row_security = on",
    "session_replication_role = replica",
    "standard_conforming_strings = off",
    "statement_timeout = 1",
    "synchronous_commit = remote_apply",
    "timezone = 'Asia/Kathmandu'",
    "transform_null_equals = on",
    "xmloption = document",
];

/// A server. Dropped, it is killed, and its folder is removed.
#[derive(Debug)]
pub struct Postgres {
    programs: Programs,
    user: Option<User>,
    /// Holds the cluster, the server's output and the superuser's password.
    folder: PathBuf,
    password: String,
    port: u16,
    keeper: Option<Child>,
}

/// The server that all tests of this process share. `None` where no PostgreSQL is installed, which is said in one line.
///
/// # Panics
/// None is installed, and `CI` is `true`: there it must be.
pub fn shared() -> Option<&'static Postgres> {
    static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
    SHARED.get_or_init(Postgres::start).as_ref()
}

impl Postgres {
    /// A new server of one's own; `None` as for [`shared`].
    ///
    /// # Panics
    /// It does not start.
    pub fn start() -> Option<Self> {
        let programs = programs::find()?;
        let user = programs::unprivileged();
        let folder = programs::folder_for(user);
        let password = programs::random_word();
        std::fs::write(folder.join("password"), &password).expect("the folder is ours");
        let mut server = Self { programs, user, folder, password, port: free_port(), keeper: None };
        let [cluster, password] = ["cluster", "password"].map(|name| server.folder.join(name).display().to_string());
        server.run("initdb", &["-D", &cluster, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", &password, "-N"]);
        server.configure(SETTINGS);
        server.go();
        Some(server)
    }

    /// A standby that follows this server under the name `standby`, with a copy of all that there is now.
    ///
    /// # Panics
    /// The copy cannot be made, or the standby does not start.
    pub fn standby(&self) -> Self {
        let Self { programs, user, password, .. } = self;
        let (programs, user, password) = (programs.clone(), *user, password.clone());
        let folder = programs::folder_for(user);
        let standby = Self { programs, user, folder, password, port: free_port(), keeper: None };
        let cluster = standby.cluster().display().to_string();
        let primary = format!("{} application_name=standby", self.connection("postgres"));
        standby.run("pg_basebackup", &["-d", &primary, "-D", &cluster, "-R", "-X", "stream", "-c", "fast", "-N"]);
        let mut standby = standby;
        standby.go();
        standby
    }

    /// Appends lines to the configuration; they count from the next start.
    ///
    /// # Panics
    /// The file cannot be written.
    pub fn configure(&self, lines: &str) {
        let path = self.cluster().join("postgresql.conf");
        let file = std::fs::OpenOptions::new().append(true).open(path);
        file.and_then(|mut file| file.write_all(lines.as_bytes())).expect("the cluster is ours");
    }

    /// Starts the server again after [`Postgres::kill`], on the same port, and waits until it takes connections.
    ///
    /// # Panics
    /// It does not come up.
    pub fn go(&mut self) {
        assert!(self.keeper.is_none(), "it runs");
        let deadline = Instant::now() + START_DEADLINE;
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(self.programs.path()).arg(self.cluster());
        keeper.arg(self.port.to_string()).arg(&self.folder).stdin(Stdio::piped()).stdout(Stdio::null());
        self.keeper = Some(self.as_user(&mut keeper).spawn().expect("there is a shell"));
        while !self.is_up() {
            assert!(Instant::now() < deadline, "PostgreSQL does not start: {}", self.output());
            sleep(LOOK_AGAIN);
        }
    }

    /// Ends the server at once, as a crash does: nothing is flushed, and the next start recovers from the WAL.
    ///
    /// # Panics
    /// It does not end.
    pub fn kill(&mut self) {
        let mut keeper = self.keeper.take().expect("it runs");
        keeper.stdin.take().expect("it is piped").write_all(b"stop\n").expect("the keeper listens");
        keeper.wait().expect("the keeper is our child");
    }

    /// Makes a standby a primary, and waits until it is one.
    pub fn promote(&self) {
        self.sql("postgres", "SELECT pg_promote()");
    }

    /// A new empty database: its URL.
    pub fn database(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// Host and port, as they stand in a URL's list of hosts.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Runs SQL as the superuser: what it prints, a line for each row.
    ///
    /// # Panics
    /// The server refuses it.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        self.run("psql", &["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", &self.connection(database), "-c", sql])
    }

    /// What the server has said.
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
    }

    fn is_up(&self) -> bool {
        let connection = self.connection("postgres");
        let mut command = Command::new(self.programs.path().join("pg_isready"));
        command.args(["-q", "-d", &connection]).status().is_ok_and(|status| status.success())
    }

    /// What a session begins with comes before what its database is set to: a timeout of a millisecond would end the very
    /// statement that ends it.
    fn connection(&self, database: &str) -> String {
        let (port, password) = (self.port, &self.password);
        let options = "-c statement_timeout=0 -c lock_timeout=0";
        format!("host=127.0.0.1 port={port} user=postgres password={password} dbname={database} options='{options}'")
    }

    fn cluster(&self) -> PathBuf {
        self.folder.join("cluster")
    }

    fn as_user<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if let Some(User { uid, gid }) = self.user {
            command.uid(uid).gid(gid);
        }
        command.current_dir("/").env("LC_ALL", "C.UTF-8")
    }

    /// Runs one of PostgreSQL's programs to its end: its standard output.
    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(self.programs.path().join(program));
        let ran = self.as_user(command.args(arguments).stdin(Stdio::null())).output().expect("it is installed");
        let error = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{program} failed: {error}");
        String::from_utf8_lossy(&ran.stdout).trim_end().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A port that nobody listens on just now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_committed_survives_a_kill_and_a_promotion() {
        let Some(mut primary) = Postgres::start() else { return };
        assert_eq!(primary.sql("postgres", "SHOW fsync"), "on");
        primary.sql("postgres", "CREATE TABLE kept (number INTEGER); INSERT INTO kept VALUES (7)");
        primary.kill();
        primary.go();
        assert_eq!(primary.sql("postgres", "SELECT number FROM kept"), "7");
        let standby = primary.standby();
        assert_eq!(standby.sql("postgres", "SELECT pg_is_in_recovery()"), "t");
        drop(primary);
        standby.promote();
        assert_eq!(standby.sql("postgres", "SELECT number FROM kept"), "7");
        standby.sql("postgres", "INSERT INTO kept VALUES (8)");
    }

    #[test]
    fn a_server_that_is_dropped_leaves_nothing() {
        let Some(server) = Postgres::start() else { return };
        let (folder, port) = (server.folder.clone(), server.port);
        drop(server);
        assert!(!folder.exists());
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    }
}
