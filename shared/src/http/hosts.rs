//! Which names belong to which system.

use crate::model::System;

/// The clouds that Dataverse runs in: worldwide, US government, US defense, and China.
const DATAVERSE_CLOUDS: &[&str] = &[
    ".dynamics.com",
    ".microsoftdynamics.us",
    ".appsplatform.us",
    ".dynamics.cn",
];

/// The sign-in hosts of the same clouds.
///
/// Source: Microsoft Learn, "National clouds" (Microsoft Entra identity platform).
const ENTRA_HOSTS: &[&str] = &[
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
];

/// Where Xledger answers: GraphQL and SOAP, live and for demonstration.
const XLEDGER_HOSTS: &[&str] = &[
    "www.xledger.net",
    "demo.xledger.net",
    "ws.xledger.net",
    "wsdemo.xledger.net",
];

/// Says whether a lower-case host name is one of the system's own.
pub(super) fn is_api_host(system: System, host: &str) -> bool {
    match system {
        System::Dynamics365 => DATAVERSE_CLOUDS
            .iter()
            .filter_map(|cloud| host.strip_suffix(cloud))
            .any(is_organization_in_region),
        System::Xledger => XLEDGER_HOSTS.contains(&host),
        System::Cornerstone => host.strip_suffix(".csod.com").is_some_and(is_label),
        // Whoever profiles a system knows where it is.
        System::Consio | System::Rest => true,
    }
}

/// Says whether a lower-case host name is one where the system's users sign in.
pub(super) fn is_login_host(system: System, host: &str) -> bool {
    match system {
        System::Dynamics365 => ENTRA_HOSTS.contains(&host),
        System::Xledger | System::Cornerstone => is_api_host(system, host),
        System::Consio | System::Rest => true,
    }
}

/// Accepts `{org}.crm4` and `{org}.api.crm4`.
fn is_organization_in_region(labels: &str) -> bool {
    let labels: Vec<&str> = labels.split('.').collect();
    match labels.as_slice() {
        [organization, region] | [organization, "api", region] => is_label(organization) && is_region(region),
        _ => false,
    }
}

fn is_region(label: &str) -> bool {
    label
        .strip_prefix("crm")
        .is_some_and(|number| number.len() <= 2 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Refuses `xn--`: an organization's name is ASCII, and look-alikes are not.
fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with("xn--")
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_of_the_system_names_an_organization_and_a_region() {
        for host in [
            "hlf.crm4.dynamics.com",
            "hlf.api.crm4.dynamics.com",
            "hlf.crm.dynamics.com",
            "x.crm.dynamics.cn",
        ] {
            assert!(is_api_host(System::Dynamics365, host), "{host}");
        }
        for host in [
            "dynamics.com",
            "crm4.dynamics.com",
            ".crm4.dynamics.com",
            "hlf.dynamics.com",
            "a.b.crm4.dynamics.com",
            "hlf.crm4.dynamics.com.evil.example",
            "hlf.crm4.dynamics.com.",
            "evildynamics.com",
            "hlf.crmx.dynamics.com",
            "xn--hf-9ja.crm4.dynamics.com",
            "hlf.crm444.dynamics.com",
        ] {
            assert!(!is_api_host(System::Dynamics365, host), "{host}");
        }
    }
}
