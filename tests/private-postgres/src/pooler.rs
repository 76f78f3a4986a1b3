//! PgBouncer before a server, as many put it there.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::programs::{User, folder_for, unprivileged};
use crate::{LOOK_AGAIN, Postgres, START_DEADLINE, free_port};

/// Where Debian keeps it.
const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// A pooler. Dropped, it is killed.
#[derive(Debug)]
pub struct Pooler {
    folder: PathBuf,
    port: u16,
    child: Child,
}

impl Pooler {
    /// PgBouncer with its own defaults and this `pool_mode`; `None` where it is not installed, which is said.
    ///
    /// # Panics
    /// It does not start.
    pub fn before(server: &Postgres, pool_mode: &str) -> Option<Self> {
        if !std::path::Path::new(PROGRAM).exists() {
            let _ = writeln!(std::io::stderr(), "left out: what needs PgBouncer, which is not installed here");
            return None;
        }
        let user = unprivileged();
        let (folder, port) = (folder_for(user), free_port());
        let users = folder.join("users");
        std::fs::write(&users, format!("\"postgres\" \"{}\"\n", server.password)).expect("the folder is ours");
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = {pool_mode}\n",
            server.port,
            users.display()
        );
        let file = folder.join("pgbouncer.ini");
        std::fs::write(&file, settings).expect("the folder is ours");
        let mut command = Command::new(PROGRAM);
        if let Some(User { uid, gid }) = user {
            for path in [&users, &file] {
                std::os::unix::fs::chown(path, Some(uid), Some(gid)).expect("root may give away");
            }
            command.uid(uid).gid(gid);
        }
        let child = command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it is installed");
        let pooler = Self { folder, port, child };
        let deadline = Instant::now() + START_DEADLINE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "PgBouncer does not start");
            std::thread::sleep(LOOK_AGAIN);
        }
        Some(pooler)
    }

    /// The URL of a database of the server, through it.
    pub fn url(&self, server: &Postgres, database: &str) -> String {
        server.url(database).replace(&server.address(), &format!("127.0.0.1:{}", self.port))
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
