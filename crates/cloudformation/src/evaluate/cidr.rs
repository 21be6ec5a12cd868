//! `Fn::Cidr`: an address block cut into equal ones.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The first `count` blocks of `block` with `bits` host bits each. `None` if the arguments make no sense.
///
/// CloudFormation's limits: 1 to 256 blocks; the blocks must fit into `block`.
pub fn cidr(block: &str, count: usize, bits: Option<u8>) -> Option<Vec<String>> {
    if !(1..=256).contains(&count) {
        return None;
    }
    let block: IpNet = block.trim().parse().ok()?;
    let width = block.max_prefix_len();
    // Without a third argument, IPv4 blocks have 8 host bits and IPv6 blocks 64.
    let bits = bits.unwrap_or(if width == 32 { 8 } else { 64 });
    let prefix = width.checked_sub(bits).filter(|prefix| *prefix >= block.prefix_len())?;
    let blocks: Vec<String> = match block {
        IpNet::V4(net) => {
            let net: Ipv4Net = net.trunc();
            net.subnets(prefix).ok()?.take(count).map(|subnet| subnet.to_string()).collect()
        }
        IpNet::V6(net) => {
            let net: Ipv6Net = net.trunc();
            net.subnets(prefix).ok()?.take(count).map(|subnet| subnet.to_string()).collect()
        }
    };
    (blocks.len() == count).then_some(blocks)
}

#[cfg(test)]
mod tests {
    use super::cidr;

    #[test]
    fn blocks_are_cut_from_the_start() {
        assert_eq!(cidr("10.0.0.0/16", 2, Some(8)), Some(vec!["10.0.0.0/24".to_owned(), "10.0.1.0/24".to_owned()]));
        assert_eq!(cidr("192.168.0.0/24", 1, Some(5)), Some(vec!["192.168.0.0/27".to_owned()]));
        assert_eq!(cidr("10.0.0.0/16", 1, None), Some(vec!["10.0.0.0/24".to_owned()]));
        assert_eq!(cidr("2001:db8::/56", 1, None), Some(vec!["2001:db8::/64".to_owned()]));
        for (block, count, bits) in [
            ("10.0.0.0/24", 2, Some(8)),
            ("x", 1, None),
            ("10.0.0.0/8", 0, None),
            ("10.0.0.0/8", 257, None),
            ("10.0.0.0/24", 1, Some(33)),
        ] {
            assert_eq!(cidr(block, count, bits), None, "{block} {count} {bits:?}");
        }
    }
}
