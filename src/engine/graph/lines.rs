//! Line numbers of byte positions that mostly ascend.
//!
//! Extractors ask for few positions and nearly in order, so that counting on from
//! the last answer beats an index of all lines.

/// Counts lines of one text.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a [u8],
    position: usize,
    line: u32,
}

impl<'a> Lines<'a> {
    /// Starts at the first line, which is 1.
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            position: 0,
            line: 1,
        }
    }

    /// The line of a byte position, from 1.
    pub(super) fn line(&mut self, position: usize) -> u32 {
        if position < self.position {
            (self.position, self.line) = (0, 1);
        }
        let between = self.text.get(self.position..position);
        let newlines = between.map_or(0, |bytes| memchr::memchr_iter(b'\n', bytes).count());
        self.position = position;
        self.line += u32::try_from(newlines).unwrap_or(0);
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_right_in_any_order() {
        let mut lines = Lines::new("a\nb\n\nc");
        assert_eq!(
            [0, 2, 5, 1, 4].map(|position| lines.line(position)),
            [1, 2, 4, 1, 3]
        );
    }
}
