//! A strip that says one important thing.

use std::sync::Arc;

use egui::{Color32, Galley, Rect, Role, Sense, Ui, Vec2, WidgetInfo, vec2};

use crate::icons::{self, Icon};
use crate::theme::{Palette, body, space};

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Good to know.
    Info,
    /// Needs attention.
    Warning,
    /// Something failed.
    Danger,
}

/// A banner whose height is known before it is drawn.
pub(crate) struct Banner {
    galley: Arc<Galley>,
    text: String,
    tone: Tone,
    icon: Option<Icon>,
    buttons_width: f32,
    is_stacked: bool,
}

impl Banner {
    /// Lays out `text` for `width` points, of which buttons take `buttons_width`.
    pub(crate) fn new(ui: &Ui, text: &str, tone: Tone, width: f32, buttons_width: f32) -> Self {
        let is_stacked = buttons_width > 0.0 && width - buttons_width < 320.0;
        let beside = if is_stacked { 0.0 } else { buttons_width };
        let room = (width - beside - 2.0 * space::L - 28.0).max(80.0);
        let galley = ui
            .painter()
            .layout(text.to_owned(), body(13.0), Color32::PLACEHOLDER, room);
        Self {
            galley,
            text: text.to_owned(),
            tone,
            icon: None,
            buttons_width,
            is_stacked,
        }
    }

    /// Another icon than the tone's.
    pub(crate) fn with_icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// The height, in points.
    pub(crate) fn height(&self) -> f32 {
        let text = self.galley.size().y + 2.0 * 10.0;
        if self.is_stacked {
            text + 40.0
        } else if self.buttons_width > 0.0 {
            text.max(48.0)
        } else {
            text
        }
    }

    /// Draws it in `rect`; `buttons` are laid out from the right.
    pub(crate) fn ui(&self, ui: &mut Ui, p: &Palette, rect: Rect, buttons: impl FnOnce(&mut Ui)) {
        let (fill, ink, icon) = match self.tone {
            Tone::Info => (p.surface2, p.text, Icon::Clock),
            Tone::Warning => (p.warning_ground, p.warning_text, Icon::ShieldAlert),
            Tone::Danger => (p.danger_fill, p.on_danger, Icon::Alert),
        };
        ui.painter().rect_filled(rect, 0, fill);
        let text_height = if self.is_stacked {
            rect.height() - 40.0
        } else {
            rect.height()
        };
        let top = rect.top() + (text_height - self.galley.size().y) / 2.0;
        let icon_rect = Rect::from_min_size(
            rect.left_top() + vec2(space::L, top - rect.top()),
            Vec2::splat(18.0),
        );
        icons::paint(ui.painter(), icon_rect, self.icon.unwrap_or(icon), ink);
        let at = egui::pos2(rect.left() + space::L + 28.0, top);
        let area = Rect::from_min_size(at, self.galley.size());
        let response = ui.interact(area, ui.scope_id().with("banner"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, &self.text));
        ui.painter().galley(at, Arc::clone(&self.galley), ink);
        let mut controls = rect.shrink2(vec2(space::L, 0.0));
        if self.is_stacked {
            controls.set_top(rect.bottom() - 44.0);
        }
        let layout = egui::Layout::right_to_left(egui::Align::Center);
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(controls).layout(layout));
        buttons(&mut child);
    }
}
