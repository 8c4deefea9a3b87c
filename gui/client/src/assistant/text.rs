//! Texts on their way to a model and back: cleaned, and without names.

/// Whether a character may be hidden in a text: nobody sees it, and a model reads it.
pub(super) fn is_hidden(sign: char) -> bool {
    sign.is_control() && !matches!(sign, '\n' | '\t')
        || matches!(u32::from(sign),
            0x00AD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
            | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F
            | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0xE0000..=0xE0FFF)
}

/// What a model reads: nothing in it that a person would not see.
pub(super) fn clean(text: &str) -> String {
    text.chars().filter(|sign| !is_hidden(*sign)).collect()
}

/// What a person reads: as [`clean`], with what emoji and some scripts are joined by.
pub(super) fn clean_answer(text: &str) -> String {
    let joins = |sign: char| matches!(sign, '\u{200C}' | '\u{200D}' | '\u{FE0F}');
    let is_kept = |sign: &char| !is_hidden(*sign) || joins(*sign);
    text.chars().filter(is_kept).collect()
}

/// An answer without what some models think aloud before it.
pub(super) fn without_thoughts(answer: &str) -> &str {
    match answer.trim_start().strip_prefix("<think>") {
        Some(rest) => rest.split_once("</think>").map_or("", |(_, said)| said),
        // The beginning of that, as it streams in.
        None if "<think>".starts_with(answer.trim_start()) => "",
        None => answer,
    }
}

/// What stands for each name.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Labels {
    /// Labels and the names that they stand for.
    labels: Vec<(String, String)>,
    /// What is replaced, by which label; the longest first.
    names: Vec<(Vec<char>, usize)>,
}

/// The shortest part of a name that is replaced on its own, in characters.
const NAME_PART_CHARS_MIN: usize = 3;

impl Labels {
    /// A label for each of these people, in their order; none of them is in `texts` already.
    pub(super) fn new<'a>(people: impl Iterator<Item = &'a str>, texts: &[String]) -> Self {
        let is_free = |word: &&str| !texts.iter().any(|text| finds(text, word));
        let word = ["Person", "Speaker", "Participant"];
        let word = word.into_iter().find(is_free).unwrap_or("Person");
        let mut it = Self::default();
        for name in people {
            if it.labels.iter().any(|(_, known)| known == name) {
                continue;
            }
            let index = it.labels.len();
            let label = match u8::try_from(index) {
                Ok(index @ ..26) => format!("{word} {}", char::from(b'A' + index)),
                _ => format!("{word} {}", index + 1),
            };
            it.labels.push((label, name.to_owned()));
            let parts = name.split_whitespace();
            let parts = parts.filter(|part| part.chars().count() >= NAME_PART_CHARS_MIN);
            for found in [name].into_iter().chain(parts) {
                it.names.push((folded(found), index));
            }
        }
        it.names.retain(|(name, _)| !name.is_empty());
        it.names
            .sort_by_key(|(name, index)| (std::cmp::Reverse(name.len()), *index));
        it
    }

    /// What stands for an author.
    pub(super) fn of<'a>(&'a self, name: &'a str) -> &'a str {
        let known = self.labels.iter().find(|(_, known)| known == name);
        known.map_or(name, |(label, _)| label)
    }

    /// The text with labels in place of names, where these are words of their own.
    pub(super) fn replace(&self, text: &str) -> String {
        let names = self.names.iter();
        let names = names.filter_map(|(name, index)| Some((name, &self.labels.get(*index)?.0)));
        replaced(text, &names.collect::<Vec<_>>())
    }

    /// The answer with names in place of labels.
    pub(super) fn put_back(&self, answer: &str) -> String {
        let labels: Vec<(Vec<char>, &String)> = self
            .labels
            .iter()
            .rev()
            .map(|(label, name)| (folded(label), name))
            .collect();
        let labels: Vec<_> = labels.iter().map(|(label, name)| (label, *name)).collect();
        replaced(answer, &labels)
    }
}

/// A text without regard to capitals, one character for each of its own.
fn folded(text: &str) -> Vec<char> {
    text.chars().map(fold).collect()
}

fn fold(sign: char) -> char {
    let mut lower = sign.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(lower), None) => lower,
        _ => sign,
    }
}

fn finds(text: &str, word: &str) -> bool {
    let (text, word) = (folded(text), folded(word));
    text.windows(word.len().max(1)).any(|found| found == word)
}

fn replaced(text: &str, pairs: &[(&Vec<char>, &String)]) -> String {
    if pairs.is_empty() {
        return text.to_owned();
    }
    let signs: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let is_word = |sign: Option<&char>| sign.is_some_and(|sign| sign.is_alphanumeric());
    while let Some(sign) = signs.get(at) {
        let begins = at == 0 || !is_word(signs.get(at - 1));
        let rest = signs.get(at..).unwrap_or_default();
        let found = pairs.iter().find(|(from, _)| {
            let ends = !is_word(rest.get(from.len()));
            begins && ends && rest.len() >= from.len() && {
                let mut pairs = rest.iter().zip(from.iter());
                pairs.all(|(a, b)| fold(*a) == *b)
            }
        });
        if let Some((from, to)) = found {
            out.push_str(to);
            at += from.len();
        } else {
            out.push(*sign);
            at += 1;
        }
    }
    out
}
