//! A search on its way: a stretch of the vault at a time, so that everything else goes on.

use std::sync::Arc;

use crate::core::message_view;
use crate::query::Query;
use crate::vault::{Vault, VaultError};
use crate::view::{MessageKey, SEARCH_HITS_MAX, SearchHit, SearchResults, SearchState};

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
        results
            .hits
            .extend(page.hits.into_iter().map(|hit| SearchHit {
                chat: hit.message.chat,
                message: Arc::new(message_view(&hit.message)),
                matches: hit.matches,
            }));
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
