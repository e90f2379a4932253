import MartletDomain

/// What MLflow accepts as the name of a model, a version, an alias or a tag in the registry, in the words of its refusals.
enum RegistryNames {
    static let tagValueMax = 100_000
    static let aliasMax = 255

    static func check(model name: String, at path: String = "name") throws(Refusal) {
        guard name.contains(where: { !$0.isWhitespace }) else {
            throw .mlflow("Missing value for required parameter '\(path)'.")
        }
        guard !name.contains("/"), !name.contains(":") else {
            throw .mlflow("Invalid model name '\(name)'. Names cannot contain '/' or ':'.")
        }
        try Names.checkPath(name, "name")
    }

    /// Versions are numbers that are sent as text.
    static func version(_ text: String) throws(Refusal) -> Int {
        guard let number = Int(text) else {
            throw .mlflow("Parameter 'version' must be an integer, got '\(text)'.")
        }
        return number
    }

    static func check(alias: String) throws(Refusal) {
        guard alias.unicodeScalars.allSatisfy({ isWord($0) || $0 == "-" }) else {
            throw .mlflow(
                "Invalid alias name: '\(alias)'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
            )
        }
        guard alias.unicodeScalars.count <= aliasMax else { throw .tooLong("Registered model alias name", aliasMax) }
    }

    /// One that shall stand for a version from now on: it must not look like a version itself.
    static func check(newAlias alias: String) throws(Refusal) {
        try check(alias: alias)
        guard alias.lowercased() != "latest" else {
            throw .mlflow("'latest' alias name (case insensitive) is reserved.")
        }
        let digits = alias.dropFirst().unicodeScalars
        if alias.first == "v" || alias.first == "V", !digits.isEmpty,
            digits.allSatisfy({ $0.properties.generalCategory == .decimalNumber })
        {
            throw .mlflow("Version alias name '\(alias)' is reserved.")
        }
    }

    static func check(tag key: String, _ value: String) throws(Refusal) {
        try Names.check(tag: key)
        let isTooLong = value.utf8.count > tagValueMax && value.unicodeScalars.count > tagValueMax
        guard !isTooLong || key != PromptTags.text else {
            throw .mlflow("Prompt text exceeds max length of \(tagValueMax) characters.")
        }
        guard !isTooLong else { throw .tooLong("value", tagValueMax) }
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_": return true
            default: return false
            }
        }
        return Names.isWord(scalar)
    }
}

extension Message {
    /// Tags of a model or a version, checked; the last of a key counts.
    func registryTags() throws(Refusal) -> Pairs<TagValue> {
        var tags = Pairs<TagValue>()
        for (key, value) in try pairs("tags") {
            try RegistryNames.check(tag: key, value)
            tags[key] = .some(value)
        }
        return tags
    }

    func modelName(_ field: String = "name") throws(Refusal) -> String {
        let name = try required(field)
        try RegistryNames.check(model: name, at: field)
        return name
    }

    func modelVersion() throws(Refusal) -> Int { try RegistryNames.version(try required("version")) }

    func stage(_ text: String) throws(Refusal) -> ModelStage {
        guard let stage = ModelStage(word: text) else {
            let known = ModelStage.allCases.map(\.rawValue).joined(separator: ", ")
            throw .mlflow("Invalid Model Version stage: \(text). Value must be one of \(known).")
        }
        return stage
    }
}
