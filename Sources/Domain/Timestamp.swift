/// A moment in UTC, in microseconds since 1970. Wall-clock only: ages and timeouts use `Clock.monotonic`.
package struct Timestamp: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var micros: Int64

    package init(micros: Int64) { self.micros = micros }

    /// Epoch milliseconds, as MLflow and the logbook write them; what does not fit is held at the ends of the range.
    package init(millis: Int64) {
        let (value, overflow) = millis.multipliedReportingOverflow(by: 1000)
        micros = overflow ? (millis < 0 ? .min : .max) : value
    }

    package var millis: Int64 { floorDivide(micros, 1000) }

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.micros < b.micros }

    package func adding(seconds: Double) -> Timestamp {
        Timestamp(micros: micros &+ Int64((seconds * 1e6).rounded()))
    }
}

/// What tells the time. Wall time is recorded; monotonic time decides every timeout, age and idleness.
package protocol Clock: Sendable {
    var now: Timestamp { get }
    /// Microseconds from an arbitrary start, never going back.
    var monotonic: Int64 { get }
}

// MARK: - ISO 8601

extension Timestamp {
    /// `2024-01-15T10:30:00Z`, with as many decimals as the value needs: none, three or six.
    package var iso: String {
        let (days, dayMicros) = floorDivideWithRemainder(micros, 86_400_000_000)
        let (year, month, day) = civilDate(daysSince1970: days)
        let seconds = dayMicros / 1_000_000
        let fraction = dayMicros % 1_000_000
        var text = "\(padded(year, 4))-\(padded(Int64(month), 2))-\(padded(Int64(day), 2))"
        text += "T\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
        if fraction != 0 {
            text += fraction % 1000 == 0 ? ".\(padded(fraction / 1000, 3))" : ".\(padded(fraction, 6))"
        }
        return text + "Z"
    }

    package var description: String { iso }

    /// Reads a date (`2024-01-15`), or a date and time with an optional fraction and zone; no zone means UTC.
    package init?(iso text: some StringProtocol) {
        var cursor = IsoCursor(bytes: Array(text.utf8))
        guard let value = cursor.timestamp() else { return nil }
        micros = value
    }
}

private struct IsoCursor {
    let bytes: [UInt8]
    var at = 0

    mutating func number(digits: Int) -> Int64? {
        guard at + digits <= bytes.count else { return nil }
        var value: Int64 = 0
        for byte in bytes[at..<at + digits] {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        at += digits
        return value
    }

    mutating func take(_ any: StaticString) -> UInt8? {
        guard at < bytes.count else { return nil }
        let byte = bytes[at]
        let found = any.withUTF8Buffer { $0.contains(byte) }
        guard found else { return nil }
        at += 1
        return byte
    }

    mutating func timestamp() -> Int64? {
        guard let year = number(digits: 4), take("-") != nil,
            let month = number(digits: 2), (1...12).contains(month), take("-") != nil,
            let day = number(digits: 2), day >= 1, day <= daysIn(month: Int(month), year: year)
        else { return nil }
        let date = daysSince1970(year: year, month: Int(month), day: Int(day)) * 86_400_000_000
        if at == bytes.count { return date }
        guard take("Tt ") != nil, let hour = number(digits: 2), hour < 24, take(":") != nil,
            let minute = number(digits: 2), minute < 60
        else { return nil }
        var seconds: Int64 = 0
        var fraction: Int64 = 0
        if take(":") != nil {
            guard let read = number(digits: 2), read <= 60 else { return nil }
            seconds = read
            if take(".,") != nil {
                guard let read = decimals() else { return nil }
                fraction = read
            }
        }
        guard let offset = zone(), at == bytes.count else { return nil }
        return date + (hour * 3600 + minute * 60 + seconds - offset) * 1_000_000 + fraction
    }

    /// Decimals of a second as microseconds; more than six are accepted and cut.
    private mutating func decimals() -> Int64? {
        var value: Int64 = 0
        var digits = 0
        while let digit = number(digits: 1) {
            if digits < 6 { value = value * 10 + digit }
            digits += 1
        }
        guard digits > 0 else { return nil }
        for _ in min(digits, 6)..<6 { value *= 10 }
        return value
    }

    /// The zone's distance from UTC in seconds.
    private mutating func zone() -> Int64? {
        if at == bytes.count || take("Zz") != nil { return 0 }
        guard let sign = take("+-"), let hours = number(digits: 2), hours < 24 else { return nil }
        _ = take(":")
        let minutes = at == bytes.count ? 0 : number(digits: 2)
        guard let minutes, minutes < 60 else { return nil }
        let offset = hours * 3600 + minutes * 60
        return sign == UInt8(ascii: "-") ? -offset : offset
    }
}

// MARK: - The civil calendar (Howard Hinnant's day-count arithmetic, eras of 400 years)

private func civilDate(daysSince1970 days: Int64) -> (year: Int64, month: Int, day: Int) {
    let shifted = days + 719_468
    let (era, dayOfEra) = floorDivideWithRemainder(shifted, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let fromMarch = (5 * dayOfYear + 2) / 153
    let day = Int(dayOfYear - (153 * fromMarch + 2) / 5 + 1)
    let month = Int(fromMarch < 10 ? fromMarch + 3 : fromMarch - 9)
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}

private func daysSince1970(year: Int64, month: Int, day: Int) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let (era, yearOfEra) = floorDivideWithRemainder(shifted, 400)
    let fromMarch = Int64(month > 2 ? month - 3 : month + 9)
    let dayOfYear = (153 * fromMarch + 2) / 5 + Int64(day) - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

private func daysIn(month: Int, year: Int64) -> Int64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
}

private func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { floorDivideWithRemainder(a, b).quotient }

private func floorDivideWithRemainder(_ a: Int64, _ b: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
    return remainder < 0 ? (quotient - 1, remainder + b) : (quotient, remainder)
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value.magnitude)
    let zeros = String(repeating: "0", count: max(0, width - digits.utf8.count))
    return (value < 0 ? "-" : "") + zeros + digits
}
