//! An answer: plain text, and who has made it.

use egui::{CornerRadius, Frame, Label, Margin, RichText, Role, Ui, WidgetInfo};
use sotto_client::assistant::Provider;
use sotto_client::view::{Help, HelpState};

use crate::bidi;
use crate::theme::{Palette, body, space};
use crate::widgets::spinner;
use crate::words;

/// Something is on its way.
pub(super) fn waiting_ui(ui: &mut Ui, p: &Palette, text: &str) {
    ui.horizontal(|ui| {
        spinner(ui, 20.0, p.accent);
        ui.label(RichText::new(text).font(body(14.0)).color(p.text2));
    });
}

/// The text so far, without links or anything else that does something.
pub(super) fn text_ui(ui: &mut Ui, p: &Palette, text: &str) {
    if text.is_empty() {
        return;
    }
    framed(ui, p, |ui| {
        let text = bidi::displayable(text);
        let look = RichText::new(&text).font(body(14.0)).color(p.text);
        let label = ui.add(Label::new(look).wrap());
        label.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    });
}

/// The ground of an answer.
pub(super) fn framed(ui: &mut Ui, p: &Palette, content: impl FnOnce(&mut Ui)) {
    Frame::new()
        .fill(p.surface2)
        .corner_radius(CornerRadius::same(space::RADIUS_ROW))
        .inner_margin(Margin::symmetric(14, 12))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            content(ui);
        });
}

/// Under a whole answer: who has made it, and whether it ended too early.
pub(super) fn made_by_ui(ui: &mut Ui, p: &Palette, help: &Help, provider: &Provider) {
    let mut text = words::made_by(provider);
    if help.state == (HelpState::Done { is_cut: true }) {
        text = format!("{text} {}", words::ANSWER_IS_CUT);
    }
    ui.label(RichText::new(text).font(body(13.0)).color(p.text2));
}
