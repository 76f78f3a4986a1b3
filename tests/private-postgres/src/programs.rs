//! PostgreSQL's programs, and who may run them: its server refuses to run as root.

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Where Debian keeps the programs, one folder a version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// A folder without one of these is passed by: some have a link to a few of them.
const NEEDED: [&str; 5] = ["initdb", "postgres", "psql", "pg_isready", "pg_basebackup"];
/// Who runs a server for root, the first of them that exists.
const STAND_INS: [&str; 2] = ["postgres", "nobody"];

/// The folder that PostgreSQL's programs are in.
#[derive(Debug, Clone)]
pub struct Programs(PathBuf);

impl Programs {
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Someone who is not root.
#[derive(Debug, Clone, Copy)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
}

/// The PostgreSQL that `PATH` leads to, else the newest of this machine. Where there is none, tests leave out what needs one,
/// and say so.
pub fn find() -> Option<Programs> {
    let of_debian = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut of_debian: Vec<(u32, PathBuf)> = of_debian
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
        .collect();
    of_debian.sort();
    let search = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&search).chain(of_debian.into_iter().rev().map(|(_, place)| place));
    let found = places.find(|place| NEEDED.iter().all(|program| place.join(program).exists()));
    if found.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "CI must have PostgreSQL: install `postgresql`");
        // Past the harness, which keeps to itself what a test that passes prints.
        let _ = writeln!(std::io::stderr(), "left out: what needs PostgreSQL, which is not installed here");
    }
    found.map(Programs)
}

/// Who runs the server: someone else where we are root.
pub fn unprivileged() -> Option<User> {
    let own = std::fs::metadata("/proc/self").or_else(|_| std::fs::metadata(std::env::temp_dir()));
    if own.expect("every Unix has a temporary folder").uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("every Unix has users");
    let user = |name: &&str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map_while(|number| number.parse().ok());
        Some(User { uid: numbers.next()?, gid: numbers.next()? })
    };
    let found = STAND_INS.iter().find_map(user);
    assert!(found.is_some(), "root needs another user to run PostgreSQL: {STAND_INS:?}");
    found
}

/// A new folder that only `user` can look into. Whoever made it removes it.
pub fn folder_for(user: Option<User>) -> PathBuf {
    let folder = tempfile::Builder::new().prefix("private-postgres-").tempdir().expect("temporary folders can be made");
    let folder = folder.keep();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).expect("the folder is ours");
    if let Some(User { uid, gid }) = user {
        std::os::unix::fs::chown(&folder, Some(uid), Some(gid)).expect("root may give away");
    }
    folder
}

/// 32 hexadecimal digits that nobody can guess.
pub fn random_word() -> String {
    let mut bytes = [0; 16];
    let random = std::fs::File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes));
    random.expect("every Unix has randomness");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
