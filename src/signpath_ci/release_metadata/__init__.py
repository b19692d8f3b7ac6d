"""What describes release files (checksums, update manifests, block maps): found where stale, and brought up to date.

Pure: texts and digests go in; findings and new texts come out. One module a format; `formats.FORMATS` is the registry.
A digest is replaced only where it is exactly that of an unsigned file, in any of the known encodings.
"""
