import MartletDomain
import MartletJSON

/// What MLflow accepts as a key, and how long a text may be. Its clients match on the words of these refusals.
enum Names {
    static let keyMax = 250
    static let paramMax = 6000
    static let tagMax = 8000
    static let experimentTagMax = 5000
    static let experimentNameMax = 500

    static func check(metric name: String, at path: String = "name") throws(Refusal) {
        try checkCharacters(name, path)
        guard name.utf8.count <= keyMax || name.unicodeScalars.count <= keyMax else {
            throw .tooLong("Metric name", keyMax)
        }
    }

    static func check(param key: String, at path: String = "key") throws(Refusal) {
        try checkCharacters(key, path)
        guard key.unicodeScalars.count <= keyMax else { throw .tooLong("Param key", keyMax) }
    }

    static func check(tag key: String, at path: String = "key") throws(Refusal) {
        try checkCharacters(key, path)
        guard key.unicodeScalars.count <= keyMax else { throw .tooLong(path, keyMax) }
    }

    static func check(experimentTag key: String, _ value: String) throws(Refusal) {
        try checkCharacters(key, "key")
        guard key.unicodeScalars.count <= keyMax else { throw .tooLong("key", keyMax) }
        guard value.unicodeScalars.count <= experimentTagMax else { throw .tooLong("value", experimentTagMax) }
    }

    static func check(experiment name: String) throws(Refusal) {
        guard name.unicodeScalars.count <= experimentNameMax else { throw .tooLong("name", experimentNameMax) }
    }

    /// Too long a value is cut, as MLflow's server does unless it is told otherwise.
    static func cut(_ value: String, to limit: Int) -> String {
        guard value.utf8.count > limit, value.unicodeScalars.count > limit else { return value }
        return String(String.UnicodeScalarView(value.unicodeScalars.prefix(limit)))
    }

    /// Letters, digits and `_ - . : /` and blanks, and nothing that is another name once it is taken for a path.
    static func checkCharacters(_ name: String, _ path: String) throws(Refusal) {
        if isPlain(name) { return }
        guard name.unicodeScalars.allSatisfy(isKeyCharacter) else {
            throw .wrongValue(
                path, .string(name),
                "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
            )
        }
        try checkPath(name, path)
    }

    /// What nearly every name is: the usual characters, in steps that are no dots.
    private static func isPlain(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { bytes in
            // In a step that has only dots so far, one character more than those is needed.
            var (hasStep, isDots) = (false, true)
            for byte in bytes {
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: " "),
                    UInt8(ascii: ":"):
                    (hasStep, isDots) = (true, false)
                case UInt8(ascii: "."): hasStep = true
                case UInt8(ascii: "/"):
                    if !hasStep || isDots { return false }
                    (hasStep, isDots) = (false, true)
                default: return false
                }
            }
            return hasStep && !isDots
        }
    }

    static func checkPath(_ name: String, _ path: String) throws(Refusal) {
        // Most names have neither a slash nor a dot, and are their own path.
        guard name.isEmpty || name.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ".") }) else {
            return
        }
        let normal = normalPath(name)
        guard normal == name, normal != ".", !normal.hasPrefix(".."), !normal.hasPrefix("/") else {
            throw .wrongValue(
                path, .string(name),
                "Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to '\(normal)'"
            )
        }
    }

    private static func isKeyCharacter(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", " ", ":", "/", "\t", "\n":
                return scalar != "\t" && scalar != "\n"
            default: return false
            }
        }
        return isWord(scalar)
    }

    /// A letter, digit or number in any script: what Python's `\w` is beyond ASCII.
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            true
        default: false
        }
    }

    /// `a//b/../c` becomes `a/c`, as POSIX reads it.
    static func normalPath(_ path: String) -> String {
        guard !path.isEmpty else { return "." }
        let isAbsolute = path.hasPrefix("/")
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part != ".." || (parts.isEmpty && !isAbsolute) || parts.last == ".." {
                parts.append(part)
            } else if !parts.isEmpty {
                parts.removeLast()
            }
        }
        let joined = parts.joined(separator: "/")
        // POSIX leaves exactly two slashes at the front alone.
        let root = isAbsolute ? (path.hasPrefix("//") && !path.hasPrefix("///") ? "//" : "/") : ""
        return (root + joined).isEmpty ? "." : root + joined
    }
}

extension Names {
    /// Where MLflow looks at the shape of a run's id before it looks for the run.
    static func check(runID id: String) throws(Refusal) {
        let isFine =
            id.unicodeScalars.count <= 256
            && id.unicodeScalars.first.map {
                $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil)
            }
                ?? false
            && id.unicodeScalars.dropFirst().allSatisfy { $0 == "_" || $0 == "-" || isWord($0) }
        guard isFine else {
            throw .mlflow("Invalid value \(JSONValue.string(id).text) for parameter 'run_id' supplied.")
        }
    }
}
