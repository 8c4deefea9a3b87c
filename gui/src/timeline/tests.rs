//! The anchored row stays where it is, whatever changes around it.

use sotto_client::view::{ChatId, Delivery, KeyringUse, Message};

use super::*;
use crate::moment::LocalTime;
use crate::theme::Palette;

fn message(key: i64) -> Arc<Message> {
    let words = usize::try_from(key.rem_euclid(23)).unwrap() * 7 + 1;
    Arc::new(Message {
        key: MessageKey(key),
        is_mine: key.rem_euclid(3) == 0,
        body: Body::Text("wörter die umbrechen ".repeat(words)),
        is_cut: false,
        quote: None,
        sent_at_millis: key * 40_000,
        delivery: Delivery::Delivered,
    })
}

fn timeline(keys: std::ops::Range<i64>) -> Arc<Timeline> {
    Arc::new(Timeline {
        chat: ChatId(1),
        messages: keys.map(message).collect(),
        has_older: true,
        has_newer: false,
        first_unread: None,
    })
}

fn profile() -> sotto_client::view::ProfileView {
    sotto_client::view::ProfileView {
        id: sotto_client::view::ProfileId::new("alice"),
        name: "Alice".to_owned(),
        state: sotto_client::view::ProfileState::Ready,
        relay: sotto_client::view::RelayState::Connected,
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

/// Runs `check` inside a frame with the app's fonts.
fn in_frame(check: impl FnMut(&mut Ui)) {
    let ctx = egui::Context::default();
    crate::theme::install_fonts(&ctx, false);
    let mut check = check;
    let mut output = ctx.run_ui(egui::RawInput::default(), |ui| check(ui));
    output.textures_delta.clear();
}

const VIEW: f64 = 600.0;

/// Where the row with this key stands in the viewport.
fn place(state: &TimelineState, offset: f64, key: i64) -> f64 {
    let row = state
        .rows
        .iter()
        .position(|row| row.key() == RowKey::Message(MessageKey(key)))
        .unwrap();
    f64::from(EDGE) + state.heights.top(row) - offset
}

#[test]
fn the_anchored_row_stays_while_pages_arrive_and_the_width_changes() {
    let profile = profile();
    let scene = Scene {
        palette: &Palette::DARK,
        profile: &profile,
        now: LocalTime { day: 3, minute: 0 },
        utc_offset_secs: 0,
    };
    in_frame(|ui| {
        let mut state = TimelineState {
            source: None,
            ..TimelineState::default()
        };
        state.take(&timeline(1000..1200), scene, 700.0, VIEW);
        state.is_at_end = false;
        state.anchor = Some((RowKey::Message(MessageKey(1100)), 13.0));
        let offset = state.settle(ui, scene, VIEW);
        assert!((place(&state, offset, 1100) + 13.0).abs() < 0.01);
        // Older rows are revealed above.
        state.take(&timeline(900..1200), scene, 700.0, VIEW);
        let offset = state.settle(ui, scene, VIEW);
        assert!((place(&state, offset, 1100) + 13.0).abs() < 0.01);
        // Newer rows arrive below, older ones go.
        state.take(&timeline(1050..1300), scene, 700.0, VIEW);
        let offset = state.settle(ui, scene, VIEW);
        assert!((place(&state, offset, 1100) + 13.0).abs() < 0.01);
        // The window becomes narrower.
        state.take(&timeline(1050..1300), scene, 380.0, VIEW);
        let offset = state.settle(ui, scene, VIEW);
        assert!((place(&state, offset, 1100) + 13.0).abs() < 0.01);
    });
}

#[test]
fn the_end_is_followed_exactly() {
    let profile = profile();
    let scene = Scene {
        palette: &Palette::DARK,
        profile: &profile,
        now: LocalTime { day: 3, minute: 0 },
        utc_offset_secs: 0,
    };
    in_frame(|ui| {
        let mut state = TimelineState::default();
        for end in 1100..1110 {
            state.take(&timeline(1000..end), scene, 500.0, VIEW);
            let offset = state.settle(ui, scene, VIEW);
            assert!((offset - (state.content() - VIEW)).abs() < 0.01);
            let last = state.rows.len() - 1;
            assert!(state.heights.is_measured(last));
        }
    });
}

#[test]
fn only_rows_near_the_viewport_are_measured() {
    let profile = profile();
    let scene = Scene {
        palette: &Palette::DARK,
        profile: &profile,
        now: LocalTime { day: 3, minute: 0 },
        utc_offset_secs: 0,
    };
    in_frame(|ui| {
        let mut state = TimelineState::default();
        state.take(&timeline(0..5000), scene, 700.0, VIEW);
        state.settle(ui, scene, VIEW);
        let measured = (0..state.heights.len())
            .filter(|row| state.heights.is_measured(*row))
            .count();
        assert!((1..200).contains(&measured), "{measured} rows measured");
    });
}
