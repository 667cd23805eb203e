//! Makefiles, and what justfiles share with them: targets, what they need, and their recipes.
//!
//! Variables are expanded when they are literal; a function of make or a
//! computed target makes the use unknown. What is not asked for is not walked.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;

mod expand;
mod handed;
mod just;
mod odd;
mod patterns;
mod read;

use expand::{Asked, asked, evaluates, expanded, flat, marked};
use read::{parse, set};

use super::OpaqueCause;
use super::programs::list;
use super::walk::{Invocation, Text, Walk};
use crate::engine::globs::Glob;
use crate::engine::shell::{Place, UNKNOWN_START, Value, Word};
use crate::engine::tree::join;

/// How deep prerequisites may go.
const DEPTH: u32 = 24;

/// How many steps reading one makefile may take.
const STEPS: usize = 200_000;

#[derive(Debug, Default)]
struct Rules {
    variables: BTreeMap<String, String>,
    /// What the environment says of variables that the file only sets by default.
    environment: Rc<BTreeMap<Box<str>, Value>>,
    /// Variables that some targets set for themselves, with all that they set.
    targeted: BTreeMap<String, String>,
    /// Shells, modes and the like that change how recipes are read.
    odd: Option<String>,
    /// What is expanded while the makefile is read, with its lines.
    immediate: Vec<(u32, String)>,
    /// Variables that a makefile sets whatever the command line says.
    overriding: Vec<String>,
    /// Names that were used before anything set them, with the variables they stand in.
    early: Vec<(String, String)>,
    /// Variables that stand in the environment of recipes, with their lines; `*` for all.
    exported: BTreeMap<String, u32>,
    /// Patterns and files that are read while the makefile is.
    reads: Vec<String>,
    /// What is made.
    goals: Vec<String>,
    spent: Cell<usize>,
    targets: BTreeMap<String, Rule>,
    /// What may be the default goal: conditions and includes leave several.
    firsts: Vec<String>,
    /// Whether a target was met that is the default goal unless one before it is.
    is_settled: bool,
    /// Whether an include may bring the default goal.
    includes_first: bool,
    includes: Vec<String>,
}

impl Rules {
    /// Takes steps; `false` when there are none left.
    fn spend(&self, steps: usize) -> bool {
        self.spent.set(self.spent.get().saturating_add(steps));
        self.spent.get() < STEPS
    }

    /// Leaves no steps: something is too long to be read.
    fn give_up(&self) {
        self.spent.set(STEPS);
    }
}

#[derive(Debug, Default, Clone)]
struct Rule {
    needs: Vec<String>,
    recipe: Vec<(u32, String)>,
}

/// The command line of make.
struct Told {
    place: Place,
    file: Option<String>,
    goals: Vec<String>,
    variables: BTreeMap<String, String>,
}

impl Walk<'_> {
    /// `make TARGETS`.
    pub(super) fn make(&mut self, call: &Invocation) {
        let Some(asked) = self.make_arguments(call) else {
            return self.unknown_use(call);
        };
        let Place::Inside(dir) = &asked.place else {
            return self.unknown_use(call);
        };
        let usual = ["GNUmakefile", "makefile", "Makefile"];
        let names = match &asked.file {
            Some(name) => vec![name.as_str()],
            None => usual.to_vec(),
        };
        let paths = names.iter().filter_map(|name| join(dir, name));
        let Some(file) = paths.into_iter().find(|path| self.has_file(path)) else {
            // CMake or configure writes one while the job runs.
            let what = format!("make without a makefile in {dir}/");
            return self.opaque(call, OpaqueCause::UnknownUse(what.into()));
        };
        let Some(text) = self.text(&file) else {
            return;
        };
        self.exact(call, vec![Glob::path(&file)]);
        self.runs(call, &file);
        let mut rules = parse(text, &self.variables);
        self.includes(call, dir, &file, &mut rules);
        for (name, values) in std::mem::take(&mut rules.targeted) {
            let old = rules.variables.get(&name).cloned().unwrap_or_default();
            let value = marked(&format!("{name} {old} {values}"));
            rules.variables.insert(name, value);
        }
        let outer = self.variables.clone();
        self.told(&asked, &mut rules);
        let here = Invocation {
            place: asked.place.clone(),
            ..call.clone()
        };
        self.read_with(&here, &file, &rules);
        self.hand(&here, &file, &rules);
        rules.goals = asked.goals;
        if rules.goals.is_empty() {
            self.default_goals(&here, &file, &mut rules);
        }
        self.goals(call, &file, &asked.place, &rules);
        self.variables = outer;
    }

    /// What is made where the command line names nothing
    /// (<https://www.gnu.org/software/make/manual/make.html#index-_002eDEFAULT_005fGOAL>).
    fn default_goals(&mut self, call: &Invocation, file: &str, rules: &mut Rules) {
        let named = rules.variables.get(".DEFAULT_GOAL");
        let named = named.map(|value| expanded(value, rules, None, 0));
        let named = named.unwrap_or_default();
        if named.contains(UNKNOWN_START) {
            let what = format!(".DEFAULT_GOAL in {file}");
            return self.opaque(call, OpaqueCause::UnknownUse(what.into()));
        }
        rules.goals = named.split_whitespace().map(str::to_owned).collect();
        if rules.goals.is_empty() {
            rules.goals.clone_from(&rules.firsts);
        }
    }

    /// What is read while the makefile is, and what makes it one that is not read here.
    fn read_with(&mut self, call: &Invocation, file: &str, rules: &Rules) {
        if let Some(odd) = &rules.odd {
            let what = format!("{odd} in {file}");
            self.opaque(call, OpaqueCause::UnknownUse(what.into()));
        }
        for read in &rules.reads {
            for word in expanded(read, rules, None, 0).split_whitespace() {
                let word = Word {
                    text: word.into(),
                    unknown: word.contains(UNKNOWN_START),
                    glob: word.contains(['*', '?', '[']),
                };
                self.read_path(call, &word);
            }
        }
        let mut done = BTreeSet::new();
        for (line, text) in rules
            .immediate
            .iter()
            .filter(|(_, text)| text.contains('$'))
        {
            let text = expanded(text, rules, None, 0);
            if evaluates(&text) {
                let what = format!("$(eval) in {file} at line {line}");
                self.opaque(call, OpaqueCause::UnknownUse(what.into()));
            }
            let mut asked = asked(&text, 0);
            asked.commands.retain(|it| done.insert(it.clone()));
            self.ask(&call.place, (file, *line), &asked);
        }
    }

    /// Walks what make asks the shell for: what that prints goes into a text.
    fn ask(&mut self, place: &Place, (file, line): (&str, u32), asked: &Asked) {
        for command in &asked.commands {
            self.script(&Text {
                file,
                line,
                text: &format!(": \"$( {})\"", command.trim()).replace("$$", "$"),
                place: place.clone(),
                arguments: None,
            });
        }
    }

    /// One line of a recipe. What it asks the shell for stands in it as a substitution
    /// where the shell would come to the same; else it is not known there.
    fn recipe_line(&mut self, site: &Site<'_>, line: u32, text: &str) {
        let asked = asked(text, 0);
        self.ask(&site.place, (site.file, line), &asked);
        // In another directory, between quotes that keep it as it is, and with variables
        // of the shell it would come to something else.
        let differs = ["cd", "pushd", "'", "\\", "<<", "`"];
        let is_same = !differs.iter().any(|it| text.contains(it))
            && !asked.commands.iter().any(|it| it.contains("$$"));
        let text = if is_same { asked.text } else { flat(text) };
        self.script(&Text {
            file: site.file,
            line,
            text: &text.replace("$$", "$"),
            place: site.place.clone(),
            arguments: None,
        });
    }

    fn goals(&mut self, call: &Invocation, file: &str, place: &Place, rules: &Rules) {
        let mut hasher = DefaultHasher::new();
        rules.variables.hash(&mut hasher);
        let site = Site {
            call,
            file,
            place: place.clone(),
            key: hasher.finish() ^ self.variables_key(),
        };
        for goal in &rules.goals {
            self.goal(&site, rules, goal, 0);
        }
        if !rules.spend(0) {
            let what = format!("too many steps in {file}");
            self.opaque(call, OpaqueCause::UnknownUse(what.into()));
        }
    }

    /// What the command line says; `None` when a goal is not known.
    fn make_arguments(&mut self, call: &Invocation) -> Option<Told> {
        let mut asked = Told {
            place: call.place.clone(),
            file: None,
            goals: Vec::new(),
            variables: BTreeMap::new(),
        };
        let mut words = call.words.iter().skip(1);
        let mut counts = false;
        while let Some(word) = words.next() {
            let text = word.text.as_ref();
            let is_count = std::mem::replace(&mut counts, takes_count(text));
            let dir = text
                .strip_prefix("--directory=")
                .or_else(|| text.strip_prefix("-C"));
            match (text, dir, text.split_once('=')) {
                ("-C" | "--directory", ..) => asked.place = self.elsewhere(call, words.next()?),
                (_, Some(dir), _) => asked.place = self.elsewhere(call, &Word::literal(dir)),
                ("-f" | "--file" | "--makefile", ..) => {
                    let file = words.next().filter(|file| !file.unknown)?;
                    asked.file = Some(file.text.to_string());
                }
                (flag, ..) if flag.starts_with('-') => match named_file(flag) {
                    Some(file) => asked.file = Some(file.to_owned()),
                    None if flag.starts_with("-j") || flag.starts_with("--jobs=") => {}
                    None if is_harmless(flag) && !word.unknown => {}
                    None => return None,
                },
                (_, _, Some((name, value))) => {
                    let value = if word.unknown {
                        marked(value)
                    } else {
                        value.to_owned()
                    };
                    let name = name.trim_end_matches(['?', ':', '+']);
                    asked.variables.insert(name.to_owned(), value);
                }
                // The number of `-j 4`.
                (count, ..) if is_count && count.chars().all(|c| c.is_ascii_digit()) => {}
                (..) if word.unknown => return None,
                (goal, ..) => asked.goals.push(goal.to_owned()),
            }
        }
        Some(asked)
    }

    fn includes(&mut self, call: &Invocation, dir: &str, file: &str, rules: &mut Rules) {
        for include in rules.includes.clone() {
            let path = join(dir, &include).unwrap_or_default();
            let Some(text) = self.text(&path) else {
                if !self.has_file(&path) {
                    let what = format!("include {include} in {file}");
                    self.opaque(call, OpaqueCause::UnknownUse(what.into()));
                }
                continue;
            };
            self.exact(call, vec![Glob::path(&path)]);
            let more = parse(text, &self.variables);
            for (name, values) in more.targeted {
                let known = rules.targeted.entry(name).or_default();
                known.push(' ');
                known.push_str(&values);
            }
            if rules.includes_first {
                rules.firsts.extend(more.firsts);
            }
            rules.immediate.extend(more.immediate);
            rules.overriding.extend(more.overriding);
            rules.exported.extend(more.exported);
            rules.reads.extend(more.reads);
            rules.odd = rules.odd.take().or(more.odd);
            for (target, rule) in more.targets {
                let known = rules.targets.entry(target).or_default();
                known.needs.extend(rule.needs);
                known.recipe.extend(rule.recipe);
            }
            if !more.includes.is_empty() {
                let what = format!("includes of {path}");
                self.opaque(call, OpaqueCause::UnknownUse(what.into()));
            }
            for (name, value) in more.variables {
                set(rules, &name, &value, "=");
            }
        }
    }

    fn goal(&mut self, site: &Site<'_>, rules: &Rules, goal: &str, depth: u32) {
        if !rules.spend(1) {
            return;
        }
        let goal = read::target(goal);
        let key = format!("make {} {goal} {}", site.file, site.key);
        if !self.seen.insert(key) {
            return;
        }
        let named = rules.targets.get(goal).map(|rule| (rule.clone(), ""));
        let patterned = || {
            let can = rules.spend(rules.targets.len() / 16);
            can.then(|| patterns::rule(&rules.targets, goal))?
        };
        let Some((rule, stem)) = named.or_else(patterned) else {
            let path = site.place.enter(&Word::literal(goal));
            if let Place::Inside(path) = path
                && (self.has_file(&path) || self.has_dir(&path))
            {
                return self.exact(site.call, vec![Glob::path(&path)]);
            }
            return self.opaque(
                site.call,
                OpaqueCause::Missing(format!("target {goal} of {}", site.file).into()),
            );
        };
        if depth > DEPTH {
            return self.unknown_use(site.call);
        }
        let own = Some((goal, stem));
        for need in rule.needs.iter().filter(|need| *need != "|") {
            let need = expanded(need, rules, own, 0);
            if need.contains(UNKNOWN_START) || need.contains(['%', '*']) {
                self.opaque(
                    site.call,
                    OpaqueCause::UnknownUse(format!("what {goal} needs in {}", site.file).into()),
                );
                continue;
            }
            for need in need.split_whitespace() {
                self.goal(site, rules, need, depth + 1);
            }
        }
        for (line, command) in &rule.recipe {
            let commands = expanded(command, rules, own, 0);
            if evaluates(&commands) {
                let what = format!("$(eval) in {} at line {line}", site.file);
                self.opaque(site.call, OpaqueCause::UnknownUse(what.into()));
            }
            // Each line of what `define` holds is one of the recipe.
            for command in commands.split('\n') {
                let command = command.trim_start_matches(['@', '-', '+', ' ', '\t']);
                self.recipe_line(site, *line, command);
            }
        }
    }
}

struct Site<'s> {
    call: &'s Invocation,
    file: &'s str,
    place: Place,
    /// A digest of all variables.
    key: u64,
}

/// The file of `-fNAME` and `--file=NAME`.
fn named_file(flag: &str) -> Option<&str> {
    let long = flag
        .strip_prefix("--file=")
        .or_else(|| flag.strip_prefix("--makefile="));
    long.or_else(|| flag.strip_prefix("-f").filter(|name| !name.is_empty()))
}

/// Whether a number may follow a flag.
fn takes_count(flag: &str) -> bool {
    let is_short = flag.starts_with('-') && !flag.starts_with("--") && flag.ends_with(['j', 'l']);
    is_short || ["--jobs", "--load-average", "--max-load"].contains(&flag)
}

/// Whether a flag changes neither what is made nor with which variables.
fn is_harmless(flag: &str) -> bool {
    match flag.strip_prefix("--") {
        Some(long) => {
            let name = long.split('=').next().unwrap_or_default();
            let known = "always-make keep-going silent quiet print-directory no-print-directory \
                jobs output-sync debug dry-run just-print warn-undefined-variables \
                no-builtin-rules no-builtin-variables trace ignore-errors load-average \
                version help";
            list(known).contains(&name)
        }
        None => flag
            .chars()
            .skip(1)
            .all(|c| c.is_ascii_digit() || "BijkKnOrRsSwld.v".contains(c)),
    }
}
