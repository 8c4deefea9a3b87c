//! A note: what was done with the chat, between its messages.

use std::sync::Arc;

use egui::{Align, Galley, Id, Rect, Role, Sense, Ui, WidgetInfo, pos2};
use sotto_client::view::{Message, Note};

use crate::scene::Scene;
use crate::theme::body;
use crate::words;

/// Above and below the text.
const PAD: f32 = 8.0;

/// A note laid out for a width; its height is a pure function of both.
pub(super) struct NoteLayout<'a> {
    message: &'a Message,
    text: Arc<Galley>,
}

impl<'a> NoteLayout<'a> {
    /// Lays out `note` for a column of `width` points.
    pub(super) fn new(
        ui: &Ui,
        scene: Scene<'_>,
        (message, note): (&'a Message, &Note),
        author: &str,
        width: f32,
    ) -> Self {
        let author = (!message.is_mine).then_some(author);
        let time = words::time_of_day(scene.local(message.sent_at_millis));
        let text = format!("{} · {time}", words::note(author, note));
        let ink = scene.palette.text2;
        let mut job = egui::text::LayoutJob::simple(text, body(12.5), ink, width * 0.9);
        job.halign = Align::Center;
        Self {
            message,
            text: ui.fonts_mut(|fonts| fonts.layout_job(job)),
        }
    }

    /// The row's height, in points.
    pub(super) fn height(&self) -> f32 {
        self.text.size().y + 2.0 * PAD
    }

    /// Draws the row within `rect`, which is as high as [`Self::height`].
    pub(super) fn ui(&self, ui: &Ui, scene: Scene<'_>, rect: Rect) {
        let id = Id::unique(("message", &scene.profile.id, self.message.key));
        let response = ui.interact(rect, id, Sense::empty());
        let spoken = self.text.text();
        response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, spoken));
        let at = pos2(rect.center().x, rect.top() + PAD);
        let galley = Arc::clone(&self.text);
        ui.painter().galley(at, galley, scene.palette.text2);
    }
}
