//! What would be sent, to the last byte, before it is.

use egui::{Label, RichText, Role, Ui, WidgetInfo};
use sotto_client::assistant::Outgoing;

use crate::bidi;
use crate::dialogs::text::Pages;
use crate::dialogs::warning_ui;
use crate::theme::{Palette, body, medium, mono, space};
use crate::widgets::{Kind, text_button};
use crate::words;

/// A request that waits for a yes.
pub(super) struct Sheet {
    outgoing: Outgoing,
    /// What a person reads.
    text: String,
    text_pages: Pages,
    /// What is sent.
    exact: String,
    exact_pages: Pages,
    is_trusted: bool,
    is_begun: bool,
}

/// What the person has said.
pub(super) enum Said {
    Nothing,
    Yes {
        /// There is no need to look, the next time.
        is_trusted: bool,
    },
    No,
}

impl Sheet {
    pub(super) fn new(outgoing: Outgoing) -> Self {
        let text = format!("{}\n\n{}", outgoing.instruction(), outgoing.content());
        let text = bidi::displayable(&text);
        let exact = format!(
            "{}\n{}\n\n{}",
            outgoing.request_line(),
            outgoing.headers(),
            outgoing.body()
        );
        Self {
            text_pages: Pages::of(&text),
            exact_pages: Pages::of(&exact),
            outgoing,
            text,
            exact,
            is_trusted: false,
            is_begun: false,
        }
    }

    pub(super) fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, p: &Palette) -> Said {
        let outgoing = &self.outgoing;
        if outgoing.is_here() {
            let hint = words::stays_here(outgoing.host());
            ui.label(RichText::new(hint).font(body(14.0)).color(p.text));
        } else {
            warning_ui(ui, p, &words::leaves(outgoing.host()));
        }
        let facts = words::request_facts(outgoing);
        let look = RichText::new(&facts).font(medium(13.0)).color(p.text2);
        let label = ui.add(Label::new(look).wrap());
        label.widget_info(|| WidgetInfo::labeled(Role::Label, true, &facts));
        part(ui, p, words::SENT_TEXT);
        let text = |page: &str| RichText::new(page).font(body(13.0)).color(p.text);
        self.text_pages.ui(ui, p, &self.text, 170.0, text);
        part(ui, p, words::SENT_EXACTLY);
        let exact = |page: &str| RichText::new(page).font(mono(12.0)).color(p.text2);
        self.exact_pages.ui(ui, p, &self.exact, 110.0, exact);
        if outgoing.is_here() {
            let label = RichText::new(words::TRUST_HERE).font(body(14.0));
            ui.checkbox(&mut self.is_trusted, label.color(p.text));
        }
        ui.add_space(space::S);
        let label = words::send_to(outgoing.host());
        let (yes, no) = ui
            .horizontal_wrapped(|ui| {
                let yes = text_button(ui, p, Kind::Primary, &label, space::CONTROL, 0.0);
                let no = text_button(ui, p, Kind::Plain, words::BACK_TO_FORM, space::CONTROL, 0.0);
                // Enter sends nothing that nobody has looked at.
                if !std::mem::replace(&mut self.is_begun, true) {
                    no.request_focus();
                }
                (yes.clicked(), no.clicked())
            })
            .inner;
        match (yes, no) {
            (true, _) => Said::Yes {
                is_trusted: self.is_trusted,
            },
            (_, true) => Said::No,
            _ => Said::Nothing,
        }
    }
}

fn part(ui: &mut Ui, p: &Palette, name: &str) {
    ui.label(RichText::new(name).font(medium(13.0)).color(p.text2));
}
