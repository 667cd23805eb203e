//! Names that one command prints for another.

use super::*;

const FILES: &[(&str, &str)] = &[
    ("README.md", ""),
    ("a.go", ""),
    ("b/c.go", ""),
    ("b/x.txt", ""),
    ("d/e.rs", ""),
    ("go.mod", ""),
    ("vendor/v.go", ""),
];

/// What a command with a substitution reads, which is understood.
fn reads(script: &str, expected: &str) {
    check(script, FILES, expected);
}

/// A substitution of which nobody knows what it prints.
fn unknown(script: &str, files: &[(&str, &str)]) {
    let inputs = infer_in(&job(script), None, files);
    assert_ne!(faults(&inputs), "", "{script}");
}

#[test]
fn names_that_git_or_find_print_are_read_and_no_others() {
    // With the version that the module is written in.
    let go = "a.go b/c.go go.mod vendor/v.go";
    for script in [
        "gofmt -l $(git ls-files '*.go')",
        "gofmt -l $(git ls-files -- '*.go')",
        "gofmt -l `git ls-files '*.go'`",
        "gofmt -l $(find . -name '*.go')",
        "gofmt -l $(find . -type f -name '*.go' -print)",
        "test -z \"$(gofmt -l $(find . -name '*.go'))\"",
        "if ! gofmt -l $(git ls-files '*.go'); then echo; fi",
    ] {
        reads(script, go);
    }
    reads("cat $(git ls-files 'b/*')", "b/c.go b/x.txt");
    reads("cat $(git ls-files b)", "b/c.go b/x.txt");
    reads(
        "cat $(git ls-files b README.md)",
        "README.md b/c.go b/x.txt",
    );
    reads("cat $(find b -name '*.txt')", "b/x.txt");
    reads("cat $(find b d -name '*.txt')", "b/x.txt");
    reads("cd b && cat $(git ls-files)", "b/c.go b/x.txt");
    reads("cd b && cat $(find . -name '*.txt')", "b/x.txt");
    reads("D=b; cat $(find \"$D\" -name '*.txt')", "b/x.txt");
}

#[test]
fn a_file_that_comes_to_fit_is_read() {
    let inputs = infer_in(&job("cat $(git ls-files '*.txt')"), None, FILES);
    let mut more = FILES.to_vec();
    more.push(("z/new.txt", ""));
    assert_eq!(reached(&inputs, FILES), "b/x.txt");
    assert_eq!(reached(&inputs, &more), "b/x.txt z/new.txt");
}

#[test]
fn what_is_left_out_is_read_all_the_same() {
    let go = "a.go b/c.go vendor/v.go";
    reads("cat $(find . -name '*.go' -not -path './vendor/*')", go);
    reads("cat $(find . ! -name 'c*' -name '*.go')", go);
}

#[test]
fn a_directory_among_the_names_is_read_with_what_lies_in_it() {
    let mut files = FILES.to_vec();
    files.push(("x.go/inner.txt", ""));
    check(
        "cat $(find . -name '*.go')",
        &files,
        "a.go b/c.go vendor/v.go x.go/inner.txt",
    );
}

#[test]
fn a_search_that_does_more_than_print_is_not_taken_for_names() {
    for test in [
        "-exec cat b/x.txt ';'",
        "-fprintf b/x.txt '%p'",
        "-fprint x",
        "-printf '%p'",
        "-print0",
        "-delete",
        "-ls",
        "-o -name '*.md'",
        "-newer README.md",
        "-size +1k",
        "-iname '*.GO'",
        "-name '[ab].go'",
        "-name '*.{go,md}'",
        "-maxdepth 1",
        "-not -type f",
        "!",
    ] {
        unknown(&format!("gofmt -l $(find . -name '*.go' {test})"), FILES);
    }
    for root in [
        "-L .",
        "..",
        "b/..",
        "\"$UNSET\"",
        "*",
        "/tmp",
        "a.go",
        "$(pwd)/..",
    ] {
        unknown(&format!("gofmt -l $(find {root} -name '*.go')"), FILES);
    }
    // Without a root some systems print nothing.
    unknown("gofmt -l $(find -name '*.go')", FILES);
}

#[test]
fn what_was_printed_before_a_test_and_below_a_root_that_fits_is_read() {
    let all = "README.md a.go b/c.go b/x.txt d/e.rs go.mod vendor/v.go";
    reads("test -z \"$(find . -print -name '*.go')\"", all);
    unknown("cat $(find . -type f -print -name '*.go')", FILES);
    for root in ["b -name 'b*'", "b/ -name b", ". -name '.*'"] {
        let inputs = infer_in(&job(&format!("cat $(find {root})")), None, FILES);
        let reaches_all = reached(&inputs, FILES).contains("b/c.go b/x.txt");
        assert!(reaches_all || !faults(&inputs).is_empty(), "{root}");
    }
}

#[test]
fn names_of_lists_are_no_names_of_files() {
    for script in [
        "cksum --check $(git ls-files '*.txt')",
        "md5sum $(git ls-files '*.txt') --chec",
        "sha256sum -bc $(git ls-files '*.txt')",
        "yamllint $(git ls-files '*.txt')",
        "check-jsonschema --schemafile b/x.txt $(git ls-files '*.txt')",
    ] {
        let inputs = infer_in(&job(script), None, FILES);
        let reaches_all = reached(&inputs, FILES).split(' ').count() == FILES.len();
        assert!(reaches_all || !faults(&inputs).is_empty(), "{script}");
    }
}

#[test]
fn git_that_prints_more_than_tracked_names_is_not_taken_for_names() {
    for words in [
        "-o",
        "--others --exclude-standard",
        "-z '*.go'",
        "-s",
        "-m",
        "--stage",
        "--deleted",
        "-t '*.go'",
        "':!vendor'",
        "':(top)*.go'",
        "'../*.go'",
        "'[ab].go'",
        "'\\*.go'",
        "\"$UNSET\"",
    ] {
        unknown(&format!("gofmt -l $(git ls-files {words})"), FILES);
    }
    unknown("gofmt -l $(git -C b ls-files '*.go')", FILES);
    unknown("gofmt -l $(git diff --name-only)", FILES);
    unknown("export GIT_DIR=x; gofmt -l $(git ls-files '*.go')", FILES);
    unknown("GIT_INDEX_FILE=x\ngofmt -l $(git ls-files '*.go')", FILES);
}

#[test]
fn names_that_a_filter_or_a_file_passes_on_are_not_known() {
    for script in [
        "gofmt -l $(find . -name '*.go' | grep -v vendor)",
        "gofmt -l $(git ls-files '*.go' | head -n1)",
        "gofmt -l $(cat list.txt)",
        "gofmt -l $(find . -name '*.go' 2>/dev/null)",
        "gofmt -l $(find . -name '*.go' > list.txt; cat list.txt)",
        "gofmt -l $(ls)",
        "gofmt -l $(find . -name '*.go'; cat x)",
        "gofmt -l $(A=1 find . -name '*.go')",
        "gofmt -l x$(find . -name '*.go')",
    ] {
        unknown(script, FILES);
    }
}

#[test]
fn names_that_mean_more_to_a_shell_are_not_known() {
    let with = |name: &'static str| {
        let mut files = FILES.to_vec();
        files.push((name, ""));
        files
    };
    for name in [
        "b/x README.go",
        "-d.go",
        "a*.go",
        "b/[x].go",
        "$x.go",
        "b/\\x0a.go",
        "\u{e9}.go",
        "@args.go",
        "b c.go/x.txt",
    ] {
        unknown("gofmt -l $(find . -name '*.go')", &with(name));
    }
    unknown("gofmt -l $(git ls-files '*.go')", &with("b/x README.go"));
    // It is not among them.
    check(
        "cat $(git ls-files 'b/*.txt')",
        &with("x README.go"),
        "b/x.txt",
    );
}

#[test]
fn a_command_without_names_may_read_something_else() {
    unknown("gofmt -l $(git ls-files '*.nothing')", FILES);
    unknown("gofmt -l $(find . -name '*.nothing')", FILES);
    unknown("gofmt -l $(find . -name '*.go' -not -path './*')", FILES);
    unknown("gofmt -l $(find nowhere -name '*.go')", FILES);
}

#[test]
fn a_link_is_not_followed_and_counts_for_no_name() {
    let files = [("real/a.go", ""), ("to", "-> real")];
    unknown("gofmt -l $(find to -name '*.go')", &files);
    let files = [("a.txt", ""), ("b.go", "-> a.txt")];
    unknown("gofmt -l $(find . -type f -name '*.go')", &files);
    let files = [("a.txt", ""), ("b.go", "-> a.txt"), ("c.go", "")];
    check("cat $(git ls-files '*.go')", &files, "a.txt b.go c.go");
}

#[test]
fn a_program_that_runs_what_it_is_told_does_not_get_names() {
    for program in [
        "bash",
        "sh -c",
        "python",
        "node",
        "ruby",
        "source",
        ".",
        "make",
        "npm run",
        "eval",
        "xargs",
        "env",
        "sudo",
        "$X",
        "$(echo gofmt)",
        "",
        "cp b/x.txt",
        "frobnicate",
    ] {
        unknown(&format!("{program} $(git ls-files '*.go')"), FILES);
    }
    unknown("cd $(git ls-files '*.go') && cat a.go", FILES);
}

#[test]
fn what_is_kept_of_names_is_not_known() {
    for script in [
        "x=$(git ls-files '*.go'); cat $x",
        "x=\"$(git ls-files '*.go')\"; cat \"$x\"",
        "x=$(git ls-files '*.go'); [ -s \"$x\" ]",
        "cat \"$(git ls-files '*.go')\"",
        "cat < $(git ls-files '*.go')",
        "for f in $(git ls-files '*.go'); do cat $f; done",
        "set -- $(git ls-files '*.go'); cat $1",
        "f() { cat $1; }; f $(git ls-files '*.go')",
        "IFS=,; gofmt -l $(git ls-files '*.go')",
        "git() { echo x; }; gofmt -l $(git ls-files '*.go')",
        "gofmt() { cat $1; }; gofmt $(git ls-files '*.go')",
    ] {
        unknown(script, FILES);
    }
    let mut job = job("echo \"F=$(git ls-files '*.txt')\" >> $GITHUB_ENV");
    let mut second = job.steps[0].clone();
    if let Action::Run { script, .. } = &mut second.action {
        *script = "cat $F".into();
    }
    job.steps.push(second);
    assert_ne!(faults(&infer_in(&job, None, FILES)), "");
}

#[test]
fn a_program_of_the_repository_is_not_the_one_of_that_name() {
    let mut files = FILES.to_vec();
    files.push(("t/go.mod", "module example.org/gofmt\n"));
    unknown("gofmt -l $(git ls-files '*.go')", &files);
    files.pop();
    files.push(("t/go.mod", "module example.org/find\n"));
    unknown("gofmt -l $(find . -name '*.go')", &files);
}

#[test]
fn in_an_image_git_may_print_nothing() {
    let mut job = job("gofmt -l $(git ls-files '*.go')");
    job.images = vec!["golang".into()];
    assert_ne!(faults(&infer_in(&job, None, FILES)), "");
}

#[test]
fn who_only_prints_names_reads_no_other_files() {
    reads("find b -name '*.txt'", "b/x.txt");
    reads("find b -name '*.txt' | wc -l", "b/x.txt");
    // A variable of git may make its patterns fit more.
    let all = "README.md a.go b/c.go b/x.txt d/e.rs go.mod vendor/v.go";
    reads("git ls-files '*.txt' | wc -l", all);
    reads("test -n \"$(git ls-files b)\"", "b/c.go b/x.txt");
    reads("find b", "b/c.go b/x.txt");
    reads("find b/x.txt -name '*.txt'", "b/x.txt");
}

#[test]
fn a_pattern_is_any_number_of_arguments() {
    let files = [("a.txt", ""), ("b.txt", ""), ("c.md", "")];
    unknown("f() { cat $2; }; f *.txt c.md", &files);
    unknown("set -- *.txt; shift; cat \"$@\"", &files);
    check("f() { cat \"$@\"; }; f *.txt", &files, "a.txt b.txt");
    check("f() { cat $1; }; f c.md *.txt", &files, "a.txt b.txt c.md");
    check(
        "f() { shift; cat \"$@\"; }; f c.md *.txt",
        &files,
        "a.txt b.txt",
    );
}

#[test]
fn all_arguments_are_handed_on() {
    let script = ("t.sh", "#!/bin/sh\ncat \"$@\"\n");
    let files = [("a.txt", ""), ("b.txt", ""), script];
    let both = "a.txt b.txt";
    for command in [
        "f() { cat \"$@\"; }; f a.txt b.txt",
        "f() { cat $@; }; f a.txt b.txt",
        "f() { cat $*; }; f a.txt b.txt",
        "f() { cat \"${@}\"; }; f a.txt b.txt",
        "f() { for x in \"$@\"; do cat \"$x\"; done; }; f a.txt b.txt",
        "f() { for x in $*; do cat \"$x\"; done; }; f a.txt b.txt",
        "set -- a.txt b.txt; cat \"$@\"",
        "f() { g x \"$@\"; }; g() { cat $2 $3; }; f a.txt b.txt",
        "f() { x=\"$*\"; cat $x; }; f a.txt b.txt",
        "f() { bash -c \"$*\"; }; f cat a.txt b.txt",
        "f() { eval \"$@\"; }; f cat a.txt b.txt",
        "f() { \"$@\"; }; f cat a.txt b.txt",
        "x=(cat a.txt b.txt); bash -c \"${x[*]}\"",
    ] {
        check(command, &files, both);
    }
    check("./t.sh a.txt b.txt", &files, "a.txt b.txt t.sh");
    check("f() { cat \"$@\" b.txt; }; f", &files, "b.txt");
    unknown("f() { cat $@; }; f 'a b.txt'", &files);
    unknown("f() { bash -c \"$*\"; }; f cat *.txt", &files);
}

#[test]
fn a_function_hands_its_input_on() {
    let files = [("a.txt", ""), ("b.txt", "")];
    for script in [
        "f() { cat; }; f < b.txt",
        "f() { while read l; do echo $l; done; }; f < b.txt",
        "f() { g; }; g() { cat; }; f < b.txt",
        "f() { bash; }; f <<< 'cat b.txt'",
        "f() { sh -s; }; f <<E\ncat b.txt\nE",
        "eval cat < b.txt",
        "eval bash <<< 'cat b.txt'",
    ] {
        check(script, &files, "b.txt");
    }
}

#[test]
fn a_name_that_nobody_knows_stands_wherever_its_mark_does() {
    let files = [("b.txt", ""), ("list", "b.txt")];
    for flag in ["-I%", "-i%", "--replace=%", "-J%"] {
        unknown(&format!("xargs {flag} sh -c 'cat %' < list"), &files);
        unknown(
            &format!("cat list | xargs {flag} bash -ec 'cd d; cat %'"),
            &files,
        );
    }
    unknown("cat list | xargs -i sh -c 'cat {}'", &files);
    check("cat list | xargs -I% echo 'a % b'", &files, "list");
    check(
        "find . -name 'b*' | xargs -I{} sh -c 'cat {}'",
        &files,
        "b.txt list",
    );
}

#[test]
fn code_in_a_file_without_an_ending_is_not_followed() {
    let python = "#!/usr/bin/env python3\nfrom p import m\n";
    let node = "#!/usr/bin/env node\nrequire('./p/n')\n";
    let files = [
        ("jtool", node),
        ("p/__init__.py", ""),
        ("p/m.py", ""),
        ("p/n.js", ""),
        ("plain", "import p.m\n"),
        ("t.py", python),
        ("tool", python),
    ];
    for script in [
        "./tool",
        "./jtool",
        "python tool",
        "python3 -u plain",
        "node jtool",
        "bash -c ./tool",
        "sudo python tool",
    ] {
        unknown(script, &files);
    }
    check("python t.py", &files, "p/__init__.py t.py");
}

#[test]
fn a_script_of_a_shell_with_another_language_is_not_read() {
    let zsh = "files=(a.txt b.txt)\ncat $files\n";
    for first in [
        "#!/usr/bin/env zsh",
        "#!/bin/zsh -f",
        "#!/usr/bin/fish",
        "#!/bin/csh",
        "#!/usr/bin/env pwsh",
        "#!/usr/bin/env -S xonsh",
    ] {
        let text = format!("{first}\n{zsh}");
        let files = [("a.txt", ""), ("b.txt", ""), ("t.sh", text.as_str())];
        unknown("./t.sh", &files);
    }
    let files = [("a.txt", ""), ("b.txt", ""), ("t.sh", zsh)];
    unknown("zsh t.sh", &files);
    for first in [
        "#!/bin/sh",
        "#! /bin/bash -e",
        "#!/usr/bin/env -S bash -e",
        "#!/usr/bin/env A=1 dash",
    ] {
        let text = format!("{first}\ncat a.txt\n");
        let files = [("a.txt", ""), ("b.txt", ""), ("t.sh", text.as_str())];
        check("./t.sh", &files, "a.txt t.sh");
    }
}
