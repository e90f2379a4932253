// CSV and TSV: quotes may hold commas, line ends and doubled quotes.
import type { Grid } from "../table/cells"

export function csvGrid(text: string, parting: string): Grid {
    const rows: string[][] = [[]]
    let cell = ""
    let isQuoted = false
    for (let index = text.startsWith("\ufeff") ? 1 : 0; index < text.length; index += 1) {
        const letter = text[index]!
        if (isQuoted) {
            if (letter === '"' && text[index + 1] === '"') { cell += '"'; index += 1 } else if (letter === '"') isQuoted = false
            else cell += letter
        } else if (letter === '"' && cell === "") isQuoted = true
        else if (letter === parting) { rows[rows.length - 1]!.push(cell); cell = "" } else if (letter === "\n") {
            rows[rows.length - 1]!.push(cell.replace(/\r$/, ""))
            cell = ""
            rows.push([])
        } else cell += letter
    }
    if (cell || rows[rows.length - 1]!.length) rows[rows.length - 1]!.push(cell)
    const [head = [], ...body] = rows.filter(row => row.length > 0)
    return { columns: head, rows: body }
}
