internal import Glibc

/// Times and spans as people read them. Points in time are milliseconds since 1970, and now is always an argument.
package enum TimeText {
    /// `350 ms`, `4.2 s`, `1m 05s`, `1h 02m`, `3d 04h`.
    package static func duration(seconds: Double) -> String {
        guard seconds.isFinite else { return "-" }
        if seconds < 0 { return "-" + duration(seconds: -seconds) }
        if seconds < 0.9995 { return "\(Int((seconds * 1000).rounded())) ms" }
        if seconds < 9.95 { return NumberText.printed("%.1f", seconds) + " s" }
        guard seconds < 1e15 else { return NumberText.compact(seconds) + " s" }
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60)m \(two(whole % 60))s" }
        if whole < 86_400 { return "\(whole / 3600)h \(two(whole / 60 % 60))m" }
        return "\(whole / 86_400)d \(two(whole / 3600 % 24))h"
    }

    /// `just now`, `3 min ago`, `in 2 h`, `5 days ago`; what is more than a month away is a date.
    package static func relative(_ time: Int64, now: Int64) -> String {
        let (span, isTooFar) = now.subtractingReportingOverflow(time)
        guard !isTooFar, span.magnitude < 30 * 86_400_000 else { return date(time) }
        let seconds = Int(span.magnitude / 1000)
        let amount: String
        switch seconds {
        case ..<5: return "just now"
        case ..<60: amount = "\(seconds) s"
        case ..<3600: amount = "\(seconds / 60) min"
        case ..<86_400: amount = "\(seconds / 3600) h"
        default: amount = seconds < 2 * 86_400 ? "1 day" : "\(seconds / 86_400) days"
        }
        return span < 0 ? "in \(amount)" : "\(amount) ago"
    }

    /// `2026-03-01T09:30:00.250Z`; whole seconds leave their milliseconds out.
    package static func iso(_ time: Int64) -> String {
        let (day, clock) = parts(time, offset: 0)
        let millisecond = Int(clock % 1000)
        let fraction = millisecond == 0 ? "" : "." + String(String(millisecond + 1000).dropFirst())
        return "\(day)T\(hours(clock)):\(two(Int(clock / 1000 % 60)))\(fraction)Z"
    }

    /// `2026-03-01 09:30`, at a place so many seconds east of Greenwich.
    package static func minute(_ time: Int64, offset: Int = 0) -> String {
        let (day, clock) = parts(time, offset: offset)
        return "\(day) \(hours(clock))"
    }

    package static func date(_ time: Int64, offset: Int = 0) -> String { parts(time, offset: offset).day }

    /// How many seconds this machine's clock on the wall is ahead of UTC at a time.
    package static func localOffset(at time: Int64) -> Int {
        var seconds = time_t(time / 1000)
        var fields = tm()
        guard unsafe localtime_r(&seconds, &fields) != nil else { return 0 }
        return fields.tm_gmtoff
    }

    /// The date, and the milliseconds since its midnight. Days to dates after Hinnant, “chrono-compatible low-level
    /// date algorithms”: eras of 400 years, years that begin in March.
    private static func parts(_ time: Int64, offset: Int) -> (day: String, clock: Int64) {
        let (shifted, overflow) = time.addingReportingOverflow(Int64(offset) * 1000)
        let time = overflow ? time : shifted
        var days = time / 86_400_000
        var clock = time % 86_400_000
        if clock < 0 {
            clock += 86_400_000
            days -= 1
        }
        days += 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let digits = String(year.magnitude)
        let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        return ("\(year < 0 ? "-" : "")\(padded)-\(two(Int(month)))-\(two(Int(day)))", clock)
    }

    private static func hours(_ clock: Int64) -> String {
        "\(two(Int(clock / 3_600_000))):\(two(Int(clock / 60_000 % 60)))"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
