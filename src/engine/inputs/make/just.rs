//! Justfiles, as far as their recipes are lines of a POSIX shell.

use super::super::OpaqueCause;
use super::super::walk::{Invocation, Walk};
use super::read::joined;
use super::{Rule, Rules};
use crate::engine::globs::Glob;
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
        self.exact(call, vec![Glob::path(&file)]);
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
        if let Some(odd) = text.lines().find(|line| is_odd(line)) {
            let what = format!("{} in {file}", odd.trim());
            return self.opaque(call, OpaqueCause::UnknownUse(what.into()));
        }
        self.runs(call, &file);
        let mut rules = justfile(text);
        let mut operands = call.words.iter().skip(1);
        if operands
            .clone()
            .any(|word| word.unknown || is_odd_flag(&word.text))
        {
            return self.unknown_use(call);
        }
        let first = operands.find(|word| !word.text.starts_with('-'));
        rules.goals.extend(first.map(|word| word.text.to_string()));
        // What follows is an argument, or another recipe.
        let more = operands.filter(|word| rules.targets.contains_key(&*word.text));
        let more: Vec<String> = more.map(|word| word.text.to_string()).collect();
        rules.goals.extend(more);
        if rules.goals.is_empty() {
            rules.goals.extend(rules.firsts.first().cloned());
        }
        self.goals(call, &file, &call.place, &rules);
    }
}

/// Whether a line of a justfile reads, runs or changes more than recipes do.
/// <https://just.systems/man/en/settings.html>
fn is_odd(line: &str) -> bool {
    if line.starts_with([' ', '\t']) {
        return ["read(", "shell(", "`"].iter().any(|it| {
            let inner = line.split("{{").skip(1);
            inner
                .filter_map(|rest| rest.split("}}").next())
                .any(|inner| inner.contains(it))
        });
    }
    let settings = [
        "set shell",
        "set working-directory",
        "set dotenv",
        "set windows-",
        "set script",
    ];
    let attributes = ["[script", "[working-directory", "[no-cd"];
    line.contains('`') && !line.starts_with('#')
        || line.contains("read(")
        || line.contains("shell(")
        || settings
            .iter()
            .chain(&attributes)
            .any(|it| line.starts_with(it))
}

/// Whether a flag names another file, another directory, or a variable.
fn is_odd_flag(flag: &str) -> bool {
    let long = [
        "--justfile",
        "--working-directory",
        "--set",
        "--shell",
        "--dotenv",
        "--global",
        "--command",
    ];
    flag.starts_with('-') && !flag.starts_with("--") && flag.contains(['f', 'd', 'g', 'c', 'E'])
        || long.iter().any(|it| flag.starts_with(it))
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
        rules.firsts.push(name.clone());
        rules.targets.insert(name.clone(), rule);
        current = Some(name);
    }
    rules
}
