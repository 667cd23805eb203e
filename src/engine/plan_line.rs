//! The plan line: what a gated workflow may skip, as one line of text.
//!
//! `trimtab-plan-1 <head-sha> <pull> <workflow-key> <not-after> |job|job| end`
//!
//! The line is bound to a head, a pull and a workflow, because job ids are unique
//! only inside a workflow and two pulls can share a head. It ends in a word, so a
//! cut answer is no line, and it names descendants before their needs, so that
//! every prefix is closed. Whoever reads a line that is not exactly this, or not
//! theirs, or past its time, runs everything.
//!
//! The line holds nothing that a person wrote: ids outside the grammar are refused.

use sha2::{Digest as _, Sha256};

use super::ids::{ObjectId, PullNumber};

/// How long a line holds, in seconds.
pub const LIFETIME: u64 = 3600;

/// The longest line that readers accept, in bytes.
pub const LONGEST: usize = 16 * 1024;

/// The identity of a gated workflow: a hash of its path and its gated jobs, in hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkflowKey(String);

impl WorkflowKey {
    /// The key of a workflow file and its gated jobs; their order does not count.
    pub fn of(path: &str, gated: &[&str]) -> Self {
        let mut gated = gated.to_vec();
        gated.sort_unstable();
        let mut hash = Sha256::new();
        for part in [path].into_iter().chain(gated) {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let mut digits = super::fingerprint::Fingerprint(digest.into()).to_string();
        digits.truncate(32);
        Self(digits)
    }

    /// Reads a key as it stands in a workflow: 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 32
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One plan line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanLine {
    /// The head that the plan is for.
    pub head: ObjectId,
    /// The pull.
    pub pull: PullNumber,
    /// The workflow.
    pub workflow: WorkflowKey,
    /// The last second, since 1970, at which the line holds.
    pub not_after: u64,
    /// The jobs to skip, descendants first.
    pub skip: Vec<String>,
}

impl PlanLine {
    /// The line as text; `None` when a job id is outside the grammar or the line
    /// would be longer than readers accept. No line means that everything runs.
    pub fn text(&self) -> Option<String> {
        if !self.skip.iter().all(|job| is_job_id(job)) {
            return None;
        }
        let jobs: Vec<&str> = self
            .skip
            .iter()
            .flat_map(|job| [job.as_str(), "|"])
            .collect();
        let (head, pull, key) = (self.head, self.pull, self.workflow.as_str());
        let text = format!(
            "trimtab-plan-1 {head} {pull} {key} {:010} |{} end",
            self.not_after,
            jobs.concat()
        );
        (text.len() <= LONGEST).then_some(text)
    }

    /// Reads a whole line, nothing before or after it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut word = || words.next();
        if word()? != "trimtab-plan-1" {
            return None;
        }
        let (head, pull, key, not_after, jobs) = (word()?, word()?, word()?, word()?, word()?);
        if word()? != "end" || word().is_some() || not_after.len() != 10 {
            return None;
        }
        let jobs = jobs.strip_prefix('|')?;
        let skip: Vec<String> = if jobs.is_empty() {
            Vec::new()
        } else {
            jobs.strip_suffix('|')?
                .split('|')
                .map(str::to_owned)
                .collect()
        };
        let line = Self {
            head: head.parse().ok()?,
            pull: PullNumber(pull.parse().ok()?),
            workflow: WorkflowKey::parse(key)?,
            not_after: not_after.parse().ok()?,
            skip,
        };
        // Reading back what would be written refuses every other spelling at once.
        (line.text().as_deref() == Some(text)).then_some(line)
    }
}

/// `[A-Za-z_][A-Za-z0-9_-]*`
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_id>)
fn is_job_id(text: &str) -> bool {
    let tail = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(tail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(skip: &[&str]) -> PlanLine {
        PlanLine {
            head: ObjectId::from_bytes(&[0xa1; 20]).unwrap(),
            pull: PullNumber(7),
            workflow: WorkflowKey::of("ci.yml", &["unit", "lint"]),
            not_after: 1_800_000_000,
            skip: skip.iter().map(|job| (*job).to_owned()).collect(),
        }
    }

    #[test]
    fn a_line_is_written_as_documented() {
        let head = "a1".repeat(20);
        let key = WorkflowKey::of("ci.yml", &["lint", "unit"]);
        let expected = format!(
            "trimtab-plan-1 {head} 7 {} 1800000000 |unit|lint| end",
            key.as_str()
        );
        assert_eq!(line(&["unit", "lint"]).text(), Some(expected));
    }

    #[test]
    fn two_workflows_with_one_list_of_jobs_have_two_keys() {
        assert_ne!(
            WorkflowKey::of("a.yml", &["unit"]),
            WorkflowKey::of("b.yml", &["unit"])
        );
        assert_ne!(
            WorkflowKey::of("a.yml", &["ab", "c"]),
            WorkflowKey::of("a.yml", &["a", "bc"])
        );
    }

    #[test]
    fn an_id_outside_the_grammar_makes_no_line() {
        for id in ["", "a|b", "a b", "1a", "ä", "a/b", "a\nb"] {
            assert_eq!(line(&[id]).text(), None, "{id}");
        }
    }

    #[test]
    fn every_cut_of_a_line_is_no_line() {
        let text = line(&["unit", "lint"]).text().unwrap();
        for end in 0..text.len() {
            assert_eq!(PlanLine::parse(&text[..end]), None, "{}", &text[..end]);
        }
        assert_eq!(PlanLine::parse(&format!("{text} ")), None);
        assert_eq!(
            PlanLine::parse(&text.replace("1800000000", "01800000000")),
            None
        );
    }

    proptest! {
        #[test]
        fn a_line_survives_reading(skip in proptest::collection::vec("[A-Za-z_][A-Za-z0-9_-]{0,8}", 0..6)) {
            let skip: Vec<&str> = skip.iter().map(String::as_str).collect();
            let line = line(&skip);
            prop_assert_eq!(PlanLine::parse(&line.text().unwrap()), Some(line));
        }

        #[test]
        fn any_text_is_read_without_panic(text in any::<String>()) {
            prop_assert!(PlanLine::parse(&text).is_none());
        }
    }
}
