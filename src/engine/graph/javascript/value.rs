//! Objects as they stand in `package.json`, `tsconfig.json` and configuration modules.
//!
//! JSON with comments is a subset of what the language's own parser reads, and a
//! configuration module mostly exports one literal object. What is computed is
//! [`Value::Other`]; calls such as `path.resolve(__dirname, "src")` stand for the
//! path that their literal arguments make.

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    Argument, ArrowFunctionBody, AssignmentTarget, Declaration, ExportDefaultDeclarationKind,
    Expression, FunctionBody, ObjectPropertyKind, Program, Statement,
};
use oxc_parser::Parser;
use oxc_span::SourceType;

use super::super::nesting;

/// A literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
    Other,
}

impl Value {
    /// The value at a path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, key| match value {
            Self::Map(entries) => entries
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            _ => None,
        })
    }

    /// The text at a path of keys.
    pub(super) fn text(&self, path: &[&str]) -> Option<&str> {
        match self.at(path)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries at a path of keys; none when it is no object.
    pub(super) fn entries(&self, path: &[&str]) -> &[(String, Self)] {
        match self.at(path) {
            Some(Self::Map(entries)) => entries,
            _ => &[],
        }
    }

    /// Every text inside, at any depth, in order.
    pub(super) fn texts(&self) -> Vec<&str> {
        let mut texts = Vec::new();
        let mut stack = vec![self];
        while let Some(value) = stack.pop() {
            match value {
                Self::Text(text) => texts.push(text.as_str()),
                Self::List(items) => stack.extend(items.iter().rev()),
                Self::Map(entries) => stack.extend(entries.iter().rev().map(|(_, value)| value)),
                Self::Other => {}
            }
        }
        texts
    }
}

/// Reads JSON with comments and trailing commas.
pub(super) fn json(text: &str) -> Option<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    nesting::guarded(text, || {
        let allocator = Allocator::default();
        let expression = Parser::new(&allocator, text, SourceType::mjs()).parse_expression();
        expression.ok().map(|expression| value(&expression, &[]))
    })?
}

/// Reads the object that a configuration module exports.
pub(super) fn exported(path: &str, text: &str) -> Option<Value> {
    let kind = SourceType::from_path(path).unwrap_or_else(|_| SourceType::ts());
    nesting::guarded(text, || {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, text, kind).parse();
        let body = parsed.program.body.as_slice();
        found(&parsed.program).map(|expression| value(expression, body))
    })?
}

fn found<'p, 'a>(program: &'p Program<'a>) -> Option<&'p Expression<'a>> {
    program.body.iter().find_map(|statement| match statement {
        Statement::ExportDefaultDeclaration(export) => match &export.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                returned(function.body.as_ref()?)
            }
            other => other.as_expression(),
        },
        Statement::TSExportAssignment(export) => Some(&export.expression),
        Statement::ExpressionStatement(statement) => match &statement.expression {
            Expression::AssignmentExpression(assignment) => match &assignment.left {
                AssignmentTarget::StaticMemberExpression(member)
                    if member.property.name == "exports" =>
                {
                    Some(&assignment.right)
                }
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}

fn returned<'p, 'a>(body: &'p FunctionBody<'a>) -> Option<&'p Expression<'a>> {
    body.statements
        .iter()
        .find_map(|statement| match statement {
            Statement::ReturnStatement(statement) => statement.argument.as_ref(),
            Statement::ExpressionStatement(statement) => Some(&statement.expression),
            _ => None,
        })
}

fn value(expression: &Expression<'_>, scope: &[Statement<'_>]) -> Value {
    match expression.get_inner_expression() {
        Expression::StringLiteral(text) => Value::Text(text.value.as_str().to_owned()),
        Expression::TemplateLiteral(text) => {
            let quasis = text.quasis.iter().map(|quasi| quasi.value.raw.as_str());
            Value::Text(quasis.collect())
        }
        Expression::ArrayExpression(list) => {
            let items = list.elements.iter().filter_map(|item| item.as_expression());
            Value::List(items.map(|item| value(item, scope)).collect())
        }
        Expression::ObjectExpression(object) => {
            let entry = |property: &ObjectPropertyKind<'_>| match property {
                ObjectPropertyKind::ObjectProperty(property) => {
                    let key = property.key.static_name()?.into_owned();
                    Some((key, value(&property.value, scope)))
                }
                ObjectPropertyKind::SpreadProperty(_) => None,
            };
            Value::Map(object.properties.iter().filter_map(entry).collect())
        }
        Expression::Identifier(name) => {
            // One level: a constant is never looked up inside another.
            variable(scope, name.name.as_str()).map_or(Value::Other, |init| value(init, &[]))
        }
        Expression::ArrowFunctionExpression(function) => {
            let inner = match &function.body {
                ArrowFunctionBody::FunctionBody(body) => returned(body),
                other => other.as_expression(),
            };
            inner.map_or(Value::Other, |inner| value(inner, scope))
        }
        Expression::CallExpression(call) => arguments(&call.arguments, scope),
        Expression::NewExpression(call) => arguments(&call.arguments, scope),
        Expression::RegExpLiteral(regex) => {
            Value::Text(regex.regex.pattern.text.as_str().to_owned())
        }
        _ => Value::Other,
    }
}

/// `defineConfig({..})` is its object; `resolve(__dirname, "a", "b")` is `a/b`.
fn arguments(arguments: &[Argument<'_>], scope: &[Statement<'_>]) -> Value {
    let values: Vec<Value> = arguments
        .iter()
        .filter_map(Argument::as_expression)
        .map(|argument| value(argument, scope))
        .collect();
    if values.iter().any(|value| matches!(value, Value::Map(_))) {
        // `mergeConfig(a, b)` and `defineConfig(a)`: all objects in one, the first key wins.
        let maps = values.into_iter().filter_map(|value| match value {
            Value::Map(entries) => Some(entries),
            _ => None,
        });
        return Value::Map(maps.flatten().collect());
    }
    let texts = values.into_iter().filter_map(|value| match value {
        Value::Text(text) => Some(text),
        _ => None,
    });
    let texts: Vec<String> = texts.collect();
    if texts.is_empty() {
        Value::Other
    } else {
        Value::Text(texts.join("/"))
    }
}

fn variable<'p, 'a>(scope: &'p [Statement<'a>], name: &str) -> Option<&'p Expression<'a>> {
    scope.iter().find_map(|statement| {
        let declaration = match statement {
            Statement::VariableDeclaration(declaration) => declaration,
            Statement::ExportNamedDeclaration(_) => return None,
            other => match other.as_declaration()? {
                Declaration::VariableDeclaration(declaration) => declaration,
                _ => return None,
            },
        };
        let mut declarators = declaration.declarations.iter();
        let declarator = declarators.find(|declarator| {
            declarator
                .id
                .get_identifier_name()
                .is_some_and(|found| found == name)
        })?;
        declarator.init.as_ref()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_with_comments_is_read() {
        let value =
            json("\u{feff}// c\n{ \"a\": { \"b\": [\"x\", \"y\",], }, /* d */ \"e\": 1 }").unwrap();
        assert_eq!(value.at(&["a", "b"]).unwrap().texts(), ["x", "y"]);
        assert_eq!(value.at(&["e"]), Some(&Value::Other));
        assert_eq!(json("{"), None);
        assert_eq!(json(&"[".repeat(50_000)), None);
    }

    #[test]
    fn configuration_modules_are_read_as_far_as_they_are_literal() {
        let check = |source: &str| {
            let value = exported("x.config.ts", source).unwrap();
            assert_eq!(value.text(&["test", "dir"]), Some("a/b"), "{source}");
        };
        check("export default { test: { dir: 'a/b' } }");
        check(
            "export default defineConfig({ plugins: [x()], test: { dir: resolve(__dirname, 'a', 'b') } })",
        );
        check("export default defineConfig(() => ({ test: { dir: 'a/b' } }))");
        check("module.exports = { ...base, test: { dir: `a/b` } }");
        check("const config: C = { test: { dir: 'a/b' } } satisfies C; export default config");
    }
}
