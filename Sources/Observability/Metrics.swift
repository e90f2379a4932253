import Synchronization

/// The process's counters, gauges and histograms, rendered as Prometheus text.
///
/// Looking one up takes a lock, so hot paths look it up once and keep it; adding to it is one atomic instruction.
package final class Metrics: Sendable {
    package typealias Label = (name: String, value: String)

    private enum Kind: String { case counter, gauge, histogram }

    private enum Instrument {
        case counter(Counter)
        case gauge(Gauge)
        case read(@Sendable () -> Double)
        case histogram(Histogram)
    }

    private struct Family {
        let help: String
        let kind: Kind
        /// Keyed by the rendered labels, `method="GET",status="200"`.
        var members: [String: Instrument] = [:]
    }

    /// A family grows with label values that a client may choose, so it ends somewhere; beyond it, one shared member.
    private static let membersMax = 1000

    private let families = Mutex<[String: Family]>([:])

    package init() {}

    package func counter(_ name: String, _ help: String, _ labels: Label...) -> Counter {
        let made = member(name, help, .counter, labels) { .counter(Counter()) }
        guard case .counter(let counter) = made else { preconditionFailure("\(name) is not a counter") }
        return counter
    }

    package func gauge(_ name: String, _ help: String, _ labels: Label...) -> Gauge {
        let made = member(name, help, .gauge, labels) { .gauge(Gauge()) }
        guard case .gauge(let gauge) = made else { preconditionFailure("\(name) is not a gauge") }
        return gauge
    }

    /// A gauge that is read when somebody asks.
    package func gauge(_ name: String, _ help: String, _ labels: Label..., read: @escaping @Sendable () -> Double) {
        _ = member(name, help, .gauge, labels) { .read(read) }
    }

    package func histogram(
        _ name: String, _ help: String, _ labels: Label..., bounds: [Double] = Histogram.seconds
    ) -> Histogram {
        let made = member(name, help, .histogram, labels) { .histogram(Histogram(bounds: bounds)) }
        guard case .histogram(let histogram) = made else { preconditionFailure("\(name) is not a histogram") }
        return histogram
    }

    /// Prometheus text format 0.0.4, families and members in order of name.
    package func render() -> [UInt8] {
        let families = families.withLock { $0 }
        var out = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            out += "# HELP \(name) \(Metrics.escape(family.help, quotes: false))\n"
            out += "# TYPE \(name) \(family.kind.rawValue)\n"
            for (labels, instrument) in family.members.sorted(by: { $0.key < $1.key }) {
                let braces = labels.isEmpty ? "" : "{\(labels)}"
                switch instrument {
                case .counter(let counter): out += "\(name)\(braces) \(counter.value)\n"
                case .gauge(let gauge): out += "\(name)\(braces) \(gauge.value)\n"
                case .read(let read): out += "\(name)\(braces) \(Metrics.number(read()))\n"
                case .histogram(let histogram):
                    let comma = labels.isEmpty ? "" : ","
                    let snapshot = histogram.snapshot()
                    for (bound, count) in snapshot.buckets {
                        out += "\(name)_bucket{\(labels)\(comma)le=\"\(Metrics.number(bound))\"} \(count)\n"
                    }
                    out += "\(name)_sum\(braces) \(Metrics.number(snapshot.sum))\n"
                    out += "\(name)_count\(braces) \(snapshot.count)\n"
                }
            }
        }
        return Array(out.utf8)
    }

    private func member(
        _ name: String, _ help: String, _ kind: Kind, _ labels: [Label], make: () -> Instrument
    ) -> Instrument {
        families.withLock { families in
            var family = families[name] ?? Family(help: help, kind: kind)
            precondition(family.kind == kind, "\(name) is a \(family.kind.rawValue)")
            var key = labels.map { "\($0.name)=\"\(Metrics.escape($0.value, quotes: true))\"" }.joined(separator: ",")
            if family.members[key] == nil, family.members.count >= Metrics.membersMax {
                key = labels.map { "\($0.name)=\"other\"" }.joined(separator: ",")
            }
            if let known = family.members[key] { return known }
            let made = make()
            family.members[key] = made
            families[name] = family
            return made
        }
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\"" where quotes: out += "\\\""
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if value == -.infinity { return "-Inf" }
        if value.isNaN { return "NaN" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
