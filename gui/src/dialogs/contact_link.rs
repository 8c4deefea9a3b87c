//! The link by which others add this identity, as text and as a picture.

use egui::{Align, Frame, Label, Layout, Margin, RichText, Stroke, Ui};

use crate::scene::{Asks, Wish};
use crate::theme::{body, mono, space};
use crate::widgets::{Kind, qr, text_button};
use crate::words;

use super::{DialogScene, frame};

/// Draws the dialog.
pub(super) fn ui(ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
    let p = scene.palette;
    frame(ui, p, words::MY_LINK, 420.0, asks, |ui, asks| {
        let link = scene
            .profile
            .and_then(|profile| profile.contact_link.as_ref());
        let Some(link) = link else {
            let text = RichText::new(words::NO_LINK);
            ui.label(text.font(body(14.0)).color(p.text2));
            return;
        };
        ui.with_layout(Layout::top_down(Align::Center), |ui| {
            qr(ui, 260.0, link, words::MY_LINK_QR);
        });
        ui.add_space(space::S);
        Frame::new()
            .fill(p.surface0)
            .stroke(Stroke::new(1.0, p.line))
            .corner_radius(space::RADIUS_INPUT)
            .inner_margin(Margin::symmetric(12, 10))
            .show(ui, |ui| {
                ui.set_width(ui.available_width());
                let text = RichText::new(link).font(mono(12.0)).color(p.text);
                ui.add(Label::new(text).wrap());
            });
        let hint = RichText::new(words::MY_LINK_HINT);
        ui.label(hint.font(body(13.0)).color(p.text2));
        ui.add_space(space::XS);
        if text_button(ui, p, Kind::Primary, words::COPY_LINK, space::CONTROL, 0.0).clicked() {
            asks.wish(Wish::Copy(link.clone()));
        }
    });
}
