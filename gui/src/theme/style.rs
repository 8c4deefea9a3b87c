//! Translates a palette into egui's own style.

use egui::style::{KineticScrollStyle, ScrollFadeStyle, ScrollStyle, Selection, WidgetVisuals};
use egui::{Color32, CornerRadius, Margin, Shadow, Stroke, Style, TextStyle, Visuals, vec2};

use super::{Palette, body, medium, mono, semibold, space};

/// Makes `style` follow the palette.
pub(super) fn install(style: &mut Style, p: &Palette) {
    let blink = style.visuals.text_cursor.blink;
    style.visuals = visuals(p);
    style.visuals.text_cursor.blink = blink;
    style.text_styles = [
        (TextStyle::Small, body(11.5)),
        (TextStyle::Body, body(14.0)),
        (TextStyle::Button, medium(14.0)),
        (TextStyle::Heading, semibold(20.0)),
        (TextStyle::Monospace, mono(15.0)),
    ]
    .into();
    style.spacing.item_spacing = vec2(space::S, space::S);
    style.spacing.button_padding = vec2(space::M, space::XS);
    style.spacing.interact_size = vec2(space::TARGET, space::TARGET);
    style.spacing.menu_margin = Margin::same(6);
    style.spacing.tooltip_width = 320.0;
    style.spacing.scroll = ScrollStyle {
        content_margin: Margin::ZERO,
        bar_width: 8.0,
        floating_width: 4.0,
        fade: ScrollFadeStyle {
            strength: 0.0,
            size: 0.0,
        },
        // The list of messages moves its own limits; a spring would pull it back to old ones.
        kinetic: KineticScrollStyle {
            rubber_band: false,
            ..KineticScrollStyle::default()
        },
        ..ScrollStyle::floating()
    };
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.4;
}

fn visuals(p: &Palette) -> Visuals {
    let mut visuals = if p.is_dark {
        Visuals::dark()
    } else {
        Visuals::light()
    };
    visuals.override_text_color = Some(p.text);
    visuals.weak_text_color = Some(p.text2);
    visuals.hyperlink_color = p.accent;
    // What is disabled has colours of its own and stays readable.
    visuals.disabled_alpha = 1.0;
    visuals.selection = Selection {
        bg_fill: p.bubble_in.selection,
        stroke: Stroke::new(2.0, p.focus),
    };
    visuals.faint_bg_color = p.surface2;
    visuals.extreme_bg_color = p.surface0;
    visuals.text_edit_bg_color = Some(p.surface0);
    visuals.code_bg_color = p.surface3;
    visuals.warn_fg_color = p.warning;
    visuals.error_fg_color = p.danger;
    visuals.panel_fill = p.surface0;
    visuals.window_fill = p.surface1;
    visuals.window_stroke = Stroke::new(1.0, p.line);
    visuals.window_corner_radius = CornerRadius::same(space::RADIUS_DIALOG);
    visuals.menu_corner_radius = CornerRadius::same(space::RADIUS_ROW);
    visuals.text_cursor.stroke = Stroke::new(1.5, p.accent);
    let shadow = Shadow {
        offset: [0, 8],
        blur: 32,
        spread: 0,
        color: Color32::from_black_alpha(if p.is_dark { 120 } else { 50 }),
    };
    visuals.window_shadow = shadow;
    visuals.popup_shadow = Shadow {
        offset: [0, 4],
        blur: 16,
        ..shadow
    };
    let widget = |fill: Color32, border: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, border),
        corner_radius: CornerRadius::same(space::RADIUS_INPUT),
        fg_stroke: Stroke::new(1.5, p.text),
        expansion: 0.0,
    };
    visuals.widgets.noninteractive = widget(p.surface1, p.line);
    visuals.widgets.inactive = widget(p.surface3, Color32::TRANSPARENT);
    visuals.widgets.hovered = widget(p.surface2, p.control_border);
    visuals.widgets.active = widget(p.surface3, p.control_border);
    visuals.widgets.open = widget(p.surface2, p.line);
    // The scroll bar's handle takes the inactive fill: keep it visible.
    visuals.widgets.inactive.bg_fill = p.control_border;
    visuals
}
