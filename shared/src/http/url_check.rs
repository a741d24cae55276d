//! Which addresses may be configured, and why the others may not.

use std::str::FromStr;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use url::{Host, Origin, Url};

use super::hosts;
use crate::model::System;

/// Why an address is refused; each says what would be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It cannot be read as a URL.
    #[error("must be a URL such as https://organization.crm4.dynamics.com")]
    NotUrl,
    /// It holds spaces, backslashes, or letters beyond ASCII.
    #[error("must be plain ASCII without spaces, control characters, or backslashes")]
    Characters,
    /// It is not https.
    #[error("must begin with https://")]
    Scheme,
    /// It names another port.
    #[error("must not name a port: 443 is the only one that is called")]
    Port,
    /// It holds a user name or a password.
    #[error("must not hold a user name or password")]
    Userinfo,
    /// It holds a fragment.
    #[error("must not hold a fragment")]
    Fragment,
    /// It holds a path or a query.
    #[error("must be the address alone, without a path or query")]
    Path,
    /// It is an IP address, in one spelling or another.
    #[error("must be a name, not an IP address")]
    Address,
    /// Its name ends with a dot.
    #[error("must not end with a dot")]
    TrailingDot,
    /// Its name is not one of the system's.
    #[error("is not an address of this system, such as organization.crm4.dynamics.com")]
    Host,
    /// Its name is not one where the system's users sign in.
    #[error("is not a sign-in address of this system, such as login.microsoftonline.com")]
    LoginHost,
    /// The certificate of an authority cannot be read.
    #[error("must be certificates in PEM")]
    Root,
}

/// The origins outside the rules that may be called all the same, such as a simulation on this machine.
///
/// There are none unless configuration hands them in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exceptions {
    origins: Vec<Url>,
    /// Whose certificates are accepted beside those that the machine trusts.
    roots: Vec<CertificateDer<'static>>,
}

impl Exceptions {
    /// Makes the list that has no exception.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            origins: Vec::new(),
            roots: Vec::new(),
        }
    }

    /// Makes the list that has the origin of a URL which the operator names.
    #[must_use]
    pub fn only(url: &Url) -> Self {
        Self {
            origins: vec![url.clone()],
            roots: Vec::new(),
        }
    }

    /// Trusts another authority, given by its certificates in PEM, such as that of a simulation: whatever is called may
    /// prove by it who it is.
    ///
    /// # Errors
    ///
    /// [`Reason::Root`].
    pub fn trusting(mut self, pem: &str) -> Result<Self, Reason> {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let read = read.ok().filter(|roots| !roots.is_empty());
        self.roots.extend(read.ok_or(Reason::Root)?);
        Ok(self)
    }

    /// Says whether a URL leads to one of the exceptions.
    #[must_use]
    pub fn hold(&self, url: &Url) -> bool {
        self.origins.iter().any(|origin| same_origin(origin, url))
    }

    /// Returns the host names that may resolve to any address.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.origins.iter().filter_map(Url::domain)
    }

    pub(super) fn roots(&self) -> &[CertificateDer<'static>] {
        &self.roots
    }
}

/// Reads a comma-separated list of origins, such as `http://127.0.0.1:7365`.
impl FromStr for Exceptions {
    type Err = Reason;

    fn from_str(list: &str) -> Result<Self, Reason> {
        let origins = list.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        let origins = origins.map(plain_url).collect::<Result<_, _>>()?;
        Ok(Self {
            origins,
            roots: Vec::new(),
        })
    }
}

/// Checks the address under which an organization reaches the system's API.
///
/// # Errors
///
/// The first [`Reason`] that speaks against it.
pub fn check_base_url(system: System, text: &str, exceptions: &Exceptions) -> Result<Url, Reason> {
    check(text, exceptions, Reason::Host, |host| {
        hosts::is_api_host(system, host)
    })
}

/// Checks the address under which the system's users sign in.
///
/// # Errors
///
/// The first [`Reason`] that speaks against it.
pub fn check_login_url(system: System, text: &str, exceptions: &Exceptions) -> Result<Url, Reason> {
    check(text, exceptions, Reason::LoginHost, |host| {
        hosts::is_login_host(system, host)
    })
}

/// Says whether two URLs have scheme, host and port in common.
#[must_use]
pub fn same_origin(one: &Url, other: &Url) -> bool {
    matches!(one.origin(), Origin::Tuple(..)) && one.origin() == other.origin()
}

fn check(
    text: &str,
    exceptions: &Exceptions,
    host: Reason,
    known: impl Fn(&str) -> bool,
) -> Result<Url, Reason> {
    let url = plain_url(text)?;
    if exceptions.hold(&url) {
        return Ok(url);
    }
    match public_name(&url)? {
        name if known(name) => Ok(url),
        _ => Err(host),
    }
}

/// Reads a URL that is an origin and nothing more.
fn plain_url(text: &str) -> Result<Url, Reason> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Err(Reason::Characters);
    }
    let url = Url::parse(text).map_err(|_| Reason::NotUrl)?;
    if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
        return Err(Reason::Userinfo);
    }
    match (url.fragment(), url.query(), url.path()) {
        (Some(_), _, _) => Err(Reason::Fragment),
        (None, None, "/") if url.has_host() => Ok(url),
        (None, None, _) if !url.has_host() => Err(Reason::NotUrl),
        _ => Err(Reason::Path),
    }
}

/// Returns the host name of a URL that may be called without an exception.
///
/// # Errors
///
/// `Scheme`, `Port`, `Address`, `TrailingDot`.
pub(super) fn public_name(url: &Url) -> Result<&str, Reason> {
    match (url.scheme(), url.host(), url.port()) {
        ("https", Some(Host::Domain(name)), None) if name.ends_with('.') => Err(Reason::TrailingDot),
        ("https", Some(Host::Domain(name)), None) => Ok(name),
        ("https", Some(Host::Ipv4(_) | Host::Ipv6(_)), _) => Err(Reason::Address),
        ("https", Some(_), Some(_)) => Err(Reason::Port),
        _ => Err(Reason::Scheme),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reason(text: &str) -> Reason {
        check_base_url(System::Dynamics365, text, &Exceptions::none()).unwrap_err()
    }

    #[test]
    fn an_address_of_the_system_is_accepted() {
        for good in [
            "https://hlf.crm4.dynamics.com",
            "https://HLF.crm4.dynamics.com/",
            "https://hlf.crm4.dynamics.com:443",
        ] {
            let url = check_base_url(System::Dynamics365, good, &Exceptions::none()).unwrap();
            assert_eq!(url.as_str(), "https://hlf.crm4.dynamics.com/");
        }
    }

    #[test]
    fn an_address_in_any_spelling_is_refused() {
        for address in [
            "127.0.0.1:9001",
            "127.0.0.1",
            "169.254.169.254",
            "0",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[fe80::1]",
        ] {
            assert_eq!(
                reason(&format!("https://{address}")),
                Reason::Address,
                "{address}"
            );
        }
    }

    #[test]
    fn each_refusal_says_why() {
        let host = "hlf.crm4.dynamics.com";
        for (text, expected) in [
            (format!("http://{host}"), Reason::Scheme),
            (format!("file://{host}/etc/passwd"), Reason::Path),
            (format!("https://{host}:22"), Reason::Port),
            (format!("https://{host}:8443"), Reason::Port),
            (format!("https://user@{host}"), Reason::Userinfo),
            (format!("https://:secret@{host}"), Reason::Userinfo),
            (format!("https://@{host}"), Reason::Userinfo),
            (format!("https://{host}@evil.example"), Reason::Userinfo),
            (format!("https://{host}#@evil.example"), Reason::Userinfo),
            (format!("https://{host}#x"), Reason::Fragment),
            (format!("https://{host}/api"), Reason::Path),
            (format!("https://{host}/?x=1"), Reason::Path),
            (format!("https://{host}."), Reason::TrailingDot),
            (format!("https://evil.example\\.{host}"), Reason::Characters),
            (format!("https:\\\\{host}"), Reason::Characters),
            (format!(" https://{host}"), Reason::Characters),
            (format!("https://{host}\n"), Reason::Characters),
            ("https://hlf.crm4.dynamıcs.com".to_owned(), Reason::Characters),
            ("https://localhost".to_owned(), Reason::Host),
            ("https://localhost.".to_owned(), Reason::TrailingDot),
            ("https://evil.example".to_owned(), Reason::Host),
            (format!("https://{host}.evil.example"), Reason::Host),
            (
                format!("https://evil{}", host.trim_start_matches("hlf.crm4")),
                Reason::Host,
            ),
            (String::new(), Reason::NotUrl),
            (host.to_owned(), Reason::NotUrl),
            ("mailto:a".to_owned(), Reason::NotUrl),
        ] {
            assert_eq!(reason(&text), expected, "{text}");
        }
    }

    #[test]
    fn an_exception_is_an_origin_that_was_listed_and_no_other() {
        let exceptions: Exceptions = "http://127.0.0.1:7365, http://localhost:1".parse().unwrap();
        for good in ["http://127.0.0.1:7365", "http://localhost:1/"] {
            assert!(
                check_base_url(System::Dynamics365, good, &exceptions).is_ok(),
                "{good}"
            );
        }
        for bad in [
            "http://127.0.0.1:7366",
            "https://127.0.0.1:7365",
            "http://127.0.0.2:7365",
            "http://127.0.0.1:7365/x",
        ] {
            assert!(
                check_base_url(System::Dynamics365, bad, &exceptions).is_err(),
                "{bad}"
            );
        }
        assert_eq!("".parse(), Ok(Exceptions::none()));
    }

    #[test]
    fn an_authority_is_trusted_that_is_given_in_pem_and_nothing_else() {
        let pem = include_str!("../../../tests/certificates/application.pem");
        let trusting = Exceptions::none().trusting(pem).unwrap();
        assert_eq!(trusting.roots().len(), 1);
        for bad in [
            "",
            "no PEM",
            "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----",
        ] {
            assert_eq!(Exceptions::none().trusting(bad), Err(Reason::Root), "{bad}");
        }
    }

    #[test]
    fn sign_in_hosts_are_few() {
        let login = |text| check_login_url(System::Dynamics365, text, &Exceptions::none());
        assert!(login("https://login.microsoftonline.com").is_ok());
        assert_eq!(
            login("https://login.microsoftonline.com.evil.example"),
            Err(Reason::LoginHost)
        );
        assert_eq!(login("https://hlf.crm4.dynamics.com"), Err(Reason::LoginHost));
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_leads_to_the_system(text in "(https?://)?[ -~]{0,12}(hlf\\.crm4\\.dynamics\\.com)?[ -~]{0,12}") {
            if let Ok(url) = check_base_url(System::Dynamics365, &text, &Exceptions::none()) {
                prop_assert_eq!(url.scheme(), "https");
                prop_assert_eq!(url.port(), None);
                prop_assert!(url.domain().unwrap().ends_with(".dynamics.com"));
            }
        }
    }
}
