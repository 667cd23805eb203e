//! Which runs of four bytes a text holds, so that most words that are not in it are
//! known not to be without a search.
//!
//! "No" is certain; "yes" has to be looked up.

/// How many bits of a run's hash count.
const BITS: u32 = 20;

/// The runs of one text.
#[derive(Debug)]
pub(super) struct Grams {
    seen: Vec<u64>,
}

impl Grams {
    /// The runs of a text.
    pub(super) fn of(text: &str) -> Self {
        let mut seen = vec![0_u64; 1 << (BITS - 6)];
        for run in runs(text) {
            if let Some(word) = seen.get_mut(run.0) {
                *word |= run.1;
            }
        }
        Self { seen }
    }

    /// Whether the text may hold a word.
    pub(super) fn may_hold(&self, word: &str) -> bool {
        runs(word).all(|(at, bit)| self.seen.get(at).is_some_and(|word| word & bit != 0))
    }
}

/// The word and the bit of every run of four bytes.
fn runs(text: &str) -> impl Iterator<Item = (usize, u64)> {
    let windows = text.as_bytes().array_windows::<4>();
    windows.map(|run| {
        let hash = u32::from_le_bytes(*run).wrapping_mul(0x9e37_79b1) >> (32 - BITS);
        ((hash >> 6) as usize, 1 << (hash & 63))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_holds_is_never_denied() {
        let text = "src/engine/graph.rs\ndocs/Übersicht.md\n";
        let grams = Grams::of(text);
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        for start in &ends {
            for end in ends.iter().filter(|end| *end >= start) {
                assert!(grams.may_hold(&text[*start..*end]), "{start}..{end}");
            }
        }
        assert!(!grams.may_hold("tests/it"));
    }
}
