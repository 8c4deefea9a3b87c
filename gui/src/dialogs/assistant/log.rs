//! What was given to a cloud.

use egui::{Label, RichText, Ui};

use crate::dialogs::{DialogScene, frame};
use crate::moment::LocalTime;
use crate::scene::{Asks, Wish};
use crate::theme::{body, medium};
use crate::words;

use super::WIDTH;

/// Draws the dialog.
pub(crate) fn ui(ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
    let Some(profile) = scene.profile else {
        asks.wish(Wish::CloseDialog);
        return;
    };
    let p = scene.palette;
    frame(ui, p, words::ASSISTANT_LOG, WIDTH, asks, |ui, _| {
        if profile.assistant.uses.is_empty() {
            let text = RichText::new(words::NO_USES).font(body(14.0));
            ui.label(text.color(p.text2));
        }
        for it in profile.assistant.uses.iter() {
            let at = LocalTime::new(it.at_millis, scene.utc_offset_secs(it.at_millis));
            let what = RichText::new(words::use_of(it)).font(medium(14.0));
            ui.add(Label::new(what.color(p.text)).wrap());
            let when = RichText::new(words::use_details(it, at)).font(body(13.0));
            ui.add(Label::new(when.color(p.text2)).wrap());
        }
    });
}
