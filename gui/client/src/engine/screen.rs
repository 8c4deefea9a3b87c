//! From core and vault to the profile's part of the snapshot.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::FRAME;
use crate::core::effects::MessageRecord;
use crate::core::{Core, message_excerpt};
use crate::profile::closed_view;
use crate::vault::{Vault, VaultError};
use crate::view::{
    ChatId, ChatRow, Message, MessageKey, ProfileState, ProfileView, Quote, RelayState, Timeline,
};

/// The chat whose messages are shown.
struct Shown {
    chat: ChatId,
    around: Option<MessageKey>,
    first_unread: Option<MessageKey>,
}

/// What is shown of a profile, and when to show it anew.
#[derive(Default)]
pub(super) struct Screen {
    shown: Option<Shown>,
    timeline: Option<Arc<Timeline>>,
    is_timeline_stale: bool,
    due_at: Option<Instant>,
    published_at: Option<Instant>,
}

impl Screen {
    /// Something looks different: at once if the last snapshot is a frame old.
    pub(super) fn touch(&mut self) {
        if self.due_at.is_none() {
            let now = Instant::now();
            let earliest = self.published_at.map_or(now, |last| last + FRAME);
            self.due_at = Some(earliest.max(now));
        }
    }

    /// Messages look different.
    pub(super) fn touch_messages(&mut self) {
        self.is_timeline_stale = true;
        self.touch();
    }

    /// When to publish.
    pub(super) fn due_at(&self) -> Option<Instant> {
        self.due_at
    }

    /// Shows a chat. The mark of the first unread message stays while the same chat is shown.
    pub(super) fn show(
        &mut self,
        chat: ChatId,
        around: Option<MessageKey>,
        first_unread: Option<MessageKey>,
    ) {
        let is_same = self.shown.as_ref().is_some_and(|shown| shown.chat == chat);
        let kept = self.shown.as_ref().and_then(|shown| shown.first_unread);
        self.shown = Some(Shown {
            chat,
            around,
            first_unread: if is_same { kept } else { first_unread },
        });
        self.touch_messages();
    }

    /// The profile's part of the next snapshot.
    pub(super) fn view(
        &mut self,
        relay: RelayState,
        core: &Core,
        vault: &Vault,
    ) -> Result<ProfileView, VaultError> {
        if std::mem::take(&mut self.is_timeline_stale) {
            self.timeline = self.read_timeline(vault)?;
        }
        self.due_at = None;
        self.published_at = Some(Instant::now());
        let chats = core.rows();
        Ok(ProfileView {
            state: ProfileState::Ready,
            relay,
            unread: chats.iter().map(ChatRow::calls).sum(),
            has_passphrase: vault.has_passphrase(),
            privacy: core.privacy(),
            chats,
            timeline: self.timeline.clone(),
            notice: core.notice(),
            ..closed_view(core.person())
        })
    }

    /// Reads the window of the shown chat; messages that did not change are shared with the last
    /// snapshot.
    fn read_timeline(&self, vault: &Vault) -> Result<Option<Arc<Timeline>>, VaultError> {
        let Some(shown) = &self.shown else {
            return Ok(None);
        };
        let before: HashMap<MessageKey, &Arc<Message>> = self
            .timeline
            .iter()
            .flat_map(|timeline| &timeline.messages)
            .map(|message| (message.key, message))
            .collect();
        let window = vault.window(shown.chat, shown.around)?;
        let messages = window
            .messages
            .iter()
            .map(|record| {
                let message = with_quote(message_excerpt(record), record, vault)?;
                Ok(match before.get(&message.key) {
                    Some(same) if ***same == message => Arc::clone(same),
                    _ => Arc::new(message),
                })
            })
            .collect::<Result<_, VaultError>>()?;
        Ok(Some(Arc::new(Timeline {
            chat: shown.chat,
            messages,
            has_older: window.has_older,
            has_newer: window.has_newer,
            first_unread: shown.first_unread,
        })))
    }
}

/// The message with what it answers, as far as that is here.
pub(super) fn with_quote(
    mut message: Message,
    record: &MessageRecord,
    vault: &Vault,
) -> Result<Message, VaultError> {
    if let Some(Quote {
        is_mine,
        id,
        original,
    }) = &mut message.quote
    {
        *original = vault.quoted(record.chat, *is_mine, *id)?;
    }
    Ok(message)
}
