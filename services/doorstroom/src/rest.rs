//! When a chain is at rest: every feed has been taken in by whoever follows it, nothing is due, and no command waits.

use crate::cluster::ABOUT;
use proto::feed::v1::GetStatusResponse;
use std::collections::BTreeMap;

/// What services tell of themselves, by name.
pub type Told = BTreeMap<&'static str, GetStatusResponse>;

/// What the services that told still have to do, in words; what the silent ones have to do is not in it.
///
/// Empty, with all of them heard and regie as the first, it means that there is nothing left in the whole chain, though
/// they were not heard at one moment: a service goes on only for an event that it had not taken in, which then is newer
/// than what it told, or for a command of regie, which then is waiting there.
pub fn left_to_do(told: &Told) -> Vec<String> {
    let busy = told.iter().filter(|(_, status)| status.pending > 0);
    let mut left: Vec<String> =
        busy.map(|(service, status)| format!("{service} has {} things to do", status.pending)).collect();
    for (reader, feeds) in ABOUT.map(|about| (about.name, about.feeds)) {
        let Some(mine) = told.get(reader) else { continue };
        for (feed, status) in feeds.iter().filter_map(|feed| Some((feed.of, told.get(feed.of)?))) {
            let cursor = mine.taken_in.iter().find(|one| one.feed == feed).map(|one| &one.cursor);
            if cursor != Some(&status.head_cursor) {
                left.push(format!("{reader} has not taken in all {} events of {feed}", status.head));
            }
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::feed::v1::TakenIn;

    fn status(head: i64, taken_in: &[(&str, i64)]) -> GetStatusResponse {
        let taken = |(feed, n): &(&str, i64)| TakenIn { feed: (*feed).to_owned(), cursor: n.to_string() };
        let taken_in = taken_in.iter().map(taken).collect();
        GetStatusResponse { head, head_cursor: head.to_string(), taken_in, ..Default::default() }
    }

    #[test]
    fn a_chain_rests_once_everything_was_taken_in_and_nothing_waits() {
        let told = |regie: i64, monitor: Option<i64>| {
            let taken: Vec<_> = monitor.into_iter().map(|n| ("access", n)).collect();
            Told::from([
                ("access", status(3, &[])),
                ("regie", status(0, &[("access", regie)])),
                ("monitor", status(0, &taken)),
            ])
        };
        let of = |told: Told| left_to_do(&told).into_iter().filter(|what| what.ends_with("of access")).count();
        assert_eq!(of(told(3, Some(3))), 0);
        assert_eq!(of(told(2, Some(3))), 1);
        assert_eq!(of(told(2, None)), 2, "who has not begun has not taken in anything");
        let mut busy = told(3, Some(3));
        busy.get_mut("regie").unwrap().pending = 1;
        assert!(left_to_do(&busy).contains(&"regie has 1 things to do".to_owned()));
    }
}
