//! What a request must be before it is looked into: sent to this server by name, by no foreign web
//! page, and with the token.
//!
//! The names are checked because a web page can have its own name point to this machine (DNS
//! rebinding) and then talk to what listens here as to its own server.

use std::net::{IpAddr, SocketAddr};

use hyper::{
    HeaderMap, StatusCode, Uri,
    header::{self, HeaderName},
    http::uri::Authority,
};

use super::{reply::Refusal, token::Token};

/// The names under which this server may be spoken to.
pub(super) struct Names {
    more: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Names {
    /// Those of this machine's loopback, the addresses that are listened on, and `more`.
    pub(super) fn new(more: Vec<String>, listening: &[SocketAddr]) -> Names {
        let addresses = listening.iter().map(SocketAddr::ip);
        Names {
            more: more.iter().map(|name| bare(name).to_owned()).collect(),
            addresses: addresses.filter(|ip| !ip.is_unspecified()).collect(),
        }
    }

    /// Refuses a request that is meant for another host, or that another site's page has sent.
    pub(super) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = single(headers, &header::HOST)?.ok_or_else(|| bad("there is no Host header"))?;
        let host: Authority = host
            .parse()
            .map_err(|_| bad("the Host header names no host"))?;
        // Nobody but a proxy names the whole address, and it must be the same.
        if uri.authority().is_some_and(|asked| *asked != host) {
            return Err(bad(
                "the request is for one host and its Host header for another",
            ));
        }
        if !self.is_ours(&host) {
            return Err(forbidden(
                "this server is not called by that name; `kite serve --host NAME` adds one",
            ));
        }
        match single(headers, &header::ORIGIN)? {
            None => Ok(()),
            Some(origin) if same_site(origin, &host) => Ok(()),
            Some(_) => Err(forbidden(
                "web pages of other sites may not call this server",
            )),
        }
    }

    fn is_ours(&self, host: &Authority) -> bool {
        if host.as_str().contains('@') {
            return false;
        }
        let name = bare(host.host());
        if name.eq_ignore_ascii_case("localhost") {
            return true;
        }
        match name.parse::<IpAddr>() {
            Ok(address) => {
                let is_it = |more: &String| more.parse() == Ok(address);
                address.is_loopback()
                    || self.addresses.contains(&address)
                    || self.more.iter().any(is_it)
            }
            Err(_) => self.more.iter().any(|more| more.eq_ignore_ascii_case(name)),
        }
    }
}

/// Refuses a request that does not bring the token.
pub(super) fn check_token(token: &Token, headers: &HeaderMap) -> Result<(), Refusal> {
    let given = single(headers, &header::AUTHORIZATION)?
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, given)| given.trim());
    match given {
        Some(given) if token.is(given) => Ok(()),
        _ => Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "send the header `Authorization: Bearer TOKEN`; `kite serve --show-token` prints the token",
        )
        .with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"kite\"")),
    }
}

/// The value of a header that may be there once.
pub(super) fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(bad(format!("the header {name} is there twice")));
    }
    let value = value
        .to_str()
        .map_err(|_| bad(format!("the header {name} is not plain text")))?;
    Ok(Some(value))
}

/// A page that this very server could have sent.
fn same_site(origin: &str, host: &Authority) -> bool {
    ["http://", "https://"]
        .iter()
        .filter_map(|scheme| origin.strip_prefix(scheme))
        .any(|authority| authority.eq_ignore_ascii_case(host.as_str()))
}

/// An IPv6 address without its brackets.
fn bare(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

fn bad(text: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, text)
}

fn forbidden(text: &str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(names: &Names, host: &'static str, origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, header::HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, header::HeaderValue::from_static(origin));
        }
        names.check(&Uri::from_static("/mcp"), &headers).is_ok()
    }

    #[test]
    fn a_further_name_may_be_an_address() {
        let everywhere = ["0.0.0.0:3001".parse().expect("an address")];
        let more = ["box.example", "192.168.1.5", "[2001:db8::1]"].map(str::to_owned);
        let names = Names::new(more.to_vec(), &everywhere);
        for ours in [
            "BOX.example:3001",
            "192.168.1.5:3001",
            "192.168.1.5",
            "[2001:db8:0::1]:3001",
            "127.0.0.1:3001",
        ] {
            assert!(checked(&names, ours, None), "{ours}");
        }
        for foreign in [
            "192.168.1.6:3001",
            "0.0.0.0:3001",
            "[2001:db8::2]",
            "example",
        ] {
            assert!(!checked(&names, foreign, None), "{foreign}");
        }
    }

    #[test]
    fn a_page_may_call_only_where_it_comes_from() {
        let names = Names::new(Vec::new(), &[]);
        assert!(checked(
            &names,
            "localhost:3001",
            Some("http://localhost:3001")
        ));
        for (host, origin) in [
            ("localhost:3001", "http://localhost:3002"),
            ("localhost:3001", "http://localhost:3001/"),
            ("localhost:3001", "http://127.0.0.1:3001"),
            ("localhost:3001", "http://u@localhost:3001"),
            ("localhost.:3001", "http://localhost.:3001"),
            ("[::ffff:127.0.0.1]:3001", "http://[::ffff:127.0.0.1]:3001"),
        ] {
            assert!(!checked(&names, host, Some(origin)), "{host} {origin}");
        }
    }
}
