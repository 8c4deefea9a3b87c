//! A search on its way: a stretch of the vault at a time, so that everything else goes on.

use std::sync::Arc;

use crate::core::message_view;
use crate::query::Query;
use crate::vault::{Hit, Vault, VaultError};
use crate::view::{
    Body, EXCERPT_BYTES_MAX, MessageKey, SEARCH_HITS_MAX, SearchHit, SearchResults, SearchState,
};

/// Hits that are looked for before the person asks for more.
const PAGE: usize = 50;

/// What was found so far, and where to go on.
pub(super) struct Search {
    results: Arc<SearchResults>,
    before: Option<MessageKey>,
    /// Hits to find before it pauses.
    wanted: usize,
}

impl Search {
    pub(super) fn new(query: Query) -> Self {
        Self {
            results: Arc::new(SearchResults {
                query,
                hits: Vec::new(),
                state: SearchState::Running,
            }),
            before: None,
            wanted: PAGE,
        }
    }

    /// Whether there is something to do.
    pub(super) fn is_running(&self) -> bool {
        self.results.state == SearchState::Running
    }

    /// The next page, if there is one.
    pub(super) fn go_on(&mut self) {
        if self.results.state == SearchState::Paused {
            self.wanted = self.results.hits.len() + PAGE;
            Arc::make_mut(&mut self.results).state = SearchState::Running;
        }
    }

    /// Looks through the next stretch.
    pub(super) fn step(&mut self, vault: &Vault) -> Result<(), VaultError> {
        let results = Arc::make_mut(&mut self.results);
        let limit = self.wanted.saturating_sub(results.hits.len());
        let page = vault.search(&results.query, self.before, limit)?;
        results.hits.extend(page.hits.into_iter().map(hit_view));
        self.before = page.next;
        let found = results.hits.len();
        if page.next.is_none() || found >= SEARCH_HITS_MAX {
            results.state = SearchState::Complete;
        } else if found >= self.wanted {
            results.state = SearchState::Paused;
        }
        Ok(())
    }

    pub(super) fn results(&self) -> Arc<SearchResults> {
        Arc::clone(&self.results)
    }
}

/// A hit; of a long text the stretch around what was found first.
fn hit_view(hit: Hit) -> SearchHit {
    let mut message = message_view(&hit.message);
    let mut matches = hit.matches;
    if let Body::Text(text) = &mut message.body
        && text.len() > EXCERPT_BYTES_MAX
    {
        let first = matches.first().map_or(0, |found| found.start);
        let start = text.floor_char_boundary(first.saturating_sub(EXCERPT_BYTES_MAX / 2));
        let end = text.floor_char_boundary(start + EXCERPT_BYTES_MAX);
        matches.retain(|found| found.end <= end);
        for found in &mut matches {
            *found = found.start - start..found.end - start;
        }
        *text = text.get(start..end).unwrap_or_default().to_owned();
        message.is_cut = true;
    }
    SearchHit {
        chat: hit.message.chat,
        message: Arc::new(message),
        matches,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::content::Shown;
    use crate::core::effects::MessageRecord;
    use crate::view::{ChatId, Delivery, MessageId};

    #[test]
    fn a_hit_in_a_long_text_is_shown_with_what_is_around_it() {
        let before = "größe ".repeat(EXCERPT_BYTES_MAX);
        let text = format!("{before}needle and needle {before}needle");
        let matches: Vec<_> = text
            .match_indices("needle")
            .map(|(at, found)| at..at + found.len())
            .collect();
        let hit = hit_view(Hit {
            message: MessageRecord {
                key: MessageKey(1),
                chat: ChatId(1),
                is_mine: false,
                shown: Shown::text(MessageId([1; 16]), 0, text, None),
                delivery: Delivery::Delivered,
                is_unread: false,
                is_sealed: true,
            },
            matches,
        });
        let Body::Text(shown) = &hit.message.body else {
            panic!("no text");
        };
        assert!(hit.message.is_cut && shown.len() <= EXCERPT_BYTES_MAX);
        let found = hit.matches.iter().map(|range| shown.get(range.clone()));
        // The third one is too far away.
        assert_eq!(found.collect::<Vec<_>>(), [Some("needle"); 2]);
    }
}
