//! What one Python file says of itself.
//!
//! The parser recovers from errors, so that a file with a fault still gives the
//! imports around it. Names bound by imports are remembered, because
//! `from importlib import import_module as load` makes `load(...)` a dynamic import.

use ruff_python_ast::visitor::{Visitor, walk_comprehension, walk_expr, walk_stmt};
use ruff_python_ast::{
    Alias, Comprehension, Expr, ExprBinOp, FStringPart, InterpolatedStringElement, Operator,
    Parameters, PySourceType, Stmt, StmtClassDef, StmtFunctionDef, StmtIf, StmtImportFrom,
};
use ruff_text_size::{Ranged, TextSize};

use super::super::lines::Lines;
use super::super::nesting;
use super::calls;
use super::opened::Openings;
use super::places::Bound;
use crate::engine::facts::{
    Base, Dynamic, Facts, Import, ImportKind, Opened, Reach, When, could_name_a_path,
};
use crate::engine::graph::places::{begins_hidden, continues_hidden};

/// Reads a `.py` or `.pyi` file.
pub fn extract(path: &str, source: &str) -> Facts {
    let stub = path.ends_with(".pyi");
    nesting::facts(source, || read(source, stub))
}

fn read(source: &str, stub: bool) -> Facts {
    let kind = if stub {
        PySourceType::Stub
    } else {
        PySourceType::Python
    };
    let parsed = ruff_python_parser::parse_unchecked_source(source, kind);
    let mut reader = Reader::new(source, stub);
    reader.visit_body(&parsed.syntax().body);
    for stmt in &parsed.syntax().body {
        tests_of(stmt, "", &mut reader.facts.tests);
    }
    let mut facts = reader.facts;
    let lines = &mut reader.lines;
    let openings = reader.openings;
    openings.finish(&mut facts, &mut |at| lines.line(at.to_usize()));
    let order = |it: &Opened| (it.line, it.base, it.pattern.clone());
    facts.opened.sort_by_key(order);
    facts.opened.dedup();
    facts
        .dynamic
        .sort_by(|a, b| (a.line, a.reach, &a.what).cmp(&(b.line, b.reach, &b.what)));
    facts.dynamic.dedup();
    facts.broken = parsed.has_syntax_errors();
    facts.literals.sort_unstable();
    facts.literals.dedup();
    facts
}

/// Walks one file and collects its facts.
pub(super) struct Reader<'a> {
    pub(super) facts: Facts,
    /// What it reads by computed paths, and what its names stand for.
    pub(super) openings: Openings<'a>,
    lines: Lines<'a>,
    only_types: bool,
}

impl<'a> Reader<'a> {
    fn new(source: &'a str, only_types: bool) -> Self {
        Self {
            facts: Facts::default(),
            openings: Openings::default(),
            lines: Lines::new(source),
            only_types,
        }
    }

    /// Records an import that a call makes.
    pub(super) fn import(
        &mut self,
        specifier: &str,
        names: &[&str],
        kind: ImportKind,
        at: TextSize,
    ) {
        let line = self.lines.line(at.to_usize());
        self.facts.imports.push(Import {
            specifier: specifier.into(),
            names: names.iter().map(|name| (*name).into()).collect(),
            kind,
            line,
        });
    }

    /// Records a construct that no literal explains.
    pub(super) fn dynamic(&mut self, reach: Reach, what: impl Into<Box<str>>, at: TextSize) {
        let line = self.lines.line(at.to_usize());
        self.facts.dynamic.push(Dynamic {
            when: When::Used,
            reach,
            what: what.into(),
            line,
        });
    }

    /// Keeps a literal that could name a file.
    pub(super) fn literal(&mut self, text: &str) {
        if could_name_a_path(text) {
            self.facts.literals.push(text.into());
        }
    }

    /// What an expression is called, dotted, with imported names put back to what
    /// they stand for.
    pub(super) fn full_name(&self, expr: &Expr) -> Option<String> {
        self.openings.names.called(expr)
    }

    /// Whether an import bound this name.
    pub(super) fn is_bound(&self, name: &str) -> bool {
        self.openings.names.imported.contains_key(name)
    }

    fn static_kind(&self) -> ImportKind {
        if self.only_types {
            ImportKind::Type
        } else {
            ImportKind::Static
        }
    }

    fn plain_import(&mut self, alias: &'a Alias) {
        let name = alias.name.as_str();
        self.import(name, &[], self.static_kind(), alias.start());
        let head = name.split('.').next().unwrap_or(name);
        let (bound, meant) = match &alias.asname {
            Some(bound) => (bound.as_str(), name),
            None => (head, head),
        };
        self.openings.names.imported.insert(bound, meant.to_owned());
    }

    fn taken_import(&mut self, import: &'a StmtImportFrom) {
        let module = import.module.as_ref().map_or("", |name| name.as_str());
        let dots = usize::try_from(import.level).unwrap_or(0);
        let specifier = format!("{}{module}", ".".repeat(dots));
        let names: Vec<&str> = import
            .names
            .iter()
            .map(|alias| alias.name.as_str())
            .collect();
        self.import(&specifier, &names, self.static_kind(), import.start());
        for alias in &import.names {
            let name = alias.name.as_str();
            let bound = alias.asname.as_ref().map_or(name, |bound| bound.as_str());
            self.openings
                .names
                .imported
                .insert(bound, format!("{specifier}.{name}"));
        }
    }

    /// `if TYPE_CHECKING:` loads nothing at run time; its other branches do.
    fn conditional(&mut self, stmt: &'a StmtIf) {
        let before = self.only_types;
        self.only_types |= is_type_checking(&stmt.test);
        self.visit_expr(&stmt.test);
        self.visit_body(&stmt.body);
        self.only_types = before;
        for clause in &stmt.elif_else_clauses {
            self.visit_elif_else_clause(clause);
        }
    }

    /// `INSTALLED_APPS` and `pytest_plugins` are imported by name later.
    fn assigned(&mut self, target: &Expr, value: &'a Expr) {
        let Expr::Name(name) = target else { return };
        let names: &[&str] = match name.id.as_str() {
            "INSTALLED_APPS" | "DJANGO_APPS" | "LOCAL_APPS" | "THIRD_PARTY_APPS" => &["**"],
            "pytest_plugins" => &[],
            _ => return,
        };
        let mut strings = Vec::new();
        calls::strings_in(value, &mut strings);
        for text in strings {
            self.import(text, names, ImportKind::Dynamic, value.start());
        }
    }
}

impl<'a> Visitor<'a> for Reader<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => import
                .names
                .iter()
                .for_each(|alias| self.plain_import(alias)),
            Stmt::ImportFrom(import) => self.taken_import(import),
            Stmt::If(conditional) => self.conditional(conditional),
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    self.assigned(target, &assign.value);
                    self.bind(target, &assign.value);
                }
                walk_stmt(self, stmt);
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.assigned(&assign.target, value);
                    self.bind(&assign.target, value);
                }
                walk_stmt(self, stmt);
            }
            Stmt::AugAssign(assign) => {
                self.assigned(&assign.target, &assign.value);
                self.bind(&assign.target, &assign.value);
                walk_stmt(self, stmt);
            }
            Stmt::For(each) => {
                self.openings.bind(&each.target, Bound::Part(&each.iter));
                walk_stmt(self, stmt);
            }
            Stmt::With(with) => {
                for item in &with.items {
                    if let Some(target) = &item.optional_vars {
                        self.openings.bind(target, Bound::Value(&item.context_expr));
                    }
                }
                walk_stmt(self, stmt);
            }
            Stmt::FunctionDef(function) => {
                let bound = if is_of_a_test(function) {
                    Bound::Fixture
                } else {
                    Bound::Given
                };
                let names = self.given(&function.parameters, bound);
                self.openings.function(function.name.as_str(), names);
                if function.name.as_str() == "pytest_collect_file" {
                    self.collects(function.start());
                }
                walk_stmt(self, stmt);
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn visit_comprehension(&mut self, comprehension: &'a Comprehension) {
        let bound = Bound::Part(&comprehension.iter);
        self.openings.bind(&comprehension.target, bound);
        walk_comprehension(self, comprehension);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::StringLiteral(literal) => return self.literal(literal.value.to_str()),
            Expr::FString(literal) => {
                self.composed(expr);
                self.openings.written(expr);
                for part in &literal.value {
                    match part {
                        FStringPart::Literal(part) => self.literal(part.as_str()),
                        FStringPart::FString(part) => {
                            for element in &part.elements {
                                if let InterpolatedStringElement::Literal(text) = element {
                                    self.literal(&text.value);
                                }
                            }
                        }
                    }
                }
            }
            Expr::Call(call) => {
                self.composed(expr);
                self.openings.written(expr);
                calls::read(self, call);
            }
            Expr::Named(named) => self.bind(&named.target, &named.value),
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.given(parameters, Bound::Given);
                }
            }
            Expr::BinOp(chain) if chain.op == Operator::Div => {
                self.openings.written(expr);
                self.joined_path(chain);
            }
            Expr::BinOp(_) => self.composed(expr),
            _ => {}
        }
        walk_expr(self, expr);
    }
}

impl<'a> Reader<'a> {
    /// A text that is put together: when it begins a hidden name, whoever opens what
    /// callers give may open that.
    fn composed(&mut self, expr: &Expr) {
        let begins = match expr {
            Expr::FString(text) => {
                let mut pieces = text.value.iter().flat_map(|part| match part {
                    FStringPart::Literal(text) => vec![text.as_str()],
                    FStringPart::FString(text) => {
                        // What is put in stands for itself as an empty piece.
                        let pieces = text.elements.iter().map(|it| it.as_literal());
                        pieces.map(|it| it.map_or("", |it| &it.value)).collect()
                    }
                });
                pieces.next().is_some_and(begins_hidden) || pieces.any(continues_hidden)
            }
            Expr::BinOp(sum) => {
                let left = sum.left.as_string_literal_expr();
                left.is_some_and(|left| begins_hidden(left.value.to_str()))
            }
            Expr::Call(call) => {
                let text = call.func.as_attribute_expr();
                let text = text.filter(|text| text.attr.as_str() == "format");
                let text = text.and_then(|text| text.value.as_string_literal_expr());
                text.is_some_and(|text| begins_hidden(text.value.to_str()))
            }
            _ => false,
        };
        if begins {
            let what = "a name that begins with a dot".to_owned();
            self.dynamic(Reach::Composed, what, expr.start());
        }
    }

    /// A name gets a value; what `sys.path` gets is searched for modules.
    fn bind(&mut self, target: &'a Expr, value: &'a Expr) {
        let changed = match target {
            Expr::Subscript(part) => part.value.as_ref(),
            target => target,
        };
        if self
            .full_name(changed)
            .is_some_and(|name| name == "sys.path")
        {
            self.openings.searches(value);
        }
        self.openings.bind(target, Bound::Value(value));
    }

    /// Parameters hold what callers give, or their defaults.
    fn given(&mut self, parameters: &'a Parameters, given: Bound<'a>) -> Vec<&'a str> {
        let mut names = Vec::new();
        let bound = &mut self.openings.names.bound;
        for parameter in parameters.iter_non_variadic_params() {
            let name = parameter.parameter.name.as_str();
            let values = bound.entry(name).or_default();
            names.push(name);
            values.push(given);
            values.extend(parameter.default.as_deref().map(Bound::Value));
        }
        names
    }

    /// A test runner's hook that takes files for tests, prose as well.
    fn collects(&mut self, at: TextSize) {
        let line = self.lines.line(at.to_usize());
        self.facts.opened.push(Opened {
            when: When::Used,
            base: Base::Package,
            pattern: "**/*.{md,mdx,markdown,rst,adoc,txt}".into(),
            what: "pytest_collect_file".into(),
            line,
        });
    }

    /// `HERE / "data" / "x.json"` names `data/x.json`.
    fn joined_path(&mut self, chain: &ExprBinOp) {
        let mut pieces = Vec::new();
        let mut current = chain;
        while let Expr::StringLiteral(piece) = current.right.as_ref() {
            pieces.push(piece.value.to_str());
            match current.left.as_ref() {
                Expr::BinOp(left) if left.op == Operator::Div => current = left,
                Expr::Call(call) => {
                    if let Some(Expr::StringLiteral(first)) = call.arguments.args.last() {
                        pieces.push(first.value.to_str());
                    }
                    break;
                }
                _ => break,
            }
        }
        if pieces.len() > 1 {
            pieces.reverse();
            self.literal(&pieces.join("/"));
        }
    }
}

/// Whether pytest fills the parameters of a function by their names
/// (<https://docs.pytest.org/en/stable/explanation/fixtures.html>).
fn is_of_a_test(function: &StmtFunctionDef) -> bool {
    let mut decorators = function.decorator_list.iter();
    function.name.starts_with("test")
        || decorators.any(|it| {
            let called = match &it.expression {
                Expr::Call(call) => call.func.as_ref(),
                expression => expression,
            };
            match called {
                Expr::Attribute(attribute) => attribute.attr.as_str() == "fixture",
                Expr::Name(name) => name.id.as_str() == "fixture",
                _ => false,
            }
        })
}

fn is_type_checking(test: &Expr) -> bool {
    match test {
        Expr::Name(name) => name.id.as_str() == "TYPE_CHECKING",
        Expr::Attribute(attribute) => attribute.attr.as_str() == "TYPE_CHECKING",
        _ => false,
    }
}

/// Names of tests as pytest writes them without the path: `test_x`, `TestY::test_z`.
fn tests_of(stmt: &Stmt, prefix: &str, tests: &mut Vec<Box<str>>) {
    match stmt {
        Stmt::FunctionDef(StmtFunctionDef { name, .. }) if name.as_str().starts_with("test") => {
            tests.push(format!("{prefix}{name}").into());
        }
        Stmt::ClassDef(class) if is_test_class(class) => {
            let prefix = format!("{prefix}{}::", class.name);
            for stmt in &class.body {
                tests_of(stmt, &prefix, tests);
            }
        }
        _ => {}
    }
}

fn is_test_class(class: &StmtClassDef) -> bool {
    let base_is_case = |base: &Expr| match base {
        Expr::Name(name) => name.id.as_str().ends_with("TestCase"),
        Expr::Attribute(attribute) => attribute.attr.as_str().ends_with("TestCase"),
        _ => false,
    };
    class.name.as_str().starts_with("Test")
        || class
            .arguments
            .as_ref()
            .is_some_and(|arguments| arguments.args.iter().any(base_is_case))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Imports as `line kind specifier: names`, then dynamic constructs.
    fn check(source: &str, expected: &str) {
        let facts = extract("a.py", source);
        let mut lines: Vec<String> = facts
            .imports
            .iter()
            .map(|import| {
                let names = import.names.join(",");
                let line = format!(
                    "{} {:?} {} {names}",
                    import.line, import.kind, import.specifier
                );
                line.trim_end().to_owned()
            })
            .collect();
        let dynamic = facts.dynamic.iter();
        lines.extend(
            dynamic.map(|found| format!("{} {:?}: {}", found.line, found.reach, found.what)),
        );
        assert_eq!(lines.join("\n"), expected, "{source}");
    }

    #[test]
    fn imports_at_any_depth_are_read() {
        check("import a.b as c, d\n", "1 Static a.b\n1 Static d");
        check(
            "from . import x, y\nfrom ..p.q import *\n",
            "1 Static . x,y\n2 Static ..p.q *",
        );
        check(
            "def f():\n    try:\n        import a\n    except ImportError:\n        import b\n",
            "3 Static a\n5 Static b",
        );
        check("match x:\n    case 1:\n        import a\n", "3 Static a");
    }

    #[test]
    fn imports_for_types_are_told_apart_and_only_in_their_branch() {
        check(
            "if typing.TYPE_CHECKING:\n    import a\nelse:\n    import b\nimport c\n",
            "2 Type a\n4 Static b\n5 Static c",
        );
        assert_eq!(
            extract("a.pyi", "import a").imports[0].kind,
            ImportKind::Type
        );
    }

    #[test]
    fn literal_dynamic_imports_name_their_module() {
        check(
            "import importlib\nimportlib.import_module('a.b')\n",
            "1 Static importlib\n2 Dynamic a.b",
        );
        check(
            "from importlib import import_module as load\nload('a')\n",
            "1 Static importlib import_module\n2 Dynamic a",
        );
        check(
            "importlib.import_module('..x', package='a.b.c')\n",
            "1 Dynamic a.b.x",
        );
        check(
            "importlib.import_module('.x', __package__)\n",
            "1 Dynamic .x",
        );
        check(
            "__import__('a')\npytest.importorskip('b')\n",
            "1 Dynamic a\n2 Dynamic b",
        );
        check(
            "pytest_plugins = ['a.b', 'c']\n",
            "1 Dynamic a.b\n1 Dynamic c",
        );
        check(
            "INSTALLED_APPS = ['polls']\nINSTALLED_APPS += ['shop']\n",
            "1 Dynamic polls **\n2 Dynamic shop **",
        );
        check(
            "mocker.patch('a.b.c')\nmonkeypatch.setattr('d.e', 1)\n",
            "1 Dynamic a.b.c\n2 Dynamic d.e",
        );
        check(
            "import_module(f'app.handlers.{name}')\n",
            "1 Dynamic app.handlers **",
        );
    }

    #[test]
    fn what_no_literal_explains_widens_to_the_package() {
        check(
            "importlib.import_module(name)\n",
            "1 Package: importlib.import_module(...)",
        );
        check("x = 1\nexec(code)\n", "2 Package: exec(...)");
        check(
            "importlib.import_module(f'{a}.b')\n",
            "1 Package: importlib.import_module(...)",
        );
        check(
            "pkgutil.walk_packages(p)\n",
            "1 Package: pkgutil.walk_packages(...)",
        );
    }

    #[test]
    fn a_subprocess_is_known_by_its_literal_words() {
        let check = |line: &str, expected: &str| check(line, expected);
        check("subprocess.run(['git', 'x'])", "1 Program git");
        check(
            "subprocess.run([sys.executable, '-m', 'a.b', x])",
            "1 Dynamic a.b __main__",
        );
        check("subprocess.run([sys.executable, '-u', 'tools/x.py'])", "");
        check(
            "subprocess.run([sys.executable, script])",
            "1 Package: subprocess.run(...)",
        );
        check("subprocess.run(cmd)", "1 Package: subprocess.run(...)");
        check(
            "subprocess.run(['bash', script])",
            "1 Program bash\n1 Package: subprocess.run(...)",
        );
        check("os.system(f'git log {x}')", "1 Program git");
        check(
            "os.system('make')",
            "1 Program make\n1 Package: os.system(...)",
        );
        check("app.run(debug)", "");
    }

    #[test]
    fn literals_keep_pieces_and_joined_paths() {
        let facts = extract(
            "a.py",
            "open(HERE / 'data' / 'x.json')\nos.path.join(D, 'a', 'b.txt')\nf'{x}/t.html'\n'two words'\n",
        );
        let literals: Vec<&str> = facts.literals.iter().map(AsRef::as_ref).collect();
        assert_eq!(
            literals,
            [
                "/t.html",
                "a/b.txt",
                "b.txt",
                "data",
                "data/x.json",
                "x.json"
            ]
        );
    }

    #[test]
    fn tests_are_named_as_the_runner_names_them() {
        let source = "def test_a(): ...\nclass TestB:\n    def test_c(self): ...\n    class TestD:\n        def test_e(self): ...\nclass F(unittest.TestCase):\n    def test_g(self): ...\nclass H:\n    def test_i(self): ...\n";
        let tests = extract("a.py", source).tests;
        let tests: Vec<&str> = tests.iter().map(AsRef::as_ref).collect();
        assert_eq!(
            tests,
            [
                "test_a",
                "TestB::test_c",
                "TestB::TestD::test_e",
                "F::test_g"
            ]
        );
    }

    #[test]
    fn a_file_with_a_fault_keeps_its_other_imports() {
        let facts = extract("a.py", "import a\ndef (:\nimport b\n");
        assert!(facts.broken && facts.imports.iter().any(|import| &*import.specifier == "a"));
        assert!(!extract("a.py", "").broken);
    }

    #[test]
    fn a_hostile_file_is_broken_and_nothing_else() {
        for source in [
            "(".repeat(50_000),
            "-".repeat(50_000),
            "not ".repeat(50_000),
            "a.".repeat(50_000),
        ] {
            let facts = extract("a.py", &source);
            assert!(facts.broken && facts.dynamic[0].reach == Reach::Repository);
        }
        for source in [
            "(".repeat(3_000),
            "-".repeat(3_000) + "1",
            "1+".repeat(3_000) + "1",
        ] {
            extract("a.py", &source);
        }
    }
}
