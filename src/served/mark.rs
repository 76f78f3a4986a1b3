//! The file `served` in the data folder: two slots, written in turn, each with a number and a checksum. A torn slot
//! does not count; then the other one is used.
//!
//! A slot is written before anybody is told of the record that it holds. It is not synced at once: a killed process
//! loses nothing that it has given to the system. Once a second, and at a stop, a thread syncs the file, and nobody
//! waits for it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{Hash, Head, Position};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Served;
use crate::log::{is_full, sync_names};

/// The file's name in the data folder.
pub const MARK_FILE: &str = "served";
/// The name of the file while it is made.
const UNFINISHED: &str = "served.new";
/// The first bytes of a slot.
const FORMAT: &[u8; 8] = b"served/1";
/// The bytes of a slot without the checksum: format, number, log id, position and hash.
const CONTENT_BYTES: usize = 8 + 8 + 16 + 8 + 32;
const SLOT_BYTES: usize = CONTENT_BYTES + 32;
/// The distance of the two slots: they share no sector and no page.
const SLOT_DISTANCE: u64 = 4_096;
/// How often the file is synced.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// The file, open for writing.
#[derive(Debug)]
pub struct ServedMark {
    shared: Arc<Shared>,
    number: u64,
    last: Served,
}

#[derive(Debug)]
struct Shared {
    file: File,
    path: PathBuf,
    /// True if there is something to sync.
    is_dirty: AtomicBool,
    /// The error of the thread that syncs, for the next caller.
    failed: Mutex<Option<io::Error>>,
}

impl ServedMark {
    /// Reads the mark in `folder`. `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be read, or neither slot is whole.
    pub fn read(folder: &Path) -> io::Result<Option<Served>> {
        match File::open(folder.join(MARK_FILE)) {
            Ok(file) => last_slot(&file).map(|(_, served)| Some(served)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the mark in `folder` for writing, writes `served` to it, and syncs it. A new file is made whole or not at
    /// all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin(folder: &Path, served: Served) -> io::Result<Self> {
        let path = folder.join(MARK_FILE);
        if !path.try_exists()? {
            let unfinished = folder.join(UNFINISHED);
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
            // This reserves disk space for both slots.
            let mut both = vec![0; SLOT_DISTANCE as usize + SLOT_BYTES];
            both[..SLOT_BYTES].copy_from_slice(&slot(2, &served));
            file.write_all(&both)?;
            file.sync_all()?;
            std::fs::rename(&unfinished, &path)?;
            sync_names(folder)?;
        }
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let number = last_slot(&file).map_or(2, |(number, _)| number);
        let (is_dirty, failed) = (AtomicBool::new(false), Mutex::default());
        let mut mark =
            Self { shared: Arc::new(Shared { file, path, is_dirty, failed }), number, last: Served::NOTHING };
        mark.write(served)?;
        mark.shared.sync()?;
        Ok(mark)
    }

    /// Writes `served`, before anybody is told of it.
    ///
    /// # Errors
    /// A write or a sync failed, now or earlier, or the file is not the one in the folder any more.
    pub fn write(&mut self, served: Served) -> io::Result<()> {
        self.check()?;
        if served == self.last {
            return Ok(());
        }
        let number = self.number + 1;
        self.shared.file.write_all_at(&slot(number, &served), SLOT_DISTANCE * (number % 2))?;
        (self.number, self.last) = (number, served);
        self.shared.is_dirty.store(true, Ordering::Release);
        Ok(())
    }

    /// Fails if the thread that syncs has failed.
    ///
    /// # Errors
    /// The thread's error.
    pub fn check(&self) -> io::Result<()> {
        let failed = self.shared.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.as_ref().map_or(Ok(()), |error| Err(again(error)))
    }

    /// Starts a task that syncs the file once a second, until this is dropped.
    pub fn keep_synced(&self) {
        let shared = Arc::downgrade(&self.shared);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(SYNC_EVERY).await;
                let Some(shared) = shared.upgrade() else { return };
                // The task only waits for the disk, so it cannot panic.
                let _ = tokio::task::spawn_blocking(move || shared.look_after()).await;
            }
        });
    }

    /// Syncs for the last time.
    pub async fn end(self) {
        let shared = self.shared;
        let _ = tokio::task::spawn_blocking(move || shared.look_after()).await;
    }
}

impl Shared {
    /// Syncs, and checks that the file is still the one that a start will find.
    fn look_after(&self) {
        let looked = self.is_in_place().and_then(|()| self.sync());
        if let Err(error) = looked {
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }

    fn sync(&self) -> io::Result<()> {
        if !self.is_dirty.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        match self.file.sync_data() {
            // A full disk is tried again. After any other failure a later success would mean nothing.
            Err(error) if is_full(&error) => {
                self.is_dirty.store(true, Ordering::Release);
                Ok(())
            }
            synced => synced,
        }
    }

    fn is_in_place(&self) -> io::Result<()> {
        let own = self.file.metadata()?;
        match std::fs::metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == (own.dev(), own.ino()) => Ok(()),
            Ok(_) => Err(gone(&self.path, "was replaced")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(gone(&self.path, "was removed")),
            Err(error) => Err(error),
        }
    }
}

fn gone(path: &Path, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{} {what} while the server ran", path.display()))
}

/// Makes a copy of an error.
fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

fn slot(number: u64, served: &Served) -> [u8; SLOT_BYTES] {
    let mut slot = [0; SLOT_BYTES];
    let mut rest = &mut slot[..];
    let parts: [&[u8]; 5] = [
        FORMAT,
        &number.to_be_bytes(),
        served.log_id.as_bytes(),
        &served.head.position.get().to_be_bytes(),
        served.head.hash.as_bytes(),
    ];
    for part in parts {
        rest.write_all(part).expect("the parts are as long as the slot");
    }
    let checksum = Sha256::digest(&slot[..CONTENT_BYTES]);
    slot[CONTENT_BYTES..].copy_from_slice(&checksum);
    slot
}

fn read_slot(slot: &[u8; SLOT_BYTES]) -> Option<(u64, Served)> {
    let (content, checksum) = slot.split_at(CONTENT_BYTES);
    let mut rest = content.strip_prefix(FORMAT)?;
    if *checksum != *Sha256::digest(content) {
        return None;
    }
    let (mut number, mut log_id, mut position, mut hash) = ([0; 8], [0; 16], [0; 8], [0; 32]);
    for part in [&mut number[..], &mut log_id, &mut position, &mut hash] {
        rest.read_exact(part).ok()?;
    }
    let head = Head { position: Position::new(u64::from_be_bytes(position)), hash: Hash::new(hash) };
    Some((u64::from_be_bytes(number), Served { log_id: Uuid::from_bytes(log_id), head }))
}

/// Reads the slot that was written last.
fn last_slot(file: &File) -> io::Result<(u64, Served)> {
    let read = |offset| {
        let mut slot = [0; SLOT_BYTES];
        file.read_exact_at(&mut slot, offset).ok().and_then(|()| read_slot(&slot))
    };
    let slots = [read(0), read(SLOT_DISTANCE)];
    let last = slots.into_iter().flatten().max_by_key(|(number, _)| *number);
    last.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "neither of its two slots can be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(position: u64) -> Served {
        let head = Head { position: Position::new(position), hash: Hash::new([position as u8; 32]) };
        Served { log_id: Uuid::from_u128(7), head }
    }

    #[test]
    fn a_folder_that_has_served_nothing_has_no_mark() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(ServedMark::read(folder.path()).unwrap(), None);
    }

    #[test]
    fn what_was_written_last_is_what_was_served() {
        let folder = tempfile::tempdir().unwrap();
        let mut mark = ServedMark::begin(folder.path(), Served::NOTHING).unwrap();
        assert_eq!(ServedMark::read(folder.path()).unwrap(), Some(Served::NOTHING));
        for position in [1, 2, 9, 5] {
            mark.write(served(position)).unwrap();
            assert_eq!(ServedMark::read(folder.path()).unwrap(), Some(served(position)));
        }
        ServedMark::begin(folder.path(), served(3)).unwrap();
        assert_eq!(ServedMark::read(folder.path()).unwrap(), Some(served(3)));
    }

    #[test]
    fn a_slot_that_was_torn_is_no_answer_and_the_other_one_is() {
        let folder = tempfile::tempdir().unwrap();
        let mut mark = ServedMark::begin(folder.path(), served(1)).unwrap();
        mark.write(served(2)).unwrap();
        mark.write(served(3)).unwrap();
        let path = folder.path().join(MARK_FILE);
        let whole = std::fs::read(&path).unwrap();
        let last = if whole.windows(32).take(SLOT_BYTES).any(|bytes| bytes == [3; 32]) { 0 } else { 4_096 };
        for byte in 0..SLOT_BYTES {
            let mut torn = whole.clone();
            torn[last + byte] ^= 1;
            std::fs::write(&path, torn).unwrap();
            assert_eq!(ServedMark::read(folder.path()).unwrap(), Some(served(2)), "byte {byte}");
        }
        std::fs::write(&path, vec![0; whole.len()]).unwrap();
        assert!(ServedMark::read(folder.path()).is_err());
        std::fs::write(&path, "").unwrap();
        assert!(ServedMark::read(folder.path()).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_mark_that_was_removed_or_replaced_is_noticed() {
        for replaced in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let mut mark = ServedMark::begin(folder.path(), served(1)).unwrap();
            mark.keep_synced();
            mark.write(served(2)).unwrap();
            let path = folder.path().join(MARK_FILE);
            std::fs::rename(&path, folder.path().join("away")).unwrap();
            if replaced {
                std::fs::write(&path, "another").unwrap();
            }
            while mark.check().is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            let error = mark.write(served(3)).unwrap_err().to_string();
            assert!(error.contains(if replaced { "replaced" } else { "removed" }), "{error}");
        }
    }
}
