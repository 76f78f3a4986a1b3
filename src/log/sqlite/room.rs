//! Reserves disk space for the WAL index, the file `…-shm`, which SQLite maps into memory.
//!
//! If the disk has no room for a page of a mapped file, the process is killed by SIGBUS. SQLite itself writes one byte
//! to each new page of 4 KiB. That reserves space on a disk with blocks of 4 KiB, but not with smaller blocks. So this
//! module reserves all the space before SQLite needs it. Without space no database is opened, since the first process
//! that opens it makes the index anew. A copy-on-write file system does not keep reserved space: there the file is
//! marked to stay in place (Linux 6.18 does that for mapped memory, older versions may not), and nothing is written
//! when little space is left.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FallocateFlags, IFlags, fallocate, ioctl_getflags, ioctl_setflags, statfs};
use rustix::io::Errno;

/// Bytes of the index, and the frames of the WAL that they are for (the first region has some fewer).
/// <https://sqlite.org/walformat.html#the_wal_index_file_format>
const REGION_BYTES: u64 = 32 * 1024;
const REGION_FRAMES: u64 = 4_062;
/// The size of a page with the header of its frame.
const FRAME_BYTES: u64 = 4_096 + 24;
/// Regions that are reserved beyond those in use. One region is more than a batch fills.
const REGIONS_AHEAD: u64 = 2;

/// Copy-on-write file systems: btrfs, bcachefs, ZFS. <https://man7.org/linux/man-pages/man2/statfs.2.html>
const COPY_ON_WRITE: [u32; 3] = [0x9123_683e, 0xca45_1a4e, 0x2fc1_2fc1];
/// How much space must stay free there, in bytes.
const LEFT_FREE_BYTES: u64 = 16 * 1024 * 1024;
/// How much may be written there before the free space is read again.
const LOOK_AGAIN_BYTES: u64 = 1024 * 1024;

/// The files whose space was reserved here, by device and inode. They stay open: closing any handle of a file ends all
/// locks that this process has on it, and SQLite locks these files.
/// <https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_>
static OPEN: Mutex<BTreeMap<(u64, u64), Open>> = Mutex::new(BTreeMap::new());

/// A file whose space was reserved, with its path.
#[derive(Debug)]
struct Open {
    path: PathBuf,
    file: File,
}

/// The ending of a trial file, with which the space for a database is tested before it is opened. It is removed at
/// once.
const TRIED: &str = "-room";

/// Reserves space before each transaction that writes.
#[derive(Debug)]
pub struct IndexRoom {
    index: PathBuf,
    wal: PathBuf,
    folder: PathBuf,
    has_room_bytes: u64,
    /// On a copy-on-write file system: how much was written since the free space was read.
    unlooked_bytes: Option<u64>,
}

impl IndexRoom {
    /// Reserves the space for opening the database in the file `database`.
    ///
    /// # Errors
    /// There is no space to open it, or the file system cannot be read.
    pub fn before_opening(database: &Path) -> io::Result<Self> {
        let beside = |end: &str| {
            let mut name = database.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        let folder = match database.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            Some(_) | None => PathBuf::from("."),
        };
        let is_copy_on_write = COPY_ON_WRITE.contains(&(statfs(&folder)?.f_type as u32));
        let unlooked_bytes = is_copy_on_write.then_some(LOOK_AGAIN_BYTES);
        let mut room = Self { index: beside("-shm"), wal: beside("-wal"), folder, has_room_bytes: 0, unlooked_bytes };
        room.leave_some_free(0)?;
        if is_copy_on_write {
            stay_in_place(&room.index)?;
        }
        try_room(&beside(TRIED), room.needed_bytes(0))?;
        Ok(room)
    }

    /// Reserves the index's space for a transaction that writes `bytes` bytes.
    ///
    /// # Errors
    /// There is no space.
    pub fn make(&mut self, bytes: u64) -> io::Result<()> {
        self.leave_some_free(bytes)?;
        let needed = self.needed_bytes(bytes);
        if self.has_room_bytes < needed {
            reserve(&self.index, needed)?;
            self.has_room_bytes = needed;
        }
        Ok(())
    }

    fn needed_bytes(&self, bytes: u64) -> u64 {
        let wal_bytes = self.wal.metadata().map_or(0, |wal| wal.len());
        ((wal_bytes + 2 * bytes) / FRAME_BYTES / REGION_FRAMES + 1 + REGIONS_AHEAD) * REGION_BYTES
    }

    fn leave_some_free(&mut self, bytes: u64) -> io::Result<()> {
        let Some(unlooked) = &mut self.unlooked_bytes else { return Ok(()) };
        *unlooked += bytes;
        if *unlooked < LOOK_AGAIN_BYTES {
            return Ok(());
        }
        let found = statfs(&self.folder)?;
        let free = found.f_bavail.saturating_mul(found.f_bsize.unsigned_abs());
        if free < LEFT_FREE_BYTES {
            return Err(Errno::NOSPC.into());
        }
        *unlooked = 0;
        Ok(())
    }
}

/// Creates a file that is marked to stay in place: the file system then writes its pages without new space. No process
/// has it open, so closing it ends no locks.
fn stay_in_place(path: &Path) -> io::Result<()> {
    match OpenOptions::new().create_new(true).write(true).open(path) {
        // If the file system has no such flag, the free space must be enough.
        Ok(file) => drop(ioctl_getflags(&file).and_then(|flags| ioctl_setflags(&file, flags | IFlags::NOCOW))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Tests whether there is space for `bytes` bytes now.
///
/// # Errors
/// There is no space, or no file can be made.
fn try_room(path: &Path, bytes: u64) -> io::Result<()> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let tried = take_room(&file, bytes);
    std::fs::remove_file(path)?;
    tried
}

/// Reserves disk space for the first `bytes` of a file. Its content stays.
///
/// # Errors
/// There is no space, or no such file.
fn reserve(path: &Path, bytes: u64) -> io::Result<()> {
    let mut all = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Forget files that are gone.
    all.retain(|id, open| open.path.metadata().is_ok_and(|found| (found.dev(), found.ino()) == *id));
    let id = path.metadata().map(|found| (found.dev(), found.ino()))?;
    let open = match all.entry(id) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(new) => {
            let file = OpenOptions::new().read(true).append(true).open(path)?;
            new.insert(Open { path: path.to_owned(), file })
        }
    };
    take_room(&open.file, bytes)
}

fn take_room(file: &File, bytes: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => append_zeros(file, bytes),
        reserved => Ok(reserved?),
    }
}

/// Reserves the space by writing zeros after the end, for a file system that cannot reserve it otherwise. SQLite has
/// not used these bytes yet.
fn append_zeros(file: &File, bytes: u64) -> io::Result<()> {
    let missing = bytes.saturating_sub(file.metadata()?.len());
    // The file is open in append mode, so this writes at its current end.
    file.write_all_at(&vec![0; usize::try_from(missing).unwrap_or(usize::MAX)], 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_file_gets_its_room_and_what_is_in_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db-shm");
        std::fs::write(&path, "abc").unwrap();
        reserve(&path, 100_000).unwrap();
        let found = path.metadata().unwrap();
        assert!(found.len() >= 100_000 && found.blocks() * 512 >= 100_000, "{} blocks", found.blocks());
        assert!(std::fs::read(&path).unwrap().starts_with(b"abc\0"));
        let file = OpenOptions::new().append(true).open(&path).unwrap();
        append_zeros(&file, 200_000).unwrap();
        assert_eq!(path.metadata().unwrap().len(), 200_000);
    }

    #[test]
    fn the_index_has_room_for_more_than_the_wal_will_need() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log.db");
        std::fs::write(folder.path().join("log.db-shm"), "").unwrap();
        let mut room = IndexRoom::before_opening(&log).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "what was tried is gone");
        for wal_bytes in [0, 4_000_000, 100_000_000] {
            let wal = File::create(folder.path().join("log.db-wal")).unwrap();
            wal.set_len(wal_bytes).unwrap();
            room.make(800_000).unwrap();
            let frames = (wal_bytes + 1_600_000) / FRAME_BYTES;
            let needed = (frames / REGION_FRAMES + 2) * REGION_BYTES;
            assert!(folder.path().join("log.db-shm").metadata().unwrap().len() >= needed, "{wal_bytes}");
        }
    }
}
