//! Emoji among letters.

/// Splits at the first character that asks to be a picture although text fonts have it, such as
/// a heart: before it, the picture with all that is joined to it, and the rest.
pub(super) fn split_picture(text: &str) -> Option<(&str, &str, &str)> {
    const PICTURE: char = '\u{FE0F}';
    const JOINER: char = '\u{200D}';
    let mark = text.find(PICTURE)?;
    let before = text.get(..mark)?;
    let base = before.chars().next_back().filter(|c| !c.is_ascii())?;
    let start = mark - base.len_utf8();
    if text.get(..start)?.ends_with(JOINER) {
        // Within a sequence, whose first picture has chosen the font.
        return None;
    }
    let mut end = mark + PICTURE.len_utf8();
    while let Some(tail) = text.get(end..).filter(|tail| tail.starts_with(JOINER)) {
        let joined = tail.chars().nth(1).map_or(0, char::len_utf8);
        end += JOINER.len_utf8() + joined;
        let has_mark = text
            .get(end..)
            .is_some_and(|tail| tail.starts_with(PICTURE));
        end += if has_mark { PICTURE.len_utf8() } else { 0 };
    }
    Some((text.get(..start)?, text.get(start..end)?, text.get(end..)?))
}
