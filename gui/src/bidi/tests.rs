//! Order, caret places and lines of text in both directions.

use super::breaker::{visual_pieces, words};
use super::*;

fn pieces(text: &str) -> String {
    let info = BidiInfo::new(text, None);
    let paragraph = &info.paragraphs[0];
    visual_pieces(&info, paragraph, paragraph.range.clone())
        .iter()
        .map(|piece| piece.text.as_str())
        .collect::<Vec<_>>()
        .join("|")
}

#[test]
fn words_of_a_right_to_left_line_stand_from_right_to_left() {
    assert_eq!(pieces("שלום עולם"), "עולם| |שלום");
    assert_eq!(pieces("مرحبا بالعالم!"), "!|بالعالم| |مرحبا");
}

#[test]
fn embedded_latin_and_numbers_keep_their_own_direction() {
    assert_eq!(pieces("שלום Bob 42"), "Bob 42| |שלום");
    assert_eq!(pieces("hello שלום world"), "hello |שלום| world");
}

#[test]
fn brackets_are_mirrored() {
    assert_eq!(pieces("(שלום)"), "(|שלום|)");
}

#[test]
fn marks_stay_with_their_letter() {
    assert_eq!(pieces("שָׁלוֹם"), "שָׁלוֹם");
}

#[test]
fn direction_follows_the_first_strong_letter() {
    assert!(starts_rtl("123 «مرحبا» hello"));
    assert!(!starts_rtl("hello مرحبا"));
    assert!(!starts_rtl("123 🙂"));
    assert!(has_rtl("hello مرحبا"));
    assert!(!has_rtl("héllo 日本"));
}

#[test]
fn overrides_are_not_displayed() {
    assert_eq!(
        displayable("a\u{202E}b\u{2066}c\u{0007}\nd\te"),
        "abc\nd\te"
    );
}

#[test]
fn words_cover_the_whole_range() {
    let text = "  ab  cd e ";
    let found: Vec<&str> = words(text, 0..text.len())
        .into_iter()
        .map(|range| text.get(range).unwrap())
        .collect();
    assert_eq!(found, ["  ", "ab  ", "cd ", "e "]);
    assert_eq!(found.concat(), text);
}

#[test]
fn pictures_that_text_fonts_also_have_are_told_apart() {
    assert_eq!(
        split_picture("a ❤\u{FE0F} b"),
        Some(("a ", "❤\u{FE0F}", " b"))
    );
    let flag = "🏳\u{FE0F}\u{200D}🌈";
    assert_eq!(split_picture(flag), Some(("", flag, "")));
    assert_eq!(split_picture("a ❤ b 🙂"), None);
    assert_eq!(split_picture("1\u{FE0F}"), None);
    assert_eq!(split_picture("\u{FE0F}"), None);
    assert_eq!(split_picture("👩\u{200D}❤\u{FE0F}\u{200D}👨"), None);
}

/// Runs `check` with the shipped fonts.
fn with_fonts(check: impl FnMut(&mut FontsView<'_>)) {
    let ctx = egui::Context::default();
    crate::theme::install_fonts(&ctx, false);
    let mut check = check;
    let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
        ui.fonts_mut(|fonts| check(fonts));
    });
    output.textures_delta.clear();
}

fn look() -> TextLook {
    TextLook {
        font: crate::theme::body(14.0),
        color: Color32::WHITE,
        line_height: 20.0,
    }
}

#[test]
fn edited_text_has_a_caret_place_for_every_character() {
    with_fonts(|fonts| {
        for text in [
            "مرحبا لا أعرف",
            "שלום Bob 42\nab גד",
            "سلام\n",
            "a\n\nلا",
            "سلامسلامسلامسلام سلام لا",
        ] {
            for width in [40.0, 90.0, 500.0] {
                let galley = layout_editable(fonts, text, &look(), width);
                let mut seen = String::new();
                for row in &galley.rows {
                    seen.extend(row.row.glyphs.iter().map(|glyph| glyph.chr));
                    if row.ends_with_newline {
                        seen.push('\n');
                    }
                }
                assert_eq!(seen, text, "at width {width}");
                assert_eq!(galley.end().index.0, text.chars().count(), "{text}");
            }
        }
    });
}

#[test]
fn the_caret_moves_left_through_right_to_left_text() {
    with_fonts(|fonts| {
        let galley = layout_editable(fonts, "سلام سلام", &look(), 300.0);
        let row = &galley.rows[0].row;
        let places: Vec<f32> = row.glyphs.iter().map(|glyph| glyph.pos.x).collect();
        assert!(places.is_sorted_by(|a, b| a > b), "{places:?}");
        assert!((places[0] - 300.0).abs() < 1.0);
        assert!(row.size.x < places[places.len() - 1]);
    });
}

#[test]
fn lines_fit_and_are_broken_in_the_order_of_reading() {
    with_fonts(|fonts| {
        let text = "واحد اثنان ثلاثة أربعة خمسة ستة سبعة";
        let found = lines(fonts, text, &look(), 120.0, true);
        assert!(found.len() > 1);
        assert!(found.iter().all(|line| line.width <= 120.0 && line.is_rtl));
        // The first word stands at the right end of the first line.
        assert_eq!(
            found[0].pieces.last().map(|piece| piece.text.as_str()),
            Some("واحد")
        );
        let starts: Vec<usize> = found
            .iter()
            .filter_map(|line| line.pieces.iter().map(|piece| piece.start).min())
            .collect();
        assert!(starts.is_sorted());
    });
}
