//! How far the unresolved constructs of a closure reach together.
//!
//! A name that begins with a dot is not what callers give by chance: it stands as a
//! literal, which is an edge, or it is composed. Only where both meet, somebody who
//! composes and somebody who opens what is given, are hidden files within reach.

use super::{Closure, Graph, Widening};
use crate::engine::facts::Reach;

impl Graph {
    /// The constructs of a closure that widen it, each with how far it reaches there.
    pub fn widened(&self, closure: &Closure) -> Vec<(&Widening, Reach)> {
        let widenings = self.widenings.iter();
        let within = widenings.filter(|it| closure.reads(it.file.into(), it.when));
        let (composed, others): (Vec<_>, Vec<_>) =
            within.partition(|it| it.reach == Reach::Composed);
        let reach = |it: &Widening| match it.reach {
            Reach::Visible if !composed.is_empty() => Reach::Package,
            reach => reach,
        };
        others.into_iter().map(|it| (it, reach(it))).collect()
    }
}

/// Whether a path or a directory on its way begins with a dot.
pub fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use crate::engine::facts::Reach;
    use crate::engine::graph;
    use crate::engine::packages::Packages;

    /// How far the first file reaches.
    fn check(files: &[(&str, &str)], expected: &[Reach]) {
        let snapshot = sample::snapshot(files);
        let packages = Packages::read(&snapshot);
        let graph = graph::build(&snapshot, &packages).finish();
        let first = snapshot.tree.find(files[0].0).unwrap();
        let closure = graph.closure([first.into()]);
        let found = graph.widened(&closure);
        let found: Vec<Reach> = found.into_iter().map(|(_, reach)| reach).collect();
        assert_eq!(found, expected, "{files:?}");
    }

    const OPENS: (&str, &str) = ("load.py", "def load(path):\n    return open(path)\n");

    #[test]
    fn what_callers_give_is_visible() {
        check(&[OPENS], &[Reach::Visible]);
        check(
            &[("a.py", "import load\nload.load(name + '.json')\n"), OPENS],
            &[Reach::Visible],
        );
    }

    #[test]
    fn a_hidden_name_that_is_composed_may_be_given() {
        for composed in [
            "f'.{name}rc'",
            "'.' + name",
            "'.github/%s' % name",
            "'x/.{}'.format(name)",
            "f'{root}/.config/{name}'",
        ] {
            let text = format!("import load\nload.load({composed})\n");
            check(&[("a.py", text.as_str()), OPENS], &[Reach::Package]);
        }
    }

    #[test]
    fn a_composed_name_alone_reaches_nothing() {
        check(&[("a.py", "print('.' + name)\n")], &[]);
        check(&[("a.js", "f(`.${name}`, '.' + name)")], &[]);
    }

    #[test]
    fn a_listing_gives_hidden_names_too() {
        check(
            &[("a.py", "def f(d):\n    return os.listdir(d)\n")],
            &[Reach::Package],
        );
    }

    #[test]
    fn scripts_are_read_alike() {
        let opens = ("load.js", "module.exports = p => fs.readFileSync(p)");
        check(&[opens], &[Reach::Visible]);
        let composes = ("a.js", "require('./load')(`${root}/.config/${name}`)");
        check(&[composes, opens], &[Reach::Package]);
    }
}
