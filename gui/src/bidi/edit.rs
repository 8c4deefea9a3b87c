//! Text that is being edited.

use std::sync::Arc;

use egui::Galley;
use egui::epaint::text::{FontsView, Glyph};
use egui::text::LayoutJob;

use super::{Line, TextLook, has_rtl, job, lines, push, unwrapped};

/// Lays out text that is being edited within `width` points.
///
/// Rows are drawn in the order of seeing, while each row's glyphs are listed in the order of the
/// text, at the places where the caret stands before them: so egui's caret and selection follow
/// the text.
pub(crate) fn layout_editable(
    fonts: &mut FontsView<'_>,
    text: &str,
    look: &TextLook,
    width: f32,
) -> Arc<Galley> {
    if !has_rtl(text) {
        let mut job = LayoutJob::default();
        push(&mut job, text, 0.0, look);
        job.wrap.max_width = width;
        job.keep_trailing_whitespace = true;
        return fonts.layout_job(job);
    }
    let lines = lines(fonts, text, look, width, false);
    let drawn = fonts.layout_job(job(&lines, look, width));
    let mut galley = Galley::clone(&drawn);
    for (placed, line) in galley.rows.iter_mut().zip(&lines) {
        placed.ends_with_newline = line.ends_paragraph;
        let row = Arc::make_mut(&mut placed.row);
        let indent = if line.is_rtl {
            (width - line.width).max(0.0)
        } else {
            0.0
        };
        row.glyphs = logical_glyphs(fonts, line, look, indent);
        // The caret after the last letter stands at the end of reading.
        row.size.x = if line.is_rtl { indent } else { line.width };
    }
    Arc::new(galley)
}

/// The glyphs of a line in the order of the text, each where the caret stands before it.
fn logical_glyphs(
    fonts: &mut FontsView<'_>,
    line: &Line,
    look: &TextLook,
    indent: f32,
) -> Vec<Glyph> {
    let mut glyphs = Vec::new();
    let mut left = indent;
    for piece in &line.pieces {
        let galley = fonts.layout_job(unwrapped(&piece.text, look));
        let width = galley.intrinsic_size().x;
        let shaped = galley.rows.first().map_or(&[][..], |row| &row.glyphs);
        let chars: Vec<char> = piece.text.chars().collect();
        let mut at = piece.start;
        for (index, chr) in chars.iter().copied().enumerate() {
            let Some(mut glyph) = shaped.get(index).or(shaped.last()).copied() else {
                continue;
            };
            #[expect(clippy::cast_precision_loss, reason = "letters of a word")]
            let (place, count) = (index as f32, chars.len() as f32);
            // Joined letters share a shape: their places are spread evenly over it.
            glyph.advance_width = width / count;
            if piece.is_rtl {
                glyph.pos.x = left + width * (count - place) / count;
            } else if shaped.len() == chars.len() {
                glyph.pos.x += left;
            } else {
                glyph.pos.x = left + width * place / count;
            }
            glyph.chr = chr;
            glyphs.push((at, glyph));
            at += chr.len_utf8();
        }
        left += width;
    }
    glyphs.sort_by_key(|(at, _)| *at);
    glyphs.into_iter().map(|(_, glyph)| glyph).collect()
}
