//! Words that stand in prompts about anything.

use std::{collections::HashSet, sync::LazyLock};

use crate::words;

/// Whether a stem is of a word that nearly every prompt could have.
pub(super) fn is_everyday(stem: &str) -> bool {
    static STEMS: LazyLock<HashSet<String>> =
        LazyLock::new(|| EVERYDAY.split_whitespace().map(words::stem).collect());
    STEMS.contains(stem)
}

/// English words that people use with agents, whatever they are at. In order.
const EVERYDAY: &str = "
    above across actually add added adding agent ahead allow allowed along already although always
    among another answer anyone anything apply around ask assume author available away back bad
    base basic basically become begin behavior behaviour below beside best better big bit body
    book bottom box break bring broken bug build built bunch button call came careful carefully
    case cat cause certain change changed character check choose class clean clear client close
    closely code collect color colour column combine come command comment commit common compare
    comparison compile complete computer concept condition config configuration configure confirm
    connect consider consistent contain content continue copy correct could count couple cover
    create created current data day debug decide deep default define delete depend dependency
    describe design desktop detail develop developer development different dir directory disable
    discuss display document documentation done double draw drop easy edge edit effect efficient
    either element else email empty enable end enough ensure entire entry environment equal error
    especially even event eventually every everything exact exactly example except exist existing
    expect explain extra fact fail failed failing failure false fast feature feel field figure
    file fill filter final find fine finish first fix fixed flag flow folder follow following
    force form format found four framework free front full function further generate get getting
    git github give given global go goal going good got great group guess half hand handle happen
    hard head header hear heavy hello help hide high history hold home hope hour however html http
    idea image imagine implement implementation import important improve include incorrect index
    info information initial input insert inside install instead interest internal introduce
    investigate invoke issue item job join json keep key kind know label language large last late
    later latest lead learn leave left length less let level library likely limit line link linux
    list little live load local log logic login long look looking loop lot low machine main major
    make making manage manual many map mark markdown match matter max maybe mean memory mention
    menu merge message method min mind minor minute miss missing mode model modify module month
    morning move much multiple name near necessary need net network never new news next nice node
    note nothing notice null number numeric object often okay old one online open operation option
    order original other otherwise output overview own package page parameter parse part pass
    password past path pattern people perfect perform performance person phone php piece place
    plan play poem point possible post prefer pretty previous print probably problem process
    product program project proper provide pull push put python quality query question queue quick
    quite random rather raw read ready real really reason recent record reduce refactor refer
    reference regular related release relevant remain remember remote remove rename render repeat
    replace report repository request require rest result return review rewrite right root rule
    run running rust safe said sample save say scan schema scope screen script search second
    section see seem select self send sense sentence separate server service session set setting
    setup several share shell short show side similar simple since single size skip slow small
    smart software somehow someone something sometimes song sort sound source space special
    specific speed split spot stable standard start state statement status stay step still stop
    storage store story stream string structure stuff style suggest sum summarize summary support
    sure switch system table take talk target task team tell template temporary term terminal test
    tests text thank thanks thing think though thought thread three time title today together
    tomorrow tool top topic total touch track translate travel tree trigger trouble true try turn
    two type typescript ui understand unit unless until update upgrade upload url use used useful
    user using usual valid value variable various verify version video view visit wait walk want
    warning watch way web website week weird well whatever whenever whole wish without wonder word
    work working world worry write writing written wrong year yes yesterday yet
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_are_everyday_too() {
        assert!(EVERYDAY.split_whitespace().is_sorted());
        assert!(is_everyday(&words::stem("writes")) && is_everyday(&words::stem("fixing")));
        assert!(!is_everyday(&words::stem("argon2")) && !is_everyday(&words::stem("canary")));
    }
}
