/// Moments as text: ISO 8601 dates and times, UTC unless an offset is given, to the microsecond.
enum CalendarTime {
    /// From year 1 to year 9999, what ISO 8601 writes with four digits.
    static let earliest: Int64 = -62_135_596_800_000_000
    static let latest: Int64 = 253_402_300_799_999_999

    /// `2025-01-31`, `2025-01-31T10:00`, `2025-01-31 10:00:00.5+02:00`; nil if it is no moment of the calendar.
    static func parse(_ text: some StringProtocol) -> Int64? {
        var bytes = Array(text.utf8)[...]
        func digits(_ count: Int) -> Int64? {
            guard bytes.count >= count else { return nil }
            var value: Int64 = 0
            for byte in bytes.prefix(count) {
                guard byte &- 0x30 < 10 else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            bytes = bytes.dropFirst(count)
            return value
        }
        func skip(_ character: Unicode.Scalar) -> Bool {
            guard bytes.first == UInt8(ascii: character) else { return false }
            bytes = bytes.dropFirst()
            return true
        }
        guard let year = digits(4), year >= 1, skip("-"), let month = digits(2), (1...12).contains(month), skip("-"),
            let day = digits(2), (1...daysIn(month: month, year: year)).contains(day)
        else { return nil }
        var moment = daysSince1970(year: year, month: month, day: day) * 86_400_000_000
        guard !bytes.isEmpty else { return moment }

        guard skip("T") || skip("t") || skip(" ") else { return nil }
        guard let hour = digits(2), hour < 24, skip(":"), let minute = digits(2), minute < 60 else { return nil }
        moment += (hour * 60 + minute) * 60_000_000
        if skip(":") {
            guard let second = digits(2), second < 60 else { return nil }
            moment += second * 1_000_000
            if skip(".") {
                var unit: Int64 = 100_000
                guard let first = bytes.first, first &- 0x30 < 10 else { return nil }
                while let digit = bytes.first.map({ $0 &- 0x30 }), digit < 10 {
                    moment += Int64(digit) * unit
                    unit /= 10
                    bytes = bytes.dropFirst()
                }
            }
        }
        if bytes.isEmpty { return inRange(moment) }
        if skip("Z") || skip("z") { return bytes.isEmpty ? inRange(moment) : nil }
        let isBehind = skip("-")
        guard isBehind || skip("+"), let hours = digits(2), hours < 24 else { return nil }
        _ = skip(":")
        guard let minutes = bytes.isEmpty ? 0 : digits(2), minutes < 60, bytes.isEmpty else { return nil }
        let offset = (hours * 60 + minutes) * 60_000_000
        return inRange(isBehind ? moment + offset : moment - offset)
    }

    /// The shortest ISO 8601 text of a moment, or of the nearest in range.
    ///
    /// The date alone at midnight, else the time to the second, with six more digits when there is something below.
    static func print(_ moment: Int64) -> String {
        let moment = min(max(moment, earliest), latest)
        let remainder = moment % 86_400_000_000
        let rest = remainder < 0 ? remainder + 86_400_000_000 : remainder
        let day = (moment - rest) / 86_400_000_000
        let date = civil(daysSince1970: day)
        let text = "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
        guard rest != 0 else { return text }
        let seconds = rest / 1_000_000
        let time = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }.joined(separator: ":")
        let fraction = rest % 1_000_000
        return "\(text)T\(time)\(fraction == 0 ? "" : ".\(padded(fraction, 6))")Z"
    }

    static func inRange(_ moment: Int64) -> Int64? { (earliest...latest).contains(moment) ? moment : nil }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func daysIn(month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // Eras of 400 years that begin on 1 March, so that the leap day comes last (the usual civil-date arithmetic).
    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let days = daysSince1970 + 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

/// Lengths of time as text: `7d`, `1h30m`, `1.5h`; microseconds inside.
enum DurationText {
    static let units: [(name: String, microseconds: Int64)] = [
        ("w", 604_800_000_000), ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000),
        ("ms", 1000), ("us", 1),
    ]

    /// Beyond this (about 30,000 years) a length of time is a slip of the finger.
    static let longest: Int64 = 1_000_000_000_000_000_000

    static func microseconds(_ number: String, unit: String) -> Int64? {
        guard let scale = units.first(where: { $0.name == unit.lowercased() })?.microseconds,
            let value = NumberText.parse(number)
        else { return nil }
        let product = (value * Double(scale)).rounded()
        return product.magnitude <= Double(longest) ? Int64(product) : nil
    }

    /// In the largest unit that divides it.
    static func print(_ microseconds: Int64) -> String {
        for unit in units where microseconds % unit.microseconds == 0 && microseconds != 0 {
            return "\(microseconds / unit.microseconds)\(unit.name)"
        }
        return "0s"
    }
}
