//! A model with four people and a little history, always the same.

use std::sync::Arc;

use jiff::tz::TimeZone;
use sotto::Moment;
use sotto_client::view::{
    AssistantRules, Body, ChatId, ChatRow, Delivery, KeyringUse, Message, MessageKey, Presence,
    ProfileId, ProfileState, ProfileView, RelayState, SearchHit, SearchResults, SearchState,
    Standing, Timeline, Trust, ViewModel,
};
use sotto_client::{Query, RecoveryCode};

/// Tuesday, 24 November 2026, 14:05 UTC.
pub(crate) const NOW: Moment = Moment {
    unix_millis: (20_781 * 1440 + 14 * 60 + 5) * 60_000,
};

/// A safety number.
pub(crate) const SAFETY_NUMBER: &str =
    "37281 90456 11820 66403 51976 08214 73350 29481 64017 35592 80143 97266";

/// Its code.
pub(crate) const VERIFICATION_CODE: &str = "sotto:verify/1/sbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbE/oaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaE";

/// The folder in which files are proposed.
pub(crate) const DOCUMENTS: &str = "/home/alice/Documents";

/// A recovery code.
pub(crate) const RECOVERY_CODE: &str = "58N2-MAHA-58N2-MAHA-58N2-MAHA-58VN-H6QC";

/// As the client knows it.
pub(crate) fn recovery_code() -> RecoveryCode {
    RECOVERY_CODE.parse().expect("a recovery code")
}

const MINUTE: i64 = 60_000;

/// The four people, each with a chat with the other three; Alice is shown first.
pub(crate) fn four_people() -> ViewModel {
    let people = [
        ("alice", "Alice"),
        ("bob", "Bob"),
        ("charlie", "Charlie"),
        ("diana", "Diana"),
    ];
    ViewModel {
        profiles: people
            .iter()
            .map(|(handle, name)| {
                let mut profile = profile(handle, name);
                profile.chats = people
                    .iter()
                    .filter(|(peer, _)| peer != handle)
                    .enumerate()
                    .map(|(index, (peer, peer_name))| chat(index as i64 + 1, peer, peer_name))
                    .collect();
                if *handle == "alice" {
                    furnish(&mut profile);
                } else if *handle == "bob" {
                    profile.unread = 3;
                }
                Arc::new(profile)
            })
            .collect(),
    }
}

fn furnish(profile: &mut ProfileView) {
    let timeline = Arc::new(history());
    profile.chats[0].last = timeline.messages.last().cloned();
    profile.chats[0].presence = Presence::Online;
    profile.chats[0].trust = Trust::Verified;
    profile.chats[1].last = Some(Arc::new(message(
        70,
        true,
        -25 * 60,
        "ok",
        Delivery::Delivered,
    )));
    profile.chats[1].draft.push_str("I meant to say");
    profile.chats[2].last = Some(Arc::new(message(
        60,
        false,
        -60,
        "مرحبا! كيف الحال؟",
        Delivery::Delivered,
    )));
    profile.chats[2].unread = 3;
    profile.chats[2].presence = Presence::Online;
    profile.unread = 3;
    profile.timeline = Some(timeline);
}

/// A profile in use, without chats.
pub(crate) fn profile(handle: &str, name: &str) -> ProfileView {
    ProfileView {
        id: ProfileId::new(handle),
        name: name.to_owned(),
        state: ProfileState::Ready,
        relay: RelayState::Connected,
        unread: 0,
        has_passphrase: false,
        keyring: KeyringUse::No,
        privacy: sotto_client::view::Privacy::default(),
        chats: Vec::new(),
        timeline: None,
        has_recovery_code: false,
        contact_link: None,
        addition: None,
        comparison: None,
        text: None,
        search: None,
        job: None,
        assistant: Arc::default(),
        notice: None,
    }
}

/// A chat without messages.
pub(crate) fn chat(id: i64, handle: &str, name: &str) -> ChatRow {
    ChatRow {
        id: ChatId(id),
        handle: handle.to_owned(),
        name: name.to_owned(),
        presence: Presence::Away,
        trust: Trust::Unverified,
        safety_number: Some(SAFETY_NUMBER.to_owned()),
        verification_code: Some(VERIFICATION_CODE.to_owned()),
        last: None,
        unread: 0,
        is_typing: false,
        draft: String::new(),
        standing: Standing::Contact,
        is_blocked: false,
        mute: None,
        assistant: AssistantRules::default(),
    }
}

/// A stranger who has written twice.
pub(crate) fn request(id: i64, name: &str) -> ChatRow {
    ChatRow {
        standing: Standing::Request,
        last: Some(Arc::new(message(
            id + 1000,
            false,
            -7,
            "Hello, we met at the lake",
            Delivery::Delivered,
        ))),
        unread: 2,
        ..chat(id, "", name)
    }
}

/// The link of Alice.
pub(crate) const CONTACT_LINK: &str = "sotto:contact/1/alice/oaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaE/sotto://relay.example:4433?pin=paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU";

/// A text, `minutes` from [`NOW`].
pub(crate) fn message(
    key: i64,
    is_mine: bool,
    minutes: i64,
    text: &str,
    delivery: Delivery,
) -> Message {
    Message {
        key: MessageKey(key),
        is_mine,
        body: Body::Text(text.to_owned()),
        is_cut: false,
        quote: None,
        sent_at_millis: NOW.unix_millis + minutes * MINUTE,
        delivery,
    }
}

/// A timeline of chat 1 with these messages.
pub(crate) fn timeline(messages: Vec<Message>) -> Timeline {
    Timeline {
        chat: ChatId(1),
        messages: messages.into_iter().map(Arc::new).collect(),
        has_older: false,
        has_newer: false,
        first_unread: None,
    }
}

/// A day and a half of talk between Alice and Bob.
pub(crate) fn history() -> Timeline {
    use Delivery::{Delivered, Failed, Read, Relay, Sending};
    timeline(vec![
        message(
            1,
            false,
            -1500,
            "Are you coming to the lake on Saturday?",
            Delivered,
        ),
        message(2, true, -1498, "Yes! I would not miss it.", Read),
        message(
            3,
            true,
            -1497,
            "Charlie brings the boat, Diana the map. What is left for me?",
            Read,
        ),
        message(
            4,
            false,
            -240,
            "Bring the good coffee, please. And a second pair of socks; last time \
             half of us went home with wet feet, and I am still hearing about it.",
            Delivered,
        ),
        message(5, false, -239, "Train leaves 8:12", Delivered),
        message(6, true, -30, "Coffee: packed", Read),
        message(7, true, -29, "Socks too", Delivered),
        message(
            8,
            false,
            -12,
            "Perfect. See you at the station, by the big clock.",
            Delivered,
        ),
        message(9, true, -4, "See you there", Delivered),
        message(10, true, -2, "I will wear the yellow hat", Relay),
        message(11, true, -1, "so you cannot miss me", Sending),
        message(12, true, 0, "Call me if the train is late", Failed),
    ])
}

/// A long history of texts of many lengths.
pub(crate) fn long(keys: std::ops::Range<i64>) -> Timeline {
    timeline(
        keys.map(|key| {
            let words = usize::try_from(key % 17).expect("small") * 3 + 1;
            let text = format!("{key} {}", "some words that wrap ".repeat(words));
            message(key, key % 3 == 0, key - 10_000, text.trim(), Delivery::Read)
        })
        .collect(),
    )
}

/// What a search for "coffee" finds in [`four_people`].
pub(crate) fn coffee() -> SearchResults {
    let history = history();
    let hits = history.messages.iter().rev().filter_map(|message| {
        let Body::Text(text) = &message.body else {
            return None;
        };
        let start = text.to_lowercase().find("coffee")?;
        Some(SearchHit {
            chat: history.chat,
            message: Arc::clone(message),
            matches: std::iter::once(start..start + "coffee".len()).collect(),
        })
    });
    SearchResults {
        query: Query::parse("coffee", &TimeZone::UTC).expect("a query"),
        hits: hits.collect(),
        state: SearchState::Paused,
    }
}

/// Right-to-left talk, mixed with numbers and Latin.
pub(crate) fn right_to_left() -> Timeline {
    use Delivery::{Delivered, Read};
    timeline(vec![
        message(1, false, -20, "مرحبا! كيف الحال؟", Delivered),
        message(
            2,
            true,
            -19,
            "أنا بخير، شكرا. هل تأتي معنا إلى البحيرة يوم السبت (الساعة 8:12)؟ تشارلي يحضر القارب وديانا الخريطة.",
            Read,
        ),
        message(
            3,
            false,
            -15,
            "שלום! אני מגיע עם Bob ברכבת של 8:12.",
            Delivered,
        ),
        message(
            4,
            false,
            -14,
            "Latin first, then שלום עולם, then Latin.",
            Delivered,
        ),
        message(5, true, -10, "नमस्ते दुनिया! क्या हाल है?", Read),
        message(
            6,
            true,
            -9,
            "First line is English\nوالسطر الثاني بالعربية",
            Delivered,
        ),
    ])
}
