//! INI files as Python's tools read them: `setup.cfg`, `tox.ini`, `pytest.ini`.
//!
//! Sections of `key = value`, where indented lines go on with the value above; a
//! comment is a line of its own. What is none of that is passed over, and nothing is
//! interpolated.

/// One section: its name and its settings, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Section<'a> {
    pub(super) name: &'a str,
    pub(super) settings: Vec<Setting<'a>>,
}

/// A key with its value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Setting<'a> {
    pub(super) key: &'a str,
    /// What stands beside the key; may be empty.
    pub(super) first: &'a str,
    /// The indented lines below it.
    pub(super) rest: Vec<&'a str>,
    /// The line of the key, from 1.
    pub(super) line: u32,
}

impl<'a> Setting<'a> {
    /// The lines of the value that hold something.
    pub(super) fn lines(&self) -> impl Iterator<Item = &'a str> {
        let first = Some(self.first).filter(|first| !first.is_empty());
        first.into_iter().chain(self.rest.iter().copied())
    }
}

impl<'a> Section<'a> {
    /// The lines of a key; none when it is not set.
    pub(super) fn lines(&self, key: &str) -> Vec<&'a str> {
        let found = self.settings.iter().find(|setting| setting.key == key);
        found.map_or_else(Vec::new, |setting| setting.lines().collect())
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
        let settings = self.settings.iter();
        settings.flat_map(|setting| setting.lines().map(|line| (setting.key, line)))
    }
}

/// The sections of a text, in order.
pub(super) fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
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
                settings: Vec::new(),
            });
            continue;
        }
        let Some(section) = sections.last_mut() else {
            continue;
        };
        if line.starts_with([' ', '\t'])
            && let Some(setting) = section.settings.last_mut()
        {
            setting.rest.push(content);
        } else if let Some((key, value)) = content.split_once(['=', ':']) {
            section.settings.push(Setting {
                key: key.trim(),
                first: value.trim(),
                rest: Vec::new(),
                line: number,
            });
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
        assert_eq!((other.name, other.lines("a")), ("x", vec!["b"]));
        assert!(pytest.lines("absent").is_empty());
        let lines: Vec<u32> = pytest.settings.iter().map(|setting| setting.line).collect();
        assert_eq!(lines, [3, 5]);
    }
}
