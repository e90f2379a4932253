// The command line: understands the words, asks the native API for what they mean, and prints the answer.
//
// `Commandline` and `Terminal` are a kit that knows nothing of the product; `Commands` are the product's verbs, and
// `Transfer` is what some of them carry. The way to a store is the room Client's.

import MartletClient

/// The whole program.
package enum CLI {
    package static func program(_ world: World) -> Program {
        Program(
            Command(
                "martlet", summary: "Track experiments: log runs, compare them, find the best",
                discussion: """
                    A store is a folder, or a server that serves one. Without --uri it is the nearest .martlet folder \
                    upward, else one in the root of the git repository, else one here.
                    """,
                options: [
                    Option(
                        "uri", short: "u", value: "STORE", "The store: a folder, or http://HOST:PORT",
                        environment: "MARTLET_TRACKING_URI", candidates: .folders),
                    Option(
                        "cacert", value: "FILE", "PEM certificates to trust for an https server",
                        environment: "MARTLET_CACERT", candidates: .files),
                    Option(
                        "color", value: "WHEN", "Whether to use colours", standard: "auto",
                        choices: ColourChoice.allCases.map(\.rawValue)),
                    .flag("quiet", short: "q", "Say nothing but the answer"),
                ],
                examples: [
                    Example("martlet demo && martlet ui martlet-demo --open", "an example to look around in"),
                    Example("martlet serve", "a server with the web pages, on this machine"),
                    Example("martlet runs list digits --sort 'metrics.acc DESC'", "the best last"),
                ],
                subcommands: [
                    world.serve, world.look, world.demo, world.projects, world.experiments, world.runs, world.log,
                    world.search, world.ask, world.artifacts, world.models, world.imports, world.watch, world.export,
                    world.summary, world.plot, world.tail, world.fsck,
                    world.backup,
                    world.restore, world.usage, world.prune, world.users, world.tokens, world.login, world.doctor,
                    world.sync, world.complete,
                ]),
            version: world.version)
    }
}
