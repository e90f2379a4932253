/// Which addresses may be called beside the public ones: what the operator allows.
package struct EgressRules: Sendable {
    private enum Allowance: Sendable {
        case host(String, port: String?)
        case address(NetworkAddress, port: String?)
        case range(NetworkRange)
    }

    private var allowances: [Allowance] = []

    package init() {}

    /// `HOST`, `HOST:PORT`, an address with or without a port, or a range such as `10.0.0.0/8`; nil for anything else.
    package mutating func allow(_ text: String) -> Bool {
        guard let allowance = EgressRules.read(text) else { return false }
        allowances.append(allowance)
        return true
    }

    private static func read(_ text: String) -> Allowance? {
        if text.contains("/") { return NetworkRange(text).map { .range($0) } }
        if let address = NetworkAddress(text) { return .address(address, port: nil) }
        var (host, port) = (text, String?.none)
        if let colon = text.lastIndex(of: ":") {
            guard let number = Int(text[text.index(after: colon)...]), (1...65535).contains(number) else { return nil }
            (host, port) = (String(text[..<colon]), "\(number)")
        }
        if let address = NetworkAddress(host) { return .address(address, port: port) }
        let isName = !host.isEmpty && host.utf8.count <= 253 && host.utf8.allSatisfy(isNameByte)
        return isName ? .host(plain(host), port: port) : nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// `LOCALHOST.` and `localhost` are one name.
    private static func plain(_ host: String) -> String {
        let host = host.lowercased()
        return host.hasSuffix(".") ? String(host.dropLast()) : host
    }

    /// Whether an address, to which a host's name led, may be called at a port.
    package func mayCall(_ address: NetworkAddress, host: String, port: String) -> Bool {
        if address.isPublic { return true }
        return allowances.contains { allowance in
            switch allowance {
            case .host(let name, let only): name == EgressRules.plain(host) && (only == nil || only == port)
            case .address(let one, let only): one == address && (only == nil || only == port)
            case .range(let range): range.contains(address)
            }
        }
    }
}
