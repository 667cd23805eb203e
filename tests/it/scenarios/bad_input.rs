//! Bad input on the command line: a plan or one clear sentence, never a panic.
//!
//! Every repository is built for its test out of raw commits, so that it may hold
//! what no editor would make. Nothing is checked out: a plan reads commits.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::support::place::{PROGRAM, Place, answer, refusal};
use super::WORKFLOW;

const CI: (&str, &str) = (".github/workflows/ci.yml", WORKFLOW);

/// The files of a small Python repository with one workflow.
const FILES: &[(&str, &str)] = &[
    CI,
    ("docs/index.md", "# Shop\n"),
    ("shop/__init__.py", ""),
    ("shop/tax.py", "RATE = 0.2\n"),
    ("tests/test_tax.py", "from shop import tax\n"),
];

/// The verdicts of a plan: `run test`, `skip docs`.
fn verdicts(plan: &str) -> Vec<String> {
    let lines = plan.lines().filter(|line| line.starts_with("  "));
    let words = lines.map(|line| {
        line.split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    });
    words.collect()
}

#[test]
fn ordinary_change_of_documentation_is_the_measure() {
    let plan = Place::with(FILES, &[("docs/index.md", "# The shop\n")]).plan();
    assert_eq!(verdicts(&plan), ["skip test", "run docs"], "{plan}");
}

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

/// The plan where the pull brings this workflow.
fn with_workflow(text: &str) -> String {
    Place::with(FILES, &[(".github/workflows/more.yml", text)]).plan()
}

#[test]
fn workflow_that_cannot_be_read_is_told_and_runs_everything() {
    let bomb = (0..20).fold("a0: &a0 [x, x]\n".to_owned(), |text, at| {
        text + &format!("a{0}: &a{0} [*a{1}, *a{1}, *a{1}]\n", at + 1, at)
    });
    let deep = format!("on: {}{}\n", "[".repeat(20_000), "]".repeat(20_000));
    let large = format!("on: push\n{}", "# padding\n".repeat(500_000));
    let cases = [
        ("broken", "on: [push\njobs: }\n"),
        ("bomb", &bomb),
        ("deep", &deep),
        ("large", &large),
        ("binary", "\0\u{1}\u{2}"),
        ("list", "- a\n- b\n"),
    ];
    for (name, text) in cases {
        let plan = with_workflow(text);
        assert!(
            plan.contains("warning: .github/workflows/more.yml:"),
            "{name}: {plan}"
        );
        assert!(plan.contains("everything runs:"), "{name}: {plan}");
        assert!(!plan.contains("skip "), "{name}: {plan}");
    }
}

#[test]
fn faults_of_the_configuration_have_a_line_and_a_column() {
    let place = Place::with(
        &[
            FILES,
            &[(".trimtab.yml", "mode: advise\nholdout: 300\ncolour: red\n")],
        ]
        .concat(),
        &[("docs/index.md", "# The shop\n")],
    );
    let plan = place.plan();
    for warning in [
        "`300`: this must be a whole number from 0 to 100",
        "the key `colour` is not known",
    ] {
        assert!(plan.contains(warning), "{plan}");
    }
}

#[test]
fn faults_of_the_configuration_that_a_pull_brings_are_told_as_its_own() {
    let hostile = "mode: advise\njobs: {'x`@team': {skip: never}}\n";
    let place = Place::with(FILES, &[(".trimtab.yml", hostile)]);
    let plan = place.plan();
    let warning =
        "warning: .trimtab.yml:2:8: after the merge: no job has an id that fits `x`@team`";
    assert!(plan.contains(warning), "{plan}");
    let args = ["plan", "--head", "topic", "--format", "markdown"];
    let comment = answer(&place.trimtab(&args).output().unwrap());
    let line = comment.lines().find(|line| line.starts_with("**Warning**"));
    let line = line.unwrap();
    assert!(line.contains("after the merge: no job has an id"), "{line}");
    assert!(!line.contains("@team"), "{line}");
    // What the base says is in force already.
    let place = Place::with(
        &[FILES, &[(".trimtab.yml", hostile)]].concat(),
        &[("a.md", "")],
    );
    assert!(
        !place.plan().contains("after the merge"),
        "{}",
        place.plan()
    );
}

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

/// Keys of a configuration whose value is a program.
const PROGRAMS: &[&str] = &[
    "core.fsmonitor",
    "core.sshCommand",
    "core.editor",
    "core.pager",
    "core.askPass",
    "core.alternateRefsCommand",
    "core.gitProxy",
    "diff.external",
    "diff.evil.command",
    "diff.evil.textconv",
    "filter.evil.clean",
    "filter.evil.smudge",
    "filter.evil.process",
    "merge.evil.driver",
    "merge.a=b.driver",
    "gpg.program",
    "gpg.x509.program",
    "gpg.ssh.program",
    "credential.helper",
    "pager.log",
    "pager.diff-tree",
    "alias.ls-tree",
    "uploadpack.packObjectsHook",
    "remote.origin.uploadpack",
    "trailer.x.command",
];

/// Keys that make git ask one of them.
const SWITCHES: &[(&str, &str)] = &[
    ("log.showSignature", "true"),
    ("filter.evil.required", "true"),
    ("remote.origin.url", "."),
    ("remote.origin.promisor", "true"),
    ("merge.default", "evil"),
];

#[test]
fn hostile_checkout_runs_nothing() {
    let place = Place::with(
        &[
            FILES,
            &[
                ("a.x", "1\n2\n3\n4\n5\n"),
                (".gitattributes", "* filter=evil diff=evil merge=evil\n"),
            ],
        ]
        .concat(),
        &[
            ("docs/index.md", "# The shop\n"),
            ("a.x", "1\n2\n3\n4\nB\n"),
        ],
    );
    place.commit("main", &[("a.x", "A\n2\n3\n4\n5\n")]);
    let marker = place.dir.join("ran");
    let script = place.dir.join("evil.sh");
    std::fs::write(
        &script,
        format!("#!/bin/sh\ntouch '{}'\nexit 1\n", marker.display()),
    )
    .unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = script.to_string_lossy().into_owned();
    sign(&place, "topic");
    for key in PROGRAMS {
        place.git(&["config", key, &program]);
    }
    for (key, value) in SWITCHES {
        place.git(&["config", key, value]);
    }
    std::fs::write(
        place.dir.join(".git/info/attributes"),
        "* merge=evil diff=evil\n",
    )
    .unwrap();
    let hooks = place.dir.join("hooks");
    std::fs::create_dir(&hooks).unwrap();
    for hook in [
        "post-index-change",
        "reference-transaction",
        "pre-commit",
        "post-checkout",
    ] {
        std::fs::copy(&script, hooks.join(hook)).unwrap();
    }
    place.git(&["config", "core.hooksPath", &hooks.to_string_lossy()]);
    for args in [
        &["plan", "--base", "main", "--head", "topic"][..],
        &["why", "docs", "--base", "main", "--head", "topic"],
        &["graph", "--rev", "topic"],
    ] {
        let output = place.trimtab(args).output().unwrap();
        assert!(!marker.exists(), "{args:?} ran a program: {output:?}");
        assert!(!answer(&output).contains("conflict"), "{output:?}");
    }
}

/// Signs the tip of a branch, so that whoever shows signatures asks a program.
fn sign(place: &Place, branch: &str) {
    let commit = place.git(&["cat-file", "commit", branch]);
    let (head, message) = commit.split_once("\n\n").unwrap();
    let signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----";
    let text = format!("{head}\n{signature}\n\n{message}\n");
    let file = place.dir.join("signed");
    std::fs::write(&file, text).unwrap();
    let id = place.git(&["hash-object", "-t", "commit", "-w", &file.to_string_lossy()]);
    place.git(&["update-ref", &format!("refs/heads/{branch}"), &id]);
}
