"""SignPath's artifact configuration: what is signed in an artifact, how, and what is left as it is.

- `language`: the elements, attributes and directives, as tables; `inferred`: rules that SignPath does not document.
- `markup`: XML with positions, within bounds; `document`: the configuration that it describes, or all that is wrong,
  which `validation` and `checks` find.
- `paths`: patterns of paths; `index`: the files of a container that they name; `content`: formats and metadata.
- `plan`: a configuration resolved against a file: what happens to each nested file. `resolve` makes it, `evaluation`
  holds files to the rules one by one, `near` says what to do where one does not hold.
- `advice`: what is legal and probably not meant; `rules`: all rules by name; `outline`: plans as lines and as values.

Nothing here writes a file that stays, reaches a network or prints.
"""
