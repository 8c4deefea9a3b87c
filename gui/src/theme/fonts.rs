//! The fonts: Inter and three Noto scripts ship with the app, the rest comes from the system.
//!
//! The order within a family decides: Inter, Hebrew, Arabic, Devanagari, then what the system
//! has. A colour emoji font of the system is asked before its text fonts, because many of those
//! hold black-and-white emoji. Without system fonts a monochrome emoji font stands in.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use egui::epaint::text::{
    FallbackRequest, FontInsert, FontPriority, FontProvider, InsertFontFamily,
};
use egui::{Context, FontData, FontDefinitions, FontFamily, FontId, FontTweak};
use egui_system_font_provider::SystemFontProvider;

const MEDIUM: &str = "Inter Medium";
const SEMIBOLD: &str = "Inter SemiBold";
const EMOJI: &str = "Noto Emoji";

/// Black-and-white emoji, for systems without colour emoji.
const EMOJI_BYTES: &[u8] = include_bytes!("../../../assets/fonts/NotoEmoji-Regular.ttf");

/// The shipped fonts that follow Inter in each family.
const SCRIPTS: [(&str, &[u8]); 3] = [
    (
        "Noto Sans Hebrew",
        include_bytes!("../../../assets/fonts/NotoSansHebrew-Regular.ttf"),
    ),
    (
        "Noto Sans Arabic",
        include_bytes!("../../../assets/fonts/NotoSansArabic-Regular.ttf"),
    ),
    (
        "Noto Sans Devanagari",
        include_bytes!("../../../assets/fonts/NotoSansDevanagari-Regular.ttf"),
    ),
];

/// The regular font at `size` points.
pub(crate) fn body(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// The medium font at `size` points.
pub(crate) fn medium(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(MEDIUM.into()))
}

/// The semibold font at `size` points.
pub(crate) fn semibold(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(SEMIBOLD.into()))
}

/// The monospaced font at `size` points.
pub(crate) fn mono(size: f32) -> FontId {
    FontId::new(size, FontFamily::Monospace)
}

/// The font for pictures among text at `size` points.
pub(crate) fn emoji(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(EMOJI.into()))
}

/// Installs the families.
pub(super) fn install(ctx: &Context, use_system: bool) {
    ctx.set_fonts(definitions(use_system));
    if use_system {
        ctx.set_font_providers(vec![
            Arc::new(EmojiProvider),
            Arc::new(SystemFontProvider::new()),
        ]);
    } else {
        ctx.set_font_providers(Vec::new());
    }
}

fn definitions(use_system: bool) -> FontDefinitions {
    let mut shipped = FontDefinitions::default();
    let mut fonts = FontDefinitions::empty();
    let inter: [(&str, &'static [u8]); 3] = [
        (
            "Inter",
            include_bytes!("../../../assets/fonts/Inter-Regular.otf"),
        ),
        (
            MEDIUM,
            include_bytes!("../../../assets/fonts/Inter-Medium.otf"),
        ),
        (
            SEMIBOLD,
            include_bytes!("../../../assets/fonts/Inter-SemiBold.otf"),
        ),
    ];
    for (name, bytes) in inter.into_iter().chain(SCRIPTS) {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let mut rest: Vec<String> = SCRIPTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    if let Some(data) = shipped.font_data.remove("Hack") {
        fonts.font_data.insert("Hack".to_owned(), data);
    }
    if !use_system {
        fonts
            .font_data
            .insert(EMOJI.to_owned(), Arc::new(monochrome_emoji()));
        rest.push(EMOJI.to_owned());
    }
    let family = |first: &str| {
        let mut names = vec![first.to_owned()];
        names.extend(rest.iter().cloned());
        names
    };
    fonts
        .families
        .insert(FontFamily::Proportional, family("Inter"));
    fonts.families.insert(FontFamily::Monospace, family("Hack"));
    let pictures = if use_system {
        Vec::new()
    } else {
        family(EMOJI)
    };
    fonts
        .families
        .insert(FontFamily::Name(EMOJI.into()), pictures);
    for name in [MEDIUM, SEMIBOLD] {
        fonts
            .families
            .insert(FontFamily::Name(name.into()), family(name));
    }
    fonts
}

/// Finds the system's colour emoji font, once a message holds an emoji; the shipped one otherwise.
struct EmojiProvider;

impl FontProvider for EmojiProvider {
    fn fonts_for_family(&self, family: &FontFamily) -> Vec<FontInsert> {
        if *family == FontFamily::Name(EMOJI.into()) {
            vec![colour_emoji()]
        } else {
            Vec::new()
        }
    }

    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        is_emoji(request.cluster).then(colour_emoji)
    }
}

/// The system's emoji in all families, or the shipped ones.
fn colour_emoji() -> FontInsert {
    let families = [
        FontFamily::Proportional,
        FontFamily::Monospace,
        FontFamily::Name(MEDIUM.into()),
        FontFamily::Name(SEMIBOLD.into()),
        FontFamily::Name(EMOJI.into()),
    ];
    FontInsert {
        name: EMOJI.to_owned(),
        data: emoji_font_paths()
            .into_iter()
            .find_map(|path| fs::read(path).ok())
            .map_or_else(monochrome_emoji, FontData::from_owned),
        families: families
            .into_iter()
            .map(|family| InsertFontFamily {
                family,
                priority: FontPriority::Lowest,
            })
            .collect(),
    }
}

/// The shipped emoji, at the size of the letters around them.
fn monochrome_emoji() -> FontData {
    FontData::from_static(EMOJI_BYTES).tweak(FontTweak {
        scale: 0.85,
        ..FontTweak::default()
    })
}

/// Whether a grapheme cluster wants to be a colourful picture.
fn is_emoji(cluster: &str) -> bool {
    let Some(first) = cluster.chars().next() else {
        return false;
    };
    matches!(
        u32::from(first),
        0x1F000..=0x1FAFF | 0x2600..=0x27BF | 0x2B00..=0x2BFF | 0x231A..=0x23FF
    ) || cluster.contains('\u{FE0F}')
}

/// Where systems keep their colour emoji font, the person's own folder first.
fn emoji_font_paths() -> Vec<PathBuf> {
    let mut paths = Vec::new();
    if let Some(dirs) = directories::UserDirs::new()
        && let Some(fonts) = dirs.font_dir()
    {
        paths.push(fonts.join("NotoColorEmoji.ttf"));
    }
    paths.extend(
        [
            "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
            "/usr/share/fonts/noto/NotoColorEmoji.ttf",
            "/usr/share/fonts/google-noto-color-emoji-fonts/NotoColorEmoji.ttf",
            "/usr/share/fonts/google-noto-emoji/NotoColorEmoji.ttf",
            "/usr/share/fonts/NotoColorEmoji.ttf",
            "/run/current-system/sw/share/X11/fonts/NotoColorEmoji.ttf",
            "/System/Library/Fonts/Apple Color Emoji.ttc",
            "C:\\Windows\\Fonts\\seguiemj.ttf",
        ]
        .map(PathBuf::from),
    );
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_names_only_fonts_that_are_there() {
        for use_system in [false, true] {
            let fonts = definitions(use_system);
            assert_eq!(fonts.families.len(), 5);
            for (family, names) in &fonts.families {
                // The system's provider gives the pictures.
                let is_given = use_system && *family == FontFamily::Name(EMOJI.into());
                assert_eq!(names.is_empty(), is_given);
                for name in names {
                    assert!(fonts.font_data.contains_key(name), "{name}");
                }
            }
        }
    }

    #[test]
    fn emoji_are_told_from_text() {
        for cluster in ["🙂", "👍🏽", "❤\u{FE0F}", "☀", "🇩🇪"] {
            assert!(is_emoji(cluster), "{cluster}");
        }
        for cluster in ["a", "ع", "日", "", "1"] {
            assert!(!is_emoji(cluster), "{cluster}");
        }
    }
}
