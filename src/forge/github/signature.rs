//! Is a delivery from GitHub?
//!
//! GitHub signs the raw bytes of a body with the webhook's secret
//! ([validating deliveries](https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries)).
//! Two secrets may be valid at once, so that one can be replaced without losing a
//! delivery. The comparison takes the same time whatever the difference.
//!
//! Only the SHA-256 signature counts, never the older SHA-1 one; and the bytes are
//! verified before anybody parses them.

use std::fmt::Write;

use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// Whether one of the secrets signed exactly these bytes. An empty secret signs
/// nothing.
pub fn is_signed(secrets: &[SecretString], header: &str, body: &[u8]) -> bool {
    let Some(given) = header.strip_prefix("sha256=").and_then(digest_of_hex) else {
        return false;
    };
    let any = secrets
        .iter()
        .filter_map(|secret| digest(secret, body))
        .fold(Choice::from(0), |any, ours| any | ours.ct_eq(&given));
    any.into()
}

/// Whether a header has the form of a signature: what does not have it signs nothing.
pub fn is_signature(header: &str) -> bool {
    let digest = header.strip_prefix("sha256=");
    digest.and_then(digest_of_hex).is_some()
}

/// The header's value for a body, as GitHub computes it.
pub fn sign(secret: &SecretString, body: &[u8]) -> Option<String> {
    let mut header = "sha256=".to_owned();
    for byte in digest(secret, body)? {
        write!(header, "{byte:02x}").ok()?;
    }
    Some(header)
}

fn digest(secret: &SecretString, body: &[u8]) -> Option<[u8; 32]> {
    let secret = secret.expose_secret().as_bytes();
    if secret.is_empty() {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(body);
    Some(mac.finalize().into_bytes().into())
}

fn digest_of_hex(hex: &str) -> Option<[u8; 32]> {
    let nibbles: Vec<u8> = hex
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect::<Option<_>>()?;
    let (pairs, rest) = nibbles.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    rest.is_empty().then(|| bytes.try_into().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"Hello, World!";
    // The example in GitHub's own documentation.
    const SECRET: &str = "It's a Secret to Everybody";
    const SIGNATURE: &str =
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn only_a_digest_in_hex_has_the_form_of_a_signature() {
        assert!(is_signature(SIGNATURE));
        for other in ["", "sha256=", "sha1=757107ea", "sha256=zz", &SIGNATURE[7..]] {
            assert!(!is_signature(other), "{other}");
        }
    }

    fn check(secrets: &[&str], header: &str, body: &[u8], expected: bool) {
        let secrets: Vec<SecretString> = secrets.iter().map(|&secret| secret.into()).collect();
        assert_eq!(is_signed(&secrets, header, body), expected, "{header}");
    }

    #[test]
    fn documented_example_is_accepted() {
        check(&[SECRET], SIGNATURE, BODY, true);
        assert_eq!(sign(&SECRET.into(), BODY).as_deref(), Some(SIGNATURE));
    }

    #[test]
    fn either_secret_is_accepted_while_one_is_replaced() {
        check(&["new", SECRET], SIGNATURE, BODY, true);
        check(&[SECRET, "new"], SIGNATURE, BODY, true);
        check(&["new", "newer"], SIGNATURE, BODY, false);
    }

    #[test]
    fn changed_body_is_refused() {
        check(&[SECRET], SIGNATURE, b"Hello, World?", false);
        check(&[SECRET], SIGNATURE, b"", false);
    }

    #[test]
    fn malformed_signatures_are_refused() {
        let older = SIGNATURE.replace("sha256=", "sha1=");
        let short = SIGNATURE.trim_end_matches('7');
        let long = format!("{SIGNATURE}00");
        let foreign = SIGNATURE.replace('7', "ü");
        for header in ["", "sha256=", &older, short, &long, &foreign] {
            check(&[SECRET], header, BODY, false);
        }
    }

    #[test]
    fn empty_secret_accepts_nothing() {
        // HMAC-SHA256 of nothing with an empty key.
        let header = "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
        check(&[""], header, b"", false);
        check(&[], SIGNATURE, BODY, false);
    }
}
