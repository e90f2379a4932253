package import MartletDomain
package import MartletStorage

// How people name what is in the registry, and the use cases that need more than the ledger's rules.
extension StoreReader {
    /// A model by its name: in the project named, else in the default one, else wherever the name is unique.
    package func resolveModel(
        _ name: String, in project: String?, by caller: Caller, _ needed: Role = .read
    ) throws(Refusal) -> RegisteredModel {
        if let project {
            let home = try resolveProject(project, for: caller)
            try caller.require(needed, on: home.id)
            if let found = try model(named: name, in: home.id) { return found }
            throw .modelNotFound(name, near: try nearModels(name, by: caller, in: home.id))
        }
        var found = try cards(RegisteredModel.kind, key: name).filter { caller.may(.read, on: $0.project) }
        if let standard = found.first(where: { $0.project == .standard }) { found = [standard] }
        guard let card = found.first else {
            if let hidden = try cards(RegisteredModel.kind, key: name).first {
                try caller.require(needed, on: hidden.project)
            }
            throw .modelNotFound(name, near: try nearModels(name, by: caller, in: nil))
        }
        guard found.count == 1 else {
            var homes: [String] = []
            for card in found { if let home = try self.project(card.project) { homes.append(home.slug) } }
            throw Refusal(
                .ambiguous, "“\(name.prefix(100))” is a model in \(found.count) projects.",
                remedy: "Name the project: ?project=\(homes.first ?? "").", field: "project", candidates: homes)
        }
        try caller.require(needed, on: card.project)
        return try RegisteredModel(card)
    }

    /// `3`, `v3`, `latest` (the highest number), or an alias; `@champion` is always an alias.
    package func resolveModelVersion(_ text: String, of model: RegisteredModel) throws(Refusal) -> ModelVersion {
        let digits = text.hasPrefix("v") || text.hasPrefix("V") ? text.dropFirst() : text[...]
        if let number = Int(digits), digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) {
            if let version = try modelVersion(number, of: model) { return version }
        } else if text.lowercased() == "latest" {
            // The highest that is left: its number may be lower than the highest given.
            for number in stride(from: model.lastVersion, to: 0, by: -1) {
                if let version = try modelVersion(number, of: model) { return version }
            }
        }
        let alias = text.hasPrefix("@") ? String(text.dropFirst()) : text
        if let number = model.aliases[alias], let version = try modelVersion(number, of: model) { return version }
        throw .modelVersionNotFound(
            text, of: model.name, near: Nearness.nearest(to: alias, among: model.aliases.keys))
    }

    private func nearModels(_ name: String, by caller: Caller, in project: ProjectID?) throws(Refusal) -> [String] {
        let names = try cards(RegisteredModel.kind, in: project, owner: "", after: nil, limit: 10_000)
            .filter { caller.may(.read, on: $0.project) }.map(\.key)
        return Nearness.nearest(to: name, among: names)
    }
}

extension Engine {
    /// A version's address for an artifact of a run here, once it is sure that there is one: a file, or a folder with
    /// something in it.
    package static func source(
        of path: String, in run: Run, _ reader: any StoreReader
    ) throws(Refusal) -> String {
        let clean = try ArtifactPath.clean(path)
        let paths = try reader.artifacts(of: run.key).filter { $0.life == .active }.map(\.path)
        guard paths.contains(where: { $0 == clean || $0.hasPrefix(clean + "/") }) else {
            let near = Nearness.nearest(to: clean, among: paths)
            throw Refusal(
                .notFound, "Run \(run.shortID) has no artifact “\(clean.prefix(100))”.",
                remedy: "List them with `martlet artifacts list \(run.shortID)`.", field: "path",
                candidates: near.isEmpty ? Array(Set(paths).sorted().prefix(3)) : near)
        }
        return "runs:/\(run.id)/\(clean)"
    }
}
