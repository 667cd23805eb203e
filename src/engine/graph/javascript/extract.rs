//! What one JavaScript or TypeScript file says of itself.
//!
//! The syntax tree is walked, not the module record, because imports also stand in
//! calls, in types and in comments. Of `.vue` and `.svelte` files the script blocks
//! are read, and of the rest every quoted attribute is kept as a literal.

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    BinaryExpression, BindingPattern, CallExpression, ExportAllDeclaration, ExportFromDeclaration,
    Expression, Function, ImportDeclaration, ImportExpression, MethodDefinition, NewExpression,
    Program, PropertyKey, StringLiteral, TSExternalModuleReference, TSImportType,
    TaggedTemplateExpression, TemplateElement, TemplateLiteral, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_parser::{ParseOptions, Parser, ParserReturn};
use oxc_span::{SourceType, Span};
use oxc_syntax::operator::BinaryOperator;
use oxc_syntax::scope::ScopeFlags;
use rustc_hash::FxHashMap;

use super::super::lines::Lines;
use super::super::nesting;
use super::calls;
use super::opened::{self, Openings};
use crate::engine::facts::{
    Base, Dynamic, Facts, Import, ImportKind, Opened, Reach, When, could_name_a_path,
};
use crate::engine::graph::places::{self, How, Place, begins_hidden, continues_hidden};

/// Reads a file of any extension that [`Language::JavaScript`](crate::engine::facts::Language) has.
pub fn extract(path: &str, source: &str) -> Facts {
    nesting::facts(source, || read(path, source))
}

fn read(path: &str, source: &str) -> Facts {
    let mut facts = Facts::default();
    if path.ends_with(".vue") || path.ends_with(".svelte") {
        components(source, &mut facts);
    } else {
        let kind = SourceType::from_path(path).unwrap_or_else(|_| SourceType::ts());
        module(source, kind, 0, &mut facts);
    }
    facts.literals.sort_unstable();
    facts.literals.dedup();
    facts
}

/// Reads the script blocks, and the quoted strings around them.
fn components(source: &str, facts: &mut Facts) {
    let mut rest = source;
    let mut lines = Lines::new(source);
    while let Some(start) = rest.find("<script") {
        let (before, tag) = rest.split_at(start);
        quoted(before, facts);
        let Some((attributes, body)) = tag.split_once('>') else {
            break;
        };
        let Some(end) = body.find("</script") else {
            break;
        };
        let (script, after) = body.split_at(end);
        quoted(attributes, facts);
        let line = lines.line(source.len() - body.len());
        if let Some(file) = attribute(attributes, "src") {
            facts.imports.push(Import {
                specifier: file.into(),
                names: Vec::new(),
                kind: ImportKind::Static,
                line,
            });
        }
        let kind = match attribute(attributes, "lang") {
            Some("tsx") => SourceType::tsx(),
            Some("ts" | "typescript") => SourceType::ts(),
            _ => SourceType::jsx(),
        };
        module(script, kind, line - 1, facts);
        rest = after;
    }
    quoted(rest, facts);
}

fn attribute<'s>(tag: &'s str, name: &str) -> Option<&'s str> {
    let start = tag.find(&format!(" {name}="))? + name.len() + 2;
    let value = tag.get(start..)?;
    let quote = value
        .chars()
        .next()
        .filter(|quote| matches!(quote, '"' | '\''))?;
    value.get(1..)?.split(quote).next()
}

/// Every quoted string of a template or a style.
fn quoted(text: &str, facts: &mut Facts) {
    let strings = text.split('"').skip(1).step_by(2);
    let singles = text.split('\'').skip(1).step_by(2);
    for literal in strings.chain(singles) {
        if could_name_a_path(literal) {
            facts.literals.push(literal.into());
        }
    }
}

fn module(source: &str, kind: SourceType, first_line: u32, facts: &mut Facts) {
    let allocator = Allocator::default();
    let mut parsed = parse(&allocator, source, kind);
    if parsed.panicked && kind.is_javascript() {
        // Flow's annotations are close enough to TypeScript's to find the imports.
        parsed = parse(&allocator, source, SourceType::tsx());
    }
    facts.broken |= parsed.panicked;
    let mut reader = Reader {
        facts,
        lines: Lines::new(source),
        first_line,
        bound: FxHashMap::default(),
        titles: Vec::new(),
        openings: Openings::default(),
    };
    reader.comments(&parsed.program);
    reader.visit_program(&parsed.program);
    opened::finish(&mut reader);
}

fn parse<'a>(allocator: &'a Allocator, source: &'a str, kind: SourceType) -> ParserReturn<'a> {
    let kind = if kind.is_javascript() {
        kind.with_jsx(true)
    } else {
        kind
    };
    let options = ParseOptions {
        allow_return_outside_function: true,
        ..ParseOptions::default()
    };
    Parser::new(allocator, source, kind)
        .with_options(options)
        .parse()
}

/// What a local name stands for, as far as calls of it matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// A function that starts programs, or a module of such functions.
    Process,
    /// A `require` made by `createRequire`.
    Require,
}

/// Walks one module and collects its facts.
pub(super) struct Reader<'f, 'a> {
    facts: &'f mut Facts,
    lines: Lines<'a>,
    first_line: u32,
    pub(super) bound: FxHashMap<&'a str, Bound>,
    /// Titles of the suites around.
    pub(super) titles: Vec<String>,
    /// What it opens by computed paths.
    pub(super) openings: Openings<'a>,
}

impl<'a> Reader<'_, 'a> {
    /// Records an import.
    pub(super) fn import(&mut self, specifier: &str, kind: ImportKind, at: Span) {
        let line = self.line(at);
        self.facts.imports.push(Import {
            specifier: specifier.into(),
            names: Vec::new(),
            kind,
            line,
        });
    }

    /// Records a construct that no literal explains.
    pub(super) fn dynamic(&mut self, what: &str, at: Span) {
        let line = self.line(at);
        self.facts.dynamic.push(Dynamic {
            when: When::Used,
            reach: Reach::Package,
            what: what.into(),
            line,
        });
    }

    /// Records that a name is composed which begins with a dot.
    fn composed(&mut self, at: Span) {
        let line = self.line(at);
        self.facts.dynamic.push(Dynamic {
            when: When::Used,
            reach: Reach::Composed,
            what: "a name that begins with a dot".into(),
            line,
        });
    }

    /// Keeps a literal that could name a file.
    pub(super) fn literal(&mut self, text: &str) {
        if could_name_a_path(text) {
            self.facts.literals.push(text.into());
        }
    }

    /// Records a test by its title below those of its suites.
    pub(super) fn test(&mut self, title: &str) {
        let mut name = self.titles.join(" > ");
        if !name.is_empty() {
            name.push_str(" > ");
        }
        name.push_str(title);
        self.facts.tests.push(name.into());
    }

    /// Records what reading some places comes to.
    pub(super) fn say(&mut self, found: &[Place], how: How, what: &str, at: Span) {
        let line = self.line(at);
        self.say_at(found, how, what, line);
    }

    /// The same on a line that is known.
    pub(super) fn say_at(&mut self, found: &[Place], how: How, what: &str, line: u32) {
        for place in found {
            places::say(self.facts, place, how, (what, line));
        }
    }

    pub(super) fn line(&mut self, at: Span) -> u32 {
        self.first_line + self.lines.line(at.start as usize)
    }

    /// `/// <reference path="x" />`, and files that docblocks name.
    fn comments(&mut self, program: &Program<'a>) {
        for comment in &program.comments {
            let text = comment.span.source_text(program.source_text);
            if text.starts_with("///") && text.contains("<reference") {
                if let Some(path) = attribute(text, "path") {
                    let path = if path.starts_with('.') {
                        path.to_owned()
                    } else {
                        format!("./{path}")
                    };
                    self.import(&path, ImportKind::Type, comment.span);
                } else if let Some(types) = attribute(text, "types") {
                    self.import(types, ImportKind::Type, comment.span);
                }
            }
            for tag in ["@jest-environment ", "@vitest-environment "] {
                let value = text.split_once(tag).map(|(_, rest)| rest);
                let value = value.and_then(|rest| rest.split_whitespace().next());
                if let Some(file) = value.filter(|value| value.starts_with('.')) {
                    self.import(file, ImportKind::Require, comment.span);
                    // Jest takes it from the root of its project.
                    let line = self.line(comment.span);
                    self.facts.opened.push(Opened {
                        when: When::Used,
                        base: Base::Manifest,
                        pattern: file.trim_start_matches("./").into(),
                        what: tag.trim().into(),
                        line,
                    });
                }
            }
        }
    }

    fn bind_all(&mut self, declaration: &ImportDeclaration<'a>, meaning: Bound) {
        for specifier in declaration.specifiers.iter().flatten() {
            self.bound.insert(specifier.local().name.as_str(), meaning);
        }
    }
}

impl<'a> Visit<'a> for Reader<'_, 'a> {
    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        // `import { type A }` alone still loads the module, unless a compiler drops it.
        let kind = kind_of(it.import_kind.is_type());
        self.import(&it.source.value, kind, it.span);
        if calls::starts_programs(&it.source.value) {
            self.bind_all(it, Bound::Process);
        }
    }

    fn visit_export_from_declaration(&mut self, it: &ExportFromDeclaration<'a>) {
        self.import(&it.source.value, kind_of(it.export_kind.is_type()), it.span);
    }

    fn visit_export_all_declaration(&mut self, it: &ExportAllDeclaration<'a>) {
        self.import(&it.source.value, kind_of(it.export_kind.is_type()), it.span);
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        calls::loaded(self, &it.source, ImportKind::Dynamic, it.span);
        walk::walk_import_expression(self, it);
    }

    fn visit_ts_import_type(&mut self, it: &TSImportType<'a>) {
        self.import(&it.source.value, ImportKind::Type, it.span);
        walk::walk_ts_import_type(self, it);
    }

    fn visit_ts_external_module_reference(&mut self, it: &TSExternalModuleReference<'a>) {
        self.import(&it.expression.value, ImportKind::Require, it.span);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        let is_suite = calls::read(self, it);
        opened::read(self, it);
        walk::walk_call_expression(self, it);
        if is_suite {
            self.titles.pop();
        }
    }

    fn visit_new_expression(&mut self, it: &NewExpression<'a>) {
        calls::constructed(self, it);
        walk::walk_new_expression(self, it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if let Some(name) = &it.id {
            self.openings.declared.insert(name.name.as_str());
        }
        walk::walk_function(self, it, flags);
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        if let PropertyKey::StaticIdentifier(name) = &it.key {
            self.openings.declared.insert(name.name.as_str());
        }
        walk::walk_method_definition(self, it);
    }

    fn visit_tagged_template_expression(&mut self, it: &TaggedTemplateExpression<'a>) {
        if let Expression::Identifier(tag) = &it.tag
            && self.bound.get(tag.name.as_str()) == Some(&Bound::Process)
        {
            self.dynamic("a shell command", it.span);
        }
        walk::walk_tagged_template_expression(self, it);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if let (
            BindingPattern::BindingIdentifier(name),
            Some(Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_)),
        ) = (&it.id, &it.init)
        {
            self.openings.declared.insert(name.name.as_str());
        }
        if let Some(meaning) = it.init.as_ref().and_then(|init| calls::meaning(self, init)) {
            for name in it.id.get_binding_identifiers() {
                self.bound.insert(name.name.as_str(), meaning);
            }
        } else if let (BindingPattern::BindingIdentifier(name), Some(init)) = (&it.id, &it.init) {
            opened::bind(self, name.name.as_str(), init);
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_string_literal(&mut self, it: &StringLiteral<'a>) {
        self.literal(&it.value);
    }

    fn visit_template_literal(&mut self, it: &TemplateLiteral<'a>) {
        let mut pieces = it.quasis.iter().map(|piece| piece.value.raw.as_str());
        let begins = pieces.next().is_some_and(begins_hidden) || pieces.any(continues_hidden);
        if !it.expressions.is_empty() && begins {
            self.composed(it.span);
        }
        walk::walk_template_literal(self, it);
    }

    fn visit_binary_expression(&mut self, it: &BinaryExpression<'a>) {
        if let Expression::StringLiteral(left) = &it.left
            && it.operator == BinaryOperator::Addition
            && begins_hidden(&left.value)
        {
            self.composed(it.span);
        }
        walk::walk_binary_expression(self, it);
    }

    fn visit_template_element(&mut self, it: &TemplateElement<'a>) {
        if let Some(text) = &it.value.cooked {
            self.literal(text);
        }
    }
}

fn kind_of(is_type: bool) -> ImportKind {
    if is_type {
        ImportKind::Type
    } else {
        ImportKind::Static
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Imports as `line kind specifier`, then dynamic constructs.
    fn check_in(path: &str, source: &str, expected: &str) {
        let facts = extract(path, source);
        assert!(!facts.broken, "{source}");
        let imports = facts.imports.iter();
        let mut lines: Vec<String> = imports
            .map(|import| format!("{} {:?} {}", import.line, import.kind, import.specifier))
            .collect();
        let dynamic = facts.dynamic.iter();
        lines.extend(
            dynamic.map(|found| format!("{} {:?}: {}", found.line, found.reach, found.what)),
        );
        assert_eq!(lines.join("\n"), expected, "{source}");
    }

    fn check(source: &str, expected: &str) {
        check_in("a.ts", source, expected);
    }

    #[test]
    fn every_form_of_import_is_read() {
        check(
            "import a from 'a'\nimport './b'\nexport * from './c'\nexport { d } from './d'",
            "1 Static a\n2 Static ./b\n3 Static ./c\n4 Static ./d",
        );
        check(
            "import type { A } from 'a'\nexport type { B } from './b'",
            "1 Type a\n2 Type ./b",
        );
        check(
            "let x: typeof import('./a')\ntype Y = import('./b').Y",
            "1 Type ./a\n2 Type ./b",
        );
        check("import x = require('./a')", "1 Require ./a");
        check(
            "/// <reference path=\"a.d.ts\" />\n/// <reference types=\"node\" />\n",
            "1 Type ./a.d.ts\n2 Type node",
        );
        check_in(
            "a.js",
            "const a = require('a'); function f() { require.resolve('./b') }",
            "1 Require a\n1 Require ./b",
        );
        check_in(
            "a.mjs",
            "const r = createRequire(import.meta.url)\nr('./a')",
            "2 Require ./a",
        );
        check_in(
            "a.jsx",
            "import a from './a'; export default () => <a href='b'>c</a>",
            "1 Static ./a",
        );
    }

    #[test]
    fn mocks_name_their_module() {
        check(
            "jest.mock('./a')\nvi.mock('b', () => ({}))\nvi.importActual('./c')",
            "1 Require ./a\n2 Require b\n3 Require ./c",
        );
        check("vi.mock(import('./a'))", "1 Dynamic ./a");
    }

    #[test]
    fn literal_dynamic_imports_name_and_templates_glob() {
        check(
            "import('./a')\nimport(`./b`)",
            "1 Dynamic ./a\n2 Dynamic ./b",
        );
        check("import(`./locales/${x}.json`)", "1 Embed ./locales/*.json");
        check(
            "import.meta.glob('./a/*.ts')\nnew URL('./b.wasm', import.meta.url)",
            "1 Embed ./a/*.ts\n2 Embed ./b.wasm",
        );
        check("require.context('./a', true)", "1 Embed ./a/**");
        check("require(path.join(__dirname, 'a', 'b'))", "1 Require ./a/b");
    }

    #[test]
    fn what_no_literal_explains_widens_to_the_package() {
        check("import(x)", "1 Package: import(...)");
        check("\nimport(`${x}/a`)", "2 Package: import(...)");
        check("require(x)", "1 Package: require(...)");
        check("import.meta.glob(x)", "1 Package: import.meta.glob(...)");
    }

    #[test]
    fn a_started_program_is_known_by_its_literals() {
        let check = |line: &str, expected: &str| {
            let source = format!("import {{ exec, spawn }} from 'node:child_process'\n{line}");
            let expected = format!("1 Static node:child_process\n{expected}");
            check(&source, expected.trim_end());
        };
        check("exec('git log')", "");
        check("exec(`git log ${x}`)", "");
        check("spawn(x, [])", "2 Package: a program that is not literal");
        check("spawn('node', ['./a.js'])", "");
        check(
            "spawn('node', [x])",
            "2 Package: node with arguments that name no file",
        );
        check("/x/.exec(y)", "");
    }

    #[test]
    fn script_blocks_of_components_are_read_with_their_lines() {
        let source = "<template>\n<img src=\"./x.png\"/>\n</template>\n<script setup lang=\"ts\">\nimport a from './a'\n</script>\n<script src=\"./b.js\"></script>\n";
        check_in("a.vue", source, "5 Static ./a\n7 Static ./b.js");
        assert!(
            extract("a.vue", source)
                .literals
                .iter()
                .any(|literal| &**literal == "./x.png")
        );
    }

    #[test]
    fn tests_carry_the_titles_of_their_suites() {
        let source = "describe('a', () => { it('b', () => {}); describe.skip('c', () => { test.each([1])('d', () => {}) }) }); test('e', () => {})";
        let tests = extract("a.ts", source).tests;
        let tests: Vec<&str> = tests.iter().map(AsRef::as_ref).collect();
        assert_eq!(tests, ["a > b", "a > c > d", "e"]);
    }

    #[test]
    fn flow_and_faults_do_not_hide_imports() {
        check_in(
            "a.js",
            "// @flow\nimport a from './a'\nfunction f(x: ?number): void {}",
            "2 Static ./a",
        );
        assert!(extract("a.ts", "import a from 'a'; let = = ;").broken);
    }

    #[test]
    fn a_hostile_file_is_broken_and_nothing_else() {
        for source in [
            "(".repeat(50_000),
            "!".repeat(50_000),
            "[".repeat(50_000),
            "a+".repeat(50_000),
        ] {
            let facts = extract("a.ts", &source);
            assert!(facts.broken && facts.dynamic[0].reach == Reach::Repository);
        }
        extract(
            "a.ts",
            &format!("{}1{}", "(".repeat(2_000), ")".repeat(2_000)),
        );
        extract("a.ts", &format!("x = {}1", "1+".repeat(5_000)));
    }
}
