//! Words of which states and modes are made, so that each combination of them need not be listed: `Merge replication (push)`,
//! `Popolamento completo`, `Manual (desencadenador de inicio)`.

/// Longest text that is looked at.
const LONGEST: usize = 96;

/// Words of states, start types and modes of services, catalogues, replication and authentication, in the languages of the suite; in
/// lower case, sorted. None is a name.
#[rustfmt::skip]
const TERMS: &[&str] = &[
    "abgeschlossen", "abonnement", "actif", "activado", "active", "activo", "aktiv", "aktiviert", "aktualisierung", "al",
    "alimentation", "always", "alwayson", "and", "arrêt", "arrêté", "asincrona", "asynchronous", "attesa", "attivo", "auslöser",
    "autenticación", "autenticazione", "authentication", "authentification", "authentifizierung", "auto", "automatic", "automatico",
    "automatique", "automatisch", "automático", "availability", "avec", "avviata", "avviato", "avvio", "basic", "beim", "bereit",
    "bidireccional", "bidirectional", "bidirectionnelle", "bidirektional", "bidirezionale", "cambios", "catalog", "catalogo", "change",
    "cluster", "clustering", "complet", "completa", "completado", "completata", "completato", "complete", "completed", "completo",
    "con", "corso", "cours", "crawl", "curso", "data", "database", "date", "db", "de", "deaktiviert", "declenchement", "degraded",
    "del", "delayed", "della", "des", "desactivado", "desencadenador", "detenido", "di", "diff", "differito", "différé", "disabled",
    "disattivato", "disk", "disponibilidad", "disponibilità", "disponibilité", "distributed", "du", "durch", "déclenchement",
    "déclencher", "déclencheur", "démarrage", "désactivé", "echtzeit", "en", "enabled", "erreur", "error", "errore", "esecuzione",
    "esecuzioni", "espejo", "extracción", "failover", "fehler", "fermo", "finished", "finito", "full", "fulltext", "fusion", "fusione",
    "fusión", "geplant", "gestartet", "gestoppt", "group", "groups", "gruppi", "gruppo", "hadr", "high", "hochverfügbarkeit", "idle",
    "im", "importing", "in", "inactif", "inactive", "inactivo", "inaktiv", "inattivo", "incremental", "incrementale",
    "incrementalmente", "indexation", "indexierung", "indexing", "indicizzazione", "iniciado", "inicio", "initialisation",
    "initializing", "inizio", "inkrementell", "inserción", "instantánea", "is", "istantanea", "journaux", "kein", "keine", "kerberos",
    "la", "las", "lazy", "le", "leerlauf", "log", "logs", "läuft", "manual", "manuale", "manuel", "manuell", "master", "merge",
    "mezcla", "mirrored", "mirroring", "mista", "mixed", "mixta", "modalità", "mode", "moderno", "momentaufnahme", "multi", "nessuna",
    "nicht", "ninguna", "no", "node", "nodo", "non", "none", "not", "ntlm", "null", "of", "ohne", "on", "one", "only", "over", "pausa",
    "pause", "paused", "pausiert", "peer", "pending", "per", "periodo", "piena", "poblacion", "población", "point", "popolamento",
    "populating", "population", "primary", "process", "progress", "protokollversand", "publish", "publisher", "pull", "push", "read",
    "ready", "real", "realtime", "rebuild", "recovering", "recovery", "redo", "refresh", "replica", "replicación", "replicas",
    "replicated", "replication", "replikation", "retrasado", "ricerca", "ripristino", "ritardata", "ritardato", "ritardo", "running",
    "réplication", "scheduled", "schnappschuss", "secondary", "semi", "send", "server", "service", "services", "servicio", "servizio",
    "shared", "shipping", "simple", "sincrona", "single", "sistema", "slave", "snapshot", "sospeso", "sottoscrizione", "spedizione",
    "sql", "sspi", "stand", "standalone", "standby", "start", "started", "startet", "starting", "stopped", "stopping", "suscripción",
    "suspended", "suspendu", "synchron", "synchronisiert", "synchronization", "synchronous", "system", "terminada", "terminado",
    "terminata", "terminato", "termine", "terminé", "the", "throttled", "time", "tipo", "to", "tracking", "transaccional",
    "transaction", "transactional", "transactionnelle", "transaktional", "transaktionale", "transaktionsprotokoll",
    "transaktionsreplikation", "transazionale", "trigger", "triggered", "typ", "type", "unidirectional", "update", "updating",
    "verzögert", "verzögerte", "verzögerter", "vollständig", "vollständige", "wait", "waiting", "warten", "wartet", "windows", "with",
    "witness", "write", "zusammenführung", "zusammenführungsreplikation",
];

/// Whether a text is nothing but such words, with blanks, hyphens, slashes, commas or brackets between them.
#[must_use]
pub fn is_worded(text: &str) -> bool {
    let is_between = |letter: char| matches!(letter, ' ' | '-' | '/' | ',' | '(' | ')' | '\u{a0}' | '\'' | '’' | '.');
    let mut words = text.split(is_between).filter(|word| !word.is_empty()).peekable();
    let is_term = |word: &str| TERMS.binary_search(&word.to_lowercase().as_str()).is_ok();
    // A telephone number between them would be no word.
    text.len() <= LONGEST && words.peek().is_some() && words.all(is_term)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_can_be_searched() {
        assert!(TERMS.is_sorted_by(|one, next| one < next), "{:?}", TERMS.windows(2).find(|pair| pair[0] >= pair[1]));
    }

    #[test]
    fn states_are_told_from_names() {
        for text in [
            "SQL Merge Replication",
            "Peer-to-Peer Transactional",
            "Bidirectional",
            "Replica di tipo merge",
            "Merge replication (push)",
            "In corso",
            "Leerlauf",
            "Inactif",
            "Popolamento completo",
            "Crawl completed",
            "Manual (desencadenador de inicio)",
            "Démarrage automatique",
            "SSPI",
        ] {
            assert!(is_worded(text), "{text}");
        }
        for text in ["", "-", "Mario", "Merge Rossi", "In corso 4312", "Manual: mrossi", "push@merge", "Automatic (Mario)"] {
            assert!(!is_worded(text), "{text}");
        }
    }
}
