//! Machines that lack something: git, room, a cache, a reader of the answer.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::super::super::support::place::{Place, answer, refusal};
use super::{CI, FILES, verdicts};

#[test]
fn cache_that_cannot_be_used_costs_only_time() {
    let place = Place::with(FILES, &[("docs/index.md", "# The shop\n")]);
    place.commit("main", &[("shop/tax.py", "RATE = 0.3\n")]);
    std::fs::write(&place.cache, "a file in its way").unwrap();
    let args = ["plan", "--base", "main", "--head", "topic"];
    let plan = answer(&place.trimtab(&args).output().unwrap());
    assert_eq!(verdicts(&plan), ["skip test", "run docs"], "{plan}");
    std::fs::remove_file(&place.cache).unwrap();
    assert_eq!(answer(&place.trimtab(&args).output().unwrap()), plan);
    for damage in ["", "trimtab", "\0\u{1}not ours at all"] {
        let mut files = Vec::new();
        for entry in walk(&place.cache)
            .into_iter()
            .filter(|path| path.ends_with("facts.bin"))
        {
            let whole = std::fs::read(&entry).unwrap();
            let kept = &whole[..whole.len() / 2];
            std::fs::write(&entry, [kept, damage.as_bytes()].concat()).unwrap();
            files.push(entry);
        }
        assert_eq!(files.len(), 1);
        assert_eq!(answer(&place.trimtab(&args).output().unwrap()), plan);
    }
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn machine_without_git_is_told_what_to_install() {
    let place = Place::with(FILES, &[]);
    let output = place
        .trimtab(&["plan"])
        .env("PATH", &place.cache)
        .output()
        .unwrap();
    assert_eq!(
        refusal(&output),
        "the git program was not found; install git 2.38 or newer"
    );
}

#[test]
fn reader_that_went_away_is_no_failure() {
    let place = Place::with(FILES, &[("docs/index.md", "# The shop\n")]);
    for args in [
        &["plan", "--head", "topic"][..],
        &["graph"],
        &["--help"],
        &["completions", "bash"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = place
            .trimtab(args)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {output:?}");
        assert_eq!(output.stderr, b"", "{args:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn answer_that_finds_no_room_is_a_fault() {
    let place = Place::with(FILES, &[("docs/index.md", "# The shop\n")]);
    for args in [&["plan", "--head", "topic"][..], &["graph"]] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let mut command = place.trimtab(args);
        let output = command
            .stdout(full.unwrap())
            .stderr(Stdio::piped())
            .output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(3), "{args:?}: {output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("the answer could not be written"), "{said}");
    }
}

#[test]
fn directory_may_have_any_name() {
    let names: [&[u8]; 4] = [b"two words ", b"line\nbreak", b"-C", b"\xff\xfe"];
    for name in names {
        let place = Place::called(OsStr::from_bytes(name));
        place.commit("main", FILES);
        place.branch("topic");
        place.commit("topic", &[("docs/index.md", "# The shop\n")]);
        let plan = place.plan();
        assert_eq!(verdicts(&plan), ["skip test", "run docs"], "{plan}");
        let mut outside = place.trimtab(&["plan", "--head", "topic"]);
        let mut flag = OsString::from("--repo=");
        flag.push(&place.dir);
        outside.current_dir("/").arg(flag);
        assert_eq!(answer(&outside.output().unwrap()), plan);
    }
}

#[test]
fn variables_of_a_git_hook_lead_nowhere_else() {
    let place = Place::with(FILES, &[("docs/index.md", "# The shop\n")]);
    let other = Place::with(&[CI], &[]);
    let plan = place.plan();
    let elsewhere = other.dir.join(".git");
    let mut command = place.trimtab(&["plan", "--head", "topic"]);
    command
        .env("GIT_DIR", &elsewhere)
        .env("GIT_COMMON_DIR", &elsewhere)
        .env("GIT_WORK_TREE", &other.dir)
        .env("GIT_INDEX_FILE", elsewhere.join("index"))
        .env("GIT_OBJECT_DIRECTORY", elsewhere.join("objects"))
        .env(
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            elsewhere.join("objects"),
        )
        .env("GIT_SHALLOW_FILE", elsewhere.join("HEAD"))
        .env("GIT_NAMESPACE", "x")
        .env("GIT_PREFIX", "docs/")
        .env("GIT_EXTERNAL_DIFF", "false")
        .env("GIT_CEILING_DIRECTORIES", "/nowhere");
    assert_eq!(answer(&command.output().unwrap()), plan);
}
