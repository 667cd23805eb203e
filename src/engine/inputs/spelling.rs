//! Names in another case than the tree's, for machines that tell no cases apart.
//!
//! On macOS and Windows `B.TXT` is `b.txt`. What a job there names exactly covers every
//! path of the tree that is equal to it but for the case, and so does the directory of
//! a pattern. A machine that is not known to be a Linux one counts as one of these.
//!
//! It only adds: no name is taken for another one instead of itself.

use super::Input;
use super::walk::Walk;
use crate::engine::globs::Glob;
use crate::engine::pipeline::Job;

/// Parts of labels of machines whose file systems tell cases apart.
const EXACT: &[&str] = &["ubuntu", "linux", "debian", "alpine"];

/// Whether the machine of a job may take two names for one. `label` is each of its
/// labels, as far as they are known.
pub(super) fn folds_case(job: &Job, label: impl Fn(&str) -> String) -> bool {
    let labels = job.runner.iter().map(|it| label(it).to_ascii_lowercase());
    let mut labels = labels.peekable();
    labels.peek().is_some() && !labels.any(|label| EXACT.iter().any(|it| label.contains(it)))
}

impl Walk<'_> {
    /// Whether a path names a file on the machine of the job.
    pub(super) fn names_file(&self, path: &str) -> bool {
        self.has_file(path)
            || self.folds_case && {
                let spelled = self.context.memo.spelled(self.context.snapshot, path);
                spelled.iter().any(|other| self.has_file(other))
            }
    }

    /// Adds what the names of the job mean where cases are one.
    pub(super) fn spelled_otherwise(&mut self) {
        if !self.folds_case {
            return;
        }
        let parts = self.out.parts.iter();
        let more = parts.filter_map(|(input, origin)| {
            let input = self.other_spellings(input)?;
            Some((input, origin.clone()))
        });
        let more: Vec<_> = more.collect();
        self.out.parts.extend(more);
    }

    /// The same input with the names that the tree has for it; `None` when it has no
    /// others.
    fn other_spellings(&self, input: &Input) -> Option<Input> {
        let all = |globs: &[Glob]| {
            let found: Vec<Glob> = globs.iter().flat_map(|it| self.respelled(it)).collect();
            (!found.is_empty()).then_some(found)
        };
        Some(match input {
            Input::Entry(globs) => Input::Entry(all(globs)?),
            Input::Checked(globs) => Input::Checked(all(globs)?),
            Input::Compiled(globs) => Input::Compiled(all(globs)?),
            Input::Exact(globs) => Input::Exact(all(globs)?),
            Input::Tree { dir, .. } | Input::Unit(dir) | Input::Built(dir) => {
                let dirs = self.context.memo.spelled(self.context.snapshot, dir);
                let globs: Vec<Glob> = dirs.iter().map(|dir| Glob::below(dir, "**")).collect();
                if globs.is_empty() {
                    return None;
                }
                Input::Entry(globs)
            }
            Input::Shape(_) | Input::Except { .. } | Input::External { .. } => return None,
        })
    }

    /// A glob with its literal part as the tree spells it.
    fn respelled(&self, glob: &Glob) -> Vec<Glob> {
        let (head, tail) = glob.parts();
        if head.is_empty() {
            return Vec::new();
        }
        let spelled = self.context.memo.spelled(self.context.snapshot, &head);
        let globs = spelled.iter().map(|other| match &*tail {
            "" => Glob::path(other),
            tail => Glob::below(other, tail),
        });
        globs.collect()
    }
}
