//! Files of the repository that a job changes and runs.
//!
//! What such a file runs is not what stands in the commit. A file that only is changed, or
//! is changed and read, is no matter: its text decides as before.

use super::programs::list;
use super::walk::{Invocation, Walk};
use super::{Opaque, OpaqueCause};
use crate::engine::shell::{Located, Word, locate};
use crate::engine::tree::{base_name, join};

impl Walk<'_> {
    /// A file of the repository whose text says what runs.
    pub(super) fn runs(&mut self, call: &Invocation, path: &str) {
        let origin = call.origin.clone();
        self.touched.run.entry(path.into()).or_insert(origin);
    }

    /// A file that is written.
    pub(super) fn writes(&mut self, call: &Invocation, word: &Word) {
        if let Located::Inside(path) = locate(&call.place, &word.text)
            && !word.unknown
            && !path.is_empty()
        {
            self.touched.written.insert(path);
        }
    }

    /// What a program writes that is told to.
    pub(super) fn written_by(&mut self, call: &Invocation, name: &str) {
        let words = call.words.get(1..).unwrap_or_default();
        let operands = || words.iter().filter(|word| !word.text.starts_with('-'));
        let has = |flags: &[&str]| {
            let texts = words.iter().map(|word| word.text.as_ref());
            texts.clone().any(|text| flags.contains(&text))
        };
        match name {
            "sed" | "gsed" | "perl" | "ruby" => {
                let in_place = words.iter().any(|word| {
                    let text = word.text.as_ref();
                    let letters = text.split('.').next().unwrap_or_default();
                    text.starts_with("--in-place")
                        || text.starts_with('-') && !text.starts_with("--") && letters.contains('i')
                });
                if in_place {
                    operands().for_each(|word| self.writes(call, word));
                }
            }
            "tee" | "truncate" | "sponge" | "touch" => {
                operands().for_each(|word| self.writes(call, word));
            }
            "cp" | "mv" | "install" | "ln" | "rsync" if has(&["-t"]) => {
                operands().for_each(|word| self.writes(call, word));
            }
            "cp" | "mv" | "install" | "ln" | "rsync" => {
                let all: Vec<&Word> = operands().collect();
                if let Some((to, from)) = all.split_last() {
                    self.copied(call, from, to);
                }
            }
            "curl" | "wget" | "sort" | "jq" | "yq" => {
                let flags = list("-o -O --output --output-document");
                for pair in words.windows(2) {
                    if let [flag, file] = pair
                        && flags.contains(&flag.text.as_ref())
                    {
                        self.writes(call, file);
                    }
                }
            }
            "dd" => {
                let to = words
                    .iter()
                    .filter_map(|word| word.text.strip_prefix("of="));
                to.for_each(|to| self.writes(call, &Word::literal(to)));
            }
            _ => {}
        }
    }

    fn copied(&mut self, call: &Invocation, from: &[&Word], to: &Word) {
        let Located::Inside(dir) = locate(&call.place, &to.text) else {
            return;
        };
        if !self.has_dir(&dir) {
            return self.writes(call, to);
        }
        for word in from {
            let path = join(&dir, base_name(word.text.trim_end_matches('/')));
            if let Some(path) = path.filter(|_| !word.unknown && !word.glob) {
                self.touched.written.insert(path.into());
            }
        }
    }

    /// Files that run and are written make the job opaque, in whatever order.
    pub(super) fn end_of_job(&mut self) {
        let is_written = |path: &str| {
            let written = self.touched.written.iter();
            let mut written = written.map(AsRef::as_ref);
            written.any(|it: &str| {
                path == it
                    || path
                        .strip_prefix(it)
                        .is_some_and(|rest| rest.starts_with('/'))
            })
        };
        let found: Vec<Opaque> = self
            .touched
            .run
            .iter()
            .filter(|(path, _)| is_written(path))
            .map(|(path, origin)| Opaque {
                origin: origin.clone(),
                cause: OpaqueCause::Shell(format!("{path}, which the job writes").into()),
            })
            .collect();
        self.out.opaque.extend(found);
    }
}
