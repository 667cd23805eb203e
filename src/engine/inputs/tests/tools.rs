//! Single tools that were once taken for less than they read.
//!
//! Each line is a job and a file that decides its result; what stays narrow stands at the
//! end, so that no line is bought by reading everything.

use super::*;

pub(super) const TREE: &[(&str, &str)] = &[
    (".ignore", ""),
    ("a.txt", ""),
    ("b.txt", ""),
    ("control.txt", ""),
    ("docs/guide.md", ""),
    ("p/tests/test_p.py", ""),
    (
        "pyproject.toml",
        "[project]\nname = \"shop\"\nversion = \"1\"\n",
    ),
    ("q/data.json", ""),
    ("q/qq.py", ""),
    ("run.py", ""),
    ("sub/b.txt", ""),
    ("sub/x.txt", ""),
    ("x.cfg", ""),
];

/// Whether a job runs when a file changes.
pub(super) fn sees(inputs: &JobInputs, files: &[(&str, &str)], file: &str) -> bool {
    let set = reached(inputs, files);
    !inputs.opaque.is_empty() || !inputs.never.is_empty() || set.split(' ').any(|it| it == file)
}

fn check_seen(lines: &[(&str, &str)], files: &[(&str, &str)]) {
    let missed = lines.iter().filter(|(script, file)| {
        let inputs = infer_in(&job(script), None, files);
        !sees(&inputs, files, file)
    });
    assert_eq!(missed.collect::<Vec<_>>(), Vec::<&(&str, &str)>::new());
}

/// What a job does not read.
fn check_narrow(lines: &[(&str, &str)], files: &[(&str, &str)]) {
    for (script, file) in lines {
        let inputs = infer_in(&job(script), None, files);
        assert_eq!(faults(&inputs), "", "{script}");
        assert!(!sees(&inputs, files, file), "{script} reads {file}");
    }
}

#[test]
fn a_value_behind_the_letter_of_a_flag_is_read() {
    let lines = [
        ("grep -fb.txt a.txt", "b.txt"),
        ("make -fb.txt t", "a.txt"),
        ("tar -xfb.txt", "b.txt"),
        ("tar -xvfb.txt", "b.txt"),
        ("psql -fb.txt", "a.txt"),
        ("psql -qf b.txt", "a.txt"),
        ("curl -d@b.txt http://x", "b.txt"),
        ("curl -F 'file=@b.txt;type=text/plain' http://x", "b.txt"),
        ("pip install -creq.in foo", "req.in"),
        ("pip install -qr b.txt", "b.txt"),
        ("pytest -cx.cfg p/tests", "x.cfg"),
        ("cd p/tests && jest -c../../x.cfg", "x.cfg"),
        ("node -r./q/qq.py -e 1", "q/qq.py"),
        ("docker build -fx.cfg p", "x.cfg"),
        ("docker build -qf x.cfg p", "x.cfg"),
        ("docker compose -fb.txt up", "b.txt"),
        ("docker compose --file=b.txt up", "b.txt"),
        ("uv run --with-requirements=b.txt pytest p", "b.txt"),
        ("uv run --directory=q pytest", "q/qq_test.py"),
        ("uvx --from=./q tool", "q/pyproject.toml"),
    ];
    let mut files = TREE.to_vec();
    files.extend([
        ("q/pyproject.toml", ""),
        ("q/qq_test.py", ""),
        ("req.in", ""),
    ]);
    check_seen(&lines, &files);
}

#[test]
fn a_file_that_says_what_is_left_out_is_read() {
    let lines = [
        ("du --exclude-from=b.txt sub", "b.txt"),
        ("du --exclude-from b.txt sub", "b.txt"),
        ("du -X b.txt sub", "b.txt"),
        ("diff -r --exclude-from=b.txt sub docs", "b.txt"),
        ("grep -r --exclude-from=b.txt x sub", "b.txt"),
        ("rg --ignore-file=b.txt x sub", "b.txt"),
        ("rg --ignore-file b.txt x sub", "b.txt"),
        ("rg x sub", ".ignore"),
        ("tar -cX b.txt -f /tmp/x.tar sub", "b.txt"),
        ("ruff check --exclude-from=b.txt p", "b.txt"),
    ];
    check_seen(&lines, TREE);
}

#[test]
fn names_in_a_file_or_put_into_a_path_are_not_passed_over() {
    let lines = [
        ("xargs --arg-file=b.txt echo", "b.txt"),
        ("xargs -ab.txt echo", "b.txt"),
        ("xargs -a b.txt echo", "b.txt"),
        ("parallel echo :::: b.txt", "b.txt"),
        ("parallel cat ::: b.txt", "b.txt"),
        ("find docs -type f | xargs -I{} cat sub/{}", "sub/b.txt"),
        (
            "find docs -type f | xargs -I% sh -c 'cat sub/%'",
            "sub/b.txt",
        ),
        ("find docs -type f | parallel cat sub/{/}", "sub/b.txt"),
        ("find docs -type f -exec cat sub/{} \\;", "sub/b.txt"),
    ];
    check_seen(&lines, TREE);
}

#[test]
fn git_reads_more_than_its_words() {
    let lines = [
        ("git apply a.txt", "b.txt"),
        ("git am < a.txt", "b.txt"),
        ("git rev-parse HEAD:b.txt", "b.txt"),
        ("cd sub && git rev-parse HEAD:b.txt", "b.txt"),
        ("git rev-parse HEAD:sub", "sub/x.txt"),
        ("git rev-parse HEAD^{tree}", "b.txt"),
        ("git rev-parse HEAD~1", "b.txt"),
        ("git rev-parse origin/main", "b.txt"),
        ("git cat-file -p HEAD:b.txt", "b.txt"),
        ("git archive HEAD~1", "b.txt"),
        ("git clone . /tmp/w", "b.txt"),
        ("git clone \"$PWD\" /tmp/w", "b.txt"),
        ("git clone file:///srv/x", "b.txt"),
        (
            "git clone https://github.com/$GITHUB_REPOSITORY w && cat w/b.txt",
            "b.txt",
        ),
        ("git restore --source=HEAD~1 a.txt", "b.txt"),
        ("git restore -s HEAD~1 a.txt", "b.txt"),
        ("git -C sub grep x b.txt", "sub/b.txt"),
        ("git -C sub ls-files", "sub/x.txt"),
        ("git config --file=b.txt --list", "b.txt"),
    ];
    check_seen(&lines, TREE);
}

#[test]
fn clients_and_keys_read_the_files_that_their_words_name() {
    let lines = [
        ("sqlite3 :memory: '.read b.txt'", "a.txt"),
        ("psql -c \"\\\\copy t from 'b.txt'\"", "b.txt"),
        ("psql -c '\\i b.txt'", "a.txt"),
        ("openssl enc -pass file:b.txt", "b.txt"),
        ("mysql -e 'source b.txt'", "a.txt"),
    ];
    check_seen(&lines, TREE);
}

#[test]
fn an_argument_that_is_a_directory_is_read_without_a_slash() {
    let lines = [
        ("python run.py docs", "docs/guide.md"),
        ("python run.py --from=docs", "docs/guide.md"),
        ("cd sub && python ../run.py ..", "b.txt"),
        ("go run ./q docs", "docs/guide.md"),
        ("cargo run -- docs", "docs/guide.md"),
    ];
    check_seen(&lines, TREE);
}

#[test]
fn pytest_reads_what_its_words_and_its_plugins_name() {
    let lines = [
        ("pytest @a.txt p/tests", "q/qq.py"),
        ("pytest --schema=q/data.json p/tests", "q/data.json"),
        ("coverage run --rcfile=x.cfg -m pytest p", "x.cfg"),
        ("coverage run --rcfile x.cfg -m pytest p", "x.cfg"),
        (
            "coverage run --rcfile x.cfg -m pytest p",
            "p/tests/test_p.py",
        ),
        ("coverage run --source=q -m pytest p", "q/qq.py"),
        ("cd p && pytest --pyargs qq", "q/qq.py"),
        ("pytest --markdown-docs docs", "docs/guide.md"),
        ("pytest --codeblocks docs", "docs/guide.md"),
        ("pytest --doctest-glob='*.json' q", "q/data.json"),
        ("pytest -p q.qq p/tests", "q/qq.py"),
        ("cd p && pytest -pqq tests", "q/qq.py"),
        ("pytest --ds=q.qq p/tests", "q/qq.py"),
        ("DJANGO_SETTINGS_MODULE=q.qq pytest p/tests", "q/qq.py"),
        ("python run.py --settings=q.qq", "q/qq.py"),
        ("pylint --load-plugins=q.qq p", "q/qq.py"),
    ];
    check_seen(&lines, TREE);
}

fn on_windows(shell: Option<&str>, script: &str) -> Job {
    let mut job = job(script);
    job.runner = vec!["windows-latest".into()];
    if let Action::Run { shell: told, .. } = &mut job.steps[0].action {
        *told = shell.map(Into::into);
    }
    job
}

#[test]
fn the_shells_of_windows_read_files_by_words_of_their_own() {
    let cases = [
        (Some("cmd"), "type b.txt", "b.txt"),
        (Some("cmd"), "TYPE B.txt", "b.txt"),
        (Some("cmd"), "cd sub\ntype x.txt", "sub/x.txt"),
        (Some("cmd"), "cd\ntype b.txt", "b.txt"),
        (Some("cmd"), "set F=b.txt", "b.txt"),
        (None, "Get-Content -Path:b.txt", "b.txt"),
        (None, "Get-Content a.txt,b.txt", "b.txt"),
        (None, "Get-Content a.txt, b.txt", "b.txt"),
        (None, "Get-Content 'a.txt',sub/*", "sub/x.txt"),
        (None, "\"b.txt\" | cat", "b.txt"),
        (None, "Write-Output b.txt | Get-Content", "b.txt"),
        (None, "$f = 'b.txt'\nGet-Content -Path:$f", "b.txt"),
        (None, "$f = 'b.txt'\n$f | Get-Content", "b.txt"),
    ];
    for (shell, script, file) in cases {
        let inputs = infer_in(&on_windows(shell, script), None, TREE);
        assert!(sees(&inputs, TREE, file), "{script} does not read {file}");
    }
    let narrow = infer_in(&on_windows(Some("cmd"), "type a.txt"), None, TREE);
    assert_eq!(faults(&narrow), "");
    assert_eq!(reached(&narrow, TREE), "a.txt");
}

#[test]
fn a_name_in_another_case_is_the_same_file_on_macos_and_windows() {
    let on = |runner: &str, script: &str| {
        let mut job = job(script);
        job.runner = vec![runner.into()];
        reached(&infer_in(&job, None, TREE), TREE)
    };
    for runner in ["macos-14", "windows-latest", "${{ matrix.os }}", "mine"] {
        assert_eq!(on(runner, "cat B.TXT"), "b.txt", "{runner}");
        assert_eq!(on(runner, "cat SUB/x.txt"), "sub/x.txt", "{runner}");
        assert_eq!(on(runner, "cat SUB"), "sub/b.txt sub/x.txt", "{runner}");
        assert_eq!(on(runner, "grep -fB.txt a.txt"), "a.txt b.txt", "{runner}");
    }
    assert_eq!(on("ubuntu-latest", "cat B.TXT"), "");
}

/// A file of nox around the body of its one session.
fn noxfile(body: &str) -> String {
    format!("import nox\n\n@nox.session\ndef t(s):\n{body}\n")
}

fn check_nox(body: &str, file: &str) {
    let text = noxfile(body);
    let mut files = TREE.to_vec();
    files.push(("noxfile.py", &text));
    let inputs = infer_in(&job("nox -s t"), None, &files);
    assert!(sees(&inputs, &files, file), "{body}");
}

#[test]
fn every_call_of_a_session_of_nox_counts() {
    for body in [
        "    s.run('cat', 'b.txt')",
        "    try:\n        pass\n    finally:\n        s.run('cat', 'b.txt')",
        "    try:\n        pass\n    except E:\n        s.run('cat', 'b.txt')",
        "    for x in y:\n        pass\n    else:\n        s.run('cat', 'b.txt')",
        "    while True:\n        s.run('cat', 'b.txt')",
        "    return s.run('cat', 'b.txt')",
        "    match x:\n        case 1:\n            s.run('cat', 'b.txt')",
        "    (lambda: s.run('cat', 'b.txt'))()",
        "    def inner():\n        s.run('cat', 'b.txt')\n    inner()",
        "    with s.chdir('sub'):\n        s.run('cat', 'b.txt')",
        "    subprocess.run(['cat', 'b.txt'])",
        "    open('b.txt')",
        "    s.run('true', env={'F': 'b.txt'})",
        "    s.env['F'] = 'b.txt'",
        "    helper(s)",
        "    run = s.run\n    run('cat', x)",
        "    [s.run('cat', f) for f in ('b.txt',)]",
    ] {
        check_nox(body, "b.txt");
    }
}

#[test]
fn sessions_of_nox_are_found_by_every_name_and_file() {
    let named = "@nox.session(name='lint')\ndef t(session):\n    session.run('cat', 'b.txt')\n\
                 @nox.session\ndef u(session):\n    session.notify('lint')\n\
                 if True:\n    @nox.session\n    def v(session):\n        session.run('cat', 'b.txt')\n";
    let mut files = TREE.to_vec();
    files.extend([("noxfile.py", named), ("q/nf.py", named)]);
    check_seen(
        &[
            ("nox -s lint", "b.txt"),
            ("nox -s u", "b.txt"),
            ("nox -s v", "b.txt"),
            ("nox", "b.txt"),
            ("nox -f q/nf.py", "a.txt"),
        ],
        &files,
    );
    let text = noxfile("    s.run('pytest', 'p/tests', *s.posargs)");
    let mut files = TREE.to_vec();
    files.push(("noxfile.py", &text));
    let inputs = infer_in(&job("nox -s t -- --schema=q/data.json"), None, &files);
    assert_eq!(faults(&inputs), "");
    assert!(sees(&inputs, &files, "q/data.json") && !sees(&inputs, &files, "b.txt"));
}

#[test]
fn an_unknown_use_of_a_session_names_its_line() {
    let text = noxfile("    helper(s)");
    let files = &[("noxfile.py", text.as_str())];
    check_fault(
        "nox",
        files,
        "noxfile.py:5 UnknownUse(\"the session is handed on\")",
    );
}

#[test]
fn an_environment_of_tox_has_the_settings_of_its_bases() {
    let check_tox = |text: &str, file: &str| {
        let mut files = TREE.to_vec();
        files.push(("tox.ini", text));
        let inputs = infer_in(&job("tox -e x"), None, &files);
        assert!(sees(&inputs, &files, file), "{text}");
    };
    for text in [
        "[mine]\ncommands = cat b.txt\n[testenv:x]\nbase = mine\n",
        "[testenv]\ncommands = cat x.txt\n[testenv:x]\nchangedir = sub\n",
        "[testenv:x]\ninstall_command = python run.py {packages} b.txt\ncommands = true\n",
        "[testenv:x]\nsetenv =\n  SCHEMA = {toxinidir}/b.txt\ncommands = true\n",
        "[testenv:x]\nsetenv = file|b.txt\ncommands = true\n",
        "[testenv:x]\nbase = gone\ncommands = true\n",
        "[tox]\nrequires = ./sub\n[testenv:x]\ncommands = true\n",
    ] {
        let file = if text.contains("sub") {
            "sub/x.txt"
        } else {
            "b.txt"
        };
        check_tox(text, file);
    }
    let toml = "[env_run_base]\nset_env = { SCHEMA = \"b.txt\" }\n\
                [env.x]\ncommands = [[\"true\"]]\n";
    let mut files = TREE.to_vec();
    files.push(("tox.toml", toml));
    check_seen(&[("tox -e x", "b.txt")], &files);
    let mut files = TREE.to_vec();
    files.extend([
        ("tox.ini", "[testenv]\ncommands = true\n"),
        ("q/tox.ini", "[testenv]\ncommands = cat b.txt\n"),
    ]);
    let lines = [
        ("tox -c q/tox.ini", "b.txt"),
        ("tox exec -- cat b.txt", "b.txt"),
    ];
    check_seen(&lines, &files);
}

#[test]
fn what_every_named_environment_gives_itself_is_not_taken_from_the_base() {
    let ini = "[testenv]\ncommands_pre = cat control.txt\ncommands = cat b.txt\n\
               [testenv:x]\ncommands = cat a.txt\n\
               [testenv:y]\ncommands =\n  true\n  cat a.txt\n\
               [testenv:conditional]\ncommands =\n  py39: true\n\
               [testenv:partly]\ncommands =\n  py39: true \\\n  a.txt\n\
               [testenv:spaced]\ncommands = py39, py38: true\n\
               [testenv:empty]\ncommands =\n\
               [testenv:{one,two}]\ncommands = true\n\
               [testenv:three,four]\ncommands = cat a.txt\n\
               [testenv:refers]\ncommands = {[testenv]commands}\n\
               [testenv:based]\nbase = x\ndescription = z\n";
    let mut files = TREE.to_vec();
    files.push(("tox.ini", ini));
    let narrow = [
        ("tox -e x", "b.txt"),
        ("tox run -e x,y", "b.txt"),
        ("tox -e y -- b", "b.txt"),
        ("TOXENV=y tox", "b.txt"),
    ];
    check_narrow(&narrow, &files);
    let seen = [
        ("tox -e x", "a.txt"),
        ("tox -e x", "control.txt"),
        ("tox", "b.txt"),
        ("tox -e py39", "b.txt"),
        ("tox -e x,py39", "b.txt"),
        ("tox -e conditional", "b.txt"),
        ("tox -e partly", "b.txt"),
        ("tox -e spaced", "b.txt"),
        ("tox -e empty", "b.txt"),
        ("tox -e one", "b.txt"),
        ("tox -e four", "a.txt"),
        ("tox -e refers", "b.txt"),
        ("tox -e based", "a.txt"),
        ("tox -e ALL", "a.txt"),
        ("tox -e ALL", "b.txt"),
        ("tox $ARGS -e x", "b.txt"),
        ("tox -e $NAME", "b.txt"),
    ];
    check_seen(&seen, &files);
    let toml = "[env_run_base]\ncommands_pre = [[\"cat\", \"control.txt\"]]\n\
                commands = [[\"cat\", \"b.txt\"]]\n\
                [env.x]\ncommands = [[\"cat\", \"a.txt\"]]\n\
                [env.refers]\ncommands = [{ replace = \"ref\", of = [\"env_run_base\", \"commands\"], extend = true }]\n\
                [env_base.many]\nfactors = [\"a\"]\ncommands = [[\"cat\", \"q/data.json\"]]\n";
    let mut files = TREE.to_vec();
    files.push(("tox.toml", toml));
    check_narrow(&[("tox -e x", "b.txt")], &files);
    let seen = [
        ("tox -e x", "a.txt"),
        ("tox -e x", "control.txt"),
        ("tox -e x,py39", "b.txt"),
        ("tox -e refers", "b.txt"),
        ("tox -e many-a", "q/data.json"),
    ];
    check_seen(&seen, &files);
}

#[test]
fn plugins_of_the_repository_belong_to_their_linters() {
    let mut files = TREE.to_vec();
    files.extend([
        (
            ".flake8",
            "[flake8:local-plugins]\nextension = X = qq:C\npaths = ./q\n",
        ),
        (".pylintrc", "[MAIN]\ninit-hook = import q.qq\n"),
        ("mypy.ini", "[mypy]\nplugins = q.qq\n"),
    ]);
    let lines = [
        ("flake8 p", "q/qq.py"),
        ("pylint p", "q/qq.py"),
        ("mypy p", "q/qq.py"),
    ];
    check_seen(&lines, &files);
}

#[test]
fn a_new_module_may_be_one_of_the_projects_own() {
    let shapes = |script: &str, files: &[(&str, &str)]| {
        let inputs = infer_in(&job(script), None, files);
        let (snapshot, lookup) = (snapshot(files), resolve::Lookup::default());
        let packages = Packages::read(&snapshot);
        let graph = crate::engine::graph::Builder::new(&snapshot, &packages).finish();
        let set = resolve::resolve(&inputs, &snapshot, &graph, &packages, &lookup);
        set.shapes
    };
    for tool in ["ruff check p", "isort p", "flake8 p"] {
        let before = shapes(tool, TREE);
        let mut files = TREE.to_vec();
        files.push(("requests.py", ""));
        assert_ne!(shapes(tool, &files), before, "{tool}");
        let mut files = TREE.to_vec();
        files.retain(|(path, _)| *path != "q/qq.py");
        files.push(("q/qq.py", "import a"));
        assert_eq!(shapes(tool, &files), before, "{tool}");
    }
}

#[test]
fn plain_commands_stay_narrow() {
    let lines = [
        ("cat a.txt", "b.txt"),
        ("echo b.txt", "b.txt"),
        ("grep -rn x sub", "a.txt"),
        ("pytest p/tests -k 'a and b' -q --tb=short", "q/qq.py"),
        ("pytest -c pyproject.toml p/tests", "q/data.json"),
        ("ruff check p --output-format=github", "q/qq.py"),
        ("git clone --depth 1 https://github.com/x/y z", "b.txt"),
        ("git clone https://x:$TOKEN@github.com/x/y z", "b.txt"),
        ("git rev-parse --short HEAD", "b.txt"),
        ("git rev-parse --abbrev-ref HEAD", "b.txt"),
        ("git rev-parse \"$GITHUB_SHA\"", "b.txt"),
        ("git fetch --depth=1 origin main", "b.txt"),
        ("psql -U postgres -h localhost -c 'select 1'", "b.txt"),
        ("psql -Upostgres -lqt", "b.txt"),
        ("sudo apt-get install -y libfoo-dev", "b.txt"),
        ("pip install -Uqr a.txt", "b.txt"),
        ("find sub -name '*.txt' | xargs -I{} cat {}", "b.txt"),
        ("docker run --rm -v \"$PWD/sub:/x\" image", "b.txt"),
        ("coverage run -m pytest p", "q/qq.py"),
        ("python run.py --flag", "docs/guide.md"),
        ("curl -sSfL https://x.org/y -o /tmp/y", "b.txt"),
    ];
    check_narrow(&lines, TREE);
}
