//! The variables of LKL's hijack library, for whose command lines this library is made too.

use crate::surroundings::Surroundings;
use crate::text::{bare, quoted};
use crate::variable::Variable;

/// Its sysctls, which are a layer below NSTK_SYSCTL.
pub(crate) const SYSCTL: &str = "LKL_SYSCTL";
/// Their name in its later versions, a layer below that.
pub(crate) const HIJACK_SYSCTL: &str = "LKL_HIJACK_SYSCTL";

const HIJACK_PREFIX: &str = "LKL_HIJACK_";

/// A line for each of its variables that is not read, with ours in its place. If ours is set, the user knows.
pub(crate) fn ignored(surroundings: &impl Surroundings) -> Vec<String> {
    let mut names = surroundings.variable_names(HIJACK_PREFIX);
    names.retain(|name| name != HIJACK_SYSCTL);
    names.sort_unstable();
    let is_set = |name: &str| {
        let text = surroundings.variable(name);
        text.is_some_and(|text| !bare(&text.to_string_lossy()).is_empty())
    };
    let lines = names.iter().filter(|name| is_set(name)).filter_map(|name| {
        let cure = match successor(name) {
            Some(ours) if is_set(ours.name()) => return None,
            Some(ours) => format!("nstk reads {} in its place", ours.name()),
            None => "nstk has no such setting".to_owned(),
        };
        Some(format!("{} ignored: {cure}", quoted(name)))
    });
    lines.collect()
}

/// Our variable for the same thing.
fn successor(name: &str) -> Option<Variable> {
    match name.strip_prefix(HIJACK_PREFIX)? {
        "NET_IFTYPE" | "NET_IFPARAMS" | "NET_TAP" => Some(Variable::If),
        "NET_IP" | "NET_NETMASK_LEN" | "NET_IPV6" | "NET_NETMASK6_LEN" => Some(Variable::Addr),
        "NET_GATEWAY" | "NET_GATEWAY6" => Some(Variable::Gateway),
        "NET_MAC" => Some(Variable::Mac),
        "NET_MTU" => Some(Variable::Mtu),
        "DEBUG" => Some(Variable::Log),
        "CONFIG_FILE" => Some(Variable::Config),
        _ => None,
    }
}
