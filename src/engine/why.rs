//! Why a file is an input of a job: the way from it to the line that reads it.
//!
//! A job enters the graph at the files that its lines name, and a tool that reads
//! sources without running them follows fewer edges. A file is reached by one of
//! these, or named outright, or it lies where a construct that cannot be resolved
//! may load anything. The first that holds is told.
//!
//! Nothing here decides: [`resolve`](super::inputs::resolve) says which files are
//! inputs, and this only says why.

use std::cell::OnceCell;

use super::facts::Reach;
use super::graph::{Closure, NodeId, Widening, is_hidden};
use super::inputs::{Input, JobInputs, Origin};
use super::side::Side;
use super::tree::FileId;

/// Why a file is an input.
#[derive(Debug)]
pub struct Way<'s> {
    /// From the file to what a line names, both included.
    pub chain: Vec<NodeId>,
    /// The construct that may load the file, where no edge leads to it.
    pub widening: Option<&'s Widening>,
    /// The parts of the inputs that name the end of the chain, each with its line.
    pub lines: Vec<&'s (Input, Origin)>,
}

/// The ways into one job on one tree, searched for as they are asked for.
#[derive(Debug)]
pub struct Ways<'s> {
    side: &'s Side,
    inputs: &'s JobInputs,
    run: OnceCell<Closure>,
    checked: OnceCell<Closure>,
}

impl<'s> Ways<'s> {
    /// The ways into a job with these inputs.
    pub fn of(side: &'s Side, inputs: &'s JobInputs) -> Self {
        Self {
            side,
            inputs,
            run: OnceCell::new(),
            checked: OnceCell::new(),
        }
    }

    /// The shortest way from a file to what a line of the job names; `None` where no
    /// edge and no unresolved construct of its package leads there.
    pub fn chain(&self, file: FileId) -> Option<Vec<NodeId>> {
        let widened = || Some(self.behind(file, self.near(file)?));
        self.along(file).or_else(widened)
    }

    /// The way from a file to the lines that read it; `None` when those that are
    /// understood do not.
    pub fn of_file(&self, file: FileId) -> Option<Way<'s>> {
        if let Some(chain) = self.along(file) {
            return Some(self.way(chain, None));
        }
        let lines = self.lines(file.into());
        if !lines.is_empty() {
            return Some(Way {
                chain: vec![file.into()],
                widening: None,
                lines,
            });
        }
        let widening = self.near(file).or_else(|| self.far(file))?;
        Some(self.way(self.behind(file, widening), Some(widening)))
    }

    fn way(&self, chain: Vec<NodeId>, widening: Option<&'s Widening>) -> Way<'s> {
        let lines = chain.last().map_or_else(Vec::new, |end| self.lines(*end));
        Way {
            chain,
            widening,
            lines,
        }
    }

    fn run(&self) -> &Closure {
        self.run.get_or_init(|| self.side.closure(self.inputs))
    }

    /// The way over edges, of what is run before what is only read.
    fn along(&self, file: FileId) -> Option<Vec<NodeId>> {
        let nodes = |closure: &Closure| -> Vec<NodeId> {
            let path = closure.path(file.into());
            path.into_iter().map(|(node, _)| node).collect()
        };
        let run = nodes(self.run());
        if !run.is_empty() {
            return Some(run);
        }
        let checked = self.checked.get_or_init(|| self.side.checked(self.inputs));
        Some(nodes(checked)).filter(|nodes| !nodes.is_empty())
    }

    /// From a file to the construct that may load it, and on.
    fn behind(&self, file: FileId, widening: &Widening) -> Vec<NodeId> {
        let way = self.run().path(widening.file.into());
        let way = way.into_iter().map(|(node, _)| node);
        std::iter::once(file.into()).chain(way).collect()
    }

    /// The constructs that the job reaches and that no literal resolves.
    fn reached(&self) -> Vec<(&'s Widening, Reach)> {
        self.side.graph.widened(self.run())
    }

    /// The first that may load anything in the package of a file.
    fn near(&self, file: FileId) -> Option<&'s Widening> {
        let side = self.side;
        let owner = |file: FileId| {
            let path = side.snapshot.tree.path(file);
            side.survey.packages.owner_dir(path)
        };
        let is_hidden = is_hidden(side.snapshot.tree.path(file));
        let reaches = |(widening, reach): &(&Widening, Reach)| match reach {
            Reach::Repository => true,
            Reach::Package => owner(widening.file) == owner(file),
            Reach::Visible => owner(widening.file) == owner(file) && !is_hidden,
            Reach::Composed => false,
        };
        let mut reached = self.reached().into_iter();
        Some(reached.find(reaches)?.0)
    }

    /// The first that may load anything in a package which needs a file.
    fn far(&self, file: FileId) -> Option<&'s Widening> {
        let is_understood = self.inputs.opaque.is_empty();
        let is_input = is_understood
            && (self.side.files(self.inputs).files)
                .binary_search(&file)
                .is_ok();
        let first = self.reached().into_iter().next().filter(|_| is_input)?;
        Some(first.0)
    }

    /// The parts of the inputs that name a node themselves, each with its line.
    fn lines(&self, node: NodeId) -> Vec<&'s (Input, Origin)> {
        let (graph, inputs) = (&self.side.graph, self.inputs);
        let names = |input: &Input| match (input, graph.file(node), graph.unit(node)) {
            (Input::Unit(dir), _, Some(unit)) => unit.dir.as_ref() == Some(dir),
            (input, Some(file), _) => self.side.named(input).binary_search(&file).is_ok(),
            _ => false,
        };
        let parts = inputs.parts.iter();
        parts.filter(|(input, _)| names(input)).collect()
    }
}

#[cfg(test)]
mod tests;
