//! A file: which jobs read it, and by which way.

use super::inputs::title;
use super::{count, plain, readers};
use crate::engine::everything::owning_line;
use crate::engine::inputs::{JobInputs, Origin};
use crate::engine::plan::{Plan, ReasonId, RunEverything};
use crate::engine::side::Side;
use crate::engine::tree::FileId;
use crate::engine::why::{Way, Ways};
use crate::render::view::what_of;

/// The most lines that are named as readers of a file.
const LINES: usize = 3;

/// Which jobs of a plan a file leads to, and by which way; `None` when there is no such
/// file.
pub(super) fn explain(plan: &Plan, side: &Side, path: &str) -> Option<String> {
    let file = side.snapshot.tree.find(path)?;
    let found = readers::of(plan, side, "it", |inputs| way(side, inputs, file));
    let (path, forced) = (plain(path), forced(plan, path));
    Some(format!("{path}: {}{forced}\n{}", found.many, found.told))
}

/// That the file makes everything run, where it does.
fn forced(plan: &Plan, path: &str) -> String {
    let mut forced = plan.run_everything.iter();
    let forced = forced.find(|forced| forced.subject == path);
    forced.map_or_else(String::new, |forced| {
        let (what, id) = (what_of(forced.id), forced.id.as_str());
        let says = format!(
            "\n  it changed, so everything runs: {what} {} ({id})",
            plain(path)
        );
        says + &unowned(forced)
    })
}

/// How a file that no package owns gets an owner.
fn unowned(forced: &RunEverything) -> String {
    if forced.id != ReasonId::UnownedFile {
        return String::new();
    }
    let line = plain(&owning_line(&forced.subject));
    format!("\n  to give it an owner, write into .trimtab.yml on the default branch: {line}")
}

/// By which way a job reads a file; `None` when it does not.
fn way(side: &Side, inputs: &JobInputs, file: FileId) -> Option<String> {
    let set = side.files(inputs);
    let is_shape = set.shapes.contains_key(side.snapshot.tree.path(file));
    if !is_shape && set.files.binary_search(&file).is_err() {
        return None;
    }
    let way = Ways::of(side, inputs).of_file(file);
    let mut out: Vec<String> = Vec::new();
    if !inputs.opaque.is_empty() {
        out.push("      it is not understood, so it may read anything\n".to_owned());
    }
    if is_shape {
        out.push("      all of it but versions and dependencies\n".to_owned());
    }
    out.extend(way.map(|way| told(side, &way)));
    Some(out.concat())
}

fn told(side: &Side, way: &Way<'_>) -> String {
    let mut out: Vec<String> = Vec::new();
    if way.chain.len() > 1 {
        let steps = way.chain.iter().map(|node| plain(&side.label(*node)));
        out.push(format!("      {}\n", steps.collect::<Vec<_>>().join(" → ")));
    }
    if let Some(widening) = way.widening {
        let path = plain(side.snapshot.tree.path(widening.file));
        let what = plain(&widening.what);
        let place = format!("{path}:{}", widening.line);
        out.push(format!(
            "      no literal names what {place} loads: {what}\n"
        ));
    }
    let mut lines: Vec<(&str, u32)> = Vec::new();
    for (_, origin) in &way.lines {
        let line = (origin.file.as_ref(), origin.line);
        if lines.contains(&line) {
            continue;
        }
        lines.push(line);
        if lines.len() <= LINES {
            out.push(format!("      {}\n", reader(origin)));
        }
    }
    if lines.len() > LINES {
        let others = count(lines.len() - LINES, "more line");
        out.push(format!("      and {others}\n"));
    }
    out.concat()
}

/// The line that reads, as `why JOB` names it.
fn reader(origin: &Origin) -> String {
    title(&origin.file, origin.line, &[origin.what.as_ref()].into())
}
