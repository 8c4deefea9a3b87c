//! What a rephrasing has changed, word by word.

use egui::text::{LayoutJob, TextFormat};
use egui::{Label, Role, Stroke, Ui, WidgetInfo};
use similar::{ChangeTag, TextDiff};

use crate::bidi;
use crate::theme::{Palette, body};
use crate::words;

/// Two texts side by side take longer the longer they are; beyond this, in bytes, only the new one
/// is shown.
const DIFF_BYTES_MAX: usize = 16 * 1024;

/// Words that stay, go and come.
pub(super) struct Diff {
    parts: Vec<(ChangeTag, String)>,
    spoken: String,
}

impl Diff {
    pub(super) fn new(before: &str, after: &str) -> Self {
        let (before, after) = (bidi::displayable(before), bidi::displayable(after));
        let mut parts: Vec<(ChangeTag, String)> = Vec::new();
        if before.len() + after.len() > DIFF_BYTES_MAX {
            parts.push((ChangeTag::Equal, after.clone()));
        } else {
            for change in TextDiff::from_unicode_words(&before, &after).iter_all_changes() {
                match parts.last_mut() {
                    Some((tag, text)) if *tag == change.tag() => text.push_str(change.value()),
                    _ => parts.push((change.tag(), change.value().to_owned())),
                }
            }
        }
        Self {
            parts,
            spoken: words::rephrased_as(&after),
        }
    }

    pub(super) fn ui(&self, ui: &mut Ui, p: &Palette) {
        let mut job = LayoutJob::default();
        job.wrap.max_width = ui.available_width();
        for (tag, text) in &self.parts {
            let mut format = TextFormat::simple(body(14.0), p.text);
            match tag {
                ChangeTag::Equal => {}
                // By its line as well as by its colour.
                ChangeTag::Delete => {
                    format.color = p.danger;
                    format.strikethrough = Stroke::new(1.0, p.danger);
                }
                ChangeTag::Insert => {
                    format.color = p.success;
                    format.underline = Stroke::new(1.0, p.success);
                }
            }
            job.append(text, 0.0, format);
        }
        let label = ui.add(Label::new(job).wrap());
        label.widget_info(|| WidgetInfo::labeled(Role::Label, true, &self.spoken));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(before: &str, after: &str) -> Vec<(ChangeTag, String)> {
        Diff::new(before, after).parts
    }

    #[test]
    fn words_that_stay_go_and_come_are_told_apart() {
        use ChangeTag::{Delete, Equal, Insert};
        let texts = [(Equal, "see you "), (Delete, "tmrw"), (Insert, "tomorrow")];
        let texts = texts.map(|(tag, text)| (tag, text.to_owned()));
        assert_eq!(parts("see you tmrw", "see you tomorrow"), texts);
        assert_eq!(parts("", ""), []);
        // Nothing reorders what is shown.
        assert_eq!(parts("a\u{202e}", "a"), [(Equal, "a".to_owned())]);
    }

    #[test]
    fn a_very_long_text_is_shown_as_it_is_to_be() {
        let long = "word ".repeat(DIFF_BYTES_MAX / 5);
        assert_eq!(parts("short", &long), [(ChangeTag::Equal, long)]);
    }
}
