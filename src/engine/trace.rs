//! What a command was seen to use: files read, names looked up and not found,
//! directories listed, programs run.
//!
//! A name that was not found is as much an input as a file that was read: whoever
//! adds it changes the answer. A file that the command made itself is none. The log
//! is handed in line by line ([`Recorder::line`]), so that its length costs no
//! memory; only names below the root are kept.
//!
//! Nothing here starts a command or reads a log, and nothing decides whether a
//! trace suffices.

use std::collections::{BTreeMap, BTreeSet};

pub mod strace;

use strace::{Argument, Call, Line};

/// What was used, by paths from the root; the root itself is `""`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// Files and links whose content was read.
    pub read: BTreeSet<Box<str>>,
    /// Names that exist and were looked at, without their content.
    pub seen: BTreeSet<Box<str>>,
    /// Names that were looked up and do not exist.
    pub missing: BTreeSet<Box<str>>,
    /// Directories whose entries were listed.
    pub listed: BTreeSet<Box<str>>,
    /// Names that the command made, changed or removed.
    pub written: BTreeSet<Box<str>>,
    /// Programs that were run, by absolute path, wherever they lie.
    pub programs: BTreeSet<Box<str>>,
    /// Lines that could not be read, up to [`MAX_UNREAD`]; a trace with one is not complete.
    pub unread: Vec<Box<str>>,
}

/// How many lines that could not be read are kept.
pub const MAX_UNREAD: usize = 20;

/// Turns the lines of a log into a [`Trace`].
///
/// ```
/// let mut recorder = trimtab::engine::trace::Recorder::new("/shop", "/shop");
/// recorder.line(r#"7 openat(AT_FDCWD</shop>, "tax.py", O_RDONLY) = 3</shop/tax.py>"#);
/// recorder.line(r#"7 access("tax.pyi", F_OK) = -1 ENOENT (No such file or directory)"#);
/// let trace = recorder.finish();
/// assert!(trace.read.contains("tax.py") && trace.missing.contains("tax.pyi"));
/// ```
#[derive(Debug)]
pub struct Recorder {
    root: String,
    start: String,
    /// The working directory of each process.
    places: BTreeMap<u32, String>,
    /// The first half of a call that was interrupted, by process.
    halves: BTreeMap<u32, String>,
    /// Names that the command made and had not used before.
    made: BTreeSet<Box<str>>,
    trace: Trace,
}

impl Recorder {
    /// A recorder for names below `root`, of a command started in `start`; both absolute.
    pub fn new(root: &str, start: &str) -> Self {
        Self {
            root: normal("/", root),
            start: normal("/", start),
            places: BTreeMap::new(),
            halves: BTreeMap::new(),
            made: BTreeSet::new(),
            trace: Trace::default(),
        }
    }

    /// Takes one line of the log.
    pub fn line(&mut self, line: &str) {
        match strace::parse(line) {
            Some(Line::Call(call)) => self.call(&call),
            Some(Line::Unfinished { process, text }) => {
                self.halves.insert(process, text.to_owned());
            }
            Some(Line::Resumed { process, text }) => {
                let half = self.halves.remove(&process).unwrap_or_default();
                let whole = format!("{process} {half}{text}");
                match strace::parse(&whole) {
                    Some(Line::Call(call)) => self.call(&call),
                    _ => self.unread(&whole),
                }
            }
            Some(Line::Ended { process }) => {
                self.places.remove(&process);
                self.halves.remove(&process);
            }
            Some(Line::Other) => {}
            None => self.unread(line),
        }
    }

    /// Everything that was seen. A call that never came back is dropped: its process
    /// was killed inside it.
    pub fn finish(mut self) -> Trace {
        let trace = &mut self.trace;
        // A directory may be opened like a file before it is listed.
        trace.read.retain(|path| !trace.listed.contains(path));
        trace.seen.retain(|path| !trace.read.contains(path));
        self.trace
    }

    fn unread(&mut self, line: &str) {
        if !line.trim().is_empty() && self.trace.unread.len() < MAX_UNREAD {
            let text: String = line.chars().take(200).collect();
            self.trace.unread.push(text.into());
        }
    }

    fn call(&mut self, call: &Call) {
        let ok = call.error.is_none();
        match call.name.as_str() {
            "clone" | "clone3" | "fork" | "vfork" => self.child(call),
            "chdir" if ok => self.enter(call, 0),
            "fchdir" if ok => self.enter_handle(call),
            "open" | "openat" | "openat2" | "creat" => self.open(call),
            "getdents" | "getdents64" => {
                if let Some(Argument::Handle(Some(path))) = call.arguments.first() {
                    let path = path.clone();
                    self.note(&path, Use::Listed);
                }
            }
            "execve" | "execveat" => self.run(call),
            "readlink" | "readlinkat" => self.look(call, Use::Read),
            "mkdir" | "mkdirat" | "mknod" | "mknodat" | "unlink" | "unlinkat" | "rmdir"
            | "rename" | "renameat" | "renameat2" | "link" | "linkat" | "symlink" | "symlinkat"
            | "truncate" => self.change(call),
            _ => self.look(call, Use::Seen),
        }
    }

    fn place(&self, process: u32) -> &str {
        self.places.get(&process).unwrap_or(&self.start)
    }

    /// A child starts where its parent is.
    fn child(&mut self, call: &Call) {
        if let Some(child) = call.value {
            let place = self.place(call.process).to_owned();
            self.places.entry(child).or_insert(place);
        }
    }

    fn enter(&mut self, call: &Call, from: usize) {
        if let Some(path) = self.paths(call).get(from) {
            self.places.insert(call.process, path.clone());
            let path = path.clone();
            self.note(&path, Use::Seen);
        }
    }

    fn enter_handle(&mut self, call: &Call) {
        if let Some(Argument::Handle(Some(path))) = call.arguments.first() {
            self.places.insert(call.process, path.clone());
        }
    }

    fn open(&mut self, call: &Call) {
        let Some(path) = self.paths(call).into_iter().next() else {
            return;
        };
        let flags = call.arguments.iter().find_map(|argument| match argument {
            Argument::Other(text) if text.contains("O_") => Some(text.as_str()),
            _ => None,
        });
        let flags = flags.unwrap_or_default();
        if call.error.is_some() {
            self.fail(call, &path);
            return;
        }
        let writes = flags.contains("O_WRONLY") || flags.contains("O_RDWR");
        let makes = flags.contains("O_CREAT") || call.name == "creat";
        let fresh = flags.contains("O_EXCL") || flags.contains("O_TRUNC") || call.name == "creat";
        if makes && (fresh || self.is_missing(&path)) {
            self.note(&path, Use::Made);
            return;
        }
        if writes {
            self.note(&path, Use::Written);
        }
        let kind = if flags.contains("O_DIRECTORY") {
            Use::Listed
        } else if flags.contains("O_PATH") {
            Use::Seen
        } else {
            Use::Read
        };
        if !flags.contains("O_WRONLY") || makes {
            self.note(&path, kind);
        }
        // The link and what it leads to are both used.
        if let Some(target) = &call.path {
            self.note(&target.clone(), kind);
        }
    }

    fn run(&mut self, call: &Call) {
        let Some(path) = self.paths(call).into_iter().next() else {
            return;
        };
        if call.error.is_some() {
            self.fail(call, &path);
            return;
        }
        self.trace.programs.insert(path.as_str().into());
        self.note(&path, Use::Read);
    }

    fn look(&mut self, call: &Call, kind: Use) {
        for path in self.paths(call) {
            if call.error.is_some() {
                self.fail(call, &path);
            } else {
                self.note(&path, kind);
            }
        }
    }

    fn change(&mut self, call: &Call) {
        let makes = !matches!(
            call.name.as_str(),
            "unlink" | "unlinkat" | "rmdir" | "truncate"
        );
        // The text of a symbolic link names its target and uses nothing.
        let skip = usize::from(call.name.starts_with("symlink"));
        let paths: Vec<String> = self.paths(call).into_iter().skip(skip).collect();
        let last = paths.len().saturating_sub(1);
        for (index, path) in paths.iter().enumerate() {
            if call.error.is_some() {
                self.fail(call, path);
            } else if makes && index == last {
                self.note(path, Use::Made);
            } else {
                self.note(path, Use::Written);
                if makes {
                    self.note(path, Use::Read);
                }
            }
        }
    }

    /// A failed call is a look-up in vain only when the name was not there.
    fn fail(&mut self, call: &Call, path: &str) {
        let kind = match call.error.as_deref() {
            Some("ENOENT" | "ENOTDIR") => Use::Missing,
            _ => Use::Seen,
        };
        self.note(path, kind);
    }

    /// The absolute paths among the arguments of a call.
    fn paths(&self, call: &Call) -> Vec<String> {
        let mut base = self.place(call.process);
        let mut found = Vec::new();
        for argument in &call.arguments {
            match argument {
                Argument::Handle(Some(path)) => base = path,
                Argument::Handle(None) => base = self.place(call.process),
                // An empty path means the handle before it.
                Argument::Text(path) => found.push(normal(base, path)),
                Argument::Other(_) => {}
            }
        }
        found
    }

    fn is_missing(&self, path: &str) -> bool {
        self.inside(path)
            .is_some_and(|path| self.trace.missing.contains(path))
    }

    fn inside<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(self.root.as_str())?;
        if rest.is_empty() {
            return Some(rest);
        }
        rest.strip_prefix('/')
    }

    fn note(&mut self, path: &str, kind: Use) {
        let Some(path) = self.inside(path) else {
            return;
        };
        let path: Box<str> = path.into();
        if self.made.contains(&path) && !matches!(kind, Use::Made | Use::Written) {
            return;
        }
        match kind {
            Use::Read => drop(self.trace.read.insert(path)),
            Use::Seen => drop(self.trace.seen.insert(path)),
            Use::Missing => drop(self.trace.missing.insert(path)),
            Use::Listed => drop(self.trace.listed.insert(path)),
            Use::Written => drop(self.trace.written.insert(path)),
            Use::Made => {
                if !self.trace.read.contains(&path) {
                    self.made.insert(path.clone());
                }
                self.trace.written.insert(path);
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Use {
    Read,
    Seen,
    Missing,
    Listed,
    Written,
    Made,
}

/// Joins and resolves `.` and `..` by their letters; above `/` there is nothing.
fn normal(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let base = if path.starts_with('/') { "" } else { base };
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The trace of a log, in a checkout at `/r` and started there.
    fn trace(log: &str) -> Trace {
        let mut recorder = Recorder::new("/r", "/r");
        log.lines().for_each(|line| recorder.line(line.trim()));
        recorder.finish()
    }

    fn check(log: &str, expected: &str) {
        let trace = trace(log);
        let parts = [
            ("read", &trace.read),
            ("seen", &trace.seen),
            ("missing", &trace.missing),
            ("listed", &trace.listed),
            ("written", &trace.written),
        ];
        let text: Vec<String> = parts
            .iter()
            .filter(|(_, paths)| !paths.is_empty())
            .map(|(name, paths)| {
                let paths: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
                format!("{name}: {}", paths.join(" "))
            })
            .collect();
        assert_eq!(text.join("; "), expected, "{log}");
        assert_eq!(trace.unread, [] as [Box<str>; 0]);
    }

    #[test]
    fn a_file_read_and_a_name_not_found_are_kept() {
        check(
            r#"1 openat(AT_FDCWD</r>, "a.py", O_RDONLY) = 3</r/a.py>
               1 openat(AT_FDCWD</r>, "b.py", O_RDONLY) = -1 ENOENT (No such file or directory)
               1 stat("a.py/x", 0x1) = -1 ENOTDIR (Not a directory)
               1 openat(AT_FDCWD</r>, "/etc/passwd", O_RDONLY) = 3</etc/passwd>"#,
            "read: a.py; missing: a.py/x b.py",
        );
    }

    #[test]
    fn a_neighbour_of_the_root_with_a_longer_name_is_outside() {
        check(
            r#"1 openat(AT_FDCWD</r>, "/rr/a", O_RDONLY) = 3</rr/a>"#,
            "",
        );
    }

    #[test]
    fn a_relative_name_follows_the_directory_of_its_process_and_of_its_parent() {
        check(
            r#"1 chdir("sub") = 0
               1 clone(child_stack=NULL, flags=SIGCHLD) = 2
               1 chdir("..") = 0
               2 stat("a", {st_mode=S_IFREG|0644, ...}) = 0
               1 stat("b", {st_mode=S_IFREG|0644, ...}) = 0
               2 fchdir(4</r/other>) = 0
               2 access("c", F_OK) = 0"#,
            "seen:  b other/c sub sub/a",
        );
    }

    #[test]
    fn a_name_beside_a_handle_is_relative_to_it() {
        check(
            r#"1 openat(5</r/d>, "../x", O_RDONLY) = 6</r/x>
               1 newfstatat(6</r/x>, "", {st_mode=S_IFREG|0644, ...}, AT_EMPTY_PATH) = 0"#,
            "read: x",
        );
    }

    #[test]
    fn a_link_and_its_target_are_both_read() {
        check(
            r#"1 openat(AT_FDCWD</r>, "link", O_RDONLY) = 3</r/target>
               1 readlink("other", "x", 100) = 1"#,
            "read: link other target x",
        );
    }

    #[test]
    fn a_listing_is_no_reading() {
        check(
            r#"1 openat(AT_FDCWD</r>, "d", O_RDONLY|O_DIRECTORY) = 3</r/d>
               1 getdents64(3</r/d>, 0x1 /* 2 entries */, 32768) = 48
               1 openat(AT_FDCWD</r>, ".", O_RDONLY) = 4</r>
               1 getdents64(4</r>, 0x1 /* 2 entries */, 32768) = 48"#,
            "listed:  d",
        );
    }

    #[test]
    fn what_the_command_made_is_no_input() {
        check(
            r#"1 openat(AT_FDCWD</r>, "out", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</r/out>
               1 openat(AT_FDCWD</r>, "out", O_RDONLY) = 3</r/out>
               1 mkdir("cache", 0777) = 0
               1 openat(AT_FDCWD</r>, "cache", O_RDONLY|O_DIRECTORY) = 3</r/cache>
               1 stat("out", {st_mode=S_IFREG|0644, ...}) = 0"#,
            "written: cache out",
        );
    }

    #[test]
    fn a_file_that_was_read_before_it_was_written_is_an_input() {
        check(
            r#"1 openat(AT_FDCWD</r>, "a", O_RDONLY) = 3</r/a>
               1 openat(AT_FDCWD</r>, "a", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</r/a>
               1 openat(AT_FDCWD</r>, "log", O_WRONLY|O_CREAT|O_APPEND, 0666) = 3</r/log>
               1 rename("b.tmp", "b") = 0
               1 openat(AT_FDCWD</r>, "b", O_RDONLY) = 3</r/b>"#,
            "read: a b.tmp log; written: a b b.tmp log",
        );
    }

    #[test]
    fn halves_of_two_processes_find_each_other() {
        check(
            r#"1 openat(AT_FDCWD</r>, "a", O_RDONLY <unfinished ...>
               2 openat(AT_FDCWD</r>, "b", O_RDONLY <unfinished ...>
               1 <... openat resumed>) = 3</r/a>
               2 <... openat resumed>) = -1 ENOENT (No such file or directory)"#,
            "read: a; missing: b",
        );
    }

    #[test]
    fn programs_are_kept_wherever_they_lie() {
        let trace = trace(
            r#"1 execve("/usr/bin/make", ["make"], 0x1 /* 3 vars */) = 0
               1 execve("./tool", ["./tool"], 0x1 /* 3 vars */) = 0"#,
        );
        let programs: Vec<&str> = trace.programs.iter().map(AsRef::as_ref).collect();
        assert_eq!(programs, ["/r/tool", "/usr/bin/make"]);
        assert!(trace.read.contains("tool"));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_told() {
        let trace = trace("1 openat(AT_FDCWD</r>, \"a");
        assert_eq!(trace.unread.len(), 1);
    }
}
