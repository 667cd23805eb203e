//! What surrounds a server: its clock, its store, and the room for its mirrors.

use super::{Check, Finding};
use crate::engine::ids::Timestamp;

/// How far two clocks may be apart before tokens fail: the app signs from a minute ago on.
const APART: u64 = 60;

/// How far they may be apart before it is worth a word.
const NEARLY: u64 = 20;

/// Room that git needs to work at all, and room that lasts for a while, in bytes.
const NO_ROOM: u64 = 256 << 20;
const LITTLE_ROOM: u64 = 2 << 30;

/// Compares the clock of the forge with ours: before we asked, and after the answer.
/// `None` when the forge did not say.
pub fn clock((asked, answered): (Timestamp, Timestamp), theirs: Option<Timestamp>) -> Finding {
    let check = Check::Clock;
    let set = "let the machine keep time by NTP";
    let Some(theirs) = theirs else {
        let says = "the forge did not say what time it is";
        return Finding::warning(
            check,
            says,
            "run this again; if it stays so, a proxy takes `Date` away",
        );
    };
    // Whole seconds that both clocks allow do not count.
    let ahead = asked.seconds().saturating_sub(theirs.seconds());
    let behind = theirs.seconds().saturating_sub(answered.seconds());
    let (apart, word) = if ahead > 0 {
        (ahead, "ahead of")
    } else {
        (behind, "behind")
    };
    let says = format!("the clock of this machine is {apart} s {word} GitHub's");
    match apart {
        APART.. => Finding::fault(
            check,
            format!("{says}: the app's tokens are refused, or plans end too early"),
            set,
        ),
        NEARLY.. => Finding::warning(check, says, set),
        _ => Finding::ok(check, "the clock of this machine and GitHub's agree"),
    }
}

/// What was found where the store should lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// There is no such directory.
    Absent,
    /// A running server answered.
    Served,
    /// Another process holds it, and nobody answers.
    Held,
    /// It opens, and its files have so many bytes.
    Opens(u64),
    /// It is damaged: the cause.
    Damaged(String),
    /// It cannot be used: the cause.
    Unusable(String),
}

/// Judges the store in a data directory.
pub fn store(dir: &str, seen: &Store) -> Finding {
    let check = Check::Store;
    match seen {
        Store::Absent => Finding::ok(
            check,
            format!("no server has kept anything in {dir} of this machine"),
        ),
        Store::Served => Finding::ok(
            check,
            format!("a running server holds the store in {dir}, and answers"),
        ),
        Store::Held => Finding::warning(
            check,
            format!("another process holds the store in {dir}, and no server answers there"),
            "run this as the user that runs the server; if none starts or ends just now, look for who has the directory open",
        ),
        Store::Opens(bytes) => Finding::ok(
            check,
            format!(
                "the store in {dir} opens and has {}; no server runs on it",
                size(*bytes)
            ),
        ),
        Store::Damaged(cause) => Finding::fault(
            check,
            format!("the store in {dir} is damaged: {cause}"),
            "keep a copy of the directory and start the server: it sets the store aside and reads anew from the forge",
        ),
        Store::Unusable(cause) => Finding::fault(
            check,
            format!("the store in {dir} cannot be used: {cause}"),
            "run this as the user that runs the server, with a Trimtab that is at least as new",
        ),
    }
}

/// Judges the room that is left where mirrors lie, in bytes; `Err` has why nobody knows.
pub fn room(dir: &str, free: Result<u64, String>) -> Finding {
    let check = Check::Mirrors;
    match free {
        Err(cause) => Finding::warning(
            check,
            format!("nobody can say how much room {dir} has: {cause}"),
            "run this as the user that runs the server",
        ),
        Ok(free) => {
            let says = format!("{} are free in {dir}, where mirrors lie", size(free));
            let remedy = "give the volume more room; a mirror takes what `git clone --bare` of its repository takes";
            match free {
                ..NO_ROOM => Finding::fault(check, says, remedy),
                NO_ROOM..LITTLE_ROOM => Finding::warning(check, says, remedy),
                _ => Finding::ok(check, says),
            }
        }
    }
}

/// Bytes for people: `512 bytes`, `3.1 MB`.
fn size(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    let unit = units.iter().find(|(_, unit)| bytes >= *unit);
    unit.map_or_else(
        || format!("{bytes} bytes"),
        |(name, unit)| {
            let tenths = bytes / (unit / 10);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    fn check(theirs: Option<u64>, state: State, words: &str) {
        let between = (Timestamp(1_000_000), Timestamp(1_002_500));
        let found = clock(between, theirs.map(|it| Timestamp(it * 1_000)));
        assert_eq!(found.state, state, "{theirs:?}: {found:?}");
        assert!(found.says.contains(words), "{theirs:?}: {found:?}");
        assert_eq!(found.remedy.is_none(), state == State::Ok);
    }

    #[test]
    fn a_clock_may_be_off_by_the_time_that_an_answer_takes() {
        check(Some(1_000), State::Ok, "agree");
        check(Some(1_002), State::Ok, "agree");
        check(Some(981), State::Ok, "agree");
        check(Some(980), State::Warning, "20 s ahead of GitHub's");
        check(Some(1_022), State::Warning, "20 s behind GitHub's");
        check(Some(940), State::Fault, "60 s ahead of");
        check(Some(1_300), State::Fault, "298 s behind");
        check(Some(0), State::Fault, "1000 s ahead");
        check(Some(u64::MAX / 1_000), State::Fault, "behind");
        check(None, State::Warning, "did not say");
    }

    #[test]
    fn a_store_is_well_where_it_opens_or_a_server_answers() {
        let state = |seen| store("/data", &seen).state;
        assert_eq!(state(Store::Absent), State::Ok);
        assert_eq!(state(Store::Served), State::Ok);
        assert_eq!(state(Store::Opens(0)), State::Ok);
        assert_eq!(state(Store::Held), State::Warning);
        assert_eq!(state(Store::Damaged("gone".to_owned())), State::Fault);
        assert_eq!(state(Store::Unusable("no".to_owned())), State::Fault);
        let says = store("/data", &Store::Opens(3_150_000)).says;
        assert_eq!(
            says,
            "the store in /data opens and has 3.1 MB; no server runs on it"
        );
    }

    #[test]
    fn room_is_judged_by_what_git_needs() {
        let state = |free| room("/data", free).state;
        assert_eq!(state(Ok(0)), State::Fault);
        assert_eq!(state(Ok(NO_ROOM)), State::Warning);
        assert_eq!(state(Ok(LITTLE_ROOM)), State::Ok);
        assert_eq!(state(Err("denied".to_owned())), State::Warning);
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(12_345_678_901), "12.3 GB");
    }
}
