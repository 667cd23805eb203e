//! What jobs read through symbolic links.

use super::*;

const LINKS: &[(&str, &str)] = &[
    ("b.txt", ""),
    ("l.txt", "-> b.txt"),
    ("deep/real/y.txt", ""),
    ("deep/z.txt", ""),
    ("ld", "-> deep/real"),
    ("z.txt", ""),
];

#[test]
fn a_linked_file_is_read_where_it_lies() {
    check("cat l.txt", LINKS, "b.txt l.txt");
    check("cat < l.txt", LINKS, "b.txt l.txt");
}

#[test]
fn a_linked_directory_is_read_where_it_lies() {
    check("cat ld/y.txt", LINKS, "deep/real/y.txt ld/y.txt");
    check("cat ld/*.txt", LINKS, "deep/real/y.txt ld/y.txt");
    check("cat -- ld", LINKS, "deep/real/y.txt ld/y.txt");
    check("cd ld && cat y.txt", LINKS, "deep/real/y.txt");
}

#[test]
fn a_program_goes_up_from_where_its_directory_lies() {
    check("cd ld && cat ../z.txt", LINKS, "deep/z.txt");
    check("cd ld && cd .. && cat z.txt", LINKS, "z.txt");
}

#[test]
fn the_directory_of_a_step_may_be_a_link() {
    let mut job = job("cat y.txt");
    job.steps[0].action = Action::Run {
        script: "cat y.txt".into(),
        shell: None,
        directory: Some("ld".into()),
        env: BTreeMap::new(),
        line: 10,
    };
    let inputs = infer_in(&job, None, LINKS);
    assert_eq!(faults(&inputs), "");
    assert_eq!(reached(&inputs, LINKS), "deep/real/y.txt");
}

#[test]
fn dots_behind_a_link_make_a_job_opaque() {
    check_fault(
        "cat ld/../z.txt",
        LINKS,
        "ci.yml:10 UnknownUse(\"a path behind a symbolic link\")",
    );
}

#[test]
fn a_link_out_of_the_repository_makes_a_job_read_everything() {
    let files = &[("a.txt", ""), ("out", "-> /srv"), ("b.txt", "")];
    for script in ["cat out", "cat out/x"] {
        let inputs = infer_in(&job(script), None, files);
        assert_eq!(reached(&inputs, files), "a.txt b.txt out", "{script}");
    }
    check("cat a.txt", files, "a.txt");
}

#[test]
fn a_linked_script_that_asks_where_it_lies_is_opaque() {
    let files = &[
        ("bin/s.sh", "-> ../lib/s.sh"),
        ("lib/s.sh", "cat \"$(dirname \"$(readlink -f \"$0\")\")/x\""),
        ("lib/x", ""),
    ];
    let inputs = infer_in(&job("bash bin/s.sh"), None, files);
    assert!(!inputs.opaque.is_empty());
}
