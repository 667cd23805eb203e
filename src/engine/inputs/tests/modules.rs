//! What a module of Maven reads beyond itself: paths of its `pom.xml` and of its tests.

use super::languages::more;

const MODULES: &[(&str, &str)] = &[
    ("README.md", ""),
    (
        "a/pom.xml",
        "<project><parent><groupId>g</groupId><artifactId>all</artifactId></parent>\
         <artifactId>a</artifactId></project>",
    ),
    ("a/README.md", ""),
    ("a/src/main/java/A.java", "class A {}"),
    ("a/src/test/java/ATest.java", "class ATest {}"),
    ("c/pom.xml", "<project><artifactId>c</artifactId></project>"),
    ("c/res/r.txt", ""),
    ("c/src/test/java/CTest.java", "class CTest {}"),
    ("cs/h.txt", ""),
    ("cs/other.txt", ""),
    (
        "pom.xml",
        "<project><groupId>g</groupId><artifactId>all</artifactId></project>",
    ),
];

/// What `mvn -pl a` reads more, when the module's `pom.xml` or the one above has an element.
fn maven(element: &str, expected: &str) {
    let module = format!(
        "<project><parent><groupId>g</groupId><artifactId>all</artifactId></parent>\
         <artifactId>a</artifactId>{element}</project>"
    );
    let above =
        format!("<project><groupId>g</groupId><artifactId>all</artifactId>{element}</project>");
    for (path, text) in [("a/pom.xml", module), ("pom.xml", above)] {
        let found = more("mvn -pl a -am test", MODULES, path, text.leak());
        assert_eq!(found, expected, "{path}: {element}");
    }
}

#[test]
fn a_path_of_maven_may_begin_with_a_property() {
    for path in [
        "${project.basedir}/../cs/h.txt",
        "${basedir}/../cs/h.txt",
        "${project.parent.basedir}/cs/h.txt",
        "${maven.multiModuleProjectDirectory}/cs/h.txt",
        "${session.executionRootDirectory}/cs/h.txt",
        "${project.build.directory}/../../cs/h.txt",
        "file:${project.basedir}/../cs/h.txt",
        "${nobody.knows}/cs/h.txt",
        "${nobody.knows}/h.txt",
    ] {
        maven(
            &format!("<configLocation>{path}</configLocation>"),
            "cs/h.txt",
        );
        maven(&format!("<copy file=\"{path}\"/>"), "cs/h.txt");
    }
    maven(
        "<properties><top>${project.basedir}/..</top></properties><x>${top}/cs/h.txt</x>",
        "cs/h.txt",
    );
    maven(
        "<x>${project.basedir}/../cs/${n}.txt</x>",
        "cs/h.txt cs/other.txt",
    );
}

#[test]
fn maven_reads_sources_and_resources_outside_of_the_module() {
    // With the data of their own module, as for any code.
    let sources = "c/pom.xml c/res/r.txt c/src/test/java/CTest.java";
    maven(
        "<sources><source>../c/src/test/java</source></sources>",
        sources,
    );
    maven(
        "<testSourceDirectory>../c/src/test/java</testSourceDirectory>",
        sources,
    );
    maven(
        "<resource><directory>../c/res</directory></resource>",
        "c/res/r.txt",
    );
    maven(
        "<resource><directory>${project.basedir}/../cs</directory><includes><include>o*.txt</include>\
         </includes></resource>",
        "cs/other.txt",
    );
    maven(
        "<resource><directory>.</directory></resource>",
        "a/README.md",
    );
}

#[test]
fn a_module_of_maven_that_tells_where_it_is_reads_nothing_more() {
    for element in [
        "<x>${project.basedir}</x>",
        "<workingDirectory>${project.basedir}</workingDirectory>",
        "<x>${maven.multiModuleProjectDirectory}</x>",
        "<source>21</source>",
        "<finalName>${project.artifactId}-${project.version}</finalName>",
        "<home>${java.home}/c/res</home>",
        "<url>https://example.org/cs/h.txt</url>",
        "<outputDirectory>${project.build.directory}/c/res</outputDirectory>",
    ] {
        maven(element, "");
    }
}

const WALKED: &[(&str, &str)] = &[
    ("README.md", ""),
    ("a/pom.xml", "<project><artifactId>a</artifactId></project>"),
    ("a/README.md", ""),
    ("a/src/test/java/ATest.java", ""),
    ("c/pom.xml", "<project><artifactId>c</artifactId></project>"),
    ("c/src/main/java/C.java", ""),
    ("d/src/main/java/D.java", ""),
    ("pom.xml", "<project><artifactId>all</artifactId></project>"),
];

#[test]
fn a_test_of_java_that_walks_another_module_reads_it() {
    let walk = |body: &str| {
        let text = format!("import java.nio.file.*;\nclass ATest {{ void t() {{ {body} }} }}\n");
        more(
            "mvn test -pl a",
            WALKED,
            "a/src/test/java/ATest.java",
            text.leak(),
        )
    };
    let other = "c/pom.xml c/src/main/java/C.java";
    assert_eq!(walk("Files.walk(Paths.get(\"../c\"));"), other);
    assert_eq!(
        walk("new ClassFileImporter().importPaths(\"../c/target/classes\");"),
        other
    );
    let whole = walk("Files.walk(Paths.get(\"..\"));");
    assert!(
        whole.contains("README.md") && whole.contains("D.java"),
        "{whole}"
    );
    assert_eq!(walk("Files.walk(Paths.get(\"src\"));"), "");
}
