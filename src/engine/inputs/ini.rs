//! Settings by section, whether they stood in an INI file or in a table of TOML.
//!
//! [`ini`] reads the text; this is the shape in which both forms of tox's
//! configuration are walked. Nothing is substituted here.

use crate::engine::ini;

/// A key, its value with one line for each line of the file, and the line of the key.
pub(super) type Setting = (String, String, u32);

/// Sections by name, in order, each with its settings.
pub(super) type Sections = Vec<(String, Vec<Setting>)>;

/// The sections in order, each with its settings.
pub(super) fn sections(text: &str) -> Sections {
    let setting = |it: &ini::Setting<'_>| {
        let lines = std::iter::once(it.first).chain(it.rest.iter().copied());
        let value = lines.collect::<Vec<_>>().join("\n");
        (it.key.to_owned(), value, it.line)
    };
    let section = |it: ini::Section<'_>| {
        let settings = it.settings.iter().map(setting).collect();
        (it.name.to_owned(), settings)
    };
    ini::sections(text).into_iter().map(section).collect()
}

#[cfg(test)]
mod tests {
    use super::sections;

    #[test]
    fn a_value_goes_on_over_indented_lines() {
        let text =
            "# c\n[testenv]\ncommands =\n  a {x}\n  # no\n  b\n\n[testenv:lint]\nskip = true\n";
        let read = sections(text);
        assert_eq!(read[0].0, "testenv");
        assert_eq!(read[0].1, [("commands".into(), "\na {x}\nb".into(), 3)]);
        assert_eq!(read[1].1, [("skip".into(), "true".into(), 9)]);
    }
}
