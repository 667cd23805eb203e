//! What Python's manifests say of modules: source roots, entry points, test settings.
//!
//! One reading serves the graph and test discovery. A manifest that does not parse
//! says nothing, except that its directory is a root.

use toml::{Table, Value};

use crate::engine::ini;
use crate::engine::tree::{FileId, Snapshot, base_name, dir_of, join};

/// The files that are read, in the order in which pytest prefers them
/// (<https://docs.pytest.org/en/stable/reference/customize.html>).
const NAMES: &[&str] = &[
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
    "setup.py",
];

/// One manifest or tool configuration.
#[derive(Debug)]
pub(super) struct Manifest<'a> {
    pub(super) file: FileId,
    pub(super) dir: &'a str,
    /// Whether it makes its directory a package: `tox.ini` and `pytest.ini` do not.
    pub(super) is_package: bool,
    /// Its place in the order in which pytest looks for its settings in one directory.
    pub(super) rank: usize,
    /// Directories from which modules are imported, from the repository's root.
    pub(super) roots: Vec<String>,
    /// Modules that others load through this file: plugins, settings.
    pub(super) modules: Vec<String>,
    /// Programs that it installs, with their modules.
    pub(super) programs: Vec<(String, String)>,
    /// What it says to pytest, if it does.
    pub(super) pytest: Option<Settings>,
}

/// Settings of pytest that decide what it collects.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) python_files: Vec<String>,
    pub(super) testpaths: Vec<String>,
    pub(super) norecursedirs: Vec<String>,
    pythonpath: Vec<String>,
    addopts: Vec<String>,
    django: Option<String>,
}

/// Every manifest of a tree, in order.
pub(super) fn read(snapshot: &Snapshot) -> Vec<Manifest<'_>> {
    snapshot
        .tree
        .iter()
        .filter_map(|(file, entry)| {
            let name = base_name(&entry.path);
            let rank = NAMES.iter().position(|known| *known == name)?;
            let is_package = matches!(name, "pyproject.toml" | "setup.cfg" | "setup.py");
            let mut manifest = Manifest {
                file,
                dir: dir_of(&entry.path),
                is_package,
                rank,
                roots: Vec::new(),
                modules: Vec::new(),
                programs: Vec::new(),
                pytest: None,
            };
            if let Some(text) = snapshot.text_of(entry.blob) {
                manifest.fill(name, text);
            }
            Some(manifest)
        })
        .collect()
}

impl Manifest<'_> {
    fn fill(&mut self, name: &str, text: &str) {
        if name.ends_with(".toml") {
            if let Ok(table) = text.parse::<Table>() {
                self.toml(name, &table);
            }
        } else if !name.ends_with(".py") {
            self.ini(name, text);
        }
        let Some(settings) = &self.pytest else { return };
        let paths = settings.pythonpath.iter();
        self.roots
            .extend(paths.filter_map(|path| join(self.dir, path)));
        self.modules.extend(settings.django.clone());
        let options = settings.addopts.iter();
        for (option, plugin) in options.clone().zip(options.skip(1)) {
            if option == "-p" {
                self.modules.push(plugin.clone());
            }
        }
    }

    fn toml(&mut self, name: &str, table: &Table) {
        if name.ends_with("pytest.toml") {
            self.pytest = Some(table.get("pytest").map(settings_of).unwrap_or_default());
            return;
        }
        let tool = |path: &str| at(table, &format!("tool.{path}"));
        self.pytest = tool("pytest.ini_options")
            .or_else(|| tool("pytest"))
            .map(settings_of);
        self.roots_of(&tool);
        for group in tables(at(table, "project.entry-points"))
            .chain(tables(tool("poetry.plugins")))
            .chain(tables(tool("flit.entrypoints")))
        {
            self.modules.extend(
                group
                    .1
                    .as_table()
                    .into_iter()
                    .flatten()
                    .filter_map(target_of)
                    .map(|(_, module)| module),
            );
        }
        for scripts in [
            at(table, "project.scripts"),
            at(table, "project.gui-scripts"),
            tool("poetry.scripts"),
        ] {
            self.programs.extend(tables(scripts).filter_map(target_of));
        }
    }

    fn roots_of<'t>(&mut self, tool: &impl Fn(&str) -> Option<&'t Value>) {
        let mut roots: Vec<String> = Vec::new();
        for path in [
            "setuptools.packages.find.where",
            "pyright.extraPaths",
            "mypy.mypy_path",
            "ty.environment.extra-paths",
        ] {
            roots.extend(strings(tool(path)));
        }
        roots
            .extend(tables(tool("setuptools.package-dir")).flat_map(|(_, dir)| strings(Some(dir))));
        for package in tool("poetry.packages")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            roots.extend(strings(package.get("from")));
        }
        for package in strings(tool("hatch.build.targets.wheel.packages")) {
            roots.push(dir_of(package.trim_end_matches('/')).to_owned());
        }
        roots.extend(strings(tool("hatch.build.targets.wheel.sources")));
        let dir = self.dir;
        self.roots
            .extend(roots.iter().filter_map(|root| join(dir, root)));
    }

    fn ini(&mut self, name: &str, text: &str) {
        for section in ini::sections(text) {
            let is_pytest = match name {
                "setup.cfg" => section.name == "tool:pytest",
                _ => section.name == "pytest",
            };
            if is_pytest {
                self.pytest = Some(Settings {
                    python_files: section.words("python_files"),
                    testpaths: section.words("testpaths"),
                    norecursedirs: section.words("norecursedirs"),
                    pythonpath: section.words("pythonpath"),
                    addopts: section.words("addopts"),
                    django: section.words("DJANGO_SETTINGS_MODULE").pop(),
                });
            }
            match section.name {
                "options.entry_points" => {
                    for (group, line) in section.all_lines() {
                        let Some((program, module)) = entry_of(line) else {
                            continue;
                        };
                        if group.ends_with("_scripts") {
                            self.programs.push((program, module));
                        } else {
                            self.modules.push(module);
                        }
                    }
                }
                "options.packages.find" => self.add_roots(&section.words("where")),
                "options" => {
                    let dirs = section.lines("package_dir");
                    let dirs = dirs
                        .iter()
                        .filter_map(|line| line.split_once('='))
                        .map(|(_, dir)| dir.trim().to_owned());
                    self.add_roots(&dirs.collect::<Vec<_>>());
                }
                _ => {}
            }
        }
        if name.ends_with("pytest.ini") && self.pytest.is_none() {
            self.pytest = Some(Settings::default());
        }
    }

    fn add_roots(&mut self, roots: &[String]) {
        let dir = self.dir;
        self.roots
            .extend(roots.iter().filter_map(|root| join(dir, root)));
    }
}

fn settings_of(value: &Value) -> Settings {
    let words = |key: &str| -> Vec<String> {
        strings(value.get(key))
            .iter()
            .flat_map(|text| text.split_whitespace().map(str::to_owned))
            .collect()
    };
    Settings {
        python_files: words("python_files"),
        testpaths: words("testpaths"),
        norecursedirs: words("norecursedirs"),
        pythonpath: words("pythonpath"),
        addopts: words("addopts"),
        django: words("DJANGO_SETTINGS_MODULE").pop(),
    }
}

fn at<'t>(table: &'t Table, path: &str) -> Option<&'t Value> {
    let mut parts = path.split('.');
    let first = table.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

fn tables(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_table).into_iter().flatten()
}

/// A string, or the strings of an array.
fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

fn target_of((name, value): (&String, &Value)) -> Option<(String, String)> {
    let target = value
        .as_str()
        .or_else(|| value.get("reference")?.as_str())?;
    Some((name.clone(), module_of(target)))
}

/// `name = module:attribute [extra]`.
fn entry_of(line: &str) -> Option<(String, String)> {
    let (name, target) = line.split_once('=')?;
    Some((name.trim().to_owned(), module_of(target)))
}

fn module_of(target: &str) -> String {
    let target = target.trim();
    let module = target.split([':', '[', ' ']).next();
    module.unwrap_or(target).to_owned()
}
