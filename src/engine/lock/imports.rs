//! From the name that Python code imports to the distribution that brings it.
//!
//! Most are equal but for case and punctuation. The table holds well-known others;
//! an import that is neither equal nor in the table maps to nothing, and the caller
//! takes the whole lockfile. Namespaces such as `google` are shared by many: there
//! every locked distribution with the prefix is meant.

/// The distributions of an import, normalised, where the name differs.
const TABLE: &[(&str, &[&str])] = &[
    ("attr", &["attrs"]),
    ("bs4", &["beautifulsoup4"]),
    ("cairo", &["pycairo"]),
    ("crypto", &["pycryptodome", "pycrypto"]),
    ("cryptodome", &["pycryptodomex"]),
    (
        "cv2",
        &[
            "opencv-python",
            "opencv-python-headless",
            "opencv-contrib-python",
        ],
    ),
    ("dateutil", &["python-dateutil"]),
    ("django-filters", &["django-filter"]),
    ("dns", &["dnspython"]),
    ("docx", &["python-docx"]),
    ("dotenv", &["python-dotenv"]),
    ("fitz", &["pymupdf"]),
    ("git", &["gitpython"]),
    ("github", &["pygithub"]),
    ("gitlab", &["python-gitlab"]),
    ("gi", &["pygobject"]),
    ("google", &["protobuf"]),
    ("grpc", &["grpcio"]),
    ("grpc-status", &["grpcio-status"]),
    ("grpc-tools", &["grpcio-tools"]),
    ("jose", &["python-jose"]),
    ("jwt", &["pyjwt"]),
    ("kafka", &["kafka-python"]),
    ("ldap", &["python-ldap"]),
    ("levenshtein", &["levenshtein", "python-levenshtein"]),
    ("magic", &["python-magic"]),
    ("markdown-it", &["markdown-it-py"]),
    ("mpl-toolkits", &["matplotlib"]),
    ("multipart", &["python-multipart"]),
    ("mysqldb", &["mysqlclient"]),
    ("nacl", &["pynacl"]),
    ("openssl", &["pyopenssl"]),
    ("pil", &["pillow"]),
    ("pkg-resources", &["setuptools"]),
    ("psycopg2", &["psycopg2", "psycopg2-binary"]),
    ("pylab", &["matplotlib"]),
    ("pythoncom", &["pywin32"]),
    ("rest-framework", &["djangorestframework"]),
    ("ruamel", &["ruamel-yaml"]),
    ("serial", &["pyserial"]),
    ("skimage", &["scikit-image"]),
    ("sklearn", &["scikit-learn"]),
    ("slugify", &["python-slugify"]),
    ("socks", &["pysocks"]),
    ("telegram", &["python-telegram-bot"]),
    ("usb", &["pyusb"]),
    ("websocket", &["websocket-client"]),
    ("win32api", &["pywin32"]),
    ("win32con", &["pywin32"]),
    ("xdist", &["pytest-xdist"]),
    ("yaml", &["pyyaml"]),
    ("zmq", &["pyzmq"]),
];

/// Namespaces whose parts come from distributions of many names.
const NAMESPACES: &[&str] = &[
    "google",
    "azure",
    "zope",
    "backports",
    "jaraco",
    "opentelemetry",
];

/// A distribution's name, normalised: lower case, `-` for runs of `-`, `_` and `.`
/// (<https://packaging.python.org/en/latest/specifications/name-normalization/>).
pub(super) fn normal(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.push(c.to_ascii_lowercase());
        }
    }
    normal
}

/// What an import may come from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// Distributions of these names; those that are locked count.
    pub(super) names: Vec<String>,
    /// Every distribution whose name begins so, for a namespace.
    pub(super) prefix: Option<String>,
}

/// The distributions of an import or of a requirement's name.
pub(super) fn distributions(import: &str) -> Origin {
    let top = normal(import.split('.').next().unwrap_or(import));
    let prefix = NAMESPACES.contains(&top.as_str()).then(|| top.clone());
    let mut names = vec![normal(import), top.clone()];
    let known = TABLE.iter().filter(|(name, _)| *name == top);
    names.extend(known.flat_map(|(_, names)| names.iter().map(|name| (*name).to_owned())));
    names.sort();
    names.dedup();
    Origin { names, prefix }
}

/// Whether a distribution acts without being imported, because pytest loads it.
pub(super) fn is_plugin(name: &str) -> bool {
    let name = normal(name);
    name.starts_with("pytest-") || matches!(name.as_str(), "hypothesis" | "anyio" | "pytest")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_imports_map_to_their_distributions() {
        let check = |import: &str, expected: &str| {
            let Origin { names, .. } = distributions(import);
            assert!(
                names.iter().any(|name| name == expected),
                "{import}: {names:?}"
            );
        };
        for (import, expected) in [
            ("yaml", "pyyaml"),
            ("PIL", "pillow"),
            ("OpenSSL.crypto", "pyopenssl"),
            ("Crypto", "pycryptodome"),
            ("requests", "requests"),
            ("typing_extensions", "typing-extensions"),
            ("ruamel.yaml", "ruamel-yaml"),
        ] {
            check(import, expected);
        }
        assert_eq!(
            distributions("google.cloud").prefix.as_deref(),
            Some("google")
        );
        check("google.protobuf", "protobuf");
    }

    #[test]
    fn the_table_is_normalised_and_sorted_enough_to_read() {
        for (import, names) in TABLE {
            assert_eq!(normal(import), *import);
            names
                .iter()
                .for_each(|name| assert_eq!(normal(name), *name));
        }
    }
}
