//! Reads many blobs at once, on every core.
//!
//! Each worker drives one `git cat-file`, takes some blobs at a time from what is
//! left, and hands every blob to the caller's function as it arrives, so that
//! parsing overlaps inflating, all workers end together, and no more than one
//! blob a worker is held in memory. A blob over the limit is
//! passed by without being held.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

use super::program::start_failure;
use super::{Repo, RepoError};
use crate::engine::ids::ObjectId;

/// One blob, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blob<'a> {
    /// Its bytes.
    Content(&'a [u8]),
    /// It is larger than the limit; its size in bytes.
    TooLarge(u64),
    /// The repository does not have it (a partial clone, or not a blob).
    Missing,
}

/// Reads `ids`, each once, and calls `each` from several threads.
///
/// # Errors
/// The first failure of a worker; blobs that others read were handed over.
pub fn read_blobs(
    repo: &Repo,
    ids: &[ObjectId],
    limit: u64,
    each: &(dyn Fn(ObjectId, Blob<'_>) + Sync),
) -> Result<(), RepoError> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let workers = cores.min(ids.len() / CHUNK + 1).min(8);
    let chunks = Mutex::new(ids.chunks(CHUNK));
    std::thread::scope(|scope| {
        let run = |_| scope.spawn(|| read_chunks(repo, &chunks, limit, each));
        let running: Vec<_> = (0..workers).map(run).collect();
        let joined = running.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        joined.collect()
    })
}

/// How many blobs a worker takes at once: few, so that all end at the same time. Two such
/// requests fit into a pipe, so that writing them never waits.
const CHUNK: usize = 64;

/// Reads chunks until there are none left.
fn read_chunks(
    repo: &Repo,
    chunks: &Mutex<std::slice::Chunks<'_, ObjectId>>,
    limit: u64,
    each: &(dyn Fn(ObjectId, Blob<'_>) + Sync),
) -> Result<(), RepoError> {
    let take = || {
        let mut chunks = chunks.lock().unwrap_or_else(PoisonError::into_inner);
        chunks.next()
    };
    let Some(first) = take() else {
        return Ok(());
    };
    let mut command = repo.git();
    command.args(["cat-file", "--batch-command", "--buffer"]);
    let spawned = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = spawned.map_err(|source| start_failure("cat-file", source))?;
    let result = match (child.stdin.take(), child.stdout.take()) {
        (Some(stdin), Some(stdout)) => exchange((stdin, stdout), (first, &take), limit, each),
        _ => None,
    };
    // The answers were read to their end; how the child ends adds nothing.
    drop(child.kill());
    drop(child.wait());
    result.ok_or(RepoError::Unreadable { what: "cat-file" })
}

/// Asks for one chunk more than is being read, so that git always has work.
fn exchange<'i>(
    (mut stdin, stdout): (ChildStdin, ChildStdout),
    (first, take): (&'i [ObjectId], &dyn Fn() -> Option<&'i [ObjectId]>),
    limit: u64,
    each: &(dyn Fn(ObjectId, Blob<'_>) + Sync),
) -> Option<()> {
    let mut reader = BufReader::with_capacity(1 << 16, stdout);
    let mut buffer = Vec::new();
    ask(&mut stdin, first)?;
    let mut reading = Some(first);
    while let Some(chunk) = reading {
        reading = take();
        if let Some(next) = reading {
            ask(&mut stdin, next)?;
        }
        for id in chunk {
            let blob = read_one(&mut reader, &mut buffer, limit)?;
            each(*id, blob);
        }
    }
    Some(())
}

/// <https://git-scm.com/docs/git-cat-file>: `--batch-command`, with `--buffer`.
fn ask(stdin: &mut ChildStdin, ids: &[ObjectId]) -> Option<()> {
    let lines = ids.iter().map(|id| format!("contents {id}\n"));
    let asked = lines.collect::<String>() + "flush\n";
    stdin.write_all(asked.as_bytes()).ok()
}

/// `a1b2… blob 120<LF>…<LF>` or `a1b2… missing<LF>`
fn read_one<'b>(
    reader: &mut BufReader<ChildStdout>,
    buffer: &'b mut Vec<u8>,
    limit: u64,
) -> Option<Blob<'b>> {
    let mut header = String::new();
    reader.read_line(&mut header).ok()?;
    let mut fields = header.trim_end().split(' ');
    let _id = fields.next()?;
    let kind = fields.next()?;
    let Some(size) = fields.next().and_then(|size| size.parse::<u64>().ok()) else {
        return (kind == "missing").then_some(Blob::Missing);
    };
    buffer.clear();
    let mut body = reader.take(size + 1);
    if kind != "blob" || size > limit {
        std::io::copy(&mut body, &mut std::io::sink()).ok()?;
        return Some(if kind == "blob" {
            Blob::TooLarge(size)
        } else {
            Blob::Missing
        });
    }
    body.read_to_end(buffer).ok()?;
    let content = buffer.get(..usize::try_from(size).ok()?)?;
    Some(Blob::Content(content))
}
