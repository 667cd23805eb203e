//! What Java and Kotlin open, list and walk.
//!
//! Listing gives paths that are listed again, so that whoever lists a directory counts as
//! walking it. A path to what another module builds stands for that module. Programs that
//! are started are not followed: their arguments count as any others do.

use crate::engine::facts::{Base, Facts};
use crate::engine::graph::computed::{Call, Meaning, Speech, Value, read as read_computed};
use crate::engine::graph::places::{GAP, How, Place, concat, is_root, join, literal};
use crate::engine::graph::scan::Dialect;

/// Words without which a source opens nothing by a path that it computes.
const SIGNS: &[&str] = &[
    "java.io.",
    "java.nio.file",
    "kotlin.io",
    "archunit",
    "listFiles",
    "walkTopDown",
    "walkBottomUp",
    "newDirectoryStream",
    "rootDir",
    "user.dir",
    "importPath",
];

/// Reads what a source opens. Build scripts are read elsewhere.
pub(super) fn read(path: &str, source: &str, facts: &mut Facts) {
    if path.ends_with(".gradle.kts") || !SIGNS.iter().any(|sign| source.contains(sign)) {
        return;
    }
    let is_test = path.to_ascii_lowercase().contains("test");
    match (path.ends_with(".java"), is_test) {
        (true, true) => read_computed::<Jvm<false, true>>(source, facts),
        (true, false) => read_computed::<Jvm<false, false>>(source, facts),
        (false, true) => read_computed::<Jvm<true, true>>(source, facts),
        (false, false) => read_computed::<Jvm<true, false>>(source, facts),
    }
}

/// Either language; whether the source is a test.
struct Jvm<const KOTLIN: bool, const TEST: bool>;

impl<const KOTLIN: bool, const TEST: bool> Speech for Jvm<KOTLIN, TEST> {
    const DIALECT: Dialect = if KOTLIN {
        Dialect::Kotlin
    } else {
        Dialect::Java
    };
    const ANSWERS: bool = TEST;

    fn is_keyword(word: &str) -> bool {
        let is_kotlin = matches!(word, "fun" | "when" | "in" | "is" | "as" | "val" | "object");
        let is_java = matches!(
            word,
            "switch" | "instanceof" | "throws" | "void" | "case" | "final" | "static"
        );
        KOTLIN && is_kotlin
            || !KOTLIN && is_java
            || matches!(
                word,
                "if" | "else"
                    | "for"
                    | "while"
                    | "do"
                    | "return"
                    | "try"
                    | "catch"
                    | "finally"
                    | "throw"
                    | "break"
                    | "continue"
                    | "assert"
                    | "class"
                    | "interface"
                    | "enum"
                    | "package"
                    | "import"
                    | "public"
                    | "private"
                    | "protected"
                    | "abstract"
                    | "extends"
                    | "implements"
                    | "var"
            )
    }

    fn meaning(call: &Call<'_, '_>) -> Meaning {
        walking(call)
            .or_else(|| opening(call))
            .or_else(|| path(call))
            .or_else(|| method(call))
            .or_else(|| made_or_written(call))
            .unwrap_or(Meaning::Unknown)
    }

    fn property(name: &str, owner: &str, value: &Value) -> Option<Value> {
        if value.places.is_empty() {
            return Some(Value::default());
        }
        Some(match name {
            "parent" | "parentFile" => Value::at(above(value)),
            "separator" | "separatorChar" if owner == "File" => Value::literal("/"),
            // Of a tree, of a file system, of what is made for the run.
            "root" => Value::unknown(),
            name if is_same(name) => value.clone(),
            _ => return None,
        })
    }
}

/// The places of a literal that climbs; `None` for another one.
pub(in crate::engine::graph) fn climbing(text: &str) -> Option<Vec<Place>> {
    let is_far = text.starts_with("../") && text.trim_end_matches('/') != "..";
    is_far.then(|| built(literal(text)))
}

/// Where a property of the virtual machine leads.
pub(in crate::engine::graph) fn variable(name: &str) -> Value {
    match name {
        // A dot, so that what is put behind with a slash lies below.
        "user.dir" | "basedir" => Value::at(vec![Place::new(Base::Working, ".")]),
        "java.io.tmpdir" | "user.home" | "java.home" | "HOME" | "JAVA_HOME" => Value::default(),
        "maven.multiModuleProjectDirectory" | "GITHUB_WORKSPACE" => {
            Value::at(vec![Place::anywhere()])
        }
        name if is_root(&name.replace('.', "_")) => Value::at(vec![Place::anywhere()]),
        _ => Value::unknown(),
    }
}

/// Calls that list or walk directories.
fn walking(call: &Call<'_, '_>) -> Option<Meaning> {
    let walks = |places| Some(Meaning::Reads(built(places), How::Walk));
    let given = || call.arguments.iter().flat_map(|it| it.places.clone());
    let is_known = |place: &Place| place.base != Base::Package;
    match (call.owner(), call.last()) {
        ("Files", "walk" | "list" | "find") | (_, "newDirectoryStream" | "walkFileTree") => {
            walks(call.places(0))
        }
        ("", "walk" | "find" | "list") if call.receiver.is_none() => {
            let known: Vec<Place> = call.places(0).into_iter().filter(is_known).collect();
            (!known.is_empty()).then(|| Meaning::Reads(built(known), How::Walk))
        }
        (
            _,
            "listFiles"
            | "walkTopDown"
            | "walkBottomUp"
            | "listDirectoryEntries"
            | "list"
            | "walk"
            | "forEachDirectoryEntry"
            | "useDirectoryEntries"
            | "visitFileTree"
            | "copyRecursively",
        ) => {
            let own = received(call).unwrap_or_default().into_iter();
            walks(own.chain(given().filter(is_known)).collect())
        }
        (_, "importPath" | "importPaths" | "importJar" | "importJars" | "importLocations") => {
            walks(given().collect())
        }
        _ => None,
    }
}

/// Calls that open a file, or ask whether there is one.
fn opening(call: &Call<'_, '_>) -> Option<Meaning> {
    let places = match (call.owner(), call.last()) {
        (
            "Files",
            "readString" | "readAllBytes" | "readAllLines" | "lines" | "newBufferedReader"
            | "newInputStream" | "copy" | "exists" | "isDirectory" | "isRegularFile" | "size",
        )
        | (
            "",
            "FileReader" | "FileInputStream" | "Scanner" | "RandomAccessFile" | "ZipFile"
            | "JarFile",
        ) => call.places(0),
        (
            _,
            "readText" | "readLines" | "readBytes" | "forEachLine" | "useLines" | "bufferedReader"
            | "inputStream" | "reader" | "exists" | "isFile" | "isDirectory",
        ) => received(call)?,
        _ => return None,
    };
    let is_name = |place: &Place| !place.text.split('/').all(|part| matches!(part, "." | ".."));
    let files = places.into_iter().filter(is_name).collect();
    Some(Meaning::Reads(built(files), How::File))
}

/// The places of what it is called on, which is not a class: `dir.walk` and not `Files.walk`.
fn received(call: &Call<'_, '_>) -> Option<Vec<Place>> {
    let is_static = call.owner().starts_with(|c: char| c.is_ascii_uppercase());
    let receiver = call.receiver.filter(|_| !is_static)?;
    Some(receiver.places.clone())
}

/// Calls that make a path of texts or of other paths.
fn path(call: &Call<'_, '_>) -> Option<Meaning> {
    let value = match (call.owner(), call.last()) {
        ("Paths", "get") | ("Path", "of") | ("", "File" | "Path") | (_, "getPath")
            if !call.arguments.is_empty() =>
        {
            Value::at(parts(call.places(0), call.arguments.get(1..)?))
        }
        ("System", "getProperty" | "getenv") => variable(call.arguments.first()?.text()?),
        (_, "createTempDirectory" | "createTempFile" | "createTempDir" | "newFolder")
        | ("Files", "createDirectory" | "createDirectories") => Value::default(),
        ("String", "format") => {
            formatted(&call.arguments.first()?.places, call.arguments.get(1..)?)
        }
        ("Objects", "requireNonNull") | ("URI", "create") | ("String", "valueOf") => {
            call.arguments.first().cloned()?
        }
        _ => return None,
    };
    Some(Meaning::Is(value))
}

fn method(call: &Call<'_, '_>) -> Option<Meaning> {
    let value = call.receiver?;
    let name = call.last().strip_prefix("get").unwrap_or(call.last());
    let value = match (call.last(), call.arguments.len()) {
        ("getParent" | "getParentFile", 0) => Value::at(above(value)),
        ("resolve", 1) => Value::at(parts(value.places.clone(), call.arguments)),
        ("resolveSibling", 1) => Value::at(parts(above(value), call.arguments)),
        ("formatted", _) => formatted(&value.places, call.arguments),
        // Of a tree, of a file system, of what is made for the run.
        ("getRoot" | "root", 0) if value.places.is_empty() => Value::default(),
        ("getRoot" | "root", 0) => Value::unknown(),
        (_, 0) if is_root(name) && !value.places.is_empty() => Value::at(vec![Place::anywhere()]),
        ("orElse" | "orElseGet" | "orElseThrow" | "apply" | "also" | "normalize", _) => {
            value.clone()
        }
        (last, 0) if is_same(last) => value.clone(),
        // Texts that are looked at.
        (
            "contains" | "startsWith" | "endsWith" | "equals" | "equalsIgnoreCase" | "replace"
            | "replaceAll" | "replaceFirst" | "split" | "matches" | "indexOf" | "lastIndexOf"
            | "substring",
            _,
        ) => Value::unknown(),
        ("getName" | "getFileName" | "length" | "isEmpty" | "hashCode", 0) => Value::default(),
        _ => return None,
    };
    Some(Meaning::Is(value))
}

/// Calls that write, and calls that only say or compare.
fn made_or_written(call: &Call<'_, '_>) -> Option<Meaning> {
    let is_said = match (call.owner(), call.last()) {
        (
            "Files",
            "write" | "writeString" | "delete" | "deleteIfExists" | "createFile"
            | "newBufferedWriter" | "newOutputStream" | "move",
        )
        | ("", "FileWriter" | "FileOutputStream" | "PrintWriter" | "error")
        | (
            _,
            "println" | "printf" | "info" | "debug" | "warn" | "trace" | "mkdir" | "mkdirs"
            | "writeText" | "writeBytes" | "isEqualTo" | "isNotEqualTo" | "shouldBe",
        ) => true,
        (_, name) => {
            name.starts_with("assert") || name.ends_with("Exception") || name.ends_with("Error")
        }
    };
    is_said.then_some(Meaning::Writes)
}

fn above(value: &Value) -> Vec<Place> {
    value.places.iter().map(Place::parent).collect()
}

/// A path with more parts behind it.
fn parts(first: Vec<Place>, more: &[Value]) -> Vec<Place> {
    let joined = more
        .iter()
        .fold(first, |path, part| join(&path, &part.places));
    built(joined)
}

/// What another module builds is made of what lies in that module.
fn built(mut places: Vec<Place>) -> Vec<Place> {
    for place in &mut places {
        if !place.text.starts_with("..") && place.base != Base::Anywhere {
            continue;
        }
        let parts: Vec<&str> = place.text.split('/').collect();
        let is_output = |part: &&str| matches!(*part, "target" | "build" | "out" | "bin");
        if let Some(at) = parts.iter().position(is_output) {
            place.text = parts.get(..at).unwrap_or_default().join("/");
        }
    }
    places
}

/// A text with what is filled in at its `%s`.
fn formatted(text: &[Place], given: &[Value]) -> Value {
    let [format] = text else {
        return Value::unknown();
    };
    if format.base != Base::Working {
        return Value::unknown();
    }
    let (mut all, mut is_first) = (vec![Place::new(Base::Working, "")], true);
    let mut given = given.iter();
    for (index, piece) in format.text.split('%').enumerate() {
        let mut after = piece;
        if index > 0 {
            let verb = piece.find(|c: char| c.is_ascii_alphabetic());
            after = verb.and_then(|at| piece.get(at + 1..)).unwrap_or_default();
            let filled = given.next().map(|it| it.places.clone());
            let filled = filled.unwrap_or_else(|| vec![Place::unknown()]);
            all = concat(&all, &filled, &mut is_first);
        }
        if !after.is_empty() {
            all = concat(&all, &literal(after), &mut is_first);
        }
    }
    let is_gap = |place: &Place| place.text.chars().all(|c| c == GAP);
    if !all.is_empty() && all.iter().all(is_gap) {
        return Value::unknown();
    }
    Value::at(built(all))
}

/// Methods and properties that give what they are asked of, as far as paths go.
fn is_same(name: &str) -> bool {
    matches!(
        name,
        "toPath"
            | "toFile"
            | "normalize"
            | "toAbsolutePath"
            | "toRealPath"
            | "toString"
            | "toURI"
            | "toUri"
            | "getAbsolutePath"
            | "getAbsoluteFile"
            | "getCanonicalPath"
            | "getCanonicalFile"
            | "getPath"
            | "absolutePath"
            | "absoluteFile"
            | "canonicalPath"
            | "canonicalFile"
            | "absolute"
            | "path"
            | "pathString"
            | "invariantSeparatorsPath"
            | "absolutePathString"
            | "trim"
            | "get"
            | "stream"
    )
}

#[cfg(test)]
mod tests {
    use crate::engine::graph::jvm::extract;
    use crate::engine::graph::sample;

    fn opened(path: &str, source: &str) -> String {
        sample::opened(&extract(path, source))
    }

    /// What a method of a test in Java opens, as `base pattern`, and what reaches further.
    fn java(body: &str, expected: &str) {
        let source = format!(
            "package a;\nimport java.io.*;\nimport java.nio.file.*;\n\
             class ATest {{ @Test void t() {{\n{body}\n}} }}\n"
        );
        assert_eq!(
            opened("src/test/java/a/ATest.java", &source),
            expected,
            "{body}"
        );
    }

    /// The same of a function in Kotlin.
    fn kotlin(body: &str, expected: &str) {
        let source = format!("import java.io.File\nclass ATest {{ fun t() {{\n{body}\n}} }}\n");
        assert_eq!(
            opened("src/test/kotlin/ATest.kt", &source),
            expected,
            "{body}"
        );
    }

    #[test]
    fn a_walk_over_the_directory_above_reads_it() {
        for walk in [
            "Files.walk(Paths.get(\"..\")).forEach(p -> {});",
            "Files.list(Path.of(\"..\"));",
            "Files.find(Path.of(\"x\", \"..\", \"..\"), 9, f);",
            "try (Stream<Path> all = Files.walk(Paths.get(\"..\"))) { all.count(); }",
            "for (File f : new File(\"..\").listFiles()) { f.length(); }",
            "Path up = Paths.get(\"..\"); Files.newDirectoryStream(up);",
            "File up = new File(\"..\"); up.listFiles();",
            "Files.walk(Paths.get(System.getProperty(\"user.dir\")).getParent());",
            "Files.walk(Paths.get(\"\").toAbsolutePath().getParent());",
            "new File(System.getProperty(\"user.dir\")).getParentFile().listFiles();",
            "new File(\"\").getAbsoluteFile().getParentFile().list();",
            "Files.walk(Paths.get(System.getProperty(\"user.dir\") + \"/..\"));",
            "FileUtils.listFiles(new File(\"..\"), null, true);",
        ] {
            java(walk, "Working ../**");
        }
        for walk in [
            "File(\"..\").walk().forEach { }",
            "File(\"..\").walkTopDown().filter { it.isFile }",
            "val up = File(\"..\")\nup.listFiles()!!.size",
            "val up: File = File(System.getProperty(\"user.dir\")).parentFile\nup.walk()",
            "File(\"\").absoluteFile.parentFile!!.walk()",
            "Path(\"..\").listDirectoryEntries()",
        ] {
            kotlin(walk, "Working ../**");
        }
    }

    #[test]
    fn a_literal_way_down_narrows() {
        for walk in [
            "Files.walk(Paths.get(\"..\", \"c\"));",
            "Files.walk(new File(new File(\"..\"), \"c\").toPath());",
            "Files.walk(Paths.get(\"../c\"));",
            "new ClassFileImporter().importPaths(\"../c/target/classes\");",
            "new ClassFileImporter().importPath(Paths.get(\"../c/build/classes/java/main\"));",
        ] {
            let source = walk.contains("\"../c");
            let told = "Working ../c, Working ../c/**, ";
            let is_told = source && !walk.contains("importPaths(\"") && !walk.contains("(Paths");
            java(
                walk,
                &format!("{}Working ../c/**", if is_told { told } else { "" }),
            );
        }
        kotlin("File(\"../c\").walk()", "Working ../c/**");
        kotlin("(Path(\"..\") / \"c\").walk()", "Working ../c/**");
        java(
            "load(Paths.get(\"..\").resolve(\"c\").resolve(n));",
            "Working ../c/**/*, Working ../c/**/*/**",
        );
        kotlin(
            "File(\"../c/$n.json\").readText()",
            "Working ../c/**/*.json",
        );
    }

    #[test]
    fn what_lies_above_what_nobody_knows_may_be_anything() {
        java("Files.walk(p.getParent().getParent());", "Repository!");
        kotlin("p.parentFile.parentFile.walk()", "Repository!");
        kotlin("project.rootDir.walk()", "Repository!");
        kotlin("File(\"${project.rootDir}/c\").walk()", "Anywhere **/c/**");
    }

    #[test]
    fn what_lies_in_the_module_is_narrow() {
        java("Files.walk(Paths.get(\"docs\"));", "Working docs/**");
        java(
            "new File(\"src/test/resources/x\").listFiles();",
            "Working src/test/resources/x/**",
        );
        java(
            "Files.readString(Paths.get(\"docs/a.md\"));",
            "Working docs/a.md",
        );
        kotlin(
            "File(\"docs\", \"$n.md\").readText()",
            "Working docs/**/*.md",
        );
    }

    #[test]
    fn what_is_made_for_the_run_is_nobodys() {
        java(
            "Path dir = Files.createTempDirectory(\"x\"); Files.walk(dir.getParent());",
            "",
        );
        java("Files.list(tempDir.resolve(\"x\"));", "");
        java("} @TempDir Path dir; void u() { Files.walk(dir);", "");
        java(
            "} void u(@TempDir Path dir, String n) { Files.walk(dir);",
            "",
        );
        kotlin(
            "}\n@TempDir lateinit var dir: File\nfun u() { dir.walk()",
            "",
        );
        kotlin("temporaryFolder.root.listFiles()", "");
    }

    #[test]
    fn a_climb_that_is_only_compared_or_said_reads_nothing() {
        java(
            "assertEquals(\"../x\", name); path.startsWith(\"../\");",
            "",
        );
        java("throw new IllegalStateException(\"../x\" + n);", "");
        java("Node up = node.getParent().getParent(); visit(up);", "");
    }

    #[test]
    fn code_that_lists_what_its_callers_give_it_leaves_the_answer_to_them() {
        let source = "import java.io.File; class A { void f(File dir) { dir.listFiles(); } }";
        assert_eq!(opened("src/main/java/A.java", source), "");
        assert_eq!(opened("src/test/java/ATest.java", source), "Package!");
    }

    #[test]
    fn a_method_walks_what_its_calls_give_it() {
        java(
            "scan(\"../c\"); } void scan(String dir) { Files.walk(Paths.get(dir));",
            "Working ../c, Working ../c/**, Working ../c/**, Package!",
        );
    }
}
