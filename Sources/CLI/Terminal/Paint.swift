package enum Style: Hashable, Sendable {
    case bold, dim, underline
    case red, green, yellow, blue, magenta, cyan

    var code: String {
        switch self {
        case .bold: "1"
        case .dim: "2"
        case .underline: "4"
        case .red: "31"
        case .green: "32"
        case .yellow: "33"
        case .blue: "34"
        case .magenta: "35"
        case .cyan: "36"
        }
    }
}

/// Puts styles around text, or leaves it alone. A value handed to whatever makes text, so that nothing asks the process.
package struct Paint: Hashable, Sendable {
    package var isOn: Bool
    package init(isOn: Bool) { self.isOn = isOn }
    package static let plain = Paint(isOn: false)

    package func callAsFunction(_ text: String, _ styles: Style...) -> String { self(text, styles) }

    package func callAsFunction(_ text: String, _ styles: [Style]) -> String {
        guard isOn, !styles.isEmpty, !text.isEmpty else { return text }
        return "\u{1B}[\(styles.map(\.code).joined(separator: ";"))m\(text)\u{1B}[0m"
    }
}

/// What `--color` says.
package enum ColourChoice: String, Hashable, Sendable, CaseIterable {
    case automatic = "auto"
    case always
    case never

    /// The option wins, then `NO_COLOR`, then `CLICOLOR_FORCE`; else colours are for a terminal that can show them.
    package func isOn(environment: [String: String], isTerminal: Bool) -> Bool {
        switch self {
        case .always: return true
        case .never: return false
        case .automatic: break
        }
        func isSet(_ name: String) -> Bool { !(environment[name] ?? "").isEmpty }
        if isSet("NO_COLOR") { return false }
        if isSet("CLICOLOR_FORCE"), environment["CLICOLOR_FORCE"] != "0" { return true }
        return isTerminal && environment["TERM"] != "dumb" && environment["CLICOLOR"] != "0"
    }
}
