//! Files and paths that no editor would make.

use super::super::super::support::place::{Place, answer};
use super::{CI, FILES, verdicts};

#[test]
fn repository_without_ci_tests_or_known_language_is_planned() {
    let plan = Place::with(&[("a.cob", "x")], &[("a.cob", "y")]).plan();
    assert!(plan.contains("no job would start"), "{plan}");
    let plan = Place::with(&[CI, ("a.cob", "x")], &[("a.cob", "y")]).plan();
    assert_eq!(verdicts(&plan).len(), 2, "{plan}");
    let said = Place::with(&[("a.cob", "x")], &[("a.cob", "y")])
        .refusal(&["why", "job", "--head", "topic"]);
    assert_eq!(
        said,
        "no job, file, directory or test here is called `job`; no job starts for a pull here"
    );
}

#[test]
fn moved_submodule_runs_everything() {
    let place = Place::with(FILES, &[]);
    let link: &[u8] = b"1111111111111111111111111111111111111111";
    place.commit_raw("topic", [(&b"vendor/x"[..], "160000", link)]);
    // Neither the configuration nor the repository itself may hide it.
    place.git(&["config", "diff.ignoreSubmodules", "all"]);
    let modules = "[submodule \"x\"]\n\tpath = vendor/x\n\turl = x\n\tignore = all\n";
    std::fs::write(place.dir.join(".gitmodules"), modules).unwrap();
    let plan = place.plan();
    assert!(
        plan.contains("everything runs: submodule-moved vendor/x"),
        "{plan}"
    );
}

#[test]
fn huge_file_is_passed_by() {
    let place = Place::with(FILES, &[]);
    let huge = place.dir.join("huge");
    let file = std::fs::File::create(&huge).unwrap();
    file.set_len(200 << 20).unwrap();
    let path = huge.to_string_lossy();
    let blob = place.git(&["-c", "core.bigFileThreshold=1m", "hash-object", "-w", &path]);
    let blob = blob.as_bytes();
    place.commit_raw(
        "topic",
        [
            (&b"data/huge.bin"[..], "100644", blob),
            (b"shop/huge.py", "100644", blob),
        ],
    );
    let plan = place.plan();
    assert!(plan.contains("run   test"), "{plan}");
}

#[test]
fn paths_that_no_editor_would_make_are_planned() {
    let place = Place::with(FILES, &[]);
    place.commit_raw(
        "topic",
        [
            (&b"shop/\xff\xfe.py"[..], "100644", &b"import os\n"[..]),
            (b"shop/line\nbreak\x1b[2J.py", "100644", b"x = 1\n"),
            (b"shop/`|<b>@all**.py", "100644", b"x = 1\n"),
            (b"shop/loop", "120000", b"../shop/loop"),
            (b"shop/up", "120000", b"../../../etc/passwd"),
            (b"shop/TAX.py", "100644", b"RATE = 1\n"),
            (b"Shop/tax.py", "100644", b"RATE = 1\n"),
            (b"con/aux", "100644", b"from . import *\n"),
        ],
    );
    let plan = place.plan();
    assert!(plan.contains("run   test"), "{plan}");
    assert!(!plan.contains('\u{1b}'), "{plan}");
    for format in ["json", "markdown"] {
        let args = ["plan", "--head", "topic", "--format", format];
        answer(&place.trimtab(&args).output().unwrap());
    }
    for format in ["json", "dot"] {
        let args = ["graph", "--rev", "topic", "--format", format];
        let said = answer(&place.trimtab(&args).output().unwrap());
        assert!(!said.contains('\u{1b}'), "{format}: {said}");
    }
    // Without the links, of which those out of the repository may lead anywhere.
    let place = Place::with(FILES, &[]);
    place.commit_raw(
        "topic",
        [(&b"shop/\xff\xfe.py"[..], "100644", &b"import os\n"[..])],
    );
    let why = place
        .trimtab(&["why", "--head", "topic", "shop/\\xff\\xfe.py"])
        .output()
        .unwrap();
    let said = "shop/\\xff\\xfe.py: no job that this pull starts reads it\n";
    assert_eq!(answer(&why), said);
}
