//! Published actions: what a `uses:` step reads.

use std::collections::{BTreeMap, BTreeSet};

use super::programs::list;
use super::table::{self, Class, PublishedAction};
use super::walk::{Invocation, Text, Walk};
use super::{Input, Never, OpaqueCause, Origin};
use crate::engine::globs::Glob;
use crate::engine::pipeline::Step;
use crate::engine::shell::{Place, UNKNOWN_START, Word};
use crate::engine::tree::{base_name, dir_of, join};

type With = BTreeMap<Box<str>, Box<str>>;

impl Walk<'_> {
    /// One `uses:` step.
    pub(super) fn action(&mut self, step: &Step, reference: &str, with: &With) {
        let origin = Origin {
            file: step.file.clone(),
            line: step.line,
            what: reference.into(),
        };
        let call = Invocation::at(origin, Place::Inside("".into()));
        let name = reference.split('@').next().unwrap_or(reference);
        let known = table::action(name).filter(|_| !name.starts_with("./"));
        let Some(action) = known else {
            return self.opaque(&call, OpaqueCause::UnknownAction(name.into()));
        };
        if name.eq_ignore_ascii_case("actions/checkout") {
            return self.checkout(&call, with);
        }
        self.action_inputs(&call, action, with);
        self.files_of_action(&call, action, with);
        match action.class {
            Class::Tree => self.add(
                &call,
                Input::Tree {
                    dir: "".into(),
                    extensions: action.extensions.clone(),
                },
            ),
            Class::History => self.never(&call, Never::ReadsHistory),
            Class::Delivers => self.never(&call, Never::Delivers),
            Class::Scans => self.never(&call, Never::Scans),
            Class::Whole => self.whole(&call),
            _ => {}
        }
        if let Some(run) = &action.run {
            if let Some(key) = missing(run, with, &action.defaults) {
                let what = format!("{name} without `{key}`");
                return self.opaque(&call, OpaqueCause::UnknownUse(what.into()));
            }
            let directory = action.directory.as_ref().and_then(|key| value(with, key));
            let text = self.expand(&fill(run, with, &action.defaults));
            let Some(text) = with_default_context(run, text) else {
                let what = format!("{name} with a template");
                return self.opaque(&call, OpaqueCause::UnknownUse(what.into()));
            };
            let place = self.step_place(directory.map(AsRef::as_ref));
            self.script(&Text {
                file: &step.file,
                line: step.line,
                text: &text,
                place,
                arguments: None,
            });
        }
    }

    /// Inputs that name files, or make a delivery of the action.
    fn action_inputs(&mut self, call: &Invocation, action: &PublishedAction, with: &With) {
        for key in &action.paths {
            for path in value(with, key).unwrap_or_default().lines() {
                let path = path.trim();
                if path.starts_with('!') {
                    continue;
                }
                let text = self.expand(path);
                let word = Word {
                    unknown: text.contains(UNKNOWN_START),
                    glob: text.contains('*'),
                    text: text.into(),
                };
                self.read_path(call, &word);
                self.pinned(call, path);
            }
        }
        for key in &action.delivers {
            if self.is_set(with, key) {
                self.never(call, Never::Delivers);
            }
        }
        if action.history.iter().any(|key| self.is_set(with, key)) {
            self.never(call, Never::ReadsHistory);
        }
        if action.whole.iter().any(|key| self.is_set(with, key)) {
            self.whole(call);
        }
    }

    /// The manifests from which one takes its pinned versions
    /// (<https://docs.volta.sh/advanced/workspaces>).
    fn pinned(&mut self, call: &Invocation, path: &str) {
        let mut next = join("", path).filter(|path| base_name(path) == "package.json");
        let mut seen = BTreeSet::new();
        while let Some(path) = next.take().filter(|path| seen.insert(path.clone())) {
            self.exact(call, vec![Glob::path(&path)]);
            let text = self.text(&path);
            let root = text.and_then(|text| self.context.memo.json(&path, text));
            let pins = root.as_ref().and_then(|root| root.get("volta"));
            let other = pins.and_then(|pins| pins.get("extends")?.as_str());
            next = other.and_then(|other| join(dir_of(&path), other));
        }
    }

    /// Whether an input is anything but absent, empty or `false`.
    fn is_set(&self, with: &With, key: &str) -> bool {
        let value = value(with, key).map(|value| self.expand(value));
        !matches!(value.as_deref(), None | Some("" | "false"))
    }

    /// What an action reads without being told, and every file that an input names.
    fn files_of_action(&mut self, call: &Invocation, action: &PublishedAction, with: &With) {
        let mut config: Vec<Glob> = action
            .config
            .iter()
            .map(|name| Glob::written(name.clone()))
            .collect();
        let directory = action.directory.as_ref();
        if directory.is_some_and(|key| value(with, key).is_some()) {
            // In the directory that it is told, wherever that is.
            let names = action.config.iter();
            config.extend(names.map(|name| Glob::written(format!("**/{name}"))));
        }
        if !config.is_empty() {
            self.exact(call, config);
        }
        for value in with.values() {
            let text = self.expand(value);
            let words = text.split(|c: char| c.is_whitespace() || ",;=".contains(c));
            for word in words.filter(|word| !word.is_empty() && !word.contains(UNKNOWN_START)) {
                let path = join("", word);
                if path.is_some_and(|path| self.has_file(&path)) {
                    self.read_path(call, &Word::literal(word));
                }
            }
        }
    }

    /// Another repository is not this tree; its content is an input that nobody sees,
    /// and whatever runs in it is unknown by its path.
    fn checkout(&mut self, call: &Invocation, with: &With) {
        let [repository, path, reference] =
            ["repository", "path", "ref"].map(|key| value(with, key).map(|it| self.expand(it)));
        let repository = repository.filter(|name| !name.is_empty());
        let own = self.context.event.map(|event| event.repository.as_ref());
        let is_own = repository.as_deref().is_none_or(|name| {
            own.is_some_and(|own| own.eq_ignore_ascii_case(name))
                || name.contains("github.repository")
                || name.contains("head.repo")
        });
        let path = path.unwrap_or_default();
        let is_here = matches!(path.as_str(), "" | "." | "./");
        if !is_own && own.is_some_and(|own| !own.contains('/')) {
            // The name of this repository is not known: it may be the one.
            let what = format!("checkout of {}", repository.unwrap_or_default());
            return self.opaque(call, OpaqueCause::UnknownUse(what.into()));
        }
        if is_own && !is_here {
            // The tree lies below another directory: paths of commands do not fit.
            return self.opaque(
                call,
                OpaqueCause::UnknownUse(format!("checkout into {path}").into()),
            );
        }
        if !is_own && is_here {
            self.opaque(
                call,
                OpaqueCause::UnknownUse("checkout of another repository".into()),
            );
        }
        let has_ref = reference.is_some_and(|name| {
            !name.is_empty()
                && !list("github.sha github.ref head_ref head.sha head.ref refs/pull/")
                    .iter()
                    .any(|known| name.contains(known))
        });
        if is_own && has_ref {
            self.opaque(
                call,
                OpaqueCause::UnknownUse("checkout of another ref".into()),
            );
        }
    }
}

/// The script of a build of an image with the templates of the action filled in, of which
/// there is one: the commit at hand, and behind a colon a directory of it. `None` for any
/// other. <https://github.com/docker/build-push-action#git-context>
fn with_default_context(run: &str, text: String) -> Option<String> {
    if !run.starts_with("docker build") || !text.contains("{{") {
        return Some(text);
    }
    let text = text
        .replace("{{ defaultContext }}", "{{defaultContext}}")
        .replace("{{defaultContext}}:", "./")
        .replace("{{defaultContext}}", ".");
    (!text.contains("{{")).then_some(text)
}

/// Puts inputs into the script of an action; `[... {key} ...]` needs its input.
fn fill(run: &str, with: &With, defaults: &With) -> String {
    let mut out = String::new();
    let mut rest = run;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(&braces(before, with, defaults).0);
        let Some((group, after)) = after.split_once(']') else {
            break;
        };
        let (text, complete) = braces(group, with, defaults);
        if complete {
            out.push_str(&text);
        }
        rest = after;
    }
    out.push_str(&braces(rest, with, defaults).0);
    out
}

/// The value of an input, whose name GitHub takes in any case; an empty one is absent.
fn value<'w>(with: &'w With, key: &str) -> Option<&'w str> {
    let mut inputs = with.iter();
    let found = inputs.find(|(name, value)| name.eq_ignore_ascii_case(key) && !value.is_empty());
    found.map(|(_, value)| value.as_ref())
}

/// The first input outside of `[...]` that has no value.
fn missing<'r>(run: &'r str, with: &With, defaults: &With) -> Option<&'r str> {
    let outside = run
        .split('[')
        .enumerate()
        .map(|(index, part)| match part.split_once(']') {
            Some((_, after)) if index > 0 => after,
            _ => part,
        });
    let keys = outside.flat_map(|text| text.split('{').skip(1));
    let mut keys = keys.filter_map(|rest| rest.split_once('}').map(|(key, _)| key));
    keys.find(|key| value(with, key).is_none() && value(defaults, key).is_none())
}

fn braces(text: &str, with: &With, defaults: &With) -> (String, bool) {
    let mut out = String::new();
    let mut complete = true;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (key, after) = after.split_once('}').unwrap_or((after, ""));
        match value(with, key).or_else(|| value(defaults, key)) {
            Some(value) => out.push_str(value),
            None => complete = false,
        }
        rest = after;
    }
    out.push_str(rest);
    (out, complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_without_its_input_is_left_out() {
        let with: With = [("file".into(), "x".into())].into();
        let defaults: With = [("context".into(), ".".into())].into();
        assert_eq!(
            fill("b [-f {file}] {context}", &with, &defaults),
            "b -f x ."
        );
        assert_eq!(fill("b [-f {other}] {context}", &with, &defaults), "b  .");
    }
}
