//! The whole of a long text, page by page: a frame lays out no more than one.

use std::ops::Range;
use std::sync::Arc;

use egui::{CornerRadius, Frame, Label, Margin, RichText, ScrollArea, Ui};
use sotto_client::view::MessageKey;

use crate::bidi;
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, body, space};
use crate::widgets::{Kind, spinner, text_button};
use crate::words;

use super::{DialogScene, frame};

/// The most bytes of a page, which ends after a line if it can.
const PAGE_BYTES: usize = 6 * 1024;

/// Where the person is in the text of a message.
pub(crate) struct TextPages {
    message: MessageKey,
    text: Option<(Arc<str>, Pages)>,
}

/// The pages of a text, and which of them is shown.
pub(super) struct Pages {
    pages: Vec<Range<usize>>,
    page: usize,
}

impl Pages {
    pub(super) fn of(text: &str) -> Self {
        Self {
            pages: pages(text),
            page: 0,
        }
    }

    /// Draws the buttons that turn the pages.
    fn buttons_ui(&mut self, ui: &mut Ui, p: &Palette) {
        let count = self.pages.len();
        let button = |ui: &mut Ui, label, is_enabled| {
            let button = ui.add_enabled_ui(is_enabled, |ui| {
                text_button(ui, p, Kind::Plain, label, space::CONTROL, 0.0)
            });
            button.inner.clicked() && is_enabled
        };
        if button(ui, words::PREVIOUS_PAGE, self.page > 0) {
            self.page -= 1;
        }
        if button(ui, words::NEXT_PAGE, self.page + 1 < count) {
            self.page += 1;
        }
        let place = words::page(self.page + 1, count);
        ui.label(RichText::new(place).font(body(13.0)).color(p.text2));
    }

    /// The shown page of this text.
    fn shown<'a>(&self, text: &'a str) -> &'a str {
        let page = self.pages.get(self.page).cloned();
        page.and_then(|page| text.get(page)).unwrap_or_default()
    }

    /// Draws the text, up to `height` points of it at once, with buttons if one page is not enough.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        p: &Palette,
        text: &str,
        height: f32,
        look: impl FnOnce(&str) -> RichText,
    ) {
        Frame::new()
            .fill(p.surface2)
            .corner_radius(CornerRadius::same(space::RADIUS_ROW))
            .inner_margin(Margin::symmetric(12, 8))
            .show(ui, |ui| {
                ui.set_width(ui.available_width());
                ScrollArea::vertical()
                    .id_salt(height.to_bits())
                    .max_height(height)
                    .auto_shrink([false, true])
                    .show(ui, |ui| ui.add(Label::new(look(self.shown(text))).wrap()));
            });
        if self.pages.len() > 1 {
            ui.horizontal_wrapped(|ui| self.buttons_ui(ui, p));
        }
    }
}

impl TextPages {
    /// The first page of a message.
    pub(super) fn new(message: MessageKey) -> Self {
        let text = None;
        Self { message, text }
    }

    /// Draws the dialog.
    pub(super) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        let p = scene.palette;
        let asked = scene.profile.and_then(|profile| profile.text.as_ref());
        if let Some((_, text)) = asked.filter(|(message, _)| *message == self.message)
            && self.text.is_none()
        {
            self.text = Some((Arc::clone(text), Pages::of(text)));
        }
        frame(ui, p, words::WHOLE_TEXT, 640.0, asks, |ui, asks| {
            let Some((text, pages)) = &mut self.text else {
                spinner(ui, 24.0, p.accent);
                return;
            };
            ui.horizontal_wrapped(|ui| {
                pages.buttons_ui(ui, p);
                let label = words::COPY_ALL;
                if text_button(ui, p, Kind::Plain, label, space::CONTROL, 0.0).clicked() {
                    asks.wish(Wish::Copy(text.to_string()));
                }
            });
            ui.add_space(space::S);
            let page = RichText::new(bidi::displayable(pages.shown(text)));
            ui.label(page.font(body(14.0)).color(p.text));
        });
    }
}

/// The pages of a text.
fn pages(text: &str) -> Vec<Range<usize>> {
    let mut pages = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let most = text.floor_char_boundary(start + PAGE_BYTES);
        let page = text.get(start..most).unwrap_or_default();
        let end = match page.rfind('\n') {
            Some(line) if most < text.len() => start + line + 1,
            _ => most,
        };
        pages.push(start..end);
        start = end;
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_all_of_a_text_and_end_after_a_line_if_they_can() {
        let lines = "a line of words\n".repeat(2_000);
        let long = "é".repeat(PAGE_BYTES);
        for text in [lines.as_str(), &long, "short", ""] {
            let pages = pages(text);
            let whole: String = pages
                .iter()
                .map(|page| text.get(page.clone()).unwrap())
                .collect();
            assert_eq!(whole, text);
            assert!(pages.iter().all(|page| page.len() <= PAGE_BYTES));
        }
        assert!(
            pages(&lines)
                .iter()
                .all(|page| lines.get(page.clone()).unwrap().ends_with('\n'))
        );
        assert_eq!(pages(&long).len(), 2);
    }
}
