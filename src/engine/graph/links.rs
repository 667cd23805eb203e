//! Names that symbolic links make, in the graph.
//!
//! A file under such a name imports as if it lay there, because most languages look
//! from the name; others look from where the content lies, so the name needs that path
//! as well, with all that it needs there.

use super::{Builder, EdgeKind, Widening};
use crate::engine::facts::{Reach, When};

/// Whoever needs a name that a link makes needs what lies behind it, where it lies.
pub(in crate::engine) fn follow(builder: &mut Builder<'_>) {
    let snapshot = builder.snapshot;
    for (name, content) in snapshot.tree.linked() {
        builder.edge(*name, *content, EdgeKind::Implicit);
    }
    for link in snapshot.tree.closed_links() {
        builder.widen(Widening {
            when: When::Used,
            file: *link,
            reach: Reach::Repository,
            what: "a link out of the repository, or one that goes round".into(),
            line: 1,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::engine::graph;
    use crate::engine::packages::Packages;

    /// The files that the first one needs.
    fn check(files: &[(&str, &str)], expected: &str) {
        let snapshot = sample::snapshot(files);
        let packages = Packages::read(&snapshot);
        let graph = graph::build(&snapshot, &packages).finish();
        let found = sample::reached(&snapshot, &graph, files[0].0);
        assert_eq!(found.replace('\n', " "), expected, "{files:?}");
    }

    #[test]
    fn a_linked_module_of_python_needs_what_lies_beside_its_content() {
        check(
            &[
                ("l.py", "-> ci/r.py"),
                ("ci/r.py", "import near"),
                ("ci/near.py", ""),
            ],
            "ci/near.py ci/r.py l.py",
        );
        check(
            &[
                ("p/t.py", "import pkg.sub.x"),
                ("p/pkg/__init__.py", ""),
                ("p/pkg/sub", "-> ../../q/sub"),
                ("q/sub/__init__.py", ""),
                ("q/sub/x.py", "from . import y"),
                ("q/sub/y.py", ""),
            ],
            "p/pkg/__init__.py p/pkg/sub/__init__.py p/pkg/sub/x.py p/pkg/sub/y.py p/t.py q/sub/__init__.py q/sub/x.py q/sub/y.py",
        );
    }

    #[test]
    fn a_linked_conftest_is_needed_where_it_lies() {
        check(
            &[
                ("sub/test_a.py", ""),
                ("sub/conftest.py", "-> ../ci/c.py"),
                ("ci/c.py", ""),
            ],
            "ci/c.py sub/conftest.py sub/test_a.py",
        );
    }

    #[test]
    fn a_linked_module_of_node_requires_from_where_it_lies() {
        check(
            &[
                ("a/index.js", "require('../v.js')"),
                ("v.js", "-> b/index.js"),
                ("b/index.js", "require('./util')"),
                ("b/util.js", ""),
            ],
            "a/index.js b/index.js b/util.js v.js",
        );
    }

    #[test]
    fn a_link_that_leaves_the_repository_may_reach_anything() {
        let snapshot = sample::snapshot(&[("a.py", "-> ../../x.py")]);
        let packages = Packages::read(&snapshot);
        let graph = graph::build(&snapshot, &packages).finish();
        assert_eq!(graph.widenings[0].reach, Reach::Repository);
    }
}
