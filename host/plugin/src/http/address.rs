//! Which addresses a plugin's request may reach: public ones, and those the operator granted by their very address.
//!
//! A granted *name* must lead to a public address, else whoever answers for the name could point it at the host's own
//! network or at a cloud's metadata service. A granted *address* (or `localhost`) is the operator's own decision.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Host;

/// Whether a request granted for `host` may connect to `address`.
pub(crate) fn permitted(host: &Host<String>, address: IpAddr) -> bool {
    let address = address.to_canonical();
    match host {
        Host::Ipv4(granted) => address == IpAddr::V4(*granted),
        Host::Ipv6(granted) => address == IpAddr::V6(*granted).to_canonical(),
        Host::Domain(name) if name == "localhost" => address.is_loopback(),
        Host::Domain(_) => is_public(address),
    }
}

fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Outside every block of the IANA special-purpose registry.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = a == 0
        || a == 10
        || a == 127
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 192 && b == 168)
        || (a == 198 && (b == 18 || b == 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113)
        || a >= 224;
    !special
}

/// Within 2000::/3, and outside the blocks there that lead elsewhere (Teredo, ORCHID, documentation, 6to4).
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    match first {
        0x2001 => second >= 0x0200 && second != 0x0db8,
        0x2002 => false,
        0x3fff => second >= 0x1000,
        _ => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_only_to_public_addresses() {
        let name = Host::Domain("hooks.example.com".to_owned());
        for (address, expected) in [
            ("93.184.216.34", true),
            ("2606:4700::6810:84e5", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("172.32.0.1", true),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.100.100.200", false),
            ("0.0.0.0", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("240.0.0.1", false),
            ("::1", false),
            ("::", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:93.184.216.34", true),
            ("::127.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("fe80::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("ff02::1", false),
            ("2002:7f00:1::", false),
            ("2001:db8::1", false),
            ("2001::1", false),
        ] {
            assert_eq!(permitted(&name, address.parse().expect("address")), expected, "{address}");
        }
    }

    #[test]
    fn an_address_granted_as_such_is_reached_and_no_other() {
        let loopback: Host<String> = Host::Ipv4(Ipv4Addr::LOCALHOST);
        let localhost = Host::Domain("localhost".to_owned());
        for (host, address, expected) in [
            (&loopback, "127.0.0.1", true),
            (&loopback, "::ffff:127.0.0.1", true),
            (&loopback, "127.0.0.2", false),
            (&localhost, "127.0.0.1", true),
            (&localhost, "::1", true),
            (&localhost, "10.0.0.1", false),
        ] {
            assert_eq!(permitted(host, address.parse().expect("address")), expected, "{host} {address}");
        }
    }
}
