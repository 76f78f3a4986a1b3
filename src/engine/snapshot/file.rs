//! The format of a snapshot's file: one line of JSON that says what it is of ([`Header`]), the state, the read models,
//! the length of the state (8 bytes, big-endian), and the SHA-256 of all that. State and read models are in postcard's
//! wire format (<https://postcard.jamesmunns.com/wire-format>); every map is ordered, so that one log has one snapshot.

use std::io::{self, BufWriter, Write};

use domain::{Head, State};
use projections::ReadModels;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::engine::Replayed;

/// The version of the format that this file describes.
pub const FORMAT: u32 = 1;
/// The length of the state and the checksum, in bytes.
const TRAILER_BYTES: usize = 8 + 32;
/// How much is written to the file at once, in bytes.
const BUFFER_BYTES: usize = 256 * 1024;

/// The first line of a snapshot: the log, the position, and the versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// [`State::FOLD_VERSION`].
    pub state_version: u32,
    /// [`ReadModels::FOLD_VERSION`].
    pub read_models_version: u32,
    /// The log's id.
    pub log_id: Uuid,
    /// The last record folded.
    #[serde(flatten)]
    pub head: Head,
}

/// The reason why a file is not used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    #[error("another version of this program made it")]
    Outdated,
}

impl Header {
    /// Makes the header of a snapshot of `replayed`. `None` before the first event.
    pub fn of(replayed: &Replayed) -> Option<Self> {
        let log = replayed.state.log.as_ref()?;
        let (state_version, read_models_version) = (State::FOLD_VERSION, ReadModels::FOLD_VERSION);
        Some(Self { format: FORMAT, state_version, read_models_version, log_id: log.log_id, head: replayed.state.head })
    }

    /// Proves a file's checksum and reads its first line.
    ///
    /// # Errors
    /// The checksum does not fit, or another version of the program wrote the file.
    pub fn read(bytes: &[u8]) -> Result<Self, Unusable> {
        /// The member that every format has.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let format = serde_json::from_slice(line).map(|Format { format }| format);
        if format.is_ok_and(|format| format != FORMAT) {
            return Err(Unusable::Outdated);
        }
        must_be_whole(bytes)?;
        let header: Self = serde_json::from_slice(line).map_err(|_| Unusable::Damaged("its header cannot be read"))?;
        if (header.state_version, header.read_models_version) != (State::FOLD_VERSION, ReadModels::FOLD_VERSION) {
            return Err(Unusable::Outdated);
        }
        Ok(header)
    }
}

/// Proves the checksum of a file, whichever version of the program wrote it.
///
/// # Errors
/// The file is too short, or its checksum does not fit.
pub fn must_be_whole(bytes: &[u8]) -> Result<(), Unusable> {
    let (content, checksum) = bytes.split_last_chunk::<32>().ok_or(Unusable::Damaged("it is too short"))?;
    if *checksum == *Sha256::digest(content) { Ok(()) } else { Err(Unusable::Damaged("its checksum does not fit")) }
}

/// Writes a snapshot.
///
/// # Errors
/// `file` fails.
pub fn write(file: impl Write, header: &Header, replayed: &Replayed) -> io::Result<()> {
    let mut hashed = Hashed { file: BufWriter::with_capacity(BUFFER_BYTES, file), hasher: Sha256::new(), bytes: 0 };
    serde_json::to_writer(&mut hashed, header)?;
    hashed.write_all(b"\n")?;
    let begin = hashed.bytes;
    postcard::to_io(&replayed.state, &mut hashed).map_err(io::Error::other)?;
    let state_bytes = hashed.bytes - begin;
    postcard::to_io(&replayed.read_models, &mut hashed).map_err(io::Error::other)?;
    hashed.write_all(&state_bytes.to_be_bytes())?;
    let Hashed { mut file, hasher, .. } = hashed;
    file.write_all(&hasher.finalize())?;
    file.flush()
}

/// Reads the state and the read models of a file that [`Header::read`] has proved, each on its own thread.
///
/// # Errors
/// The file cannot be parsed.
pub fn read(bytes: &[u8]) -> Result<Replayed, Unusable> {
    let inconsistent = || Unusable::Damaged("its parts do not fit together");
    let header = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(inconsistent)? + 1;
    let end = bytes.len().checked_sub(TRAILER_BYTES).filter(|end| header <= *end).ok_or_else(inconsistent)?;
    let (parts, trailer) = (&bytes[header..end], &bytes[end..]);
    let state_bytes = trailer.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)).ok_or_else(inconsistent)?;
    let middle = usize::try_from(state_bytes).map_err(|_| inconsistent())?;
    let (state, read_models) = parts.split_at_checked(middle).ok_or_else(inconsistent)?;
    let (state, read_models) = std::thread::scope(|threads| {
        let state = threads.spawn(|| postcard::from_bytes(state));
        let read_models = postcard::from_bytes(read_models);
        (state.join(), read_models)
    });
    let state = state.map_err(|_| inconsistent())?.map_err(|_| inconsistent())?;
    Ok(Replayed { state, read_models: read_models.map_err(|_| inconsistent())? })
}

/// Counts and hashes what is written.
struct Hashed<W: Write> {
    file: BufWriter<W>,
    hasher: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
