//! Facts on disk, by blob, so that nothing is parsed twice.
//!
//! One append-only file: a header with the extractor version, then records with
//! a checksum each. A torn or foreign record ends the reading there; the next
//! write replaces the file. The cache can be deleted at any time.
//!
//! Resolved edges are never kept here: they depend on the tree, facts do not.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{RepoError, write_whole};
use crate::engine::facts::{
    self, Base, Dynamic, Facts, Import, ImportKind, Language, Opened, Reach, When,
};
use crate::engine::ids::ObjectId;

/// Facts that were read before, and those that were added since.
#[derive(Debug)]
pub struct FactsCache {
    path: Option<PathBuf>,
    content: Vec<u8>,
    known: FxHashMap<(ObjectId, Language), (u32, u32)>,
    fresh: Vec<u8>,
    replace: bool,
}

impl FactsCache {
    /// A cache that is not kept.
    pub fn none() -> Self {
        Self {
            path: None,
            content: Vec::new(),
            known: FxHashMap::default(),
            fresh: Vec::new(),
            replace: false,
        }
    }

    /// Opens the cache file; a missing or foreign one is an empty cache.
    pub fn open(path: &Path) -> Self {
        let content = fs::read(path).unwrap_or_default();
        let mut cache = Self {
            path: Some(path.to_owned()),
            content,
            ..Self::none()
        };
        cache.replace = !cache.index();
        cache
    }

    /// The facts of a blob, if they are known.
    pub fn find(&self, blob: ObjectId, language: Language) -> Option<Arc<Facts>> {
        let (start, end) = self.known.get(&(blob, language))?;
        let record = self.content.get(*start as usize..*end as usize)?;
        Reader { rest: record }.facts().map(Arc::new)
    }

    /// Adds facts; they are on disk after [`FactsCache::save`].
    pub fn add(&mut self, blob: ObjectId, language: Language, facts: &Facts) {
        if self.path.is_none() {
            return;
        }
        let mut body = Vec::with_capacity(64);
        write_bytes(&mut body, blob.as_bytes());
        body.push(language_code(language));
        write_facts(&mut body, facts);
        write_number(
            &mut self.fresh,
            u32::try_from(body.len()).unwrap_or(u32::MAX),
        );
        self.fresh.extend_from_slice(&checksum(&body).to_le_bytes());
        self.fresh.append(&mut body);
    }

    /// Writes what was added.
    pub fn save(&mut self) -> Result<(), RepoError> {
        let Some(path) = self.path.clone().filter(|_| !self.fresh.is_empty()) else {
            return Ok(());
        };
        let fault = |what: &'static str| {
            let path = path.clone();
            move |source| RepoError::File { what, path, source }
        };
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(fault("create the directory of"))?;
        }
        if self.replace {
            write_whole(&path, &[header().as_slice(), &self.fresh].concat())?;
        } else {
            let mut file = fs::OpenOptions::new()
                .append(true)
                .open(&path)
                .map_err(fault("open"))?;
            file.write_all(&self.fresh).map_err(fault("append to"))?;
        }
        self.fresh.clear();
        Ok(())
    }

    /// Finds every whole record; says whether the file can be appended to.
    fn index(&mut self) -> bool {
        let header = header();
        if !self.content.starts_with(&header) {
            self.content.clear();
            return false;
        }
        let mut reader = Reader {
            rest: self.content.get(header.len()..).unwrap_or_default(),
        };
        while !reader.rest.is_empty() {
            let Some((key, start, len)) = reader.record(self.content.len()) else {
                return false;
            };
            self.known.insert(key, (start, start + len));
        }
        true
    }
}

fn header() -> Vec<u8> {
    [
        b"trimtab-facts".as_slice(),
        facts::VERSION.as_bytes(),
        b"\n",
    ]
    .concat()
}

/// FNV-1a over words of eight bytes: it tells a torn record from a whole one; it
/// guards against nobody.
fn checksum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let step = |sum: u64, word: u64| {
        let mixed = (sum ^ word).wrapping_mul(0x0100_0000_01b3);
        mixed ^ (mixed >> 29)
    };
    let sum = words.fold(0xcbf2_9ce4_8422_2325, step);
    rest.iter().map(|byte| u64::from(*byte)).fold(sum, step)
}

const LANGUAGES: &[Language] = &[
    Language::Python,
    Language::JavaScript,
    Language::Go,
    Language::Rust,
    Language::Java,
    Language::Kotlin,
    Language::C,
];
const KINDS: &[ImportKind] = &[
    ImportKind::Static,
    ImportKind::Type,
    ImportKind::Dynamic,
    ImportKind::Require,
    ImportKind::Program,
    ImportKind::IncludeQuoted,
    ImportKind::IncludeAngled,
    ImportKind::Module,
    ImportKind::Embed,
];

const BASES: &[Base] = &[
    Base::Beside,
    Base::Working,
    Base::Manifest,
    Base::Package,
    Base::Anywhere,
    Base::Caller,
    Base::Around,
];

/// The place of a base in [`BASES`].
fn reach_code(reach: Reach) -> u8 {
    match reach {
        Reach::Visible => 0,
        Reach::Composed => 1,
        Reach::Package => 2,
        Reach::Repository => 3,
    }
}

fn base_code(base: Base) -> u8 {
    match base {
        Base::Beside => 0,
        Base::Working => 1,
        Base::Manifest => 2,
        Base::Package => 3,
        Base::Anywhere => 4,
        Base::Caller => 5,
        Base::Around => 6,
    }
}

fn when_code(when: When) -> u8 {
    match when {
        When::Run => 0,
        When::Used => 1,
    }
}

/// The place of a language in [`LANGUAGES`].
fn language_code(language: Language) -> u8 {
    match language {
        Language::Python => 0,
        Language::JavaScript => 1,
        Language::Go => 2,
        Language::Rust => 3,
        Language::Java => 4,
        Language::Kotlin => 5,
        Language::C => 6,
    }
}

/// The place of a kind in [`KINDS`]; one without a place would never be found again.
fn kind_code(kind: ImportKind) -> u8 {
    match kind {
        ImportKind::Static => 0,
        ImportKind::Type => 1,
        ImportKind::Dynamic => 2,
        ImportKind::Require => 3,
        ImportKind::Program => 4,
        ImportKind::IncludeQuoted => 5,
        ImportKind::IncludeAngled => 6,
        ImportKind::Module => 7,
        ImportKind::Embed => 8,
    }
}

fn write_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_number(out, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(bytes);
}

fn write_list(out: &mut Vec<u8>, list: &[Box<str>]) {
    write_number(out, u32::try_from(list.len()).unwrap_or(u32::MAX));
    for text in list {
        write_bytes(out, text.as_bytes());
    }
}

fn write_facts(out: &mut Vec<u8>, facts: &Facts) {
    write_number(out, u32::try_from(facts.imports.len()).unwrap_or(u32::MAX));
    for import in &facts.imports {
        write_bytes(out, import.specifier.as_bytes());
        write_list(out, &import.names);
        out.push(kind_code(import.kind));
        write_number(out, import.line);
    }
    write_list(out, &facts.literals);
    write_number(out, u32::try_from(facts.dynamic.len()).unwrap_or(u32::MAX));
    for dynamic in &facts.dynamic {
        out.push(reach_code(dynamic.reach));
        out.push(when_code(dynamic.when));
        write_bytes(out, dynamic.what.as_bytes());
        write_number(out, dynamic.line);
    }
    write_number(out, u32::try_from(facts.opened.len()).unwrap_or(u32::MAX));
    for opened in &facts.opened {
        out.push(base_code(opened.base));
        out.push(when_code(opened.when));
        write_bytes(out, opened.pattern.as_bytes());
        write_bytes(out, opened.what.as_bytes());
        write_number(out, opened.line);
    }
    let package: Vec<Box<str>> = facts.package.iter().cloned().collect();
    write_list(out, &package);
    write_list(out, &facts.tests);
    out.push(u8::from(facts.broken));
}

/// Takes values off the front of a slice; `None` means the slice is torn.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// One record of a file of `total` bytes: its key, and where its facts lie.
    fn record(&mut self, total: usize) -> Option<((ObjectId, Language), u32, u32)> {
        let len = self.number()? as usize;
        let (sum, rest) = self.rest.split_first_chunk::<8>()?;
        let (body, rest) = rest.split_at_checked(len)?;
        if checksum(body) != u64::from_le_bytes(*sum) {
            return None;
        }
        self.rest = rest;
        let mut inner = Reader { rest: body };
        let blob = ObjectId::from_bytes(inner.bytes()?)?;
        let language = *LANGUAGES.get(usize::from(inner.byte()?))?;
        let start = total - rest.len() - inner.rest.len();
        Some((
            (blob, language),
            u32::try_from(start).ok()?,
            u32::try_from(inner.rest.len()).ok()?,
        ))
    }

    fn facts(&mut self) -> Option<Facts> {
        let imports = (0..self.number()?)
            .map(|_| self.import())
            .collect::<Option<_>>()?;
        let literals = self.list()?;
        let dynamic = (0..self.number()?)
            .map(|_| self.dynamic())
            .collect::<Option<_>>()?;
        let opened = (0..self.number()?)
            .map(|_| self.opened())
            .collect::<Option<_>>()?;
        let package = self.list()?.into_iter().next();
        let tests = self.list()?;
        Some(Facts {
            imports,
            literals,
            dynamic,
            opened,
            package,
            tests,
            broken: self.byte()? == 1,
        })
    }

    fn import(&mut self) -> Option<Import> {
        let specifier = self.text()?;
        let names = self.list()?;
        let kind = *KINDS.get(usize::from(self.byte()?))?;
        Some(Import {
            specifier,
            names,
            kind,
            line: self.number()?,
        })
    }

    fn dynamic(&mut self) -> Option<Dynamic> {
        let reach = match self.byte()? {
            0 => Reach::Visible,
            1 => Reach::Composed,
            2 => Reach::Package,
            _ => Reach::Repository,
        };
        Some(Dynamic {
            reach,
            when: self.when()?,
            what: self.text()?,
            line: self.number()?,
        })
    }

    fn opened(&mut self) -> Option<Opened> {
        Some(Opened {
            base: *BASES.get(usize::from(self.byte()?))?,
            when: self.when()?,
            pattern: self.text()?,
            what: self.text()?,
            line: self.number()?,
        })
    }

    fn when(&mut self) -> Option<When> {
        Some(match self.byte()? {
            0 => When::Run,
            _ => When::Used,
        })
    }

    fn list(&mut self) -> Option<Vec<Box<str>>> {
        (0..self.number()?).map(|_| self.text()).collect()
    }

    fn text(&mut self) -> Option<Box<str>> {
        std::str::from_utf8(self.bytes()?).ok().map(Into::into)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.number()? as usize;
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn number(&mut self) -> Option<u32> {
        let mut number = 0_u32;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            number |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Facts {
        Facts {
            imports: vec![Import {
                specifier: "..a".into(),
                names: vec!["b".into(), "*".into()],
                kind: ImportKind::Dynamic,
                line: 70_000,
            }],
            literals: vec!["data/x.json".into()],
            dynamic: vec![Dynamic {
                when: When::Used,
                reach: Reach::Repository,
                what: "exec(x)".into(),
                line: 3,
            }],
            opened: vec![Opened {
                when: When::Used,
                base: Base::Working,
                pattern: "../docs/*.md".into(),
                what: "os.walk(...)".into(),
                line: 4,
            }],
            package: Some("org.example".into()),
            tests: vec!["test_a".into()],
            broken: true,
        }
    }

    fn blob(content: u8) -> ObjectId {
        ObjectId::from_bytes(&[content; 20]).unwrap()
    }

    #[test]
    fn facts_survive_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/facts.bin");
        for content in 0..3 {
            let mut cache = FactsCache::open(&path);
            cache.add(blob(content), Language::Go, &sample());
            cache.save().unwrap();
        }
        let cache = FactsCache::open(&path);
        for content in 0..3 {
            assert_eq!(
                cache.find(blob(content), Language::Go).as_deref(),
                Some(&sample())
            );
        }
        assert_eq!(cache.find(blob(1), Language::Rust), None);
    }

    #[test]
    fn every_kind_and_language_is_read_as_it_was_written() {
        for (index, kind) in KINDS.iter().enumerate() {
            assert_eq!(usize::from(kind_code(*kind)), index);
        }
        for (index, language) in LANGUAGES.iter().enumerate() {
            assert_eq!(usize::from(language_code(*language)), index);
        }
        for (index, base) in BASES.iter().enumerate() {
            assert_eq!(usize::from(base_code(*base)), index);
        }
        // The last of each enum: a list that ends before it would lose records.
        assert_eq!(usize::from(kind_code(ImportKind::Embed)), KINDS.len() - 1);
        assert_eq!(usize::from(language_code(Language::C)), LANGUAGES.len() - 1);
        assert_eq!(usize::from(base_code(Base::Around)), BASES.len() - 1);
    }

    #[test]
    fn a_torn_record_is_dropped_and_the_file_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("facts.bin");
        let mut cache = FactsCache::open(&path);
        cache.add(blob(1), Language::Go, &sample());
        cache.add(blob(2), Language::Go, &sample());
        cache.save().unwrap();
        let whole = fs::read(&path).unwrap();
        for cut in header().len() + 1..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let mut cache = FactsCache::open(&path);
            assert_eq!(cache.find(blob(2), Language::Go), None, "cut at {cut}");
            cache.add(blob(3), Language::Go, &sample());
            cache.save().unwrap();
            assert!(
                FactsCache::open(&path)
                    .find(blob(3), Language::Go)
                    .is_some(),
                "cut at {cut}"
            );
        }
    }
}
