import MartletDomain

/// What models, aliases and logged models may be called. Each refusal names its field.
package enum ModelNames {
    /// A model's name stands alone in addresses and in `models:/name/3`.
    package static func check(model name: String, _ limits: Limits) throws(StorageError) {
        guard name.contains(where: { !$0.isWhitespace }) else {
            throw refusal("The model has no name.", "Give it a name.")
        }
        guard name.utf8.count <= limits.nameBytes else {
            throw StorageError(
                .limit, "The model's name has \(name.utf8.count) bytes; the limit is \(limits.nameBytes).",
                remedy: "Choose a shorter one.", field: "name")
        }
        guard !name.contains("/"), !name.contains(":") else {
            throw refusal("The model's name “\(name.prefix(80))” holds a slash or a colon.", "Use - or _ instead.")
        }
        guard name != ".", !name.hasPrefix("..") else {
            throw refusal("The model's name “\(name.prefix(80))” would be a place in a path.", "Choose another name.")
        }
        try checkPrintable(name, "model's name", field: "name")
    }

    /// An alias stands where a version's number may stand, so it must not look like `latest` or `v3`.
    package static func check(alias: String) throws(StorageError) {
        func refuse(_ message: String, _ remedy: String) -> StorageError {
            StorageError(.invalid, message, remedy: remedy, field: "alias")
        }
        guard !alias.isEmpty else { throw refuse("The alias is empty.", "Use a word, such as “champion”.") }
        guard alias.count <= 255 else {
            throw StorageError(
                .limit, "The alias has \(alias.count) characters; the limit is 255.", remedy: "Choose a shorter one.",
                field: "alias")
        }
        guard alias.unicodeScalars.allSatisfy({ isWordScalar($0) || $0 == "-" }) else {
            throw refuse(
                "The alias “\(alias.prefix(80))” holds more than letters, digits, _ and -.", "Use those alone.")
        }
        guard alias.lowercased() != "latest" else {
            throw refuse("The alias “\(alias)” has a meaning of its own: the newest version.", "Choose another word.")
        }
        let digits = alias.dropFirst()
        let isVersion =
            (alias.hasPrefix("v") || alias.hasPrefix("V")) && !digits.isEmpty
            && digits.unicodeScalars.allSatisfy { $0.properties.generalCategory == .decimalNumber }
        guard !isVersion else {
            throw refuse("The alias “\(alias)” looks like the number of a version.", "Choose another word.")
        }
    }

    package static func check(loggedModel name: String, _ limits: Limits) throws(StorageError) {
        guard !name.isEmpty else { throw refusal("The logged model has no name.", "Give it a name.") }
        guard name.utf8.count <= limits.nameBytes else {
            throw StorageError(
                .limit, "The logged model's name has \(name.utf8.count) bytes; the limit is \(limits.nameBytes).",
                remedy: "Choose a shorter one.", field: "name")
        }
        guard !name.contains(where: { "/:.%\"'".contains($0) }) else {
            throw refusal(
                "The logged model's name “\(name.prefix(80))” holds one of / : . % \" '.", "Use - or _ instead.")
        }
        try checkPrintable(name, "logged model's name", field: "name")
    }

    /// An address without a way out of where it points to, however often it was escaped.
    package static func check(source: String, _ limits: Limits) throws(StorageError) {
        guard source.utf8.count <= limits.sourceBytes else {
            throw StorageError(
                .limit, "The source has \(source.utf8.count) bytes; the limit is \(limits.sourceBytes).",
                remedy: "Use a shorter address.", field: "source")
        }
        var text = source
        for _ in 0..<8 {
            guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
                throw StorageError(
                    .invalid, "The source holds a control character.", remedy: "Send a plain address.", field: "source")
            }
            let parts = text.split(whereSeparator: { $0 == "/" || $0 == "\\" })
            guard !parts.contains("..") else {
                throw StorageError(
                    .invalid, "The source “\(source.prefix(200))” holds a “..”.",
                    remedy: "Send the whole address, without steps upwards.", field: "source")
            }
            let decoded = PercentText.decoded(text)
            if decoded == text { return }
            text = decoded
        }
        throw StorageError(
            .invalid, "The source “\(source.prefix(200))” is escaped over and over.", remedy: "Send a plain address.",
            field: "source")
    }

    private static func checkPrintable(_ text: String, _ what: String, field: String) throws(StorageError) {
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw StorageError(
                .invalid, "The \(what) holds a control character.", remedy: "Use printable characters.", field: field)
        }
    }

    private static func refusal(_ message: String, _ remedy: String) -> StorageError {
        StorageError(.invalid, message, remedy: remedy, field: "name")
    }

    /// A letter, a digit or an underscore of any script.
    private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            true
        default: scalar == "_"
        }
    }
}

/// `%2e` as `.`; what is no escape stays as it is.
private enum PercentText {
    static func decoded(_ text: String) -> String {
        var out: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) {
                out.append(value)
                rest = rest.dropFirst(2)
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
