//! Files that code opens or lists by a path which it computes.
//!
//! An extractor says where such a path begins and what of it is literal; here that
//! meets a tree. What fits is needed, prose and other people's files included, because
//! nobody knows which of it is opened. Where everything fits, the file reaches
//! everything.
//!
//! A path that begins where the program runs may begin in any directory at or above
//! its file, as far as it climbs; the way down from there is literal or a glob.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::{Builder, EdgeKind, NodeId, Widening};
use crate::engine::facts::{Base, Language, Opened, Reach, When};
use crate::engine::globs::{Glob, Pattern};
use crate::engine::packages::Ecosystem;
use crate::engine::tree::{FileId, dir_of, join};

/// How many different globs of one tree are looked up.
const GLOBS: usize = 4_000;
/// How many edges they make together.
const EDGES: usize = 4_000_000;

/// Adds what the files of a tree open by computed paths.
pub(super) fn resolve(builder: &mut Builder<'_>) {
    let snapshot = builder.snapshot;
    let mut linker = Linker {
        builder,
        groups: FxHashMap::default(),
        edges: 0,
    };
    for (file, entry) in snapshot.tree.iter() {
        let Some(facts) = snapshot.facts(file) else {
            continue;
        };
        for opened in &facts.opened {
            linker.opened(file, &entry.path, opened);
        }
    }
}

struct Linker<'b, 'a> {
    builder: &'b mut Builder<'a>,
    /// The units made so far, by directory and glob; `None` where nothing fits.
    groups: FxHashMap<(Box<str>, Box<str>), Option<NodeId>>,
    edges: usize,
}

/// Where a file lies, and where its program runs.
struct Home<'p> {
    dir: &'p str,
    package: &'p str,
    /// Where the program runs, where that is certain.
    working: Option<&'p str>,
    /// Whether it is a program that people start from anywhere.
    is_started: bool,
    /// Whether it may run for another package, in that one's directory.
    is_library: bool,
}

impl<'p> Home<'p> {
    /// The go command runs tests in their own directory
    /// (<https://pkg.go.dev/cmd/go#hdr-Test_packages>), cargo those and build scripts in
    /// the directory of their package
    /// (<https://doc.rust-lang.org/cargo/commands/cargo-test.html#working-directory-of-tests>).
    fn of(builder: &Builder<'p>, file: FileId, path: &'p str) -> Self {
        let dir = dir_of(path);
        let owner = builder.packages.owner_dir(path).unwrap_or_default();
        let home = Self {
            dir,
            package: owner,
            working: None,
            is_started: false,
            is_library: false,
        };
        match Language::of_path(path) {
            Some(Language::Go) => {
                let facts = builder.snapshot.facts(file);
                let is_test = path.ends_with("_test.go");
                Self {
                    working: is_test.then_some(dir),
                    is_started: facts.is_some_and(|it| it.package.as_deref() == Some("main")),
                    ..home
                }
            }
            Some(Language::Rust) => {
                let own = builder.packages.owner_in(path, Ecosystem::Cargo);
                let package = own.map_or(owner, |package| package.dir.as_ref());
                let below = path.get(package.len()..).unwrap_or_default();
                let below = below.trim_start_matches('/');
                let is_test = ["tests/", "benches/", "examples/"]
                    .iter()
                    .any(|it| below.starts_with(it));
                let is_certain = is_test && !below.starts_with('e') || below == "build.rs";
                let is_started = below.ends_with("main.rs") || below.starts_with("src/bin/");
                let is_code = !is_test && !is_certain && !is_started;
                Self {
                    package,
                    working: is_certain.then_some(package),
                    is_started,
                    is_library: is_code && has_library(builder, package),
                    ..home
                }
            }
            _ => home,
        }
    }

    /// Whether a path of this base begins in one directory.
    fn is_certain(&self, base: Base) -> bool {
        match base {
            Base::Beside | Base::Manifest | Base::Caller => true,
            Base::Working => self.working.is_some(),
            Base::Package | Base::Anywhere | Base::Around => false,
        }
    }

    /// The directories from which a pattern may count.
    fn bases(&self, base: Base, head: &str, below: &Below) -> Vec<&'p str> {
        match (base, self.working) {
            (Base::Beside, _) => vec![self.dir],
            (Base::Manifest | Base::Package | Base::Caller, _) => vec![self.package],
            (Base::Anywhere, _) => vec![""],
            (Base::Working, Some(working)) => vec![working],
            (Base::Working, None) if head.starts_with("..") => self.around(),
            (Base::Around, _) => self.around(),
            (Base::Working, None) => {
                let is_narrow = !head.is_empty()
                    || matches!(below, Below::Glob(glob) if !glob.starts_with("**"));
                let root = (is_narrow || self.is_started).then_some("");
                [self.dir, self.package].into_iter().chain(root).collect()
            }
        }
    }
}

impl<'p> Home<'p> {
    /// The directory of the file, and all above it.
    fn around(&self) -> Vec<&'p str> {
        let above = |dir: &&'p str| (!dir.is_empty()).then(|| dir_of(dir));
        std::iter::successors(Some(self.dir), above).collect()
    }
}

/// What a pattern asks for below a directory.
enum Below {
    All,
    Glob(String),
    /// Nothing by itself: a program runs there.
    Place,
}

impl Linker<'_, '_> {
    fn opened(&mut self, file: FileId, path: &str, opened: &Opened) {
        let home = Home::of(self.builder, file, path);
        if opened.base == Base::Around {
            return self.named(file, &home, opened);
        }
        let package = home.package;
        let (head, below) = split(&opened.pattern);
        let mut dirs: BTreeSet<String> = BTreeSet::new();
        let mut leaves = false;
        for base in home.bases(opened.base, &head, &below) {
            match join(base, &head) {
                Some(dir) => drop(dirs.insert(dir)),
                // Above the repository lies the directory that holds it.
                None => leaves |= home.is_certain(opened.base),
            }
        }
        let reaches_all = |dir: &String| dir.is_empty() && matches!(below, Below::All);
        if leaves || dirs.iter().any(reaches_all) {
            return self.widen(file, Reach::Repository, opened);
        }
        if home.is_library && matches!(opened.base, Base::Working | Base::Caller) {
            self.elsewhere(file, opened);
        }
        for dir in dirs {
            let is_own = is_at_or_below(&dir, package);
            let done = match &below {
                Below::Place if is_own => {
                    self.widen(file, Reach::Package, opened);
                    true
                }
                Below::Place if dir.is_empty() => false,
                Below::Place | Below::All => self.group((file, opened.when), &dir, "**"),
                Below::Glob(glob) => self.group((file, opened.when), &dir, glob),
            };
            if !done {
                self.widen(file, Reach::Repository, opened);
            }
        }
    }

    /// What code of a library reads in the directory of whoever runs it: of a test, of a
    /// build script, or of a package that a macro is built for. What is named there may lie
    /// anywhere. Where nothing is named, it is all of a package that nobody knows, or all
    /// of where the program runs, for which its own package is taken.
    fn elsewhere(&mut self, file: FileId, opened: &Opened) {
        let mut rest = &*opened.pattern;
        while let Some(below) = ["./", "../"].iter().find_map(|it| rest.strip_prefix(it)) {
            rest = below;
        }
        let is_named = rest.chars().any(char::is_alphanumeric);
        if !is_named && opened.base == Base::Caller && rest.contains('*') {
            return self.widen(file, Reach::Repository, opened);
        }
        if is_named && !self.group((file, opened.when), "", &format!("**/{rest}")) {
            self.widen(file, Reach::Repository, opened);
        }
    }

    /// Needs what lies at a literal, from wherever it may count. Most of them are no paths.
    fn named(&mut self, file: FileId, home: &Home<'_>, opened: &Opened) {
        let tree = &self.builder.snapshot.tree;
        let (head, below) = if opened.pattern.contains('*') {
            split(&opened.pattern)
        } else {
            (opened.pattern.to_string(), Below::All)
        };
        for base in home.around() {
            let Some(path) = join(base, &head) else {
                continue;
            };
            let glob = match &below {
                Below::Glob(glob) => glob.as_str(),
                Below::All | Below::Place => "**",
            };
            if let Some(target) = tree.find(&path) {
                self.builder.edge(file, target, EdgeKind::Widened);
            } else if (tree.has_dir(&path) || path.is_empty() && glob != "**")
                && !self.group((file, opened.when), &path, glob)
            {
                self.widen(file, Reach::Repository, opened);
            }
        }
    }

    fn widen(&mut self, file: FileId, reach: Reach, opened: &Opened) {
        self.builder.widen(Widening {
            when: opened.when,
            file,
            reach,
            what: opened.what.clone(),
            line: opened.line,
        });
    }

    /// Needs what a glob fits below a directory; `false` when that is too much to say.
    fn group(&mut self, (from, when): (FileId, When), dir: &str, glob: &str) -> bool {
        let key = (Box::from(dir), Box::from(glob));
        if !self.groups.contains_key(&key) {
            if self.groups.len() >= GLOBS {
                return false;
            }
            let Some(files) = self.files(dir, glob) else {
                return false;
            };
            let unit = self.unit(&files, (dir, glob));
            self.groups.insert(key.clone(), unit);
        }
        if let Some(unit) = self.groups.get(&key).copied().flatten() {
            let kind = match when {
                When::Used => EdgeKind::Widened,
                When::Run => EdgeKind::Opened,
            };
            self.builder.edge(from, unit, kind);
        }
        true
    }

    /// What a glob fits below a directory; `None` when that is too much to say.
    fn files(&mut self, dir: &str, glob: &str) -> Option<Vec<FileId>> {
        let tree = &self.builder.snapshot.tree;
        // Code names files with brackets in their names as it names others.
        let mut files: BTreeSet<FileId> = BTreeSet::new();
        for reading in Glob::readings(glob) {
            let glob = Glob::below(dir, reading.as_str());
            files.extend(Pattern::new(&glob).ok()?.files(tree));
        }
        let files: Vec<FileId> = files.into_iter().collect();
        self.edges += files.len();
        (self.edges <= EDGES).then_some(files)
    }

    /// The unit of some files, if there are any.
    fn unit(&mut self, files: &[FileId], (dir, glob): (&str, &str)) -> Option<NodeId> {
        if files.is_empty() {
            return None;
        }
        let shown = if dir.is_empty() {
            format!("files like {glob}")
        } else {
            format!("files like {glob} below {dir}")
        };
        let unit = self.builder.group(shown);
        for file in files {
            self.builder.edge(unit, *file, EdgeKind::Widened);
        }
        Some(unit)
    }
}

/// Whether other packages may use the code of a package of Cargo.
fn has_library(builder: &Builder<'_>, package: &str) -> bool {
    let snapshot = builder.snapshot;
    let lib = join(package, "src/lib.rs");
    let manifest = join(package, "Cargo.toml").unwrap_or_default();
    let text = snapshot.text(&manifest);
    lib.is_some_and(|path| snapshot.tree.find(&path).is_some())
        || text.is_some_and(|text| text.contains("lib"))
}

fn is_at_or_below(path: &str, dir: &str) -> bool {
    dir.is_empty()
        || path
            .strip_prefix(dir)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The steps and names at the head of a pattern, and what it asks for below.
fn split(pattern: &str) -> (String, Below) {
    if pattern.is_empty() {
        return (String::new(), Below::Place);
    }
    let parts: Vec<&str> = pattern.split('/').collect();
    let is_fixed = |part: &&str| !part.contains(['*', '?', '[', '{']);
    let fixed = parts.iter().take_while(|part| is_fixed(part)).count();
    let rest = parts.get(fixed..).unwrap_or_default();
    if !rest.is_empty() {
        let head = parts.get(..fixed).unwrap_or_default().join("/");
        return match rest {
            ["**"] | ["**", "*"] => (head, Below::All),
            rest => (head, Below::Glob(rest.join("/"))),
        };
    }
    // A path without anything special: the last part is the name.
    match parts.split_last() {
        Some((last, _)) if matches!(*last, "." | ".." | "") => (pattern.to_owned(), Below::Place),
        Some((last, head)) => (head.join("/"), Below::Glob((*last).to_owned())),
        None => (String::new(), Below::Place),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::engine::packages::Packages;

    /// What the first file reaches by the edges of this module, and its widenings.
    fn check(files: &[(&str, &str)], expected: &str) {
        let snapshot = sample::snapshot(files);
        let packages = Packages::read(&snapshot);
        let mut builder = Builder::new(&snapshot, &packages);
        super::super::python::resolve(&mut builder);
        resolve(&mut builder);
        let graph = builder.finish();
        let reached = sample::reached(&snapshot, &graph, files[0].0);
        let mut found: Vec<String> = reached
            .lines()
            .skip_while(|_| false)
            .map(str::to_owned)
            .collect();
        found.retain(|path| path != files[0].0);
        found.extend(
            graph
                .widenings
                .iter()
                .map(|it| format!("{:?}:{}", it.reach, it.line)),
        );
        assert_eq!(found.join(" "), expected, "{files:?}");
    }

    /// Two packages; the first file is a test of `p`.
    fn in_two(source: &str, expected: &str) {
        check(
            &[
                ("p/tests/t.py", source),
                ("p/pyproject.toml", ""),
                ("p/data/x.json", ""),
                ("p/docs/g.md", ""),
                ("p/m.py", ""),
                ("q/pyproject.toml", ""),
                ("q/qq.py", ""),
                ("README.md", ""),
            ],
            expected,
        );
    }

    #[test]
    fn a_literal_beginning_narrows() {
        in_two("open(f'data/{n}.json')", "p/data/x.json");
        in_two("open(f'../q/{n}.py')", "q/qq.py");
        in_two(
            "glob.glob('../*/*.py')",
            "p/m.py p/tests/t.py q/qq.py"
                .replace("p/tests/t.py ", "")
                .as_str(),
        );
        in_two("glob.glob('data/*.json')", "p/data/x.json");
        in_two("glob.glob('../q/*.py')", "q/qq.py");
        in_two("open('docs/' + n + '.md')", "p/docs/g.md");
        in_two("open('docs/%s.md' % n)", "p/docs/g.md");
        in_two("open('docs/{}.md'.format(n))", "p/docs/g.md");
        in_two("open(os.path.join('docs', n))", "p/docs/g.md");
    }

    #[test]
    fn brackets_in_a_path_are_those_of_a_name_or_of_a_pattern() {
        let files = |source| {
            [
                ("t.py", source),
                ("app/[slug]/x.json", ""),
                ("app/s/x.json", ""),
            ]
        };
        let both = "app/[slug]/x.json app/s/x.json";
        check(&files("open(f'app/[slug]/{n}.json')"), both);
        check(&files("glob.glob('app/[s]/*.json')"), "app/s/x.json");
    }

    #[test]
    fn a_listing_below_a_root_that_lies_above_the_package_reaches_everything() {
        for source in [
            "for f in Path(__file__).resolve().parents[2].rglob('*'): f.read_text()",
            "ROOT = Path(__file__).parent.parent.parent\nos.walk(ROOT)",
            "import os\nROOT = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))\nfor a in os.walk(ROOT): pass",
        ] {
            let line = source.lines().count();
            in_two(source, &format!("Repository:{line}"));
        }
        in_two("os.walk('..')", "Repository:1");
        in_two("compileall.compile_dir('..')", "Repository:1");
    }

    #[test]
    fn a_glob_below_the_root_reaches_what_it_fits() {
        in_two(
            "for f in Path(__file__).resolve().parents[2].rglob('*.md'): f.read_text()",
            "README.md p/docs/g.md",
        );
    }

    #[test]
    fn a_listing_in_the_package_reads_its_prose_as_well() {
        check(
            &[
                ("t.py", "os.listdir('.')"),
                ("README.md", ""),
                ("a/b.md", ""),
            ],
            "README.md",
        );
        check(
            &[
                ("t.py", "for p in Path('.').glob('*.md'): p.open()"),
                ("README.md", ""),
                ("a/b.md", ""),
            ],
            "README.md",
        );
        check(
            &[
                (
                    "t.py",
                    "from pathlib import Path\nfor p in Path('docs').iterdir(): p.read_text()",
                ),
                ("README.md", ""),
                ("docs/b.md", ""),
            ],
            "docs/b.md",
        );
    }

    #[test]
    fn what_cannot_be_bound_reaches_the_package() {
        in_two("def f(p):\n    return open(p)", "Visible:2");
        in_two("def f(p):\n    return os.listdir(p)", "Package:2");
        in_two("open(f'{n}.md')", "p/docs/g.md");
        in_two("def f(p):\n    open(p + '/x.json')", "p/data/x.json");
        in_two("def f(p):\n    return os.listdir(p.parent)", "Package:2");
        in_two(
            "def f(p):\n    return os.listdir(p.parent.parent)",
            "Repository:2",
        );
        in_two("from x import ROOT\nos.walk(ROOT)", "Repository:2");
        in_two(
            "from x import ROOT\nopen(ROOT / 'docs' / f'{n}.md')",
            "p/docs/g.md",
        );
    }

    #[test]
    fn who_reads_a_path_that_is_put_together_need_not_be_known() {
        in_two(
            "Image.open(os.path.join(os.path.dirname(__file__), '..', n))",
            "p/data/x.json p/docs/g.md p/m.py p/pyproject.toml",
        );
        in_two("np.load(f'../q/{n}')", "q/pyproject.toml q/qq.py");
        in_two("YAML().load(Path('data') / n)", "p/data/x.json");
        in_two("pd.read_csv(f'data/{n}.json')", "p/data/x.json");
        in_two("from x import ROOT\nload(ROOT / n)", "Repository:2");
        in_two("def ratio(a, b):\n    return a / b", "");
        in_two("print(f'{a} / {b}', f'/api/{a}')", "");
        in_two("from x import ROOT\nprint(f'{ROOT}/{n}')", "");
    }

    #[test]
    fn a_fixture_that_is_named_for_the_root_is_the_root() {
        in_two(
            "def test_a(root):\n    assert list(root.rglob('*.py'))",
            "p/m.py q/qq.py",
        );
        in_two(
            "def test_a(repo_root, n):\n    read(repo_root / 'docs' / n)",
            "p/docs/g.md",
        );
        in_two(
            "@pytest.fixture\ndef texts(root):\n    return os.listdir(root)",
            "Repository:3",
        );
        in_two("def visit(root):\n    return os.listdir(root)", "Package:2");
    }

    #[test]
    fn a_step_up_from_what_nobody_knows_may_lead_anywhere() {
        in_two(
            "def f(p):\n    os.walk(os.path.join(p, '..'))",
            "Repository:2",
        );
        in_two("open(f'{n}/../{m}')", "Repository:1");
    }

    #[test]
    fn a_function_lists_what_its_calls_give_it() {
        in_two(
            "def walk(d):\n    return os.walk(d)\nwalk(Path(__file__).parents[2])",
            "Package:2 Repository:2",
        );
    }

    #[test]
    fn what_lies_in_a_directory_made_for_the_run_is_not_the_repositorys() {
        for source in [
            "def f(tmp_path):\n    os.listdir(tmp_path)",
            "def f(tmp_path):\n    p = tmp_path / f'{n}.md'\n    p.read_text()",
            "with tempfile.TemporaryDirectory() as d:\n    os.walk(d)",
            "open(f'/etc/{n}')",
        ] {
            in_two(source, "");
        }
    }

    #[test]
    fn a_program_that_is_started_reads_the_paths_that_it_is_given() {
        in_two("subprocess.check_call(['flake8', '..'])", "Repository:1");
        in_two("subprocess.run(['make', '-C', '..'])", "Repository:1");
        in_two(
            "subprocess.run('cat ../q/*', shell=True)",
            "q/qq.py q/pyproject.toml"
                .split(' ')
                .rev()
                .collect::<Vec<_>>()
                .join(" ")
                .as_str(),
        );
        in_two(
            "subprocess.check_output(['git', 'ls-files'])",
            "Repository:1",
        );
        in_two(
            "subprocess.run([sys.executable, '-m', 'pytest', '../q'])",
            "q/pyproject.toml q/qq.py",
        );
        in_two("subprocess.run(['flake8', 'docs'])", "p/docs/g.md");
    }

    #[test]
    fn code_by_a_computed_path_is_needed() {
        in_two("exec(open(f'../q/{n}.py').read())", "q/qq.py Package:1");
        in_two(
            "importlib.util.spec_from_file_location(n, f'../q/{n}.py')",
            "q/qq.py Package:1",
        );
        in_two(
            "import sys\nsys.path[:0] = ['../q']\nimportlib.import_module('q' + n)",
            "q/qq.py Package:3",
        );
    }
}
