//! Those who are blocked, and the way back.

use egui::{Align, Layout, RichText, Ui};
use sotto_client::Command;

use crate::names::clean;
use crate::scene::{Asks, Wish};
use crate::theme::{body, space};
use crate::widgets::{Kind, text_button};
use crate::words;

use super::{DialogScene, frame};

/// Draws the dialog.
pub(super) fn ui(ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
    let Some(profile) = scene.profile else {
        asks.wish(Wish::CloseDialog);
        return;
    };
    let p = scene.palette;
    frame(ui, p, words::BLOCKED_PEOPLE, 400.0, asks, |ui, asks| {
        let mut blocked = profile.chats.iter().filter(|row| row.is_blocked).peekable();
        if blocked.peek().is_none() {
            let text = RichText::new(words::NOBODY_BLOCKED);
            ui.label(text.font(body(14.0)).color(p.text2));
        }
        for row in blocked {
            let name = clean(&row.name, &row.handle);
            ui.horizontal(|ui| {
                ui.label(RichText::new(&name).font(body(14.0)).color(p.text));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let label = words::unblock(&name);
                    if text_button(ui, p, Kind::Plain, &label, space::TARGET, 0.0).clicked() {
                        asks.command(&profile.id, Command::Unblock(row.id));
                    }
                });
            });
        }
    });
}
