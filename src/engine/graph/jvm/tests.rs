//! Builds, modules and tests of small Gradle and Maven repositories.

use super::*;
use crate::engine::graph::sample;

fn check(files: &[(&str, &str)], from: &str, expected: &str) {
    let snapshot = sample::snapshot(files);
    let graph = sample::graph(&snapshot, &[resolve]);
    let found = sample::reached(&snapshot, &graph, from);
    assert_eq!(found.replace('\n', " "), expected);
}

/// The dependencies between units of a tree, without those of tests on their code.
fn check_units(files: &[(&str, &str)], expected: &[&str]) {
    let snapshot = sample::snapshot(files);
    let graph = sample::graph(&snapshot, &[resolve]);
    let edges = sample::edges(&snapshot, &graph, EdgeKind::Dependency);
    let found: Vec<String> = edges
        .replace("module ", "")
        .lines()
        .filter(|line| {
            line.split_once(" -> ")
                .is_none_or(|(from, to)| from != format!("{to} tests"))
        })
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(found, expected);
}

fn tests_of(path: &str, source: &str) -> String {
    extract(path, source).tests.join(" ")
}

const SHOP: &[(&str, &str)] = &[
    (
        "settings.gradle.kts",
        "rootProject.name = \"shop\"\ninclude(\":api\", \"libs:tax\")\n",
    ),
    (
        "build.gradle.kts",
        "plugins { id(\"java\") version \"1\" apply false }\n",
    ),
    (
        "gradle/libs.versions.toml",
        "[libraries]\nguava-core = \"com.google:guava:1\"\n",
    ),
    (
        "api/build.gradle.kts",
        "dependencies {\n  implementation(project(\":libs:tax\"))\n\
         testImplementation(project(\":fake\"))\n  api(libs.guava.core)\n\
         runtimeOnly(\"org.x:y:1.0\")\n}\n",
    ),
    ("api/src/main/java/a/A.java", "package a;\nimport t.Tax;\n"),
    ("api/src/main/resources/a.yml", ""),
    (
        "api/src/test/java/a/ATest.java",
        "package a;\nclass ATest { @Test void t() {} }",
    ),
    ("api/src/testFixtures/java/a/Fix.java", "package a;"),
    ("libs/tax/build.gradle.kts", ""),
    ("libs/tax/src/main/kotlin/t/Tax.kt", "package t\n"),
    ("libs/tax/src/test/kotlin/t/TaxTest.kt", "package t\n"),
    ("fake/build.gradle.kts", ""),
    ("fake/src/main/java/f/F.java", "package f;"),
];

#[test]
fn a_file_says_its_package_and_imports() {
    let facts = extract(
        "A.java",
        "/* import x.Y; */ package a.b;\nimport static c.D.e;\nimport f.*;\nimport g.H;\n\
         class A { String s = \"data/x.json\"; }",
    );
    assert_eq!(facts.package.as_deref(), Some("a.b"));
    let found: Vec<String> = facts
        .imports
        .iter()
        .map(|import| format!("{}{}", import.specifier, import.names.join("")))
        .collect();
    assert_eq!(found, ["c.D.e", "f*", "g.H"]);
    assert_eq!(facts.literals, ["data/x.json".into()]);
    let facts = extract(
        "A.kt",
        "package a.b\nimport c.`in`.D as E\nval import = 1\n",
    );
    assert_eq!(facts.package.as_deref(), Some("a.b"));
    assert_eq!(&*facts.imports[0].specifier, "c.in.D");
}

#[test]
fn tests_are_named_by_class_and_method() {
    let java = "@ExtendWith(X.class) class ATest { @Test @DisplayName(\"a (b)\") void one() {}\n\
                @ParameterizedTest @ValueSource(strings = {\"x\"}) public void two(String s) { f(); }\n\
                void helper() {} @Nested class In { @org.junit.Test public void three() {} } }";
    assert_eq!(
        tests_of("ATest.java", java),
        "ATest.one ATest.two ATest.In.three"
    );
    let old = "class OldTest extends TestCase { public void testIt() {} void other() {} }";
    assert_eq!(tests_of("OldTest.java", old), "OldTest.testIt");
    let kotlin = "class BTest { @Test fun `adds two`() { x::class } }\nclass S : FunSpec({ })\n";
    assert_eq!(tests_of("BTest.kt", kotlin), "BTest.adds two S");
}

#[test]
fn a_module_needs_its_build_and_the_code_it_depends_on() {
    check(
        SHOP,
        "module :api",
        "api/build.gradle.kts api/src/main/java/a/A.java api/src/main/resources/a.yml \
         api/src/testFixtures/java/a/Fix.java build.gradle.kts gradle/libs.versions.toml \
         libs/tax/build.gradle.kts libs/tax/src/main/kotlin/t/Tax.kt settings.gradle.kts",
    );
}

#[test]
fn what_only_tests_depend_on_is_needed_by_tests() {
    check_units(SHOP, &[":api -> :libs:tax", ":api tests -> :fake"]);
}

#[test]
fn coordinates_and_catalog_accessors_are_external() {
    let snapshot = sample::snapshot(SHOP);
    let graph = sample::graph(&snapshot, &[resolve]);
    assert_eq!(
        sample::externals(&snapshot, &graph),
        "api/build.gradle.kts: com.google:guava\napi/build.gradle.kts: org.x:y"
    );
    assert_eq!(
        sample::edges(&snapshot, &graph, EdgeKind::Detail),
        "api/src/main/java/a/A.java -> libs/tax/src/main/kotlin/t/Tax.kt"
    );
}

#[test]
fn every_notation_of_a_project_is_read() {
    check_units(
        &[
            (
                "settings.gradle",
                "include 'a', 'b',\n  'c'\ninclude('d-e')\nproject(':c').projectDir = new File(settingsDir, 'deep/c')\n",
            ),
            (
                "a/build.gradle",
                "dependencies {\n  implementation project(':b')\n\
                 testImplementation project(path: ':c', configuration: 'testOutput')\n\
                 api projects.dE\n}\n",
            ),
            (
                "b/b.gradle",
                "dependencies { api(testFixtures(project(\":c\"))) }\n",
            ),
            ("deep/c/x.txt", ""),
            ("d-e/x.txt", ""),
        ],
        &[
            ":a -> :b",
            ":a -> :d-e",
            ":a tests -> :c",
            ":a tests -> :c tests",
            ":b -> :c",
        ],
    );
}

#[test]
fn a_dependency_that_no_literal_names_is_on_every_module() {
    for script in [
        "dependencies { api(project(\":${name}\")) }",
        "dependencies { api(project(other)) }",
        "dependencies { parent.moduleProjects.each { api it } }",
        "dependencies { rootProject.subprojects.forEach { api(it) } }",
    ] {
        check_units(
            &[
                ("settings.gradle", "include 'a', 'b'"),
                ("a/build.gradle", script),
                ("b/build.gradle", ""),
            ],
            &[":a -> ./", ":a -> :b"],
        );
    }
}

#[test]
fn what_the_root_gives_to_all_modules_holds_for_all() {
    check_units(
        &[
            ("settings.gradle", "include 'a', 'b', 'c'"),
            (
                "build.gradle",
                "subprojects {\n  dependencies {\n    api project(':a')\n  }\n}\n\
                 project(':b') {\n  dependencies { api project(':c') }\n}\n",
            ),
            ("a/x", ""),
            ("b/x", ""),
            ("c/x", ""),
        ],
        &["./ -> :a", ":b -> :a", ":b -> :c", ":c -> :a"],
    );
}

#[test]
fn plugins_of_the_build_decide_for_every_module() {
    let files = [
        ("settings.gradle", "includeBuild('tools')\ninclude 'a', 'b'"),
        ("a/build.gradle", ""),
        ("b/build.gradle", ""),
        (
            "buildSrc/src/main/groovy/conv.gradle",
            "dependencies { api project(':b') }",
        ),
        ("tools/src/P.kt", "fun f() = \":b\""),
    ];
    check_units(&files, &["./ -> :b", ":a -> :b"]);
    check(
        &files,
        "module :b",
        "b/build.gradle buildSrc/src/main/groovy/conv.gradle settings.gradle tools/src/P.kt",
    );
}

#[test]
fn a_module_of_maven_needs_its_parents_and_the_modules_it_names() {
    let child = |artifact: &str, rest: &str| {
        format!(
            "<project><parent><groupId>g</groupId><artifactId>root</artifactId></parent>\
             <artifactId>{artifact}</artifactId>{rest}</project>"
        )
    };
    let needs = child(
        "a",
        "<dependencies><dependency><groupId>${project.groupId}</groupId><artifactId>b</artifactId>\
         </dependency><dependency><groupId>g</groupId><artifactId>c</artifactId><type>test-jar</type>\
         <scope>test</scope></dependency><dependency><groupId>org.x</groupId>\
         <artifactId>y</artifactId></dependency></dependencies>",
    );
    let (b, c) = (child("b", ""), child("c", ""));
    let files = [
        (
            "pom.xml",
            "<project><groupId>g</groupId><artifactId>root</artifactId></project>",
        ),
        (".mvn/jvm.config", ""),
        ("a/pom.xml", needs.as_str()),
        ("b/pom.xml", b.as_str()),
        ("b/src/main/java/B.java", ""),
        ("c/pom.xml", c.as_str()),
    ];
    check_units(&files, &["a -> b", "a tests -> c", "a tests -> c tests"]);
    check(
        &files,
        "module a",
        ".mvn/jvm.config a/pom.xml b/pom.xml b/src/main/java/B.java pom.xml",
    );
    let snapshot = sample::snapshot(&files);
    let graph = sample::graph(&snapshot, &[resolve]);
    assert_eq!(sample::externals(&snapshot, &graph), "a/pom.xml: org.x:y");
}

#[test]
fn a_pom_that_does_not_parse_needs_every_module() {
    check_units(
        &[
            ("a/pom.xml", "<project><artifactId>a</artifactId><depend"),
            ("b/pom.xml", "<project><artifactId>b</artifactId></project>"),
        ],
        &["a -> b"],
    );
}

#[test]
fn sources_without_a_build_file_are_one_unit() {
    check(
        &[("x/A.java", ""), ("y/B.kt", ""), ("z.txt", "")],
        "x/A.java",
        "x/A.java y/B.kt",
    );
}
