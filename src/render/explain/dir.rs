//! A directory: which jobs read something below it, and how much.

use super::{count, grouped, plain, readers};
use crate::engine::inputs::JobInputs;
use crate::engine::plan::Plan;
use crate::engine::side::Side;
use crate::engine::tree::FileId;

/// Which jobs of a plan read files below a directory; `None` when there is no such directory.
pub(super) fn explain(plan: &Plan, side: &Side, subject: &str) -> Option<String> {
    let dir = match subject {
        "." | "./" => "",
        path => {
            let dir = path.trim_start_matches("./").trim_end_matches('/');
            Some(dir).filter(|dir| !dir.is_empty())?
        }
    };
    if !side.snapshot.tree.has_dir(dir) {
        return None;
    }
    let found = readers::of(plan, side, "files below it", |inputs| {
        how(side, inputs, dir)
    });
    let name = match dir {
        "" => "the whole repository".to_owned(),
        dir => format!("{}/", plain(dir)),
    };
    let hint = if found.told.is_empty() {
        ""
    } else {
        "\nAsk for one of its files to see by which way it is read.\n"
    };
    Some(format!("{name}: {}\n{}{hint}", found.many, found.told))
}

/// How much of a directory a job reads; `None` when that is nothing.
fn how(side: &Side, inputs: &JobInputs, dir: &str) -> Option<String> {
    if !inputs.opaque.is_empty() {
        return Some("      it is not understood, so it may read anything\n".to_owned());
    }
    let (tree, set) = (&side.snapshot.tree, side.files(inputs));
    let span = tree.span(dir);
    let is_below = |file: &FileId| span.contains(file);
    let shapes = set.shapes.keys().filter_map(|path| tree.find(path));
    let shapes = shapes.filter(|file| set.files.binary_search(file).is_err());
    let read = set.files.iter().filter(|file| is_below(file)).count();
    let read = read + shapes.filter(is_below).count();
    let all = tree.under(dir).count();
    match read {
        0 => None,
        1 if all == 1 => Some("      its one file\n".to_owned()),
        read if read == all => Some(format!("      all of its {}\n", count(all, "file"))),
        read => {
            let (read, all) = (grouped(read), count(all, "file"));
            Some(format!("      {read} of its {all}\n"))
        }
    }
}
