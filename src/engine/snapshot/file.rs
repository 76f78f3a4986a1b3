//! The format of a snapshot's file: one line of JSON that says what it is of ([`Header`]), the read models with the
//! state, and the SHA-256 of all that. The read models are in postcard's wire format (<https://postcard.jamesmunns.com/wire-format>); every map is ordered, so that one log has one snapshot.

use std::io::{self, BufWriter, Write};

use domain::Head;
use projections::ReadModels;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The version of the format that this file describes.
pub const FORMAT: u32 = 2;
/// The length of the checksum, in bytes.
const CHECKSUM_BYTES: usize = 32;
/// How much is written to the file at once, in bytes.
const BUFFER_BYTES: usize = 256 * 1024;

/// The first line of a snapshot: the log, the position, and the versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// [`ReadModels::FOLD_VERSION`].
    pub fold_version: u32,
    /// The log's id.
    pub log_id: Uuid,
    /// The last record folded.
    #[serde(flatten)]
    pub head: Head,
}

/// The part of the first line that every format has: what the log held when the snapshot was made.
#[derive(Debug, Deserialize)]
pub struct Claim {
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
    /// Makes the header of a snapshot of `models`. `None` before the first event.
    pub fn of(models: &ReadModels) -> Option<Self> {
        let log = models.state.log.as_ref()?;
        let (log_id, head) = (log.log_id, models.state.head);
        Some(Self { format: FORMAT, fold_version: ReadModels::FOLD_VERSION, log_id, head })
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
        if header.fold_version == ReadModels::FOLD_VERSION { Ok(header) } else { Err(Unusable::Outdated) }
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
pub fn write(file: impl Write, header: &Header, models: &ReadModels) -> io::Result<()> {
    let mut hashed = Hashed { file: BufWriter::with_capacity(BUFFER_BYTES, file), hasher: Sha256::new() };
    serde_json::to_writer(&mut hashed, header)?;
    hashed.write_all(b"\n")?;
    postcard::to_io(models, &mut hashed).map_err(io::Error::other)?;
    let Hashed { mut file, hasher, .. } = hashed;
    file.write_all(&hasher.finalize())?;
    file.flush()
}

/// Reads the read models of a file that [`Header::read`] has proved.
///
/// # Errors
/// The file cannot be parsed.
pub fn read(bytes: &[u8]) -> Result<ReadModels, Unusable> {
    let inconsistent = || Unusable::Damaged("its parts do not fit together");
    let header = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(inconsistent)? + 1;
    let end = bytes.len().checked_sub(CHECKSUM_BYTES).filter(|end| header <= *end).ok_or_else(inconsistent)?;
    postcard::from_bytes(&bytes[header..end]).map_err(|_| inconsistent())
}

/// Hashes what is written.
struct Hashed<W: Write> {
    file: BufWriter<W>,
    hasher: Sha256,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
