//! One environment of tox: its settings with those that it inherits, and what they run.
//!
//! An environment has every setting of its bases that it does not give itself
//! (<https://tox.wiki/en/stable/config.html#base>). What is not a command names files
//! all the same: a plugin, a list of constraints.

use super::super::OpaqueCause;
use super::super::ini::Setting;
use super::super::walk::{Invocation, Text, Walk};
use super::{Tox, substituted, without_factors, word};
use crate::engine::shell::{Place, UNKNOWN_START, Value, Word};

/// How many bases may rest on each other.
const DEPTH: u32 = 8;

/// What an environment that gives it itself does not take from its base.
const OWN: [&str; 4] = ["commands", "commands_pre", "commands_post", "deps"];

impl Walk<'_> {
    /// What the environments of these names run and read; of all without names.
    pub(super) fn tox_environments(&mut self, tox: &Tox<'_>, names: Option<&[String]>) {
        for (name, settings) in tox.sections {
            let environment = name
                .strip_prefix("testenv")
                .map(|rest| rest.trim_start_matches(':'));
            match environment {
                None => {}
                // The base section serves every environment that has none of its own.
                Some("") => self.tox_environment(tox, &left_to_base(tox, settings, names)),
                // A section may stand for several: `a,b` and `py{38,39}`.
                Some(environment) => {
                    let is_chosen = names.is_none_or(|names| {
                        let is_several = environment.contains(['{', ',']);
                        is_several || names.iter().any(|name| name == environment)
                    });
                    if is_chosen {
                        self.tox_environment(tox, settings);
                    }
                }
            }
        }
    }

    /// What one environment runs and reads.
    pub(super) fn tox_environment(&mut self, tox: &Tox<'_>, own: &[Setting]) {
        let mut settings = own.to_vec();
        self.inherit(tox, own, &mut settings, 0);
        let place = place_of(tox, &settings);
        for (key, value, line) in &settings {
            let value = substituted(value, tox, 0);
            match key.as_str() {
                "changedir" | "change_dir" => {}
                "deps" => self.tox_dependencies(tox.call, &value),
                "setenv" | "set_env" => self.tox_sets(tox.call, &value),
                "commands" | "commands_pre" | "commands_post" => {
                    let text = value.replace("\\\n", " ");
                    for command in text.lines() {
                        self.tox_command(tox, *line, command, &place);
                    }
                }
                "install_command" => {
                    let text = value.replace("{packages}", "").replace("{opts}", "");
                    self.tox_command(tox, *line, &text, &tox.call.place);
                }
                _ => self.names_of_text(tox.call, &value),
            }
        }
    }

    /// Adds the settings of the bases that an environment does not have itself.
    fn inherit(&mut self, tox: &Tox<'_>, from: &[Setting], all: &mut Vec<Setting>, depth: u32) {
        let told = from.iter().find(|(key, ..)| key == "base");
        let names = told.map_or("testenv", |(_, value, _)| value);
        for name in names.split([',', '\n', ' ']).filter(|it| !it.is_empty()) {
            let name = name.strip_prefix("env.").unwrap_or(name);
            let forms = [name.to_owned(), format!("testenv:{name}")];
            let found = tox.sections.iter().find(|(it, _)| forms.contains(it));
            let is_usual = ["testenv", "env_run_base"].contains(&name);
            let found = match found {
                Some((_, found)) if depth < DEPTH => found,
                None if is_usual => continue,
                _ => {
                    let what = format!("section {name} of {}", tox.file);
                    self.opaque(tox.call, OpaqueCause::Missing(what.into()));
                    continue;
                }
            };
            for setting in found {
                if !all.iter().any(|(key, ..)| *key == setting.0) {
                    all.push(setting.clone());
                }
            }
            // The base of all has none itself.
            if told.is_some() && name != "testenv" {
                self.inherit(tox, found, all, depth + 1);
            }
        }
    }

    fn tox_command(&mut self, tox: &Tox<'_>, line: u32, command: &str, place: &Place) {
        let command = without_factors(command).trim_start_matches(['-', '!', ' ']);
        self.script(&Text {
            file: tox.file,
            line,
            text: command,
            place: place.clone(),
            arguments: None,
        });
    }

    fn tox_dependencies(&mut self, call: &Invocation, value: &str) {
        for line in value.lines() {
            let line = line.split_once(": ").map_or(line, |(_, rest)| rest);
            let words: Vec<Word> = std::iter::once("install")
                .chain(line.split_whitespace())
                .map(word)
                .collect();
            let mut install = call.clone();
            install.words = words;
            self.install(&install);
        }
    }

    /// `NAME=VALUE` lines, and `file|FILE` with more of them.
    fn tox_sets(&mut self, call: &Invocation, value: &str) {
        for line in value.lines().map(str::trim) {
            let line = without_factors(line).trim();
            if let Some(file) = line.strip_prefix("file|") {
                self.read_path(call, &word(file.trim()));
            } else if let Some((name, value)) = line.split_once('=') {
                let value = value.trim();
                let value = if value.contains(UNKNOWN_START) {
                    Value::Unknown
                } else {
                    Value::Text(value.into())
                };
                self.assignment(call, name.trim(), &value);
            }
        }
    }

    /// Files and directories that settings of the whole configuration name.
    pub(super) fn named_by_tox(&mut self, tox: &Tox<'_>) {
        let own = tox.sections.iter();
        let own = own.filter(|(name, _)| ["tox", "tox:tox"].contains(&name.as_str()));
        for (_, value, _) in own.flat_map(|(_, settings)| settings) {
            self.names_of_text(tox.call, &substituted(value, tox, 0));
        }
    }
}

/// The settings of the base, without the values that no chosen environment takes: tox
/// looks a setting up in the section of the environment first, and in its base only when
/// nothing is left of it there. So every environment must be known by its name and give
/// the setting in a section of just that name, under no condition.
fn left_to_base(tox: &Tox<'_>, base: &[Setting], names: Option<&[String]>) -> Vec<Setting> {
    let mut words = tox.call.words.iter().take_while(|word| &*word.text != "--");
    let is_certain = !words.any(|word| word.unknown || word.glob);
    let names = names.filter(|names| is_certain && !names.is_empty());
    let has_own = |name: &String, key: &str| {
        let section = format!("testenv:{name}");
        let found = tox.sections.iter().find(|(it, _)| *it == section);
        let mut settings = found.iter().flat_map(|(_, settings)| settings);
        settings.any(|(it, value, _)| it == key && is_unconditional(value))
    };
    let is_taken = |key: &str| {
        !OWN.contains(&key)
            || names.is_none_or(|names| names.iter().any(|name| !has_own(name, key)))
    };
    let mut left = base.to_vec();
    for (key, value, _) in &mut left {
        if !is_taken(key) {
            // The key stays, so that it is not taken for one that the base inherits.
            value.clear();
        }
    }
    left
}

/// Whether something is left of a value whatever the factors of its environment: a line
/// that begins with factors and a colon counts only for those.
fn is_unconditional(value: &str) -> bool {
    let is_plain = |line: &str| !line.split_whitespace().any(|word| word.ends_with(':'));
    !value.trim().is_empty() && value.lines().all(is_plain)
}

/// Where the commands of an environment run; not known when only some do there.
fn place_of(tox: &Tox<'_>, settings: &[Setting]) -> Place {
    let told = settings
        .iter()
        .find(|(key, ..)| matches!(key.as_str(), "changedir" | "change_dir"));
    let Some((_, value, _)) = told else {
        return tox.call.place.clone();
    };
    let value = substituted(value, tox, 0);
    let mut lines = value.lines().map(str::trim).filter(|it| !it.is_empty());
    match (lines.next(), lines.next()) {
        (None, _) => tox.call.place.clone(),
        (Some(line), None) if without_factors(line) == line => tox.call.place.enter(&word(line)),
        _ => Place::Unknown,
    }
}
