//! Steps, with composite actions of the same repository expanded.

use std::collections::BTreeMap;

use super::{Bindings, MAX_DEPTH, Reader, both, definition, limit, local};
use crate::engine::pipeline::expression::{Expression, Piece, Reference, Value, pieces};
use crate::engine::pipeline::{Action, Limit, Step};
use crate::engine::tree::join;
use crate::engine::yaml::Node;

/// What holds for a list of steps.
pub(super) struct Setting<'a> {
    /// The file in which the steps stand.
    pub(super) file: &'a str,
    pub(super) bindings: &'a Bindings,
    /// The shell of steps that name none.
    pub(super) shell: Option<Box<str>>,
    /// Whether the steps stand in a composite action, where the job's working
    /// directory does not count.
    pub(super) is_composite: bool,
    /// The condition of the step that uses the action.
    pub(super) condition: Option<Box<str>>,
    /// The variables of the step that uses the action.
    pub(super) env: BTreeMap<Box<str>, Box<str>>,
    pub(super) depth: usize,
}

/// What a list of steps comes to.
#[derive(Default)]
pub(super) struct Steps {
    pub(super) list: Vec<Step>,
    pub(super) limits: Vec<Limit>,
    /// The canonical text of the steps and the actions that they use.
    pub(super) definition: String,
}

impl Reader<'_> {
    /// Reads a list of steps.
    pub(super) fn steps(&mut self, list: Option<&Node>, setting: &Setting<'_>, out: &mut Steps) {
        let Some(items) = list.and_then(Node::items) else {
            self.report(setting.file, list, "`steps` must be a list");
            limit(&mut out.limits, Limit::Unreadable("steps".into()));
            return;
        };
        for item in items {
            self.parts += 1;
            if self.is_full() {
                self.report(setting.file, Some(item), "this pipeline has too many steps");
                limit(&mut out.limits, Limit::Unreadable("too many steps".into()));
                return;
            }
            let text = definition::canonical_without(item, setting.bindings, &["name"]);
            out.definition.push_str(&text);
            out.definition.push('\n');
            self.step(item, setting, out);
        }
    }

    fn step(&mut self, item: &Node, setting: &Setting<'_>, out: &mut Steps) {
        // The steps of a group start at once; `wait`, `wait-all` and `cancel` only order
        // what runs anyway.
        if let Some(group) = item.get("parallel") {
            return self.steps(Some(group), setting, out);
        }
        if ["wait", "wait-all", "cancel"]
            .iter()
            .any(|key| item.get(key).is_some())
        {
            return;
        }
        let own = setting.bindings.condition(item.get("if"));
        let condition = both(setting.condition.as_deref(), own.as_deref());
        let mut env = setting.env.clone();
        env.extend(setting.bindings.texts(item.get("env")));
        let action = match (item.get("run"), item.get("uses").and_then(Node::as_str)) {
            (Some(run), _) => run_action(item, run, env, setting),
            (None, Some(reference)) => {
                let inner = Setting {
                    condition: condition.clone(),
                    env,
                    ..setting.below()
                };
                if self.composite(item, reference, &inner, out) {
                    return;
                }
                Action::Use {
                    reference: reference.into(),
                    with: setting.bindings.texts(item.get("with")),
                }
            }
            (None, None) => {
                self.report(setting.file, Some(item), "a step needs `run` or `uses`");
                return limit(&mut out.limits, Limit::Unreadable("step".into()));
            }
        };
        let name = item.get("name").filter(|name| !name.is_null());
        out.list.push(Step {
            name: name.map(|name| setting.bindings.text(name).into()),
            file: setting.file.into(),
            line: item.line,
            condition,
            action,
        });
    }

    /// Expands a composite action of this repository; false when it is none.
    fn composite(
        &mut self,
        item: &Node,
        reference: &str,
        setting: &Setting<'_>,
        out: &mut Steps,
    ) -> bool {
        let Some(dir) = local(reference) else {
            return false;
        };
        let Some(path) = self.action_file(&dir) else {
            return false;
        };
        let root = match self.file(&path) {
            Ok(root) => root,
            Err(faults) => {
                self.diagnostics.extend(faults);
                limit(&mut out.limits, Limit::Unreadable(path.into()));
                return false;
            }
        };
        let runs = root.get("runs");
        let using = runs.and_then(|runs| runs.get("using"));
        if using.and_then(Node::as_str) != Some("composite") {
            let text = definition::canonical_without(&root, &Bindings::default(), IRRELEVANT);
            out.definition.push_str(&text);
            out.definition.push('\n');
            return false;
        }
        if setting.depth > MAX_DEPTH {
            limit(&mut out.limits, Limit::CallDepth);
            return false;
        }
        let bindings = action_bindings(&root, item, &dir, setting.bindings);
        let mut env = setting.env.clone();
        env.insert("GITHUB_ACTION_PATH".into(), action_path(&dir).into());
        let inner = Setting {
            file: &path,
            bindings: &bindings,
            shell: None,
            is_composite: true,
            condition: setting.condition.clone(),
            env,
            depth: setting.depth,
        };
        self.steps(runs.and_then(|runs| runs.get("steps")), &inner, out);
        out.definition
            .push_str(&definition::canonical_of(&root, &bindings, &["outputs"]));
        true
    }

    /// `action.yml` wins over `action.yaml`.
    fn action_file(&self, dir: &str) -> Option<String> {
        ["action.yml", "action.yaml"]
            .into_iter()
            .filter_map(|name| join(dir, name))
            .find(|path| self.snapshot.tree.find(path).is_some())
    }
}

/// Keys of an action file that only people read.
const IRRELEVANT: &[&str] = &["name", "description", "author", "branding"];

impl Setting<'_> {
    /// The same for the steps of an action that is used here.
    fn below(&self) -> Self {
        Self {
            file: self.file,
            bindings: self.bindings,
            shell: self.shell.clone(),
            is_composite: self.is_composite,
            condition: None,
            env: BTreeMap::new(),
            depth: self.depth + 1,
        }
    }
}

fn run_action(
    item: &Node,
    run: &Node,
    env: BTreeMap<Box<str>, Box<str>>,
    setting: &Setting<'_>,
) -> Action {
    let text = |key: &str| -> Option<Box<str>> {
        let node = item.get(key).filter(|node| !node.is_null())?;
        Some(setting.bindings.text(node).into())
    };
    let root = || setting.is_composite.then(|| Box::from(""));
    Action::Run {
        script: setting.bindings.text(run).into(),
        shell: text("shell").or_else(|| setting.shell.clone()),
        directory: text("working-directory")
            .map(|dir| directory(&dir))
            .or_else(root),
        env,
        line: run.line,
    }
}

/// A directory from the root, in its simplest form; with `${{ }}` it stays as written.
pub(super) fn directory(text: &str) -> Box<str> {
    if text.contains("${{") {
        return text.into();
    }
    join("", text).map_or_else(|| text.into(), Into::into)
}

/// Where an action lies when it runs.
fn action_path(dir: &str) -> String {
    let path = format!("${{{{ github.workspace }}}}/{dir}");
    path.trim_end_matches('/').to_owned()
}

/// What the names inside an action stand for. All inputs of an action are text.
fn action_bindings(root: &Node, item: &Node, dir: &str, outer: &Bindings) -> Bindings {
    let mut bindings = Bindings {
        is_called: true,
        ..Bindings::default()
    };
    let given = |name: &str| {
        let entries = item.get("with").and_then(Node::entries).unwrap_or_default();
        let same = |key: &str| key.to_lowercase() == name.to_lowercase();
        entries.iter().find(|entry| same(&entry.key))
    };
    let declared = root.get("inputs").and_then(Node::entries);
    for input in declared.unwrap_or_default() {
        let text = match (given(&input.key), input.value.get("default")) {
            (Some(entry), _) => outer.text(&entry.value),
            (None, Some(default)) => Bindings::default().text(default),
            (None, None) => String::new(),
        };
        bindings.bind("inputs", &input.key, reference(&text));
    }
    let path = Value::text(&action_path(dir));
    bindings.bind("github", "action_path", Some(Reference::Value(path)));
    bindings
}

/// What a text stands for; `None` when it is computed in a way that means something
/// else inside the action.
fn reference(text: &str) -> Option<Reference> {
    match pieces(text).as_slice() {
        [Piece::Expression(inner)] => {
            let parsed = Expression::parse(inner).ok()?;
            let is_outer = ["steps", "inputs"]
                .iter()
                .any(|context| !parsed.properties_of(context).is_empty());
            (!is_outer).then(|| Reference::text_of(inner))
        }
        _ if text.contains("${{") => None,
        _ => Some(Reference::Value(Value::text(text))),
    }
}
