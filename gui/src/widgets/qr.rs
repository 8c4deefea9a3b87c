//! A QR code, black on white in every theme.

use egui::{Rect, Role, Sense, Ui, Vec2, WidgetInfo, pos2};
use qrcode::{EcLevel, QrCode};

use crate::theme::{QR_DARK, QR_LIGHT};

/// White modules around the code, as scanners want them.
const QUIET: usize = 4;

/// Draws `text` as a code of about `size` points, in whole pixels; nothing when it does not fit one.
pub(crate) fn qr(ui: &mut Ui, size: f32, text: &str, label: &str) {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::L) else {
        return;
    };
    let modules = code.width();
    let pixels = ui.ctx().pixels_per_point();
    #[expect(clippy::cast_precision_loss, reason = "at most 177 modules")]
    let across = (modules + 2 * QUIET) as f32;
    let module = (size * pixels / across).floor().max(1.0) / pixels;
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(across * module), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, label));
    let painter = ui.painter();
    painter.rect_filled(rect, 0, QR_LIGHT);
    #[expect(clippy::cast_precision_loss, reason = "at most 177 modules")]
    let at = |n: usize| (n + QUIET) as f32 * module;
    for y in 0..modules {
        let mut x = 0;
        while x < modules {
            let start = x;
            while x < modules && code[(x, y)] == qrcode::Color::Dark {
                x += 1;
            }
            if x > start {
                let from = rect.min + egui::vec2(at(start), at(y));
                let run = Rect::from_min_max(from, pos2(rect.min.x + at(x), from.y + module));
                painter.rect_filled(run, 0, QR_DARK);
            }
            x += 1;
        }
    }
}
