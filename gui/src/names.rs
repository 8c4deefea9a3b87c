//! Makes a name that somebody else chose safe to show.

/// The longest name shown, in characters; the rest is cut.
pub(crate) const NAME_CHARS_MAX: usize = 40;

/// The name without characters that hide, reorder or imitate, never empty.
///
/// Removes controls, bidi overrides and isolates, zero-width and other invisible characters, and
/// joins white space; falls back to `handle` (cleaned likewise) and then to a question mark.
pub(crate) fn clean(name: &str, handle: &str) -> String {
    for candidate in [name, handle] {
        let cleaned = strip(candidate);
        if !cleaned.is_empty() {
            return cleaned;
        }
    }
    "?".to_owned()
}

fn strip(name: &str) -> String {
    let visible: String = name
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !is_invisible(*c))
        .collect();
    let joined = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.chars().take(NAME_CHARS_MAX).collect()
}

/// Whether a character leaves no mark of its own.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || is_bidi_control(c)
        || matches!(
            u32::from(c),
            0x00AD
                | 0x034F
                | 0x115F..=0x1160
                | 0x17B4..=0x17B5
                | 0x180B..=0x180F
                | 0x200B..=0x200D
                | 0x2028..=0x2029
                | 0x2060..=0x2065
                | 0x206A..=0x206F
                | 0x2800
                | 0x3164
                | 0xFE00..=0xFE0F
                | 0xFEFF
                | 0xFFA0
                | 0xFFF0..=0xFFFB
                | 0xE0000..=0xE0FFF
        )
}

/// Whether a character changes the order of those around it.
pub(crate) fn is_bidi_control(c: char) -> bool {
    matches!(
        u32::from(c),
        0x061C | 0x200E..=0x200F | 0x202A..=0x202E | 0x2066..=0x2069
    )
}

/// The letter for an avatar.
pub(crate) fn initial(name: &str) -> String {
    name.chars()
        .find(|c| c.is_alphanumeric())
        .map_or_else(|| "?".to_owned(), |c| c.to_uppercase().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_honest_names_in_every_script() {
        for name in [
            "Alice",
            "Bob Marley",
            "ديانا",
            "נועה",
            "नमिता",
            "Zoë",
            "李雷",
        ] {
            assert_eq!(clean(name, "x"), name);
        }
    }

    #[test]
    fn removes_overrides_and_zero_width_characters() {
        assert_eq!(clean("\u{202E}ecilA\u{202C}", "x"), "ecilA");
        assert_eq!(clean("A\u{200B}li\u{200D}ce\u{FEFF}", "x"), "Alice");
        assert_eq!(clean("\u{2067}Bob\u{2069}\u{200F}", "x"), "Bob");
    }

    #[test]
    fn joins_lines_and_spaces() {
        assert_eq!(clean("  Alice \n\t B\u{00A0}", "x"), "Alice B");
    }

    #[test]
    fn an_invisible_name_becomes_the_handle_and_then_a_mark() {
        assert_eq!(clean("\u{200B}\u{3164}", "bob"), "bob");
        assert_eq!(clean("", "\u{202E}"), "?");
    }

    #[test]
    fn cuts_a_name_that_is_too_long() {
        assert_eq!(clean(&"a".repeat(500), "x").chars().count(), NAME_CHARS_MAX);
    }

    #[test]
    fn finds_the_initial() {
        assert_eq!(initial("alice"), "A");
        assert_eq!(initial("«ß»"), "SS");
        assert_eq!(initial("🙂"), "?");
    }
}
