/// A name for a run that its client gave none, in the manner that MLflow's users know: `bold-heron-412`.
enum RandomName {
    static func make() -> String {
        "\(qualities.randomElement() ?? "bold")-\(birds.randomElement() ?? "martlet")-\(Int.random(in: 0...999))"
    }

    private static let qualities =
        "able abundant adorable agreeable amazing bemused big blushing bold bright calm capable caring charming classy clean colorful crawling dapper delightful efficient enchanting exultant fearless flawless fun gaudy gentle glamorous grandiose gregarious handsome honorable intelligent judicious languid likeable loud lyrical marvelous nimble nosy orderly overjoyed painted peaceful persistent polite popular puzzled rare redolent resilient righteous rumbling sassy secretive selective serious sincere skillful sneaky spiffy stately suave tasteful thoughtful trusting upbeat valuable vaunted victorious welcoming wise worried zealous"
        .split(separator: " ")

    private static let birds =
        "auk crane crow dove eagle egret finch grebe gull hawk heron hoopoe ibis jay kestrel kite lark martin martlet owl petrel pipit plover quail rail raven robin rook shrike siskin skua snipe stilt stork swan swift tern thrush wren"
        .split(separator: " ")
}
