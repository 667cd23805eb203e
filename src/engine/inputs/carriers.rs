//! Programs that run another one over something: `env`, `xargs`, `find -exec`.

use super::environment::is_assignment;
use super::programs::list;
use super::walk::{Invocation, Walk};
use crate::engine::shell::{Feed, Word};

impl Walk<'_> {
    /// Programs that run another one over something.
    pub(super) fn carrier(&mut self, call: &Invocation, name: &str) {
        let texts = call.texts();
        match name {
            "env" => {
                let flags = ["-i", "-0", "-v"];
                let skip = texts.iter().skip(1);
                let own = skip
                    .take_while(|text| is_assignment(text) || flags.contains(text))
                    .count();
                self.assigned_among(call, call.words.get(1..=own).unwrap_or_default());
                if texts.get(own + 1).is_some_and(|text| text.starts_with('-')) {
                    return self.unknown_use(call);
                }
                self.program(&call.without(own + 1));
            }
            "find" => self.find(call, &texts),
            "coverage" if texts.get(1) == Some(&"run") => self.coverage_run(call),
            "coverage" => self.listed(call, name),
            _ => self.over_names(call, name),
        }
    }

    /// `coverage run FILE` and `coverage run -m MODULE`.
    fn coverage_run(&mut self, call: &Invocation) {
        let values = list(
            "--rcfile --source --source-pkgs --omit --include --concurrency --context --data-file \
            --debug",
        );
        let mut at = 2;
        while let Some(word) = call.words.get(at).filter(|word| word.text.starts_with('-')) {
            let (flag, value) = word.flag();
            let next = call.words.get(at + 1);
            match (flag, value.as_ref().or(next)) {
                ("-m", _) => break,
                ("--source" | "--source-pkgs", Some(sources)) => {
                    for source in sources.text.split(',') {
                        self.coverage_source(call, source);
                    }
                }
                ("--rcfile", Some(file)) => self.read_path(call, file),
                _ => {}
            }
            at += if value.is_none() && values.contains(&flag) {
                2
            } else {
                1
            };
        }
        let mut inner = call.without(at - 1);
        if let Some(first) = inner.words.first_mut() {
            *first = Word::literal("python");
        }
        self.python(&inner);
    }

    /// `xargs PROGRAM` and `parallel PROGRAM`: it gets operands that nobody knows.
    fn over_names(&mut self, call: &Invocation, name: &str) {
        let flags = call.words.iter().skip(1);
        let flags: Vec<&Word> = flags
            .take_while(|word| word.text.starts_with('-'))
            .collect();
        let mut inner = call.without(flags.len() + 1);
        if inner.words.is_empty() {
            // It only writes what it gets.
            return;
        }
        let mut places = flags.iter().filter_map(|word| placeholder(&word.text));
        let place = places.next_back().or((name == "parallel").then_some("{"));
        if let Some(place) = place {
            hide(&mut inner, place);
        }
        if let Some(Feed::Names(names)) = call.feed.clone() {
            // Every one of them, with what it needs, whatever the program is.
            for name in &names {
                self.run_path(call, name);
            }
            inner.words.extend(names);
            return self.program(&inner);
        }
        // A name stands wherever its mark does, also among other words.
        if let Some(place) = place {
            let marked = inner.words.iter_mut();
            marked
                .filter(|word| word.text.contains(place))
                .for_each(|word| word.unknown = true);
        }
        inner.words.push(Word {
            text: "…".into(),
            unknown: true,
            glob: false,
        });
        self.program(&inner);
    }

    pub(super) fn find(&mut self, call: &Invocation, texts: &[&str]) {
        let follows = |text: &str| matches!(text, "-L" | "-H" | "-P") || text.starts_with("-O");
        let own = texts
            .iter()
            .skip(1)
            .take_while(|text| follows(text))
            .count();
        let roots = texts
            .iter()
            .skip(1 + own)
            .take_while(|text| !text.starts_with(['-', '(', '!']))
            .count();
        let words = call.words.iter().skip(1 + own).take(roots).cloned();
        let mut words: Vec<Word> = words.collect();
        if words.is_empty() {
            words.push(Word::literal("."));
        }
        if self.prints_names(call) {
            return;
        }
        for word in &words {
            self.read_path(call, word);
        }
        for (at, text) in texts.iter().enumerate() {
            if matches!(*text, "-exec" | "-execdir" | "-ok" | "-okdir") {
                let mut inner = call.without(at + 1);
                let end = inner
                    .words
                    .iter()
                    .position(|word| matches!(&*word.text, ";" | "+"));
                inner.words.truncate(end.unwrap_or(inner.words.len()));
                hide(&mut inner, "{}");
                for root in &words {
                    let mut one = inner.clone();
                    for word in one.words.iter_mut().filter(|word| &*word.text == "{}") {
                        *word = root.clone();
                    }
                    self.program(&one);
                }
            }
        }
    }

    /// `[ -f FILE ]`: only what an operator on files asks about is read; texts and
    /// numbers that are compared are not.
    pub(super) fn condition(&mut self, call: &Invocation) {
        let on_files = list("-a -b -c -d -e -f -g -h -k -L -N -O -p -r -s -S -u -w -x -G");
        let between = ["-nt", "-ot", "-ef"];
        for (at, word) in call.words.iter().enumerate().skip(1) {
            let text = word.text.as_ref();
            let next = call.words.get(at + 1);
            if between.contains(&text) {
                let both = call.words.get(at - 1).into_iter().chain(next);
                both.for_each(|word| self.read_path(call, word));
            } else if on_files.contains(&text)
                && let Some(path) =
                    next.filter(|next| !["-a", "-o", "]", "]]"].contains(&next.text.as_ref()))
            {
                self.read_path(call, path);
            }
        }
    }
}

/// What stands for a name in the command of `xargs`, by one of its flags.
/// <https://www.gnu.org/software/findutils/manual/html_node/find_html/xargs-options.html>
fn placeholder(flag: &str) -> Option<&str> {
    let named = ["--replace=", "-I", "-i", "-J"];
    let name = named.iter().find_map(|start| flag.strip_prefix(start));
    let is_usual = matches!(flag, "--replace" | "-i" | "-I");
    name.filter(|name| !name.is_empty())
        .or(is_usual.then_some("{}"))
}

/// Makes words unknown in which names are put into a longer path: `mirror/{}`.
fn hide(call: &mut Invocation, place: &str) {
    let ends = |c: char| c.is_whitespace() || "'\";".contains(c);
    let is_path = |token: &str| token.contains(place) && token != place && token != "{}";
    for word in &mut call.words {
        word.unknown |= word.text.split(ends).any(is_path);
    }
}
