"""What is done with the wire: read the artifact, submit it, wait, download what was signed."""
