//! Names the extractors by their sources, so that no cached fact outlives them.
//!
//! Facts are kept on disk from one build to the next. A number that people must remember
//! to raise is forgotten once, and then a job is skipped by what an older reader saw.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// What facts depend on: the extractors, their vocabulary, and the parsers' versions.
const SOURCES: [&str; 3] = ["src/engine/graph", "src/engine/facts.rs", "Cargo.lock"];

fn main() -> io::Result<()> {
    // Cargo starts it at the root of the package.
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        collect(Path::new(source), &mut files)?;
    }
    files.sort();
    let mut digest = 0xcbf2_9ce4_8422_2325;
    for file in files {
        digest = fnv(digest, &fs::read(file)?);
    }
    println!("cargo::rustc-env=TRIMTAB_EXTRACTORS={digest:016x}");
    Ok(())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.extend(path.exists().then(|| path.to_owned()));
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}

/// FNV-1a, <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>, with the length
/// of each file at its end.
fn fnv(digest: u64, bytes: &[u8]) -> u64 {
    let step = |digest: u64, byte: &u8| (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let digest = bytes.iter().fold(digest, step);
    bytes.len().to_le_bytes().iter().fold(digest, step)
}
