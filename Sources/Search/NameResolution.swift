/// What a name in a sentence stands for: `val_acc` for the metric `val_accuracy`.
///
/// In this order, and only as far as needed: the exact name; the same but for case and separators; the same number of
/// words, each begun or abbreviated (`val_acc`, `learn_rate`); the beginning of a name; its initials (`lr`). More than
/// one name found at a step is an ambiguity, never a guess.
enum NameResolution {
    struct Candidate: Hashable {
        var space: KnownNames.Space
        var name: String
        var words: [String]

        init(_ space: KnownNames.Space, _ name: String) {
            self.space = space
            self.name = name
            words = NameResolution.words(name)
        }
    }

    enum Outcome {
        case found(Candidate)
        case ambiguous([Candidate])
        case unknown
    }

    static func resolve(_ asked: String, among candidates: [Candidate]) -> Outcome {
        let askedWords = words(asked)
        let joined = askedWords.joined()
        guard !askedWords.isEmpty else { return .unknown }
        let steps: [(Candidate) -> Bool] = [
            { $0.name == asked },
            { $0.words == askedWords },
            { $0.words.count == askedWords.count && zip(askedWords, $0.words).allSatisfy(stands) },
            { $0.words.joined().hasPrefix(joined) },
            { $0.words.count > 1 && String($0.words.compactMap(\.first)) == joined },
        ]
        for step in steps {
            let found = candidates.filter(step)
            if found.count == 1 { return .found(found[0]) }
            if found.count > 1 { return .ambiguous(found) }
        }
        return .unknown
    }

    /// The one name that a short one must mean, if there is one.
    static func likely(_ short: String, in space: KnownNames.Space, _ names: some Sequence<String>) -> String? {
        guard case .found(let found) = resolve(short, among: names.map { Candidate(space, $0) }) else { return nil }
        return found.name
    }

    static func words(_ name: String) -> [String] {
        name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    private static func stands(_ short: String, for word: String) -> Bool {
        word.hasPrefix(short) || abbreviations[short]?.contains(word) == true
    }

    private static let abbreviations: [String: Set<String>] = [
        "acc": ["accuracy"], "val": ["validation", "valid"], "valid": ["val"], "dev": ["val", "validation"],
        "tr": ["train", "training"], "lr": ["learningrate"], "bs": ["batchsize"], "avg": ["average", "mean"],
        "num": ["number", "n"], "err": ["error"], "prec": ["precision"], "rec": ["recall"], "ppl": ["perplexity"],
        "algo": ["algorithm"], "reg": ["regularization", "regularisation"], "wd": ["weightdecay"],
    ]
}

/// How a sentence finds its names, and what it took for them.
final class SentenceNames {
    struct Taken: Hashable {
        var asked: String
        var field: Field
    }

    private let names: KnownNames
    private(set) var taken: [Taken] = []
    private var known: [KnownNames.Space: [NameResolution.Candidate]] = [:]

    init(_ names: KnownNames) { self.names = names }

    func resolve(_ asked: String, in spaces: [KnownNames.Space]) -> NameResolution.Outcome {
        let outcome = NameResolution.resolve(asked, among: candidates(spaces))
        if case .found(let candidate) = outcome, candidate.name != asked {
            let taking = Taken(asked: asked, field: candidate.field)
            if !taken.contains(taking) { taken.append(taking) }
        }
        return outcome
    }

    func candidates(_ spaces: [KnownNames.Space]) -> [NameResolution.Candidate] {
        spaces.flatMap { space in
            if let candidates = known[space] { return candidates }
            let candidates = Set(names(space)).sorted().map { NameResolution.Candidate(space, $0) }
            known[space] = candidates
            return candidates
        }
    }
}

extension NameResolution.Candidate {
    var field: Field {
        switch space {
        case .metric: .metric(name)
        case .param: .param(name)
        case .tag: .tag(name)
        }
    }
}

extension NativeParser {
    /// The field that a bare name in a sentence means, or an error with the names that it could mean.
    func sentenceField(
        _ name: String, at place: Scanner.Place, in sentence: SentenceNames,
        spaces: [KnownNames.Space] = KnownNames.Space.allCases
    ) throws(SearchError) -> Field {
        let kinds = spaces == [.metric] ? "metric" : "metric, param or tag"
        switch sentence.resolve(name, in: spaces) {
        case .found(let candidate): return candidate.field
        case .ambiguous(let candidates):
            let fields = candidates.map { "\($0.field)" }
            let more = fields.count > 5 ? " and \(fields.count - 5) more" : ""
            throw fail(
                .ambiguous,
                "\(SearchError.quoted(name)) could be \(NameSuggestion.list(Array(fields.prefix(5))))\(more)",
                at: place,
                remedy: "Write the whole name.")
        case .unknown:
            let near = NameSuggestion.nearest(to: name, among: sentence.candidates(spaces).map(\.name))
            throw fail(
                .unknownName, "No \(kinds) is called \(SearchError.quoted(name))", at: place,
                suggestion: near.first, remedy: "Write the whole name, as the table of runs shows it.")
        }
    }
}
