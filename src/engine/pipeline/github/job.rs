//! One job of a workflow file: read in place, or expanded where it calls another file.

use std::collections::BTreeSet;

use super::calls::{self, Secrets};
use super::limits::{self, Permissions};
use super::steps::{self, Setting, Steps};
use super::{Bindings, MAX_DEPTH, Reader, both, definition, limit, local, matrix};
use crate::engine::pipeline::{Job, JobId, Leg, Limit};
use crate::engine::yaml::{Entry, Node};

/// Combinations of a caller's matrix with a called job's.
const MAX_LEGS: usize = 1024;

/// A workflow file in the light of whoever called it.
pub(super) struct Frame<'a> {
    pub(super) file: &'a str,
    pub(super) root: &'a Node,
    /// The call, for a called file.
    call: Option<Call<'a>>,
    permissions: Permissions,
    /// The files from the pipeline down to this one.
    chain: Vec<&'a str>,
}

/// A job that calls a file.
struct Call<'a> {
    node: &'a Node,
    outer: &'a Bindings,
    secrets: Secrets,
}

impl<'a> Frame<'a> {
    /// A file that is started by events.
    pub(super) fn of_file(file: &'a str, root: &'a Node) -> Self {
        Self {
            file,
            root,
            call: None,
            permissions: limits::permissions(root.get("permissions"), &None),
            chain: vec![file],
        }
    }

    /// What names stand for in one job of the file.
    fn bindings(&self, job: &Node) -> Bindings {
        let Some(call) = &self.call else {
            return Bindings::default();
        };
        let matrix = job.get("strategy").and_then(|node| node.get("matrix"));
        let axes = matrix.and_then(Node::entries).unwrap_or_default();
        let axes: Vec<&str> = axes.iter().map(|entry| entry.key.as_ref()).collect();
        calls::bindings(self.root, call.node, call.outer, &axes)
    }
}

impl Reader<'_> {
    /// The jobs that one entry of `jobs` comes to.
    pub(super) fn job(&mut self, frame: &Frame<'_>, entry: &Entry) -> Vec<Job> {
        let node = &entry.value;
        let bindings = frame.bindings(node);
        let mut job = shell(frame, entry, &bindings);
        if node.entries().is_none() {
            self.report(frame.file, Some(node), "a job must be a mapping");
            job.limits.push(Limit::Unreadable(entry.key.clone()));
            return vec![job];
        }
        let too_large = Limit::Unreadable(matrix::TOO_LARGE.into());
        if job.limits.contains(&too_large) {
            let what = format!("job `{}` is not read: {}", entry.key, matrix::TOO_LARGE);
            self.report(frame.file, node.get("strategy"), &what);
        }
        if self.is_full() {
            job.limits.push(Limit::Unreadable("too many jobs".into()));
            return vec![job];
        }
        if node.get("uses").is_some() {
            return self.call(frame, job, node, &bindings);
        }
        vec![self.plain(frame, job, node, &bindings)]
    }

    /// A job with steps of its own.
    fn plain(&mut self, frame: &Frame<'_>, mut job: Job, node: &Node, bindings: &Bindings) -> Job {
        let default = |key: &str| {
            [node, frame.root]
                .into_iter()
                .find_map(|node| node.get("defaults")?.get("run")?.get(key))
                .map(|node| bindings.text(node))
        };
        job.directory = default("working-directory").map(|dir| steps::directory(&dir));
        let setting = Setting {
            file: frame.file,
            bindings,
            shell: default("shell").map(Into::into),
            is_composite: false,
            condition: None,
            env: std::collections::BTreeMap::new(),
            depth: 0,
        };
        let mut found = Steps::default();
        self.steps(node.get("steps"), &setting, &mut found);
        job.steps = found.list;
        for new in found.limits {
            limit(&mut job.limits, new);
        }
        for new in mounts(node) {
            limit(&mut job.limits, new);
        }
        job.definition = format!("{}{}", job.definition, found.definition).into();
        job
    }

    /// A job that calls another file: the jobs of that file.
    fn call(
        &mut self,
        frame: &Frame<'_>,
        mut caller: Job,
        node: &Node,
        bindings: &Bindings,
    ) -> Vec<Job> {
        let reference = node.get("uses").and_then(Node::as_str).unwrap_or_default();
        let Some(path) = local(reference).filter(|path| self.snapshot.tree.find(path).is_some())
        else {
            caller.limits.push(Limit::ForeignCall(reference.into()));
            return vec![caller];
        };
        if frame.chain.len() > MAX_DEPTH || frame.chain.contains(&path.as_str()) {
            caller.limits.push(Limit::CallDepth);
            return vec![caller];
        }
        let root = match self.file(&path) {
            Ok(root) => root,
            Err(faults) => {
                self.diagnostics.extend(faults);
                caller.limits.push(Limit::Unreadable(path.into()));
                return vec![caller];
            }
        };
        let above = limits::permissions(node.get("permissions"), &frame.permissions);
        let mut chain = frame.chain.clone();
        chain.push(&path);
        let inner = Frame {
            file: &path,
            root: &root,
            call: Some(Call {
                node,
                outer: bindings,
                secrets: calls::secrets(node),
            }),
            permissions: limits::permissions(root.get("permissions"), &above),
            chain,
        };
        let jobs = self.jobs(&inner);
        if jobs.is_empty() {
            caller.limits.push(Limit::Unreadable(path.as_str().into()));
            return vec![caller];
        }
        let called = jobs.into_iter();
        called.map(|job| under(&caller, job, &inner)).collect()
    }
}

/// Everything of a job but its steps.
fn shell(frame: &Frame<'_>, entry: &Entry, bindings: &Bindings) -> Job {
    let node = &entry.value;
    let mut limits = Vec::new();
    if let Some(name) = limits::environment(node.get("environment")) {
        limits.push(Limit::Environment(bindings.fold(&name).into()));
    }
    let permissions = limits::permissions(node.get("permissions"), &frame.permissions);
    limits::of_permissions(&permissions, &mut limits);
    let mut secrets = BTreeSet::new();
    limits::secrets(node, &mut secrets);
    if let Some(env) = frame.root.get("env") {
        limits::secrets(env, &mut secrets);
    }
    if !secrets.is_empty() {
        limits.push(Limit::Secrets(secrets.into_iter().collect()));
    }
    let mut env = bindings.texts(frame.root.get("env"));
    env.extend(bindings.texts(node.get("env")));
    let name = node.get("name").filter(|name| !name.is_null());
    Job {
        id: JobId(entry.key.clone()),
        name: name.map_or_else(|| entry.key.clone(), |name| bindings.text(name).into()),
        caller: None,
        line: entry.line,
        file: frame.file.into(),
        needs: Vec::new(),
        condition: bindings.condition(node.get("if")),
        legs: legs(node, bindings, &mut limits),
        runner: runner(node.get("runs-on"), bindings),
        env,
        directory: None,
        images: images(node, bindings),
        steps: Vec::new(),
        definition: definition_of(frame, node, bindings, &permissions).into(),
        limits,
    }
}

fn definition_of(
    frame: &Frame<'_>,
    node: &Node,
    bindings: &Bindings,
    permissions: &Permissions,
) -> String {
    let shared =
        definition::canonical_of(frame.root, bindings, &["env", "defaults", "concurrency"]);
    let job = definition::canonical_without(node, bindings, &["steps", "permissions"]);
    let named = format!("{shared}{job}").contains("github.workflow");
    let name = frame.root.get("name").filter(|_| named);
    let name = name.map(|name| definition::canonical(name, bindings));
    format!(
        "{}{shared}permissions={permissions:?}\n{job}\n",
        name.unwrap_or_default()
    )
}

fn legs(node: &Node, bindings: &Bindings, limits: &mut Vec<Limit>) -> Vec<Leg> {
    let Some(strategy) = node.get("strategy") else {
        return Vec::new();
    };
    let legs = match strategy.get("matrix") {
        Some(matrix) => matrix::legs(matrix, bindings),
        // A strategy that is itself an expression may hold a matrix.
        None if strategy.entries().is_some() => return Vec::new(),
        None => Err(matrix::Unread::Computed),
    };
    legs.unwrap_or_else(|unread| {
        limit(limits, Limit::DynamicMatrix);
        if unread == matrix::Unread::TooLarge {
            limit(limits, Limit::Unreadable(matrix::TOO_LARGE.into()));
        }
        Vec::new()
    })
}

/// `runs-on`: a word, a list, or a group with labels.
fn runner(node: Option<&Node>, bindings: &Bindings) -> Vec<Box<str>> {
    let Some(node) = node else {
        return Vec::new();
    };
    let fold = |words: Vec<&str>| -> Vec<Box<str>> {
        let folded = words.into_iter().map(|word| bindings.fold(word).into());
        folded.collect()
    };
    if node.entries().is_none() {
        return fold(node.words());
    }
    let words = |key: &str| node.get(key).map(Node::words).unwrap_or_default();
    fold([words("group"), words("labels")].concat())
}

/// The images of the container and the services.
fn images(node: &Node, bindings: &Bindings) -> Vec<Box<str>> {
    let image = |node: &Node| {
        let image = node.as_str().or_else(|| node.get("image")?.as_str())?;
        Some(bindings.fold(image).into())
    };
    let container = node.get("container").and_then(image);
    let services = node.get("services").and_then(Node::entries);
    let services = services.unwrap_or_default().iter();
    container
        .into_iter()
        .chain(services.filter_map(|entry| image(&entry.value)))
        .collect()
}

/// What the container and the services get of the checkout beside their image: a mount, or
/// a file of variables, which no command tells.
fn mounts(node: &Node) -> Vec<Limit> {
    let services = node.get("services").and_then(Node::entries);
    let services = services.unwrap_or_default().iter().map(|it| &it.value);
    let all = node.get("container").into_iter().chain(services);
    let words = |node: &Node| {
        let volumes = node.get("volumes").map(Node::words).unwrap_or_default();
        let options = node.get("options").and_then(Node::as_str);
        let options = options.unwrap_or_default().split_whitespace();
        let shared = |word: &&str| is_of_checkout(word);
        let files = options
            .clone()
            .filter(|word| word.starts_with("--env-file"));
        let found: Vec<&str> = volumes.into_iter().chain(options).filter(shared).collect();
        found
            .into_iter()
            .chain(files)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let found = all.flat_map(words);
    found
        .map(|word| Limit::Unreadable(format!("a container gets {word}").into()))
        .collect()
}

/// Whether a volume or an option of a container names a path of the checkout: anything but
/// the name of a volume and a path of the machine itself.
fn is_of_checkout(word: &str) -> bool {
    const CHECKOUTS: &[&str] = &["workspace", "WORKSPACE", "/work/", "/__w", "./", "../"];
    let host = word.rsplit('=').next().unwrap_or(word);
    let host = host.split(':').next().unwrap_or(host);
    host.contains(['/', '$']) && CHECKOUTS.iter().any(|part| word.contains(part))
}

/// A job of a called file, as a job of the calling one.
fn under(caller: &Job, mut job: Job, frame: &Frame<'_>) -> Job {
    for id in job.needs.iter_mut().chain([&mut job.id]) {
        *id = JobId(format!("{} / {id}", caller.id).into());
    }
    job.name = format!("{} / {}", caller.name, job.name).into();
    job.caller = Some(caller.id.clone());
    job.condition = both(caller.condition.as_deref(), job.condition.as_deref());
    job.definition = format!("call {}{}", caller.definition, job.definition).into();
    if caller.limits.contains(&Limit::DynamicMatrix) {
        job.legs = Vec::new();
        limit(&mut job.limits, Limit::DynamicMatrix);
    } else if !job.limits.contains(&Limit::DynamicMatrix) {
        product(caller, &mut job);
    }
    hand_on_secrets(&mut job, frame);
    job
}

/// Each leg of the caller runs each leg of the called job.
fn product(caller: &Job, job: &mut Job) {
    if caller.legs.is_empty() {
        return;
    }
    if job.legs.is_empty() {
        job.legs.clone_from(&caller.legs);
        return;
    }
    let inner = std::mem::take(&mut job.legs);
    if inner.len() * caller.legs.len() > MAX_LEGS {
        return limit(&mut job.limits, Limit::DynamicMatrix);
    }
    for outer in &caller.legs {
        for leg in &inner {
            let mut both = outer.clone();
            both.typed.retain(|key| !leg.values.contains_key(key));
            both.typed.extend(leg.typed.iter().cloned());
            both.values.extend(leg.values.clone());
            both.name = format!("{} / {}", outer.name, leg.name).into();
            job.legs.push(both);
        }
    }
}

fn hand_on_secrets(job: &mut Job, frame: &Frame<'_>) {
    let Some(call) = &frame.call else { return };
    let mut named: BTreeSet<Box<str>> = BTreeSet::new();
    job.limits.retain(|limit| match limit {
        Limit::Secrets(names) => {
            named.extend(names.iter().cloned());
            false
        }
        _ => true,
    });
    let behind = call.secrets.behind(&named);
    if !behind.is_empty() {
        job.limits
            .push(Limit::Secrets(behind.into_iter().collect()));
    }
}
