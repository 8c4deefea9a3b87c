//! A summary that no model makes: sentences that say most of what the others say, by `LexRank` (Erkan
//! and Radev, 2004).

use std::collections::{HashMap, HashSet};

use unicode_segmentation::UnicodeSegmentation as _;

use super::Line;

/// Sentences that are compared, the newest ones: each with each other.
const SENTENCES_MAX: usize = 200;
/// The shortest sentence that says something, in words.
const WORDS_MIN: usize = 4;
/// From this similarity on, sentences speak for each other.
const SIMILAR: f64 = 0.1;
/// How much of a sentence's weight comes from others.
const DAMPING: f64 = 0.85;
const ROUNDS: usize = 50;

struct Sentence {
    said: String,
    words: HashMap<String, f64>,
    /// The length of the vector of its words.
    norm: f64,
}

/// The sentences that say most of what was said, in their order and with their authors; at most so
/// many. They are chosen on this computer, and are nobody's interpretation.
pub fn key_sentences(lines: &[Line], count: usize) -> Vec<String> {
    let mut sentences = sentences(lines);
    if sentences.len() <= count {
        return sentences.into_iter().map(|it| it.said).collect();
    }
    weigh(&mut sentences);
    let ranks = ranks(&sentences);
    let mut order: Vec<usize> = (0..sentences.len()).collect();
    let rank = |index: &usize| ranks.get(*index).copied().unwrap_or(0.0);
    order.sort_by(|a, b| rank(b).total_cmp(&rank(a)).then(a.cmp(b)));
    let mut chosen: Vec<usize> = Vec::new();
    for index in order {
        let is_said = chosen.iter().any(|other| {
            let pair = sentences.get(index).zip(sentences.get(*other));
            // What was said twice is told once.
            pair.is_some_and(|(a, b)| similarity(a, b) > 0.7)
        });
        if !is_said && chosen.len() < count {
            chosen.push(index);
        }
    }
    chosen.sort_unstable();
    let said = chosen.iter().filter_map(|index| sentences.get(*index));
    said.map(|it| it.said.clone()).collect()
}

/// The newest sentences that are long enough; all of them, if too few are.
fn sentences(lines: &[Line]) -> Vec<Sentence> {
    let of_length = |least: usize| {
        let mut found = Vec::new();
        'lines: for line in lines.iter().rev() {
            let clean = super::text::clean(&line.text);
            let said: Vec<&str> = clean.lines().flat_map(str::unicode_sentences).collect();
            for sentence in said.into_iter().rev() {
                let words = words(sentence);
                if words.len() < least {
                    continue;
                }
                found.push((format!("{}: {}", line.author, sentence.trim()), words));
                if found.len() == SENTENCES_MAX {
                    break 'lines;
                }
            }
        }
        found.reverse();
        found
    };
    let mut found = of_length(WORDS_MIN);
    if found.is_empty() {
        found = of_length(1);
    }
    found
        .into_iter()
        .map(|(said, all)| {
            let mut words = HashMap::new();
            for word in all {
                *words.entry(word).or_insert(0.0) += 1.0;
            }
            let norm = 0.0;
            Sentence { said, words, norm }
        })
        .collect()
}

fn words(sentence: &str) -> Vec<String> {
    sentence.unicode_words().map(str::to_lowercase).collect()
}

/// Gives rare words more weight than those that every sentence has.
#[expect(clippy::cast_precision_loss, reason = "there are a few hundred")]
fn weigh(sentences: &mut [Sentence]) {
    let mut found: HashMap<String, f64> = HashMap::new();
    for sentence in sentences.iter() {
        for word in sentence.words.keys() {
            *found.entry(word.clone()).or_insert(0.0) += 1.0;
        }
    }
    let all = sentences.len() as f64;
    for sentence in sentences {
        for (word, weight) in &mut sentence.words {
            let with_it = found.get(word).copied().unwrap_or(1.0);
            *weight *= (1.0 + all / with_it).ln();
        }
        let squares = sentence.words.values().map(|weight| weight * weight);
        sentence.norm = squares.sum::<f64>().sqrt();
    }
}

fn similarity(a: &Sentence, b: &Sentence) -> f64 {
    let common: HashSet<&String> = a
        .words
        .keys()
        .filter(|it| b.words.contains_key(*it))
        .collect();
    // In one order, so that the sum is the same each time.
    let mut common: Vec<&String> = common.into_iter().collect();
    common.sort_unstable();
    let products = common
        .into_iter()
        .filter_map(|word| Some(a.words.get(word)? * b.words.get(word)?));
    let norms = a.norm * b.norm;
    if norms > 0.0 {
        products.sum::<f64>() / norms
    } else {
        0.0
    }
}

/// How much the others speak for each sentence.
#[expect(clippy::cast_precision_loss, reason = "there are a few hundred")]
fn ranks(sentences: &[Sentence]) -> Vec<f64> {
    let mut neighbours: Vec<Vec<usize>> = vec![Vec::new(); sentences.len()];
    for (first, a) in sentences.iter().enumerate() {
        for (second, b) in sentences.iter().enumerate().skip(first) {
            if similarity(a, b) <= SIMILAR {
                continue;
            }
            for (one, other) in [(first, second), (second, first)] {
                if let Some(similar) = neighbours.get_mut(one)
                    && !similar.contains(&other)
                {
                    similar.push(other);
                }
            }
        }
    }
    let count = sentences.len() as f64;
    let mut ranks = vec![1.0 / count; sentences.len()];
    for _ in 0..ROUNDS {
        let mut next = vec![(1.0 - DAMPING) / count; sentences.len()];
        for (rank, similar) in ranks.iter().zip(&neighbours) {
            for index in similar {
                if let Some(next) = next.get_mut(*index) {
                    *next += DAMPING * rank / similar.len() as f64;
                }
            }
        }
        ranks = next;
    }
    ranks
}
