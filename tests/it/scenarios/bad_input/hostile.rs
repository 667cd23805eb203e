//! A checkout whose settings name programs: none of them runs.

use super::super::super::support::place::{Place, answer};
use super::FILES;

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
