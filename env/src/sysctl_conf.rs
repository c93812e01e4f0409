//! Settings files in the form of sysctl.conf(5), whose values are not TOML.

use crate::sysctl::{Entry, Ignored};
use crate::text::bare;

/// The entries of a text that has nothing but lines of that form; `None`: it has others, or no entry at all. Keys outside
/// `net` are left out: no stack has them.
pub(crate) fn read(text: &str) -> Option<Vec<Result<Entry, Ignored>>> {
    let lines = text.lines().map(str::trim);
    let entries: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']))
        .map(entry)
        .collect::<Option<_>>()?;
    let of_net = entries.iter().filter(|(key, _)| key.starts_with("net."));
    let read = of_net.map(|(key, value)| Entry::new(key, value)).collect();
    (!entries.is_empty()).then_some(read)
}

/// `key = value`, with a `-` before it where errors do not matter; `net/ipv4/tcp_sack` is net.ipv4.tcp_sack.
fn entry(line: &str) -> Option<(String, &str)> {
    let (key, value) = line.split_once('=')?;
    let key = key.trim().trim_start_matches('-');
    let (tree, _) = key.split_once(['.', '/'])?;
    let fits = TREES.split(' ').any(|known| known == tree) && !key.contains(char::is_whitespace);
    fits.then(|| (key.replace('/', "."), bare(value)))
}

/// The folders of `/proc/sys`.
const TREES: &str = "abi crypto debug dev fs kernel net sunrpc user vm";

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Option<Vec<String>> {
        let entries = read(text)?.into_iter();
        let shown = entries.map(|entry| match entry {
            Ok(entry) => format!("{}={}", entry.row.name, entry.value),
            Err(ignored) => ignored.to_string(),
        });
        Some(shown.collect())
    }

    #[test]
    fn the_form_of_sysctl_conf_is_read() {
        let text = "# a comment\n; another\n\nnet.ipv4.tcp_wmem = 4096 16384\t100000000\n\
                    -net/ipv4/tcp_sack=0\nvm.swappiness = 10\nnet.ipv4.ip_forward = 1\n";
        let expected = [
            "net.ipv4.tcp_wmem=4096 16384 100000000",
            "net.ipv4.tcp_sack=0",
            "net.ipv4.ip_forward ignored: Linux has this key, but it is not implemented here",
        ];
        assert_eq!(keys(text), Some(expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn other_forms_are_not() {
        for text in [
            "",
            "# nothing",
            "mtu = 1500",
            "net.ipv4.tcp_sack = 0\n[sysctl]",
            "[sysctl]\nnet.ipv4.tcp_sack = 0",
            "net.ipv4.tcp_sack = 0\nif = 'tap:tap0'",
            "net ipv4.tcp_sack = 0",
            "words",
        ] {
            assert_eq!(keys(text), None, "{text}");
        }
    }
}
