//! What a command writes into the next one of a pipe.
//!
//! Only a few commands are known to write names of files, or what lies at an address;
//! filters that leave lines out keep what came. Everything else writes what nobody knows.

use super::{Call, Feed, Word};

/// What a call writes, given what it gets.
pub(super) fn of(call: &Call, feed: Option<Feed>) -> Option<Feed> {
    let mut words = call.words.iter().skip_while(|word| &*word.text == "sudo");
    let name = words.next()?;
    let rest: Vec<&Word> = words.collect();
    match &*name.text {
        "curl" | "wget" => {
            let mut addresses = rest.iter().filter(|word| word.text.contains("://"));
            let address = addresses.next().filter(|word| !word.unknown)?;
            let is_one = addresses.next().is_none();
            is_one.then(|| Feed::Download(address.text.clone()))
        }
        "find" => {
            let roots: Vec<Word> = rest
                .iter()
                .take_while(|word| !word.text.starts_with(['-', '(', '!']))
                .map(|word| (*word).clone())
                .collect();
            let prints = !rest
                .iter()
                .any(|word| word.text.starts_with("-exec") || word.text.contains("printf"));
            let is_known = !roots.is_empty() && roots.iter().all(|word| !word.unknown);
            (is_known && prints).then_some(Feed::Names(roots))
        }
        // They leave lines out, or change their order.
        "grep" | "egrep" | "sort" | "uniq" | "head" | "tail" => {
            let changes = rest.iter().any(|word| {
                let text = word.text.as_ref();
                word.unknown || text == "-c" || text.starts_with("-o") || text.starts_with("--")
            });
            feed.filter(|feed| !changes && matches!(feed, Feed::Names(_)))
        }
        _ => None,
    }
}
