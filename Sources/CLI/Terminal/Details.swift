/// One thing in full: its values under headings, a line each.
package struct Details: Sendable {
    package enum Layout: Hashable, Sendable {
        /// Values stand under one another.
        case aligned
        /// `label: value`, as a report that is pasted somewhere.
        case colons
    }

    private enum Line: Sendable {
        case heading(String)
        case value(label: String, value: String?, styles: [Style])
    }

    private var lines: [Line] = []
    package init() {}

    package mutating func heading(_ text: String) { lines.append(.heading(text)) }

    package mutating func value(_ label: String, _ value: String?, _ styles: Style...) {
        lines.append(.value(label: label, value: value, styles: styles))
    }

    package var isEmpty: Bool { lines.isEmpty }

    /// Values too long for the width go on below themselves; without a width they stay in one line.
    package func rendered(_ layout: Layout = .aligned, width: Int? = nil, paint: Paint = .plain) -> String {
        var text = ""
        let labelWidth = layout == .aligned ? alignedWidth(for: width) : 0
        var indent = ""
        for line in lines {
            switch line {
            case .heading(let title):
                if layout == .aligned, !text.isEmpty { text += "\n" }
                text += paint(Escape.text(title) + (layout == .colons ? ":" : ""), .bold) + "\n"
                indent = "  "
            case .value(let label, let value, let styles):
                let label = Escape.text(label)
                let shown = value.map(Escape.text) ?? "-"
                let styles = value == nil ? [.dim] : styles
                guard layout == .aligned else {
                    text += indent + label + ": " + paint(shown, styles) + "\n"
                    continue
                }
                let name = Fit.padded(Fit.truncated(label, to: labelWidth, .middle), to: labelWidth, .left)
                let margin = indent.count + labelWidth + 2
                let parts = width.map { Wrap.lines(shown, width: max(10, $0 - margin)) } ?? [shown]
                let blank = String(repeating: " ", count: margin)
                text += indent + paint(name, .dim) + "  " + paint(parts.first ?? "", styles) + "\n"
                for part in parts.dropFirst() { text += blank + paint(part, styles) + "\n" }
            }
        }
        return text
    }

    private func alignedWidth(for width: Int?) -> Int {
        let widest =
            lines.map { line in
                if case .value(let label, _, _) = line { DisplayWidth.of(Escape.text(label)) } else { 0 }
            }.max() ?? 0
        return min(widest, width.map { max(8, $0 / 2) } ?? widest)
    }
}

/// The title of a part of the output.
package enum Heading {
    /// `=== All Experiment Runs ===`
    package static func bars(_ text: String, paint: Paint = .plain) -> String {
        paint("=== \(Escape.text(text)) ===", .bold) + "\n"
    }
}
