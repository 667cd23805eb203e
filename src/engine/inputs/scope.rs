//! What is known of a job before it runs: values of expressions and variables.

use super::walk::{Invocation, Walk, below};
use super::{Never, OpaqueCause, Origin};
use crate::engine::pipeline::expression::{Clue, Expression, Piece, Scope, Value as Known, pieces};
use crate::engine::pipeline::{Action, Step};
use crate::engine::shell::{self, Located, UNKNOWN_END, UNKNOWN_START, Value, WORKSPACE};

impl Walk<'_> {
    /// The text with expressions replaced by their value, or marked as unknown.
    pub(super) fn expand(&self, text: &str) -> String {
        if !text.contains("${{") {
            return text.to_owned();
        }
        let scope = self.scope();
        let mut out = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Expression(inner) => {
                    let value = Expression::parse(inner).map(|it| it.evaluate(&scope));
                    match value {
                        Ok(value) if !value.is_partly_unknown() => out.push_str(&value.to_string()),
                        _ => {
                            out.push(UNKNOWN_START);
                            out.push_str(inner);
                            out.push(UNKNOWN_END);
                        }
                    }
                }
            }
        }
        out
    }

    /// Every text that comes of the values that its expressions may have: one, with
    /// unknown parts marked, unless few values are possible.
    pub(super) fn variants(&self, text: &str) -> Vec<String> {
        let scope = self.scope();
        let mut texts = vec![String::new()];
        for piece in pieces(text) {
            let values = match piece {
                Piece::Text(text) => vec![text.to_owned()],
                Piece::Expression(inner) => {
                    let parsed = Expression::parse(inner).ok();
                    let found = parsed.and_then(|it| it.alternatives(&scope));
                    let Some(found) = found else {
                        let marked = format!("{UNKNOWN_START}{inner}{UNKNOWN_END}");
                        for text in &mut texts {
                            text.push_str(&marked);
                        }
                        continue;
                    };
                    found.iter().map(ToString::to_string).collect()
                }
            };
            if texts.len() * values.len() > VARIANTS {
                return vec![self.expand(text)];
            }
            texts = texts
                .iter()
                .flat_map(|text| values.iter().map(move |value| format!("{text}{value}")))
                .collect();
        }
        texts
    }

    pub(super) fn env_value(&self, text: &str) -> Value {
        let mut texts = self.variants(text);
        if texts.iter().any(|text| text.contains(UNKNOWN_START)) {
            return Value::Unknown;
        }
        texts.sort();
        texts.dedup();
        match texts.as_slice() {
            [text] => Value::Text(text.as_str().into()),
            _ => Value::OneOf(texts.into_iter().map(Into::into).collect()),
        }
    }

    /// Whether a variable of the environment is certainly not set: no step sets it, and
    /// its name is none that machines, tools or actions set.
    pub(super) fn is_unset(&self, name: &str) -> bool {
        !self.variables.contains_key(name)
            && !self.open_environment
            && !name.is_empty()
            && !ENVIRONMENT
                .iter()
                .any(|part| name.to_uppercase().contains(part))
    }

    pub(super) fn scope(&self) -> Scope {
        let texts = self.variables.iter().map(|(name, value)| {
            let value = match value {
                Value::Text(text) => Known::text(text),
                _ => Known::UNKNOWN,
            };
            (name.as_ref(), value)
        });
        let mut scope = Scope::new()
            .with("env", Known::open(texts))
            .with("github", self.github())
            .with("runner", self.runner());
        if let Some(leg) = self.leg {
            let values = leg
                .values
                .iter()
                .map(|(key, value)| (key.as_ref(), Known::text(value)));
            scope = scope.with("matrix", Known::object(values));
        }
        scope
    }

    pub(super) fn github(&self) -> Known {
        let mut known = vec![
            ("workspace", Known::text(WORKSPACE)),
            ("event_name", Known::text("pull_request")),
        ];
        if let Some(event) = self.context.event {
            known.push(("base_ref", Known::text(&event.target)));
            known.push(("head_ref", Known::text(&event.source)));
            known.push(("repository", Known::text(&event.repository)));
            known.push(("actor", Known::text(&event.author)));
        }
        known.push((
            "ref",
            Known::Unknown(Clue::Between("refs/pull/".into(), "/merge".into())),
        ));
        known.push(("ref_type", Known::text("branch")));
        Known::open(known)
    }

    pub(super) fn runner(&self) -> Known {
        let labels: Vec<&str> = self.job.runner.iter().map(AsRef::as_ref).collect();
        let all =
            |start: &str| !labels.is_empty() && labels.iter().all(|label| label.starts_with(start));
        let mut known = vec![
            ("temp", Known::text("/tmp/runner")),
            ("tool_cache", Known::text("/opt/hostedtoolcache")),
        ];
        for (start, os) in [
            ("ubuntu", "Linux"),
            ("macos", "macOS"),
            ("windows", "Windows"),
        ] {
            if all(start) {
                known.push(("os", Known::text(os)));
            }
        }
        Known::open(known)
    }

    /// A step that reads the pull's title, body or labels depends on more than files.
    pub(super) fn pull_texts(&mut self, step: &Step) {
        let mut texts: Vec<&str> = step.condition.iter().map(AsRef::as_ref).collect();
        match &step.action {
            Action::Run { script, env, .. } => {
                texts.push(script);
                texts.extend(env.values().map(AsRef::as_ref));
            }
            Action::Use { with, .. } => texts.extend(with.values().map(AsRef::as_ref)),
        }
        texts.extend(self.job.env.values().map(AsRef::as_ref));
        let found = texts
            .iter()
            .find_map(|text| PULL_TEXTS.iter().find(|it| text.contains(**it)));
        if let Some(found) = found {
            let origin = Origin {
                file: step.file.clone(),
                line: step.line,
                what: (*found).into(),
            };
            self.out.never.push((Never::ReadsHistory, origin));
        }
    }

    /// Variables that change what programs read.
    pub(super) fn assignment(&mut self, call: &Invocation, name: &str, value: &Value) {
        let text = match value {
            Value::Text(text) => text.as_ref(),
            Value::Unknown if OPTIONS.contains(&name) => {
                return self.opaque(call, OpaqueCause::UnknownUse(name.into()));
            }
            Value::OneOf(texts) => {
                for text in texts {
                    self.assignment(call, name, &Value::Text(text.clone()));
                }
                return;
            }
            Value::List(_) | Value::Unknown => return,
        };
        match name {
            "PATH" => {
                for part in text.split([':', ';']) {
                    if let Located::Inside(dir) = shell::locate(&call.place, part)
                        && !part.is_empty()
                        && self.context.snapshot.tree.has_dir(&dir)
                        && !dir.is_empty()
                    {
                        self.opaque(call, OpaqueCause::Shell(format!("PATH={part}").into()));
                    }
                }
            }
            "PYTHONPATH" => {
                for part in text.split(':').filter(|part| !part.is_empty()) {
                    if let Located::Inside(dir) = shell::locate(&call.place, part) {
                        self.entry(call, vec![below(&dir, "**/*.py")]);
                    }
                }
            }
            "PYTEST_ADDOPTS" => {
                let words: Vec<&str> = std::iter::once("pytest")
                    .chain(text.split_whitespace())
                    .collect();
                self.program(&call.other(&words));
            }
            "NODE_OPTIONS"
                if ["-r", "require", "import", "loader"]
                    .iter()
                    .any(|it| text.contains(it)) =>
            {
                self.opaque(call, OpaqueCause::UnknownUse(name.into()));
            }
            "BASH_ENV" | "LD_PRELOAD" | "RUBYOPT" | "PERL5OPT" | "MAVEN_OPTS_FILE"
                if !text.is_empty() =>
            {
                self.opaque(call, OpaqueCause::UnknownUse(name.into()));
            }
            _ => {}
        }
    }
}

/// The most texts that one script may have.
const VARIANTS: usize = 4;

/// Parts of names of variables that machines, tools and actions set.
const ENVIRONMENT: &[&str] = &[
    "ACTIONS",
    "ANDROID",
    "AR",
    "CARGO",
    "CC",
    "CI",
    "CONDA",
    "CXX",
    "CMAKE",
    "DISPLAY",
    "DOTNET",
    "GITHUB",
    "GO",
    "GRADLE",
    "HOME",
    "IMAGE",
    "INCLUDE",
    "JAVA",
    "LANG",
    "LC_",
    "LIB",
    "LD_",
    "LOG",
    "M2",
    "MAVEN",
    "NODE",
    "NPM",
    "NVM",
    "OS",
    "PATH",
    "PG",
    "PKG",
    "PNPM",
    "PWD",
    "PYTHON",
    "ROOT",
    "RUBY",
    "RUNNER",
    "RUST",
    "SHELL",
    "SHLVL",
    "TEMP",
    "TERM",
    "TMP",
    "TOOL",
    "USER",
    "UV",
    "VCPKG",
    "VIRTUAL",
    "VIRTUAL_ENV",
    "XDG",
    "YARN",
];

/// Variables that hold options of a program: a value that is not known may name files.
const OPTIONS: &[&str] = &[
    "PYTEST_ADDOPTS",
    "NODE_OPTIONS",
    "BASH_ENV",
    "LD_PRELOAD",
    "PYTHONPATH",
];

/// What of the pull is neither a file nor fixed for its whole life.
const PULL_TEXTS: &[&str] = &[
    "pull_request.title",
    "pull_request.body",
    "pull_request.labels",
    "github.event.label",
    "GITHUB_EVENT_PATH",
    "toJSON(github)",
    "toJSON(github.event",
];
