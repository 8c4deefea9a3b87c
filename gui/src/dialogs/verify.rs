//! Compares safety numbers.

use egui::{
    Align2, CornerRadius, RichText, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use sotto_client::Command;
use sotto_client::view::{ChatId, ChatRow, Outcome, ProfileView, Trust};

use crate::gate::alert;
use crate::names::clean;
use crate::scan::Scan;
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, body, mono, space};
use crate::widgets::{Kind, qr, spinner, text_button, text_field};
use crate::words;

use super::{DialogScene, frame};

/// Digits in a group, as they are read aloud.
const GROUP: usize = 5;
/// Groups in a row.
const COLUMNS: usize = 4;

/// A code of the peer, and what was asked about it.
#[derive(Default)]
pub(crate) struct CodeForm {
    code: String,
    asked: Option<String>,
    scan: Scan,
}

impl CodeForm {
    /// Draws the dialog.
    pub(super) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, chat: ChatId, asks: &mut Asks) {
        let Some((profile, row)) = scene.chat(chat) else {
            asks.wish(Wish::CloseDialog);
            return;
        };
        let p = scene.palette;
        let name = clean(&row.name, &row.handle);
        if let Some(code) = self.scan.take(ui.ctx()) {
            self.compare(profile, chat, code, asks);
        }
        let title = words::verify_title(&name);
        frame(ui, p, &title, 640.0, asks, |ui, asks| {
            let Some(number) = &row.safety_number else {
                let text = RichText::new(words::NO_SAFETY_NUMBER);
                ui.label(text.font(body(14.0)).color(p.text2));
                return;
            };
            let groups = groups(number);
            if ui.available_width() < 560.0 {
                code_ui(ui, row);
                number_ui(ui, p, &groups);
                ui.label(hint(p, &name));
                buttons_ui(ui, p, profile, row, number, &groups, asks);
            } else {
                ui.horizontal_top(|ui| {
                    code_ui(ui, row);
                    ui.add_space(space::M);
                    ui.vertical(|ui| {
                        number_ui(ui, p, &groups);
                        ui.label(hint(p, &name));
                        ui.add_space(space::XS);
                        buttons_ui(ui, p, profile, row, number, &groups, asks);
                    });
                });
            }
            ui.add_space(space::S);
            self.field_ui(ui, p, profile, chat, &name, asks);
        });
    }

    fn field_ui(
        &mut self,
        ui: &mut Ui,
        p: &Palette,
        profile: &ProfileView,
        chat: ChatId,
        name: &str,
        asks: &mut Asks,
    ) {
        let label = words::their_code(name);
        let response = text_field(ui, p, &label, &mut self.code);
        let has_enter =
            response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if response.changed() {
            self.asked = None;
            self.scan.forget();
        }
        let compared = profile.comparison.as_ref().filter(|compared| {
            compared.chat == chat && self.asked.as_ref() == Some(&compared.code)
        });
        if let Some(compared) = compared {
            let text = words::outcome(compared.outcome, name);
            if compared.outcome == Outcome::Match {
                ui.label(RichText::new(text).font(body(14.0)).color(p.success));
            } else {
                alert(ui, p, &text);
            }
        } else if self.scan.has_failed() {
            alert(ui, p, words::NO_CODE_IN_PICTURE);
        }
        ui.horizontal(|ui| {
            let is_ready = !self.code.trim().is_empty() && !self.scan.is_busy();
            let button = ui.add_enabled_ui(is_ready, |ui| {
                text_button(ui, p, Kind::Plain, words::COMPARE, space::CONTROL, 0.0)
            });
            if (button.inner.clicked() || has_enter) && is_ready {
                let code = self.code.trim().to_owned();
                if !self.scan.start(ui.ctx(), &code) {
                    self.compare(profile, chat, code, asks);
                }
            }
            if self.scan.is_busy() {
                spinner(ui, 20.0, p.accent);
            }
        });
    }

    fn compare(&mut self, profile: &ProfileView, chat: ChatId, code: String, asks: &mut Asks) {
        self.asked = Some(code.clone());
        asks.command(&profile.id, Command::CompareCode { chat, code });
    }
}

fn hint(p: &Palette, name: &str) -> RichText {
    RichText::new(words::verify_hint(name))
        .font(body(14.0))
        .color(p.text2)
}

fn code_ui(ui: &mut Ui, row: &ChatRow) {
    if let Some(code) = &row.verification_code {
        qr(ui, 220.0, code, words::CODE_QR);
    }
}

fn buttons_ui(
    ui: &mut Ui,
    p: &Palette,
    profile: &ProfileView,
    row: &ChatRow,
    number: &str,
    groups: &[String],
    asks: &mut Asks,
) {
    ui.horizontal_wrapped(|ui| {
        let yes = if row.trust == Trust::Verified {
            Kind::Plain
        } else {
            Kind::Primary
        };
        let decide = |matches| Command::SetVerified {
            chat: row.id,
            safety_number: number.to_owned(),
            matches,
        };
        if text_button(ui, p, yes, words::THEY_MATCH, space::CONTROL, 0.0).clicked() {
            asks.command(&profile.id, decide(true));
            asks.wish(Wish::CloseDialog);
        }
        let no = words::THEY_DO_NOT_MATCH;
        if text_button(ui, p, Kind::Danger, no, space::CONTROL, 0.0).clicked() {
            let name = clean(&row.name, &row.handle);
            asks.command(&profile.id, decide(false));
            asks.wish(Wish::Toast(words::verify_mismatch(&name)));
            asks.wish(Wish::CloseDialog);
        }
        if text_button(ui, p, Kind::Plain, words::COPY, space::CONTROL, 0.0).clicked() {
            asks.wish(Wish::Copy(groups.join(" ")));
        }
        if let Some(code) = &row.verification_code
            && text_button(ui, p, Kind::Plain, words::COPY_CODE, space::CONTROL, 0.0).clicked()
        {
            asks.wish(Wish::Copy(code.clone()));
        }
    });
}

/// The digits in groups.
fn groups(number: &str) -> Vec<String> {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    digits
        .chunks(GROUP)
        .map(|group| group.iter().collect())
        .collect()
}

fn number_ui(ui: &mut Ui, p: &Palette, groups: &[String]) {
    let rows = groups.len().div_ceil(COLUMNS);
    #[expect(clippy::cast_precision_loss, reason = "a few rows and columns")]
    let (height, columns) = (rows as f32 * 28.0 + 2.0 * space::M, COLUMNS as f32);
    let width = ui.available_width();
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    response.widget_info(|| {
        let spoken = format!("{}: {}", words::SAFETY_NUMBER, groups.join(" "));
        WidgetInfo::labeled(Role::Label, true, spoken)
    });
    let painter = ui.painter();
    let radius = CornerRadius::same(space::RADIUS_ROW);
    painter.rect(
        rect,
        radius,
        p.surface0,
        Stroke::new(1.0, p.line),
        StrokeKind::Inside,
    );
    let inner = rect.shrink(space::M);
    for (row, line) in groups.chunks(COLUMNS).enumerate() {
        for (column, group) in line.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "a few rows and columns")]
            let (x, y) = (column as f32 + 0.5, row as f32 * 28.0 + 14.0);
            let at = pos2(inner.left() + x * inner.width() / columns, inner.top() + y);
            painter.text(at, Align2::CENTER_CENTER, group, mono(16.0), p.text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_hold_five_digits_whatever_stands_between() {
        assert_eq!(
            groups("12345 67890-12345\n6"),
            ["12345", "67890", "12345", "6"]
        );
        assert_eq!(groups(&"7".repeat(60)).len(), 12);
        assert!(groups("").is_empty());
    }
}
