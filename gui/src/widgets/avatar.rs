//! A person as a coloured disc with a letter.

use egui::{Align2, Painter, Pos2};

use crate::names::initial;
use crate::theme::{IDENTITY_INK, identity_fill, semibold};

/// Paints the disc, `size` points across.
pub(crate) fn avatar(painter: &Painter, center: Pos2, size: f32, name: &str, handle: &str) {
    painter.circle_filled(center, size / 2.0, identity_fill(handle));
    painter.text(
        center,
        Align2::CENTER_CENTER,
        initial(name),
        semibold((size * 0.42).round()),
        IDENTITY_INK,
    );
}
