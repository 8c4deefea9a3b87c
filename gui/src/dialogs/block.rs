//! Asks once more before somebody is blocked or refused.

use egui::{RichText, Ui};
use sotto_client::Command;
use sotto_client::view::ChatId;

use crate::names::clean;
use crate::scene::{Asks, Wish};
use crate::theme::{body, space};
use crate::widgets::{Kind, text_button};
use crate::words;

use super::{DialogScene, frame};

/// Draws the dialog.
pub(super) fn ui(ui: &Ui, scene: DialogScene<'_>, chat: ChatId, is_refusal: bool, asks: &mut Asks) {
    let Some((profile, row)) = scene.chat(chat) else {
        asks.wish(Wish::CloseDialog);
        return;
    };
    let p = scene.palette;
    let name = clean(&row.name, &row.handle);
    let (title, text, label) = if is_refusal {
        (
            words::refuse_title(&name),
            words::refuse_text(&name),
            words::REFUSE,
        )
    } else {
        (
            words::block_title(&name),
            words::block_text(&name),
            words::BLOCK,
        )
    };
    frame(ui, p, &title, 400.0, asks, |ui, asks| {
        ui.label(RichText::new(text).font(body(14.0)).color(p.text));
        ui.add_space(space::M);
        ui.horizontal(|ui| {
            if text_button(ui, p, Kind::Danger, label, space::CONTROL, 0.0).clicked() {
                let command = if is_refusal {
                    Command::RefuseRequest(chat)
                } else {
                    Command::Block(chat)
                };
                asks.command(&profile.id, command);
                asks.wish(Wish::CloseDialog);
            }
            if text_button(ui, p, Kind::Plain, words::CANCEL, space::CONTROL, 0.0).clicked() {
                asks.wish(Wish::CloseDialog);
            }
        });
    });
}
