//! What is known of a job before it runs: the values of its expressions and variables.
//!
//! A machine, a matrix and a pull give some of them; the rest only the run can tell. A text
//! with such a part has every value that it may have, while these are few. What the
//! expressions of a step read themselves (`hashFiles`, properties of the pull) is
//! collected here as well.
//!
//! Nothing here takes a value that is not known for an empty one.

use super::walk::Walk;
use super::{Input, Never, Opaque, OpaqueCause, Origin, pull};
use crate::engine::globs::Glob;
use crate::engine::pipeline::expression::{Clue, Expression, Piece, Scope, Value as Known, pieces};
use crate::engine::pipeline::{Action, Step};
use crate::engine::shell::{UNKNOWN_END, UNKNOWN_START, Value, WORKSPACE};

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
        if !text.contains("${{") {
            return vec![text.to_owned()];
        }
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
            && !self.handed.is_open
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
            scope = scope.with("matrix", leg.matrix());
        }
        scope
    }

    pub(super) fn github(&self) -> Known {
        let mut known = vec![
            ("workspace", Known::text(WORKSPACE)),
            ("event_name", Known::text("pull_request")),
        ];
        if let Some(event) = self.context.event {
            // Who opened a pull is known; `actor` is whoever pushes to it later.
            for (name, value) in [("base_ref", &event.target), ("head_ref", &event.source)] {
                if !value.is_empty() {
                    known.push((name, Known::text(value)));
                }
            }
            if event.repository.contains('/') {
                known.push(("repository", Known::text(&event.repository)));
            }
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

    /// What the expressions of a step read: properties of the pull, which are no files, and
    /// files whose digest they take.
    pub(super) fn expressions(&mut self, step: &Step) {
        let mut texts: Vec<&str> = step.condition.iter().map(AsRef::as_ref).collect();
        let mut commands: Vec<&str> = self.job.env.values().map(AsRef::as_ref).collect();
        match &step.action {
            Action::Run { script, env, .. } => {
                commands.push(script);
                commands.extend(env.values().map(AsRef::as_ref));
            }
            Action::Use { with, .. } => texts.extend(with.values().map(AsRef::as_ref)),
        }
        texts.extend(&commands);
        let found = texts.iter().find_map(|text| pull::property(text));
        let found = found.or_else(|| commands.iter().find_map(|text| pull::branch(text)));
        let origin = |what: &str| Origin {
            file: step.file.clone(),
            line: step.line,
            what: what.into(),
        };
        if let Some(found) = found {
            self.out.never.push((Never::ReadsHistory, origin(&found)));
        }
        for text in texts.iter().filter(|_| !is_cache(&step.action)) {
            match hashed(text) {
                Ok(globs) if globs.is_empty() => {}
                Ok(globs) => {
                    let origin = origin("hashFiles");
                    self.out.parts.push((Input::Exact(globs), origin));
                }
                Err(what) => self.out.opaque.push(Opaque {
                    origin: origin(what),
                    cause: OpaqueCause::UnknownUse("hashFiles".into()),
                }),
            }
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

/// Actions that keep a cache under a key.
const CACHES: &[&str] = &[
    "actions/cache",
    "actions/cache/restore",
    "actions/cache/save",
    "buildjet/cache",
    "namespacelabs/nscloud-cache-action",
    "runs-on/cache",
    "swatinem/rust-cache",
    "Swatinem/rust-cache",
    "useblacksmith/cache",
];

/// Whether a step keeps a cache: a digest in its key decides what is fetched again, and the
/// steps after it make whatever was not fetched.
fn is_cache(action: &Action) -> bool {
    match action {
        Action::Use { reference, .. } => {
            let name = reference.split('@').next().unwrap_or(reference);
            CACHES.contains(&name)
        }
        Action::Run { .. } => false,
    }
}

/// The globs of every `hashFiles(...)` of a text, from the root; the call itself where an
/// argument is no literal.
/// <https://docs.github.com/actions/reference/workflows-and-actions/expressions#hashfiles>
fn hashed(text: &str) -> Result<Vec<Glob>, &str> {
    let mut globs = Vec::new();
    // Functions may be written in any case; small letters stand where the others do.
    let small = text.to_ascii_lowercase();
    for (at, name) in small.match_indices("hashfiles") {
        let call = text.get(at..).unwrap_or_default();
        let mut rest = call.get(name.len()..).unwrap_or_default().trim_start();
        rest = rest.strip_prefix('(').ok_or(call)?.trim_start();
        while !rest.starts_with(')') {
            let quoted = rest
                .strip_prefix('\'')
                .and_then(|rest| rest.split_once('\''));
            let (glob, behind) = quoted.ok_or(call)?;
            let behind = behind.trim_start();
            rest = behind.strip_prefix(',').unwrap_or(behind).trim_start();
            let is_left_out = glob.starts_with('!');
            let glob = glob.trim_start_matches("./").trim_end_matches('/');
            if !is_left_out {
                // A directory stands for all below it.
                globs.extend([Glob::written(glob), Glob::written(format!("{glob}/**"))]);
            }
        }
    }
    Ok(globs)
}
