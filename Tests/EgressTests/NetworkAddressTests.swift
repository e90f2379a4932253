import MartletEgress
import Testing

@Suite("What is a public address, and what an operator may add") struct NetworkAddressTests {
    @Test(
        "closed are this machine, its networks, metadata, documentation, and whatever leads there by another spelling",
        arguments: [
            "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
            "169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "203.0.113.9",
            "224.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
            "fe80::1", "fd00:ec2::254", "fc00::1", "ff02::1", "2001:db8::1", "2001::1", "2002:7f00:1::", "3fff::1",
            "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "100::1",
        ])
    func closed(_ text: String) throws {
        #expect(try #require(NetworkAddress(text)).isPublic == false)
    }

    @Test(
        "open is the rest",
        arguments: [
            "1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "11.0.0.1", "::ffff:1.1.1.1",
            "2606:4700:4700::1111", "2a00:1450::1", "64:ff9b::808:808",
        ])
    func open(_ text: String) throws {
        #expect(try #require(NetworkAddress(text)).isPublic)
    }

    @Test("an IPv4 address written as IPv6 is the same address")
    func mapped() throws {
        #expect(NetworkAddress("::ffff:10.0.0.1") == NetworkAddress("10.0.0.1"))
        #expect(NetworkAddress("[::ffff:7f00:1]")?.description == "127.0.0.1")
    }

    @Test(
        "what is no address is none", arguments: ["", "localhost", "1.2.3", "0x7f.0.0.1", "2130706433", "::g", "[::1"])
    func noAddress(_ text: String) { #expect(NetworkAddress(text) == nil) }

    @Test(
        "an allowance opens what it names and nothing else",
        arguments: [
            ("localhost", "127.0.0.1", "localhost", "80", true), ("localhost", "127.0.0.1", "LOCALHOST.", "80", true),
            ("localhost", "127.0.0.1", "other", "80", false), ("hook:8080", "10.0.0.9", "hook", "8080", true),
            ("hook:8080", "10.0.0.9", "hook", "8081", false), ("10.0.0.0/8", "10.200.1.1", "hook", "1", true),
            ("10.0.0.0/8", "11.0.0.1", "hook", "1", true), ("10.0.0.0/9", "10.200.1.1", "hook", "1", false),
            ("127.0.0.1", "127.0.0.1", "127.0.0.1", "9", true), ("127.0.0.1:9", "127.0.0.1", "hook", "9", true),
            ("127.0.0.1:9", "127.0.0.1", "hook", "10", false), ("[::1]:9", "::1", "::1", "9", true),
            ("::1", "::1", "::1", "9", true), ("fd00::/8", "fd12::1", "hook", "9", true),
            ("0.0.0.0/0", "127.0.0.1", "x", "1", true), ("::/0", "127.0.0.1", "x", "1", false),
        ])
    func allowance(_ allowed: String, _ address: String, _ host: String, _ port: String, _ may: Bool) throws {
        var rules = EgressRules()
        let isTaken = rules.allow(allowed)
        #expect(isTaken)
        #expect(rules.mayCall(try #require(NetworkAddress(address)), host: host, port: port) == may)
    }

    @Test(
        "what is no allowance is said to be none",
        arguments: [
            "", "http://localhost", "10.0.0.0/33", "10.0.0/8", "host:0", "host:70000", "host:", "a b", "10.0.0.0/-1",
        ])
    func noAllowance(_ text: String) {
        var rules = EgressRules()
        let isTaken = rules.allow(text)
        #expect(!isTaken)
    }
}
