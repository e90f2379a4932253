// Observability: what a running process says about itself, as log lines and as counters. Any room may import it; it
// imports none.

import Glibc
import Synchronization

/// One line for one thing that happened, on standard error.
///
/// A line is written by one call, so lines of several threads never mix. With `queued` delivery a thread of its own
/// writes, so that a full pipe never stops an event thread; what does not fit the queue is dropped and counted.
package final class Log: Sendable {
    package enum Level: Int, Sendable, Comparable, CaseIterable {
        case debug, info, warning, error

        package static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }

        package init?(_ name: String) {
            switch name.lowercased() {
            case "debug": self = .debug
            case "info": self = .info
            case "warning", "warn": self = .warning
            case "error": self = .error
            default: return nil
            }
        }

        var name: String {
            switch self {
            case .debug: "debug"
            case .info: "info"
            case .warning: "warning"
            case .error: "error"
            }
        }
    }

    package enum Format: Sendable { case text, json }
    package enum Delivery: Sendable { case direct, queued }
    package typealias Field = (name: String, value: String)

    package let level: Level
    private let format: Format
    private let nowMicroseconds: @Sendable () -> Int
    private let outlet: LogOutlet

    package init(
        level: Level = .info, format: Format = .text, delivery: Delivery = .direct, descriptor: Int32 = 2,
        nowMicroseconds: @escaping @Sendable () -> Int = Log.wallClock
    ) {
        self.level = level
        self.format = format
        self.nowMicroseconds = nowMicroseconds
        outlet = LogOutlet(descriptor: descriptor, queued: delivery == .queued)
    }

    /// A log that says nothing, for tests and for callers who want none.
    package static let silent = Log(level: .error, descriptor: -1)

    package func debug(_ message: @autoclosure () -> String, _ fields: Field...) {
        if isOn(.debug) { write(.debug, message(), fields) }
    }

    package func info(_ message: @autoclosure () -> String, _ fields: Field...) {
        if isOn(.info) { write(.info, message(), fields) }
    }

    package func warning(_ message: @autoclosure () -> String, _ fields: Field...) {
        if isOn(.warning) { write(.warning, message(), fields) }
    }

    package func error(_ message: @autoclosure () -> String, _ fields: Field...) {
        if isOn(.error) { write(.error, message(), fields) }
    }

    package func isOn(_ level: Level) -> Bool { level >= self.level && outlet.descriptor >= 0 }

    package func write(_ level: Level, _ message: String, _ fields: [Field]) {
        guard isOn(level) else { return }
        let time = Log.timestamp(microseconds: nowMicroseconds())
        var line: [UInt8] = []
        line.reserveCapacity(160)
        switch format {
        case .text:
            line += time.utf8
            line.append(0x20)
            line += level.name.utf8
            line.append(0x20)
            LogText.append(message, to: &line)
            for field in fields {
                line.append(0x20)
                line += field.name.utf8
                line.append(UInt8(ascii: "="))
                LogText.appendValue(field.value, to: &line)
            }
        case .json:
            line += Array("{\"time\":\"\(time)\",\"level\":\"\(level.name)\",\"message\":".utf8)
            LogText.appendJSON(message, to: &line)
            for field in fields {
                line.append(UInt8(ascii: ","))
                LogText.appendJSON(field.name, to: &line)
                line.append(UInt8(ascii: ":"))
                LogText.appendJSON(field.value, to: &line)
            }
            line.append(UInt8(ascii: "}"))
        }
        line.append(0x0A)
        outlet.put(line)
    }

    /// Returns when everything said so far has been handed to the kernel.
    package func flush() { outlet.flush() }

    package static let wallClock: @Sendable () -> Int = {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return now.tv_sec * 1_000_000 + now.tv_nsec / 1000
    }

    /// `2026-01-31T09:08:07.654Z`
    static func timestamp(microseconds: Int) -> String {
        var seconds = microseconds / 1_000_000
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let pad = { (value: Int, width: Int) -> String in
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = "\(pad(Int(parts.tm_year) + 1900, 4))-\(pad(Int(parts.tm_mon) + 1, 2))-\(pad(Int(parts.tm_mday), 2))"
        let clock = "\(pad(Int(parts.tm_hour), 2)):\(pad(Int(parts.tm_min), 2)):\(pad(Int(parts.tm_sec), 2))"
        return "\(date)T\(clock).\(pad(microseconds / 1000 % 1000, 3))Z"
    }
}
