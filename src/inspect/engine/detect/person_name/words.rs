//! Words of keys and values that tell persons from things, in the languages of the product. Blanks part them.

use crate::inspect::engine::detect::lexis::visit;

/// Longest word of any list.
const LONGEST: usize = 16;

/// Whether a list has this word, whatever its case.
pub(super) fn holds(list: &str, word: &[u8]) -> bool {
    visit(1);
    let mut small = [0; LONGEST];
    let Some(small) = small.get_mut(..word.len()).filter(|_| !word.is_empty() && !word.contains(&b' ')) else { return false };
    small.copy_from_slice(word);
    small.make_ascii_lowercase();
    let list = list.as_bytes();
    let is_whole = |start: usize| {
        let before = start.checked_sub(1).and_then(|before| list.get(before));
        before.is_none_or(|byte| *byte == b' ') && list.get(start + word.len()).is_none_or(|byte| *byte == b' ')
    };
    memchr::memmem::find_iter(list, small).any(is_whole)
}

/// Words of a key whose value belongs to a thing.
pub(super) const OF_A_THING: &str = "\
    file product service process host computer domain server instance driver device module assembly type path software application \
    app package database font printer adapter vendor publisher manufacturer agent policy group locale language interface mode count \
    profile role license state status data limit rights access control time date";

/// With `name`: parts of a person's name.
pub(super) const PART_OF_A_NAME: &str = "\
    first given middle last family maiden full";

/// Alone: parts of a person's name.
pub(super) const NAME: &str = "\
    firstname givenname lastname familyname fullname surname sname forename cognome prenom prénom vorname nachname apellido \
    apellidos nominativo familienname maiden referente";

/// With `name`: persons whose name it is.
pub(super) const NAMED_PERSON: &str = "\
    caller callee calling called employee customer contact patient person party";

/// Persons that a thing has.
pub(super) const PERSON: &str = "\
    owner registered user username utente benutzer utilisateur usuario employee manager person contact operator assignee author \
    administrator organizer attendee speaker caller callee";

/// With `by`: what a person did.
pub(super) const DONE: &str = "\
    installed logged created modified changed approved signed updated";

/// Names, whether of persons or of things.
pub(super) const MAYBE: &str = "\
    nome nombre nom display displayname nickname cn alias";

/// Parts of names that are written small, and titles.
pub(super) const PARTICLES: &str = "\
    de di da del della dello dei degli dal dalla van von der den zu zur la le los las el al bin ibn y e dos das du des ter ten dr. \
    dr mr. mr mrs. ms. ing. dott. sig. prof. herr frau jr. sr. ii iii";

/// Words of products, vendors, services and roles.
pub(super) const THINGS: &str = "\
    windows microsoft google imagicle cisco oracle sap dell intel amd nvidia vmware citrix adobe apple ibm hp hewlett packard lenovo \
    fujitsu acer asus kerberos jenkins erlang java python server service services servizio dienst system sistema administrator \
    administrators admin user users utente benutzer utilisateur usuario guest default local network public everyone authority nt \
    builtin trustedinstaller corporation corp corp. inc inc. ltd ltd. llc gmbh ag srl s.r.l. spa s.p.a. sa sas company foundation \
    software systems technologies solutions group team department office support helpdesk it edition standard enterprise \
    professional virtual machine database sql manager agent client driver device adapter controller update updater installer setup \
    runtime framework desktop console spooler print stampa rete account accounts unknown none null true false yes no n/a not \
    available specified organization organisation owner registered name test studio chrome firefox mozilla visual security defender \
    firewall remote management monitor scheduler task event log time center centre hub cloud azure active directory domain internet \
    explorer edge media player audio video graphics storage disk drive memory power input host provider themes netlogon workstation \
    telephony gateway proxy backup cluster node primary secondary queue attendant fax enabled disabled running stopped automatic \
    manual settings configuration installation product version oem o.e.m. filled";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole_in_any_case() {
        for list in [OF_A_THING, PART_OF_A_NAME, PARTICLES, THINGS] {
            for word in list.split(' ') {
                assert!(word.len() <= LONGEST && holds(list, word.to_ascii_uppercase().as_bytes()), "{word}");
            }
        }
        for none in ["", "i", "first given", "irst", "fir", "first ", "abcdefghijklmnopqrstuvwxyz"] {
            assert!(!holds(PART_OF_A_NAME, none.as_bytes()), "{none}");
        }
    }
}
