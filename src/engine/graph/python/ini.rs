//! The little of `setup.cfg`, `tox.ini` and `pytest.ini` that Python's tools share.
//!
//! Sections of `key = value`, where indented lines go on with the value above.
//! What is none of that is passed over; nothing is interpolated.

/// One section: its name and its keys with their values, a line each.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Section<'a> {
    pub(super) name: &'a str,
    entries: Vec<(&'a str, Vec<&'a str>)>,
}

impl<'a> Section<'a> {
    /// The lines of a key; empty when it is not set.
    pub(super) fn lines(&self, key: &str) -> &[&'a str] {
        self.entries
            .iter()
            .find(|(name, _)| *name == key)
            .map_or(&[], |(_, lines)| lines)
    }

    /// The words of a key over all its lines, at spaces and commas.
    pub(super) fn words(&self, key: &str) -> Vec<String> {
        self.lines(key)
            .iter()
            .flat_map(|line| line.split([' ', ',', '\t']))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Every line of every key.
    pub(super) fn all_lines(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.entries
            .iter()
            .flat_map(|(key, lines)| lines.iter().map(move |line| (*key, *line)))
    }
}

/// The sections of a text, in order.
pub(super) fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = content
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            && !line.starts_with([' ', '\t'])
        {
            sections.push(Section {
                name: name.trim(),
                entries: Vec::new(),
            });
            continue;
        }
        let Some(section) = sections.last_mut() else {
            continue;
        };
        if line.starts_with([' ', '\t']) {
            if let Some((_, lines)) = section.entries.last_mut() {
                lines.push(content);
            }
        } else if let Some((key, value)) = content.split_once(['=', ':']) {
            let value = value.trim();
            let lines = if value.is_empty() {
                Vec::new()
            } else {
                vec![value]
            };
            section.entries.push((key.trim(), lines));
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_on_over_indented_lines() {
        let text =
            "[pytest]\n# no\naddopts = -q\n    -p plug\ntestpaths =\n  tests\n  more\n[x]\na: b\n";
        let sections = sections(text);
        let [pytest, other] = sections.as_slice() else {
            panic!("{sections:?}")
        };
        assert_eq!(pytest.words("addopts"), ["-q", "-p", "plug"]);
        assert_eq!(pytest.lines("testpaths"), ["tests", "more"]);
        assert_eq!((other.name, other.lines("a")), ("x", &["b"][..]));
        assert!(pytest.lines("absent").is_empty());
    }
}
