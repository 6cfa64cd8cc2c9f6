//! Words of which states and modes are made, so that each combination of them need not be listed: `Merge replication (push)`,
//! `Popolamento completo`, `Manual (desencadenador de inicio)`.

/// Longest text that is looked at.
const LONGEST: usize = 96;

/// Words of states, start types and modes of services, catalogues, replication and authentication, in the languages of the suite; in
/// lower case, sorted. None is a name.
#[rustfmt::skip]
const TERMS: &[&str] = &[
    "abgebrochen", "abgelaufen", "abgeschlossen", "abilitata", "abilitato", "abonnement", "aborted", "actif", "activa", "activado",
    "activated", "active", "activo", "activé", "activée", "aggiornamento", "aggiornata", "aggiornato", "aktiv", "aktiviert",
    "aktualisierung", "aktuell", "al", "alimentation", "always", "alwayson", "and", "anforderung", "angehalten", "annullata",
    "annullato", "annulé", "annulée", "arrestata", "arrestato", "arrêt", "arrêté", "asincrona", "asincrono", "asincrónica",
    "asynchrone", "asynchronous", "asynchronously", "attached", "attesa", "attiva", "attivata", "attivato", "attivo", "auf",
    "auffüllung", "ausführung", "ausgeführt", "auslöser", "autenticación", "autenticazione", "authentication", "authentification",
    "authentifizierung", "auto", "automatic", "automatica", "automatico", "automatique", "automatisch", "automatische",
    "automática", "automático", "availability", "available", "avec", "avviata", "avviato", "avvio", "background", "backup", "bajo",
    "balanced", "balancing", "basic", "beendet", "beim", "bereit", "bidireccional", "bidirectional", "bidirectionnel",
    "bidirectionnelle", "bidirektional", "bidirektionale", "bidirezionale", "bilanciamento", "boot", "both", "build", "building",
    "caducada", "caducado", "cambios", "cancelada", "cancelado", "canceled", "cancelled", "carico", "catalog", "catalogo", "cdfs",
    "change", "cluster", "clustering", "cold", "combinación", "complet", "completa", "completada", "completado", "completata",
    "completato", "complete", "completed", "completo", "complète", "con", "conclusa", "concluso", "conectada", "conectado",
    "configurada", "configurado", "configurata", "configurato", "configured", "configuré", "configurée", "connected", "connecté",
    "connectée", "connessa", "connesso", "continuing", "correcto", "corrupted", "corso", "cours", "crawl", "crawled", "crawling",
    "csvfs", "curso", "da", "dal", "damaged", "das", "data", "database", "date", "db", "de", "deactivated", "deaktiviert",
    "declenchement", "dedicated", "degraded", "deinstalliert", "del", "delayed", "della", "demand", "demanda", "demande", "den",
    "der", "des", "desactivado", "desconectada", "desconectado", "desconocida", "desconocido", "desencadenador", "deshabilitada",
    "deshabilitado", "detached", "detenida", "detenido", "deux", "di", "die", "diff", "differito", "différé", "directional",
    "disabilitata", "disabilitato", "disabled", "disattivata", "disattivato", "disconnected", "disconnessa", "disconnesso", "disk",
    "disponibile", "disponibilidad", "disponibilità", "disponibilité", "disponible", "distributed", "distributor", "doppia",
    "doppio", "dos", "down", "du", "due", "duplicación", "durch", "durchforstet", "déclenchement", "déclencher", "déclencheur",
    "déconnecté", "déconnectée", "démarrage", "désactivé", "désactivée", "e", "echtzeit", "ejecución", "ejecutándose", "el",
    "elaborazione", "emergency", "en", "enabled", "erfolgreich", "erforderlich", "erreur", "error", "errore", "esecuzione",
    "esecuzioni", "espejo", "essai", "est", "et", "evaluation", "exfat", "expired", "expiré", "expirée", "extracción", "exécution",
    "failed", "failing", "failover", "fallida", "fallido", "fallita", "fallito", "fat", "fat32", "fehler", "fehlgeschlagen",
    "fermo", "finalizada", "finalizado", "finished", "finito", "fortgesetzt", "full", "fulltext", "functionality", "fusion",
    "fusione", "fusión", "gemischte", "gemischter", "genuine", "geplant", "gespiegelt", "gestartet", "gestoppt", "getrennt",
    "group", "groups", "gruppi", "gruppo", "gültig", "habilitada", "habilitado", "hacia", "hadr", "healthy", "high",
    "hochverfügbarkeit", "hot", "idle", "il", "im", "importing", "in", "inactif", "inactiva", "inactive", "inactivo", "inaktiv",
    "inaktive", "inattiva", "inattivo", "inconnu", "inconnue", "incremental", "incrementale", "incrementalmente", "incrémentiel",
    "incrémentielle", "indexado", "indexation", "indexierung", "indexing", "indexé", "indexée", "indicizzata", "indicizzato",
    "indicizzazione", "indisponible", "iniciado", "inicialización", "inicio", "initialisation", "initialisierung", "initialized",
    "initializing", "inizializzato", "inizializzazione", "inizio", "inkrementell", "inserción", "instalada", "instalado",
    "installata", "installati", "installato", "installed", "installiert", "installé", "installée", "instantané", "instantánea",
    "integrale", "interrompu", "interrompue", "interrotta", "interrotto", "interrumpida", "interrumpido", "invalid", "invalide",
    "is", "istantanea", "jamais", "journaux", "kein", "keine", "kerberos", "knoten", "konfiguriert", "la", "las", "laufend", "lazy",
    "le", "leerlauf", "licence", "licencia", "licensed", "licenza", "lista", "listo", "lizenz", "lizenziert", "lo", "load",
    "loaded", "loading", "log", "logs", "läuft", "manual", "manuale", "manually", "manualmente", "manuel", "manuell", "manuelle",
    "master", "merge", "merging", "mezcla", "mirror", "mirrored", "mirroring", "mista", "mit", "mixed", "mixta", "mixte", "mixto",
    "modalità", "mode", "moderno", "modus", "momentaufnahme", "multi", "needed", "nel", "nessuna", "never", "nicht", "nie",
    "ninguna", "no", "node", "nodo", "noeud", "non", "none", "not", "notification", "notifications", "now", "ntfs", "ntlm", "null",
    "nœud", "of", "off", "offline", "ohne", "ok", "okay", "on", "one", "online", "only", "operativa", "operativo", "optimized",
    "optimizing", "optional", "ottimizzazione", "ou", "out", "over", "overdue", "par", "partagé", "partner", "pas", "passive",
    "pausa", "pause", "paused", "pausiert", "pausing", "peer", "pending", "per", "period", "periodo", "permanent", "perpetual",
    "período", "pianificata", "pianificato", "piena", "planifié", "planifiée", "poblacion", "población", "point", "popolamento",
    "populating", "population", "primaire", "primaria", "primario", "primary", "primär", "primären", "primärer", "principal",
    "principale", "process", "processing", "programada", "programado", "progress", "pronta", "pronto", "protokollversand", "prova",
    "prueba", "prêt", "prête", "publication", "publish", "publisher", "publishers", "pull", "push", "période", "quorum", "rastreo",
    "read", "ready", "real", "realtime", "rebuild", "recovering", "recovery", "redo", "reduced", "refresh", "refs", "registriert",
    "remplissage", "replica", "replicación", "replicas", "replicated", "replication", "replikation", "required", "restarting",
    "restoring", "resumed", "resuming", "retrasado", "ricerca", "richiesta", "ridondanza", "ripristino", "ritardata", "ritardato",
    "ritardo", "riuscita", "riuscito", "running", "réplication", "réussi", "réussie", "scaduta", "scaduto", "scanning", "schedule",
    "scheduled", "schnappschuss", "sconosciuta", "sconosciuto", "secondaire", "secondaria", "secondario", "secondary", "secundaria",
    "secundario", "sekundär", "sekundären", "sekundärer", "semi", "send", "sens", "senso", "server", "service", "services",
    "servicio", "servizio", "shared", "shipping", "shrinking", "shutdown", "simple", "sincrona", "sincronización", "sincronizada",
    "sincronizado", "sincronizzata", "sincronizzato", "sincronizzazione", "sincrono", "sincrónica", "single", "sistema", "skipped",
    "slave", "snapshot", "sospesa", "sospeso", "sottoscrizione", "spedizione", "spiegelung", "sql", "sspi", "stand", "standalone",
    "standby", "start", "started", "startet", "starting", "stopped", "stopping", "su", "subscriber", "subscribers", "subscription",
    "subscriptions", "succeeded", "success", "successful", "sur", "suscripción", "suspect", "suspended", "suspendida", "suspendido",
    "suspendu", "suspendue", "synchron", "synchrone", "synchronisation", "synchronisiert", "synchronisierung", "synchronisé",
    "synchronisée", "synchronization", "synchronized", "synchronizing", "synchronous", "synchronously", "system", "terminada",
    "terminado", "terminata", "terminato", "termine", "terminé", "terminée", "testversion", "the", "throttled", "time", "tipo",
    "to", "tolleranza", "tracking", "tramite", "transaccional", "transaction", "transactional", "transactionnel",
    "transactionnelle", "transaktional", "transaktionale", "transaktionsprotokoll", "transaktionsreplikation", "transazionale",
    "trial", "trigger", "triggered", "two", "typ", "type", "udf", "unavailable", "unbekannt", "unconfigured", "und", "ungültig",
    "unhealthy", "unidireccional", "unidirectional", "unidirectionnel", "unidirectionnelle", "unidirektional", "unidirektionale",
    "unidirezionale", "uninstalled", "unione", "unknown", "unlicensed", "unregistered", "unsynchronized", "unterbrochen", "up",
    "update", "updating", "valid", "valida", "valide", "valido", "verbunden", "verfügbar", "vers", "verso", "verteilt", "verzögert",
    "verzögerte", "verzögerter", "vie", "voll", "vollständig", "vollständige", "vorgang", "válida", "válido", "vías", "wait",
    "waiting", "warm", "warten", "wartet", "way", "ways", "wege", "werden", "windows", "wird", "with", "witness", "write", "y",
    "yet", "zeitraum", "zum", "zur", "zusammenführung", "zusammenführungsreplikation", "zwei", "échec", "échoué", "échouée",
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
            "Two-way (SQL Server Merge)",
            "Replica unidirezionale",
            "Non installato",
            "Nicht installiert",
            "Non installé",
            "No instalado",
            "Disabled - never crawled",
            "Autenticazione mista (SQL Server e Windows)",
            "Log shipping verso il nodo secondario",
            "Licenza scaduta",
            "Lizenz abgelaufen",
            "Réplication bidirectionnelle vers le nœud secondaire",
            "Replicación unidireccional",
            "Synchronisierung wird ausgeführt",
        ] {
            assert!(is_worded(text), "{text}");
        }
        for text in [
            "",
            "-",
            "Mario",
            "Merge Rossi",
            "In corso 4312",
            "Manual: mrossi",
            "push@merge",
            "Automatic (Mario)",
            "Installato da Rossi",
            "Never Grace",
        ] {
            assert!(!is_worded(text), "{text}");
        }
    }
}
