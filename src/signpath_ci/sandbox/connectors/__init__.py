"""SignPath's connectors (wire contract, "Connectors"): they vouch for the origin of what a CI system has built.

The sandbox plays the CI systems too: their artifacts are files in the artifact store, their runs come from the
configuration. One module a CI system reads its payload; `routes` does what all of them have in common.
"""
