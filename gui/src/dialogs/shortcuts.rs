//! The list of keyboard shortcuts.

use egui::{Align2, CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

use crate::scene::Asks;
use crate::theme::{body, medium, space};
use crate::words;

use super::{DialogScene, frame};

/// Draws the sheet.
pub(super) fn ui(ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
    let p = scene.palette;
    frame(ui, p, words::SHORTCUTS, 420.0, asks, |ui, _| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (keys, meaning) in words::SHORTCUT_LIST {
            let size = vec2(ui.available_width(), 32.0);
            let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
            response.widget_info(|| {
                WidgetInfo::labeled(Role::Label, true, format!("{keys}: {meaning}"))
            });
            let painter = ui.painter();
            painter.text(
                rect.left_center(),
                Align2::LEFT_CENTER,
                meaning,
                body(14.0),
                p.text,
            );
            let mut right = rect.right();
            for key in keys.split("  ").collect::<Vec<_>>().into_iter().rev() {
                let galley = painter.layout_no_wrap(key.to_owned(), medium(12.0), p.text2);
                let cap = Rect::from_min_max(
                    egui::pos2(right - galley.size().x - 16.0, rect.center().y - 11.0),
                    egui::pos2(right, rect.center().y + 11.0),
                );
                let radius = CornerRadius::same(5);
                painter.rect(
                    cap,
                    radius,
                    p.surface2,
                    Stroke::new(1.0, p.line),
                    StrokeKind::Inside,
                );
                painter.galley(cap.center() - galley.size() / 2.0, galley, p.text2);
                right = cap.left() - space::XS;
            }
        }
    });
}
