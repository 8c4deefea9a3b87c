//! Compares safety numbers.

use egui::{
    Align2, CornerRadius, RichText, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use sotto_client::Command;
use sotto_client::view::{ChatId, Trust};

use crate::names::clean;
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, body, mono, space};
use crate::widgets::{Kind, text_button};
use crate::words;

use super::{DialogScene, frame};

/// Digits in a group, as they are read aloud.
const GROUP: usize = 5;
/// Groups in a row.
const COLUMNS: usize = 4;

/// Draws the dialog.
pub(super) fn ui(ui: &Ui, scene: DialogScene<'_>, chat: ChatId, asks: &mut Asks) {
    let found = scene
        .profile
        .and_then(|profile| Some((profile, profile.chats.iter().find(|row| row.id == chat)?)));
    let Some((profile, row)) = found else {
        asks.wish(Wish::CloseDialog);
        return;
    };
    let p = scene.palette;
    let name = clean(&row.name, &row.handle);
    frame(
        ui,
        p,
        &words::verify_title(&name),
        420.0,
        asks,
        |ui, asks| {
            let Some(number) = &row.safety_number else {
                ui.label(
                    RichText::new(words::NO_SAFETY_NUMBER)
                        .font(body(14.0))
                        .color(p.text2),
                );
                return;
            };
            let groups = groups(number);
            number_ui(ui, p, &groups);
            ui.add_space(space::XS);
            ui.label(
                RichText::new(words::verify_hint(&name))
                    .font(body(14.0))
                    .color(p.text2),
            );
            ui.add_space(space::S);
            ui.horizontal_wrapped(|ui| {
                let is_verified = row.trust == Trust::Verified;
                let (yes, no) = if is_verified {
                    (Kind::Plain, Kind::Danger)
                } else {
                    (Kind::Primary, Kind::Danger)
                };
                if text_button(ui, p, yes, words::THEY_MATCH, space::CONTROL, 0.0).clicked() {
                    asks.command(
                        &profile.id,
                        Command::SetVerified {
                            chat,
                            safety_number: number.clone(),
                            matches: true,
                        },
                    );
                    asks.wish(Wish::CloseDialog);
                }
                if text_button(ui, p, no, words::THEY_DO_NOT_MATCH, space::CONTROL, 0.0).clicked() {
                    asks.command(
                        &profile.id,
                        Command::SetVerified {
                            chat,
                            safety_number: number.clone(),
                            matches: false,
                        },
                    );
                    asks.wish(Wish::Toast(words::verify_mismatch(&name)));
                    asks.wish(Wish::CloseDialog);
                }
                if text_button(ui, p, Kind::Plain, words::COPY, space::CONTROL, 0.0).clicked() {
                    asks.wish(Wish::Copy(groups.join(" ")));
                }
            });
        },
    );
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
