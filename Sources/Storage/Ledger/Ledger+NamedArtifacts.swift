package import MartletDomain

// Named artifacts: `publish` makes versions (beside the artifacts of runs); here aliases move between them.
extension Ledger {
    /// Points an alias at a version; nil takes the alias away.
    package func setAlias(
        _ alias: String, of name: String, in project: ProjectID, version: Int?
    ) throws(StorageError) {
        _ = try activeProject(project)
        try checkAlias(alias)
        let versions = try tx.namedVersions(of: name, in: project)
        guard !versions.isEmpty else { throw .namedArtifactNotFound(name) }
        let before = try tx.namedAliases(of: name, in: project)[alias]
        if let version {
            guard versions.contains(where: { $0.version == version }) else {
                throw StorageError(
                    .notFound, "The artifact “\(name)” has no version \(version).",
                    remedy: "Its versions are 1 to \(versions.map(\.version).max() ?? 0).", field: "version")
            }
        } else if before == nil {
            throw StorageError(
                .notFound, "The artifact “\(name)” has no alias “\(alias)”.",
                remedy: "List them with GET /api/v1/projects/\(project)/artifacts/\(name).", field: "alias")
        }
        guard before != version else { return }
        try tx.setNamedAlias(alias, of: name, version: version, in: project)
        note(
            "artifact.alias", .project(project), in: project,
            before: before.map { [("version", "\($0)")] } ?? [],
            after: [("name", name), ("alias", alias), ("version", version.map(String.init) ?? "none")])
    }

    /// An alias stands where a version's number may stand, so it must not look like one; `latest` moves by itself.
    package func checkAlias(_ alias: String) throws(StorageError) {
        try limits.checkKey(alias, "alias")
        let digits = alias.hasPrefix("v") ? alias.dropFirst() : alias[...]
        let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { $0 >= 48 && $0 <= 57 }
        guard !isNumber, alias != "latest", !alias.contains("/"), !alias.contains(":") else {
            throw StorageError(
                .invalid, "“\(alias)” cannot be an alias.",
                remedy: "Use a word that is no version number and not “latest”, such as “production”.", field: "alias")
        }
    }
}

extension StorageError {
    package static func namedArtifactNotFound(_ name: String) -> StorageError {
        StorageError(
            .notFound, "There is no named artifact “\(name.prefix(100))” in this project.",
            remedy: "List them with GET /api/v1/projects/{project}/artifacts.", field: "name")
    }
}
