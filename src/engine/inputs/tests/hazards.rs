//! Commands and actions that were once taken for less than they read.
//!
//! Each line names a file that decides the result. A job that is opaque, or never
//! skipped, is right as well; one that is understood without that file is not.

use super::*;

const TREE: &[(&str, &str)] = &[
    (".env", "A=1"),
    (
        ".eslintrc.json",
        "{\"extends\": \"./config/eslint-base.json\"}",
    ),
    (".golangci.yml", ""),
    (".python-version", "3.12"),
    (".shellcheckrc", "external-sources=true\n"),
    ("Gemfile", "gemspec"),
    ("a.gemspec", ""),
    ("config/eslint-base.json", "{}"),
    ("config/rules.js", ""),
    ("docs/guide.md", ""),
    ("environment.yml", "dependencies:\n- pip:\n  - -e .\n"),
    (
        "eslint.config.js",
        "import rules from './config/rules.js'\n",
    ),
    ("go.mod", "module example.com/own\n"),
    ("keys/deploy.enc", ""),
    ("main.go", "package main\n"),
    ("notes.txt", ""),
    (
        "package.json",
        "{\"name\": \"root\", \"workspaces\": [\"packages/*\"]}",
    ),
    (
        "packages/a/package.json",
        "{\"name\": \"black\", \"scripts\": {\"postinstall\": \"node build.js\"}}",
    ),
    ("packages/a/build.js", ""),
    (
        "pyproject.toml",
        "[tool.mypy]\nplugins = [\"tools/plugin.py\"]\n",
    ),
    ("scripts/lib.sh", "true"),
    ("scripts/run.pl", ""),
    ("scripts/run.sh", "true"),
    ("src/app.py", ""),
    ("src/x.c", ""),
    ("sums.txt", ""),
    ("tools/plugin.py", ""),
    ("web/package.json", "{\"name\": \"web\"}"),
    ("web/src/a.js", ""),
];

fn sees(inputs: &JobInputs, file: &str) -> bool {
    let set = reached(inputs, TREE);
    !inputs.opaque.is_empty() || !inputs.never.is_empty() || set.split(' ').any(|it| it == file)
}

/// A command, and a file that it needs.
const COMMANDS: &[(&str, &str)] = &[
    // A flag of one program is a value of another.
    ("cat -n notes.txt", "notes.txt"),
    ("cmp -s notes.txt sums.txt", "notes.txt"),
    ("sha256sum -c sums.txt", "notes.txt"),
    ("ls -d docs", "docs/guide.md"),
    ("sort -n notes.txt", "notes.txt"),
    ("base64 -d keys/deploy.enc", "keys/deploy.enc"),
    ("test \"$(ls | wc -l)\" = 9", "notes.txt"),
    // Patterns and programs of filters.
    ("grep -v x notes.txt", "notes.txt"),
    ("grep -F x notes.txt", "notes.txt"),
    ("grep -e x notes.txt", "notes.txt"),
    ("grep -rq FIXIT", "src/app.py"),
    ("grep -rne x src", "src/app.py"),
    ("rg FIXIT", "src/app.py"),
    ("sed -i -e s/a/b/ src/app.py", "src/app.py"),
    ("sed -n '/x/r notes.txt' sums.txt", "notes.txt"),
    ("awk -f notes.txt sums.txt", "sums.txt"),
    ("awk '{ getline x < \"notes.txt\" }' sums.txt", "notes.txt"),
    ("sed '2r notes.txt' sums.txt", "notes.txt"),
    ("sed -e 'r notes.txt' sums.txt", "notes.txt"),
    ("sed 's/x/y/;r notes.txt' sums.txt", "notes.txt"),
    ("sed '/x/rnotes.txt' sums.txt", "notes.txt"),
    ("sed 's/x/cat notes.txt/e' sums.txt", "notes.txt"),
    ("sed -i '' '1r notes.txt' sums.txt", "notes.txt"),
    ("sed -n -er\\ notes.txt sums.txt", "notes.txt"),
    ("sed -f x.sed sums.txt", "notes.txt"),
    ("sed -nf x.sed sums.txt", "notes.txt"),
    ("sed -fx.sed sums.txt", "notes.txt"),
    ("awk -f x.awk sums.txt", "notes.txt"),
    (
        "awk '@include \"notes.txt\"; {print}' sums.txt",
        "notes.txt",
    ),
    ("gawk -i notes.txt '{print}' sums.txt", "notes.txt"),
    ("jq -f x.jq package.json", "notes.txt"),
    ("jq -rf x.jq package.json", "notes.txt"),
    ("perl -Ilib -MFoo -ne 'print' sums.txt", "notes.txt"),
    (
        "perl -MFile::Slurp -e 'print read_file(\"notes.txt\")'",
        "notes.txt",
    ),
    ("perl -ne 'BEGIN{@ARGV=(\"notes.txt\")} print'", "notes.txt"),
    ("perl -e 'do \"./notes.txt\"'", "notes.txt"),
    ("perl -e 'exit !-e \"notes.txt\"'", "notes.txt"),
    ("cat sums.txt | grep -r x", "src/app.py"),
    // Code that comes from a file by a redirect.
    ("sh < notes.txt", "src/app.py"),
    ("bash -s < notes.txt", "src/app.py"),
    ("bash -s -- sums.txt < notes.txt", "src/app.py"),
    ("bash -eu < notes.txt", "src/app.py"),
    ("{ sh; } < notes.txt", "src/app.py"),
    ("f() { sh; }; f < notes.txt", "src/app.py"),
    ("python < notes.txt", "src/app.py"),
    ("python - < notes.txt", "src/app.py"),
    ("node < notes.txt", "src/app.py"),
    ("node - < notes.txt", "src/app.py"),
    ("python -c \"$(cat notes.txt)\"", "src/app.py"),
    // Modules of node without their endings.
    ("node -e \"require('./config/rules')\"", "config/rules.js"),
    ("node -p \"require('./config/rules').x\"", "config/rules.js"),
    ("node -e \"require('./config/absent')\"", "config/rules.js"),
    ("node -r ./config/rules -e 1", "config/rules.js"),
    ("node -e 1 -r ./config/rules", "config/rules.js"),
    ("node --require=./config/rules.js -e 1", "config/rules.js"),
    (
        "NODE_OPTIONS=\"-r ./config/rules.js\" node -e 1",
        "config/rules.js",
    ),
    ("jq -e .name package.json", "package.json"),
    ("jq -C . package.json", "package.json"),
    ("jq --slurpfile a notes.txt .x package.json", "notes.txt"),
    ("perl scripts/run.pl", "src/app.py"),
    ("perl -pi -e s/a/b/ src/app.py", "src/app.py"),
    ("patch -p1 < notes.txt", "src/app.py"),
    ("find -name '*.py'", "src/app.py"),
    ("find -L src -name '*.py'", "src/app.py"),
    // Carriers of other programs.
    ("sudo -n frobnicate", "notes.txt"),
    ("caffeinate -i frobnicate", "notes.txt"),
    ("xcrun swift test", "notes.txt"),
    ("arch -x86_64 python src/app.py", "src/app.py"),
    ("ccache gcc -c src/x.c", "src/x.c"),
    ("conda run -n x python src/app.py", "src/app.py"),
    ("micromamba run -n x frobnicate", "notes.txt"),
    ("rustup run nightly frobnicate", "notes.txt"),
    ("corepack pnpm test", "package.json"),
    ("pyenv exec python src/app.py", "src/app.py"),
    ("wait-for-it db:1 -- python src/app.py", "src/app.py"),
    ("shx cp src/app.py x", "src/app.py"),
    ("exec -a x python src/app.py", "src/app.py"),
    ("hatch env run -- python src/app.py", "src/app.py"),
    ("sudo -s <<'EOF'\npython src/app.py\nEOF", "src/app.py"),
    ("env PYTHONPATH=src python -m json.tool", "src/app.py"),
    // `-v` asks for a version, or for more words.
    ("cmake --build . -v", "src/x.c"),
    ("ninja -v", "src/x.c"),
    ("changeset version", "notes.txt"),
    ("golangci-lint run --new-from-rev=main", "notes.txt"),
    ("golangci-lint config verify", ".golangci.yml"),
    // The program may be the repository's own.
    ("mytool --version", "src/app.py"),
    ("mytool --help", "src/app.py"),
    ("black --check src", "tools/plugin.py"),
    ("pipx install . && mytool run", "src/app.py"),
    ("uvx --from . black src", "pyproject.toml"),
    ("go install -ldflags=-X=main.v=1.0 .", "main.go"),
    ("go install example.com/own", "main.go"),
    // A value of an unknown flag is no operand.
    ("eslint --report-unused error", "web/src/a.js"),
    ("mypy --unheard-of value", "src/app.py"),
    ("shellcheck scripts/run.sh", "scripts/lib.sh"),
    ("shellcheck -x scripts/run.sh notes.txt", "scripts/lib.sh"),
    // What configuration loads.
    ("eslint web", "config/rules.js"),
    ("eslint web", "config/eslint-base.json"),
    ("mypy src", "tools/plugin.py"),
    // What an installation runs, and from where.
    ("npm ci", "packages/a/build.js"),
    ("npm ci", "packages/a/package.json"),
    ("conda env create", "src/app.py"),
    ("conda install --file notes.txt", "notes.txt"),
    ("brew bundle", "notes.txt"),
    ("cpanm --installdeps .", "notes.txt"),
    ("vcpkg install", "notes.txt"),
    ("apt-get build-dep .", "notes.txt"),
    ("patch-package", "package.json"),
    // Files that are given to programs that need none.
    ("openssl enc -d -in keys/deploy.enc", "keys/deploy.enc"),
    ("curl -d @notes.txt http://x", "notes.txt"),
    ("curl -T notes.txt http://x", "notes.txt"),
    ("apt-get install ./notes.txt", "notes.txt"),
    ("chmod +x scripts/run.sh", "scripts/run.sh"),
    ("rm src/app.py", "src/app.py"),
    ("tar -czf x.tgz -T notes.txt", "src/app.py"),
    ("copyfiles 'src/*.py' out", "src/app.py"),
    ("docker image build .", "notes.txt"),
    ("docker container run -v .:/x image", "notes.txt"),
    ("psql -f notes.txt", "sums.txt"),
    ("git checkout main", "notes.txt"),
    ("gh api repos/x/pulls/1", "notes.txt"),
];

#[test]
fn no_command_hides_what_it_reads() {
    for (script, file) in COMMANDS {
        let inputs = infer_in(&job(script), None, TREE);
        assert!(sees(&inputs, file), "{script} does not read {file}");
    }
}

/// An action, its inputs, and a file that it needs.
type ActionCase = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

const ACTIONS: &[ActionCase] = &[
    ("ruby/setup-ruby", &[("bundler-cache", "true")], "a.gemspec"),
    ("ruby/setup-ruby", &[], "Gemfile"),
    (
        "pnpm/action-setup",
        &[("run_install", "true")],
        "packages/a/build.js",
    ),
    ("pnpm/action-setup", &[], "package.json"),
    ("actions/setup-python", &[], ".python-version"),
    (
        "actions/setup-go",
        &[("go-version-file", "go.mod")],
        "go.mod",
    ),
    (
        "actions/setup-go",
        &[("Go-Version-File", "go.mod")],
        "go.mod",
    ),
    ("astral-sh/setup-uv", &[], "pyproject.toml"),
    (
        "astral-sh/setup-uv",
        &[("working-directory", "x")],
        "pyproject.toml",
    ),
    (
        "conda-incubator/setup-miniconda",
        &[("environment-file", "environment.yml")],
        "src/app.py",
    ),
    ("bahmutov/npm-install", &[], "packages/a/build.js"),
    ("cypress-io/github-action", &[], "packages/a/build.js"),
    (
        "burrunan/gradle-cache-action",
        &[("arguments", "frob")],
        "notes.txt",
    ),
    (
        "Wandalen/wretry.action",
        &[("action", "x/y@v1")],
        "notes.txt",
    ),
    (
        "nick-fields/retry",
        &[("command", "python src/app.py")],
        "src/app.py",
    ),
    (
        "nick-fields/retry",
        &[("command", "true"), ("on_retry_command", "frobnicate")],
        "notes.txt",
    ),
    (
        "paambaati/codeclimate-action",
        &[("coverageCommand", "frob")],
        "notes.txt",
    ),
    (
        "actions/upload-artifact",
        &[("path", "docs")],
        "docs/guide.md",
    ),
    (
        "actions/upload-artifact",
        &[("path", "x\nsrc/*.py")],
        "src/app.py",
    ),
    ("actions/download-artifact", &[("run-id", "1")], "notes.txt"),
    ("dawidd6/action-download-artifact", &[], "notes.txt"),
    (
        "codecov/codecov-action",
        &[("files", "./notes.txt")],
        "notes.txt",
    ),
    ("xom9ikk/dotenv", &[], ".env"),
    ("helm/kind-action", &[("config", "notes.txt")], "notes.txt"),
    (
        "golangci/golangci-lint-action",
        &[("only-new-issues", "true")],
        "notes.txt",
    ),
    (
        "docker/build-push-action",
        &[("build-contexts", "x=docs"), ("context", "src")],
        "docs/guide.md",
    ),
    ("lewagon/wait-on-check-action", &[], "notes.txt"),
    ("ArtiomTr/jest-coverage-report-action", &[], "notes.txt"),
    ("actions/checkout", &[("path", "sub")], "notes.txt"),
    ("actions/checkout", &[("ref", "main")], "notes.txt"),
];

#[test]
fn no_action_hides_what_it_reads() {
    for (reference, with, file) in ACTIONS {
        let inputs = infer_in(&uses(&format!("{reference}@v1"), with), None, TREE);
        assert!(
            sees(&inputs, file),
            "{reference} {with:?} does not read {file}"
        );
    }
}

#[test]
fn what_only_prints_or_prepares_stays_narrow() {
    let lines = [
        ("echo docs notes.txt \"a * b\"", ""),
        ("ls -la", ""),
        ("sudo apt-get install -y docs", ""),
        ("sed \"s/x/$VERSION/\" notes.txt", "notes.txt"),
        ("grep \"$WORD\" notes.txt", "notes.txt"),
        ("sed -n -e '/^a/,/b$/{s|x|y|gp;d}' notes.txt", "notes.txt"),
        ("sed -i '' '2,$d' notes.txt", "notes.txt"),
        ("awk -F: '{print $1}' notes.txt", "notes.txt"),
        ("perl -pi -e 's/a/b/' notes.txt", "notes.txt"),
        (
            "perl -MList::Util=sum -ne 'print sum(1)' notes.txt",
            "notes.txt",
        ),
        ("jq . notes.txt", "notes.txt"),
        ("head -n 3 notes.txt", "notes.txt"),
        ("cut -d '.' -f 1 notes.txt", "notes.txt"),
        ("brew install docs", ""),
        ("rustup toolchain install nightly", ""),
        ("command -v frobnicate", ""),
        ("ruff --version", ""),
        ("git checkout -b x", ""),
        ("cat notes.txt | grep x", "notes.txt"),
        ("rm -rf $TEMP/x", ""),
    ];
    for (script, expected) in lines {
        let inputs = infer_in(&job(script), None, TREE);
        assert_eq!(faults(&inputs), "", "{script}");
        assert_eq!(reached(&inputs, TREE), expected, "{script}");
    }
}

/// What a command reads of files beside sources and one that it never needs.
fn check_extended(script: &str, files: &[(&str, &str)], expected: &[&str], is_whole: bool) {
    let mut all = files.to_vec();
    all.push(("zz/other.bin", ""));
    let inputs = infer_in(&job(script), None, &all);
    assert_eq!(faults(&inputs), "", "{script}");
    let set = reached(&inputs, &all);
    for file in expected {
        assert!(
            set.split(' ').any(|it| it == *file),
            "{script}: {file} in {set}"
        );
    }
    assert_eq!(set.contains("zz/other.bin"), is_whole, "{script}: {set}");
}

#[test]
fn what_a_configuration_extends_is_followed_to_its_end() {
    let eslint = |extends: &'static str| {
        [
            (
                "cfg/dir/index.js",
                "module.exports = {\n  extends: './two',\n}",
            ),
            ("cfg/dir/two.cjs", ""),
            (
                "cfg/eslbase.js",
                "module.exports = {extends: ['./one.json']}",
            ),
            ("cfg/one.json", "{\"extends\": [\n  \"./three.json\"\n]}"),
            ("cfg/three.json", "{}"),
            ("web/.eslintrc.yml", extends),
            ("web/a.js", ""),
        ]
    };
    let base = ["cfg/eslbase.js", "cfg/one.json", "cfg/three.json"];
    let dir = ["cfg/dir/index.js", "cfg/dir/two.cjs"];
    for (extends, expected) in [
        ("extends: ../cfg/eslbase\n", &base[..]),
        ("extends:\n  - '../cfg/eslbase'\n", &base[..]),
        ("extends: [\"../cfg/dir\"]\n", &dir[..]),
        ("extends: ../cfg/one.json\n", &base[1..]),
    ] {
        check_extended("npx eslint web", &eslint(extends), expected, false);
    }
    let ruff = [
        ("a.py", ""),
        ("cfg/one.toml", "extend = \"sub/two\"\n"),
        ("cfg/sub/two", "extend = './three.toml'\n"),
        ("cfg/sub/three.toml", ""),
        ("pyproject.toml", "[tool.ruff]\nextend = \"cfg/one.toml\"\n"),
    ];
    let all = ["cfg/one.toml", "cfg/sub/two", "cfg/sub/three.toml"];
    check_extended("ruff check .", &ruff, &all, false);
    check_extended("ruff check --config cfg/one.toml a.py", &ruff, &all, false);
}

#[test]
fn what_is_extended_and_not_found_makes_everything_an_input() {
    let files = [
        (".eslintrc.json", "{\"extends\": \"./gone\"}"),
        ("a.js", ""),
    ];
    check_extended("npx eslint .", &files, &[], true);
    let files = [("a.js", ""), ("tsconfig.json", "{\"outDir\": \"./dist\"}")];
    check_extended("npx eslint .", &files, &[], false);
}

const ROUTES: &[(&str, &str)] = &[
    ("app/[slug]/a.md", ""),
    ("app/[slug]/t/test_a.py", ""),
    ("app/s/a.md", ""),
    ("app/s/t/test_a.py", ""),
    ("out/[x]", "-> /srv"),
    ("z.md", ""),
];

#[test]
fn brackets_of_a_path_are_read_as_a_name_and_as_a_pattern() {
    let both = "app/[slug]/a.md app/s/a.md";
    check("cat 'app/[slug]/a.md'", ROUTES, "app/[slug]/a.md");
    check("cat app/[slug]/a.md", ROUTES, both);
    check("cat app/[slug]/*.md", ROUTES, both);
    check("cd 'app/[slug]' && cat *.md", ROUTES, both);
    check("cd 'app/[slug]' && cat [ab].md", ROUTES, both);
    let tests = infer_in(&job("pytest app/[slug]/t*"), None, ROUTES);
    assert!(reached(&tests, ROUTES).contains("app/[slug]/t/test_a.py"));
}

#[test]
fn a_link_out_of_the_repository_is_known_with_brackets_in_its_name() {
    let inputs = infer_in(&job("cat 'out/[x]/y'"), None, ROUTES);
    let all: Vec<&str> = ROUTES.iter().map(|(path, _)| *path).collect();
    assert_eq!(reached(&inputs, ROUTES), all.join(" "));
}
