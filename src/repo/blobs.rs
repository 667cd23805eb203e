//! Reads many blobs at once, on every core.
//!
//! Each worker drives one `git cat-file --batch` and hands every blob to the
//! caller's function as it arrives, so that parsing overlaps inflating and no
//! more than one blob a worker is held in memory. A blob over the limit is
//! passed by without being held.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{ChildStdout, Stdio};

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
    let workers = cores.min(ids.len() / 64 + 1).min(8);
    let share = ids.len().div_ceil(workers.max(1)).max(1);
    std::thread::scope(|scope| {
        let run = |part| scope.spawn(move || read_part(repo, part, limit, each));
        let running: Vec<_> = ids.chunks(share).map(run).collect();
        let joined = running.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        joined.collect()
    })
}

fn read_part(
    repo: &Repo,
    ids: &[ObjectId],
    limit: u64,
    each: &(dyn Fn(ObjectId, Blob<'_>) + Sync),
) -> Result<(), RepoError> {
    let mut command = repo.git();
    command.args(["cat-file", "--batch", "--buffer"]);
    let spawned = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = spawned.map_err(|source| start_failure("cat-file", source))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
        return Err(RepoError::Unreadable { what: "cat-file" });
    };
    let result = std::thread::scope(|scope| {
        scope.spawn(move || {
            let asked: Vec<String> = ids.iter().map(ObjectId::to_string).collect();
            // A reader that ended early closed the pipe; it tells the fault itself.
            drop(stdin.write_all((asked.join("\n") + "\n").as_bytes()));
        });
        let mut reader = BufReader::with_capacity(1 << 16, stdout);
        let mut buffer = Vec::new();
        ids.iter().try_for_each(|id| {
            let blob = read_one(&mut reader, &mut buffer, limit)?;
            each(*id, blob);
            Some(())
        })
    });
    // The answers were read to their end; how the child ends adds nothing.
    drop(child.kill());
    drop(child.wait());
    result.ok_or(RepoError::Unreadable { what: "cat-file" })
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
