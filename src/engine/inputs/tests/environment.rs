//! Variables, and files that a job changes: what reaches programs beside their words.
//!
//! Each line names a file that decides the result. A job that is opaque, or never
//! skipped, is right as well; one that is understood without that file is not.

use super::*;

const FILES: &[(&str, &str)] = &[
    (
        "Makefile",
        "F ?= a.txt\nt:\n\tcat $(F)\nu:\n\tcat $$G\nG = b.txt\n",
    ),
    ("a.txt", ""),
    ("b.txt", ""),
    ("bin/cat", "x"),
    ("ci/activate", "cat b.txt"),
    ("ci/env.py", "open(os.environ['GITHUB_ENV'])"),
    ("ci/s.sh", "cat \"$F\""),
    ("ci/set.sh", "echo F=b.txt >> $GITHUB_ENV"),
    ("d/a.dat", ""),
    ("d/b.dat", ""),
    ("lib/sitecustomize.py", ""),
    ("package.json", "{\"scripts\": {\"t\": \"cat $F\"}}"),
    ("q/data.json", ""),
    ("sub/x.txt", ""),
];

/// A job of several steps with variables of its own.
fn steps(env: &[(&str, &str)], scripts: &[&str]) -> Job {
    let mut job = job("");
    let step = job.steps.remove(0);
    for script in scripts {
        let mut step = step.clone();
        if let Action::Run { script: text, .. } = &mut step.action {
            *text = (*script).into();
        }
        job.steps.push(step);
    }
    let env = env.iter();
    job.env = env
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    job
}

fn sees(job: &Job, file: &str) -> bool {
    let inputs = infer_in(job, None, FILES);
    let set = reached(&inputs, FILES);
    !inputs.opaque.is_empty() || !inputs.never.is_empty() || set.split(' ').any(|it| it == file)
}

/// Scripts, and a file that each needs.
const SCRIPTS: &[(&str, &str)] = &[
    // Values that change while the script runs.
    ("x=b.txt; f() { local x=a.txt; }; f; cat \"$x\"", "b.txt"),
    ("x=a.txt; f() { cat \"$x\"; }; x=b.txt f", "b.txt"),
    ("x=a.txt; printf -v x %s b.txt; cat $x", "b.txt"),
    (
        "for f in b.txt a.txt; do if y; then break; fi; done; cat $f",
        "b.txt",
    ),
    ("set b.txt; cat $1", "b.txt"),
    ("x=$(( $(cat b.txt) + 1 ))", "b.txt"),
    ("cat <<EOF\n$(cat b.txt)\nEOF", "b.txt"),
    (". ci/activate", "b.txt"),
    ("cat @(b|c).txt", "b.txt"),
    // Where a path leads.
    ("cat /home/runner/work/shop/shop/b.txt", "b.txt"),
    ("cat $HOME/work/shop/shop/b.txt", "b.txt"),
    ("cd .. && cat shop/b.txt", "b.txt"),
    ("cat /proc/self/cwd/b.txt", "b.txt"),
    ("pushd sub; pushd; cat b.txt", "b.txt"),
    ("cd /tmp; cat ~-/b.txt", "b.txt"),
    // Patterns that only count.
    ("files=(d/*.dat); test ${#files[@]} -gt 3", "d/b.dat"),
    (
        "for f in d/*.dat; do case $f in *b*) exit 1;; esac; done",
        "d/b.dat",
    ),
    ("set -- d/*.dat; test $# -gt 3", "d/b.dat"),
    ("test -n d/*.dat", "d/b.dat"),
    ("python ci/env.py d/*.dat", "d/b.dat"),
    // What a job writes and runs.
    ("echo 'cat b.txt' >> ci/s.sh; F=a.txt bash ci/s.sh", "b.txt"),
    ("sed -i s/a/b/ ci/s.sh; F=a.txt bash ci/s.sh", "b.txt"),
    ("cp b.txt ci/s.sh && F=a.txt bash ci/s.sh", "b.txt"),
    ("sudo tee ci/s.sh < a.txt; F=a.txt ci/s.sh", "b.txt"),
    ("echo x >> ci/env.py; python ci/env.py", "b.txt"),
    ("echo x >> Makefile; make t", "b.txt"),
    ("sed -i s/x/y/ package.json; F=a.txt npm run t", "b.txt"),
    ("alias cat='cat b.txt'; cat a.txt", "b.txt"),
    ("hash -p ./b.txt cat; cat a.txt", "b.txt"),
    // What programs get.
    ("export F=b.txt; bash ci/s.sh", "b.txt"),
    ("F=b.txt bash ci/s.sh", "b.txt"),
    ("x=b.txt bash -c 'cat \"$x\"'", "b.txt"),
    ("export PATH=\"$PWD/bin:$PATH\"; cat a.txt", "bin/cat"),
    ("PATH=\"$PWD/bin:$(y)\"; cat a.txt", "bin/cat"),
    ("SCHEMA=q/data.json python ci/env.py", "q/data.json"),
    (
        "export SCHEMA=data.json; cd q && python ../ci/env.py",
        "q/data.json",
    ),
    ("F=b.txt make t", "b.txt"),
    ("make -e t", "b.txt"),
    ("MAKEFLAGS='-f b.txt' make t", "b.txt"),
    ("make -fb.txt t", "b.txt"),
];

#[test]
fn no_script_hides_what_it_reads() {
    for (script, file) in SCRIPTS {
        assert!(
            sees(&steps(&[], &[script]), file),
            "{script} does not read {file}"
        );
    }
}

/// Variables of the job, its scripts, and a file that it needs.
type Case = (
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
    &'static str,
);

const JOBS: &[Case] = &[
    (&[("BASH_ENV", "b.txt")], &["cat a.txt"], "b.txt"),
    (&[("LD_PRELOAD", "./b.txt")], &["cat a.txt"], "b.txt"),
    (
        &[("PATH", "${{ github.workspace }}/bin:/usr/bin")],
        &["cat a.txt"],
        "bin/cat",
    ),
    (
        &[("PYTHONPATH", "lib")],
        &["python -m json.tool a.txt"],
        "lib/sitecustomize.py",
    ),
    (
        &[("SCHEMA", "q/data.json")],
        &["python ci/env.py"],
        "q/data.json",
    ),
    (&[("RUFF_CONFIG", "b.txt")], &["ruff check sub"], "b.txt"),
    (&[("PIP_CONSTRAINT", "b.txt")], &["pip install x"], "b.txt"),
    (&[("GOFLAGS", "-modfile=b.txt")], &["cat a.txt"], "b.txt"),
    (
        &[("F", "a.txt")],
        &["export F=b.txt; bash ci/s.sh"],
        "b.txt",
    ),
    (
        &[("F", "a.txt")],
        &["bash ci/s.sh", "F=b.txt ./ci/s.sh"],
        "b.txt",
    ),
    (
        &[("F", "a.txt")],
        &["npm run t", "F=b.txt npm run t"],
        "b.txt",
    ),
    (&[("F", "b.txt")], &["make t"], "b.txt"),
    (&[("G", "a.txt")], &["make u"], "b.txt"),
    (&[("F", "a.txt")], &["bash ci/set.sh", "cat $F"], "b.txt"),
    (
        &[("F", "a.txt")],
        &["bash -c 'echo F=b.txt >> $GITHUB_ENV'", "cat $F"],
        "b.txt",
    ),
    (&[("F", "a.txt")], &["python ci/env.py", "cat $F"], "b.txt"),
    (
        &[("F", "a.txt")],
        &["python -c 'f(\"GITHUB_ENV\")'", "cat $F"],
        "b.txt",
    ),
    (
        &[("F", "a.txt")],
        &["y=1 && echo F=b.txt | sudo tee -a $GITHUB_ENV", "cat $F"],
        "b.txt",
    ),
    (
        &[("F", "a.txt")],
        &["echo -e 'G=1\\nF=b.txt' >> $GITHUB_ENV", "cat $F"],
        "b.txt",
    ),
    (
        &[("F", "a.txt")],
        &["if y; then echo F=b.txt; fi >> $GITHUB_ENV", "cat $F"],
        "b.txt",
    ),
    (
        &[("F", "a.txt")],
        &["cp d/a.dat $GITHUB_ENV", "cat $F"],
        "b.txt",
    ),
];

#[test]
fn no_variable_hides_what_it_leads_to() {
    for (env, scripts, file) in JOBS {
        assert!(
            sees(&steps(env, scripts), file),
            "{env:?} {scripts:?} does not read {file}"
        );
    }
}

#[test]
fn usual_scripts_stay_understood() {
    for (script, expected) in [
        ("export PATH=\"$HOME/.cargo/bin:$PATH\"; cat a.txt", "a.txt"),
        ("export PATH=\"$(y)/bin:$PATH\"", ""),
        (
            "echo \"$HOME/.local/bin\" >> $GITHUB_PATH; cat a.txt",
            "a.txt",
        ),
        (
            "f() { local x=$1; if test -z \"$x\"; then return 1; fi; cat $x; }; f a.txt",
            "a.txt",
        ),
        (
            "i=0; while test $i -lt 5; do i=$((i + 1)); done; cat a.txt",
            "a.txt",
        ),
        (
            "for i in 1 2 3; do cat a.txt && break; sleep 5; done",
            "a.txt",
        ),
        (
            "for d in d; do test -f $d/a.dat || continue; (cd $d && cat b.dat); done",
            "d/a.dat d/b.dat",
        ),
        ("cat > /tmp/x <<EOF\n$HOME\nEOF\n", ""),
        ("sed -i s/a/b/ a.txt; cat d/a.dat", "a.txt d/a.dat"),
        ("rm -rf *.log; rm -f d/*.dat", ""),
        ("set -euo pipefail; set -x; cat a.txt", "a.txt"),
        (
            "export NODE_ENV=d RUST_LOG=debug VERSION=3.8; cat a.txt",
            "a.txt",
        ),
        ("echo \"V=$(y)\" >> $GITHUB_ENV", ""),
        ("if y; then echo A=1; fi >> $GITHUB_ENV; cat a.txt", "a.txt"),
    ] {
        let script = script
            .replace("$(y)", "$(date)")
            .replace("if y;", "if true;");
        let inputs = infer_in(&job(&script), None, FILES);
        assert_eq!(faults(&inputs), "", "{script}");
        assert_eq!(reached(&inputs, FILES), expected, "{script}");
    }
}

#[test]
fn a_makefile_of_too_many_steps_is_opaque() {
    let many = |count: u32, text: &dyn Fn(u32) -> String| {
        (0..count).map(text).collect::<Vec<_>>().concat()
    };
    let needs = many(40, &|i| format!(" t{i}"));
    let targets = many(3_000, &|i| format!("t{i}:{needs}\n"));
    let all = many(3_000, &|i| format!(" t{i}"));
    let doubled = many(60, &|i| format!("a{} = $(a{i})$(a{i})$(a{i})\n", i + 1));
    for text in [
        format!("all:{all}\n{targets}"),
        format!("a0 =\n{doubled}all:\n\techo $(a12) $(a11) $(a59)\n"),
    ] {
        let inputs = infer_in(&job("make all"), None, &[("Makefile", &text)]);
        assert!(!inputs.opaque.is_empty());
    }
}

#[test]
fn a_makefile_that_reads_while_it_is_read_is_followed() {
    for (text, file) in [
        ("SHELL = ci/sh\nt:\n\tcat a.txt\n", "b.txt"),
        ("F = a.txt\nt: F = b.txt\nt:\n\tcat $(F)\n", "b.txt"),
        ("X = $(file < b.txt)\nt:\n\tcat a.txt\n", "b.txt"),
        (
            "ifeq ($(shell cat b.txt),1)\nendif\nt:\n\tcat a.txt\n",
            "b.txt",
        ),
        ("X = $(wildcard d/*.dat)\nt:\n\tcat a.txt\n", "d/b.dat"),
        (".ONESHELL:\nt:\n\tcd sub\n\tcat x.txt\n", "sub/x.txt"),
    ] {
        let mut files = FILES.to_vec();
        files[0].1 = text;
        let inputs = infer_in(&job("make t"), None, &files);
        let set = reached(&inputs, &files);
        assert!(
            set.split(' ').any(|it| it == file),
            "{text} does not read {file}"
        );
    }
    for text in [
        "x := `cat b.txt`\nt:\n    cat a.txt\n",
        "x := read('b.txt')\nt:\n    cat a.txt\n",
        "set shell := ['ci/sh']\nt:\n    cat a.txt\n",
        "set working-directory := 'sub'\nt:\n    cat x.txt\n",
        "a:\n    cat a.txt\nt:\n    cat b.txt\n",
    ] {
        let mut files = FILES.to_vec();
        files.push(("justfile", text));
        let inputs = infer_in(&job("just a t"), None, &files);
        assert!(reached(&inputs, &files).contains("b.txt"), "{text}");
    }
}
