//! How the app looks: colours, fonts, sizes. Nothing outside names a colour or a font file.

mod fonts;
mod palette;
mod style;

pub(crate) mod space;

pub(crate) use fonts::{body, emoji, medium, mono, semibold};
pub(crate) use palette::{Bubble, IDENTITY_INK, Palette, QR_DARK, QR_LIGHT, identity_fill};

use egui::Context;

/// A set of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Light text on dark ground.
    #[default]
    Dark,
    /// Dark text on light ground.
    Light,
    /// Black and white, for eyes that need it.
    Contrast,
}

impl Theme {
    /// All themes, in the order in which the settings show them.
    pub(crate) const ALL: [Self; 3] = [Self::Dark, Self::Light, Self::Contrast];

    /// The theme's name in a settings file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Contrast => "contrast",
        }
    }

    /// The theme with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }

    /// The colours.
    pub(crate) fn palette(self) -> &'static Palette {
        match self {
            Self::Dark => &Palette::DARK,
            Self::Light => &Palette::LIGHT,
            Self::Contrast => &Palette::CONTRAST,
        }
    }

    /// Makes every widget of `ctx` look like this theme.
    pub(crate) fn apply(self, ctx: &Context) {
        let palette = self.palette();
        ctx.set_theme(if palette.is_dark {
            egui::Theme::Dark
        } else {
            egui::Theme::Light
        });
        ctx.all_styles_mut(|style| style::install(style, palette));
    }
}

/// Installs the fonts; with `use_system`, other scripts and colour emoji come from the system.
pub(crate) fn install_fonts(ctx: &Context, use_system: bool) {
    fonts::install(ctx, use_system);
}
