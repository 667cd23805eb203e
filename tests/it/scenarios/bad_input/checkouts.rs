//! Checkouts, clones and revisions that are not as usual.

use std::path::Path;
use std::process::Command;

use super::super::super::support::place::{PROGRAM, Place, answer, refusal};
use super::{CI, FILES, verdicts};

#[test]
fn directory_without_a_repository_is_named() {
    let room = tempfile::tempdir().unwrap();
    let ask = |dir: &Path| {
        let mut command = Command::new(PROGRAM);
        command
            .args(["plan", "--repo"])
            .arg(dir)
            .env("XDG_CACHE_HOME", room.path());
        refusal(&command.output().unwrap())
    };
    let said = ask(room.path());
    assert!(
        said.ends_with("is not inside a git repository; name a checkout with --repo"),
        "{said}"
    );
    let said = ask(&room.path().join("nowhere"));
    assert!(
        said.ends_with("nowhere does not exist; name a checkout with --repo"),
        "{said}"
    );
}

#[test]
fn repository_without_a_commit_says_so() {
    let said = Place::new().refusal(&["plan"]);
    assert_eq!(
        said,
        "`HEAD` does not name a commit here; the repository has no commit yet"
    );
}

#[test]
fn revisions_that_are_not_there_are_named() {
    let place = Place::with(FILES, &[("docs/index.md", "# The shop\n")]);
    let hint = "does not name a commit here; `git branch --all` lists the branches";
    assert_eq!(
        place.refusal(&["plan", "--base", "gone"]),
        format!("`gone` {hint}")
    );
    assert_eq!(
        place.refusal(&["plan", "--head=--output=x"]),
        format!("`--output=x` {hint}")
    );
    assert_eq!(
        place.refusal(&["plan", "--head", "main:docs"]),
        format!("`main:docs` {hint}")
    );
    place.git(&["branch", "-m", "main", "elsewhere"]);
    let said = place.refusal(&["plan", "--head", "topic"]);
    assert!(said.ends_with("name the base with --base"), "{said}");
}

#[test]
fn bare_and_detached_repositories_are_planned() {
    let place = Place::with(FILES, &[("docs/index.md", "# The shop\n")]);
    let topic = place.git(&["rev-parse", "topic"]);
    place.git(&["update-ref", "--no-deref", "HEAD", &topic]);
    let plan = answer(&place.trimtab(&["plan"]).output().unwrap());
    assert_eq!(verdicts(&plan), ["skip test", "run docs"], "{plan}");
    let bare = place.dir.join(".git").to_string_lossy().into_owned();
    place.git(&["config", "core.bare", "true"]);
    let plan = answer(&place.trimtab(&["plan", "--repo", &bare]).output().unwrap());
    assert_eq!(verdicts(&plan), ["skip test", "run docs"], "{plan}");
}

#[test]
fn base_that_is_no_ancestor_is_merged_into() {
    let place = Place::with(FILES, &[("docs/index.md", "# The shop\n")]);
    place.commit("main", &[("shop/tax.py", "RATE = 0.3\n")]);
    let plan = answer(
        &place
            .trimtab(&["plan", "--base", "main", "--head", "topic"])
            .output()
            .unwrap(),
    );
    assert_eq!(verdicts(&plan), ["skip test", "run docs"], "{plan}");
}

#[test]
fn histories_without_a_common_commit_run_everything() {
    let place = Place::with(FILES, &[]);
    place.commit("stranger", &[CI, ("docs/index.md", "# Other\n")]);
    for base in [
        &["--head", "stranger"][..],
        &["--base", "main", "--head", "stranger"],
    ] {
        let plan = answer(&place.trimtab(&[&["plan"], base].concat()).output().unwrap());
        assert!(plan.contains("everything runs: base-unknown"), "{plan}");
        assert!(
            verdicts(&plan).iter().all(|it| it.starts_with("run")),
            "{plan}"
        );
    }
}

#[test]
fn conflicting_head_runs_everything() {
    let place = Place::with(FILES, &[("docs/index.md", "# The shop\n")]);
    place.commit("main", &[("docs/index.md", "# A shop\n")]);
    let plan = answer(
        &place
            .trimtab(&["plan", "--base", "main", "--head", "topic"])
            .output()
            .unwrap(),
    );
    assert!(plan.contains("everything runs:"), "{plan}");
}

#[test]
fn shallow_clone_runs_everything_and_says_why() {
    let place = Place::with(FILES, &[("docs/index.md", "# The shop\n")]);
    place.commit("main", &[("shop/tax.py", "RATE = 0.3\n")]);
    let url = format!("file://{}", place.dir.display());
    place.git(&[
        "clone",
        "--quiet",
        "--bare",
        "--depth=1",
        "--no-single-branch",
        &url,
        "../cut",
    ]);
    let plan = answer(
        &place
            .trimtab(&["plan", "--repo", "../cut", "--head", "topic"])
            .output()
            .unwrap(),
    );
    assert!(
        plan.contains("everything runs: base-unknown the clone is shallow"),
        "{plan}"
    );
    let said = place.refusal(&["plan", "--repo", "../cut", "--base", "main~1"]);
    assert!(
        said.ends_with("fetch more with `git fetch --unshallow`"),
        "{said}"
    );
}

#[test]
fn clone_without_blobs_or_trees_is_planned_or_refused() {
    let place = Place::with(FILES, &[("docs/index.md", "# The shop\n")]);
    place.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", place.dir.display());
    place.git(&[
        "clone",
        "--quiet",
        "--bare",
        "--filter=blob:none",
        &url,
        "../light",
    ]);
    let plan = answer(
        &place
            .trimtab(&["plan", "--repo", "../light", "--head", "topic"])
            .output()
            .unwrap(),
    );
    assert!(!plan.contains("skip"), "nothing was read: {plan}");
    place.git(&[
        "clone",
        "--quiet",
        "--bare",
        "--filter=tree:0",
        &url,
        "../empty",
    ]);
    let said = place.refusal(&["plan", "--repo", "../empty", "--head", "topic"]);
    assert!(
        said.ends_with("this clone lacks objects, clone again without --filter"),
        "{said}"
    );
}
