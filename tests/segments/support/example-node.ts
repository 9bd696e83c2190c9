import type { Namespace } from './open-namespace.ts';

/**
 * A node with a bit of everything that this kernel has: a segment with one port, an external VXLAN
 * device, filters of two kinds, tables of three families, policies of IPsec.
 */
export function buildExampleNode(node: Namespace): void {
  node.run(`
ip link add ua type veth peer name ub
ip address add 192.0.2.1/24 dev ua
ip link set ua up; ip link set ub up
ip link add tb4096 type bridge mcast_snooping 0
ip link set tb4096 addrgenmode none up
ip link add tv4096 type vxlan id 4096 dev ua local 192.0.2.1 dstport 4789 nolearning gbp
ip link set tv4096 addrgenmode none mtu 1450 master tb4096 up
bridge link set dev tv4096 learning off neigh_suppress on
bridge fdb append 00:00:00:00:00:00 dev tv4096 dst 192.0.2.2 self permanent
bridge fdb add 02:00:10:00:00:03 dev tv4096 dst 192.0.2.2 self permanent
bridge fdb add 02:00:10:00:00:03 dev tv4096 master static
bridge fdb add 02:00:10:00:00:04 dev tv4096 dst 192.0.2.3 vni 4097 port 4790 via ua self permanent
ip link add tp35s.1.1 mtu 1450 type veth peer name w1
ip link set tp35s.1.1 addrgenmode none master tb4096 up
bridge link set dev tp35s.1.1 learning off isolated on
bridge fdb add 02:00:10:00:00:01 dev tp35s.1.1 master static
bridge fdb add 02:00:10:00:00:09 dev tp35s.1.1 master permanent
ip neigh add 10.7.0.3 lladdr 02:00:10:00:00:03 dev tb4096 nud permanent
tc qdisc add dev tp35s.1.1 clsact
tc filter add dev tp35s.1.1 egress protocol all pref 1 bpf da bytecode '4,32 0 0 4294963220,21 0 1 1,6 0 0 0,6 0 0 2'
tc qdisc add dev w1 clsact
tc filter add dev w1 egress protocol ip pref 5 bpf da bytecode '1,6 0 0 0'
tc filter add dev w1 ingress protocol all pref 7 bpf da bytecode '1,6 0 0 0'
ip link add vx1 type vxlan external vnifilter dstport 4790
ip link set vx1 addrgenmode none up
bridge vni add dev vx1 vni 5000-5010,6000
bridge fdb append 00:00:00:00:00:00 dev vx1 src_vni 5000 dst 192.0.2.2 self
ip xfrm policy add dir out src 192.0.2.1/32 dst 192.0.2.2/32 proto udp dport 4789 priority 10 tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1 mode transport
ip xfrm policy add dir in src 192.0.2.2/32 dst 192.0.2.1/32 proto udp dport 4789 tmpl proto esp reqid 1 mode transport level use
ip xfrm policy add dir in src 0.0.0.0/0 dst 192.0.2.1/32 dev ua action block`);
  node.run('nft -f -', exampleRules);
}

const exampleRules = `
table bridge tapline {
  map verdicts { type ifname : verdict; flags interval; elements = { "tp35s.1.1" : jump p1, "tv4096" : accept } }
  map marks { type ifname : mark; elements = { "tp35s.1.1" : 2 } }
  set allowed { type ifname . mark; elements = { "tp35s.1.1" . 0x1, "tv4096" . 2 } }
  chain p1 {
    ether saddr != 02:00:10:00:00:01 drop
    ether type arp arp saddr ether 02:00:10:00:00:01 arp saddr ip 10.7.0.1 meta mark set 2 accept
    ether type ip ip saddr { 10.7.0.1, 10.7.0.9 } meta mark set iifname map @marks accept
    ether type ip6 icmpv6 type nd-neighbor-advert @th,64,128 1 meta mark set 2 accept
    ether type ip6 ip6 saddr fe80::/10 meta mark set 2 accept
    drop
  }
  chain arriving { type filter hook prerouting priority -300; policy accept;
    iifname vmap @verdicts
    iifname "tp*" drop
  }
  chain passing { type filter hook forward priority 0; policy drop;
    oifname . meta mark @allowed counter accept comment "allowed"
    oifname "tp35s.1.1" meta mark { 1, 16-20 } limit rate 10/second accept
  }
}
table inet tapline-underlay {
  set peers { type ipv4_addr; flags interval; elements = { 192.0.2.2, 198.51.100.0/24 } }
  counter seen { }
  chain arriving { type filter hook input priority -150; policy accept;
    udp dport 4789 ip saddr != @peers drop
    udp dport 4789 @th,96,24 0x1000 meta ipsec missing drop
  }
}
table netdev foreign {
  chain early { type filter hook ingress device "tp35s.1.1" priority 0; policy accept;
    ether saddr != 02:00:10:00:00:01 drop
  }
}`;
