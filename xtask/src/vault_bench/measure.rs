//! Does it find the right page?

use std::{fs, path::Path};

use kite_vault::{Index, Query, Ranking, Reach, Scope, Searcher, Vault};

use super::{
    pages::{Page, Pages},
    rivals::{Counting, DEPTH, PlainIndex, Rival},
};
use crate::say;

/// About so many of the first half's questions are asked for each choice of weights.
const TUNED_ON: usize = 700;

/// About so many questions are asked of ripgrep.
const COUNTED: usize = 400;

/// Kite's vault, with each page as a note.
struct KiteVault {
    folder: tempfile::TempDir,
    searcher: Searcher,
    numbers: std::collections::HashMap<String, usize>,
}

impl KiteVault {
    fn of(pages: &Pages, name: impl Fn(usize, &Page) -> String) -> Result<KiteVault, String> {
        let folder = tempfile::tempdir().map_err(|it| it.to_string())?;
        let notes = folder.path().join("notes");
        fs::create_dir(&notes).map_err(|it| it.to_string())?;
        let mut numbers = std::collections::HashMap::new();
        for (number, page) in pages.iter().enumerate() {
            let name = format!("{}.md", name(number, page));
            fs::write(notes.join(&name), &page.text).map_err(|it| it.to_string())?;
            numbers.insert(name, number);
        }
        let vault = Vault::chosen(&notes, Scope::Person);
        let index = Index::open(folder.path().join("index.db"), vec![vault]);
        let mut index = index.map_err(|it| it.to_string())?;
        index.rescan().map_err(|it| it.to_string())?;
        let searcher = index.searcher().map_err(|it| it.to_string())?;
        Ok(KiteVault {
            folder,
            searcher,
            numbers,
        })
    }

    fn notes(&self) -> std::path::PathBuf {
        self.folder.path().join("notes")
    }
}

impl Rival for KiteVault {
    fn answer(&mut self, question: &str) -> Result<Vec<usize>, String> {
        let query = Query {
            text: question.to_owned(),
            tags: Vec::new(),
            limit: DEPTH,
        };
        let answers = self.searcher.search(&query, &Reach::everything(), 0);
        let answers = answers.map_err(|it| it.to_string())?;
        let number = |path: &Path| self.numbers.get(path.to_str()?).copied();
        Ok(answers
            .iter()
            .filter_map(|it| number(&it.in_vault))
            .collect())
    }
}

/// How well the questions were answered, one figure for each.
struct Figures {
    /// 1 / the place of the right page among the first ten, or 0.
    reciprocal: Vec<f64>,
    /// Whether it is among the first five.
    recalled: Vec<f64>,
}

impl Figures {
    fn of(rival: &mut dyn Rival, questions: &[(usize, &str)]) -> Result<Figures, String> {
        let mut figures = Figures {
            reciprocal: Vec::new(),
            recalled: Vec::new(),
        };
        for (right, question) in questions {
            let answers = rival.answer(question)?;
            let place = answers.iter().position(|it| it == right);
            #[expect(clippy::cast_precision_loss, reason = "a place below ten")]
            figures
                .reciprocal
                .push(place.map_or(0.0, |place| 1.0 / (place + 1) as f64));
            figures
                .recalled
                .push(f64::from(place.is_some_and(|place| place < 5)));
        }
        Ok(figures)
    }

    fn row(&self, name: &str) {
        let (mrr, recall) = (mean(&self.reciprocal), mean(&self.recalled));
        say(&format!(
            "  {name:<44} MRR@10 {mrr:.3}   recall@5 {recall:.3}"
        ));
    }

    /// Every so manieth figure.
    fn every(&self, step: usize) -> Figures {
        let thin = |figures: &[f64]| figures.iter().copied().step_by(step).collect();
        Figures {
            reciprocal: thin(&self.reciprocal),
            recalled: thin(&self.recalled),
        }
    }

    /// The difference of the means, with the interval in which 95 of 100 resamples lie.
    fn against(&self, name: &str, other: &Figures) {
        let interval = |ours: &[f64], theirs: &[f64]| {
            let differences: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
            let (low, high) = bootstrap(&differences);
            format!("{:+.3} [{low:+.3} .. {high:+.3}]", mean(&differences))
        };
        say(&format!(
            "  Kite against {name:<31} MRR@10 {}   recall@5 {}",
            interval(&self.reciprocal, &other.reciprocal),
            interval(&self.recalled, &other.recalled)
        ));
    }
}

/// Questions of the half with this number. A page's half is by its name, whatever else there is.
fn half(pages: &Pages, wanted: u64) -> Vec<(usize, &str)> {
    let of = |page: &Page| {
        page.name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            })
    };
    let halves: Vec<u64> = pages.iter().map(|page| (of(page) >> 17) & 1).collect();
    pages
        .questions()
        .filter(|(number, _)| halves[*number] == wanted)
        .collect()
}

/// The figures of the half that nothing was chosen on.
pub(super) fn find(pages: &Pages) -> Result<(), String> {
    let questions = half(pages, 1);
    say(&format!(
        "\n{} questions that no weight was chosen on",
        questions.len()
    ));
    let mut kite = KiteVault::of(pages, |_, page| page.name.clone())?;
    let ours = Figures::of(&mut kite, &questions)?;
    ours.row("Kite");
    let mut untitled = KiteVault::of(pages, |number, _| format!("{number:05}"))?;
    let untitled = Figures::of(&mut untitled, &questions)?;
    untitled.row("Kite, with the pages' names hidden");
    let plain = Figures::of(&mut PlainIndex::of(pages, "unicode61")?, &questions)?;
    plain.row("FTS5 BM25 on the text, words OR-ed");
    let porter = Figures::of(&mut PlainIndex::of(pages, "porter unicode61")?, &questions)?;
    porter.row("the same with stems");
    // Ripgrep reads every page for every question: some of them are enough.
    let some = (questions.len() / COUNTED).max(1);
    let sample: Vec<_> = questions.iter().copied().step_by(some).collect();
    let counting = Figures::of(&mut Counting::of(pages, &kite.notes())?, &sample)?;
    counting.row(&format!("ripgrep, by matches, {} questions", sample.len()));
    ours.against("FTS5 BM25", &plain);
    ours.against("the same with stems", &porter);
    ours.every(some).against("ripgrep", &counting);
    untitled.against("FTS5 BM25, names hidden", &plain);
    failures(pages, &mut kite, &questions, &ours)
}

/// Where it fails: questions whose page is not among the first ten.
fn failures(
    pages: &Pages,
    kite: &mut KiteVault,
    questions: &[(usize, &str)],
    figures: &Figures,
) -> Result<(), String> {
    const SHOWN: usize = 12;
    let missed: Vec<usize> = (0..questions.len())
        .filter(|it| figures.reciprocal[*it] == 0.0)
        .collect();
    say(&format!(
        "\nnot among the first ten: {} questions; some of them",
        missed.len()
    ));
    let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
    for number in missed
        .iter()
        .step_by((missed.len() / SHOWN).max(1))
        .take(SHOWN)
    {
        let (right, question) = questions[*number];
        let first = kite
            .answer(question)?
            .first()
            .map_or("nothing", |it| names[*it]);
        say(&format!("  {:<28} {question:<60} -> {first}", names[right]));
    }
    Ok(())
}

/// Weights one by one, on the other half.
pub(super) fn tune(pages: &Pages) -> Result<(), String> {
    let mut questions = half(pages, 0);
    let step = (questions.len() / TUNED_ON).max(1);
    questions = questions.into_iter().step_by(step).collect();
    say(&format!(
        "\n{} questions to choose weights on",
        questions.len()
    ));
    let mut kite = KiteVault::of(pages, |_, page| page.name.clone())?;
    for (name, ranking) in variants() {
        kite.searcher.set_ranking(ranking);
        Figures::of(&mut kite, &questions)?.row(&name);
    }
    let plain = Figures::of(&mut PlainIndex::of(pages, "unicode61")?, &questions)?;
    plain.row("FTS5 BM25 on the text, words OR-ed");
    Ok(())
}

fn variants() -> Vec<(String, Ranking)> {
    type Change = (&'static str, fn(&mut Ranking, f64), &'static [f64]);
    const CHANGES: &[Change] = &[
        ("title", |it, value| it.title = value, &[0.0, 2.0, 8.0]),
        ("headings", |it, value| it.headings = value, &[1.0, 4.0]),
        ("lead", |it, value| it.lead = value, &[1.0, 2.0, 8.0]),
        (
            "identifiers",
            |it, value| it.identifiers = value,
            &[0.0, 1.0, 4.0],
        ),
        ("pairs", |it, value| it.pairs = value > 0.0, &[0.0]),
        ("twice", |it, value| it.twice = value > 0.0, &[0.0]),
        (
            "all rows, or few",
            |it, value| it.rows = if value > 0.0 { u64::MAX } else { 200 },
            &[0.0, 1.0],
        ),
    ];
    let mut variants = vec![("as it is".to_owned(), Ranking::default())];
    for (name, change, values) in CHANGES {
        for value in *values {
            let mut ranking = Ranking::default();
            change(&mut ranking, *value);
            variants.push((format!("{name} {value}"), ranking));
        }
    }
    variants
}

#[expect(clippy::cast_precision_loss, reason = "some thousands of questions")]
fn mean(figures: &[f64]) -> f64 {
    figures.iter().sum::<f64>() / figures.len().max(1) as f64
}

/// The middle 95 of 100 means of resamples, drawn with replacement by a fixed sequence.
fn bootstrap(differences: &[f64]) -> (f64, f64) {
    const ROUNDS: usize = 2_000;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % differences.len() as u64).unwrap_or(0)
    };
    let mut means: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let drawn: Vec<f64> = differences.iter().map(|_| differences[draw()]).collect();
            mean(&drawn)
        })
        .collect();
    means.sort_by(f64::total_cmp);
    (means[ROUNDS / 40], means[ROUNDS - ROUNDS / 40 - 1])
}
