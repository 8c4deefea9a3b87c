//! Keyboard shortcuts of the whole window.

use egui::{Context, Event, Key, KeyboardShortcut, Modifiers};

use crate::timeline::Scroll;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stroke {
    /// The identity at this place of the rail, from 0.
    Identity(usize),
    /// The chat before the open one.
    PreviousChat,
    /// The chat after the open one.
    NextChat,
    /// Look for something in all chats.
    Search,
    /// Look for something in the open chat.
    SearchChat,
    /// Answer a message: the newest one, or the one before that which is answered.
    Reply,
    /// Find other words for what is written.
    Rephrase,
    /// Lock the identity.
    Lock,
    /// Open the settings.
    Settings,
    /// Open the list of shortcuts.
    Shortcuts,
    /// The next pane.
    NextPane,
    /// Move in the messages.
    Scroll(Scroll),
    /// Back to the composer.
    Escape,
}

const DIGITS: [Key; 9] = [
    Key::Num1,
    Key::Num2,
    Key::Num3,
    Key::Num4,
    Key::Num5,
    Key::Num6,
    Key::Num7,
    Key::Num8,
    Key::Num9,
];

/// Takes the window's shortcuts out of this frame's input; `is_writing` leaves Home and End alone.
pub(crate) fn take(ctx: &Context, is_writing: bool, has_dialog: bool) -> Vec<Stroke> {
    let mut found = Vec::new();
    let mut shortcut = |modifiers, key, stroke| {
        let shortcut = KeyboardShortcut::new(modifiers, key);
        if ctx.input_mut(|input| input.consume_shortcut(&shortcut)) {
            found.push(stroke);
        }
    };
    for (index, key) in DIGITS.into_iter().enumerate() {
        shortcut(Modifiers::COMMAND, key, Stroke::Identity(index));
    }
    shortcut(Modifiers::ALT, Key::ArrowUp, Stroke::PreviousChat);
    shortcut(Modifiers::ALT, Key::ArrowDown, Stroke::NextChat);
    shortcut(Modifiers::COMMAND, Key::L, Stroke::Lock);
    shortcut(Modifiers::COMMAND, Key::Comma, Stroke::Settings);
    shortcut(Modifiers::COMMAND, Key::Slash, Stroke::Shortcuts);
    if has_dialog {
        return found;
    }
    shortcut(Modifiers::COMMAND, Key::K, Stroke::Search);
    shortcut(Modifiers::COMMAND, Key::F, Stroke::SearchChat);
    shortcut(Modifiers::COMMAND, Key::R, Stroke::Reply);
    shortcut(Modifiers::COMMAND, Key::J, Stroke::Rephrase);
    shortcut(Modifiers::NONE, Key::F6, Stroke::NextPane);
    shortcut(Modifiers::NONE, Key::PageUp, Stroke::Scroll(Scroll::PageUp));
    shortcut(
        Modifiers::NONE,
        Key::PageDown,
        Stroke::Scroll(Scroll::PageDown),
    );
    if !is_writing {
        shortcut(Modifiers::NONE, Key::Home, Stroke::Scroll(Scroll::Home));
        shortcut(Modifiers::NONE, Key::End, Stroke::Scroll(Scroll::End));
    }
    // Read before egui takes Esc to give up the focus.
    if ctx.input(|input| input.key_pressed(Key::Escape)) {
        found.push(Stroke::Escape);
    }
    found
}

/// The text typed in this frame.
pub(crate) fn typed(ctx: &Context) -> String {
    ctx.input(|input| {
        input
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    })
}
