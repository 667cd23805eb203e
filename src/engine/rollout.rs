//! How far `enforce` goes: the mode in force, which pulls take part, which run in full.
//!
//! Two have to want that jobs are skipped: the configuration of the repository and the
//! operator of the server, who has read the evidence. Where one of them wants less, less
//! holds. A pull outside the cohort is treated as in `advise`, and one that the holdout
//! drew runs in full. Both are drawn by a hash under a key that the server keeps, so that
//! nobody can choose a number that suits them, and a pull keeps its lot for life.
//!
//! What a maintainer said of a job, and what a skip may rest on, are handed on to the
//! verdicts; nothing here makes one.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::ids::{PullNumber, RepoKey};
use super::job_name;
use super::ownership::matcher;
use super::pipeline::EventContext;
use super::plan::{Basis, Mode};
use super::policy::{Cohort, Policy};
use super::verdict::JobFacts;

pub mod ramp;

/// What the server knows of a repository and a pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The mode that the operator has set; `None` when they never did.
    pub set: Option<Mode>,
    /// The lots of the pull.
    pub lots: Lots,
}

/// What was drawn for a pull, each from 0 to 9,999.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lots {
    cohort: u16,
    holdout: u16,
}

impl Lots {
    /// The lots of a pull; they stay the same for as long as the key does.
    pub fn of(key: &[u8; 32], repo: RepoKey, pull: PullNumber) -> Self {
        Self {
            cohort: draw(key, "cohort", repo, pull).unwrap_or(9_999),
            holdout: draw(key, "holdout", repo, pull).unwrap_or(0),
        }
    }
}

/// `None` only if the hash took no key, which it always does.
fn draw(key: &[u8; 32], what: &str, repo: RepoKey, pull: PullNumber) -> Option<u16> {
    let mut hash = Hmac::<Sha256>::new_from_slice(key).ok()?;
    hash.update(format!("{what} {} {} {pull}", repo.forge.as_str(), repo.repo).as_bytes());
    let digest = hash.finalize().into_bytes();
    let (first, _) = digest.split_first_chunk::<8>()?;
    u16::try_from(u64::from_be_bytes(*first) % 10_000).ok()
}

/// Whether a lot falls below a percentage.
fn below(lot: u16, percent: u8) -> bool {
    lot < u16::from(percent.min(100)) * 100
}

/// How a pull is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stance {
    /// The mode in force for it.
    pub mode: Mode,
    /// Why that is less than what the configuration says, as a sentence.
    pub note: Option<&'static str>,
    /// The holdout drew it: it runs in full.
    pub held_out: bool,
}

impl From<Mode> for Stance {
    fn from(mode: Mode) -> Self {
        Self {
            mode,
            note: None,
            held_out: false,
        }
    }
}

/// The mode from what the configuration states and what the operator has set.
///
/// A stated mode is bounded by the operator's, who allows `advise` unless they said
/// otherwise; where the file is silent, the operator's mode holds.
pub fn mode(stated: Option<Mode>, set: Option<Mode>) -> Mode {
    match stated {
        Some(stated) => stated.min(set.unwrap_or(Mode::Advise)),
        None => set.unwrap_or_default(),
    }
}

const NOT_ALLOWED: &str = "The configuration says `enforce`, which acts as a lower mode until an operator of this server allows it.";

/// How a pull that changes these paths is treated.
pub fn stance(policy: &Policy, terms: Terms, event: &EventContext, changed: &[&str]) -> Stance {
    let mode = mode(policy.mode, terms.set);
    if mode != Mode::Enforce {
        let wanted = policy.mode == Some(Mode::Enforce);
        return Stance {
            note: wanted.then_some(NOT_ALLOWED),
            ..mode.into()
        };
    }
    if let Some(note) = outside(&policy.enforce, terms.lots, event, changed) {
        return Stance {
            note: Some(note),
            ..Mode::Advise.into()
        };
    }
    Stance {
        held_out: below(terms.lots.holdout, policy.holdout),
        ..mode.into()
    }
}

/// A job that a maintainer said to skip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its id in the file, behind a workflow and a colon or not.
    pub job: String,
    /// Who said it, and why; foreign text.
    pub words: String,
}

/// Hands on what was said of jobs, and what the configuration lets a skip rest on.
pub fn hand_on(jobs: &mut [JobFacts], (policy, mode): (&Policy, Mode), told: &[Told]) {
    let withheld = mode == Mode::Enforce && !policy.enforce.bases.contains(&Basis::Unaffected);
    for job in jobs {
        let of_file = job.job.split(" / ").next().unwrap_or_default();
        let fits = |told: &&Told| job_name::names(&told.job, &job.workflow, of_file);
        let mut said = told.iter().filter(fits);
        job.told = said.next().map(|told| told.words.clone());
        job.withheld = withheld;
    }
}

/// Why a pull does not take part; `None` when it does.
fn outside(
    cohort: &Cohort,
    lots: Lots,
    event: &EventContext,
    changed: &[&str],
) -> Option<&'static str> {
    let matches = |wanted: &[Box<str>], given: &str| {
        wanted.iter().any(|name| name.eq_ignore_ascii_case(given))
    };
    let has_label = || {
        event
            .labels
            .iter()
            .any(|label| matches(&cohort.labels, label))
    };
    let has_path = || {
        let globs = cohort.paths.iter().filter_map(|glob| matcher(glob).ok());
        let globs: Vec<_> = globs.collect();
        changed
            .iter()
            .any(|path| globs.iter().any(|glob| glob.is_match(path)))
    };
    if !below(lots.cohort, cohort.percent) {
        Some("This pull is outside the percentage for which jobs are skipped, so every job runs.")
    } else if !cohort.users.is_empty() && !matches(&cohort.users, &event.author) {
        Some("Jobs are skipped for some authors only, so every job runs.")
    } else if !cohort.labels.is_empty() && !has_label() {
        Some("Jobs are skipped for pulls with some labels only, so every job runs.")
    } else if !cohort.paths.is_empty() && !has_path() {
        Some("Jobs are skipped for pulls that change some paths only, so every job runs.")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::{ForgeKind, InstallationId, RepoId};
    use crate::engine::policy;

    const REPO: RepoKey = RepoKey {
        forge: ForgeKind::Github,
        installation: InstallationId(1),
        repo: RepoId(2),
    };

    fn event() -> EventContext {
        EventContext {
            labels: vec!["fast".into()],
            ..EventContext::sample()
        }
    }

    /// The stance of a pull of `ann` with the label `fast` that changes `docs/a.md`.
    fn check(text: &str, set: Option<Mode>, lots: (u16, u16), expected: (Mode, &str, bool)) {
        let (cohort, holdout) = lots;
        let terms = Terms {
            set,
            lots: Lots { cohort, holdout },
        };
        let policy = policy::parse(text).unwrap();
        let stance = stance(&policy, terms, &event(), &["docs/a.md"]);
        let (mode, note, held_out) = expected;
        assert_eq!((stance.mode, stance.held_out), (mode, held_out), "{text}");
        assert!(stance.note.unwrap_or_default().contains(note), "{stance:?}");
        assert_eq!(stance.note.is_none(), note.is_empty(), "{stance:?}");
    }

    #[test]
    fn enforce_takes_the_file_and_the_operator() {
        use Mode::{Advise, Enforce, Observe};
        let lots = (0, 9_999);
        check(
            "mode: enforce",
            None,
            lots,
            (Advise, "until an operator", false),
        );
        check("mode: enforce", Some(Enforce), lots, (Enforce, "", false));
        check(
            "mode: enforce",
            Some(Observe),
            lots,
            (Observe, "until an operator", false),
        );
        check("mode: advise", Some(Enforce), lots, (Advise, "", false));
        check("mode: observe", Some(Enforce), lots, (Observe, "", false));
        check("", Some(Enforce), lots, (Enforce, "", false));
        check("", None, lots, (Observe, "", false));
        check("mode: advise", Some(Observe), lots, (Observe, "", false));
    }

    #[test]
    fn a_pull_outside_the_cohort_is_advised() {
        use Mode::{Advise, Enforce};
        let (set, lots) = (Some(Enforce), (4_999, 9_999));
        let inside = (Enforce, "", false);
        check("enforce: {percent: 50}", set, lots, inside);
        check(
            "enforce: {percent: 49}",
            set,
            lots,
            (Advise, "percentage", false),
        );
        check(
            "enforce: {percent: 0}",
            set,
            (0, 9_999),
            (Advise, "percentage", false),
        );
        check("enforce: {users: [ANN]}", set, lots, inside);
        check(
            "enforce: {users: [bob]}",
            set,
            lots,
            (Advise, "authors", false),
        );
        check("enforce: {labels: [Fast, x]}", set, lots, inside);
        check(
            "enforce: {labels: [x]}",
            set,
            lots,
            (Advise, "labels", false),
        );
        check("enforce: {paths: ['docs/**']}", set, lots, inside);
        check(
            "enforce: {paths: ['src/**']}",
            set,
            lots,
            (Advise, "paths", false),
        );
        check(
            "enforce: {users: [ann], paths: ['src/**']}",
            set,
            lots,
            (Advise, "paths", false),
        );
    }

    #[test]
    fn the_holdout_draws_among_those_that_take_part() {
        use Mode::{Advise, Enforce};
        let set = Some(Enforce);
        check("holdout: 5", set, (0, 499), (Enforce, "", true));
        check("holdout: 5", set, (0, 500), (Enforce, "", false));
        check("holdout: 0", set, (0, 0), (Enforce, "", false));
        check(
            "mode: advise\nholdout: 100",
            set,
            (0, 0),
            (Advise, "", false),
        );
    }

    #[test]
    fn a_lot_is_kept_for_life_and_differs_by_key_pull_and_purpose() {
        let lots = |key: u8, pull| Lots::of(&[key; 32], REPO, PullNumber(pull));
        assert_eq!(lots(1, 7), lots(1, 7));
        let moved = RepoKey {
            installation: InstallationId(9),
            ..REPO
        };
        assert_eq!(Lots::of(&[1; 32], moved, PullNumber(7)), lots(1, 7));
        assert_ne!(lots(1, 7), lots(2, 7));
        assert_ne!(lots(1, 7), lots(1, 8));
        assert_ne!(lots(1, 7).cohort, lots(1, 7).holdout);
    }

    #[test]
    fn lots_fall_evenly() {
        let held =
            (0..2_000).filter(|&pull| below(Lots::of(&[3; 32], REPO, PullNumber(pull)).holdout, 5));
        let held = held.count();
        assert!((60..=140).contains(&held), "{held} of 2000 at 5 %");
    }
}
