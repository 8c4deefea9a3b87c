//! Messages that are too long for one envelope: their parts come one after the other, and wait in the
//! vault until the last one is there.

use super::Core;
use super::content::{EXCERPT_PAYLOAD_BYTES, Part, Shown};
use super::effects::{Change, Unfinished};
use crate::view::{ChatId, Standing};

impl Core {
    /// A part has come. The first one of a message takes the place of what was unfinished: a peer
    /// who began anew goes on with that. Without the one before it, a part is worth nothing.
    pub(super) fn take_part(&mut self, chat_id: ChatId, part: Part, sent_at_millis: i64) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        // A stranger would fill the disk with them.
        if chat.standing != Standing::Contact {
            return;
        }
        let Part {
            whole,
            index,
            count,
            bytes,
        } = part;
        if index == 0 {
            chat.unfinished = Some(Unfinished {
                whole,
                next: 0,
                beginning: bytes
                    .get(..EXCERPT_PAYLOAD_BYTES)
                    .unwrap_or(&bytes)
                    .to_vec(),
            });
        }
        let is_due = |it: &&mut Unfinished| it.whole == whole && it.next == index;
        let Some(unfinished) = chat.unfinished.as_mut().filter(is_due) else {
            return;
        };
        unfinished.next += 1;
        self.effects.commit.push(Change::AddPart {
            chat: chat_id,
            whole,
            index,
            bytes,
        });
        if index + 1 == count
            && let Some(unfinished) = chat.unfinished.take()
        {
            let beginning =
                Shown::from_parts(whole, sent_at_millis, &unfinished.beginning).ending_well();
            self.take_message(chat_id, beginning, Change::AddWhole);
        }
    }
}
