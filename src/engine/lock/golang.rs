//! Reads `go.sum` with what the `go.mod` beside it requires.
//!
//! `go.sum` lists sums without saying who needs whom
//! (<https://go.dev/ref/mod#go-sum-files>): it is flat. Under a `vendor/` directory
//! the code itself is in the tree, and the sums decide nothing.

use sha2::{Digest as _, Sha256};

use super::document::{Document, fault, feed};
use super::network::{Draft, Lock, content};
use super::{Kind, Problem};
use crate::engine::packages::go::directives;
use crate::engine::tree::{Snapshot, dir_of, join};

/// Reads the file.
pub(super) fn read(path: &str, text: &str, snapshot: &Snapshot) -> Result<Lock, Problem> {
    let beside = |name: &str| join(dir_of(path), name);
    let vendored = beside("vendor/modules.txt").and_then(|path| snapshot.tree.find(&path));
    let mut draft = Draft::default();
    draft.flat();
    if vendored.is_some() {
        return Ok(draft.finish(path, Kind::Go));
    }
    for (number, line) in text.lines().enumerate() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields.as_slice() {
            [] => {}
            [name, version, _] => {
                let sum = content(&Document::Scalar(line.into()), &[]);
                // The sum of a go.mod is another entry of the same version.
                let version = version.trim_end_matches("/go.mod");
                draft.package(line, name, version, sum);
            }
            _ => {
                let mut fault = fault(path, "a line of go.sum is a module, a version and a sum");
                fault.line = u32::try_from(number + 1).unwrap_or_default();
                return Err(fault);
            }
        }
    }
    let manifest = beside("go.mod").and_then(|path| snapshot.text(&path));
    let mut hash = Sha256::new();
    for (directive, rest) in directives(manifest.unwrap_or_default()) {
        if !matches!(directive, "module" | "retract") {
            feed(&mut hash, b'd', directive);
            feed(&mut hash, b'r', rest);
        }
    }
    draft.salt(hash.finalize().into());
    Ok(draft.finish(path, Kind::Go))
}
