//! What a status means, without a connection.

use super::*;
use crate::clock::ManualClock;

/// The decision for an answer with the given status, headers and body; the time is
/// second 1000.
fn check(status: u16, headers: &[(&'static str, &'static str)], body: &str, expected: &str) {
    let answer = Answer {
        what: "a pull",
        status: StatusCode::from_u16(status).unwrap(),
        headers: headers
            .iter()
            .map(|&(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect(),
        body: body.as_bytes().to_vec(),
    };
    let text = match answer.judge(&ManualClock::at(1_000)) {
        Ok(_) => "accepted".to_owned(),
        Err(ForgeError::Unavailable { source, .. }) => format!("unavailable: {source}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(text, expected, "{status}");
}

#[test]
fn success_is_accepted() {
    check(200, &[], "{}", "accepted");
    check(204, &[], "", "accepted");
}

#[test]
fn named_wait_is_honoured() {
    check(
        429,
        &[("retry-after", "30")],
        "",
        "the forge asks to wait 30s",
    );
    check(
        403,
        &[("retry-after", "90")],
        "",
        "the forge asks to wait 90s",
    );
}

#[test]
fn used_up_quota_waits_until_its_reset() {
    let headers = [
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1600"),
    ];
    check(403, &headers, "", "the forge asks to wait 600s");
    let past = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "900")];
    check(429, &past, "", "the forge asks to wait 1s");
}

#[test]
fn secondary_limit_without_a_number_waits_a_minute() {
    let body = r#"{"message": "You have exceeded a secondary rate limit."}"#;
    check(403, &[], body, "the forge asks to wait 60s");
    check(429, &[], "", "the forge asks to wait 60s");
}

#[test]
fn refused_access_is_not_taken_for_a_limit() {
    let body = r#"{"message": "Resource not accessible by integration"}"#;
    let plenty = [
        ("x-ratelimit-remaining", "4999"),
        ("x-ratelimit-reset", "1600"),
    ];
    check(403, &plenty, body, "the forge refuses access to a pull");
    check(401, &[], "", "the forge refuses access to a pull");
}

#[test]
fn absent_and_invalid_are_told_apart() {
    check(404, &[], "", "the forge does not have a pull");
    check(410, &[], "", "the forge does not have a pull");
    check(
        422,
        &[],
        r#"{"message": "Validation Failed", "errors": []}"#,
        "the forge does not accept a pull: Validation Failed",
    );
}

#[test]
fn what_is_not_accepted_once_is_not_sent_again() {
    for (status, reason) in [(405, "no"), (415, "not that"), (418, "a teapot")] {
        let says = format!("the forge does not accept a pull: {reason}");
        check(status, &[], reason, &says);
    }
    check(451, &[], "", "the forge refuses access to a pull");
}

#[test]
fn what_holds_for_a_while_may_be_tried_again() {
    check(423, &[], "held", "unavailable: status 423 Locked: held");
    check(408, &[], "", "unavailable: status 408 Request Timeout: ");
}

#[test]
fn everything_else_may_be_tried_again() {
    check(
        502,
        &[],
        "bad gateway",
        "unavailable: status 502 Bad Gateway: bad gateway",
    );
    check(301, &[], "", "unavailable: status 301 Moved Permanently: ");
}

#[test]
fn long_message_is_cut_and_loses_its_control_characters() {
    let long = format!("a\n\u{1b}[31m{}", "x".repeat(10_000));
    let expected = format!(
        "unavailable: status 500 Internal Server Error: a[31m{}",
        "x".repeat(MESSAGE_MAX - 5)
    );
    check(500, &[], &long, &expected);
}

#[test]
fn graph_stands_beside_the_rest_interface() {
    let graph = |api: &str| {
        let api = api.parse().unwrap();
        let web = "https://github.com".parse().unwrap();
        Endpoint { api, web }.graph().to_string()
    };
    assert_eq!(graph("https://api.github.com"), "https://api.github.com/");
    assert_eq!(
        graph("https://ghe.example/api/v3/"),
        "https://ghe.example/api"
    );
}

#[test]
fn only_the_cursor_of_the_next_page_is_read() {
    let cursor = |link: &'static str| {
        let answer = Answer {
            what: "the deliveries",
            status: StatusCode::OK,
            headers: [(LINK, HeaderValue::from_static(link))]
                .into_iter()
                .collect(),
            body: Vec::new(),
        };
        answer.next_cursor()
    };
    let next = r#"<https://elsewhere.example/x?per_page=100&cursor=v1_9>; rel="next""#;
    assert_eq!(cursor(next).as_deref(), Some("v1_9"));
    assert_eq!(
        cursor(r#"<https://a.example/x?cursor=1>; rel="prev""#),
        None
    );
    assert_eq!(cursor("nonsense"), None);
}
