//! Published actions: what a `uses:` step reads.

use std::collections::BTreeMap;

use super::programs::list;
use super::table::{self, Class, PublishedAction};
use super::walk::{Invocation, Text, Walk};
use super::{Input, Never, OpaqueCause, Origin};
use crate::engine::pipeline::Step;
use crate::engine::shell::{Place, UNKNOWN_START, Word};

type With = BTreeMap<Box<str>, Box<str>>;

impl Walk<'_> {
    /// One `uses:` step.
    pub(super) fn action(&mut self, step: &Step, reference: &str, with: &With) {
        let call = Invocation {
            words: Vec::new(),
            place: Place::Inside("".into()),
            input: None,
            piped: false,
            origin: Origin {
                file: step.file.clone(),
                line: step.line,
                what: reference.into(),
            },
        };
        let name = reference.split('@').next().unwrap_or(reference);
        let known = table::action(name).filter(|_| !name.starts_with("./"));
        let Some(action) = known else {
            return self.opaque(&call, OpaqueCause::UnknownAction(name.into()));
        };
        if name.eq_ignore_ascii_case("actions/checkout") {
            return self.checkout(&call, with);
        }
        self.action_inputs(&call, action, with);
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
            let directory = action.directory.as_ref().and_then(|key| with.get(key));
            let text = self.expand(&fill(run, with, &action.defaults));
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
            for path in with.get(key).map_or("", AsRef::as_ref).lines() {
                let text = self.expand(path.trim());
                let word = Word {
                    unknown: text.contains(UNKNOWN_START),
                    glob: text.contains('*'),
                    text: text.into(),
                };
                self.read_path(call, &word);
            }
        }
        for key in &action.delivers {
            let value = with.get(key).map(|value| self.expand(value));
            if !matches!(value.as_deref(), None | Some("" | "false")) {
                self.never(call, Never::Delivers);
            }
        }
    }

    /// Another repository is not this tree; its content is an input that nobody sees,
    /// and whatever runs in it is unknown by its path.
    fn checkout(&mut self, call: &Invocation, with: &With) {
        let [repository, path, reference] =
            ["repository", "path", "ref"].map(|key| with.get(key).map(|value| self.expand(value)));
        let repository = repository.filter(|name| !name.is_empty());
        let own = self.context.event.map(|event| event.repository.as_ref());
        let is_own = repository.as_deref().is_none_or(|name| {
            Some(name) == own || name.contains("github.repository") || name.contains("head.repo")
        });
        let path = path.unwrap_or_default();
        let is_here = matches!(path.as_str(), "" | "." | "./");
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

fn braces(text: &str, with: &With, defaults: &With) -> (String, bool) {
    let mut out = String::new();
    let mut complete = true;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (key, after) = after.split_once('}').unwrap_or((after, ""));
        let value = with
            .get(key)
            .filter(|value| !value.is_empty())
            .or_else(|| defaults.get(key));
        match value {
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
