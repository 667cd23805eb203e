//! INI files as Python's tools read them: `tox.ini`, `setup.cfg`, `pytest.ini`.
//!
//! Values may go on over indented lines; a comment is a line of its own. Nothing is
//! substituted here.

/// A key, its value with one line for each line of the file, and the line of the key.
pub(super) type Setting = (String, String, u32);

/// Sections by name, in order, each with its settings.
pub(super) type Sections = Vec<(String, Vec<Setting>)>;

/// The sections in order, each with its settings.
pub(super) fn sections(text: &str) -> Sections {
    let mut sections: Sections = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            && !line.starts_with([' ', '\t'])
        {
            sections.push((name.trim().to_owned(), Vec::new()));
            continue;
        }
        let Some((_, settings)) = sections.last_mut() else {
            continue;
        };
        if line.starts_with([' ', '\t'])
            && let Some((_, value, _)) = settings.last_mut()
        {
            value.push('\n');
            value.push_str(trimmed);
            continue;
        }
        let Some(at) = trimmed.find(['=', ':']) else {
            continue;
        };
        let (key, value) = trimmed.split_at_checked(at).unwrap_or((trimmed, "="));
        let value = value.get(1..).unwrap_or_default().trim();
        settings.push((key.trim().to_owned(), value.to_owned(), number));
    }
    sections
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
