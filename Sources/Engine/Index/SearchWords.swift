import MartletDomain
import MartletSearch
import MartletStorage

/// The one spelling of words with synonyms, and of ids: what a filter's values and a run's own words are brought to.
struct SearchWords: Sendable {
    /// Ids as the filter wrote them, and the full ones; resolved before the search, because the filter cannot wait for
    /// the store.
    private var runs: [String: String] = [:]
    private var experiments: [String: String] = [:]
    private var projects: [String: String] = [:]

    /// `experiment` is where short ids are looked up when the search is in one experiment only.
    init(_ filter: Filter, in experiments: [Experiment], for caller: Caller, _ reader: any StoreReader) throws(Refusal)
    {
        for leaf in filter.leaves where leaf.field.kind == .identity {
            for text in leaf.condition.texts {
                switch leaf.field.relation {
                case .run, .parent: if runs[text] == nil { runs[text] = try id(text, experiments, reader) }
                case .experiment:
                    if let found = try found({ () throws(Refusal) in try reader.resolveExperiment(text, for: caller) })
                    {
                        self.experiments[text] = "\(found.id)"
                    }
                case .project:
                    if let found = try found({ () throws(Refusal) in try reader.resolveProject(text, for: caller) }) {
                        projects[text] = "\(found.id)"
                    }
                }
            }
        }
    }

    private func id(
        _ text: String, _ experiments: [Experiment], _ reader: any StoreReader
    ) throws(Refusal) -> String {
        if let id = RunID(text) { return id.text }
        if let number = Run.number(shortID: text) {
            var ids: [String] = []
            for experiment in experiments where ids.count < 6 {
                if let run = try reader.run(number: number, in: experiment.id) { ids.append(run.id.text) }
            }
            if ids.count > 1 {
                throw Refusal(
                    .ambiguous, "“\(text)” is a run in \(experiments.count) of the experiments searched.",
                    remedy: "Search in one experiment, or write short_id = '\(text)' to mean them all.",
                    field: "filter", candidates: ids)
            }
            if let id = ids.first { return id }
        }
        for space in ["wandb", "import", "sync", ""] {
            if let key = try reader.alias(text, space: space), let run = try reader.run(key) { return run.id.text }
        }
        return text
    }

    /// A name that is not there is no error in a filter: it finds nothing.
    private func found<T>(_ body: () throws(Refusal) -> T) throws(Refusal) -> T? {
        do throws(Refusal) {
            return try body()
        } catch {
            guard error.code == .notFound || error.code == .ambiguous else { throw error }
            return nil
        }
    }

    func canonical(_ field: Field, _ word: String) -> String {
        guard case .attribute(let attribute) = field.name else { return word }
        switch attribute {
        case .id:
            switch field.relation {
            case .run, .parent: return runs[word] ?? word
            case .experiment: return experiments[word] ?? word
            case .project: return projects[word] ?? word
            }
        case .state: return Status.isKnown(word) ? Status(word: word).state.word : word.lowercased()
        case .status: return SearchWords.status(word)
        case .life: return word.lowercased()
        default: return word
        }
    }

    /// Words that mean the same find one another: `done` and `FINISHED`. A word that says more than its state does,
    /// such as `overfit`, and a word of someone's own stay what they are.
    static func status(_ word: String) -> String {
        guard Status.isKnown(word) else { return word.lowercased() }
        let status = Status(word: word)
        return status.verdict == Status(word: status.state.word).verdict ? status.state.word : word.lowercased()
    }
}

extension Condition {
    /// The texts that a value is compared with.
    fileprivate var texts: [String] {
        let literals: [Literal] =
            switch self {
            case .compare(_, let literal): [literal]
            case .among(let list, _): list
            case .between(let low, let high, _): [low, high]
            case .like, .matches, .exists, .isNaN: []
            }
        return literals.compactMap { literal in
            switch literal {
            case .text(let text), .exactText(let text): text
            case .number(let number): number.text
            case .time: nil
            }
        }
    }
}
