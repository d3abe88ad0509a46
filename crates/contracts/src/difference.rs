//! What two versions of one file's exports mean for somebody who knows the older one.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Item, LINE_CHARS_MAX, LINES_MAX, NAMES_MAX, languages::Found};

/// Characters of one side of a change.
const SIDE_CHARS_MAX: usize = 90;
/// A shorter name says too little to look for it in a text.
const NAME_CHARS_MIN: usize = 3;
/// Of more that went, and of more that came, nobody asks which is only renamed.
const GONE_MAX: usize = 100;
const COME_MAX: usize = 400;

/// What changed of a file's exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// What changed, in the order of the file: one to [`LINES_MAX`] lines. The last says how many
    /// there are besides. Foreign text: neither quoted nor escaped.
    pub lines: Vec<String>,
    /// What was changed or removed, at most [`NAMES_MAX`]. Empty where only lines were compared.
    pub names: Vec<Name>,
}

/// A name that means something else now, or nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    pub name: String,
    /// The type, module or table that it belongs to: a member's name alone says little.
    pub owner: Option<String>,
}

impl Changed {
    pub(crate) fn of(findings: Vec<String>, names: Vec<Name>) -> Option<Changed> {
        let more = findings.len().saturating_sub(LINES_MAX);
        let mut lines: Vec<String> = findings.into_iter().take(LINES_MAX).collect();
        for line in &mut lines {
            *line = cut(line, LINE_CHARS_MAX);
        }
        let last = lines.last_mut()?;
        if more > 0 {
            last.push_str(&format!("; and {more} more"));
        }
        Some(Changed { lines, names })
    }
}

/// What somebody who knows the older exports would get wrong. `None` where that is nothing, or
/// where the newer text has more faults: it is in the middle of an edit.
///
/// What is shown of them goes through `conceal` while it is still whole.
pub(crate) fn between(
    old: &Found,
    new: &Found,
    conceal: &dyn Fn(&str) -> String,
) -> Option<Changed> {
    if new.faults > old.faults {
        return None;
    }
    let mut comparison = Comparison::of(&old.items, &new.items);
    comparison.pair_renamed();
    // In a text that is only partly understood, what is not seen may still be there.
    if new.faults > 0 {
        comparison.gone.clear();
    }
    comparison.result(conceal)
}

/// An item, and where it stands in the older text.
type Placed<'a> = (usize, &'a Item);

#[derive(Default)]
struct Comparison<'a> {
    altered: Vec<(Placed<'a>, &'a Item)>,
    gone: Vec<Placed<'a>>,
    come: Vec<&'a Item>,
    /// Types and tables that are gone or have another name, with all they had.
    holders_gone: BTreeSet<&'a str>,
}

impl<'a> Comparison<'a> {
    fn of(old: &'a [Item], new: &'a [Item]) -> Comparison<'a> {
        type Key<'a> = (Option<&'a str>, &'a str);
        let mut by_key: BTreeMap<Key<'a>, (Vec<Placed<'a>>, Vec<&'a Item>)> = BTreeMap::new();
        for (place, item) in old.iter().enumerate() {
            let both = by_key.entry((item.owner(), item.name())).or_default();
            both.0.push((place, item));
        }
        for item in new {
            let both = by_key.entry((item.owner(), item.name())).or_default();
            both.1.push(item);
        }
        let mut comparison = Comparison::default();
        for (mut before, mut after) in by_key.into_values() {
            before.retain(|(_, item)| {
                let same = after.iter().position(|other| other == item);
                same.map(|at| after.remove(at)).is_none()
            });
            let both = before.len().min(after.len());
            comparison.come.extend(after.drain(both..));
            comparison.gone.extend(before.drain(both..));
            comparison.altered.extend(before.into_iter().zip(after));
        }
        comparison.gone.sort_by_key(|(place, _)| *place);
        let holders: BTreeSet<&str> = old.iter().filter_map(Item::owner).collect();
        let gone = comparison.gone.iter().map(|(_, item)| item.name());
        comparison.holders_gone = gone.filter(|name| holders.contains(name)).collect();
        comparison
    }

    /// Finds among what came what is only a new name of something that has gone.
    fn pair_renamed(&mut self) {
        if self.gone.len() > GONE_MAX || self.come.len() > COME_MAX {
            return;
        }
        let gone = std::mem::take(&mut self.gone);
        let holder_of = |item: &Item| {
            item.owner()
                .is_some_and(|it| self.holders_gone.contains(it))
        };
        let mut renamed: BTreeMap<usize, &'a Item> = BTreeMap::new();
        for (place, item) in &gone {
            if holder_of(item) {
                continue;
            }
            let taken = |other: &&Item| renamed.values().any(|it| std::ptr::eq(*it, *other));
            let alike = |other: &&Item| other.kind == item.kind && other.owner == item.owner;
            let candidates = self.come.iter().copied().filter(alike);
            let candidates: Vec<_> = candidates.filter(|other| !taken(other)).collect();
            let same_kind = gone.iter().filter(|(_, other)| alike(other)).count();
            let found = if self.holders_gone.contains(item.name()) {
                self.holder_renamed(item, &candidates, &gone)
            } else {
                member_renamed(item, &candidates, same_kind)
            };
            renamed.extend(found.map(|other| (*place, other)));
        }
        for (place, item) in gone {
            match renamed.get(&place) {
                Some(other) => self.altered.push(((place, item), other)),
                None if item
                    .owner()
                    .is_some_and(|it| self.holders_gone.contains(it)) => {}
                None => self.gone.push((place, item)),
            }
        }
    }

    /// The type that has at least half of the members that this one had.
    fn holder_renamed(
        &self,
        item: &Item,
        candidates: &[&'a Item],
        gone: &[Placed<'a>],
    ) -> Option<&'a Item> {
        let had = gone
            .iter()
            .filter(|(_, it)| it.owner() == Some(item.name()));
        let had: Vec<_> = had.map(|(_, it)| *it).collect();
        candidates.iter().copied().find(|other| {
            let has = self
                .come
                .iter()
                .filter(|it| it.owner() == Some(other.name()));
            let has: BTreeSet<_> = has.map(|it| (it.name(), &it.result.tokens)).collect();
            let kept = had
                .iter()
                .filter(|it| has.contains(&(it.name(), &it.result.tokens)));
            kept.count() * 2 >= had.len()
        })
    }

    fn result(mut self, conceal: &dyn Fn(&str) -> String) -> Option<Changed> {
        let mut findings: Vec<(usize, String, &Item)> = Vec::new();
        for ((place, old), new) in self.altered.drain(..) {
            findings.push((place, altered(old, new, conceal), old));
        }
        for (place, item) in self.gone.drain(..) {
            findings.push((place, removed(item), item));
        }
        findings.sort_by_key(|(place, ..)| *place);
        let names: BTreeSet<Name> = findings.iter().filter_map(|it| name(it.2)).collect();
        let lines = findings.into_iter().map(|(_, line, _)| line).collect();
        Changed::of(lines, names.into_iter().take(NAMES_MAX).collect())
    }
}

/// A function goes by all of its signature; a field also by its place, where it is the only one of
/// its type or table that has gone.
fn member_renamed<'a>(item: &Item, candidates: &[&'a Item], same_kind: usize) -> Option<&'a Item> {
    let is_telling = |item: &Item| item.parameters.tokens.len() > "( )".len();
    let equal = |other: &&&Item| {
        (&other.parameters, &other.result, &other.terms)
            == (&item.parameters, &item.result, &item.terms)
            && other.parameters.shown == item.parameters.shown
    };
    if item.is_called() {
        let mut equals = candidates.iter().filter(equal);
        let only = equals.next().filter(|_| equals.next().is_none());
        return only.copied().filter(|_| is_telling(item));
    }
    // Top-level constants and types with nothing in common but their kind are no renaming.
    item.owner()?;
    match candidates {
        [only] if same_kind == 1 => Some(only),
        _ if item.result.tokens.is_empty() => None,
        _ => {
            let mut equals = candidates.iter().filter(equal);
            equals.next().filter(|_| equals.next().is_none()).copied()
        }
    }
}

fn removed(item: &Item) -> String {
    let call = if item.is_called() { "()" } else { "" };
    match item.owner() {
        Some(_) => format!("removed: {}{call}", item.path()),
        None => format!("removed: {} {}", item.kind, item.path()),
    }
}

fn altered(old: &Item, new: &Item, conceal: &dyn Fn(&str) -> String) -> String {
    let abridged = |old: &str, new: &str| abridged(&conceal(old), &conceal(new));
    let head = |item: &Item| (item.path(), item.modifiers.clone());
    let heads_differ = head(old) != head(new) || old.parameters != new.parameters;
    let results_differ = old.result != new.result;
    let nothing = |text: &str| if text.is_empty() { "nothing" } else { text }.to_owned();
    match (heads_differ, results_differ) {
        (true, false) => abridged(&old.head(), &new.head()),
        (true, true) if is_list_of(&old.result.tokens, &new.result.tokens) && !old.is_called() => {
            abridged(&old.head(), &format!("{}[]", new.head()))
        }
        (true, true) => abridged(&old.to_string(), &new.to_string()),
        (false, true) => {
            let call = if old.is_called() { "()" } else { "" };
            let start = format!("{}{call}{}", old.path(), old.gives());
            let (old, new) = (nothing(&old.result.shown), nothing(&new.result.shown));
            format!("{start}{}", abridged(&old, &new))
        }
        (false, false) if old.kind != new.kind => {
            format!("{} {} -> {} {}", old.kind, old.path(), new.kind, new.path())
        }
        (false, false) => {
            let (before, after) = (nothing(&old.terms.shown), nothing(&new.terms.shown));
            format!("{}: {}", old.path(), abridged(&before, &after))
        }
    }
}

/// Whether the newer type is a list of the older one.
fn is_list_of(old: &str, new: &str) -> bool {
    !old.is_empty()
        && [
            format!("{old} [ ]"),
            format!("[ ] {old}"),
            format!("Vec < {old} >"),
            format!("Array < {old} >"),
            format!("List < {old} >"),
            format!("list [ {old} ]"),
            format!("List [ {old} ]"),
        ]
        .iter()
        .any(|list| list == new)
}

/// `old -> new`, without most of what long ones have in common: `f(…, b: u8) -> f(…, b: u16)`.
pub(crate) fn abridged(old: &str, new: &str) -> String {
    let equal = old.char_indices().zip(new.chars());
    let common = equal
        .take_while(|((_, a), b)| a == b)
        .map(|((at, a), _)| at + a.len_utf8());
    let common = &old[..common.last().unwrap_or_default()];
    let is_long = old.chars().count().max(new.chars().count()) > SIDE_CHARS_MAX;
    // What both begin with, up to its parenthesis; and from where on both are shown again.
    let head = common.find(['(', '{']).map_or(0, |at| at + 1);
    let again = common.rfind([',', '|', '(', '{']).map_or(0, |at| at + 1);
    let side = |text: &str| match text.get(again..) {
        Some(rest) if is_long && head > 0 && again > head => {
            let rest = rest.trim_start();
            cut(&format!("{}…, {rest}", &text[..head]), SIDE_CHARS_MAX)
        }
        _ => cut(text, SIDE_CHARS_MAX),
    };
    format!("{} -> {}", side(old), side(new))
}

fn cut(text: &str, chars_max: usize) -> String {
    let mut chars = text.chars();
    let mut cut: String = chars.by_ref().take(chars_max).collect();
    if chars.next().is_some() {
        cut.push('…');
    }
    cut
}

/// The name by which others use it; `None` where that is too short or no fixed text.
fn name(item: &Item) -> Option<Name> {
    let is_constructor = matches!(item.name(), "constructor" | "__init__" | "new");
    let (name, owner) = match (item.kind, item.owner()) {
        ("route", _) => (item.name(), None),
        (_, Some(owner)) if is_constructor => (owner, None),
        (_, owner) => (item.name(), owner),
    };
    let is_fixed = !name.contains([':', '{', '<', '*']);
    (is_fixed && name.chars().count() >= NAME_CHARS_MIN).then(|| Name {
        name: name.to_owned(),
        owner: owner.map(str::to_owned),
    })
}
