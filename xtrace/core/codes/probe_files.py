"""XT03: probe files."""

CODES: dict[str, str] = {
    "XT0301": "The file is not YAML that can be read. The complaint names the line; the other files still load.",
    "XT0302": "A key of a mapping is not a plain word.",
    "XT0303": "A key stands twice in one mapping, and the second would silently win.",
    "XT0304": "The key is not one that this place of a probe file has.",
    "XT0305": "A value is of the wrong kind: text where a list belongs, a number where text belongs, and so on.",
    "XT0306": "A key that this place needs is missing.",
    "XT0307": "A tool's name must be its file's name, so that one tool can be found without reading all files.",
    "XT0308": "A name or flag has characters that it cannot have.",
    "XT0309": "A named event has no source, or a source gives none of the event's fields.",
    "XT0310": "The `let` names of a source refer to each other in a circle.",
    "XT0311": "An expression, attach point or type in a probe file cannot be parsed.",
    "XT0312": "A source lacks a field of its event that is not optional, or gives one that the event does not have.",
}
