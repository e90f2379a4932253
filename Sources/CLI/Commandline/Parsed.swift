/// What the command line came to: every value checked and filled in from environment and defaults.
///
/// Values are asked for by the names of the tree. A name that the tree lacks is our own mistake and stops the program;
/// a value of the wrong shape cannot be here.
package struct Parsed: Sendable {
    /// Where a value came from, for messages and for `config show`.
    package enum Source: Hashable, Sendable {
        case commandLine
        case environment(String)
        case standard
    }

    /// The command's path, the program first: `["martlet", "runs", "list"]`.
    package let path: [String]
    var texts: [String: [String]] = [:]
    var flags: [String: Bool] = [:]
    var sources: [String: Source] = [:]
    /// Every name of the command and of those above it.
    let names: Set<String>

    init(path: [String], names: Set<String>) { (self.path, self.names) = (path, names) }

    package func text(_ name: String) -> String? { all(name).last }

    /// Every value, in the order given: of a repeated option, or of an argument that takes many.
    package func all(_ name: String) -> [String] {
        precondition(names.contains(name), "\(path.joined(separator: " ")) declares nothing named \(name)")
        return texts[name] ?? []
    }

    package func isOn(_ name: String) -> Bool {
        precondition(names.contains(name), "\(path.joined(separator: " ")) declares nothing named \(name)")
        return flags[name] ?? false
    }

    package func integer(_ name: String) -> Int? { text(name).flatMap { Int($0) } }
    package func number(_ name: String) -> Double? { text(name).flatMap(ValueShape.number(in:)) }

    package func pairs(_ name: String) -> [(key: String, value: String)] { all(name).compactMap(ValueShape.pair(in:)) }

    package func numberPairs(_ name: String) -> [(key: String, value: Double)] {
        pairs(name).compactMap { pair in ValueShape.number(in: pair.value).map { (pair.key, $0) } }
    }

    /// Nil when there is no value at all.
    package func source(of name: String) -> Source? { sources[name] }
}

extension Parsed {
    /// Whether the command declares a value of that name: for work that several commands share.
    package func knows(_ name: String) -> Bool { names.contains(name) }
}
