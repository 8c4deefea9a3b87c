//! Every colour of the app, by what it is for.

use egui::Color32;

/// The colours of one theme. Contrasts are checked by this module's tests (WCAG 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Palette {
    /// Whether light text stands on dark ground.
    pub(crate) is_dark: bool,
    /// The rail of identities.
    pub(crate) rail: Color32,
    /// The ground of a chat.
    pub(crate) surface0: Color32,
    /// Panels: list, header, composer, dialogs.
    pub(crate) surface1: Color32,
    /// Hovered rows.
    pub(crate) surface2: Color32,
    /// Pressed and disabled controls, quiet badges.
    pub(crate) surface3: Color32,
    /// The selected row.
    pub(crate) selected: Color32,
    /// Decorative lines.
    pub(crate) line: Color32,
    /// The border of a control (3:1).
    pub(crate) control_border: Color32,
    /// Text.
    pub(crate) text: Color32,
    /// Secondary text.
    pub(crate) text2: Color32,
    /// Hints.
    pub(crate) text3: Color32,
    /// The accent.
    pub(crate) accent: Color32,
    /// Text on the accent.
    pub(crate) on_accent: Color32,
    /// A received message.
    pub(crate) bubble_in: Bubble,
    /// A sent message.
    pub(crate) bubble_out: Bubble,
    /// The border of bubbles; transparent where the fill alone stands out.
    pub(crate) bubble_border: Color32,
    /// Ticks of a read message, on the sent bubble.
    pub(crate) ticks_read: Color32,
    /// Verified, connected.
    pub(crate) success: Color32,
    /// Warning.
    pub(crate) warning: Color32,
    /// The ground of a warning banner.
    pub(crate) warning_ground: Color32,
    /// Text on a warning banner.
    pub(crate) warning_text: Color32,
    /// Text that tells of a failure.
    pub(crate) danger: Color32,
    /// The fill of a dangerous button and of an error banner.
    pub(crate) danger_fill: Color32,
    /// Text on that fill.
    pub(crate) on_danger: Color32,
    /// Neutral information.
    pub(crate) info: Color32,
    /// The ring around what has the focus (3:1).
    pub(crate) focus: Color32,
    /// Dims what lies behind a dialog.
    pub(crate) backdrop: Color32,
}

/// The colours of a bubble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bubble {
    /// The fill.
    pub(crate) fill: Color32,
    /// The text.
    pub(crate) text: Color32,
    /// Time and ticks.
    pub(crate) meta: Color32,
    /// Selected text within it.
    pub(crate) selection: Color32,
}

/// Ink on every identity colour.
pub(crate) const IDENTITY_INK: Color32 = rgb(0x10, 0x14, 0x18);

/// What QR codes are drawn in, so that every scanner reads them.
pub(crate) const QR_DARK: Color32 = rgb(0x00, 0x00, 0x00);
/// Their ground.
pub(crate) const QR_LIGHT: Color32 = rgb(0xff, 0xff, 0xff);

/// Avatar fills; the first four belong to Alice, Bob, Charlie and Diana.
const IDENTITY_FILLS: [Color32; 8] = [
    rgb(0x7C, 0x9C, 0xF5),
    rgb(0xE8, 0xA1, 0x5B),
    rgb(0xC9, 0x8B, 0xE8),
    rgb(0x5F, 0xC4, 0xA8),
    rgb(0xF2, 0x9B, 0xB4),
    rgb(0x7C, 0xC4, 0xF0),
    rgb(0xC9, 0xC0, 0x6A),
    rgb(0xA8, 0xB4, 0xC2),
];

/// The avatar's fill for a handle: always the same one.
pub(crate) fn identity_fill(handle: &str) -> Color32 {
    let index = match handle {
        "alice" => 0,
        "bob" => 1,
        "charlie" => 2,
        "diana" => 3,
        other => other.bytes().fold(0_usize, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(usize::from(byte))
        }),
    };
    IDENTITY_FILLS
        .get(index % IDENTITY_FILLS.len())
        .copied()
        .unwrap_or(Color32::GRAY)
}

/// An opaque colour.
const fn rgb(r: u8, g: u8, b: u8) -> Color32 {
    Color32::from_rgb(r, g, b)
}

impl Palette {
    /// Light text on dark ground.
    pub(crate) const DARK: Self = Self {
        is_dark: true,
        rail: rgb(0x0B, 0x0D, 0x10),
        surface0: rgb(0x0F, 0x12, 0x16),
        surface1: rgb(0x16, 0x1A, 0x20),
        surface2: rgb(0x1E, 0x24, 0x2C),
        surface3: rgb(0x22, 0x28, 0x31),
        selected: rgb(0x1C, 0x3A, 0x35),
        line: rgb(0x2B, 0x32, 0x3C),
        control_border: rgb(0x6B, 0x76, 0x84),
        text: rgb(0xE8, 0xEC, 0xF1),
        text2: rgb(0xA3, 0xAE, 0xBA),
        text3: rgb(0x8E, 0x99, 0xA6),
        accent: rgb(0x3F, 0xC9, 0xA8),
        on_accent: rgb(0x06, 0x24, 0x1D),
        bubble_in: Bubble {
            fill: rgb(0x22, 0x28, 0x31),
            text: rgb(0xE8, 0xEC, 0xF1),
            meta: rgb(0xA3, 0xAE, 0xBA),
            selection: rgb(0x1F, 0x4F, 0x48),
        },
        bubble_out: Bubble {
            fill: rgb(0x17, 0x57, 0x4A),
            text: rgb(0xF2, 0xFB, 0xF8),
            meta: rgb(0xB5, 0xDD, 0xD2),
            selection: rgb(0x0E, 0x39, 0x31),
        },
        bubble_border: Color32::TRANSPARENT,
        ticks_read: rgb(0x7D, 0xEB, 0xD0),
        success: rgb(0x5F, 0xD6, 0xA0),
        warning: rgb(0xF2, 0xB8, 0x4B),
        warning_ground: rgb(0x2E, 0x26, 0x11),
        warning_text: rgb(0xF6, 0xD2, 0x8B),
        danger: rgb(0xFF, 0x7B, 0x72),
        danger_fill: rgb(0xC9, 0x3A, 0x34),
        on_danger: rgb(0xFF, 0xFF, 0xFF),
        info: rgb(0x7C, 0xB7, 0xFF),
        focus: rgb(0x8A, 0xB4, 0xFF),
        backdrop: Color32::from_black_alpha(150),
    };

    /// Dark text on light ground.
    pub(crate) const LIGHT: Self = Self {
        is_dark: false,
        rail: rgb(0xE6, 0xEA, 0xEE),
        surface0: rgb(0xF3, 0xF5, 0xF7),
        surface1: rgb(0xFF, 0xFF, 0xFF),
        surface2: rgb(0xED, 0xF1, 0xF4),
        surface3: rgb(0xE3, 0xE9, 0xEE),
        selected: rgb(0xD5, 0xEF, 0xE6),
        line: rgb(0xDC, 0xE2, 0xE8),
        control_border: rgb(0x77, 0x82, 0x8E),
        text: rgb(0x14, 0x18, 0x1D),
        text2: rgb(0x4F, 0x5A, 0x66),
        text3: rgb(0x5F, 0x6A, 0x76),
        accent: rgb(0x0A, 0x70, 0x5A),
        on_accent: rgb(0xFF, 0xFF, 0xFF),
        bubble_in: Bubble {
            fill: rgb(0xFF, 0xFF, 0xFF),
            text: rgb(0x14, 0x18, 0x1D),
            meta: rgb(0x5A, 0x66, 0x72),
            selection: rgb(0xBF, 0xE3, 0xD8),
        },
        bubble_out: Bubble {
            fill: rgb(0xD3, 0xF3, 0xE8),
            text: rgb(0x0C, 0x2B, 0x23),
            meta: rgb(0x3C, 0x66, 0x59),
            selection: rgb(0x9F, 0xD9, 0xC6),
        },
        bubble_border: Color32::TRANSPARENT,
        ticks_read: rgb(0x06, 0x70, 0x5A),
        success: rgb(0x0B, 0x7A, 0x4B),
        warning: rgb(0x8A, 0x5A, 0x00),
        warning_ground: rgb(0xFF, 0xF3, 0xD6),
        warning_text: rgb(0x6B, 0x45, 0x00),
        danger: rgb(0xB3, 0x26, 0x1E),
        danger_fill: rgb(0xB3, 0x26, 0x1E),
        on_danger: rgb(0xFF, 0xFF, 0xFF),
        info: rgb(0x1F, 0x5F, 0xBF),
        focus: rgb(0x1F, 0x5F, 0xBF),
        backdrop: Color32::from_black_alpha(90),
    };

    /// Text at 7:1 or more everywhere, with borders where others rely on fills.
    pub(crate) const CONTRAST: Self = Self {
        is_dark: true,
        rail: rgb(0x00, 0x00, 0x00),
        surface0: rgb(0x00, 0x00, 0x00),
        surface1: rgb(0x00, 0x00, 0x00),
        surface2: rgb(0x1C, 0x1C, 0x1C),
        surface3: rgb(0x26, 0x26, 0x26),
        selected: rgb(0x00, 0x3B, 0x30),
        line: rgb(0x8A, 0x8A, 0x8A),
        control_border: rgb(0xFF, 0xFF, 0xFF),
        text: rgb(0xFF, 0xFF, 0xFF),
        text2: rgb(0xE6, 0xE6, 0xE6),
        text3: rgb(0xD0, 0xD0, 0xD0),
        accent: rgb(0x4D, 0xFF, 0xD2),
        on_accent: rgb(0x00, 0x00, 0x00),
        bubble_in: Bubble {
            fill: rgb(0x0A, 0x0A, 0x0A),
            text: rgb(0xFF, 0xFF, 0xFF),
            meta: rgb(0xE6, 0xE6, 0xE6),
            selection: rgb(0x00, 0x57, 0x47),
        },
        bubble_out: Bubble {
            fill: rgb(0x00, 0x2B, 0x22),
            text: rgb(0xFF, 0xFF, 0xFF),
            meta: rgb(0xE0, 0xFF, 0xF6),
            selection: rgb(0x00, 0x57, 0x47),
        },
        bubble_border: rgb(0x8A, 0x8A, 0x8A),
        ticks_read: rgb(0x4D, 0xFF, 0xD2),
        success: rgb(0x6C, 0xFF, 0xB4),
        warning: rgb(0xFF, 0xD2, 0x5E),
        warning_ground: rgb(0x2B, 0x20, 0x00),
        warning_text: rgb(0xFF, 0xE3, 0xA0),
        danger: rgb(0xFF, 0xA3, 0x9C),
        danger_fill: rgb(0x8F, 0x0F, 0x0A),
        on_danger: rgb(0xFF, 0xFF, 0xFF),
        info: rgb(0xA6, 0xCF, 0xFF),
        focus: rgb(0xFF, 0xFF, 0x00),
        backdrop: Color32::from_black_alpha(200),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2 relative luminance.
    fn luminance(color: Color32) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(color.r()) + 0.7152 * linear(color.g()) + 0.0722 * linear(color.b())
    }

    /// WCAG 2 contrast, from 1 to 21.
    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[track_caller]
    fn at_least(least: f64, what: &str, ink: Color32, ground: Color32) {
        let found = contrast(ink, ground);
        assert!(found >= least, "{what}: {found:.2} < {least}");
    }

    fn check(p: &Palette, text_min: f64) {
        for ground in [
            p.rail, p.surface0, p.surface1, p.surface2, p.surface3, p.selected,
        ] {
            at_least(text_min.max(7.0), "text", p.text, ground);
            at_least(text_min, "text2", p.text2, ground);
        }
        for ground in [p.surface0, p.surface1, p.surface2] {
            at_least(text_min, "text3", p.text3, ground);
            at_least(text_min, "accent", p.accent, ground);
        }
        for ground in [p.surface0, p.surface1] {
            at_least(3.0, "control border", p.control_border, ground);
            at_least(3.0, "focus", p.focus, ground);
            for ink in [p.success, p.warning, p.danger, p.info] {
                at_least(text_min, "state", ink, ground);
            }
        }
        at_least(3.0, "focus on the selected row", p.focus, p.selected);
        at_least(3.0, "focus on the rail", p.focus, p.rail);
        at_least(text_min, "on accent", p.on_accent, p.accent);
        at_least(text_min, "on danger", p.on_danger, p.danger_fill);
        at_least(text_min, "warning banner", p.warning_text, p.warning_ground);
        for bubble in [p.bubble_in, p.bubble_out] {
            at_least(7.0, "bubble text", bubble.text, bubble.fill);
            at_least(4.5, "selected bubble text", bubble.text, bubble.selection);
            at_least(text_min, "bubble meta", bubble.meta, bubble.fill);
        }
        at_least(4.5, "read ticks", p.ticks_read, p.bubble_out.fill);
        at_least(text_min, "failed mark", p.danger, p.surface0);
    }

    #[test]
    fn dark_theme_is_readable() {
        check(&Palette::DARK, 4.5);
    }

    #[test]
    fn light_theme_is_readable() {
        check(&Palette::LIGHT, 4.5);
    }

    #[test]
    fn high_contrast_theme_is_readable_at_seven_to_one() {
        check(&Palette::CONTRAST, 7.0);
    }

    #[test]
    fn contrast_formula_gives_the_known_extremes() {
        assert!((contrast(Color32::BLACK, Color32::WHITE) - 21.0).abs() < 0.01);
        assert!((contrast(Color32::WHITE, Color32::WHITE) - 1.0).abs() < 0.01);
    }

    #[test]
    fn every_identity_colour_carries_its_ink() {
        for fill in IDENTITY_FILLS {
            at_least(6.95, "ink", IDENTITY_INK, fill);
        }
    }

    #[test]
    fn four_people_have_four_colours() {
        let fills = ["alice", "bob", "charlie", "diana"].map(identity_fill);
        for (index, fill) in fills.iter().enumerate() {
            assert!(!fills.iter().skip(index + 1).any(|other| other == fill));
        }
        assert_eq!(identity_fill("somebody"), identity_fill("somebody"));
    }
}
