//! Who is writing at this moment. It travels in envelopes that the relay does not store, to peers who
//! are there; what is lost of it does no harm.

use bytes::Bytes;
use sotto_crypto::Packet;
use sotto_net::wire::SendEphemeral;

use super::content::Content;
use super::{Core, Moment};
use crate::view::{ChatId, Standing};

/// Whoever was writing counts as writing for so long.
const TYPING_MILLIS: i64 = 6_000;
/// A peer is told again after so long, while the writing goes on.
const TELL_AGAIN_MILLIS: i64 = 4_000;

impl Core {
    /// Something is being written in a chat: the peer is told, if they are there to see it.
    pub(super) fn tell_typing(&mut self, chat_id: ChatId, now: Moment) {
        let is_connected = self.is_settled();
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let since = chat.told_typing_at_millis.map(|at| now.unix_millis - at);
        let is_told = since.is_some_and(|since| (0..TELL_AGAIN_MILLIS).contains(&since));
        // Before the peer has answered, each envelope carries the whole handshake: it would be too
        // large to be handed on.
        let session = chat.sending_session();
        let is_acknowledged = session.is_some_and(|held| held.session.is_acknowledged());
        let is_wanted = self.privacy.typing && chat.is_online && chat.waiting.is_empty();
        if is_told || !is_connected || !is_acknowledged || !is_wanted {
            return;
        }
        chat.told_typing_at_millis = Some(now.unix_millis);
        if let Some(target) = self.seal(chat_id, &Content::TYPING, now) {
            let targets = vec![target];
            self.effects.send.push(SendEphemeral { targets }.into());
        }
    }

    /// Envelopes that were not stored. What does not open is passed over: nobody repeats it.
    pub(super) fn receive_ephemerals(&mut self, bodies: &[Bytes], now: Moment) {
        for body in bodies {
            let Ok(packet) = Packet::parse(body) else {
                continue;
            };
            let Some((chat_id, _, opened)) = self.open_in_session(&packet, now) else {
                continue;
            };
            let is_typing = matches!(
                opened.text().and_then(Content::decode),
                Some(Content::Typing)
            );
            let Some(chat) = self.chats.get_mut(&chat_id) else {
                continue;
            };
            // Who tells nobody is told of nobody either.
            if is_typing
                && self.privacy.typing
                && chat.standing == Standing::Contact
                && !chat.is_blocked
            {
                chat.typing_until_millis = Some(now.unix_millis + TYPING_MILLIS);
                self.effects.is_visible = true;
            }
        }
    }

    /// When the next peer no longer counts as writing, in milliseconds since 1970.
    pub(super) fn typing_ends_at_millis(&self) -> Option<i64> {
        let chats = self.chats.values();
        chats.filter_map(|chat| chat.typing_until_millis).min()
    }

    pub(super) fn end_typing(&mut self, now: Moment) {
        for chat in self.chats.values_mut() {
            let is_over = |until: i64| until <= now.unix_millis;
            if chat.typing_until_millis.is_some_and(is_over) {
                chat.typing_until_millis = None;
                self.effects.is_visible = true;
            }
        }
    }
}
