/// How far long work has come. A value that is told how much is done and what time it is, and answers with the text to
/// write, if it is time to write any; it owns no clock and no stream.
package struct ProgressBar: Sendable {
    package enum Mode: Hashable, Sendable {
        /// One line that redraws itself, in a window so wide.
        case line(width: Int)
        /// A line of its own every now and then, for logs.
        case log
        case silent
    }

    package enum Unit: Hashable, Sendable { case count(String), bytes }

    private let title: String
    private let total: Int64?
    private let unit: Unit
    private let mode: Mode
    private let start: Double
    private var lastWritten: Double?
    private var hasLine = false

    /// Times are seconds on any clock that never goes back.
    package init(_ title: String, total: Int64? = nil, unit: Unit = .count(""), mode: Mode, start: Double) {
        (self.title, self.unit, self.mode, self.start) = (Escape.text(title), unit, mode, start)
        self.total = total.flatMap { $0 > 0 ? $0 : nil }
    }

    /// On a terminal's error stream a line that moves; elsewhere lines for a log; nothing when asked to be quiet.
    package static func mode(in terminal: any Terminal, isQuiet: Bool) -> Mode {
        if isQuiet { return .silent }
        return terminal.isTerminal(.error) && terminal.environment["TERM"] != "dumb"
            ? .line(width: terminal.width(of: .error)) : .log
    }

    private var pause: Double {
        switch mode {
        case .line: 0.1
        case .log: 10
        case .silent: .infinity
        }
    }

    package mutating func update(done: Int64, now: Double) -> String? {
        // Work that is over in a moment needs no bar: the first one is written after half a second.
        let dueAt = lastWritten.map { $0 + pause } ?? start + (mode == .log ? pause : 0.5)
        guard mode != .silent, now >= dueAt else { return nil }
        lastWritten = now
        guard case .line(let width) = mode else { return plainLine(done: done, now: now) + "\n" }
        hasLine = true
        // The last column stays free: writing into it wraps the line in many terminals.
        return "\r" + Fit.truncated(bar(done: done, now: now, width: width - 1), to: width - 1) + "\u{1B}[K"
    }

    /// Clears the line. A bar that never showed leaves nothing behind; a log gets its last line.
    package mutating func finish(done: Int64, now: Double) -> String? {
        switch mode {
        case .silent: return nil
        case .line:
            defer { hasLine = false }
            return hasLine ? "\r\u{1B}[K" : nil
        case .log:
            guard lastWritten != nil else { return nil }
            let span = TimeText.duration(seconds: now - start)
            return "\(title): \(amount(done)) in \(span)\n"
        }
    }

    private func fraction(_ done: Int64) -> Double? { total.map { min(1, max(0, Double(done) / Double($0))) } }

    private func percent(_ fraction: Double) -> String {
        // 100 % is said only when all is done.
        Fit.padded("\(Int(fraction * 100))%", to: 4, .right)
    }

    private func facts(done: Int64, now: Double) -> String {
        let elapsed = now - start
        var facts = [total.map { "\(unit == .bytes ? amount(done) : count(done)) of \(amount($0))" } ?? amount(done)]
        let rate = elapsed > 0 ? Double(max(0, done)) / elapsed : 0
        if rate > 0 {
            switch unit {
            case .bytes: facts.append(NumberText.bytes(Int64(min(rate, 1e18))) + "/s")
            case .count:
                facts.append((rate < 9.95 ? NumberText.printed("%.1f", rate) : count(Int64(min(rate, 1e18)))) + "/s")
            }
        }
        if let total, rate > 0, done < total {
            let left = (Double(total - done) / rate).rounded(.up)
            facts.append((left < 60 ? "\(Int(left)) s" : TimeText.duration(seconds: left)) + " left")
        }
        return facts.joined(separator: ", ")
    }

    private func count(_ number: Int64) -> String { NumberText.grouped(Int(number)) }

    private func amount(_ done: Int64) -> String {
        switch unit {
        case .bytes: NumberText.bytes(done)
        case .count(let noun): count(done) + (noun.isEmpty ? "" : " " + noun)
        }
    }

    private func plainLine(done: Int64, now: Double) -> String {
        let percent = fraction(done).map { "\(Int($0 * 100))%, " } ?? ""
        return "\(title): \(percent)\(facts(done: done, now: now))"
    }

    private func bar(done: Int64, now: Double, width: Int) -> String {
        let facts = facts(done: done, now: now)
        guard let fraction = fraction(done) else { return "\(title)  \(facts)" }
        let tail = "\(percent(fraction))  \(facts)"
        // As wide at the end as at the beginning: what follows may take 46 columns.
        let room = min(30, width - DisplayWidth.of(title) - 5 - 46)
        guard room >= 8 else { return "\(title) \(tail)" }
        return "\(title)  \(ProgressBar.blocks(fraction, width: room)) \(tail)"
    }

    /// A bar in eighths of a column.
    private static func blocks(_ fraction: Double, width: Int) -> String {
        let parts: [String] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        let eighths = Int(fraction * Double(width * 8))
        let head = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
        return Fit.padded(head, to: width, .left)
    }
}
