//! How the git program is called, and what its failures mean.
//!
//! Nothing of a repository or of the caller's environment may run a program, ask a
//! question or lead to another repository.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::RepoError;

/// The git program with nothing of the machine's configuration that could run a
/// program, ask a question or change what a command prints.
pub(super) fn bare_git() -> Command {
    let mut command = Command::new("git");
    command
        .args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.quotePath=false",
        ])
        .args([
            "-c",
            "gc.auto=0",
            "-c",
            "maintenance.auto=false",
            "-c",
            "protocol.ext.allow=never",
            // An answer that does not come is an error, and not a wait without end.
            "-c",
            "http.lowSpeedLimit=1000",
            "-c",
            "http.lowSpeedTime=60",
        ])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("LC_ALL", "C");
    for variable in OF_A_CALLER {
        command.env_remove(variable);
    }
    command
}

/// What git sets for a hook, or a user for one call: it means another repository.
const OF_A_CALLER: &[&str] = &[
    "GIT_DIR",
    "GIT_COMMON_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_ATTR_SOURCE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXTERNAL_DIFF",
    "GIT_LITERAL_PATHSPECS",
    "GIT_TRACE",
];

/// The most bytes that one answer of git may have: the paths of some 1.3 million files.
/// Whoever opens a pull decides how many there are.
pub(super) const ANSWER_MAX: u64 = 128 << 20;

/// Runs git to its end; an answer of more than `max` bytes is a fault, and not held.
pub(super) fn bounded(
    what: &'static str,
    command: &mut Command,
    max: u64,
) -> Result<Output, RepoError> {
    let fault = |source| start_failure(what, source);
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(fault)?;
    let (said, faults) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = std::thread::scope(|scope| {
        let faults = scope.spawn(|| read_up_to(faults, max));
        let stdout = read_up_to(said, max);
        (
            stdout,
            faults.join().unwrap_or_else(|_panic| Ok(Vec::new())),
        )
    });
    // The pipes are closed by now, so that git ends, if it has not.
    let status = child.wait().map_err(fault)?;
    let (stdout, stderr) = (stdout.map_err(fault)?, stderr.map_err(fault)?);
    if stdout.len() as u64 > max {
        return Err(RepoError::TooMuch { what });
    }
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}

/// What comes from a pipe, and one byte more than `max` of it at most.
fn read_up_to(from: Option<impl Read>, max: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Why git does not open a directory.
pub(super) fn closed(dir: &Path, stderr: &[u8]) -> RepoError {
    if !dir.exists() {
        RepoError::NoDirectory(dir.to_owned())
    } else if String::from_utf8_lossy(stderr).contains("dubious ownership") {
        RepoError::Distrusted(dir.to_owned())
    } else {
        RepoError::NotARepository(dir.to_owned())
    }
}

/// A path that git printed on a line of its own, byte for byte.
pub(super) fn path_of(line: &[u8]) -> PathBuf {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    PathBuf::from(OsStr::from_bytes(line))
}

/// A path in a sentence: on one line, whatever its name.
pub(super) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars().filter(|c| !c.is_control()).collect()
}

pub(super) fn start_failure(what: &'static str, source: std::io::Error) -> RepoError {
    if source.kind() == std::io::ErrorKind::NotFound {
        RepoError::NoGit(source)
    } else {
        RepoError::Failed {
            what,
            message: source.to_string(),
        }
    }
}

pub(super) fn failed(what: &'static str, stderr: &[u8]) -> RepoError {
    let text = String::from_utf8_lossy(stderr);
    let message = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it gave no message");
    let mut message: String = message.chars().take(300).collect();
    let lacks = [
        "Could not read",
        "not a tree object",
        "missing blob",
        "promisor",
    ];
    if lacks.iter().any(|sign| message.contains(sign)) {
        message.push_str("; this clone lacks objects, clone again without --filter");
    }
    RepoError::Failed { what, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_too_long_is_a_fault_and_ends_git() {
        let mut version = bare_git();
        let whole = bounded("version", version.arg("version"), 1_000).unwrap();
        assert!(whole.stdout.starts_with(b"git version"));
        // The manual of a command is longer than a pipe holds.
        let mut list = bare_git();
        let cut = bounded("help", list.args(["help", "--all"]), 10).unwrap_err();
        assert!(matches!(cut, RepoError::TooMuch { what: "help" }), "{cut}");
        let exact = whole.stdout.len() as u64;
        let mut version = bare_git();
        assert!(bounded("version", version.arg("version"), exact).is_ok());
        let mut version = bare_git();
        assert!(bounded("version", version.arg("version"), exact - 1).is_err());
    }
}
