//! How people name a job: by its id, or by its workflow and its id.
//!
//! Ids are unique in one workflow only. `test` means every job with that id;
//! `legacy.yml:test` means the one of that workflow, which may be written as its path,
//! as its file's name, or as that without its ending. Case does not count.
//!
//! Nothing here knows which jobs there are, except [`shortest`], which is told.

use super::globs::{self, Glob};
use super::tree::base_name;

/// Whether a text names the job of this id in the workflow at this path.
pub fn names(text: &str, workflow: &str, job: &str) -> bool {
    readings(text, workflow).any(|id| is_same(id, job))
}

/// Whether a text, whose id may be a glob, fits the job of this id in the workflow at
/// this path.
pub fn fits(text: &str, workflow: &str, job: &str) -> bool {
    let is_match = |id: &str| {
        let glob = globs::compile_any_case(&Glob::written(id));
        is_same(id, job) || glob.is_ok_and(|glob| glob.is_match(job))
    };
    readings(text, workflow).any(is_match)
}

/// The shortest name of a job by which it is told from all others: `jobs` are the
/// workflow and the id of each.
pub fn shortest<'j>(
    (workflow, job): (&str, &str),
    jobs: impl IntoIterator<Item = (&'j str, &'j str)>,
) -> String {
    let others: Vec<&str> = jobs
        .into_iter()
        .filter(|(other, id)| is_same(id, job) && *other != workflow)
        .map(|(other, _)| other)
        .collect();
    let file = base_name(workflow);
    if others.is_empty() {
        job.to_owned()
    } else if others.iter().any(|other| base_name(other) == file) {
        format!("{workflow}:{job}")
    } else {
        format!("{file}:{job}")
    }
}

/// The ids that a text can mean in a workflow: all of it, and what follows a colon
/// behind the workflow's name. An id of GitLab may hold colons itself.
fn readings<'t>(text: &'t str, workflow: &'t str) -> impl Iterator<Item = &'t str> {
    let text = text.trim();
    let behind = text.char_indices().filter_map(move |(at, c)| {
        let (name, rest) = text.split_at_checked(at)?;
        (c == ':' && is_workflow(name, workflow))
            .then(|| rest.strip_prefix(':').unwrap_or_default())
    });
    std::iter::once(text).chain(behind)
}

fn is_workflow(name: &str, workflow: &str) -> bool {
    let file = base_name(workflow);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let name = name.trim().trim_start_matches("./");
    [workflow, file, stem]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// Ids are compared without regard to case, and to spaces around the slash that stands
/// between a caller and the job it calls.
fn is_same(text: &str, job: &str) -> bool {
    let parts = |id: &str| -> Vec<String> {
        let parts = id.split('/');
        parts.map(|part| part.trim().to_ascii_lowercase()).collect()
    };
    parts(text) == parts(job)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEGACY: &str = ".github/workflows/legacy.yml";

    fn check(text: &str, job: &str, expected: bool) {
        assert_eq!(names(text, LEGACY, job), expected, "{text} for {job}");
    }

    #[test]
    fn a_job_is_named_by_its_id_or_behind_its_workflow() {
        for text in [
            "test",
            "TEST",
            "legacy.yml:test",
            "legacy:test",
            "Legacy.yml: test",
            ".github/workflows/legacy.yml:test",
            "./.github/workflows/legacy.yml:test",
        ] {
            check(text, "test", true);
        }
        for text in [
            "ci.yml:test",
            "tests",
            "legacy.yml:",
            ":test",
            "",
            "yml:test",
        ] {
            check(text, "test", false);
        }
    }

    #[test]
    fn an_id_may_hold_colons_and_slashes_itself() {
        check("test:unit", "test:unit", true);
        check("legacy:test:unit", "test:unit", true);
        check("legacy:test:unit", "unit", false);
        check("build/test", "build / test", true);
        check("legacy:build / test", "build / test", true);
    }

    #[test]
    fn a_glob_may_stand_behind_a_workflow() {
        assert!(fits("e2e-*", LEGACY, "e2e-web"));
        assert!(fits("legacy.yml:e2e-*", LEGACY, "E2E-web"));
        assert!(!fits("ci.yml:e2e-*", LEGACY, "e2e-web"));
        assert!(!fits("[", LEGACY, "e2e-web"));
    }

    #[test]
    fn a_name_is_as_long_as_it_must_be() {
        let ci = ".github/workflows/ci.yml";
        let jobs = [(ci, "test"), (LEGACY, "test"), (ci, "lint"), (ci, "test")];
        assert_eq!(shortest((ci, "lint"), jobs), "lint");
        assert_eq!(shortest((LEGACY, "test"), jobs), "legacy.yml:test");
        let elsewhere = [(LEGACY, "test"), ("sub/legacy.yml", "test")];
        assert_eq!(
            shortest((LEGACY, "test"), elsewhere),
            format!("{LEGACY}:test")
        );
        for (workflow, job) in jobs {
            let name = shortest((workflow, job), jobs);
            let meant = jobs.iter().filter(|(at, id)| names(&name, at, id));
            assert!(meant.into_iter().all(|it| *it == (workflow, job)), "{name}");
        }
    }
}
