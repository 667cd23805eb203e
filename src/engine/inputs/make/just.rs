//! Justfiles, as far as their recipes are lines of a POSIX shell.

use super::super::OpaqueCause;
use super::super::walk::{Invocation, Walk};
use super::{Rule, Rules, Site, joined};
use crate::engine::shell::Place;
use crate::engine::tree::join;

impl Walk<'_> {
    /// `just RECIPES`: as `make`, with the recipes of a justfile.
    pub(in crate::engine::inputs) fn just(&mut self, call: &Invocation) {
        let Place::Inside(dir) = &call.place else {
            return self.unknown_use(call);
        };
        let paths = ["justfile", "Justfile", ".justfile"]
            .iter()
            .filter_map(|name| join(dir, name));
        let paths: Vec<String> = paths.collect();
        let Some(file) = paths.into_iter().find(|path| self.has_file(path)) else {
            return self.opaque(call, OpaqueCause::Missing("justfile".into()));
        };
        let Some(text) = self.text(&file) else {
            return;
        };
        self.exact(call, vec![globset::escape(&file).into()]);
        if text.lines().any(|line| {
            line.starts_with("import")
                || line.starts_with("mod ")
                || line.trim_start().starts_with("#!") && line.starts_with([' ', '\t'])
        }) {
            return self.opaque(
                call,
                OpaqueCause::UnknownUse(format!("imports or foreign recipes in {file}").into()),
            );
        }
        let rules = justfile(text);
        let goals: Vec<String> = call
            .words
            .iter()
            .skip(1)
            .filter(|word| !word.text.starts_with('-'))
            .take(1)
            .map(|word| word.text.to_string())
            .collect();
        let goals = if goals.is_empty() {
            rules.first.clone().into_iter().collect()
        } else {
            goals
        };
        let site = Site {
            call,
            file: &file,
            place: call.place.clone(),
        };
        for goal in goals {
            self.goal(&site, &rules, &goal, 0);
        }
    }
}

fn justfile(text: &str) -> Rules {
    let mut rules = Rules::default();
    let mut current: Option<String> = None;
    for (number, line) in joined(text) {
        if line.starts_with([' ', '\t']) {
            let command = line
                .trim()
                .trim_start_matches(['@', '-'])
                .replace("{{", "\u{e000}")
                .replace("}}", "\u{e001}")
                .replace('$', "$$");
            if let Some(rule) = current
                .as_ref()
                .and_then(|name| rules.targets.get_mut(name))
            {
                rule.recipe.push((number, command));
            }
            continue;
        }
        let line = line.trim();
        if line.starts_with(['#', '['])
            || line.contains(":=")
            || line.is_empty()
            || line.starts_with("set ")
        {
            continue;
        }
        let Some((head, needs)) = line.split_once(':') else {
            continue;
        };
        let Some(name) = head.split_whitespace().next() else {
            continue;
        };
        let name = name.trim_start_matches('@').to_owned();
        let needs = needs.replace("&&", " ").replace(['(', ')'], " ");
        let rule = Rule {
            needs: needs.split_whitespace().map(str::to_owned).collect(),
            recipe: Vec::new(),
        };
        rules.first.get_or_insert_with(|| name.clone());
        rules.targets.insert(name.clone(), rule);
        current = Some(name);
    }
    rules
}
