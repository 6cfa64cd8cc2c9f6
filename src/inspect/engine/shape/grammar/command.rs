//! Arguments of programs that tell an account.

/// Options, without what begins them, whose value is an account or opens one.
const OPTIONS: &[&str] = &[
    "u", "user", "username", "usr", "uid", "userid", "login", "logon", "account", "p", "pw", "pwd", "pass", "passwd", "password",
    "savecred", "runas",
];

/// Whether one of the arguments of a command line is an option for an account or a password, with a value: `-u name`, `/user:name`.
/// `-p` is also an option without one: `svchost.exe -k netsvcs -p`.
#[must_use]
pub fn names_an_account(text: &[u8]) -> bool {
    memchr::memchr_iter(b' ', text).any(|blank| is_option(text.get(blank + 1..).unwrap_or_default()))
}

fn is_option(argument: &[u8]) -> bool {
    let Some((b'-' | b'/', rest)) = argument.split_first() else { return false };
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    let end = rest.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (name, behind) = rest.split_at(end);
    let has_value = match behind {
        [b':' | b'=', ..] => true,
        [b' ', next, ..] => !matches!(next, b'-' | b'/' | b'"' | b' ') && !next.is_ascii_digit(),
        _ => false,
    };
    has_value && OPTIONS.iter().any(|option| name.eq_ignore_ascii_case(option.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::names_an_account;

    #[test]
    fn options_for_accounts_are_told_from_others() {
        for text in [
            r"runas /user:ACME\mrossi cmd.exe",
            "tool.exe -u mrossi -p hunter2",
            "tool.exe --username mrossi",
            "tool.exe --password=x1",
            "x /U mrossi",
        ] {
            assert!(names_an_account(text.as_bytes()), "{text}");
        }
        for text in [
            r"C:\Windows\system32\svchost.exe -k netsvcs -p",
            r"C:\Windows\system32\svchost.exe -k LocalService -p -s EventSystem",
            "nvcontainer.exe -s NvContainerLocalSystem -f log -l 3 -r -p 30000 -st x",
            "chrome.exe --user-data-dir=C:\\x",
            "x.exe -u",
            "x.exe /p \"C:\\x\"",
        ] {
            assert!(!names_an_account(text.as_bytes()), "{text}");
        }
    }
}
