//! Symbolic links, put in place: what a path through a link leads to.
//!
//! Whoever opens `l.txt` or `ld/y.txt` reads another path of the repository. So the
//! tree gets an entry for every name that a link makes, with the content that lies
//! behind it, and remembers the path of that content: a job that reads the name needs
//! both. A link that leaves the repository, leads through too many others or makes too
//! many names is *closed*: what lies behind it is not known, and its reader may read
//! anything.
//!
//! Links of the pipelines and of the configuration stay as they are, because the forge
//! and this program read those from git and not from a checkout.

use std::collections::VecDeque;

use super::{Entry, FileId, Mode, Tree};
use crate::engine::ids::ObjectId;
use crate::engine::policy;

/// How many links one path may lead through; the limit of Linux.
const HOPS: usize = 40;
/// How many steps one path may take through links.
const STEPS: usize = 4_096;
/// How many links to directories may stand in each other.
const NESTED: usize = 6;
/// How many names all links of a tree may make.
const NAMES: usize = 100_000;

/// The links of a tree whose names were put in place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Links {
    /// Names that links make, each with the path of its content; sorted.
    made: Vec<(FileId, FileId)>,
    /// The paths of content that has other names; sorted, without repeats.
    behind: Vec<FileId>,
    /// Links to directories with what they lead to, sorted.
    dirs: Vec<(Box<str>, Box<str>)>,
    /// Links behind which anything may lie, sorted.
    closed: Vec<FileId>,
}

impl Tree {
    /// The entries that are links and whose text decides what other paths lead to.
    pub fn followed(&self) -> impl Iterator<Item = &Entry> {
        let entries = self.iter().map(|(_, entry)| entry);
        entries.filter(|entry| entry.mode == Mode::Symlink && !is_read_from_git(&entry.path))
    }

    /// The tree with the names that its links make. `text` gives what a link says; one
    /// that was not read is closed.
    #[must_use]
    pub fn following<'t>(self, text: impl Fn(ObjectId) -> Option<&'t str>) -> Self {
        if self.followed().next().is_none() {
            return self;
        }
        let mut placing = Placing {
            tree: &self,
            text: &text,
            entries: Vec::with_capacity(self.len()),
            made: Vec::new(),
            dirs: Vec::new(),
            closed: Vec::new(),
        };
        for (_, entry) in self.iter() {
            placing.entry(entry, entry.path.clone(), &mut Vec::new());
        }
        let Placing {
            entries,
            made,
            mut dirs,
            closed,
            ..
        } = placing;
        let mut tree = Self::new(entries);
        dirs.sort();
        let find = |path: &str| tree.find(path);
        let mut made: Vec<(FileId, FileId)> = made
            .iter()
            .filter_map(|(name, path)| Some((find(name)?, find(path)?)))
            .collect();
        made.sort_unstable();
        let mut behind: Vec<FileId> = made.iter().map(|(_, file)| *file).collect();
        behind.sort_unstable();
        behind.dedup();
        let mut closed: Vec<FileId> = closed.iter().filter_map(|path| find(path)).collect();
        closed.sort_unstable();
        tree.links = Links {
            made,
            behind,
            dirs,
            closed,
        };
        tree
    }

    /// The names that links make, each with the path of its content.
    pub fn linked(&self) -> &[(FileId, FileId)] {
        &self.links.made
    }

    /// The links behind which anything may lie.
    pub fn closed_links(&self) -> &[FileId] {
        &self.links.closed
    }

    /// The path of the content of a name that a link makes.
    pub fn behind(&self, file: FileId) -> Option<FileId> {
        let made = &self.links.made;
        let at = made.binary_search_by_key(&file, |(name, _)| *name).ok()?;
        made.get(at).map(|(_, content)| *content)
    }

    /// Whether a path has other names, made by links.
    pub fn has_other_names(&self, path: &str) -> bool {
        let file = self.find(path);
        file.is_some_and(|file| self.links.behind.binary_search(&file).is_ok())
    }

    /// The directory that a path through links to directories leads to; `None` when it
    /// leads through none.
    pub fn real_dir(&self, path: &str) -> Option<String> {
        let mut dirs = self.links.dirs.iter().rev();
        let (link, dir) = dirs.find(|(link, _)| is_at_or_below(path, link))?;
        let rest = path.get(link.len()..).unwrap_or_default();
        let joined = format!("{dir}{rest}");
        Some(joined.trim_start_matches('/').to_owned())
    }

    /// Whether a path leads through a link behind which anything may lie.
    pub fn is_closed(&self, path: &str) -> bool {
        let mut closed = self.links.closed.iter();
        closed.any(|link| is_at_or_below(path, self.path(*link)))
    }
}

/// Whether a path is the directory or lies below it.
fn is_at_or_below(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_read_from_git(path: &str) -> bool {
    path == policy::FILE
        || path == ".github"
        || path == ".github/workflows"
        || path.starts_with(".github/workflows/")
}

/// What a path leads to.
enum End {
    File(FileId),
    Dir(String),
    /// Nothing is there.
    Nothing,
    /// It leaves the repository, or goes round.
    Closed,
}

struct Placing<'a, F> {
    tree: &'a Tree,
    text: &'a F,
    entries: Vec<Entry>,
    made: Vec<(Box<str>, Box<str>)>,
    dirs: Vec<(Box<str>, Box<str>)>,
    closed: Vec<Box<str>>,
}

impl<'t, F: Fn(ObjectId) -> Option<&'t str>> Placing<'_, F> {
    /// Puts an entry under a name. `open` are the directories whose names are being made.
    fn entry(&mut self, entry: &Entry, name: Box<str>, open: &mut Vec<String>) {
        if entry.mode != Mode::Symlink || is_read_from_git(&entry.path) {
            return self.put(entry, name, &entry.path);
        }
        match self.end(&entry.path) {
            End::Nothing => self.put(entry, name, &entry.path),
            End::File(file) => {
                let content = self.tree.entry(file);
                self.put(content, name, &content.path);
            }
            End::Dir(dir) if !open.contains(&dir) && open.len() < NESTED => {
                self.dirs.push((name.clone(), dir.as_str().into()));
                let skip = if dir.is_empty() { 0 } else { dir.len() + 1 };
                open.push(dir.clone());
                for (_, inner) in self.tree.under(&dir) {
                    if self.made.len() >= NAMES {
                        self.close(entry, name);
                        break;
                    }
                    let rest = inner.path.get(skip..).unwrap_or_default();
                    self.entry(inner, format!("{name}/{rest}").into(), open);
                }
                open.pop();
            }
            End::Dir(_) | End::Closed => self.close(entry, name),
        }
    }

    fn put(&mut self, entry: &Entry, name: Box<str>, content: &str) {
        if *name != *content {
            self.made.push((name.clone(), content.into()));
        }
        self.entries.push(Entry {
            path: name,
            ..entry.clone()
        });
    }

    fn close(&mut self, entry: &Entry, name: Box<str>) {
        self.closed.push(name.clone());
        self.put(entry, name, &entry.path);
    }

    /// What a path leads to, as the kernel resolves it.
    fn end(&self, path: &str) -> End {
        let mut rest: VecDeque<&str> = path.split('/').collect();
        let mut real = String::new();
        let mut hops = 0;
        for _ in 0..STEPS {
            let Some(part) = rest.pop_front() else {
                return self.found(real);
            };
            match part {
                "" | "." => continue,
                ".." if real.is_empty() => return End::Closed,
                ".." => {
                    real.truncate(real.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let above = real.len();
            if !real.is_empty() {
                real.push('/');
            }
            real.push_str(part);
            let entry = self.tree.find(&real).map(|file| self.tree.entry(file));
            let Some(link) = entry.filter(|entry| entry.mode == Mode::Symlink) else {
                continue;
            };
            hops += 1;
            let text = (self.text)(link.blob).filter(|text| !text.starts_with('/'));
            let Some(text) = text.filter(|_| hops <= HOPS) else {
                return End::Closed;
            };
            real.truncate(above);
            for part in text.trim_end_matches('\n').rsplit('/') {
                rest.push_front(part);
            }
        }
        End::Closed
    }

    fn found(&self, path: String) -> End {
        match self.tree.find(&path) {
            Some(file) => End::File(file),
            None if path.is_empty() || self.tree.has_dir(&path) => End::Dir(path),
            None => End::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that links make, as `name=content`, then closed links as `name!`.
    /// A file is written as its path, a link as `path>text`.
    fn check(files: &[&str], expected: &str) {
        let tree = tree(files);
        let made = tree.linked().iter().map(|(name, content)| {
            let (name, content) = (*name, *content);
            assert!(
                tree.closed_links().contains(&name)
                    || tree.entry(name).blob == tree.entry(content).blob
            );
            format!("{}={}", tree.path(name), tree.path(content))
        });
        let closed = tree.closed_links().iter();
        let closed = closed.map(|file| format!("{}!", tree.path(*file)));
        let found: Vec<String> = made.chain(closed).collect();
        assert_eq!(found.join(" "), expected, "{files:?}");
    }

    fn tree(files: &[&str]) -> Tree {
        let blob =
            |index: usize| ObjectId::from_bytes(&[u8::try_from(index).unwrap(); 20]).unwrap();
        let entry = |(index, file): (usize, &&str)| Entry {
            path: file.split('>').next().unwrap().into(),
            mode: if file.contains('>') {
                Mode::Symlink
            } else {
                Mode::File
            },
            blob: blob(index),
        };
        let tree = Tree::new(files.iter().enumerate().map(entry).collect());
        tree.following(|id| {
            let index = (0..files.len()).find(|index| blob(*index) == id)?;
            files.get(index)?.split_once('>').map(|(_, text)| text)
        })
    }

    #[test]
    fn a_link_to_a_file_reads_as_the_file() {
        check(&["b.txt", "l.txt>b.txt"], "l.txt=b.txt");
        check(&["b.txt", "p/l.txt>../b.txt"], "p/l.txt=b.txt");
        check(&["b.txt", "k>l", "l>b.txt"], "k=b.txt l=b.txt");
    }

    #[test]
    fn a_link_to_a_directory_makes_a_name_for_all_below() {
        check(
            &["ld>real", "real/s/y", "real/x"],
            "ld/s/y=real/s/y ld/x=real/x",
        );
        check(
            &["a/k>../b", "b/f>../c.txt", "b/l>../d", "c.txt", "d/x"],
            "a/k/f=c.txt a/k/l/x=d/x b/f=c.txt b/l/x=d/x",
        );
        assert_eq!(
            tree(&["ld>a/real", "a/real/x"]).real_dir("ld/s").as_deref(),
            Some("a/real/s")
        );
        assert_eq!(tree(&["ld>a/real", "a/real/x"]).real_dir("ldx"), None);
    }

    #[test]
    fn dots_behind_a_link_go_up_from_where_it_leads() {
        check(
            &["a/b/x", "l>a/b", "m>l/../y", "a/y", "y"],
            "l/x=a/b/x m=a/y",
        );
    }

    #[test]
    fn a_link_that_leaves_the_repository_is_closed() {
        check(&["a", "l>/etc/passwd"], "l!");
        check(&["a", "p/l>../../a"], "p/l!");
        let tree = tree(&["a", "l>/etc"]);
        assert!(tree.is_closed("l") && tree.is_closed("l/x") && !tree.is_closed("lx"));
    }

    #[test]
    fn a_link_to_nothing_stays_what_it_is() {
        check(&["a", "l>gone"], "");
    }

    #[test]
    fn links_that_go_round_are_closed() {
        check(&["l>m", "m>l"], "l! m!");
        check(&["a/x", "a/self>."], "a/self/x=a/x a/self/self!");
    }

    #[test]
    fn many_nested_links_end() {
        let mut files = vec!["d0/x".to_owned()];
        for level in 1..20 {
            for name in ["a", "b", "c"] {
                files.push(format!("d{level}/{name}>../d{}", level - 1));
            }
        }
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let tree = tree(&files);
        assert!(tree.len() < 2 * NAMES && !tree.closed_links().is_empty());
    }

    #[test]
    fn what_the_forge_reads_from_git_is_not_followed() {
        check(
            &[
                "a.yml",
                ".github/workflows/x.yml>../../a.yml",
                ".trimtab.yml>a.yml",
            ],
            "",
        );
    }
}
