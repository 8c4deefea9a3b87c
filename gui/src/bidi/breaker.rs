//! Lines in the order of reading, pieces in the order of seeing.

use std::ops::Range;

use egui::epaint::text::FontsView;
use unicode_bidi::{BidiClass, BidiInfo, Level, ParagraphInfo, bidi_class};

use super::{Line, Piece, TextLook, measure};

/// Breaks paragraphs into lines that fit.
pub(super) struct Breaker<'a, 'f> {
    pub(super) fonts: &'a mut FontsView<'f>,
    pub(super) info: &'a BidiInfo<'a>,
    pub(super) look: &'a TextLook,
    pub(super) width: f32,
    pub(super) is_trimmed: bool,
    pub(super) lines: Vec<Line>,
}

impl Breaker<'_, '_> {
    /// Breaks one paragraph.
    pub(super) fn paragraph(&mut self, paragraph: &ParagraphInfo) {
        let text = self
            .info
            .text
            .get(paragraph.range.clone())
            .unwrap_or_default();
        let has_newline = text.ends_with('\n');
        let range = paragraph.range.start..paragraph.range.end - usize::from(has_newline);
        let mut start = range.start;
        let mut used = 0.0;
        for word in words(self.info.text, range.clone()) {
            let full = self.info.text.get(word.clone()).unwrap_or_default();
            let visible = measure(self.fonts, full.trim_end(), self.look);
            if used + visible > self.width && word.start > start {
                self.line(paragraph, start..word.start, false);
                start = word.start;
                used = 0.0;
            }
            if visible <= self.width {
                used += measure(self.fonts, full, self.look);
                continue;
            }
            for cut in self.cuts(word.clone()) {
                self.line(paragraph, start..cut, false);
                start = cut;
            }
            let rest = self.info.text.get(start..word.end).unwrap_or_default();
            used = measure(self.fonts, rest, self.look);
        }
        self.line(paragraph, start..range.end, has_newline);
    }

    /// Where a word that is wider than a line is cut, between characters.
    fn cuts(&mut self, word: Range<usize>) -> Vec<usize> {
        let mut cuts = Vec::new();
        let mut used = 0.0;
        let text = self.info.text.get(word.clone()).unwrap_or_default();
        for (offset, c) in text.char_indices() {
            let advance = self.fonts.glyph_width(&self.look.font, c);
            if used + advance > self.width && used > 0.0 {
                cuts.push(word.start + offset);
                used = 0.0;
            }
            used += advance;
        }
        cuts
    }

    /// Adds the line that shows `range` of the paragraph.
    fn line(&mut self, paragraph: &ParagraphInfo, mut range: Range<usize>, ends_paragraph: bool) {
        if self.is_trimmed {
            let text = self.info.text.get(range.clone()).unwrap_or_default();
            range.end = range.start + text.trim_end().len();
        }
        let pieces = if range.is_empty() {
            Vec::new()
        } else {
            visual_pieces(self.info, paragraph, range)
        };
        let width = pieces
            .iter()
            .map(|piece| measure(self.fonts, &piece.text, self.look))
            .sum();
        self.lines.push(Line {
            pieces,
            width,
            is_rtl: paragraph.level.is_rtl(),
            ends_paragraph,
        });
    }
}

/// Words with the white space that follows them.
pub(super) fn words(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = range.start;
    let mut in_space = false;
    for (offset, c) in text.get(range.clone()).unwrap_or_default().char_indices() {
        let at = range.start + offset;
        if in_space && !c.is_whitespace() {
            found.push(start..at);
            start = at;
        }
        in_space = c.is_whitespace();
    }
    if start < range.end {
        found.push(start..range.end);
    }
    found
}

/// The pieces of a line from left to right; each is shaped by itself.
pub(super) fn visual_pieces(
    info: &BidiInfo<'_>,
    paragraph: &ParagraphInfo,
    range: Range<usize>,
) -> Vec<Piece> {
    let (levels, runs) = info.visual_runs(paragraph, range);
    let mut pieces = Vec::new();
    for run in runs {
        let level = levels.get(run.start).copied().unwrap_or(Level::ltr());
        let start = run.start;
        let text = info.text.get(run).unwrap_or_default();
        if level.is_rtl() {
            let mut reversed = split_rtl(text, start);
            reversed.reverse();
            pieces.append(&mut reversed);
        } else {
            pieces.push(Piece {
                text: text.to_owned(),
                start,
                is_rtl: false,
            });
        }
    }
    pieces
}

/// Splits a right-to-left run into stretches of letters and single other characters, mirrored.
fn split_rtl(run: &str, start: usize) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut in_letters = false;
    for (offset, c) in run.char_indices() {
        let (is_letter, is_mark) = match bidi_class(c) {
            BidiClass::R | BidiClass::AL => (true, false),
            BidiClass::NSM | BidiClass::BN => (in_letters, true),
            _ => (false, false),
        };
        match pieces.last_mut() {
            Some(last) if is_mark || is_letter && in_letters => last.text.push(c),
            _ => pieces.push(Piece {
                text: mirrored(c).to_string(),
                start: start + offset,
                is_rtl: true,
            }),
        }
        in_letters = is_letter;
    }
    pieces
}

/// The mirror image of a bracket.
fn mirrored(c: char) -> char {
    match c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '<' => '>',
        '>' => '<',
        '«' => '»',
        '»' => '«',
        '‹' => '›',
        '›' => '‹',
        '≤' => '≥',
        '≥' => '≤',
        other => other,
    }
}
