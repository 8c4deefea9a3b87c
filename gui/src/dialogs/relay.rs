//! Where the relay is, how the connection stands, and the link for others.

use egui::{Frame, Margin, RichText, Stroke, Ui};
use sotto_client::view::RelayState;

use crate::gate::alert;
use crate::relay::RelayKind;
use crate::scene::{Asks, Wish};
use crate::theme::{body, mono, space};
use crate::widgets::{Kind, text_button};
use crate::words;

use super::settings::section;
use super::{DialogScene, frame};

/// Draws the dialog.
pub(super) fn ui(ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
    let p = scene.palette;
    frame(ui, p, words::RELAY, 460.0, asks, |ui, asks| {
        let about = words::relay_kind(scene.relay.kind);
        if matches!(scene.relay.kind, RelayKind::Failed(_)) {
            alert(ui, p, about);
        } else {
            ui.label(RichText::new(about).font(body(14.0)).color(p.text2));
        }
        if let Some(profile) = scene.profile {
            let state = match profile.relay {
                RelayState::Offline(problem) => words::offline_banner(problem),
                state => words::relay_state(state, scene.relay.kind),
            };
            ui.label(RichText::new(state).font(body(14.0)).color(p.text));
        }
        let Some(invite) = &scene.relay.invite else {
            return;
        };
        section(ui, p, words::INVITE_LINK);
        Frame::new()
            .fill(p.surface0)
            .stroke(Stroke::new(1.0, p.line))
            .corner_radius(space::RADIUS_INPUT)
            .inner_margin(Margin::symmetric(12, 10))
            .show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.add(
                    egui::Label::new(RichText::new(invite).font(mono(13.0)).color(p.text)).wrap(),
                );
            });
        ui.label(
            RichText::new(words::INVITE_HINT)
                .font(body(13.0))
                .color(p.text2),
        );
        ui.add_space(space::XS);
        if text_button(
            ui,
            p,
            Kind::Primary,
            words::COPY_INVITE,
            space::CONTROL,
            0.0,
        )
        .clicked()
        {
            asks.wish(Wish::Copy(invite.clone()));
        }
    });
}
