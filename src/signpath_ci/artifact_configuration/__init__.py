"""SignPath's artifact configuration: what is signed in an artifact, how, and what is left as it is.

- `language`: the elements, attributes and directives, as tables; `inferred`: rules that SignPath does not document.
- `markup`: XML with positions, within bounds; `document`: the configuration that it describes, or all that is wrong.
- `paths`: patterns of paths.
- `plan`: a configuration resolved against a file: what happens to each nested file, and each rule that does not hold.
- `advice`: what is legal and probably not meant.
- `draft`: a configuration made from a sample.

Nothing here writes a file, reaches a network or prints.
"""
