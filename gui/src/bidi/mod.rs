//! Lays out text whose parts run in both directions.
//!
//! egui shapes letters but puts what it shapes from left to right. This module finds the
//! direction of each paragraph and its runs (UAX 9, by `unicode-bidi`), breaks lines in the order
//! of reading, and hands egui each line's pieces in the order of seeing, a section each.
//!
//! What remains: a word longer than a line is broken between characters, which parts letters that
//! are joined; selecting by pointer is off where a line holds both directions (copying takes the
//! whole message instead).

mod breaker;
mod edit;
mod pictures;

pub(crate) use edit::layout_editable;

use std::sync::Arc;

use egui::epaint::text::{FontsView, LayoutSection, TextFormat, TextWrapping};
use egui::text::{ByteIndex, LayoutJob};
use egui::{Color32, FontId, Galley};
use unicode_bidi::{BidiClass, BidiInfo, bidi_class};

use crate::names::is_bidi_control;
use crate::theme::emoji;

use breaker::Breaker;
use pictures::split_picture;

/// How text looks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TextLook {
    /// The font.
    pub(crate) font: FontId,
    /// The colour.
    pub(crate) color: Color32,
    /// The distance between lines, in points.
    pub(crate) line_height: f32,
}

impl TextLook {
    fn format(&self) -> TextFormat {
        TextFormat {
            font_id: self.font.clone(),
            color: self.color,
            line_height: Some(self.line_height),
            ..TextFormat::default()
        }
    }
}

/// Whether any character belongs to a script that runs from right to left.
pub(crate) fn has_rtl(text: &str) -> bool {
    text.chars()
        .any(|c| c >= '\u{0590}' && matches!(bidi_class(c), BidiClass::R | BidiClass::AL))
}

/// Whether the first letter that has a direction runs from right to left.
pub(crate) fn starts_rtl(text: &str) -> bool {
    text.chars()
        .find_map(|c| match bidi_class(c) {
            BidiClass::L => Some(false),
            BidiClass::R | BidiClass::AL => Some(true),
            _ => None,
        })
        .unwrap_or(false)
}

/// The text without characters that would reorder it by force or that cannot be drawn.
pub(crate) fn displayable(text: &str) -> String {
    text.chars()
        .filter(|c| !is_bidi_control(*c) && (!c.is_control() || matches!(c, '\n' | '\t')))
        .collect()
}

/// Lays out `text` within `width` points.
///
/// Paragraphs that start from right to left stand at the right edge of the widest line.
pub(crate) fn layout(
    fonts: &mut FontsView<'_>,
    text: &str,
    look: &TextLook,
    width: f32,
) -> Arc<Galley> {
    let text = displayable(text);
    if !has_rtl(&text) {
        let mut job = LayoutJob::default();
        push(&mut job, &text, 0.0, look);
        job.wrap.max_width = width;
        return fonts.layout_job(job);
    }
    let lines = lines(fonts, &text, look, width, true);
    let widest = lines.iter().map(|line| line.width).fold(0.0, f32::max);
    fonts.layout_job(job(&lines, look, widest))
}

/// Lays out as much of `text` as fits on one line of `width` points.
///
/// The line starts at the left edge, whatever its direction, as in a list of mixed languages.
pub(crate) fn first_line(
    fonts: &mut FontsView<'_>,
    text: &str,
    look: &TextLook,
    width: f32,
) -> Arc<Galley> {
    let text = displayable(text);
    let room = width - fonts.glyph_width(&look.font, '…');
    let mut lines = lines(fonts, &text, look, room, true);
    let is_cut = lines.len() > 1;
    lines.truncate(1);
    if let Some(line) = lines.first_mut().filter(|_| is_cut) {
        let place = if line.is_rtl { 0 } else { line.pieces.len() };
        let text = "…".to_owned();
        let piece = Piece {
            text,
            start: 0,
            is_rtl: false,
        };
        line.pieces.insert(place, piece);
    }
    fonts.layout_job(job(&lines, look, 0.0))
}

/// The lines of a text; white space at their ends is left out if `is_trimmed`.
fn lines(
    fonts: &mut FontsView<'_>,
    text: &str,
    look: &TextLook,
    width: f32,
    is_trimmed: bool,
) -> Vec<Line> {
    let info = BidiInfo::new(text, None);
    let mut breaker = Breaker {
        fonts,
        info: &info,
        look,
        width,
        is_trimmed,
        lines: Vec::new(),
    };
    for paragraph in &info.paragraphs {
        breaker.paragraph(paragraph);
    }
    if text.ends_with('\n') {
        breaker.lines.push(Line::default());
    }
    breaker.lines
}

/// One line in the order of seeing.
#[derive(Debug, Default)]
struct Line {
    pieces: Vec<Piece>,
    width: f32,
    is_rtl: bool,
    ends_paragraph: bool,
}

/// A stretch of text that is shaped by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// What is drawn; brackets may be mirrored.
    text: String,
    /// Where it begins in the text, in bytes.
    start: usize,
    /// It is read from right to left.
    is_rtl: bool,
}

/// Joins lines into one job whose rows are exactly these lines.
fn job(lines: &[Line], look: &TextLook, widest: f32) -> LayoutJob {
    let mut job = LayoutJob {
        wrap: TextWrapping::no_max_width(),
        ..LayoutJob::default()
    };
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            push(&mut job, "\n", 0.0, look);
        }
        let mut indent = if line.is_rtl {
            widest - line.width
        } else {
            0.0
        };
        for piece in &line.pieces {
            push(&mut job, &piece.text, indent.max(0.0), look);
            indent = 0.0;
        }
    }
    job
}

/// Adds text that is shaped by itself; pictures within it take the font of emoji.
fn push(job: &mut LayoutJob, text: &str, leading_space: f32, look: &TextLook) {
    let mut leading_space = leading_space;
    let mut rest = text;
    while let Some((before, picture, after)) = split_picture(rest) {
        section(job, before, &mut leading_space, look.format());
        let mut format = look.format();
        format.font_id = emoji(look.font.size);
        section(job, picture, &mut leading_space, format);
        rest = after;
    }
    section(job, rest, &mut leading_space, look.format());
}

fn section(job: &mut LayoutJob, text: &str, leading_space: &mut f32, format: TextFormat) {
    if text.is_empty() {
        return;
    }
    let start = ByteIndex(job.text.len());
    job.text.push_str(text);
    job.sections.push(LayoutSection {
        leading_space: std::mem::take(leading_space),
        byte_range: start..ByteIndex(job.text.len()),
        format,
    });
}

fn measure(fonts: &mut FontsView<'_>, text: &str, look: &TextLook) -> f32 {
    if text.is_empty() {
        return 0.0;
    }
    fonts.layout_job(unwrapped(text, look)).intrinsic_size().x
}

fn unwrapped(text: &str, look: &TextLook) -> LayoutJob {
    let mut job = LayoutJob {
        wrap: TextWrapping::no_max_width(),
        ..LayoutJob::default()
    };
    push(&mut job, text, 0.0, look);
    job
}

#[cfg(test)]
mod tests;
